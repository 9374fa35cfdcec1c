/**
 * What the surprise detector measures of one point: how rare it is (histograms) and how improbable (tails), for the
 * point itself and for the median of the last nine, which sees what lasts and is blind to flashes.
 *
 * It depends on the state and the value alone, and changes nothing but the scratch that it is written to.
 */

import { type TailPrior, tailBits } from '../math/tails.ts';
import { histogramRatio, smoothedRatio } from './histogram.ts';
import { isRecord } from './records.ts';
import {
  at,
  DEVIATION_POINTS,
  type LastingPlace,
  lastings,
  MEMORY_POINTS,
  places,
  type SurpriseState,
} from './surprise-state.ts';

/** Weight of a new point in the short average: about nine points. */
export const FAST = 0.2;
/** What a tail may claim beyond what was seen, in bits for each point that moved: a constant proves nothing. */
const BITS_PER_MOVE = 0.25;
const LARGEST_TAIL_BITS = 120;
/** Weight of the tail in the point's score, beside three histograms. */
const TAIL_WEIGHT = 0.5;
/** The median of nine independent points scatters 0.42 times as much as they do; it is given half of that at least. */
const LASTING_FLOOR = 0.2;

/** Tail of |distance| in units of scale. */
export const distancePrior: TailPrior = {
  share: 0.03,
  threshold: 2,
  meanExcess: 0.7,
  shape: 0.1,
  peaks: 12,
  memory: MEMORY_POINTS,
};

/**
 * Module-wide, so that nothing is allocated; numbers apart from the rest, in an array, where they need no boxes.
 * `of`, `numbers[COUNT]` and `numbers[VALUE]` say what it was computed from.
 */
export const measured = {
  of: null as SurpriseState | null,
  /** Whether the score is the highest of the last 150 points. */
  record: false,
  numbers: new Float64Array(6),
  /** For each of `lastings`: whether it was looked at, and whether its score is a record. */
  looked: new Uint8Array(lastings.length),
  lastingRecord: new Uint8Array(lastings.length),
  /** The median, its distance in units of scale, its score. */
  median: new Float64Array(lastings.length),
  distance: new Float64Array(lastings.length),
  lastingScore: new Float64Array(lastings.length),
};

const COUNT = 0;
const VALUE = 1;
/** Offsets in `measured.numbers`. */
export const of = {
  /** Distances in units of scale. */
  level: 2,
  residual: 3,
  /** Standard deviation of the last 48 points; NaN before there are as many. */
  deviation: 4,
  /** Sum of the point's surprises, before gate, habituation and calibration. */
  score: 5,
} as const;

/** Fills `measured` for the finite value x as the state's next point. */
export function measure(state: SurpriseState, x: number): void {
  const s = state.scalars;
  const count = s[at.count]!;
  const m = measured.numbers;
  if (measured.of === state && m[COUNT] === count && m[VALUE] === x) return;
  measured.of = state;
  m[COUNT] = count;
  m[VALUE] = x;
  measurePoint(state, x, count);
  for (let k = 0; k < lastings.length; k++) measureLasting(state, lastings[k]!, k, x, count);
}

function measurePoint(state: SurpriseState, x: number, count: number): void {
  const s = state.scalars;
  const b = state.bins;
  const m = measured.numbers;
  const mean = s[at.mean]!;
  m[of.level] = standardised(x - mean, s[at.variance]!, mean);
  m[of.residual] = standardised(x - s[at.fast]!, s[at.residualVariance]!, mean);
  m[of.deviation] = count >= DEVIATION_POINTS - 1 ? deviationWith(s, x) : Number.NaN;
  let ratio = histogramRatio(s, b, places.coarse, x) * smoothedRatio(s, b, places.fine, x);
  if (count >= DEVIATION_POINTS) ratio *= histogramRatio(s, b, places.deviation, m[of.deviation]!);
  const tail = Math.max(
    tailBits(s, at.tailLevel, distancePrior, m[of.level]!),
    tailBits(s, at.tailResidual, distancePrior, m[of.residual]!),
  );
  const score = Math.log2(ratio) + TAIL_WEIGHT * held(tail, count, s[at.moves]!);
  m[of.score] = score;
  measured.record = isRecord(b, places.gate, score);
}

function measureLasting(state: SurpriseState, place: LastingPlace, k: number, x: number, count: number): void {
  measured.looked[k] = 0;
  measured.lastingRecord[k] = 0;
  if (count < place.points || (count + 1) % place.every !== 0) return;
  const s = state.scalars;
  const median = medianWith(s, x, place.points);
  const mean = s[place.mean]!;
  const variance = Math.max(s[place.variance]!, LASTING_FLOOR * LASTING_FLOOR * s[at.variance]!);
  const distance = standardised(median - mean, variance, mean);
  const claim = held(tailBits(s, place.tail, distancePrior, distance), count, s[at.moves]!);
  const score = Math.max(Math.log2(smoothedRatio(s, state.bins, place.histogram, median)), claim);
  measured.looked[k] = 1;
  measured.median[k] = median;
  measured.distance[k] = distance;
  measured.lastingScore[k] = score;
  if (isRecord(state.bins, place.gate, score)) measured.lastingRecord[k] = 1;
}

/** A tail's claim, held to what the points seen so far can carry. */
function held(bits: number, count: number, moves: number): number {
  if (bits === 0) return 0;
  return Math.min(bits, Math.log2(count + 1) + BITS_PER_MOVE * moves, LARGEST_TAIL_BITS);
}

/** |distance| in units of scale; the scale never below what a float of this size resolves. */
function standardised(distance: number, variance: number, mean: number): number {
  const scale = Math.max(Math.sqrt(variance), Math.abs(mean) * 1e-9, 1e-150);
  return Math.min(1e6, Math.abs(distance) / scale);
}

/** Standard deviation of the last 47 points and x; by running sums where they are exact enough, else by two passes. */
function deviationWith(s: Float64Array, x: number): number {
  const origin = s[at.origin]!;
  const place = s[at.ringPlace]!;
  const leaving = s[at.ring + place]! - origin;
  const coming = x - origin;
  const squares = s[at.squares]! + coming * coming - leaving * leaving;
  if (squares === 0) return 0;
  const mean = (s[at.sum]! + coming - leaving) / DEVIATION_POINTS;
  const variance = squares / DEVIATION_POINTS - mean * mean;
  // What is left of a difference of large sums is noise: then look at the points themselves.
  if (variance > squares * 1e-9 && squares > s[at.squares]! * 1e-6) return Math.sqrt(variance);
  let sum = coming;
  for (let i = 0; i < DEVIATION_POINTS; i++) if (i !== place) sum += s[at.ring + i]! - origin;
  const exactMean = sum / DEVIATION_POINTS;
  let exact = (coming - exactMean) ** 2;
  for (let i = 0; i < DEVIATION_POINTS; i++) if (i !== place) exact += (s[at.ring + i]! - origin - exactMean) ** 2;
  return Math.sqrt(exact / DEVIATION_POINTS);
}

const sorted = new Float64Array(DEVIATION_POINTS);

/** Median of x and the points before it, `points` in all, by insertion. */
function medianWith(s: Float64Array, x: number, points: number): number {
  sorted[0] = x;
  let from = s[at.ringPlace]! - 1;
  for (let i = 1; i < points; i++) {
    if (from < 0) from += DEVIATION_POINTS;
    const value = s[at.ring + from]!;
    from--;
    let k = i;
    while (k > 0 && sorted[k - 1]! > value) {
      sorted[k] = sorted[k - 1]!;
      k--;
    }
    sorted[k] = value;
  }
  return sorted[points >> 1]!;
}
