import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLevelStore } from '../../central/store/level.ts';
import { MemoryStore } from '../../central/store/memory.ts';
import type { Store } from '../../central/store/store.ts';
import { always, batch, DAY, HOUR, heat, load, MINUTE, never, summary, T0, table } from './store.fixture.ts';
import { type StoreHarness, storeSuite } from './store.suite.ts';
import { storeLedgerSuite } from './store-ledger.suite.ts';

const memoryHarness = async (): Promise<StoreHarness> => ({
  open: async (options = {}) => {
    const { minutesMs, beforeWrite } = options;
    return new MemoryStore({
      ...(minutesMs !== undefined && { retention: { minutesMs } }),
      ...(beforeWrite !== undefined && { beforeWrite }),
    });
  },
  reopen: async (store) => store,
  dispose: async () => undefined,
});

storeSuite('memory store', memoryHarness);
storeLedgerSuite('memory store', memoryHarness);

async function levelHarness() {
  const base = await mkdtemp(join(tmpdir(), 'picket-store-'));
  const directories = new WeakMap<Store, string>();
  let opened = 0;
  const open = async (directory: string, options: { minutesMs?: number; beforeWrite?: () => void } = {}) => {
    const { minutesMs, beforeWrite } = options;
    const store = await openLevelStore(directory, {
      ...(minutesMs !== undefined && { retention: { minutesMs } }),
      ...(beforeWrite !== undefined && { beforeWrite }),
    });
    directories.set(store, directory);
    return store;
  };
  return {
    base,
    open: (options?: { minutesMs?: number; beforeWrite?: () => void }) => open(join(base, String(opened++)), options),
    reopen: async (store: Store) => {
      await store.close();
      return open(directories.get(store)!);
    },
    dispose: () => rm(base, { recursive: true, force: true }),
  };
}

storeSuite('level store', levelHarness);
storeLedgerSuite('level store', levelHarness);

describe('level store on its disk', { timeout: 60_000 }, () => {
  let harness: Awaited<ReturnType<typeof levelHarness>>;
  beforeEach(async () => {
    harness = await levelHarness();
  });
  afterEach(() => harness.dispose());

  const day = () => [
    table(1),
    ...Array.from({ length: 6 * 60 }, (_, i) => summary(2 + i, T0 + (i + 1) * MINUTE, [[i % 10, i % 7], [i % 5]])),
  ];

  test('a newer format is refused', async () => {
    const directory = join(harness.base, 'newer');
    await (await openLevelStore(directory)).close();
    const database = new ClassicLevel(directory);
    await database.put('meta/format', '99');
    await database.close();
    await expect(openLevelStore(directory)).rejects.toMatchObject({ code: 'store.newer_format' });
  });

  test('a rewriting that is stopped at any write has changed nothing that is read', async () => {
    let writes = 0;
    let stopAt = Number.POSITIVE_INFINITY;
    let store: Store = await harness.open({
      beforeWrite: () => {
        if (++writes >= stopAt) throw new Error('killed');
      },
    });
    await store.commit(batch(day()));
    const read = async () => [
      await store.query('m1', [load.id, heat.id], always, 'minute'),
      await store.query('m1', [load.id, heat.id], always, 'hour'),
      await store.query('m1', [load.id, heat.id], always, 'day'),
    ];
    const before = await read();
    // Six hours and a day: with 0, 1, 2 and 3 writes before it, the fourth stop is at the day.
    for (let stop = 1; stop <= 4; stop++) {
      stopAt = writes + stop;
      await expect(store.maintain(T0 + 2 * DAY, never)).rejects.toThrow('killed');
      expect(await read()).toEqual(before);
    }
    store = await harness.reopen(store);
    expect(await read()).toEqual(before);
    await store.maintain(T0 + 2 * DAY, never);
    expect(await read()).toEqual(before);
    await store.close();
  });

  test('an aborted rewriting goes on where it was', async () => {
    const store = await harness.open();
    await store.commit(batch(day()));
    const before = await store.query('m1', [load.id], always, 'minute');
    const abort = new AbortController();
    const working = store.maintain(T0 + 2 * DAY, abort.signal);
    abort.abort();
    await working;
    expect(await store.query('m1', [load.id], always, 'minute')).toEqual(before);
    await store.maintain(T0 + 2 * DAY, never);
    expect(await store.query('m1', [load.id], always, 'minute')).toEqual(before);
    await store.close();
  });

  test('a store that is too large loses its oldest minutes and keeps its hours', async () => {
    const directory = join(harness.base, 'large');
    let store = await openLevelStore(directory);
    const noise = (i: number, k: number) => ((i * 7919 + k * 104_729) % 99_991) / 3;
    const minutes = Array.from({ length: 4 * 24 * 60 }, (_, i) =>
      summary(2 + i, T0 + (i + 1) * MINUTE, [Array.from({ length: 9 }, (_, k) => noise(i, k)), [1]]),
    );
    await store.commit(batch([table(1), ...minutes], { highestSeq: 1 + minutes.length, receivedMs: T0 + 4 * DAY }));
    await store.maintain(T0 + 4 * DAY + HOUR, never);
    const { diskBytes } = await store.stats();
    await store.close();
    const hours = 4 * 24;
    store = await openLevelStore(directory, { retention: { maxBytes: Math.floor(diskBytes * 0.8) } });
    await store.maintain(T0 + 4 * DAY + HOUR, never);
    expect((await store.stats()).diskBytes).toBeLessThanOrEqual(diskBytes * 0.8);
    const [left] = await store.query('m1', [load.id], always, 'minute');
    expect(left!.timesMs.length).toBeLessThan(minutes.length);
    expect(left!.timesMs.at(-1)).toBe(T0 + 4 * DAY);
    const [rolled] = await store.query('m1', [load.id], always, 'hour');
    expect(rolled!.timesMs.length).toBe(hours);
    await store.close();
  });

  test('says how much there is and how long the disk lasts', async () => {
    const store = await harness.open();
    expect(await store.stats()).toMatchObject({ agents: 0, series: 0, wireBytes: 0, daysLeft: null, oldestMs: null });
    await store.commit(batch([table(1), summary(2, T0 + MINUTE, [[1], [2]])], { receivedMs: T0, sizeBytes: 5000 }));
    await store.commit(batch([summary(3, T0 + HOUR, [[1], [2]])], { receivedMs: T0 + HOUR, sizeBytes: 5000 }));
    const stats = await store.stats();
    expect(stats).toMatchObject({ agents: 1, series: 2, wireBytes: 10_000, oldestMs: T0 });
    // 10,000 bytes in an hour, 1.3 bytes at rest for each.
    expect(stats.daysLeft! / (stats.freeBytes / (10_000 * 1.3 * 24))).toBeCloseTo(1, 5);
    await store.close();
  });
});
