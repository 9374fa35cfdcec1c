import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addCoMoments, startCoMoments, triangle } from '../math/comoments.ts';
import { decodeCoMoments, encodeCoMoments, type GroupCoMoments } from './co-moments.ts';
import { picket } from './gen/edge.js';

const id = (i: number): string => (i + 1).toString(16).padStart(16, '0');

function setOf(rows: readonly (readonly number[])[], size: number): GroupCoMoments {
  const coMoments = startCoMoments(size);
  for (const row of rows) addCoMoments(coMoments, Float64Array.from(row));
  return {
    group: 'pump',
    members: Array.from({ length: size }, (_, i) => id(i)),
    windowMs: 60_000,
    featureVersion: 1,
    seen: new Float64Array(size).fill(rows.length),
    coMoments,
    lengthMs: 3_600_000,
    endMonotonicMs: 7_200_000,
    endWallMs: 1_765_432_800_000,
  };
}

const value = fc.oneof(
  fc.double({ min: -1e6, max: 1e6, noNaN: true }).map((number) => (Math.abs(number) < 1e-100 ? 0 : number)),
  fc.constantFrom(0, 1, 1e9),
);
const sets = fc
  .integer({ min: 1, max: 64 })
  .chain((size) =>
    fc
      .array(fc.array(value, { minLength: size, maxLength: size }), { minLength: 1, maxLength: 5 })
      .map((rows) => setOf(rows, size)),
  );

describe('co-moments on the wire', () => {
  test('come back bit for bit', () => {
    fc.assert(
      fc.property(sets, (set) => {
        expect(decodeCoMoments(encodeCoMoments(set))).toEqual(set);
      }),
    );
  });

  test('what moves by less than numbers can square is taken for what does not move', () => {
    const set = setOf(
      [
        [1e-158, 5],
        [0, 6],
      ],
      2,
    );
    expect(decodeCoMoments(encodeCoMoments(set)).coMoments.products[0]).toBe(0);
  });

  test('a group of 64 of which all move fits into a record; what never moves takes next to nothing', () => {
    const all = setOf(
      [0, 1, 2].map((r) => Array.from({ length: 64 }, (_, i) => r * (i + 1))),
      64,
    );
    expect(encodeCoMoments(all).length).toBeLessThan(18_000);
    const still = setOf(
      [0, 1, 2].map(() => Array.from({ length: 64 }, (_, i) => i)),
      64,
    );
    expect(encodeCoMoments(still).length).toBeLessThan(1_300);
  });

  test('what is not one is refused, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        try {
          decodeCoMoments(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^payload\./) });
        }
      }),
    );
  });

  const good = picket.edge.v1.CoMoments.decode(
    encodeCoMoments(
      setOf(
        [
          [1, 2],
          [2, 5],
          [4, 4],
        ],
        2,
      ),
    ),
  );
  const doubles = (...values: number[]) => new Uint8Array(Float64Array.from(values).buffer);
  test.each([
    ['members', { members: new Uint8Array(0) }],
    ['members', { members: new Uint8Array(12) }],
    ['members', { members: new Uint8Array(16) }],
    ['members', { members: new Uint8Array(65 * 8) }],
    ['rows', { rows: 0 }],
    ['rows', { rows: 100_000 }],
    ['seen', { seen: [3] }],
    ['seen', { seen: [3, 4] }],
    ['seen', { seen: new Array(5000).fill(1) }],
    ['mean', { mean: doubles(1) }],
    ['mean', { mean: doubles(1, Number.NaN) }],
    ['mean', { mean: doubles(1, 1e200) }],
    ['varying', { varying: Uint8Array.of(7) }],
    ['varying', { varying: new Uint8Array(0) }],
    ['products', { products: doubles(1, 2) }],
    ['products', { products: doubles(1, Number.POSITIVE_INFINITY, 1) }],
    ['products', { products: doubles(-1, 0, 1) }],
    ['products', { products: doubles(1, 2, 1) }],
    ['windowMs', { windowMs: 5 }],
    ['featureVersion', { featureVersion: 0 }],
    ['lengthMs', { lengthMs: 0 }],
    ['group', { group: 'x'.repeat(300) }],
  ])('%s out of its bounds is refused, and named: %j', (field, change) => {
    const bytes = picket.edge.v1.CoMoments.encode({ ...good, ...change }).finish();
    expect(() => decodeCoMoments(bytes)).toThrowError(
      expect.objectContaining({ code: 'payload.invalid', message: expect.stringContaining(`CoMoments.${field}`) }),
    );
  });

  test('those of a later version are read, with what is not known left out', () => {
    const bytes = encodeCoMoments(
      setOf(
        [
          [1, 2],
          [2, 5],
        ],
        2,
      ),
    );
    // field 100, a number
    const later = Uint8Array.of(...bytes, 0xa0, 0x06, 0x05);
    expect(decodeCoMoments(later)).toEqual(decodeCoMoments(bytes));
    expect(triangle(2)).toBe(3);
  });
});
