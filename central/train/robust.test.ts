import { expect, it } from 'vitest';
import { seededRandom } from '../../test/support/history.ts';
import { medianDistance, medianOf, quantileOf, sorted } from './robust.ts';

it('a median is that of the sorted values: of all lengths, with ties, in any order, without what is missing', () => {
  const random = seededRandom(4);
  for (let length = 0; length < 200; length++) {
    const few = 1 + Math.floor(random() * length * 2);
    const values = Array.from({ length }, () => (random() < 0.1 ? Number.NaN : Math.floor(random() * few) / 7));
    for (const ordered of [values, [...values].sort((a, b) => a - b), [...values].sort((a, b) => b - a)]) {
      expect(medianOf(ordered)).toBe(quantileOf(sorted(ordered), 0.5));
    }
  }
});

it('leaves the values as they were', () => {
  const values = Float64Array.of(3, 1, 2);
  expect([medianOf(values), medianDistance(values, 0), ...values]).toEqual([2, 2, 3, 1, 2]);
});
