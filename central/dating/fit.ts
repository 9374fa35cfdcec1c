/**
 * The offset of one boot, UTC minus its monotonic time, as a line through few knots. Pure.
 *
 * A live envelope was received some delay after it was sent, so that "received minus sent" is the offset plus that
 * delay: an upper bound, and the smallest ones are the best (minimum-delay filter, as in NTP, RFC 5905, section 10).
 * The oscillator of a small board is off by tens of ppm, a minute in a month, so that one number a boot is not enough:
 * the best of each hour is a knot, and between knots the offset is a straight line. A boot that was offline for a month
 * between two knots is dated right in its middle.
 *
 * - A bound also binds its neighbourhood, as no clock drifts by more than `DRIFT` (RFC 5905 assumes 500 ppm at most):
 *   a knot that another's bound makes impossible says nothing and is dropped.
 * - Before the first knot and after the last the offset is level.
 */
import { HOUR_MS } from '../../shared/limits.ts';

/** By monotonic time, rising. */
export type Knots = readonly (readonly [monotonicMs: number, offsetMs: number])[];

/** 500 ppm. */
const DRIFT = 500e-6;
/** One knot an hour at most. */
const BUCKET_MS = HOUR_MS;
/** Of one boot; the one that matters least goes first. */
const MOST_KNOTS = 32;
/** The hour that is open is believed only as far as the one before it says the same. */
const ADJACENT_MS = 2 * HOUR_MS;

/** Takes a bound in; the same knots come back where it says nothing new. */
export function takeBound(knots: Knots, monotonicMs: number, offsetMs: number): Knots {
  if (excessOf(knots, monotonicMs, offsetMs) >= 0) return knots;
  const bucket = Math.floor(monotonicMs / BUCKET_MS);
  const kept = knots.filter(
    ([atMs, bound]) =>
      bound < offsetMs + DRIFT * Math.abs(monotonicMs - atMs) && Math.floor(atMs / BUCKET_MS) !== bucket,
  );
  if (knots.some(([atMs, bound]) => Math.floor(atMs / BUCKET_MS) === bucket && bound <= offsetMs)) return knots;
  const out = [...kept, [monotonicMs, offsetMs] as const].sort(([a], [b]) => a - b);
  return thinned(out);
}

/** How far a bound lies above what the knots allow at most; negative where it says something new. */
export function excessOf(knots: Knots, monotonicMs: number, offsetMs: number): number {
  let most = Number.POSITIVE_INFINITY;
  for (const [atMs, bound] of knots) most = Math.min(most, bound + DRIFT * Math.abs(monotonicMs - atMs));
  return most === Number.POSITIVE_INFINITY ? Number.NEGATIVE_INFINITY : offsetMs - most;
}

/** The offset at a monotonic time; null without a knot. */
export function offsetAt(knots: Knots, monotonicMs: number): number | null {
  const end = knots.length - 1;
  if (end < 0) return null;
  const offsetOf = (i: number): number => {
    const own = knots[i]![1];
    if (i < end || i === 0 || knots[i]![0] - knots[i - 1]![0] > ADJACENT_MS) return own;
    return Math.min(own, knots[i - 1]![1]);
  };
  if (monotonicMs <= knots[0]![0]) return offsetOf(0);
  for (let i = 1; i <= end; i++) {
    const toMs = knots[i]![0];
    if (monotonicMs > toMs) continue;
    const fromMs = knots[i - 1]![0];
    const share = (monotonicMs - fromMs) / (toMs - fromMs);
    return offsetOf(i - 1) * (1 - share) + offsetOf(i) * share;
  }
  return offsetOf(end);
}

/** The largest difference between two lines from one monotonic time to another; infinite where one says nothing. */
export function greatestDifference(a: Knots, b: Knots, fromMs: number, toMs: number): number {
  if (a.length === 0 || b.length === 0) return a.length === b.length ? 0 : Number.POSITIVE_INFINITY;
  let greatest = 0;
  for (const atMs of [fromMs, toMs, ...[...a, ...b].map(([at]) => at)]) {
    if (atMs < fromMs || atMs > toMs) continue;
    greatest = Math.max(greatest, Math.abs(offsetAt(a, atMs)! - offsetAt(b, atMs)!));
  }
  return greatest;
}

/** Adds a knot at the end of a line. */
export function extended(knots: Knots, monotonicMs: number, offsetMs: number): Knots {
  return thinned([...knots, [monotonicMs, offsetMs]]);
}

/**
 * Without the inner knot that makes the smallest triangle with its neighbours (Visvalingam and Whyatt 1993), until few
 * enough are left: the jitter of an hour goes before the drift of a month. The two newest stay.
 */
function thinned(knots: Knots): Knots {
  if (knots.length <= MOST_KNOTS) return knots;
  let least = 1;
  let leastArea = Number.POSITIVE_INFINITY;
  for (let i = 1; i < knots.length - 2; i++) {
    const [[fromMs, from], [atMs, at], [toMs, to]] = [knots[i - 1]!, knots[i]!, knots[i + 1]!];
    const area = Math.abs((atMs - fromMs) * (to - from) - (toMs - fromMs) * (at - from));
    if (area < leastArea) [least, leastArea] = [i, area];
  }
  return thinned(knots.filter((_, i) => i !== least));
}
