/**
 * What a group of series was like while it was watched for reference: plain data, so that it can be trained anywhere
 * (here from the group's own co-moments, at the central from the sum of many) and run here.
 *
 * A PCA of the correlations. With t the projections of the standardised values z on the eigenvectors, and λ the
 * eigenvalues, two statistics are made of all directions, each over its mean in the reference, so that 1 is as a rule:
 *
 *   broad = Σ t² / (λ + 1)       how far the series are, together and each. It holds Hotelling's T² (Σ t²/λ over the
 *                                directions in which they move together) and the squared prediction error, or Q (Σ t²
 *                                over those in which they hardly move) in one figure, as the combined index of Yue and
 *                                Qin (2001); the eigenvalue of a series on its own, 1, takes the place of a count of
 *                                components (Kaiser 1960)
 *   tight = Σ t² / (λ + 0.03)    how far they are from moving together, in the scale of what little they stray: T² over
 *                                all directions, with a floor so that nobody divides by rounding
 */
import { PicketError } from '../errors.ts';
import { type CoMoments, triangle } from '../math/comoments.ts';
import { type Eigen, eigenSymmetric } from '../math/symmetric.ts';

/** Series in one group. */
export const MOST_GROUP_SERIES = 64;

export interface GroupReference {
  /** Rows that it was made of. */
  readonly rows: number;
  /** By series. Scales are above 0. */
  readonly mean: readonly number[];
  readonly scale: readonly number[];
  /** Of the correlations, the greatest first, with their unit vectors. */
  readonly eigenvalues: readonly number[];
  readonly loadings: readonly (readonly number[])[];
}

/** A scale below this part of the mean is rounding, not noise. */
const LEAST_RELATIVE_SCALE = 1e-3;
/** So that a series that was always 0 has a scale. */
const LEAST_SCALE = 1e-9;
/** Larger numbers than this are none. */
const LARGEST = 1e150;
const LARGEST_SCALE = 1e140;

/** The scale of a series with this mean and variance. */
export function scaleOf(mean: number, variance: number): number {
  return Math.max(Math.sqrt(Math.max(0, variance)), LEAST_RELATIVE_SCALE * Math.abs(mean), LEAST_SCALE);
}

/**
 * The reference that these rows make.
 *
 * @param eigen the axes of a symmetric matrix; the central has a library for it
 * @param isLeftOut whether a series has no middle to stray from (a total that only rises): it gets a scale beyond all
 */
export function trainReference(
  from: CoMoments,
  isLeftOut: (series: number) => boolean = () => false,
  eigen: (matrix: Float64Array, size: number) => Eigen = eigenSymmetric,
): GroupReference {
  const size = from.mean.length;
  const scale = Array.from(from.mean, (mean, i) =>
    isLeftOut(i) ? LARGEST_SCALE : scaleOf(mean, covariance(from, i, i)),
  );
  const correlations = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      const r = covariance(from, i, j) / scale[i]! / scale[j]!;
      correlations[i * size + j] = r;
      correlations[j * size + i] = r;
    }
  }
  const { values, vectors } = eigen(correlations, size);
  const eigenvalues = Array.from(values, (value) => Math.max(0, value));
  return {
    rows: from.count,
    mean: Array.from(from.mean),
    scale,
    eigenvalues,
    loadings: eigenvalues.map((_, r) => Array.from(vectors.subarray(r * size, (r + 1) * size))),
  };
}

function covariance(of: CoMoments, i: number, j: number): number {
  return of.products[triangle(i) + j]! / Math.max(1, of.count);
}

/** Reads a reference from JSON that nobody vouches for; throws `payload.invalid` naming the field. */
export function parseGroupReference(json: unknown): GroupReference {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw wrong('', 'an object is wanted');
  const { rows, mean, scale, eigenvalues, loadings, ...more } = json as Record<string, unknown>;
  for (const field of Object.keys(more)) throw wrong(field.slice(0, 40), 'is not known');
  if (!Array.isArray(mean) || mean.length < 1 || mean.length > MOST_GROUP_SERIES) {
    throw wrong('mean', `1 to ${MOST_GROUP_SERIES} numbers are wanted`);
  }
  const size = mean.length;
  if (!Array.isArray(loadings) || loadings.length !== size) throw wrong('loadings', `${size} rows are wanted`);
  const rowsRead = loadings.map((row, r) => numbers(row, `loadings[${r}]`, size, -1.001, 1.001));
  for (const [r, row] of rowsRead.entries()) {
    const length = row.reduce((sum, value) => sum + value * value, 0);
    if (Math.abs(length - 1) > 0.01) throw wrong(`loadings[${r}]`, 'is no unit vector');
  }
  return {
    rows: numbers([rows], 'rows', 1, 1, 1e15)[0]!,
    mean: numbers(mean, 'mean', size, -LARGEST, LARGEST),
    scale: numbers(scale, 'scale', size, LEAST_SCALE, LARGEST_SCALE),
    eigenvalues: numbers(eigenvalues, 'eigenvalues', size, 0, size * 1.001),
    loadings: rowsRead,
  };
}

function numbers(json: unknown, field: string, length: number, low: number, high: number): number[] {
  if (!Array.isArray(json) || json.length !== length) throw wrong(field, `${length} numbers are wanted`);
  for (const value of json) {
    if (typeof value !== 'number' || !(value >= low && value <= high)) {
      throw wrong(field, `a number from ${low} to ${high} is wanted`);
    }
  }
  return json as number[];
}

function wrong(field: string, what: string): PicketError {
  return new PicketError('payload.invalid', `reference of a group: ${field === '' ? '' : `${field}: `}${what}`);
}
