/** Robust statistics of a column: a few absurd values move none of them. */

/** MAD times this estimates the standard deviation of a normal distribution. */
export const MAD_TO_DEVIATION = 1.4826;

/** A sorted copy without NaN. Loops, not `from` and `filter`: these histories have twenty thousand rows a series. */
export function sorted(values: ArrayLike<number>): Float64Array {
  return withoutNaN(values).sort();
}

function withoutNaN(values: ArrayLike<number>): Float64Array {
  const copy = new Float64Array(values.length);
  let length = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isNaN(value)) copy[length++] = value;
  }
  return copy.subarray(0, length);
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
  const copy = withoutNaN(values);
  const { length } = copy;
  if (length === 0) return Number.NaN;
  const middle = (length - 1) >> 1;
  const low = select(copy, middle);
  if (length % 2 === 1) return low;
  // All behind the place are at least as large: the least of them is the next.
  let high = copy[middle + 1]!;
  for (let i = middle + 2; i < length; i++) if (copy[i]! < high) high = copy[i]!;
  return low + (high - low) * 0.5;
}

/**
 * The value that would stand at this place if it were sorted; puts nothing larger before it and nothing smaller behind
 * (Hoare 1961, with the median of three as pivot). A whole sort took a third of a training.
 */
function select(values: Float64Array, place: number): number {
  let left = 0;
  let right = values.length - 1;
  while (left < right) {
    const [a, b, c] = [values[left]!, values[(left + right) >> 1]!, values[right]!];
    const pivot = Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
    let i = left;
    let j = right;
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i > j) break;
      const swapped = values[i]!;
      values[i++] = values[j]!;
      values[j--] = swapped;
    }
    if (place <= j) right = j;
    else if (place >= i) left = i;
    else break;
  }
  return values[place]!;
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
