import { describe, expect, test } from 'vitest';
import { NabSweep, nabProfiles, probationRows } from './nab-score.ts';

/** 100 rows, of which 15 are probation, with windows of ten rows from 40 and from 70 on. */
const file = { rows: 100, windows: [[40, 49] as const, [70, 79] as const] };

function scores(...detections: readonly (readonly [number, number])[]): Float64Array {
  const out = new Float64Array(file.rows);
  for (const [row, score] of detections) out[row] = score;
  return out;
}

function sweepOf(...detections: readonly (readonly [number, number])[]): NabSweep {
  return new NabSweep([file], [scores(...detections)]);
}

const sigmoid = (y: number): number => 2 / (1 + Math.exp(5 * y)) - 1;

describe('the score of NAB', () => {
  test('silence is 0, a detection at each first row 100, in every profile', () => {
    const perfect = sweepOf([40, 1], [70, 1]);
    for (const profile of Object.values(nabProfiles)) {
      expect(sweepOf().best(profile)).toEqual({ score: 0, threshold: Number.POSITIVE_INFINITY });
      expect(perfect.best(profile)).toEqual({ score: 100, threshold: 1 });
    }
  });

  test('a later detection earns less, and a second one in the window nothing', () => {
    // Row 45 has five rows to the end, itself included: y = -0.5; one of two windows is missed.
    const earned = sigmoid(-0.5) / sigmoid(-1);
    const expected = (100 * (earned + 1)) / 4;
    expect(sweepOf([45, 1]).at(nabProfiles.standard, 1)).toBeCloseTo(expected, 10);
    expect(sweepOf([45, 1], [48, 1]).at(nabProfiles.standard, 1)).toBeCloseTo(expected, 10);
  });

  test('a detection outside costs by its distance after the last window, and all of it before any', () => {
    const cost = (row: number): number => sweepOf([row, 1]).at(nabProfiles.standard, 1);
    expect(cost(20)).toBeCloseTo((100 * -0.11) / 4, 10);
    // Window widths are counted between rows: 9; row 52 lies 3 rows after.
    expect(cost(52)).toBeCloseTo((100 * 0.11 * sigmoid(3 / 9)) / 4, 10);
    // The same distance after the second one, though the first is far.
    expect(cost(82)).toBeCloseTo(cost(52), 10);
    expect(sweepOf([20, 1]).at(nabProfiles.low_fp, 1)).toBeCloseTo((100 * -0.22) / 4, 10);
  });

  test('what is detected in probation counts for nothing', () => {
    expect(probationRows(100)).toBe(15);
    expect(probationRows(100_000)).toBe(750);
    expect(sweepOf([14, 1]).at(nabProfiles.standard, 1)).toBe(0);
    expect(sweepOf([15, 1]).at(nabProfiles.standard, 1)).toBeLessThan(0);
    const within = new NabSweep(
      [
        {
          rows: 100,
          windows: [
            [2, 12],
            [70, 79],
          ],
        },
      ],
      [scores([70, 1])],
    );
    expect(within.best(nabProfiles.standard).score).toBe(100);
  });

  test('a missed window costs what the profile says', () => {
    const found = sweepOf([40, 1]);
    expect(found.at(nabProfiles.standard, 1)).toBeCloseTo(50, 10);
    expect(found.at(nabProfiles.low_fn, 1)).toBeCloseTo(50, 10);
    const andWrong = sweepOf([40, 1], [20, 1]);
    expect(andWrong.at(nabProfiles.low_fn, 1)).toBeCloseTo(50 - (100 * 0.11) / 6, 10);
  });

  test('equal scores are taken together, and the best threshold leaves out what costs more than it earns', () => {
    const tied = sweepOf([40, 0.7], [20, 0.7]);
    expect(tied.at(nabProfiles.standard, 0.7)).toBeCloseTo(50 - 11 / 4, 10);
    expect(sweepOf([40, 0.9], [70, 0.8], [20, 0.7]).best(nabProfiles.standard)).toEqual({ score: 100, threshold: 0.8 });
  });
});
