import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeColumns, encodeColumns } from '../wire/columns.ts';
import { emptyColumns } from '../wire/summary.ts';
import { coarseSketch } from './coarse-sketch.ts';
import { emptySketch, mergeSketches, quantile, sketchCount, sketchOf } from './sketch.ts';

const sketchOfAll = (values: readonly number[]) =>
  values.reduce((sketch, value) => mergeSketches(sketch, sketchOf(value, 1)), emptySketch);
const samples = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 80 });

function exact(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(values.length, Math.max(1, Math.ceil(share * values.length))) - 1]!;
}

describe.each([2, 5])('groups of %i', (group) => {
  test('keep all values, and quantiles within as many percent', () => {
    fc.assert(
      fc.property(samples, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
        const coarse = coarseSketch(sketchOfAll(values), group);
        expect(sketchCount(coarse)).toBe(values.length);
        const truth = exact(values, share);
        expect(Math.abs(quantile(coarse, share) - truth)).toBeLessThanOrEqual(Math.abs(truth) * group * 0.0105);
      }),
    );
  });

  test('never have more buckets, and coarse once is coarse', () => {
    fc.assert(
      fc.property(samples, (values) => {
        const fine = sketchOfAll(values);
        const coarse = coarseSketch(fine, group);
        expect(coarse.positiveKeys.length).toBeLessThanOrEqual(fine.positiveKeys.length);
        expect(coarseSketch(coarse, group)).toEqual(coarse);
      }),
    );
  });
});

test('travel in fewer bytes, and come back as they were sent', () => {
  const values = Array.from({ length: 600 }, (_, i) => 50 + 30 * Math.sin(i / 7) + (i % 13));
  const encoded = [1, 2, 5].map((group) => {
    const columns = emptyColumns(1);
    columns.count[0] = values.length;
    columns.min[0] = Math.min(...values);
    columns.max[0] = Math.max(...values);
    columns.mean[0] = 56;
    columns.deviation[0] = 21;
    columns.last[0] = values.at(-1)!;
    columns.anomalyShare[0] = 0;
    columns.highestScore[0] = 0;
    columns.sketches[0] = coarseSketch(sketchOfAll(values), group);
    const bytes = encodeColumns(columns);
    expect(decodeColumns(bytes, 1).sketches[0]).toEqual(columns.sketches[0]);
    return bytes.length;
  });
  expect(encoded[1]!).toBeLessThan(encoded[0]! * 0.8);
  expect(encoded[2]!).toBeLessThan(encoded[1]! * 0.8);
});
