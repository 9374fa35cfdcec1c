/** Windows of a minute and of ten minutes in one series, as an agent with a budget of its uplink tells them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLevelStore } from '../../central/store/level.ts';
import { MemoryStore } from '../../central/store/memory.ts';
import type { Store } from '../../central/store/store.ts';
import { always, batch, HOUR, load, MINUTE, never, summary, T0, table } from './store.fixture.ts';

const TEN = 10 * MINUTE;
/** A sample a second would be as right, and slower. */
const minuteOf = (minute: number): number[] => [minute, minute + 0.5];
const tenOf = (ten: number): number[] => Array.from({ length: 10 }, (_, i) => minuteOf(ten * 10 + i)).flat();
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'picket-mixed-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const kinds: readonly (readonly [string, () => Promise<Store>])[] = [
  ['memory', async () => new MemoryStore({})],
  ['level', () => openLevelStore(join(directory, 'store'), {})],
];

describe.each(kinds)('mixed windows in the %s store', (_, open) => {
  let store: Store;
  let seq: number;
  beforeEach(async () => {
    store = await open();
    seq = 1;
    await store.commit(batch([table(1, [load])]));
  });
  afterEach(() => store.close());

  const tellTen = (ten: number, samples = tenOf(ten)) =>
    summary(++seq, T0 + (ten + 1) * TEN, [samples], { lengthMs: TEN });
  const tellMinute = (minute: number) => summary(++seq, T0 + (minute + 1) * MINUTE, [minuteOf(minute)]);
  const query = async (resolution: 'minute' | 'hour' | 'day') =>
    (await store.query('m1', [load.id], always, resolution))[0]!;
  /** Both as it came and as it lies after the hourly work. */
  async function bothWays(check: () => Promise<void>): Promise<void> {
    await check();
    await store.maintain(T0 + 30 * HOUR, never);
    await check();
  }

  test('that follow each other are all told, and make the hour', async () => {
    await store.commit(
      batch([
        tellTen(0),
        tellTen(1),
        ...Array.from({ length: 20 }, (_, i) => tellMinute(20 + i)),
        tellTen(4),
        tellTen(5),
      ]),
    );
    await bothWays(async () => {
      const rows = await query('minute');
      expect([...rows.lengthsMs]).toEqual([TEN, TEN, ...Array<number>(20).fill(MINUTE), TEN, TEN]);
      expect(rows.mean[0]).toBeCloseTo(mean(tenOf(0)), 3);
      const hour = await query('hour');
      expect([...hour.count]).toEqual([120]);
      expect(hour.mean[0]).toBeCloseTo(mean(Array.from({ length: 6 }, (_, ten) => tenOf(ten)).flat()), 3);
      expect([hour.min[0], hour.max[0], hour.last[0]]).toEqual([0, 59.5, 59.5]);
    });
  });

  test('that cover a time twice count once: the minutes, where they are all there', async () => {
    await store.commit(batch([tellTen(0), tellTen(1), tellTen(2)]));
    // Something happened: minutes that had been held come after their ten.
    await store.commit(batch(Array.from({ length: 10 }, (_, i) => tellMinute(10 + i))));
    await bothWays(async () => {
      const rows = await query('minute');
      expect([...rows.lengthsMs]).toEqual([TEN, ...Array<number>(10).fill(MINUTE), TEN]);
      expect([...(await query('hour')).count]).toEqual([60]);
      expect([...(await query('day')).count]).toEqual([60]);
    });
  });

  test('and the long one, where minutes are missing', async () => {
    await store.commit(batch([tellMinute(3), tellMinute(4), tellTen(0), tellMinute(8)]));
    await bothWays(async () => {
      expect([...(await query('minute')).lengthsMs]).toEqual([TEN]);
      const hour = await query('hour');
      expect([...hour.count]).toEqual([20]);
      expect(hour.mean[0]).toBeCloseTo(mean(tenOf(0)), 3);
    });
  });

  test('a series that was left out of the long one has its minutes', async () => {
    await store.commit(batch([tellTen(0, []), tellMinute(3)]));
    await bothWays(async () => {
      expect([...(await query('hour')).count]).toEqual([2]);
    });
  });

  test('the hour that the agent told holds where it counts more, never the sum', async () => {
    const all = Array.from({ length: 6 }, (_, ten) => tenOf(ten)).flat();
    await store.commit(batch([tellTen(0), tellTen(3), summary(++seq, T0 + HOUR, [all], { kind: 'rollup' })]));
    await bothWays(async () => {
      expect([...(await query('hour')).count]).toEqual([120]);
    });
  });

  test('ten minutes are covered by one window, once', async () => {
    await store.commit(batch([tellTen(0), tellTen(2), tellMinute(25), tellMinute(30)]));
    const [day] = await store.coverage('m1', { fromMs: T0, toMs: T0 + 31 * MINUTE });
    expect(day).toMatchObject({ covered: 21 });
  });
});
