/**
 * The trend of one ring's peaks: Theil and Sen's median of the slopes between pairs of points (P. K. Sen, 1968), of the
 * stretch since the peaks last were at their lowest. Pairs that lie close together say more of the noise than of the
 * trend and are left out; the quantiles of the others' slopes say how sure the trend is.
 *
 * What is no clear rise (a few points, less than the noise makes by itself, slopes that disagree in sign) is no trend.
 */
import {
  ABOVE,
  AT,
  BELOW,
  BUCKET,
  CHANGE,
  EMPTY,
  FASTEST,
  LINE,
  MOST_CHANGE,
  MOST_SLOTS,
  PHASE,
  POINTS,
  ringAt,
  SINCE,
  SLOPE,
  SLOTS,
  SLOWEST,
  slotAt,
  TROUGH,
  WIDTHS,
} from './time-to-full-state.ts';

/** Points without which there is no trend: of minutes, where every minute counts, and of all else. */
const LEAST_POINTS_OF_MINUTES = 3;
const LEAST_POINTS = 4;
/** Minutes before a rise of minutes that tell what the usual unrest is. */
const KNOWN_BEFORE = 3;
/** A rise by less says nothing, however steady. */
const LEAST_RISE = 0.002;
/** It begins where the last level was that is above the lowest by at most this part of it. */
const KNEE = 0.1;
/** As many times the unrest from bucket to bucket, and around the line, a rise must be. */
const OVER_STEPS = 10;
const OVER_RESIDUALS = 4;
const LOW_QUANTILE = 0.1;
const NEWEST_PART = 8;
/** Halves that differ by more than this part of their slope, beyond their own middle halves, are a bend. */
const BEND = 0.2;
const MIDDLE_QUANTILE = 0.25;

const times = new Float64Array(MOST_SLOTS);
const levels = new Float64Array(MOST_SLOTS);
const work = new Float64Array(MOST_SLOTS);
const slopes = new Float64Array((MOST_SLOTS * (MOST_SLOTS - 1)) / 2);

/** Looks for the trend up to bucket `last`, and keeps what it finds. */
export function findTrend(s: Float64Array, ring: number, last: number): void {
  const at = ringAt(ring);
  s[at + POINTS] = 0;
  const n = gather(s, ring, last);
  const least = ring === 0 ? LEAST_POINTS_OF_MINUTES : LEAST_POINTS;
  if (n < least + (ring === 0 ? KNOWN_BEFORE : 0)) return;
  const end = levels[n - 1]!;
  let lowest = end;
  for (let i = 0; i < n; i++) lowest = Math.min(lowest, levels[i]!);
  const rise = end - lowest;
  if (rise < LEAST_RISE) return;
  let first = n - 1;
  while (levels[first]! > lowest + KNEE * rise) first--;
  if (n - first < least || rise < OVER_STEPS * unrest(n)) return;
  while (n - first >= 2 * least && bends(first, n)) first = (first + n) >> 1;
  quantiles(first, n, LOW_QUANTILE, whole);
  const { slope, slowest } = whole;
  if (!(slowest > 0)) return;
  const fitted = n - first;
  const residuals = work.subarray(0, fitted);
  for (let i = 0; i < fitted; i++) residuals[i] = levels[first + i]! - slope * (times[first + i]! - times[n - 1]!);
  // The newest points are held against the others: they may be the end of the trend.
  const settled = fitted - Math.ceil(fitted / NEWEST_PART);
  let lowestSettled = residuals[0]!;
  for (let i = 1; i < settled; i++) lowestSettled = Math.min(lowestSettled, residuals[i]!);
  residuals.sort();
  const line = residuals[(fitted - 1) >> 1]!;
  const below = Math.min(0, lowestSettled - line);
  const above = residuals[fitted - 1]! - line;
  for (let i = 0; i < fitted; i++) residuals[i] = Math.abs(residuals[i]! - line);
  residuals.sort();
  if (end - levels[first]! < OVER_RESIDUALS * residuals[fitted >> 1]!) return;
  const change = fitted >= 2 * LEAST_POINTS_OF_MINUTES ? changeOf(first, n) : 1;
  s[at + POINTS] = fitted;
  s[at + SLOPE] = slope;
  s[at + SLOWEST] = slowest;
  s[at + FASTEST] = whole.fastest;
  s[at + CHANGE] = change;
  s[at + LINE] = line;
  s[at + AT] = times[n - 1]!;
  s[at + BELOW] = below;
  s[at + ABOVE] = above;
  s[at + SINCE] = times[first]!;
  s[at + TROUGH] = lowest;
}

/** The ring's points up to a bucket, oldest first. Peaks lie where the last ones lay in their buckets. */
function gather(s: Float64Array, ring: number, last: number): number {
  const width = WIDTHS[ring]!;
  const place = ring === 0 ? 0.5 : s[ringAt(ring) + PHASE]!;
  const newest = s[ringAt(ring) + BUCKET]!;
  let n = 0;
  for (let bucket = Math.max(0, newest - SLOTS[ring]! + 1); bucket <= last; bucket++) {
    const level = s[slotAt(ring, bucket)]!;
    if (level === EMPTY) continue;
    times[n] = (bucket + place) * width;
    levels[n++] = level;
  }
  return n;
}

/** How much a step from point to point usually differs from the usual step. */
function unrest(n: number): number {
  const steps = work.subarray(0, n - 1);
  for (let i = 0; i < n - 1; i++) steps[i] = levels[i + 1]! - levels[i]!;
  steps.sort();
  const usual = steps[(n - 2) >> 1]!;
  for (let i = 0; i < n - 1; i++) steps[i] = Math.abs(steps[i]! - usual);
  steps.sort();
  return steps[(n - 2) >> 1]!;
}

interface Slopes {
  slope: number;
  slowest: number;
  fastest: number;
}

const emptySlopes = (): Slopes => ({ slope: 0, slowest: 0, fastest: 0 });
const whole = emptySlopes();
const earlier = emptySlopes();
const later = emptySlopes();

/** Quantiles of the slopes between points of a stretch that lie a third of it or more apart. */
function quantiles(first: number, end: number, share: number, out: Slopes): void {
  const apart = Math.max(1, Math.floor((end - first) / 3));
  let pairs = 0;
  for (let i = first; i < end; i++) {
    for (let j = i + apart; j < end; j++) slopes[pairs++] = (levels[j]! - levels[i]!) / (times[j]! - times[i]!);
  }
  const sorted = slopes.subarray(0, pairs).sort();
  out.slowest = sorted[Math.floor(share * (pairs - 1))]!;
  out.slope = sorted[(pairs - 1) >> 1]!;
  out.fastest = sorted[Math.ceil((1 - share) * (pairs - 1))]!;
}

function halves(first: number, end: number): void {
  const middle = (first + end) >> 1;
  quantiles(first, middle + 1, MIDDLE_QUANTILE, earlier);
  quantiles(middle, end, MIDDLE_QUANTILE, later);
}

/** Whether the later half goes another way than the earlier one, more clearly than each disagrees with itself. */
function bends(first: number, end: number): boolean {
  halves(first, end);
  const apart = later.slowest > earlier.fastest || later.fastest < earlier.slowest;
  return apart && Math.abs(later.slope - earlier.slope) > BEND * Math.max(later.slope, earlier.slope);
}

/** How many times as fast the later half is as the earlier one. */
function changeOf(first: number, end: number): number {
  halves(first, end);
  const change = later.slope > 0 && earlier.slope > 0 ? later.slope / earlier.slope : 1;
  return Math.min(MOST_CHANGE, Math.max(1 / MOST_CHANGE, change));
}
