import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { history, seededNormal } from '../../test/support/history.ts';
import type { Verdict } from '../feedback/api.ts';
import type { SummaryBlock, TimeRange } from '../store/store.ts';
import { type JudgedTime, type Knowledge, knowsNothing } from './knowledge.ts';
import { preprocess } from './preprocess.ts';

const SERIES = '00000000000000aa';
const OTHER = '00000000000000bb';
const DAYS = 5;
const normal = seededNormal(1);
const noise = Array.from({ length: DAYS * 1440 }, () => 100 + 5 * normal());
const block = history({ windows: DAYS * 1440, series: SERIES }, (_, i) => noise[i]!);
const other = { ...block, series: OTHER };

function seen(knowledge: Partial<Knowledge>, from: SummaryBlock = block) {
  return preprocess(from, { ...knowsNothing, ...knowledge }, MINUTE_MS);
}

/** An incident of `SERIES`, by hours. */
function incident(verdict: Verdict | null, from: number, to: number): JudgedTime {
  const range = { fromMs: from * HOUR_MS, toMs: to * HOUR_MS };
  return { ...range, verdict, series: new Map([[SERIES, range]]) };
}

/** Windows that are there of a stretch of hours, as a share. */
function share({ block: left }: ReturnType<typeof preprocess>, from: number, to: number): number {
  const inside = [...(left?.timesMs ?? [])].filter((ms) => ms > from * HOUR_MS && ms <= to * HOUR_MS);
  return inside.length / ((to - from) * 60);
}

test('a history of which nothing is known is seen as it is', () => {
  const { block: left, leftOut, change } = seen({});
  expect(left).toEqual(block);
  expect([leftOut, change]).toEqual([{}, null]);
});

describe('time that is left out of all series', () => {
  test.each([
    ['planned work', { planned: [{ fromMs: 10 * HOUR_MS, toMs: 12 * HOUR_MS }] }, 'planned'],
    ['guessed time', { uncertain: [{ fromMs: 10 * HOUR_MS, toMs: 12 * HOUR_MS }] }, 'uncertain'],
    ['an incident that was planned work', { incidents: [incident('planned', 10, 12)] }, 'planned'],
    ['a real incident', { incidents: [incident('real', 10, 12)] }, 'real'],
  ] as const)('%s', (_what, knowledge, cause) => {
    for (const from of [block, other]) {
      const prepared = seen(knowledge, from);
      expect(share(prepared, 10, 12)).toBe(0);
      // The window that it only touches goes with it.
      expect(share(prepared, 0, 9)).toBe(1);
      expect(share(prepared, 13, 24)).toBe(1);
      expect(prepared.leftOut[cause]).toBeGreaterThanOrEqual(120);
    }
  });

  test('a real one that lasts: of what took part all of it, of the others its first hours', () => {
    const knowledge = { incidents: [incident('real', 10, 58)] };
    expect(share(seen(knowledge), 10, 58)).toBe(0);
    expect(share(seen(knowledge, other), 10, 16)).toBe(0);
    expect(share(seen(knowledge, other), 17, 58)).toBe(1);
  });
});

describe('incidents that nobody judged', () => {
  test('short ones count little, for the series that took part, so that most false alarms are still learned', () => {
    const { block: left, leftOut } = seen({ incidents: [incident(null, 10, 12)] });
    expect(leftOut).toEqual({});
    const trust = (hour: number): number => left!.trust![hour * 60 + 30]!;
    expect([trust(9), trust(10), trust(11), trust(12)]).toEqual([1, 0.3, 0.3, 1]);
    expect(seen({ incidents: [incident(null, 10, 12)] }, other).block!.trust).toBeUndefined();
  });

  test('those that last for hours are left out, as many are faults; after days they are how the machine is', () => {
    const prepared = seen({ incidents: [incident(null, 10, 100)] });
    expect(share(prepared, 10, 82)).toBe(0);
    expect(share(prepared, 83, 120)).toBe(1);
    expect(seen({ incidents: [incident(null, 10, 100)] }, other).leftOut).toEqual({});
  });
});

describe('a false alarm', () => {
  const loud = history({ windows: DAYS * 1440, anomalyShare: () => 1 }, (_, i) => noise[i]!);

  test('counts fully and is marked, of the series that took part', () => {
    const { block: left } = seen({ incidents: [incident('false_alarm', 10, 12)] }, loud);
    expect([left!.usual![9 * 60], left!.usual![11 * 60], left!.trust]).toEqual([0, 1, undefined]);
    expect(seen({ incidents: [incident('false_alarm', 10, 12)] }, other).block!.usual).toBeUndefined();
  });

  test('is kept where an incident beside it was not judged, not where it was real or planned', () => {
    const alarm = incident('false_alarm', 10, 12);
    expect(share(seen({ incidents: [incident(null, 8, 40), alarm] }), 11, 12)).toBe(1);
    expect(share(seen({ incidents: [incident('real', 8, 40), alarm] }), 11, 12)).toBe(0);
    const planned: TimeRange[] = [{ fromMs: 10 * HOUR_MS, toMs: 12 * HOUR_MS }];
    expect(share(seen({ incidents: [alarm], planned }), 11, 12)).toBe(0);
  });
});

describe('windows that are no measure', () => {
  test('cut ones, and those of a few samples', () => {
    const cut = { ...block, lengthsMs: block.lengthsMs.map((ms, i) => (i === 7 ? 10_000 : ms)) };
    const poor = { ...cut, count: block.count.map((count, i) => (i === 9 ? 20 : count)) };
    expect(seen({}, poor).leftOut).toEqual({ partial: 2 });
    const none = { ...block, count: block.count.map(() => 0) };
    expect(seen({}, none)).toMatchObject({ block: null, leftOut: { partial: block.timesMs.length } });
  });

  test('absurd values go, bursts stay', () => {
    const odd = (at: number, value: number) => ({
      ...block,
      mean: block.mean.map((mean, i) => (i === at ? value : mean)),
    });
    for (const value of [1e308, -9999, 65_535]) expect(seen({}, odd(500, value)).leftOut).toEqual({ absurd: 1 });
    expect(seen({}, odd(500, 350)).leftOut).toEqual({});
    // What comes often is what the series does.
    const often = { ...block, mean: block.mean.map((mean, i) => (i % 100 === 0 ? 1e6 : mean)) };
    expect(seen({}, often).leftOut).toEqual({});
  });
});

test('of two meanings the newer one is learned, and the change is told', () => {
  const at = 3 * 1440;
  const scaled = { ...block, mean: block.mean.map((mean, i) => (i < at ? mean : mean * 1024)) };
  const { block: left, leftOut, change } = seen({}, scaled);
  expect(change).toMatchObject({ kind: 'scale', atMs: block.timesMs[at] });
  expect(left!.timesMs[0]).toBe(block.timesMs[at]);
  expect(leftOut).toEqual({ meaning: at });
  expect(left!.mean.length).toBe(2 * (DAY_MS / MINUTE_MS));
});
