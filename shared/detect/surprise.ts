/**
 * The univariate detector that runs on every series: how surprising, in bits, is this value?
 *
 *   value, mean and deviation of the last 48 points ─► adaptive histograms ─► rarity ┐
 *   distance from level, from the last points ─► peaks over threshold ───────────────┼─► score ─► tail ─► bits ┐
 *   distance from what is usual at this hour ─► both ────────────────────────────────┘                        ├─► most
 *   median of nine; the season alone; means of minutes and of hours ─► scores ─► tails ─► bits ───────────────┘
 *
 * A score is no probability: a last tail over the scores themselves turns each into bits that can be held against a
 * budget. b bits come about once in 2^b points; what is looked at more seldom has that many more.
 * Three habits keep it quiet: what was told must be beaten, and that bar fades by half in `RECORD_FADES` points (a state
 * that lasts is told once); the bar rises with the logarithm of recent alarms (habituation); and less is made of
 * surprises that come at their hour.
 *
 * Histograms with adaptive range: rarity as in Goldstein and Dengel 2012 (HBOS), online. Tails: see `math/tails.ts`.
 *
 * Constraints: constant memory, no allocation in `score` and `learn`, no clock; what is not finite or not of good
 * quality is neither judged nor learned.
 */
import type { Instant } from '../clock.ts';
import { learnTail, learnTailFrom, startTail } from '../math/tails.ts';
import { Quality } from '../series.ts';
import { objectOf } from '../trust/strict.ts';
import { learnBlock, learnClosed, startBlocks } from './blocks.ts';
import { localMs, parseZone, utcZone, type ZoneOffsets } from './civil.ts';
import { clearVerdict, type DetectorKind, type Verdict } from './detector.ts';
import { BIN, highQuantile, learnHistogram, lowQuantile, rangeHigh, rangeLow } from './histogram.ts';
import { parseNumbers } from './params.ts';
import { heldStep, heldWithin } from './scales.ts';
import { learnSeason, seasonLevel, seasonScale, slotOf, startProfile } from './season-profile.ts';
import {
  distancePrior,
  FAST,
  isSparse,
  LARGEST,
  LASTING_EVERY,
  lastingPrior,
  look,
  measure,
  measured,
  of,
  ringOffset,
  scorePrior,
  seasonPrior,
  seasonUtcMs,
} from './surprise-measure.ts';
import {
  at,
  day,
  emptySurpriseState,
  hours,
  minutes,
  places,
  RECENT_POINTS,
  RING,
  type SurpriseState,
  surpriseCodec,
  tailAt,
  usual,
} from './surprise-state.ts';
import { enterMinute, isNewMinute, learnUsual } from './usual-hours.ts';

export interface SurpriseParams {
  /** Points before it says anything. */
  readonly minPoints: number;
  /** From how many bits on it is a finding. */
  readonly barBits: number;
  /** Bits that the bar rises with each doubling of the recent alarms. */
  readonly habituation: number;
  /** Points after which a past alarm counts half. */
  readonly forgetPoints: number;
  /** The site's civil time. */
  readonly zone: ZoneOffsets;
}

const numberDefaults = { minPoints: 120, barBits: 24, habituation: 1.25, forgetPoints: 3600 };

export const surpriseDefaults: SurpriseParams = { ...numberDefaults, zone: utcZone };

/** Points over which mean and scale are averaged. */
const LEVEL_POINTS = 3600;
/** Share of the points on either side that the expected range leaves out. */
const OUTSIDE = 0.01;
/** How often the expected range is looked at, in points. */
const EXPECTED_EVERY = 50;
/** By what part of its width the expected range is widened on either side. */
const MARGIN = 0.25;
/** Points from which on a mean's steps are held to what its scale allows. */
const SETTLED_POINTS = 30;
/** No more than this is ever claimed: once in the age of the universe is far below it. */
const MOST_BITS = 128;
/** Bits from which on a record counts as an alarm to get used to. */
const ALARM_BITS = 11;
/** So many points apart, what lasts is told anew. */
const INDEPENDENT_POINTS = 90;
/** Distances from the season are learned up to this, in scales. */
const FARTHEST = 50;
/** Half the width of the range that a season expects, in scales: about one of a hundred is outside. */
const SEASON_WIDTH = 3;
/** Points in which the bits that are to be beaten fade by half. */
const RECORD_FADES = 400;
const RECORD_FADE = 0.5 ** (1 / RECORD_FADES);

function usable(x: Float64Array, quality: Uint8Array): boolean {
  return Number.isFinite(x[0]!) && quality[0] === Quality.good;
}

function score(
  params: SurpriseParams,
  state: SurpriseState,
  x: Float64Array,
  quality: Uint8Array,
  now: Instant,
  out: Verdict,
): void {
  clearVerdict(out);
  const s = state.scalars;
  if (!usable(x, quality) || s[at.count]! < params.minPoints) return;
  measure(state, x, now, params.zone);
  out.ready = true;
  out.expectedLow = s[at.expectedLow]!;
  out.expectedHigh = s[at.expectedHigh]!;
  const bits = measured.numbers[of.bits]!;
  if (bits <= s[at.record]!) return;
  out.bits = Math.min(MOST_BITS, Math.max(0, bits - params.habituation * Math.log2(1 + s[at.alarms]!)));
  out.finding = out.bits >= params.barBits;
  if (out.bits > 0) describe(state, x[0]!, out);
}

/** What the look that gave the most bits has seen. */
function describe(state: SurpriseState, x: number, out: Verdict): void {
  const m = measured.numbers;
  if (measured.by === look.point) {
    const inside = x >= out.expectedLow && x <= out.expectedHigh;
    out.shape = inside && m[of.deviationShare]! > 0.5 ? 'variance' : 'spike';
  } else if (measured.by === look.lasting) {
    out.shape = 'shift';
  } else if (measured.by === look.season) {
    const level = seasonLevel(state, day, measured.slot);
    const width = SEASON_WIDTH * seasonScale(state, day, measured.slot);
    out.shape = 'season';
    out.expectedLow = state.scalars[at.lowest]! >= 0 ? Math.max(0, level - width) : level - width;
    out.expectedHigh = Math.max(out.expectedLow, level + width);
  } else {
    const block = measured.by === look.minute ? measured.minute : measured.hour;
    out.shape = block.stepped ? 'shift' : 'drift';
    out.lastedMs = minutes.spanMs;
  }
}

function learn(
  params: SurpriseParams,
  state: SurpriseState,
  input: Float64Array,
  quality: Uint8Array,
  now: Instant,
): void {
  if (!usable(input, quality)) return;
  const { scalars: s, floats } = state;
  if (s[at.count] === 0) begin(s, input, now);
  measure(state, input, now, params.zone);
  const m = measured.numbers;
  const x = m[of.value]!;
  const count = m[of.count]!;
  if (count >= SETTLED_POINTS) {
    learnTailFrom(floats, tailAt.level, distancePrior, m, of.level);
    learnTailFrom(floats, tailAt.residual, distancePrior, m, of.residual);
  }
  if (measured.seasonal) learnSeasons(params, state, now);
  if (measured.minute.closed || measured.hour.closed) learnMeans(state);
  if (measured.lasting) learnLasting(state);
  if (count > RECENT_POINTS) learnScores(params, state, now);
  learnBlock(state, minutes, x, now.monotonicMs);
  learnBlock(state, hours, x, now.monotonicMs);
  if (x !== s[at.last]!) s[at.moves] = s[at.moves]! + 1;
  s[at.last] = x;
  s[at.lastMs] = now.monotonicMs;
  s[at.lowest] = Math.min(x, s[at.lowest]!);
  learnHistogram(s, floats, places.value, m, of.value);
  if (count >= RECENT_POINTS - 1) {
    learnHistogram(s, floats, places.recent, m, of.recent);
    learnHistogram(s, floats, places.deviation, m, of.deviation);
  }
  learnScales(s);
  learnRing(state);
  s[at.count] = count + 1;
  if (((count + 1) >>> 0) % EXPECTED_EVERY === 0) learnExpected(s, floats);
}

/** Means of the minute and of the hour that end. */
function learnMeans(state: SurpriseState): void {
  const { scalars: s } = state;
  const record = s[at.record]!;
  const low = rangeLow(s, places.value);
  const high = rangeHigh(s, places.value);
  const { minute, hour } = measured;
  if (minute.closed) learnClosed(state, minutes, minute, minute.bits > record, low, high);
  if (hour.closed) learnClosed(state, hours, hour, hour.bits > record, low, high);
}

/**
 * The expected range, old enough that what is unusual now has not widened it yet: of 300 points three are one percent.
 */
function learnExpected(s: Float64Array, b: Float32Array): void {
  const first = s[at.count] === EXPECTED_EVERY;
  const low = Math.max(s[at.lowest]!, lowQuantile(s, b, places.value, OUTSIDE));
  const high = Math.max(low, highQuantile(s, b, places.value, OUTSIDE));
  const margin = MARGIN * (high - low);
  // What was never below zero is not expected there.
  const from = s[at.lowest]! >= 0 ? Math.max(0, low - margin) : low - margin;
  s[at.expectedLow] = first ? from : s[at.nextLow]!;
  s[at.expectedHigh] = first ? high + margin : s[at.nextHigh]!;
  s[at.nextLow] = from;
  s[at.nextHigh] = high + margin;
}

/** Scores that are no record count as usual, so that one long trouble does not make the tail heavy. */
function learnScores(params: SurpriseParams, state: SurpriseState, { utcMs }: Instant): void {
  const { scalars: s, floats } = state;
  const m = measured.numbers;
  const record = s[at.record]!;
  const bits = m[of.bits]!;
  const alarm = bits > record && bits > ALARM_BITS ? 1 : 0;
  s[at.alarms] = s[at.alarms]! * (1 - Math.LN2 / params.forgetPoints) + alarm;
  s[at.record] = Math.min(MOST_BITS, Math.max(record * RECORD_FADE, bits));
  const score = m[of.score]!;
  m[of.usualScore] = m[of.scoreBits]! > record ? score : Math.min(score, floats[tailAt.score]!);
  learnTailFrom(floats, tailAt.score, scorePrior, m, of.usualScore);
  if (isNewMinute(s, usual, utcMs)) enterMinute(state, usual, utcMs, localMs(params.zone, utcMs));
  const raw = Math.min(MOST_BITS, rawBits());
  // A long trouble is surprising at every hour, but told once: it must not make all hours usual.
  if (raw > record) learnUsual(state, usual, raw);
}

/** The most bits of any look, before less was made of them. */
function rawBits(): number {
  const m = measured.numbers;
  if (measured.by === look.point) return m[of.scoreBits]!;
  if (measured.by === look.lasting) return m[of.lastingBits]!;
  if (measured.by === look.season) return m[of.seasonBits]!;
  return measured.by === look.minute ? measured.minute.bits : measured.hour.bits;
}

function learnSeasons(params: SurpriseParams, state: SurpriseState, now: Instant): void {
  const { scalars: s, floats } = state;
  const m = measured.numbers;
  const distance = m[of.seasonDistance]!;
  if (!Number.isNaN(distance)) {
    learnTail(floats, tailAt.season, distancePrior, Math.abs(distance));
    m[of.seasonDistance] = Math.max(-FARTHEST, Math.min(FARTHEST, distance));
    m[of.seasonDistance + BIN] = Number.NaN;
    learnHistogram(s, floats, places.season, m, of.seasonDistance);
    if (measured.proven) {
      const least = Math.min(m[of.seasonScore]!, floats[tailAt.seasonScore]!);
      const told = m[of.seasonBits]! > s[at.record]!;
      learnTail(floats, tailAt.seasonScore, seasonPrior, told ? m[of.seasonScore]! : least);
    }
  }
  const sparse = isSparse(s, now.monotonicMs);
  const local = localMs(params.zone, seasonUtcMs(now.utcMs, sparse));
  const since = sparse ? now.monotonicMs - s[at.lastMs]! : minutes.spanMs;
  learnSeason(state, day, slotOf(day, local), m[of.sample]!, since);
}

function learnLasting(state: SurpriseState): void {
  const { scalars: s, floats } = state;
  const m = measured.numbers;
  const count = m[of.count]!;
  const record = s[at.record]!;
  // Those of the next points say the same again: an excursion must not teach the tail with each of its points.
  const independent = (count >>> 0) % INDEPENDENT_POINTS < LASTING_EVERY;
  if (independent && count >= SETTLED_POINTS) {
    learnTail(floats, tailAt.lasting, distancePrior, m[of.lastingDistance]!);
    const least = Math.min(m[of.lastingScore]!, floats[tailAt.lastingScore]!);
    learnTail(floats, tailAt.lastingScore, lastingPrior, m[of.lastingBits]! > record ? m[of.lastingScore]! : least);
  }
  const width = rangeHigh(s, places.value) - rangeLow(s, places.value);
  const weight = Math.min(1, LASTING_EVERY / Math.min(count + 1, LEVEL_POINTS));
  const off = m[of.median]! - s[at.mean]!;
  const step = count >= SETTLED_POINTS ? heldStep(off, s[at.lastingVariance]!, width) : off;
  const variance = s[at.lastingVariance]! + weight * (step * step - s[at.lastingVariance]!);
  s[at.lastingVariance] = Math.min(width * width, variance);
}

/** Means and variances, within the range of the histogram: it recovers from something absurd, and they with it. */
function learnScales(s: Float64Array): void {
  const m = measured.numbers;
  const x = m[of.value]!;
  const count = m[of.count]!;
  const weight = count + 1 < LEVEL_POINTS ? 1 / (count + 1) : 1 / LEVEL_POINTS;
  const settled = count >= SETTLED_POINTS;
  const low = rangeLow(s, places.value);
  const high = rangeHigh(s, places.value);
  const width = high - low;
  const largest = width * width;
  const distance = settled ? heldWithin(x - s[at.mean]!, m[of.levelDeviation]!, width) : x - s[at.mean]!;
  s[at.mean] = within(s[at.mean]! + weight * distance, low, high);
  s[at.variance] = Math.min(largest, s[at.variance]! + weight * (distance * distance - s[at.variance]!));
  const from = s[at.fast]!;
  const residual = settled ? heldWithin(x - from, m[of.residualDeviation]!, width) : x - from;
  const residuals = s[at.residualVariance]! + weight * (residual * residual - s[at.residualVariance]!);
  s[at.residualVariance] = Math.min(largest, residuals);
  s[at.fast] = within(from + FAST * (x - from), low, high);
}

function within(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

function learnRing({ scalars: s, floats }: SurpriseState): void {
  const x = measured.numbers[of.value]!;
  const place = s[at.ringPlace]!;
  const leaving = floats[RING + place]!;
  const coming = ringOffset(x - s[at.origin]!);
  const before = s[at.squares]!;
  floats[RING + place] = coming;
  s[at.sum] = s[at.sum]! + coming - leaving;
  s[at.squares] = Math.max(0, before + coming * coming - leaving * leaving);
  s[at.ringPlace] = place + 1 === RECENT_POINTS ? 0 : place + 1;
  if (s[at.ringPlace] !== 0 && s[at.squares]! >= before * 1e-6) return;
  // Once a round, and after something huge has left, the sums begin anew, relative to where the points are now.
  const moved = s[at.origin]! - x;
  s[at.origin] = x;
  s[at.sum] = 0;
  s[at.squares] = 0;
  for (let i = RING; i < RING + RECENT_POINTS; i++) {
    const difference = ringOffset(floats[i]! + moved);
    floats[i] = difference;
    s[at.sum] = s[at.sum]! + difference;
    s[at.squares] = s[at.squares]! + difference * difference;
  }
}

/** The first point: everything that is averaged starts from it. */
function begin(s: Float64Array, input: Float64Array, { monotonicMs }: Instant): void {
  const x = Math.min(LARGEST, Math.max(-LARGEST, input[0]!));
  for (const i of [at.last, at.mean, at.fast, at.origin, at.lowest]) s[i] = x;
  s[at.lastMs] = monotonicMs;
}

function start(): SurpriseState {
  const state = emptySurpriseState();
  for (const tail of [tailAt.level, tailAt.residual, tailAt.lasting, tailAt.season]) {
    startTail(state.floats, tail, distancePrior);
  }
  startTail(state.floats, tailAt.score, scorePrior);
  startTail(state.floats, tailAt.lastingScore, lastingPrior);
  startTail(state.floats, tailAt.seasonScore, seasonPrior);
  for (const place of [minutes, hours]) startBlocks(state, place);
  startProfile(state, day);
  return state;
}

/** Parameters from JSON. Throws `payload.invalid` naming the field. */
function parseParams(json: unknown): SurpriseParams {
  const { zone, ...numbers } = objectOf(json, 'parameters of surprise');
  const parsed = parseNumbers('surprise', numbers, numberDefaults, {
    minPoints: [60, 1e6],
    barBits: [1, 200],
    habituation: [0, 20],
    forgetPoints: [10, 1e9],
  });
  return { ...parsed, zone: zone === undefined ? utcZone : parseZone(zone, 'parameters of surprise: zone') };
}

export const surprise: DetectorKind<SurpriseParams, SurpriseState> = {
  name: 'surprise',
  major: 1,
  doc: 'How rare a value is for its series, in bits, from what the series did before.',
  defaults: surpriseDefaults,
  parseParams,
  state: surpriseCodec,
  start,
  score,
  learn,
};
