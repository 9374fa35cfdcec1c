import { expect, test } from 'vitest';
import { HOUR_MS } from '../../shared/limits.ts';
import type { SteppedOutlook } from './api.ts';
import { disagreementOf, reachedIn, soonerOf } from './reached.ts';

const base: SteppedOutlook = {
  model: 'm',
  naive: false,
  mase: 1,
  naiveMase: 1,
  coverage90: 0.9,
  origins: 8,
  shifted: false,
  stepMs: HOUR_MS,
  firstMs: 0,
  fromMs: -1000,
  toMs: -HOUR_MS,
  measured: 100,
  missing: 0,
  value: [0.6, 0.8, 1, 1],
  low: [0.5, 0.6, 0.7, 0.8],
  high: [0.7, 1, 1, 1],
};
const full = { reaches: 'full', bound: 1 } as const;

test('a bound is reached where the lines cross it, an end that is not in sight is open', () => {
  expect(reachedIn(base, full, 'hours')).toEqual({
    expectedMs: 2 * HOUR_MS,
    earliestMs: HOUR_MS,
    latestMs: null,
    by: 'hours',
  });
  // Half way between 0.8 and 1.
  expect(reachedIn(base, { reaches: 'peak', bound: 0.9 }, 'hours')!.expectedMs).toBeCloseTo(1.5 * HOUR_MS, 3);
  expect(reachedIn({ ...base, high: [0.5, 0.5, 0.6, 0.6] }, full, 'hours')).toBeNull();
  expect(reachedIn(null, full, 'hours')).toBeNull();
});

test('what empties is reached from above', () => {
  const empties = { ...base, value: [0.4, 0.2, 0], low: [0.2, 0, 0], high: [0.5, 0.4, 0.3] };
  expect(reachedIn(empties, { reaches: 'empty', bound: 0 }, 'days')).toEqual({
    expectedMs: 2 * HOUR_MS,
    earliestMs: HOUR_MS,
    latestMs: null,
    by: 'days',
  });
});

test('days tell what hours do not see; what only might come is not told', () => {
  const days = { expectedMs: 5, earliestMs: 4, latestMs: 6, by: 'days' } as const;
  const maybe = { expectedMs: null, earliestMs: 1, latestMs: null, by: 'hours' } as const;
  expect(soonerOf(maybe, days)).toBe(days);
  expect(soonerOf(maybe, null)).toBeNull();
  expect(soonerOf({ ...days, by: 'hours' }, days)?.by).toBe('hours');
});

test('two forecasts disagree when their intervals do not meet and they are far apart', () => {
  const hour = (h: number): number => h * HOUR_MS;
  const central = { expectedMs: hour(100), earliestMs: hour(80), latestMs: hour(130), by: 'hours' } as const;
  const agent = (expected: number, earliest: number, latest: number) => ({
    expectedMs: hour(expected),
    earliestMs: hour(earliest),
    latestMs: hour(latest),
  });
  const said = (own: ReturnType<typeof agent> | null, reached: typeof central | null = central): string | null =>
    disagreementOf(reached, own, hour(168), 0);
  expect(said(null)).toBeNull();
  expect(said(agent(90, 70, 110))).toBeNull();
  expect(said(agent(20, 15, 30))).toMatch(/sooner/);
  expect(said(agent(300, 200, 400))).toMatch(/later/);
  expect(said(agent(20, 15, 30), null)).toMatch(/something is new/);
  expect(said(agent(160, 100, 400), null)).toBeNull();
});
