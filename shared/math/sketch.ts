/**
 * Log-bucket sketches (DDSketch, Masson, Rim and Lee, VLDB 2019): key k holds the values in (γ^(k-1), γ^k] with
 * γ = 1.01/0.99, so that any quantile is known within 1 % of its value; zeros and negative values are kept apart.
 * Sketches merge exactly: the sketch of a union is the sum of the sketches.
 *
 * Keys are computed with +, -, * and / alone, which IEEE 754 defines to the last bit, and not with `Math.log`, which
 * each engine does its own way: a key must be the same on every machine, because `columns.ts` leaves out the keys that
 * follow from a window's minimum and maximum. A value within 1e-13 of a bucket's bound may lie on either side of it.
 */
import type { SketchColumns } from '../wire/summary.ts';

export const GAMMA = 1.01 / 0.99;

/** 1 / ln γ, rounded to double: part of the format. */
const PER_LN_GAMMA = 49.99833328888656;
const LN_GAMMA = Math.log(GAMMA);

/** The keys of the smallest and the largest double lie within. */
export const KEY_BOUND = 40_000;

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
const HIGH = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 1 : 0;
const TWO_54 = 2 ** 54;

/** Key of a positive, finite value. */
export function keyOf(value: number): number {
  float[0] = value;
  let exponent = words[HIGH]! >>> 20;
  if (exponent === 0) {
    // subnormal
    float[0] = value * TWO_54;
    exponent = (words[HIGH]! >>> 20) - 54;
  }
  words[HIGH] = (words[HIGH]! & 0xfffff) | 0x3ff00000;
  let mantissa = float[0]!;
  exponent -= 1023;
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    exponent += 1;
  }
  // ln m = 2·atanh(s) with |s| < 0.172: eleven terms are exact to a double.
  const s = (mantissa - 1) / (mantissa + 1);
  const z = s * s;
  const low = 1 / 13 + z * (1 / 15 + z * (1 / 17 + z * (1 / 19 + z * (1 / 21))));
  const series = 1 + z * (1 / 3 + z * (1 / 5 + z * (1 / 7 + z * (1 / 9 + z * (1 / 11 + z * low)))));
  return Math.ceil((exponent * Math.LN2 + 2 * s * series) * PER_LN_GAMMA) + 0; // + 0 makes 0 of -0
}

/** The value that stands for a key: within 1 % of all in its bucket. */
export function valueOfKey(key: number): number {
  return Math.exp(key * LN_GAMMA) * (2 / (GAMMA + 1));
}

const noKeys = new Int32Array(0);
const noCounts = new Uint32Array(0);

export const emptySketch: SketchColumns = {
  zeros: 0,
  positiveKeys: noKeys,
  positiveCounts: noCounts,
  negativeKeys: noKeys,
  negativeCounts: noCounts,
};

/** The sketch of one value that was seen `count` times. */
export function sketchOf(value: number, count: number): SketchColumns {
  if (count === 0) return emptySketch;
  if (value === 0) return { ...emptySketch, zeros: count };
  const keys = Int32Array.of(keyOf(Math.abs(value)));
  const counts = Uint32Array.of(count);
  return value > 0
    ? { ...emptySketch, positiveKeys: keys, positiveCounts: counts }
    : { ...emptySketch, negativeKeys: keys, negativeCounts: counts };
}

/** How many values a sketch holds. */
export function sketchCount(sketch: SketchColumns): number {
  return sketch.zeros + sum(sketch.positiveCounts) + sum(sketch.negativeCounts);
}

/** The sketch of the union. */
export function mergeSketches(a: SketchColumns, b: SketchColumns): SketchColumns {
  const [positiveKeys, positiveCounts] = mergeSide(a.positiveKeys, a.positiveCounts, b.positiveKeys, b.positiveCounts);
  const [negativeKeys, negativeCounts] = mergeSide(a.negativeKeys, a.negativeCounts, b.negativeKeys, b.negativeCounts);
  return { zeros: a.zeros + b.zeros, positiveKeys, positiveCounts, negativeKeys, negativeCounts };
}

/**
 * The value below which a share of the values lies: the one of rank ceil(share·n), within 1 %. NaN of an empty sketch.
 * @param share 0…1
 */
export function quantile(sketch: SketchColumns, share: number): number {
  const total = sketchCount(sketch);
  if (total === 0) return Number.NaN;
  let left = Math.min(total, Math.max(1, Math.ceil(share * total)));
  for (let i = sketch.negativeKeys.length - 1; i >= 0; i--) {
    left -= sketch.negativeCounts[i]!;
    if (left <= 0) return -valueOfKey(sketch.negativeKeys[i]!);
  }
  left -= sketch.zeros;
  if (left <= 0) return 0;
  for (let i = 0; i < sketch.positiveKeys.length; i++) {
    left -= sketch.positiveCounts[i]!;
    if (left <= 0) return valueOfKey(sketch.positiveKeys[i]!);
  }
  return Number.NaN;
}

function mergeSide(
  aKeys: Int32Array,
  aCounts: Uint32Array,
  bKeys: Int32Array,
  bCounts: Uint32Array,
): readonly [Int32Array, Uint32Array] {
  if (bKeys.length === 0) return [aKeys, aCounts];
  if (aKeys.length === 0) return [bKeys, bCounts];
  const keys = new Int32Array(aKeys.length + bKeys.length);
  const counts = new Uint32Array(keys.length);
  let length = 0;
  for (let i = 0, j = 0; i < aKeys.length || j < bKeys.length; length++) {
    const a = i < aKeys.length ? aKeys[i]! : Number.POSITIVE_INFINITY;
    const b = j < bKeys.length ? bKeys[j]! : Number.POSITIVE_INFINITY;
    keys[length] = Math.min(a, b);
    counts[length] = (a <= b ? aCounts[i++]! : 0) + (b <= a ? bCounts[j++]! : 0);
  }
  return [keys.slice(0, length), counts.slice(0, length)];
}

function sum(counts: Uint32Array): number {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i]!;
  return total;
}
