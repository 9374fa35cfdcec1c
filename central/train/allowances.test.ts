import { describe, expect, test } from 'vitest';
import { TOGETHER_BITS, WIDEST, widened } from '../../shared/detect/allowance.ts';
import { utcZone } from '../../shared/detect/civil.ts';
import { emptyVerdict } from '../../shared/detect/detector.ts';
import { type SeasonalParams, seasonal } from '../../shared/detect/seasonal.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { decodeSeasonalModel, encodeSeasonalModel } from '../../shared/wire/seasonal-model.ts';
import { fitAllowances, fitTogether } from './allowances.ts';
import type { UsualElsewhere } from './trainer.ts';

/** 1970-01-05, a Monday. */
const monday = 4 * DAY_MS;
const params: SeasonalParams = { ...seasonal.defaults, windows: 10_000, levels: [50], scale: 2, findingBits: 12 };

/** Windows that were called usual, each at its time and so far from the level. */
function of(windows: readonly (readonly [atMs: number, off: number])[], elsewhere: readonly UsualElsewhere[] = []) {
  const endsMs = windows.map(([atMs]) => atMs);
  const residuals = windows.map(([, off]) => off);
  return fitAllowances(params, { endsMs, residuals, usual: windows.map(() => 1), elsewhere });
}

function isFound(allowances: SeasonalParams['allowances'], atMs: number, value: number): boolean {
  const out = emptyVerdict();
  const all = allowances === undefined || allowances.length === 0 ? params : { ...params, allowances };
  const model = { ...params, series: new Map([['00000000000000aa', all]]) };
  // As an agent has it.
  const taken = decodeSeasonalModel(encodeSeasonalModel(model)).series.get('00000000000000aa')!;
  const at = { monotonicMs: 0, utcMs: atMs };
  seasonal.score(seasonal.parseParams(taken), seasonal.start(taken), Float64Array.of(value), Uint8Array.of(0), at, out);
  return out.finding;
}

const night = monday + 2 * HOUR_MS;

describe('a false alarm of the night', () => {
  const allowances = of([
    [night, 60],
    [night + MINUTE_MS, 50],
  ]);

  test('is usual at that time from then on, on that side, on such days', () => {
    expect(isFound([], night, 110)).toBe(true);
    for (const later of [night, night + 20 * MINUTE_MS, night - 20 * MINUTE_MS, night + 2 * DAY_MS]) {
      expect(isFound(allowances, later, 110)).toBe(false);
    }
    expect(isFound(allowances, night, -10)).toBe(true);
    expect(isFound(allowances, night + 3 * HOUR_MS, 110)).toBe(true);
    expect(isFound(allowances, night + 5 * DAY_MS, 110)).toBe(true);
  });

  test('hides no trouble that is much greater', () => {
    expect(isFound(allowances, night, 500)).toBe(true);
  });
});

test('what is within the band anyway needs none', () => {
  expect(of([[night, 1]])).toEqual([]);
  expect(of([])).toEqual([]);
});

test('over midnight, and from a weekday into the weekend', () => {
  const midnight = of([[monday + DAY_MS, 60]]);
  expect(isFound(midnight, monday + 2 * DAY_MS - 10 * MINUTE_MS, 100)).toBe(false);
  expect(isFound(midnight, monday + 2 * DAY_MS + 10 * MINUTE_MS, 100)).toBe(false);
  const weekend = of([[monday + 5 * DAY_MS, 60]]);
  expect(isFound(weekend, monday + 5 * DAY_MS + 10 * MINUTE_MS, 100)).toBe(false);
  expect(isFound(weekend, monday + DAY_MS, 100)).toBe(false);
});

test('one that came at three times of the day may come at any, by what the three have in common', () => {
  const times = [2, 9, 17].map((hour, i) => [monday + hour * HOUR_MS, [90, 60, 70][i]!] as const);
  const two = of(times.slice(0, 2));
  expect(isFound(two, monday + 13 * HOUR_MS, 105)).toBe(true);
  const three = of(times);
  expect(isFound(three, monday + 13 * HOUR_MS, 105)).toBe(false);
  expect(isFound(three, monday + 13 * HOUR_MS, 220)).toBe(true);
  expect(isFound(three, monday + 2 * HOUR_MS, 220)).toBe(false);
});

test('however many there were, few are kept, and all within their bounds', () => {
  const many = of(
    Array.from({ length: 500 }, (_, i) => [monday + i * 97 * MINUTE_MS, i % 2 === 0 ? 1e12 : -60] as const),
  );
  expect(many.length).toBeLessThanOrEqual(8);
  expect(Math.max(...many.map(({ upper }) => upper))).toBe(WIDEST);
  expect(() => seasonal.parseParams({ ...params, zone: utcZone, allowances: many })).not.toThrow();
});

test('one of another machine of the cohort is usual here before it comes', () => {
  const elsewhere = [{ fromMs: night, toMs: night + 10 * MINUTE_MS, side: 'high', times: 6 }] as const;
  const allowances = of([], elsewhere);
  const edge = 4.7;
  expect(isFound([], night + DAY_MS, 50 + 6 * edge)).toBe(true);
  expect(isFound(allowances, night + DAY_MS, 50 + 6 * edge)).toBe(false);
  expect(isFound(allowances, night + DAY_MS, 50 - 6 * edge)).toBe(true);
});

describe('a false alarm of a group', () => {
  const bits = 40;
  const together = fitTogether(params, [{ fromMs: night, toMs: night + 5 * MINUTE_MS, bits }]);

  test('is usual at that time, up to a little more than it was', () => {
    const allowed = (atMs: number): number => TOGETHER_BITS * widened(together, atMs, true);
    expect(allowed(night)).toBeCloseTo(1.1 * bits);
    expect(allowed(night + 2 * DAY_MS)).toBeCloseTo(1.1 * bits);
    expect(allowed(night + 3 * HOUR_MS)).toBe(TOGETHER_BITS);
    expect(allowed(night + 5 * DAY_MS)).toBe(TOGETHER_BITS);
  });

  test('travels with the series, and leaves its own band as it is', () => {
    const model = { ...params, series: new Map([['00000000000000aa', { ...params, together }]]) };
    const taken = decodeSeasonalModel(encodeSeasonalModel(model)).series.get('00000000000000aa')!;
    expect(widened(taken.together, night, true)).toBeCloseTo(1.1 * (bits / TOGETHER_BITS));
    expect(taken.allowances).toBeUndefined();
    expect(seasonal.parseParams(taken).together).toEqual(taken.together);
  });
});
