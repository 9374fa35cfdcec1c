import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addCoMoments, type CoMoments, fadeCoMoments, mergeCoMoments, startCoMoments, triangle } from './comoments.ts';

const rows = fc.array(fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 3, maxLength: 3 }), {
  maxLength: 40,
});

function of(data: readonly (readonly number[])[]): CoMoments {
  const moments = startCoMoments(3);
  for (const row of data) addCoMoments(moments, Float64Array.from(row));
  return moments;
}

/** By the definition: the mean, then the products of the deviations from it. */
function byDefinition(data: readonly (readonly number[])[]): { mean: number[]; products: number[] } {
  const mean = [0, 1, 2].map((i) => data.reduce((sum, row) => sum + row[i]!, 0) / data.length);
  const products: number[] = [];
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j <= i; j++) {
      products.push(data.reduce((sum, row) => sum + (row[i]! - mean[i]!) * (row[j]! - mean[j]!), 0));
    }
  }
  return { mean, products };
}

function same(moments: CoMoments, data: readonly (readonly number[])[]): void {
  expect(moments.count).toBe(data.length);
  if (data.length === 0) return;
  const { mean, products } = byDefinition(data);
  for (const [i, value] of mean.entries()) expect(moments.mean[i]).toBeCloseTo(value, 8);
  for (const [i, value] of products.entries()) expect(moments.products[i]).toBeCloseTo(value, 3);
}

describe('co-moments', () => {
  test('of rows one by one are those of all rows at once', () => {
    fc.assert(fc.property(rows, (data) => same(of(data), data)));
  });

  test('of two parts merge into those of the whole, whichever is empty', () => {
    fc.assert(
      fc.property(rows, rows, (a, b) => {
        const merged = of(a);
        mergeCoMoments(merged, of(b));
        same(merged, [...a, ...b]);
      }),
    );
  });

  test('hold where the deviation is a millionth of the mean', () => {
    const moments = startCoMoments(2);
    for (let i = 0; i < 10_000; i++) addCoMoments(moments, Float64Array.of(1e9 + (i % 2), 1e9 - (i % 2)));
    expect(moments.products[triangle(1)]! / moments.count).toBeCloseTo(-0.25, 6);
  });

  test('that fade keep means and covariances, and weigh less', () => {
    const moments = of([
      [1, 2, 3],
      [3, 6, 1],
    ]);
    fadeCoMoments(moments, 0.5);
    expect(moments.count).toBe(1);
    expect(Array.from(moments.mean)).toEqual([2, 4, 2]);
    expect(moments.products[0]! / moments.count).toBe(1);
  });
});
