/**
 * Filing anew, on both stores. What is expected is never worked out here: a second store is given the same records with
 * the right times at once, and the first must not be told from it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openLevelStore } from '../../central/store/level.ts';
import { MemoryStore } from '../../central/store/memory.ts';
import type { Batch, IncomingRecord, Refiling, Store } from '../../central/store/store.ts';
import {
  always,
  batch,
  coMoments,
  DAY,
  epochA,
  epochB,
  event,
  HOUR,
  heat,
  incident,
  load,
  MINUTE,
  never,
  record,
  summary,
  T0,
  table,
} from './store.fixture.ts';

const bootA = 'd'.repeat(32);
const bootB = 'e'.repeat(32);
/** Boot A began at midnight; boot B the day after. */
const right: Readonly<Record<string, number>> = { [bootA]: T0, [bootB]: T0 + DAY };

interface World {
  open(options?: { beforeWrite?: () => void }): Promise<Store>;
  dispose(): Promise<void>;
}

async function levelWorld(): Promise<World> {
  const base = await mkdtemp(join(tmpdir(), 'picket-refile-'));
  let opened = 0;
  return {
    open: (options = {}) => openLevelStore(join(base, String(opened++)), options),
    dispose: () => rm(base, { recursive: true, force: true }),
  };
}

async function memoryWorld(): Promise<World> {
  return { open: async (options = {}) => new MemoryStore(options), dispose: async () => undefined };
}

/** What was made at a monotonic time of a boot, before anybody dates it. */
type Made = (offsetMs: number, dated: boolean) => IncomingRecord;

function of(boot: string, monotonicMs: number, made: (timeMs: number) => IncomingRecord): Made {
  return (offsetMs, dated) => ({ ...made(monotonicMs + offsetMs), boot, monotonicMs, dated });
}

function windowOf(boot: string, seq: number, monotonicMs: number, value: number, lengthMs = MINUTE): Made {
  return of(boot, monotonicMs, (timeMs) => summary(seq, timeMs, [[value, value + 1], [value * 2]], { lengthMs }));
}

function dated(made: readonly Made[], offsetMs: number, certain: boolean): IncomingRecord[] {
  return made.map((one) => one(offsetMs, certain));
}

async function groupHours(store: Store): Promise<unknown[]> {
  const out: unknown[] = [];
  for await (const { timeMs, group } of store.coMoments('m1', always)) out.push([timeMs, group]);
  return out;
}

/** All that can be asked of a store about times. */
async function told(store: Store) {
  const ids = [load.id, heat.id];
  const query = async (resolution: 'minute' | 'hour' | 'day') =>
    (await store.query('m1', ids, always, resolution)).map(({ timesMs, lengthsMs, count, mean, min, max, last }) => ({
      timesMs: [...timesMs],
      lengthsMs: [...lengthsMs],
      count: [...count],
      mean: [...mean].map((value) => Math.fround(value).toPrecision(3)),
      min: [...min],
      max: [...max],
      last: [...last].map((value) => Math.fround(value).toPrecision(3)),
    }));
  return {
    minutes: await query('minute'),
    hours: await query('hour'),
    days: await query('day'),
    coverage: await store.coverage('m1', always),
    events: await store.events('m1', always, 100),
    incidents: await store.incidents(always),
    ledger: await store.ledger('m1'),
    verified: (await store.verifyLedger('m1')).problems,
    document: await store.document('m1', 'top'),
    groups: await groupHours(store),
    latest: (await store.latest('m1')).map(({ id, timeMs, max }) => ({ id, timeMs, max })),
  };
}

const nowMs = T0 + 12 * DAY;
const maintain = (store: Store) => store.maintain(nowMs, never);

function refiling(boot: string): Refiling {
  return { utcMs: (monotonicMs) => monotonicMs + right[boot]!, dated: true };
}

const aDay: readonly Made[] = [
  of(bootA, 0, (timeMs) => ({ ...table(1), timeMs })),
  ...Array.from({ length: 150 }, (_, i) => windowOf(bootA, i + 2, (i + 1) * MINUTE, i)),
  of(bootA, 2 * HOUR, (timeMs) => summary(200, timeMs, [[1, 2, 3], [4]], { kind: 'rollup', lengthMs: HOUR })),
  of(bootA, 90 * MINUTE, (timeMs) => record(201, timeMs, { kind: 'events', events: [event(timeMs - 500, 'open')] })),
  of(bootA, 95 * MINUTE, (timeMs) => record(202, timeMs, { kind: 'document', name: 'top', json: { at: 1 } })),
  of(bootA, 96 * MINUTE, (timeMs) => record(203, timeMs, { kind: 'unknown', number: 99 })),
  of(bootA, 98 * MINUTE, (timeMs) => coMoments(205, timeMs, 'pump', [1, 2], 38 * MINUTE)),
  of(bootA, 97 * MINUTE, (timeMs) =>
    record(204, timeMs, {
      kind: 'incident',
      incident: incident(1, { seq: 204, openedMs: timeMs - 5_000, updatedMs: timeMs }),
    }),
  ),
];

for (const [name, makeWorld] of [
  ['level', levelWorld],
  ['memory', memoryWorld],
] as const) {
  describe(`filing anew, ${name}`, { timeout: 120_000 }, () => {
    async function compared(
      run: (store: Store, batches: (offsetOf: (boot: string) => number, certain: boolean) => Batch[]) => Promise<void>,
      made: Readonly<Record<string, readonly Made[]>> = { [bootA]: aDay },
    ) {
      const world = await makeWorld();
      const store = await world.open();
      const oracle = await world.open();
      try {
        const batches = (offsetOf: (boot: string) => number, certain: boolean): Batch[] =>
          Object.entries(made).map(([boot, records], i) =>
            batch(dated(records, offsetOf(boot), certain), { epoch: i === 0 ? epochA : epochB, receivedMs: nowMs }),
          );
        for (const one of batches((boot) => right[boot]!, true)) await oracle.commit(one);
        await maintain(oracle);
        await run(store, batches);
        expect(await told(store)).toEqual(await told(oracle));
        await maintain(store);
        expect(await told(store)).toEqual(await told(oracle));
      } finally {
        await store.close();
        await oracle.close();
        await world.dispose();
      }
    }

    test.each([
      ['a day early', -DAY],
      ['a day late', DAY],
      ['a minute early', -MINUTE],
      ['an hour and a bit', HOUR + 17_123],
      ['40 s late', 40_000],
    ])('filed under %s, in chunks and beside them', async (_name, wrongMs) => {
      for (const rewritten of [true, false]) {
        await compared(async (store, batches) => {
          for (const one of batches((boot) => right[boot]! + wrongMs, false)) await store.commit(one);
          if (rewritten) await maintain(store);
          await store.latest('m1');
          expect(await store.refile('m1', bootA, refiling(bootA), never)).toBeGreaterThan(150);
          expect(await store.refile('m1', bootA, refiling(bootA), never)).toBe(0);
        });
      }
    });

    test('what has no certain time is marked, until it has one', async () => {
      await compared(async (store, batches) => {
        for (const one of batches((boot) => right[boot]!, false)) await store.commit(one);
        const day = { fromMs: T0, toMs: T0 + DAY };
        const marked = async () => {
          const [coverage] = await store.coverage('m1', day);
          const events = await store.events('m1', day, 10);
          return [coverage!.covered, coverage!.uncertain ?? 0, coverage!.spans[0]!.uncertain === true, events.length];
        };
        expect(await marked()).toEqual([150, 150, true, 1]);
        await store.refile('m1', bootA, refiling(bootA), never);
        expect(await marked()).toEqual([150, 0, false, 1]);
      });
    });

    test('another boot of that hour stays where it is', async () => {
      const b = Array.from({ length: 30 }, (_, i) => windowOf(bootB, i + 2, (i + 1) * MINUTE, 500 + i));
      await compared(
        async (store, batches) => {
          // A was taken for a day later than it was: it lies over B.
          for (const one of batches((boot) => (boot === bootA ? right[boot]! + DAY + 7 : right[boot]!), false)) {
            await store.commit(one.epoch === epochB ? { ...one, records: dated(b, right[bootB]!, true) } : one);
          }
          await maintain(store);
          await store.refile('m1', bootA, refiling(bootA), never);
        },
        { [bootA]: aDay, [bootB]: b },
      );
    });

    test('what is right already is not touched, and no longer marked as uncertain', async () => {
      await compared(async (store, batches) => {
        for (const one of batches((boot) => right[boot]! + 300, false)) {
          await store.commit({ ...one, records: dated(aDay, right[bootA]!, false) });
        }
        expect(await store.refile('m1', bootB, refiling(bootB), never)).toBe(0);
        await store.refile('m1', bootA, refiling(bootA), never);
      });
    });

    test('a restart between two hours of a move: it is gone on with, nothing twice', async () => {
      let writes = Number.POSITIVE_INFINITY;
      const world = await makeWorld();
      const store = await world.open({
        beforeWrite: () => {
          if (--writes < 0) throw new Error('the disk is gone');
        },
      });
      const oracle = await world.open();
      try {
        await oracle.commit(batch(dated(aDay, right[bootA]!, true), { receivedMs: nowMs }));
        await store.commit(batch(dated(aDay, right[bootA]! + DAY + 999, false), { receivedMs: nowMs }));
        await maintain(store);
        for (let failures = 0; failures < 3; failures++) {
          writes = failures;
          await store.refile('m1', bootA, refiling(bootA), never).catch(() => undefined);
        }
        writes = Number.POSITIVE_INFINITY;
        await store.refile('m1', bootA, refiling(bootA), never);
        await maintain(store);
        await maintain(oracle);
        expect(await told(store)).toEqual(await told(oracle));
      } finally {
        await store.close();
        await oracle.close();
        await world.dispose();
      }
    });

    test('rows of boots come with a batch, are replaced, and are there again', async () => {
      const world = await makeWorld();
      const store = await world.open();
      const row = (id: string, n: number) => ({ id, live: [[1, n]] });
      expect(await store.boots('m1')).toEqual([]);
      await store.commit(batch([table(1)], { boots: [row(bootA, 1), row(bootB, 2)] }));
      await store.saveBoots('m1', [row(bootA, 3)]);
      expect(await store.boots('m1')).toEqual([row(bootA, 3), row(bootB, 2)]);
      await store.purge('m1');
      expect(await store.boots('m1')).toEqual([]);
      await store.close();
      await world.dispose();
    });
  });
}

test('any boot, filed in parts under any guesses, rewritten at any time: filed anew it is as if it had been right at once', async () => {
  const world = await levelWorld();
  const part = fc.record({
    windows: fc.integer({ min: 1, max: 80 }),
    wrongMs: fc.integer({ min: -2 * DAY, max: 2 * DAY }),
    rewrite: fc.boolean(),
    lengthMs: fc.constantFrom(MINUTE, 10 * MINUTE, 15_000),
  });
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 4 }), async (parts) => {
        const store = await world.open();
        const oracle = await world.open();
        let atMs = 0;
        let seq = 1;
        for (const { windows, wrongMs, rewrite, lengthMs } of parts) {
          const made: Made[] = seq === 1 ? [of(bootA, 0, (timeMs) => ({ ...table(1), timeMs }))] : [];
          for (let i = 0; i < windows; i++) {
            atMs += lengthMs;
            made.push(windowOf(bootA, ++seq, atMs, seq, lengthMs));
          }
          const base = right[bootA]! + 5 * DAY;
          await store.commit(batch(dated(made, base + wrongMs, false), { receivedMs: nowMs }));
          await oracle.commit(batch(dated(made, base, true), { receivedMs: nowMs }));
          if (rewrite) await maintain(store);
        }
        await store.refile('m1', bootA, { utcMs: (ms) => ms + right[bootA]! + 5 * DAY, dated: true }, never);
        await maintain(store);
        await maintain(oracle);
        expect(await told(store)).toEqual(await told(oracle));
        await store.close();
        await oracle.close();
      }),
      { numRuns: 12 },
    );
  } finally {
    await world.dispose();
  }
}, 120_000);
