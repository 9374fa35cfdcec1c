/**
 * The univariate detector that runs on every series: how surprising, in bits, is this value?
 *
 * Adaptive histograms say how rare the value and the deviation of the last 48 points are; peaks-over-threshold tails
 * say how improbable it is beyond all that was seen. Their sum is no probability yet, so a last tail, over the sum
 * itself, turns it into bits that can be held against a budget: b bits come about once in 2^b points. The median of the
 * last nine points is judged beside the point, so that what lasts stands out among flashes; the rarer counts.
 * Two habits keep it quiet: only a new record of the last 150 points passes (a state that lasts is told once), and
 * the bar rises with the logarithm of recent alarms (habituation).
 *
 * Constraints: constant memory, no allocation in `score` and `learn`, no clock; what is not finite or not of good
 * quality is neither judged nor learned.
 */

import { learnTail, startTail, type TailPrior, tailBits } from '../math/tails.ts';
import { Quality } from '../series.ts';
import { clearVerdict, type DetectorKind, type Verdict } from './detector.ts';
import { highQuantile, learnHistogram, lowQuantile, rangeHigh, rangeLow } from './histogram.ts';
import { parseNumbers } from './params.ts';
import { learnRecord } from './records.ts';
import { distancePrior, FAST, measure, measured, of } from './surprise-measure.ts';
import {
  at,
  DEVIATION_POINTS,
  emptySurpriseState,
  type LastingPlace,
  lastings,
  MEMORY_POINTS,
  places,
  type SurpriseState,
  surpriseCodec,
} from './surprise-state.ts';

export interface SurpriseParams {
  /** Points before it says anything. */
  readonly minPoints: number;
  /** From how many bits on it is a finding. */
  readonly barBits: number;
  /** Bits that the bar rises with each doubling of the recent alarms. */
  readonly habituation: number;
  /** Points after which a past alarm counts half. */
  readonly forgetPoints: number;
}

export const surpriseDefaults: SurpriseParams = { minPoints: 120, barBits: 24, habituation: 1, forgetPoints: 3600 };

/** Points over which mean and scale are averaged. */
const LEVEL_POINTS = 3600;
/** Share of the points on either side that the expected range leaves out. */
const OUTSIDE = 0.01;
/** How often the expected range is looked at, in points. */
const EXPECTED_EVERY = 50;
/** By what part of its width the expected range is widened on either side. */
const MARGIN = 0.25;
/** Values are held within this, so that squares stay finite. */
const LARGEST = 1e150;
/** Points from which on a mean's steps are held to what its scale allows. */
const SETTLED_POINTS = 30;
/** No more than this is ever claimed: once in the age of the universe is far below it. */
const MOST_BITS = 128;
/** Bits from which on a record counts as an alarm to get used to. */
const ALARM_BITS = 12;

/**
 * Tails of the scores. A prior worth 50 peaks at a share of 0.005 is worth 10,000 points: a new series is judged by what
 * is usual for series, an old one by what is usual for itself.
 */
const scorePrior: TailPrior = {
  share: 0.005,
  threshold: 24,
  meanExcess: 4,
  shape: 0,
  peaks: 50,
  memory: MEMORY_POINTS,
};
const lastingPrior: TailPrior = { ...scorePrior, threshold: 9, meanExcess: 1.6 };

function usable(x: Float64Array, quality: Uint8Array): boolean {
  return Number.isFinite(x[0]!) && quality[0] === Quality.good;
}

function clamped(x: number): number {
  return Math.min(LARGEST, Math.max(-LARGEST, x));
}

/** Calibrated bits of what is measured: the rarest of the point and of what lasts, records alone. */
function bitsOf(s: Float64Array): number {
  let bits = measured.record ? tailBits(s, at.tailScore, scorePrior, measured.numbers[of.score]!) : 0;
  for (let k = 0; k < lastings.length; k++) {
    if (measured.lastingRecord[k] === 0) continue;
    const { tailScore, every } = lastings[k]!;
    const lasting = tailBits(s, tailScore, lastingPrior, measured.lastingScore[k]!);
    // Looked at more seldom, it has fewer chances to be wrong.
    if (lasting > 0) bits = Math.max(bits, lasting + Math.log2(every));
  }
  return bits;
}

function score(params: SurpriseParams, state: SurpriseState, x: Float64Array, quality: Uint8Array, out: Verdict): void {
  clearVerdict(out);
  const s = state.scalars;
  if (!usable(x, quality) || s[at.count]! < params.minPoints) return;
  measure(state, clamped(x[0]!));
  out.ready = true;
  out.expectedLow = s[at.expectedLow]!;
  out.expectedHigh = s[at.expectedHigh]!;
  const bits = bitsOf(s);
  if (bits === 0) return;
  out.bits = Math.min(MOST_BITS, Math.max(0, bits - params.habituation * Math.log2(1 + s[at.alarms]!)));
  out.finding = out.bits >= params.barBits;
}

function learn(params: SurpriseParams, state: SurpriseState, input: Float64Array, quality: Uint8Array): void {
  if (!usable(input, quality)) return;
  const x = clamped(input[0]!);
  const s = state.scalars;
  const b = state.bins;
  const count = s[at.count]!;
  if (count === 0) begin(s, x);
  measure(state, x);
  const m = measured.numbers;
  const deviation = m[of.deviation]!;
  if (count >= SETTLED_POINTS) {
    learnTail(s, at.tailLevel, distancePrior, m[of.level]!);
    learnTail(s, at.tailResidual, distancePrior, m[of.residual]!);
  }
  if (count > DEVIATION_POINTS) learnScores(params, state);
  if (x !== s[at.last]!) s[at.moves] = s[at.moves]! + 1;
  s[at.last] = x;
  s[at.lowest] = Math.min(x, s[at.lowest]!);
  learnHistogram(s, b, places.coarse, x);
  learnHistogram(s, b, places.fine, x);
  if (!Number.isNaN(deviation)) learnHistogram(s, b, places.deviation, deviation);
  learnScales(s, x, count);
  for (let k = 0; k < lastings.length; k++) if (measured.looked[k] === 1) learnLasting(state, lastings[k]!, k, count);
  learnRing(s, x);
  s[at.count] = count + 1;
  if ((count + 1) % EXPECTED_EVERY === 0) learnExpected(s, b);
}

/**
 * The expected range, old enough that what is unusual now has not widened it yet: of 300 points three are one percent.
 */
function learnExpected(s: Float64Array, b: Float32Array): void {
  const first = s[at.count] === EXPECTED_EVERY;
  const low = Math.max(s[at.lowest]!, lowQuantile(s, b, places.fine, OUTSIDE));
  const high = Math.max(low, highQuantile(s, b, places.fine, OUTSIDE));
  const margin = MARGIN * (high - low);
  // What was never below zero is not expected there.
  const from = s[at.lowest]! >= 0 ? Math.max(0, low - margin) : low - margin;
  s[at.expectedLow] = first ? from : s[at.nextLow]!;
  s[at.expectedHigh] = first ? high + margin : s[at.nextHigh]!;
  s[at.nextLow] = from;
  s[at.nextHigh] = high + margin;
}

/** Scores that are no record count as usual, so that one long trouble does not make the tail heavy. */
function learnScores(params: SurpriseParams, state: SurpriseState): void {
  const s = state.scalars;
  const m = measured.numbers;
  const alarm = bitsOf(s) > ALARM_BITS ? 1 : 0;
  s[at.alarms] = s[at.alarms]! * (1 - Math.LN2 / params.forgetPoints) + alarm;
  learnTail(s, at.tailScore, scorePrior, measured.record ? m[of.score]! : Math.min(m[of.score]!, s[at.tailScore]!));
  learnRecord(s, state.bins, places.gate, m[of.score]!);
}

function learnLasting(state: SurpriseState, place: LastingPlace, k: number, count: number): void {
  const s = state.scalars;
  const median = measured.median[k]!;
  if (count < place.points + place.every) s[place.mean] = median;
  // Medians overlap: those of the next points say the same again, and must not teach it that often.
  const independent = count % place.points < place.every;
  if (independent && count >= SETTLED_POINTS) learnTail(s, place.tail, distancePrior, measured.distance[k]!);
  const score = measured.lastingScore[k]!;
  if (independent && count > DEVIATION_POINTS) {
    learnTail(
      s,
      place.tailScore,
      lastingPrior,
      measured.lastingRecord[k] === 1 ? score : Math.min(score, s[place.tailScore]!),
    );
  }
  if (count > DEVIATION_POINTS) learnRecord(s, state.bins, place.gate, score);
  learnHistogram(s, state.bins, place.histogram, median);
  const low = rangeLow(s, places.fine);
  const high = rangeHigh(s, places.fine);
  const width = high - low;
  const weight = place.every / Math.min(count + 1, LEVEL_POINTS);
  const off = median - s[place.mean]!;
  const step = count >= SETTLED_POINTS ? held(off, s[place.variance]!, width) : off;
  s[place.mean] = within(s[place.mean]! + weight * step, low, high);
  s[place.variance] = Math.min(width * width, s[place.variance]! + weight * (step * step - s[place.variance]!));
}

/** The step of a mean or variance, held to what a few deviations and the range of the values allow. */
function held(distance: number, variance: number, width: number): number {
  const allowed = 5 * Math.sqrt(variance) + 0.05 * width;
  return Math.min(allowed, Math.max(-allowed, distance));
}

/** Means and variances, within the range of the histogram: it recovers from something absurd, and they with it. */
function learnScales(s: Float64Array, x: number, count: number): void {
  const weight = 1 / Math.min(count + 1, LEVEL_POINTS);
  const settled = count >= SETTLED_POINTS;
  const low = rangeLow(s, places.fine);
  const high = rangeHigh(s, places.fine);
  const width = high - low;
  const largest = width * width;
  const distance = settled ? held(x - s[at.mean]!, s[at.variance]!, width) : x - s[at.mean]!;
  s[at.mean] = within(s[at.mean]! + weight * distance, low, high);
  s[at.variance] = Math.min(largest, s[at.variance]! + weight * (distance * distance - s[at.variance]!));
  const from = s[at.fast]!;
  const residual = settled ? held(x - from, s[at.residualVariance]!, width) : x - from;
  const residuals = s[at.residualVariance]! + weight * (residual * residual - s[at.residualVariance]!);
  s[at.residualVariance] = Math.min(largest, residuals);
  s[at.fast] = within(from + FAST * (x - from), low, high);
}

function within(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

function learnRing(s: Float64Array, x: number): void {
  const place = s[at.ringPlace]!;
  const leaving = s[at.ring + place]! - s[at.origin]!;
  const coming = x - s[at.origin]!;
  const before = s[at.squares]!;
  s[at.ring + place] = x;
  s[at.sum] = s[at.sum]! + coming - leaving;
  s[at.squares] = Math.max(0, before + coming * coming - leaving * leaving);
  s[at.ringPlace] = place + 1 === DEVIATION_POINTS ? 0 : place + 1;
  if (s[at.ringPlace] !== 0 && s[at.squares]! >= before * 1e-6) return;
  // Once a round, and after something huge has left, the sums begin anew, relative to where the points are now.
  s[at.origin] = x;
  s[at.sum] = 0;
  s[at.squares] = 0;
  for (let i = 0; i < DEVIATION_POINTS; i++) {
    const difference = s[at.ring + i]! - x;
    s[at.sum] = s[at.sum]! + difference;
    s[at.squares] = s[at.squares]! + difference * difference;
  }
}

/** The first point: everything that is averaged starts from it. */
function begin(s: Float64Array, x: number): void {
  for (const i of [at.last, at.mean, at.fast, at.origin, at.lowest]) s[i] = x;
  s.fill(x, at.ring, at.ring + DEVIATION_POINTS);
}

function start(): SurpriseState {
  const state = emptySurpriseState();
  for (const tail of [at.tailLevel, at.tailResidual]) startTail(state.scalars, tail, distancePrior);
  startTail(state.scalars, at.tailScore, scorePrior);
  for (const { tail, tailScore } of lastings) {
    startTail(state.scalars, tail, distancePrior);
    startTail(state.scalars, tailScore, lastingPrior);
  }
  return state;
}

export const surprise: DetectorKind<SurpriseParams, SurpriseState> = {
  name: 'surprise',
  major: 1,
  doc: 'How rare a value is for its series, in bits, from what the series did before.',
  defaults: surpriseDefaults,
  parseParams: (json) =>
    parseNumbers('surprise', json, surpriseDefaults, {
      minPoints: [60, 1e6],
      barBits: [1, 200],
      habituation: [0, 20],
      forgetPoints: [10, 1e9],
    }),
  state: surpriseCodec,
  start,
  score: (params, state, x, quality, _at, out) => score(params, state, x, quality, out),
  learn: (params, state, x, quality) => learn(params, state, x, quality),
};
