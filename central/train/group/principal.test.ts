import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eigenSymmetric } from '../../../shared/math/symmetric.ts';
import { principalAxes } from './principal.ts';

const symmetric = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc
    .array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: size * size, maxLength: size * size })
    .map((values) => {
      const matrix = new Float64Array(size * size);
      for (let i = 0; i < size; i++)
        for (let j = 0; j <= i; j++) matrix[i * size + j] = matrix[j * size + i] = values[i * size + j]!;
      return { matrix, size };
    }),
);

test('axes are unit vectors, the greatest first, and give the matrix back; the agent finds the same values', () => {
  fc.assert(
    fc.property(symmetric, ({ matrix, size }) => {
      const { values, vectors } = principalAxes(matrix, size);
      expect(
        Math.max(...eigenSymmetric(matrix, size).values.map((value, i) => Math.abs(value - values[i]!))),
      ).toBeLessThan(1e-9);
      for (let i = 0; i < size; i++) {
        expect(values[i]!).toBeGreaterThanOrEqual(values[i + 1] ?? Number.NEGATIVE_INFINITY);
        for (let j = 0; j < size; j++) {
          let back = 0;
          let square = 0;
          for (let r = 0; r < size; r++) {
            back += values[r]! * vectors[r * size + i]! * vectors[r * size + j]!;
            square += vectors[i * size + r]! * vectors[j * size + r]!;
          }
          expect(Math.abs(back - matrix[i * size + j]!)).toBeLessThan(1e-9);
          expect(Math.abs(square - (i === j ? 1 : 0))).toBeLessThan(1e-9);
        }
      }
    }),
    { numRuns: 50 },
  );
});
