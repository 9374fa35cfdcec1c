import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { greatestDifference, type Knots, offsetAt, takeBound } from './fit.ts';

function fitted(bounds: readonly (readonly [number, number])[]): Knots {
  return bounds.reduce((knots, [atMs, offsetMs]) => takeBound(knots, atMs, offsetMs), [] as Knots);
}

test('the least delay of an hour counts, and the order in which it comes does not', () => {
  const bounds = [
    [10_000, 900],
    [20_000, 3],
    [30_000, 1_000],
  ] as const;
  expect(offsetAt(fitted(bounds), 0)).toBe(3);
  expect(fitted([...bounds].reverse())).toEqual(fitted(bounds));
});

test('a month without a word between two fits is a straight line: the drift in its middle is known', () => {
  const driftMs = 40 * 86.4 * 30; // 40 ppm for 30 days
  const knots = fitted([
    [HOUR_MS, 0],
    [30 * DAY_MS + HOUR_MS, driftMs],
  ]);
  expect(offsetAt(knots, 15 * DAY_MS + HOUR_MS)).toBeCloseTo(driftMs / 2, 6);
  expect(offsetAt(knots, 0)).toBe(0);
  expect(offsetAt(knots, 60 * DAY_MS)).toBe(driftMs);
});

test('a bound that no drift allows is delay, whichever of the two came first', () => {
  expect(
    offsetAt(
      fitted([
        [0, 0],
        [2 * HOUR_MS, 40_000],
      ]),
      2 * HOUR_MS,
    ),
  ).toBe(0);
  expect(
    offsetAt(
      fitted([
        [0, 40_000],
        [2 * HOUR_MS, 0],
      ]),
      0,
    ),
  ).toBe(0);
});

test('whatever the delays and a drift within reason, the fit is off by no more than the least delay of its time', () => {
  const delays = fc.array(fc.integer({ min: 5, max: 20_000 }), { minLength: 60, maxLength: 60 });
  fc.assert(
    fc.property(
      fc.array(delays, { minLength: 3, maxLength: 30 }),
      fc.double({ noNaN: true, min: -80e-6, max: 80e-6 }),
      (hours, drift) => {
        let knots: Knots = [];
        const least: number[] = [];
        hours.forEach((ofHour, hour) => {
          ofHour.forEach((delayMs, minute) => {
            const atMs = hour * HOUR_MS + minute * MINUTE_MS;
            knots = takeBound(knots, atMs, atMs * drift + delayMs);
          });
          least.push(Math.min(...ofHour));
        });
        const lastMs = hours.length * HOUR_MS - MINUTE_MS;
        const found = offsetAt(knots, lastMs)!;
        // The hour that is open may be dated by the one before it, which is off by an hour's drift.
        const slackMs = Math.max(...least.slice(-2)) + Math.abs(drift) * 2 * HOUR_MS;
        expect(found - lastMs * drift).toBeGreaterThanOrEqual(-2 * HOUR_MS * Math.abs(drift) - 1e-6);
        expect(found - lastMs * drift).toBeLessThanOrEqual(slackMs);
      },
    ),
    { numRuns: 100 },
  );
});

test('a year of hours is few knots, right to two seconds where the drift changes with the seasons', () => {
  const offset = (atMs: number): number => 60_000 * Math.sin((atMs / (365 * DAY_MS)) * 2 * Math.PI);
  let knots: Knots = [];
  for (let hour = 0; hour < 365 * 24; hour++) knots = takeBound(knots, hour * HOUR_MS, offset(hour * HOUR_MS));
  expect(knots.length).toBeLessThanOrEqual(32);
  for (let day = 0; day < 365; day += 5) {
    expect(Math.abs(offsetAt(knots, day * DAY_MS)! - offset(day * DAY_MS)), `day ${day}`).toBeLessThan(2_000);
  }
});

test('the greatest difference of two lines is found at their knots', () => {
  const level: Knots = [[0, 0]];
  const bent: Knots = [
    [0, 0],
    [10 * HOUR_MS, 5_000],
    [20 * HOUR_MS, 0],
  ];
  expect(greatestDifference(level, bent, 0, 20 * HOUR_MS)).toBe(5_000);
  expect(greatestDifference(level, bent, 0, 5 * HOUR_MS)).toBe(2_500);
  expect(greatestDifference(level, [], 0, 1)).toBe(Number.POSITIVE_INFINITY);
});
