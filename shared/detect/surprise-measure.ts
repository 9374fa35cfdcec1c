/**
 * What the surprise detector measures of one point: how rare it is (histograms of the value, of the mean and of the
 * deviation of the last 48 points), how improbable (tails of the distances), whether it lasts (median of nine), whether it
 * is usual at this hour (season), and how the minute or hour looks that it closes.
 *
 * It depends on the state, the value and the time alone, and changes nothing but the scratch that it is written to.
 */
import type { Instant } from '../clock.ts';
import { type TailPrior, tailBits } from '../math/tails.ts';
import { blockMean, emptyBlockMeasure, isFullBlock, measureBlock } from './blocks.ts';
import { localMs, type ZoneOffsets } from './civil.ts';
import { MEASURED_SIZE, measureRatio, RATIO } from './histogram.ts';
import { heldBits, inDeviations, standardised } from './scales.ts';
import { distanceFromSeason, isProven, slotOf } from './season-profile.ts';
import {
  at,
  day,
  hours,
  LASTING_POINTS,
  MEMORY_POINTS,
  minutes,
  places,
  RECENT_POINTS,
  RING,
  type SurpriseState,
  tailAt,
  usual,
} from './surprise-state.ts';
import { daySlotOf, hourSlotOf, isNewMinute, usualBits, usualBitsNow } from './usual-hours.ts';

/** Weight of a new point in the short average: about nine points. */
export const FAST = 0.2;
/** The median is looked at once in so many points: it moves no faster. */
export const LASTING_EVERY = 3;
/** The median of nine independent points scatters 0.42 times as much as they do; it is given half of that at least. */
const LASTING_FLOOR = 0.2;
const LARGEST_OFFSET = 1e38;
/** A series whose points are this far apart is held against its seasons point by point, others by means of minutes. */
const SPARSE_MS = 15_000;

/**
 * Weights of the surprises in a point's score. They were found on one half of the public series and held on the other and
 * on injected faults; any of them may be halved or doubled without much harm.
 */
const weights = {
  value: 0.5,
  recent: 0.3,
  deviation: 0.1,
  level: 0.08,
  residual: 0.08,
  seasonRare: 0.15,
  seasonTail: 0.12,
} as const;
/** A point that is as the season has it, within so many scales, keeps this share of its bits. */
const AS_EXPECTED = 2;
const EXPECTED_SHARE = 0.5;
/** Weights of the surprises in the season's own score. */
const SEASON_RARE = 0.3;
const SEASON_TAIL = 0.4;

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
 * Tails of the scores. A prior worth 100 peaks at a share of 0.005 is worth 20,000 points: a new series is judged by what
 * is usual for series, an old one by what is usual for itself.
 */
export const scorePrior: TailPrior = {
  share: 0.005,
  threshold: 8,
  meanExcess: 1,
  shape: 0,
  peaks: 100,
  memory: MEMORY_POINTS,
};
/** What lasts must have left the level far to be told by itself: the point's score has a share of it already. */
export const lastingPrior: TailPrior = { ...scorePrior, threshold: 12, meanExcess: 1.7 };
export const seasonPrior: TailPrior = { ...scorePrior, threshold: 5.7, meanExcess: 1.7 };

/** Which look at the series gave the most bits. */
export const look = { point: 0, lasting: 1, season: 2, minute: 3, hour: 4 } as const;

/** Offsets in `measured.numbers`. */
export const of = {
  /** What it was computed from. */
  count: 0,
  monotonicMs: 1,
  utcMs: 2,
  /** The value; mean and standard deviation of the last 48 points (NaN before there are as many); distance from the season. */
  value: 3,
  recent: 3 + MEASURED_SIZE,
  deviation: 3 + 2 * MEASURED_SIZE,
  /** With sign; NaN: nothing known. */
  seasonDistance: 3 + 3 * MEASURED_SIZE,
  /** Distances in units of scale, and the deviations that these are. */
  level: 15,
  levelDeviation: 16,
  residual: 17,
  residualDeviation: 18,
  /** Surprise of the deviation, weighted. */
  deviationShare: 19,
  /** Scores before calibration, the median, calibrated bits of each look. */
  score: 20,
  scoreBits: 21,
  median: 22,
  lastingDistance: 23,
  lastingScore: 24,
  lastingBits: 25,
  /** What is held against the seasons, its score, and its share in the point's. */
  sample: 26,
  seasonScore: 27,
  seasonBits: 28,
  seasonShare: 29,
  /** What is learned of the score by the tail. */
  usualScore: 30,
  /** The most bits of any look, and what is left of them at an hour at which surprises are usual. */
  bits: 31,
} as const;

const NUMBERS = of.bits + 1;

/** Module-wide, so that nothing is allocated; numbers apart from the rest, in an array, where they need no boxes. */
export const measured = {
  of: null as SurpriseState | null,
  numbers: new Float64Array(NUMBERS),
  /** Whether the median, and whether a season, was looked at. */
  lasting: false,
  seasonal: false,
  /** Whether the day's season is proven, and whether this point is as a season has it. */
  proven: false,
  expected: false,
  /** Slot of the day that it was held against. */
  slot: 0,
  /** The look that gave the most bits. */
  by: look.point as number,
  minute: emptyBlockMeasure(),
  hour: emptyBlockMeasure(),
};

/** Values are held within this, so that squares stay finite. */
export const LARGEST = 1e150;

/**
 * Fills `measured` for the finite value in `input` as the state's next point. Numbers go from one function to the next in
 * `measured.numbers`: as arguments each would be a box of its own on the heap.
 */
export function measure(state: SurpriseState, input: Float64Array, now: Instant, zone: ZoneOffsets): void {
  const s = state.scalars;
  const m = measured.numbers;
  const count = s[at.count]!;
  const x = Math.min(LARGEST, Math.max(-LARGEST, input[0]!));
  const { monotonicMs, utcMs } = now;
  const known = measured.of === state && m[of.count] === count && m[of.value] === x;
  if (known && m[of.monotonicMs] === monotonicMs && m[of.utcMs] === utcMs) return;
  measured.of = state;
  m[of.count] = count;
  m[of.value] = x;
  m[of.monotonicMs] = monotonicMs;
  m[of.utcMs] = utcMs;
  measureBlock(state, minutes, monotonicMs, measured.minute);
  measureBlock(state, hours, monotonicMs, measured.hour);
  m[of.seasonBits] = 0;
  m[of.seasonShare] = 0;
  measured.proven = false;
  measured.expected = false;
  const sparse = isSparse(s, monotonicMs);
  measured.seasonal = sparse || (measured.minute.closed && isFullBlock(state, minutes));
  if (measured.seasonal) measureSeason(state, now, zone, sparse);
  measurePoint(state);
  m[of.lastingBits] = 0;
  measured.lasting = count >= LASTING_POINTS && ((count + 1) >>> 0) % LASTING_EVERY === 0;
  if (measured.lasting) measureLasting(state);
  m[of.bits] = Math.max(0, mostBits() - usualAt(state, now, zone));
}

function mostBits(): number {
  const m = measured.numbers;
  let by: number = look.point;
  let most = m[of.scoreBits]!;
  if (m[of.lastingBits]! > most) {
    by = look.lasting;
    most = m[of.lastingBits]!;
  }
  if (m[of.seasonBits]! > most) {
    by = look.season;
    most = m[of.seasonBits]!;
  }
  if (measured.minute.bits > most) {
    by = look.minute;
    most = measured.minute.bits;
  }
  if (measured.hour.bits > most) {
    by = look.hour;
    most = measured.hour.bits;
  }
  measured.by = by;
  return most;
}

function usualAt(state: SurpriseState, now: Instant, zone: ZoneOffsets): number {
  if (!isNewMinute(state.scalars, usual, now.utcMs)) return usualBitsNow(state.scalars, usual);
  const local = localMs(zone, now.utcMs);
  return usualBits(state, usual, hourSlotOf(local), daySlotOf(local));
}

function measurePoint(state: SurpriseState): void {
  const { scalars: s, floats } = state;
  const m = measured.numbers;
  const x = m[of.value]!;
  const count = m[of.count]!;
  const mean = s[at.mean]!;
  const deviation = Math.sqrt(s[at.variance]!);
  const residualDeviation = Math.sqrt(s[at.residualVariance]!);
  const level = inDeviations(x - mean, deviation, mean);
  const residual = inDeviations(x - s[at.fast]!, residualDeviation, mean);
  m[of.level] = level;
  m[of.levelDeviation] = deviation;
  m[of.residual] = residual;
  m[of.residualDeviation] = residualDeviation;
  m[of.recent] = Number.NaN;
  m[of.deviation] = Number.NaN;
  m[of.deviationShare] = 0;
  measureRatio(s, floats, places.value, m, of.value);
  let score = weights.value * Math.log2(m[of.value + RATIO]!) + m[of.seasonShare]!;
  if (count >= RECENT_POINTS - 1) measureRecent(state);
  if (count >= RECENT_POINTS) {
    const share = weights.deviation * Math.log2(m[of.deviation + RATIO]!);
    m[of.deviationShare] = share;
    score += share + weights.recent * Math.log2(m[of.recent + RATIO]!);
  }
  const moves = s[at.moves]!;
  if (level > floats[tailAt.level]!) {
    score += weights.level * heldBits(tailBits(floats, tailAt.level, distancePrior, level), count, moves);
  }
  if (residual > floats[tailAt.residual]!) {
    score += weights.residual * heldBits(tailBits(floats, tailAt.residual, distancePrior, residual), count, moves);
  }
  m[of.score] = score;
  const bits = score > floats[tailAt.score]! ? tailBits(floats, tailAt.score, scorePrior, score) : 0;
  m[of.scoreBits] = measured.expected ? EXPECTED_SHARE * bits : bits;
}

/** Whether the median of the last points has left the level: what lasts stands out among flashes. */
function measureLasting(state: SurpriseState): void {
  const { scalars: s, floats } = state;
  const m = measured.numbers;
  const x = m[of.value]!;
  const count = m[of.count]!;
  const median = medianWith(state, x);
  const mean = s[at.mean]!;
  const variance = Math.max(s[at.lastingVariance]!, LASTING_FLOOR * LASTING_FLOOR * s[at.variance]!);
  m[of.median] = median;
  m[of.lastingDistance] = standardised(median - mean, variance, mean);
  const tail = tailBits(floats, tailAt.lasting, distancePrior, m[of.lastingDistance]!);
  m[of.lastingScore] = tail === 0 ? 0 : heldBits(tail, count, s[at.moves]!, lastMoves(state, x));
  const bits = tailBits(floats, tailAt.lastingScore, lastingPrior, m[of.lastingScore]!);
  // Looked at more seldom, it has fewer chances to be wrong.
  m[of.lastingBits] = bits === 0 ? 0 : bits + Math.log2(LASTING_EVERY);
}

/** Holds the point (of a sparse series) or the minute that it closes against the season. */
function measureSeason(state: SurpriseState, now: Instant, zone: ZoneOffsets, sparse: boolean): void {
  const { scalars: s, floats } = state;
  const m = measured.numbers;
  const sample = sparse ? m[of.value]! : blockMean(state, minutes);
  const local = localMs(zone, seasonUtcMs(now.utcMs, sparse));
  measured.slot = slotOf(day, local);
  const distance = distanceFromSeason(state, day, measured.slot, sample);
  m[of.sample] = sample;
  m[of.seasonDistance] = distance;
  measured.proven = isProven(state, day);
  measured.expected = measured.proven && Math.abs(distance) < AS_EXPECTED;
  if (Number.isNaN(distance)) return;
  measureRatio(s, floats, places.season, m, of.seasonDistance);
  const rare = Math.log2(m[of.seasonDistance + RATIO]!);
  const tail = tailBits(floats, tailAt.season, distancePrior, Math.abs(distance));
  m[of.seasonScore] = SEASON_RARE * rare + SEASON_TAIL * tail;
  if (!measured.proven) return;
  const bits = tailBits(floats, tailAt.seasonScore, seasonPrior, m[of.seasonScore]!);
  const every = sparse ? 0 : Math.log2(Math.max(1, s[minutes.at + 1]!));
  m[of.seasonBits] = bits === 0 ? 0 : bits + every;
  if (sparse) m[of.seasonShare] = weights.seasonRare * rare + weights.seasonTail * tail;
}

/** A minute's mean belongs to the time in which it was taken. */
export function seasonUtcMs(utcMs: number, sparse: boolean): number {
  return sparse ? utcMs : utcMs - minutes.spanMs / 2;
}

/** Whether the points of a series come so seldom that each is a sample for the season. */
export function isSparse(s: Float64Array, monotonicMs: number): boolean {
  return s[at.count]! > 0 && monotonicMs - s[at.lastMs]! >= SPARSE_MS;
}

/** Mean and standard deviation of the last 47 points and x; by running sums where they are exact enough. */
function measureRecent({ scalars: s, floats }: SurpriseState): void {
  const m = measured.numbers;
  const x = m[of.value]!;
  const origin = s[at.origin]!;
  const place = s[at.ringPlace]!;
  const leaving = floats[RING + place]!;
  const coming = ringOffset(x - origin);
  const squares = s[at.squares]! + coming * coming - leaving * leaving;
  const mean = (s[at.sum]! + coming - leaving) / RECENT_POINTS;
  const variance = squares / RECENT_POINTS - mean * mean;
  let recent = origin;
  let deviation = 0;
  if (variance > squares * 1e-9 && squares > s[at.squares]! * 1e-6) {
    recent += mean;
    deviation = Math.sqrt(variance);
  } else if (squares !== 0) {
    // What is left of a difference of large sums is noise: then look at the points themselves.
    let sum = coming;
    for (let i = 0; i < RECENT_POINTS; i++) if (i !== place) sum += floats[RING + i]!;
    const exactMean = sum / RECENT_POINTS;
    let exact = (coming - exactMean) ** 2;
    for (let i = 0; i < RECENT_POINTS; i++) if (i !== place) exact += (floats[RING + i]! - exactMean) ** 2;
    recent += exactMean;
    deviation = Math.sqrt(exact / RECENT_POINTS);
  }
  m[of.recent] = recent;
  m[of.deviation] = deviation;
  measureRatio(s, floats, places.recent, m, of.recent);
  measureRatio(s, floats, places.deviation, m, of.deviation);
}

/** As the ring has it: in single precision, and never infinite. */
export function ringOffset(difference: number): number {
  return Math.fround(Math.min(LARGEST_OFFSET, Math.max(-LARGEST_OFFSET, difference)));
}

const sorted = new Float64Array(LASTING_POINTS);

/** Median of x and the points before it, by insertion. */
function medianWith({ scalars: s, floats }: SurpriseState, x: number): number {
  const origin = s[at.origin]!;
  sorted[0] = x - origin;
  let from = s[at.ringPlace]! - 1;
  for (let i = 1; i < LASTING_POINTS; i++) {
    if (from < 0) from += RECENT_POINTS;
    const value = floats[RING + from]!;
    from--;
    let k = i;
    while (k > 0 && sorted[k - 1]! > value) {
      sorted[k] = sorted[k - 1]!;
      k--;
    }
    sorted[k] = value;
  }
  return origin + sorted[LASTING_POINTS >> 1]!;
}

/** How many of x and the points that the median is taken of differ from the one before. */
function lastMoves({ scalars: s, floats }: SurpriseState, x: number): number {
  let moves = 0;
  let later = ringOffset(x - s[at.origin]!);
  let from = s[at.ringPlace]! - 1;
  for (let i = 1; i < LASTING_POINTS; i++) {
    if (from < 0) from += RECENT_POINTS;
    const value = floats[RING + from]!;
    from--;
    if (value !== later) moves++;
    later = value;
  }
  return moves;
}
