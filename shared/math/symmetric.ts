/**
 * Eigenvalues and eigenvectors of a small symmetric matrix, by cyclic Jacobi rotations (Jacobi 1846; Golub and Van Loan,
 * Matrix Computations, 8.5): the shortest method that is accurate for small eigenvalues too, and it gives orthogonal
 * vectors whatever the matrix. Off-diagonals shrink quadratically, so that a dozen sweeps are plenty.
 */

/** Sweeps after which it is taken as it is; 64 by 64 correlations need 7 to 10. */
const MOST_SWEEPS = 24;
/** Off-diagonals below this part of the matrix's size are rounding. */
const NEGLIGIBLE = 1e-14;

export interface Eigen {
  /** The greatest first. */
  readonly values: Float64Array;
  /** Row r is the unit vector of `values[r]`. */
  readonly vectors: Float64Array;
}

/** @param matrix size × size numbers, finite and symmetric; it is not changed */
export function eigenSymmetric(matrix: Float64Array, size: number): Eigen {
  const a = Float64Array.from(matrix);
  const v = new Float64Array(size * size);
  for (let i = 0; i < size; i++) v[i * size + i] = 1;
  const negligible = (NEGLIGIBLE * norm(a)) ** 2;
  for (let sweep = 0; sweep < MOST_SWEEPS && offDiagonal(a, size) > negligible; sweep++) {
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) if (a[p * size + q] !== 0) rotate(a, v, size, p, q);
    }
  }
  const order = Array.from({ length: size }, (_, i) => i).sort((i, j) => a[j * size + j]! - a[i * size + i]!);
  const vectors = new Float64Array(size * size);
  for (const [r, i] of order.entries()) vectors.set(v.subarray(i * size, (i + 1) * size), r * size);
  return { values: Float64Array.from(order, (i) => a[i * size + i]!), vectors };
}

/** Turns the plane of p and q so that their off-diagonal becomes 0; the rows of `v` turn with it. */
function rotate(a: Float64Array, v: Float64Array, size: number, p: number, q: number): void {
  const theta = (a[q * size + q]! - a[p * size + p]!) / (2 * a[p * size + q]!);
  // The smaller of the two angles: nothing is swapped, and the sweeps converge.
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const sine = tangent * cosine;
  for (let k = 0; k < size; k++) {
    const kp = a[k * size + p]!;
    const kq = a[k * size + q]!;
    a[k * size + p] = cosine * kp - sine * kq;
    a[k * size + q] = sine * kp + cosine * kq;
  }
  turnRows(a, size, p, q, cosine, sine);
  turnRows(v, size, p, q, cosine, sine);
  a[p * size + q] = 0;
  a[q * size + p] = 0;
}

function turnRows(a: Float64Array, size: number, p: number, q: number, cosine: number, sine: number): void {
  for (let k = 0; k < size; k++) {
    const pk = a[p * size + k]!;
    const qk = a[q * size + k]!;
    a[p * size + k] = cosine * pk - sine * qk;
    a[q * size + k] = sine * pk + cosine * qk;
  }
}

function norm(a: Float64Array): number {
  let sum = 0;
  for (const value of a) sum += value * value;
  return Math.sqrt(sum);
}

function offDiagonal(a: Float64Array, size: number): number {
  let sum = 0;
  for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) sum += a[p * size + q]! ** 2;
  return sum;
}
