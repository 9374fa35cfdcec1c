import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Moments, mergeMoments } from './moments.ts';

const values = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 60 });

/** Two passes: the reference. */
function plain(list: readonly number[]) {
  const mean = list.reduce((sum, x) => sum + x, 0) / list.length;
  const variance = list.reduce((sum, x) => sum + (x - mean) ** 2, 0) / list.length;
  return { count: list.length, mean, deviation: Math.sqrt(variance) };
}

const near = (a: number, b: number, scale: number) => expect(Math.abs(a - b)).toBeLessThanOrEqual(scale * 1e-9);

test('moments are those of two passes over the values', () => {
  fc.assert(
    fc.property(values, (list) => {
      const moments = new Moments(3);
      moments.add(0, 99);
      for (const x of list) moments.add(1, x);
      const expected = plain(list);
      expect(moments.count[1]).toBe(list.length);
      near(moments.mean[1]!, expected.mean, 1e6);
      near(moments.deviation(1), expected.deviation, 1e6);
      expect(moments.min[1]).toBe(Math.min(...list));
      expect(moments.max[1]).toBe(Math.max(...list));
      expect(moments.last[1]).toBe(list.at(-1));
    }),
  );
});

test('a merge equals the moments of all values', () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      const [left, right] = [new Moments(1), new Moments(2)];
      for (const x of a) left.add(0, x);
      for (const x of b) right.add(1, x);
      left.merge(0, right, 1);
      const expected = plain([...a, ...b]);
      expect(left.count[0]).toBe(expected.count);
      near(left.mean[0]!, expected.mean, 1e6);
      near(left.deviation(0), expected.deviation, 1e6);
      expect(left.last[0]).toBe(b.at(-1));
      expect(left.max[0]).toBe(Math.max(...a, ...b));
      const merged = mergeMoments(plain(a), plain(b));
      expect(merged.count).toBe(expected.count);
      near(merged.mean, expected.mean, 1e6);
      near(merged.deviation, expected.deviation, 1e6);
    }),
  );
});

test('a mean lies among its values, also where their distance is more than a number can hold', () => {
  const far = [3e293, -Number.MAX_VALUE];
  const [all, first, second] = [new Moments(1), new Moments(1), new Moments(1)];
  for (const x of far) all.add(0, x);
  first.add(0, far[0]!);
  second.add(0, far[1]!);
  first.merge(0, second);
  const merged = mergeMoments(plain([far[0]!]), plain([far[1]!]));
  for (const mean of [all.mean[0]!, first.mean[0]!, merged.mean]) expect(mean / (-Number.MAX_VALUE / 2)).toBeCloseTo(1);
});

test('a small deviation on a large mean survives an hour, as the header says', () => {
  const moments = new Moments(1);
  for (let i = 0; i < 3600; i++) moments.add(0, 1e6 + (i % 2 === 0 ? 1 : -1));
  expect(Math.abs(moments.deviation(0) ** 2 - 1)).toBeLessThan(4e-7);
});

test('merging nothing changes nothing, and a reset forgets', () => {
  const moments = new Moments(1);
  moments.merge(0, new Moments(1));
  expect(moments.count[0]).toBe(0);
  expect(moments.deviation(0)).toBeNaN();
  moments.add(0, 5);
  moments.merge(0, new Moments(1));
  expect([moments.count[0], moments.mean[0]]).toEqual([1, 5]);
  moments.reset();
  moments.add(0, -3);
  expect([moments.count[0], moments.mean[0], moments.min[0], moments.max[0], moments.deviation(0)]).toEqual([
    1, -3, -3, -3, 0,
  ]);
});
