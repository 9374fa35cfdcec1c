import { expect, it } from 'vitest';
import { MINUTE_MS, TEN_MINUTES_MS } from '../../shared/limits.ts';
import { history } from '../../test/support/history.ts';
import { inTens } from './tens.ts';

const series = '00000000000000aa';

it('minutes become tens exactly, and tens stay as they are', () => {
  const minutes = history({ series, windows: 20, spread: 1 }, (endMs) => endMs / MINUTE_MS);
  const tens = inTens(minutes);
  expect([...tens.timesMs]).toEqual([TEN_MINUTES_MS, 2 * TEN_MINUTES_MS]);
  expect([...tens.lengthsMs]).toEqual([TEN_MINUTES_MS, TEN_MINUTES_MS]);
  expect(tens.mean[0]).toBeCloseTo(5.5);
  expect(tens.count[0]).toBe(minutes.count.slice(0, 10).reduce((sum, count) => sum + count, 0));
  expect(tens.min[1]).toBe(minutes.min[10]);
  const alone = history({ series, windows: 3, windowMs: TEN_MINUTES_MS }, () => 7);
  expect(inTens(alone)).toBe(alone);
});

it('a few minutes are no ten', () => {
  const columns = inTens(history({ series, windows: 3 }, () => 1));
  expect([...columns.lengthsMs]).toEqual([3 * MINUTE_MS]);
});
