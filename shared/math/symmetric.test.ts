import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eigenSymmetric } from './symmetric.ts';

function product(values: Float64Array, vectors: Float64Array, size: number, i: number, j: number): number {
  let sum = 0;
  for (let r = 0; r < size; r++) sum += values[r]! * vectors[r * size + i]! * vectors[r * size + j]!;
  return sum;
}

describe('eigenvalues of a symmetric matrix', () => {
  test('two variables that are correlated by r have 1 + r and 1 - r', () => {
    const { values, vectors } = eigenSymmetric(Float64Array.of(1, 0.6, 0.6, 1), 2);
    expect(values[0]).toBeCloseTo(1.6, 12);
    expect(values[1]).toBeCloseTo(0.4, 12);
    expect(Math.abs(vectors[0]!)).toBeCloseTo(Math.SQRT1_2, 12);
    expect(vectors[0]! * vectors[1]!).toBeCloseTo(0.5, 12);
  });

  test('any matrix is its vectors and values, the greatest first, and the vectors are orthogonal', () => {
    const sizes = fc.integer({ min: 1, max: 12 });
    const matrices = sizes.chain((size) =>
      fc.tuple(
        fc.constant(size),
        fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: size * size, maxLength: size * size }),
      ),
    );
    fc.assert(
      fc.property(matrices, ([size, numbers]) => {
        const matrix = new Float64Array(size * size);
        for (let i = 0; i < size; i++) {
          for (let j = 0; j < size; j++) matrix[i * size + j] = numbers[Math.max(i, j) * size + Math.min(i, j)]!;
        }
        const before = matrix.slice();
        const { values, vectors } = eigenSymmetric(matrix, size);
        expect(matrix).toEqual(before);
        for (let r = 1; r < size; r++) expect(values[r]!).toBeLessThanOrEqual(values[r - 1]!);
        const ones = new Float64Array(size).fill(1);
        for (let i = 0; i < size; i++) {
          for (let j = 0; j < size; j++) {
            expect(product(values, vectors, size, i, j)).toBeCloseTo(matrix[i * size + j]!, 6);
            expect(product(ones, vectors, size, i, j)).toBeCloseTo(i === j ? 1 : 0, 9);
          }
        }
      }),
      { numRuns: 100, seed: 3 },
    );
  });

  test('series that repeat each other leave eigenvalues of 0, and nothing is made of rounding', () => {
    const { values } = eigenSymmetric(new Float64Array(64 * 64).fill(1), 64);
    expect(values[0]).toBeCloseTo(64, 9);
    for (const value of values.subarray(1)) expect(Math.abs(value)).toBeLessThan(1e-9);
  });
});
