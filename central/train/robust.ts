/** Robust statistics of a column: a few absurd values move none of them. */

/** MAD times this estimates the standard deviation of a normal distribution. */
export const MAD_TO_DEVIATION = 1.4826;

/** A sorted copy without NaN. Loops, not `from` and `filter`: these histories have twenty thousand rows a series. */
export function sorted(values: ArrayLike<number>): Float64Array {
  const copy = new Float64Array(values.length);
  let length = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isNaN(value)) copy[length++] = value;
  }
  return copy.subarray(0, length).sort();
}

/** Quantile of sorted values, linear between neighbours; NaN of none. */
export function quantileOf(sortedValues: Float64Array, share: number): number {
  const last = sortedValues.length - 1;
  if (last < 0) return Number.NaN;
  const place = share * last;
  const floor = Math.floor(place);
  const low = sortedValues[floor]!;
  const high = sortedValues[Math.min(last, floor + 1)]!;
  return low + (high - low) * (place - floor);
}

export function medianOf(values: ArrayLike<number>): number {
  return quantileOf(sorted(values), 0.5);
}

/** Median distance from a centre. */
export function medianDistance(values: ArrayLike<number>, centre: number): number {
  const distances = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) distances[i] = Math.abs(values[i]! - centre);
  return medianOf(distances);
}

/** The value at which half of the weight is reached; NaN without any weight. */
export function weightedMedian(values: readonly number[], weights: readonly number[]): number {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let reached = 0;
  for (let k = 0; k < order.length; k++) {
    const i = order[k]!;
    reached += weights[i]!;
    const next = order[k + 1];
    if (reached > total / 2 || next === undefined) return values[i]!;
    if (reached === total / 2) return (values[i]! + values[next]!) / 2;
  }
  return Number.NaN;
}
