/**
 * Count, means and co-moments (sums of products of deviations) of a few variables together: what a covariance, and so a
 * PCA, is made from. One pass (Welford 1962, extended to pairs), and exactly mergeable (Chan, Golub and LeVeque 1979):
 * the sum of two machines' or two hours' co-moments is that of all their rows. Correlations are over rows that are
 * whole: whoever has a hole fills it first.
 */

/** All in one place, so that they travel and are kept as they are. */
export interface CoMoments {
  /** Rows; a row may weigh less than one. */
  count: number;
  readonly mean: Float64Array;
  /** Lower triangle with diagonal, row after row: place (i, j), j ≤ i, is i(i+1)/2 + j. */
  readonly products: Float64Array;
}

/** Numbers in the lower triangle of so many variables. */
export function triangle(variables: number): number {
  return (variables * (variables + 1)) / 2;
}

export function startCoMoments(variables: number): CoMoments {
  return { count: 0, mean: new Float64Array(variables), products: new Float64Array(triangle(variables)) };
}

/** Deviations from the means, between the two passes over a row. */
const scratch = new Float64Array(256);

/** Takes in one row of finite numbers; at most 256 variables. Allocates nothing. */
export function addCoMoments(to: CoMoments, row: Float64Array): void {
  const { mean, products } = to;
  to.count++;
  const share = 1 / to.count;
  const weight = 1 - share;
  let place = 0;
  for (let i = 0; i < mean.length; i++) {
    const off = row[i]! - mean[i]!;
    scratch[i] = off;
    mean[i] = mean[i]! + share * off;
    const weighed = weight * off;
    for (let j = 0; j <= i; j++, place++) products[place] = products[place]! + weighed * scratch[j]!;
  }
}

/** Adds what another set of the same variables has. */
export function mergeCoMoments(to: CoMoments, from: CoMoments): void {
  if (from.count === 0) return;
  const count = to.count + from.count;
  const share = from.count / count;
  const weight = to.count * share;
  let place = 0;
  for (let i = 0; i < to.mean.length; i++) {
    const off = from.mean[i]! - to.mean[i]!;
    scratch[i] = off;
    for (let j = 0; j <= i; j++, place++) {
      to.products[place] = to.products[place]! + from.products[place]! + weight * off * scratch[j]!;
    }
  }
  for (let i = 0; i < to.mean.length; i++) to.mean[i] = to.mean[i]! + share * scratch[i]!;
  to.count = count;
}

/** Old rows count for less from now on: means and covariances stay, their weight shrinks. */
export function fadeCoMoments(of: CoMoments, share: number): void {
  of.count *= share;
  for (let i = 0; i < of.products.length; i++) of.products[i] = of.products[i]! * share;
}
