import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quantile, sketchCount } from '../shared/math/sketch.ts';
import { Quality } from '../shared/series.ts';
import { Summariser } from './summarise.ts';

const samples = fc.array(
  fc.record({
    series: fc.nat({ max: 3 }),
    value: fc.oneof(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), fc.constant(Number.NaN)),
    quality: fc.constantFrom<Quality>(Quality.good, Quality.good, Quality.good, Quality.stale, Quality.bad),
    bits: fc.double({ noNaN: true, min: 0, max: 50 }),
    finding: fc.boolean(),
  }),
  { maxLength: 80 },
);

type Sample = { series: number; value: number; quality: Quality; bits: number; finding: boolean };

function addAll(summariser: Summariser, list: readonly Sample[]) {
  for (const { series, value, quality, bits, finding } of list) summariser.add(series, value, quality, bits, finding);
}

function expectFeatures(columns: ReturnType<Summariser['close']>, list: readonly Sample[], numbers: readonly number[]) {
  numbers.forEach((series, i) => {
    const all = list.filter((s) => s.series === series);
    const good = all.filter((s) => s.quality === Quality.good && !Number.isNaN(s.value));
    const values = good.map((s) => s.value);
    expect(columns.count[i]).toBe(good.length);
    expect(columns.bad[i]).toBe(all.length - good.length);
    if (good.length === 0) {
      expect(columns.mean[i]).toBeNaN();
      expect(columns.sketches[i]).toBeNull();
      return;
    }
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
    expect(Math.abs(columns.mean[i]! - mean)).toBeLessThan(1e-6);
    expect(Math.abs(columns.deviation[i]! - deviation)).toBeLessThan(1e-5);
    expect(columns.min[i]! + 0).toBe(Math.min(...values) + 0);
    expect(columns.max[i]! + 0).toBe(Math.max(...values) + 0);
    expect(columns.last[i]).toBe(values.at(-1));
    expect(columns.anomalyShare[i]).toBe(good.filter((s) => s.finding).length / good.length);
    expect(columns.highestScore[i]).toBe(Math.max(...good.map((s) => s.bits)));
    expect(sketchCount(columns.sketches[i]!)).toBe(good.length);
    const top = Math.max(...values);
    expect(Math.abs(quantile(columns.sketches[i]!, 1) - top)).toBeLessThanOrEqual(Math.abs(top) * 0.0101);
  });
}

test('the columns of a window are the features of its samples, in the order asked for', () => {
  fc.assert(
    fc.property(samples, fc.shuffledSubarray([0, 1, 2, 3, 9]), (list, numbers) => {
      const summariser = new Summariser(10);
      addAll(summariser, [{ series: 1, value: 5, quality: Quality.good, bits: 3, finding: true }]);
      summariser.close([0, 1]);
      addAll(summariser, list);
      expectFeatures(summariser.close(numbers), list, numbers);
    }),
  );
});

test('the hour is the features of all its samples, however they were cut into windows', () => {
  fc.assert(
    fc.property(fc.array(samples, { maxLength: 5 }), (windows) => {
      const summariser = new Summariser(4);
      for (const list of windows) {
        addAll(summariser, list);
        summariser.close([0, 1, 2, 3]);
      }
      expectFeatures(summariser.closeHour([3, 1, 0, 2]), windows.flat(), [3, 1, 0, 2]);
      expect([...summariser.closeHour([0, 1, 2, 3]).count]).toEqual([0, 0, 0, 0]);
    }),
  );
});

test('a missing sample is bad; a series beyond the capacity is ignored', () => {
  const summariser = new Summariser(2);
  summariser.missing(1);
  summariser.missing(2);
  summariser.add(-1, 1, Quality.good, 0, false);
  summariser.add(2, 1, Quality.good, 0, false);
  expect([...summariser.close([0, 1, 2, -1]).bad]).toEqual([0, 1, 0, 0]);
});

test('a forgotten series leaves nothing behind for the one that gets its number', () => {
  const summariser = new Summariser(2);
  for (const x of [1, 2, 3]) summariser.add(0, x, Quality.good, 9, true);
  summariser.close([0]);
  summariser.add(0, 4, Quality.good, 9, true);
  summariser.forget(0);
  summariser.add(0, -7, Quality.good, 1, false);
  const window = summariser.close([0]);
  const hour = summariser.closeHour([0]);
  for (const columns of [window, hour]) {
    expect([columns.count[0], columns.min[0], columns.max[0], columns.highestScore[0]]).toEqual([1, -7, -7, 1]);
    expect(sketchCount(columns.sketches[0]!)).toBe(1);
  }
});

test('sketches can be left out', () => {
  const summariser = new Summariser(1, false);
  summariser.add(0, 4, Quality.good, 0, false);
  expect(summariser.close([0]).sketches).toEqual([null]);
  expect(summariser.closeHour([0]).sketches).toEqual([null]);
});
