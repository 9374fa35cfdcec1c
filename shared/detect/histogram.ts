/**
 * A histogram whose range follows the data: bins and their bookkeeping lie in arrays of the caller, so that a detector
 * keeps several in one block of memory and its state is these bytes.
 *
 * Constraints: no allocation; a value far outside doubles the range once, not a thousand times, so that one absurd
 * value costs one halving of resolution; a range that is mostly empty is halved again.
 *
 * Layout of the bookkeeping at `at`: [low, high, total, points since the last look at the range].
 * low = high: all values so far were equal.
 */

/** Numbers that one histogram takes in the scalars' array, beside its bins. */
export const HISTOGRAM_SIZE = 4;

/**
 * A value that is measured lies in an array of the caller, and what is found beside it: numbers that are handed from one
 * function to another would each be a box of its own on the heap.
 */
export const MEASURED_SIZE = 3;
export const BIN = 1;
export const RATIO = 2;

const LOW = 0;
const HIGH = 1;
const TOTAL = 2;
const SINCE = 3;

/** How often the range is looked at, in points. */
const LOOK_EVERY = 128;
/** A half of the range that holds this share of all is the range from now on. */
const CONCENTRATED = 0.9995;
const MOST_HALVINGS = 64;
const SMALLEST_WIDTH = 1e-290;

/** Where a histogram lies, and how it fades; the same object for every series. */
export interface HistogramPlace {
  /** Offset of the bookkeeping in the scalars. */
  readonly at: number;
  /** Offset of the bins. */
  readonly firstBin: number;
  /** Divisible by four. */
  readonly bins: number;
  /** A bin shares half of itself with its neighbours when it is measured: fine bins without the noise of few counts. */
  readonly smoothed: boolean;
  /** Points after which the past counts half. */
  readonly memory: number;
}

function binOf(s: Float64Array, place: HistogramPlace, x: number): number {
  const low = s[place.at + LOW]!;
  return Math.floor(((x - low) / (s[place.at + HIGH]! - low)) * place.bins);
}

/**
 * Surprise of the value at `m[i]` as one chance in so many, to `m[i + RATIO]`: the inverse share of its bin, which comes to
 * `m[i + BIN]`, with one point spread over all bins. 1 before any point. Its logarithm is the surprise in bits.
 */
export function measureRatio(
  s: Float64Array,
  b: Float32Array,
  place: HistogramPlace,
  m: Float64Array,
  i: number,
): void {
  const { at, bins, firstBin } = place;
  const bin = binOf(s, place, m[i]!);
  m[i + BIN] = bin;
  const total = s[at + TOTAL]!;
  if (total === 0 || s[at + LOW]! === s[at + HIGH]!) {
    m[i + RATIO] = total === 0 || m[i]! === s[at + LOW]! ? 1 : (total + 1) / (1 / bins);
    return;
  }
  let count = 0;
  if (bin >= 0 && bin < bins) {
    const k = firstBin + bin;
    count = b[k]!;
    if (place.smoothed) {
      const left = bin > 0 ? b[k - 1]! : 0;
      const right = bin < bins - 1 ? b[k + 1]! : 0;
      count = 0.5 * count + 0.25 * (left + right);
    }
  }
  m[i + RATIO] = (total + 1) / (count + 1 / bins);
}

/** Takes in the finite value at `m[i]`, whose ratio was measured last, or whose bin is NaN. */
export function learnHistogram(
  s: Float64Array,
  b: Float32Array,
  place: HistogramPlace,
  m: Float64Array,
  i: number,
): void {
  const { at } = place;
  const x = m[i]!;
  const total = s[at + TOTAL]!;
  const since = s[at + SINCE]! + 1;
  const inside = x >= s[at + LOW]! && x < s[at + HIGH]!;
  const bin = m[i + BIN]!;
  if (!inside || Number.isNaN(bin) || since >= LOOK_EVERY || total + 1 >= 2 * place.memory) {
    learnSeldom(s, b, place, x);
    return;
  }
  const k = place.firstBin + Math.min(place.bins - 1, bin);
  b[k] = b[k]! + 1;
  s[at + TOTAL] = total + 1;
  s[at + SINCE] = since;
}

/** A value that is equal to all before or outside the range, or after which the counts or the range are looked at. */
function learnSeldom(s: Float64Array, b: Float32Array, place: HistogramPlace, x: number): void {
  const { at, bins, firstBin } = place;
  let low = s[at + LOW]!;
  const total = s[at + TOTAL]!;
  if (total === 0) {
    s[at + LOW] = x;
    s[at + HIGH] = x;
    s[at + TOTAL] = 1;
    return;
  }
  if (low === s[at + HIGH]!) {
    if (x === low) {
      s[at + TOTAL] = total >= 2 * place.memory ? total / 2 : total + 1;
      return;
    }
    open(s, b, place, x);
    low = s[at + LOW]!;
  }
  if (x < low || x >= s[at + HIGH]!) widen(s, b, place, x < low);
  const bin = Math.min(bins - 1, Math.max(0, binOf(s, place, x)));
  b[firstBin + bin] = b[firstBin + bin]! + 1;
  s[at + TOTAL] = s[at + TOTAL]! + 1;
  if (s[at + TOTAL]! >= 2 * place.memory) {
    for (let k = firstBin; k < firstBin + bins; k++) b[k] = b[k]! / 2;
    s[at + TOTAL] = s[at + TOTAL]! / 2;
  }
  s[at + SINCE] = s[at + SINCE]! + 1;
  if (s[at + SINCE]! < LOOK_EVERY) return;
  s[at + SINCE] = 0;
  // After something absurd many halvings are due at once.
  for (let k = 0; k < MOST_HALVINGS && narrow(s, b, place); k++);
}

/** The second distinct value gives the range its first width: both lie a sixth from its ends. */
function open(s: Float64Array, b: Float32Array, place: HistogramPlace, x: number): void {
  const { at, bins, firstBin } = place;
  const old = s[at + LOW]!;
  const width = Math.max(1.5 * Math.abs(x - old), Math.abs(old) * 1e-12, SMALLEST_WIDTH);
  s[at + LOW] = Math.min(x, old) - width / 6;
  s[at + HIGH] = s[at + LOW]! + width;
  b.fill(0, firstBin, firstBin + bins);
  const bin = Math.min(bins - 1, Math.max(0, binOf(s, place, old)));
  b[firstBin + bin] = s[at + TOTAL]!;
}

function widen(s: Float64Array, b: Float32Array, place: HistogramPlace, downwards: boolean): void {
  const { at, bins, firstBin } = place;
  const width = s[at + HIGH]! - s[at + LOW]!;
  const half = bins / 2;
  if (downwards) {
    for (let i = half - 1; i >= 0; i--) b[firstBin + half + i] = b[firstBin + 2 * i]! + b[firstBin + 2 * i + 1]!;
    b.fill(0, firstBin, firstBin + half);
    s[at + LOW] = s[at + LOW]! - width;
  } else {
    for (let i = 0; i < half; i++) b[firstBin + i] = b[firstBin + 2 * i]! + b[firstBin + 2 * i + 1]!;
    b.fill(0, firstBin + half, firstBin + bins);
    s[at + HIGH] = s[at + HIGH]! + width;
  }
}

/** Halves the range when nearly all of it lies in one half (the lower, the middle or the upper); whether it did. */
function narrow(s: Float64Array, b: Float32Array, place: HistogramPlace): boolean {
  const { at, bins, firstBin } = place;
  const low = s[at + LOW]!;
  const width = s[at + HIGH]! - low;
  if (width <= Math.abs(low) * 1e-9 || width < SMALLEST_WIDTH) return false;
  const half = bins / 2;
  for (let offset = 0; offset <= half; offset += bins / 4) {
    let inside = 0;
    for (let i = 0; i < half; i++) inside += b[firstBin + offset + i]!;
    if (inside < s[at + TOTAL]! * CONCENTRATED) continue;
    // Outwards from whichever end is safe: the bins are spread in place.
    b.copyWithin(firstBin, firstBin + offset, firstBin + offset + half);
    for (let i = half - 1; i >= 0; i--) {
      const each = b[firstBin + i]! / 2;
      b[firstBin + 2 * i + 1] = each;
      b[firstBin + 2 * i] = each;
    }
    s[at + LOW] = low + (width * offset) / bins;
    s[at + HIGH] = s[at + LOW]! + width / 2;
    s[at + TOTAL] = inside;
    return true;
  }
  return false;
}

/** The value below which `share` of the points lie, somewhere within its bin. */
export function lowQuantile(s: Float64Array, b: Float32Array, place: HistogramPlace, share: number): number {
  const { at, bins, firstBin } = place;
  const low = s[at + LOW]!;
  const width = (s[at + HIGH]! - low) / bins;
  if (width === 0) return low;
  let left = s[at + TOTAL]! * share;
  let i = 0;
  while (i < bins - 1 && b[firstBin + i]! <= left) left -= b[firstBin + i++]!;
  const count = b[firstBin + i]!;
  return low + width * (i + (count > 0 ? Math.min(1, left / count) : 0));
}

/** The value above which `share` of the points lie, somewhere within its bin. */
export function highQuantile(s: Float64Array, b: Float32Array, place: HistogramPlace, share: number): number {
  const { at, bins, firstBin } = place;
  const high = s[at + HIGH]!;
  const width = (high - s[at + LOW]!) / bins;
  if (width === 0) return high;
  let left = s[at + TOTAL]! * share;
  let i = bins - 1;
  while (i > 0 && b[firstBin + i]! <= left) left -= b[firstBin + i--]!;
  const count = b[firstBin + i]!;
  return high - width * (bins - 1 - i + (count > 0 ? Math.min(1, left / count) : 0));
}

/** Lowest and highest value that the range has room for: nearly all points lie between them. */
export function rangeLow(s: Float64Array, place: HistogramPlace): number {
  return s[place.at + LOW]!;
}

export function rangeHigh(s: Float64Array, place: HistogramPlace): number {
  return s[place.at + HIGH]!;
}
