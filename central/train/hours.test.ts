import { describe, expect, it } from 'vitest';
import { offsetAt, utcZone } from '../../shared/detect/civil.ts';
import { emptyVerdict } from '../../shared/detect/detector.ts';
import { seasonal, seasonalLevel } from '../../shared/detect/seasonal.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { history, seededNormal, seededRandom } from '../../test/support/history.ts';
import type { Resolution, SeriesColumns, SummaryBlock, TimeRange } from '../store/store.ts';
import { shareBetween, windowsOf } from './hours.ts';
import { knowsNothing } from './knowledge.ts';
import { type RoundOptions, trainRound } from './round.ts';
import { seasonalModels } from './seasonal-kind.ts';
import { zoneOffsets } from './zone.ts';

const fromMs = Date.UTC(2026, 0, 5);
const DAYS = 31;
const kind = seasonalModels.find(({ windowMs }) => windowMs === MINUTE_MS)!;

/** What an hour of minutes comes to, by definition. */
function hoursOf(minutes: SummaryBlock): SummaryBlock {
  const hours = minutes.timesMs.length / 60;
  const part = (column: Float64Array, i: number) => [...column.subarray(i * 60, i * 60 + 60)];
  const all = (read: (i: number) => number) => Float64Array.from({ length: hours }, (_, i) => read(i));
  const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const mean = all((i) => average(part(minutes.mean, i)));
  return {
    ...minutes,
    timesMs: all((i) => minutes.timesMs[i * 60 + 59]!),
    lengthsMs: all(() => HOUR_MS),
    count: all(() => 3600),
    mean,
    deviation: all((i) => {
      const within = average(part(minutes.deviation, i).map((d) => d * d));
      return Math.sqrt(within + average(part(minutes.mean, i).map((value) => (value - mean[i]!) ** 2)));
    }),
    min: all((i) => Math.min(...part(minutes.min, i))),
    max: all((i) => Math.max(...part(minutes.max, i))),
    last: all((i) => minutes.last[i * 60 + 59]!),
    anomalyShare: all(() => 0),
    highestScore: all(() => 0),
  };
}

const pick = ({ agent: _, key: __, ...columns }: SummaryBlock, { fromMs: after, toMs }: TimeRange): SeriesColumns => {
  const rows = [...columns.timesMs.keys()].filter((i) => columns.timesMs[i]! > after && columns.timesMs[i]! <= toMs);
  const names = Object.keys(columns).filter((name) => name !== 'series') as Exclude<keyof SeriesColumns, 'series'>[];
  const cut = names.map((name) => [name, Float64Array.from(rows, (i) => columns[name][i]!)]);
  return { series: columns.series, ...Object.fromEntries(cut) } as SeriesColumns;
};

/** Day and night, and in each minute of 60 samples a scatter of its own. */
function machine(scatter: number, samples = 1): SummaryBlock {
  const normal = seededNormal(11);
  return history({ windows: DAYS * 1440, fromMs, spread: samples }, (endMs) => {
    return 100 + 20 * Math.sin((2 * Math.PI * (endMs % DAY_MS)) / DAY_MS) + scatter * normal();
  });
}

/** @param minutesMs how much of the newest minutes is still there */
function round(block: SummaryBlock, minutesMs: number, training: Partial<RoundOptions<unknown>['training']> = {}) {
  const asked: string[] = [];
  const hours = hoursOf(block);
  const toMs = block.timesMs.at(-1)!;
  const store = {
    latest: async () => [{ ...block.key, id: block.series, timeMs: toMs, mean: 0, min: 0, max: 0, last: 0 }],
    coverage: async () => [],
    query: async (_: string, __: readonly string[], range: TimeRange, resolution: Resolution) => {
      asked.push(resolution);
      if (resolution === 'hour') return [pick(hours, range)];
      return [pick(block, { fromMs: Math.max(range.fromMs, toMs - minutesMs), toMs: range.toMs })];
    },
  };
  const result = trainRound({
    store: store as unknown as RoundOptions<unknown>['store'],
    agent: 'a1',
    kind,
    training: { windowMs: MINUTE_MS, zone: utcZone, findingsPerDay: 1, ...training },
    champion: null,
    random: seededRandom(1),
    signal: new AbortController().signal,
    knowledge: async () => knowsNothing,
  });
  return { result, asked };
}

describe('what a history is read from', () => {
  it('is minutes where these are there, hours where they are gone or the fleet is large', async () => {
    const block = machine(1);
    const minutes = round(block, 14 * DAY_MS);
    expect((await minutes.result)!.fromMs).toBe(block.timesMs.at(-1)! - 14 * DAY_MS);
    expect(minutes.asked).not.toContain('hour');
    const gone = round(block, DAY_MS);
    const many = round(block, 14 * DAY_MS, { manyMachines: true });
    for (const { result, asked } of [gone, many]) {
      const { toMs, fromMs: since } = (await result)!;
      expect(toMs - since).toBeGreaterThan(29.9 * DAY_MS);
      expect(asked).toContain('hour');
    }
  });

  it('is minutes of a young machine, also in a large fleet', async () => {
    const young = history({ windows: 630, fromMs, spread: 1 }, () => 5);
    const { result } = round(young, 14 * DAY_MS, { manyMachines: true });
    expect((await result)!.toMs).toBe(fromMs + 630 * MINUTE_MS);
  });
});

describe('a season learned from hours', () => {
  it("is that of the machine's own clock, over a change of it", async () => {
    // Three weeks of winter time in New York and ten days of summer time.
    const beginMs = Date.UTC(2026, 1, 16);
    const zone = zoneOffsets('America/New_York', beginMs, beginMs + 400 * DAY_MS);
    const normal = seededNormal(5);
    const block = history({ windows: DAYS * 1440, fromMs: beginMs, spread: 1 }, (endMs) => {
      const hour = ((endMs - 1 + offsetAt(zone, endMs - 1)) % DAY_MS) / HOUR_MS;
      return (hour >= 8 && hour < 20 ? 50 : 10) + normal();
    });
    const { result, asked } = round(block, 0, { zone });
    const [params] = kind.decode((await result)!.content).values();
    expect(asked).toContain('hour');
    for (const [month, offset] of [
      [3, 4],
      [6, 4],
      [11, 5],
    ] as const) {
      const at = (hour: number) => Date.UTC(2026, month, 20, hour + offset);
      expect(seasonalLevel(params!, at(9))).toBeGreaterThan(45);
      expect(seasonalLevel(params!, at(7))).toBeLessThan(15);
    }
  });
});

describe('windows that stand for hours', () => {
  it('have the mean of their hour and the deviation of its windows', () => {
    const block = hoursOf(history({ windows: 30 * 1440, fromMs, spread: 0 }, (_, i) => (i % 2 === 0 ? 9 : 11)));
    const windows = windowsOf({ columns: block, share: 1 }, MINUTE_MS, { fromMs, toMs: fromMs + 30 * DAY_MS });
    const values = [...windows.mean];
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(values.length).toBe(30 * 24 * 2);
    expect(mean).toBeCloseTo(10, 6);
    expect(Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)).toBeCloseTo(1, 6);
    expect([...windows.timesMs]).toEqual([...windows.timesMs].sort((a, b) => a - b));
  });

  it('reach as far as their samples in one of eight hours, and in all quarters of an hour', () => {
    const block = hoursOf(history({ windows: 30 * 1440, fromMs, spread: 0 }, (_, i) => (i % 2 === 0 ? 9 : 11)));
    const columns = { ...block, min: block.min.fill(0), max: block.max.fill(30) };
    const { mean, timesMs } = windowsOf({ columns, share: 1 }, MINUTE_MS, { fromMs, toMs: fromMs + 30 * DAY_MS });
    const [low, high] = [0, 30].map((end) => mean.filter((value) => value === end).length);
    // Of 720 hours; the turn from day to day moves one or the other.
    for (const count of [low!, high!]) expect(Math.abs(count - 720 / 8)).toBeLessThanOrEqual(2);
    // No hour of the day is the one.
    const hours = new Set(
      [...timesMs].filter((_, i) => mean[i] === 30).map((ms) => Math.floor((ms % DAY_MS) / HOUR_MS)),
    );
    expect(hours.size).toBe(24);
    expect(new Set([...timesMs].map((ms) => Math.floor((ms % HOUR_MS) / (HOUR_MS / 4)))).size).toBe(4);
  });

  it('are one an hour of what never varies', () => {
    const block = hoursOf(history({ windows: 30 * 1440, fromMs }, () => 7));
    const { mean } = windowsOf({ columns: block, share: 1 }, MINUTE_MS, { fromMs, toMs: fromMs + 30 * DAY_MS });
    expect([mean.length, ...new Set(mean)]).toEqual([720, 7]);
  });

  it('are told how a deviation divides by the newest windows, or take all of it for theirs', () => {
    const block = history({ windows: 300, fromMs, spread: 3 }, (_, i) => (i % 2 === 0 ? 6 : 14));
    // Between windows 4, within them 3: of 5 together 4 fifths.
    expect(shareBetween(block, MINUTE_MS)).toBeCloseTo(0.8, 6);
    expect(shareBetween(pick(block, { fromMs, toMs: fromMs + 20 * MINUTE_MS }), MINUTE_MS)).toBe(1);
  });
});

describe('a model from hours', () => {
  it('of one series among 300 finds what no minute ever was, and nothing else', async () => {
    const scatter = 2;
    const { result } = round(machine(scatter, 1), DAY_MS, { findingsPerDay: 0.2 / 300 });
    const [params] = kind.decode((await result)!.content).values();
    expect(params!.capBits).toBeGreaterThan(params!.findingBits);
    const [normal, state, out] = [seededNormal(98), seasonal.start(params!), emptyVerdict()];
    let [clean, missed] = [0, 0];
    for (let i = 0; i < 5 * 1440; i++) {
      const utcMs = fromMs + DAYS * DAY_MS + (i + 1) * MINUTE_MS;
      const usual = 100 + 20 * Math.sin((2 * Math.PI * (utcMs % DAY_MS)) / DAY_MS) + scatter * normal();
      const finds = (value: number): boolean => {
        seasonal.score(params!, state, Float64Array.of(value), Uint8Array.of(0), { monotonicMs: 0, utcMs }, out);
        return out.finding;
      };
      if (finds(usual)) clean++;
      if (!finds(usual + 60 * scatter)) missed++;
    }
    expect([clean, missed]).toEqual([0, 0]);
  });

  /** Share of new minutes outside of the band, and of minutes with a shift of 8 scatters that are findings. */
  async function judged(result: ReturnType<typeof round>['result'], scatter: number) {
    const params = [...kind.decode((await result)!.content).values()][0]!;
    const normal = seededNormal(99);
    const state = seasonal.start(params);
    const out = emptyVerdict();
    let outside = 0;
    let found = 0;
    const minutes = 2 * 1440;
    for (let i = 0; i < minutes; i++) {
      const utcMs = fromMs + DAYS * DAY_MS + (i + 1) * MINUTE_MS;
      const usual = 100 + 20 * Math.sin((2 * Math.PI * (utcMs % DAY_MS)) / DAY_MS) + scatter * normal();
      const at = { monotonicMs: 0, utcMs };
      seasonal.score(params, state, Float64Array.of(usual), Uint8Array.of(0), at, out);
      if (usual < out.expectedLow || usual > out.expectedHigh) outside++;
      seasonal.score(params, state, Float64Array.of(usual + 10 * scatter), Uint8Array.of(0), at, out);
      if (out.finding) found++;
    }
    return { outside: outside / minutes, found: found / minutes };
  }

  it('holds the minutes of the next days in its band, and finds what is far outside', async () => {
    const block = machine(2, 1);
    const { result } = round(block, DAY_MS);
    expect((await result)!.accepted).toBe(true);
    const { outside, found } = await judged(result, 2);
    expect(outside).toBeLessThan(0.05);
    expect(found).toBeGreaterThan(0.5);
  });

  it('is less sharp where no minute shows how the deviation divides, and no louder', async () => {
    const sharp = await judged(round(machine(2, 6), DAY_MS).result, 2);
    const dull = await judged(round(machine(2, 6), 0).result, 2);
    expect(dull.outside).toBeLessThanOrEqual(sharp.outside);
    expect(dull.found).toBeLessThan(sharp.found);
  });
});
