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

/** What a median is looked for in: a typed array a call was a tenth of a training. */
let scratch = new Float64Array(1024);

function scratchOf(length: number): Float64Array {
  if (scratch.length < length) scratch = new Float64Array(2 * length);
  return scratch;
}

/** NaN of none; NaN values are no values. */
export function medianOf(values: ArrayLike<number>, from = 0, to = values.length): number {
  const copy = scratchOf(to - from);
  let length = 0;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    if (!Number.isNaN(value)) copy[length++] = value;
  }
  return medianWithin(copy, length);
}

/** Median of the first `length` values, none of them NaN; moves them about. */
function medianWithin(values: Float64Array, length: number): number {
  if (length === 0) return Number.NaN;
  const middle = (length - 1) >> 1;
  const low = select(values, length, middle);
  if (length % 2 === 1) return low;
  // All behind the place are at least as large: the least of them is the next.
  let high = values[middle + 1]!;
  for (let i = middle + 2; i < length; i++) if (values[i]! < high) high = values[i]!;
  return low + (high - low) * 0.5;
}

/**
 * The value that would stand at this place if it were sorted; puts nothing larger before it and nothing smaller behind
 * (Hoare 1961, with the median of three as pivot). A whole sort took a third of a training.
 */
function select(values: Float64Array, length: number, place: number): number {
  let left = 0;
  let right = length - 1;
  while (left < right) {
    const a = values[left]!;
    const b = values[(left + right) >> 1]!;
    const c = values[right]!;
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
  const distances = scratchOf(values.length);
  let length = 0;
  for (let i = 0; i < values.length; i++) {
    const distance = Math.abs(values[i]! - centre);
    if (!Number.isNaN(distance)) distances[length++] = distance;
  }
  return medianWithin(distances, length);
}

/** The value at which half of the weight is reached; NaN without any weight. */
export function weightedMedian(values: ArrayLike<number>, weights: ArrayLike<number>): number {
  const order = Int32Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a]! - values[b]!);
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i]!;
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
