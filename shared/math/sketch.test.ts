import fc from 'fast-check';
import { expect, test } from 'vitest';
import { emptySketch, GAMMA, keyOf, mergeSketches, quantile, sketchCount, sketchOf, valueOfKey } from './sketch.ts';
import { SketchSet } from './sketch-set.ts';

const positive = fc.double({ noNaN: true, noDefaultInfinity: true, min: Number.MIN_VALUE });
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const values = fc.array(fc.oneof(finite, fc.integer({ min: -50, max: 50 })), { maxLength: 60 });

function sketchOfAll(list: readonly number[], maxBuckets?: number) {
  const set = new SketchSet(2, maxBuckets);
  for (const x of list) set.add(1, x);
  return set.take(1);
}

test('a key holds the values in (γ^(k-1), γ^k]', () => {
  fc.assert(
    fc.property(positive, (value) => {
      const key = keyOf(value);
      const logarithm = Math.log(value) / Math.log(GAMMA);
      expect(logarithm).toBeLessThanOrEqual(key + 1e-8);
      expect(logarithm).toBeGreaterThan(key - 1 - 1e-8);
    }),
    { numRuns: 1000 },
  );
});

test('keys change at the powers of γ, to a billionth', () => {
  for (let key = -2000; key < 2000; key += 3) {
    const bound = GAMMA ** key;
    expect([keyOf(bound * (1 - 1e-9)), keyOf(bound * (1 + 1e-9))]).toEqual([key, key + 1]);
  }
});

test('keys of known values: 1 is the upper bound of key 0, and keys rise with values', () => {
  expect([keyOf(1), keyOf(1.0000001), keyOf(0.9999999), keyOf(0.98)]).toEqual([0, 1, 0, -1]);
  // ln(1000)·49.99833… = 345.37…; ln(5e-324)·… = -37220.76; ln(1.797e308)·… = 35487.95
  expect([keyOf(1000), keyOf(Number.MIN_VALUE), keyOf(Number.MAX_VALUE)]).toEqual([346, -37220, 35488]);
  for (let x = 1e-5; x < 1e5; x *= 1.003) expect(keyOf(x * 1.003)).toBeGreaterThanOrEqual(keyOf(x));
});

test('the value of a key is within 1 % of all that it holds', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, min: 1e-300, max: 1e300 }), (value) => {
      expect(Math.abs(valueOfKey(keyOf(value)) / value - 1)).toBeLessThanOrEqual(0.01 + 1e-9);
    }),
  );
});

test('a quantile is within 1 % of the value of its rank', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), fc.constant(0)), {
        minLength: 1,
        maxLength: 60,
      }),
      fc.double({ noNaN: true, min: 0, max: 1 }),
      (list, share) => {
        const sketch = sketchOfAll(list);
        const sorted = [...list].sort((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil(share * list.length)) - 1]!;
        fc.pre(exact === 0 || Math.abs(exact) > 1e-290);
        expect(Math.abs(quantile(sketch, share) - exact)).toBeLessThanOrEqual(Math.abs(exact) * (0.01 + 1e-9));
      },
    ),
  );
  expect(quantile(emptySketch, 0.5)).toBeNaN();
});

test('the sketch of a union is the sum of the sketches, in either way and in any order', () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      const all = sketchOfAll([...a, ...b]);
      expect(sketchCount(all)).toBe(a.length + b.length);
      expect(mergeSketches(sketchOfAll(a), sketchOfAll(b))).toEqual(all);
      const set = new SketchSet(2);
      set.merge(1, sketchOfAll(b));
      set.merge(1, sketchOfAll(a));
      expect(set.take(1)).toEqual(all);
      expect(set.take(0)).toEqual(emptySketch);
      set.reset();
      expect(set.take(1)).toEqual(emptySketch);
    }),
  );
});

test('keys of a sketch are sorted by magnitude on both sides', () => {
  fc.assert(
    fc.property(values, (list) => {
      const { positiveKeys, negativeKeys } = sketchOfAll(list);
      for (const keys of [positiveKeys, negativeKeys])
        expect([...keys]).toEqual([...new Set(keys)].sort((a, b) => a - b));
    }),
  );
});

test('the sketch of a constant is that of its samples', () => {
  for (const value of [0, 3.5, -7, 1e-300]) {
    expect(sketchOf(value, 60)).toEqual(sketchOfAll(Array.from({ length: 60 }, () => value)));
  }
  expect(sketchOf(5, 0)).toEqual(emptySketch);
});

test('at the full number of buckets the smallest magnitudes are joined, and nothing is lost', () => {
  fc.assert(
    fc.property(values, fc.integer({ min: 4, max: 12 }), (list, maxBuckets) => {
      const exact = sketchOfAll(list);
      const bounded = sketchOfAll(list, maxBuckets);
      const buckets = bounded.positiveKeys.length + bounded.negativeKeys.length + (bounded.zeros > 0 ? 1 : 0);
      expect(buckets).toBeLessThanOrEqual(maxBuckets);
      expect(sketchCount(bounded)).toBe(list.length);
      expect(bounded.zeros).toBe(exact.zeros);
      // the largest magnitude of all is never joined away
      const top = (s: typeof exact) => Math.max(s.positiveKeys.at(-1) ?? -1e9, s.negativeKeys.at(-1) ?? -1e9);
      expect(top(bounded)).toBe(top(exact));
    }),
  );
});

test('joining takes the smallest magnitude of both signs', () => {
  const sketch = sketchOfAll([-100, -10, -1, 0, 1000, 2000], 5);
  expect({ ...sketch }).toEqual({
    zeros: 1,
    positiveKeys: Int32Array.of(keyOf(1000), keyOf(2000)),
    positiveCounts: Uint32Array.of(1, 1),
    negativeKeys: Int32Array.of(keyOf(10), keyOf(100)),
    negativeCounts: Uint32Array.of(2, 1),
  });
});

test('a full pool keeps counting every value', () => {
  const set = new SketchSet(3, 100, 5);
  for (let i = 1; i <= 50; i++) set.add(i % 2, i);
  set.add(2, 7);
  expect(set.collapsed).toBeGreaterThan(0);
  expect([sketchCount(set.take(0)), sketchCount(set.take(1))]).toEqual([25, 25]);
});
