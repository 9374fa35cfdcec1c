/** Principal axes of a symmetric matrix at the central, by the library that everybody's numerics are tried with. */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import type { Eigen } from '../../../shared/math/symmetric.ts';

/** The same as `eigenSymmetric` of the agent, which carries no library. */
export function principalAxes(matrix: Float64Array, size: number): Eigen {
  const found = new EigenvalueDecomposition(Matrix.from1DArray(size, size, matrix), { assumeSymmetric: true });
  const values = found.realEigenvalues;
  const order = Array.from(values.keys()).sort((i, j) => values[j]! - values[i]!);
  const vectors = new Float64Array(size * size);
  for (const [r, column] of order.entries()) vectors.set(found.eigenvectorMatrix.getColumn(column), r * size);
  return { values: Float64Array.from(order, (i) => values[i]!), vectors };
}
