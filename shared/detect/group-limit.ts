/**
 * What the running statistics of a group are judged by. Each is standardised by its own mean and deviation in what is
 * usual for the group; the greatest is held against a tail over episodes: above the threshold an episode begins, and when
 * it has ended its peak is learned, once, so that a trouble that lasts does not teach that trouble is usual. Below it
 * every tenth sample is learned, as rows that are close say the same.
 *
 * The threshold stands where the prior has it, as deviations mean the same for every group; how often and how far it is
 * passed is learned.
 *
 * Layouts in the caller's array. A standard: weight of what was learned, mean, variance. A limit: rows of the present
 * episode, its peak, rows since the last quiet sample, tail.
 */
import { learnTail, startTail, TAIL_SIZE, type TailPrior, tailBits } from '../math/tails.ts';

const EPISODE = 0;
const PEAK = 1;
const QUIET = 2;
const TAIL = 3;
export const LIMIT_SIZE = TAIL + TAIL_SIZE;

const QUIET_ROWS = 10;
/** An episode ends as far below the threshold, or when it has lasted as many rows: what goes on is a new one. */
const BACK_BELOW = 0.3;
const LONGEST_EPISODE = 500;

/** A statistic beyond as many deviations moves its mean and variance no more than there, and weighs as little. */
const MOST_DEVIATIONS = 3;
const BEYOND_WEIGHT = 0.1;
/** Rows that the prior is worth, and beyond which the past fades. */
const PRIOR_ROWS = 500;
const MEMORY_ROWS = 16_384;
const LEAST_VARIANCE = 0.02;

export const STANDARD_SIZE = 3;

/** What is usual before a group was watched, in log2 of multiples of what is expected. */
export interface Usual {
  readonly mean: number;
  readonly deviation: number;
}

export function startStandard(a: Float64Array, at: number, { mean, deviation }: Usual): void {
  a[at] = PRIOR_ROWS;
  a[at + 1] = mean;
  a[at + 2] = deviation * deviation;
}

/** In deviations from what is usual. */
export function standardised(a: Float64Array, at: number, y: number): number {
  return (y - a[at + 1]!) / Math.sqrt(a[at + 2]!);
}

export function learnStandard(a: Float64Array, at: number, y: number): void {
  const z = standardised(a, at, y);
  const weight = z > MOST_DEVIATIONS ? BEYOND_WEIGHT : 1;
  const count = Math.min(MEMORY_ROWS, a[at]! + weight);
  const off = Math.min(MOST_DEVIATIONS, Math.max(-MOST_DEVIATIONS, z)) * Math.sqrt(a[at + 2]!);
  a[at] = count;
  a[at + 1] = a[at + 1]! + (weight / count) * off;
  a[at + 2] = Math.max(LEAST_VARIANCE, a[at + 2]! + (weight / count) * (off * off - a[at + 2]!));
}

/** What could not be lived with in a standard that was loaded, or null. */
export function standardProblem(a: Float64Array, at: number): string | null {
  const sound =
    a[at]! >= PRIOR_ROWS &&
    a[at]! <= MEMORY_ROWS &&
    Math.abs(a[at + 1]!) <= 100 &&
    a[at + 2]! >= LEAST_VARIANCE &&
    a[at + 2]! <= 1e4;
  return sound ? null : 'what is usual is out of bounds';
}

/** What is usual for groups before this one was watched: in some hundred machine-days of servers and test beds. */
const limitPrior: TailPrior = {
  share: 0.002,
  threshold: 3,
  meanExcess: 1,
  shape: 0,
  peaks: 10,
  memory: 20_000,
};

export function startLimit(a: Float64Array, at: number): void {
  a.fill(0, at, at + TAIL);
  startTail(a, at + TAIL, limitPrior);
}

/** Surprise of a statistic at least as high, in bits. Below the threshold they fall evenly to 0 at what is usual. */
export function limitBits(a: Float64Array, at: number, y: number): number {
  const bits = tailBits(a, at + TAIL, limitPrior, Math.max(y, limitPrior.threshold + 1e-9));
  // Learned more seldom than it is asked, it has fewer chances to be wrong.
  return Math.max(0, Math.min(1, y / limitPrior.threshold) * (bits + Math.log2(QUIET_ROWS)));
}

export function inEpisode(a: Float64Array, at: number): boolean {
  return a[at + EPISODE]! > 0;
}

/** A reference is new: what was going on against the old one is over. */
export function endEpisode(a: Float64Array, at: number): void {
  a[at + EPISODE] = 0;
}

/** Takes in the next row's statistic. @param learns false: the limit stands */
export function followLimit(a: Float64Array, at: number, y: number, learns: boolean): void {
  if (inEpisode(a, at)) {
    a[at + EPISODE] = a[at + EPISODE]! + 1;
    a[at + PEAK] = Math.max(a[at + PEAK]!, y);
    if (y > limitPrior.threshold - BACK_BELOW && a[at + EPISODE]! < LONGEST_EPISODE) return;
    if (learns) learnSample(a, at, a[at + PEAK]!);
    a[at + EPISODE] = 0;
  } else if (y > limitPrior.threshold) {
    a[at + EPISODE] = 1;
    a[at + PEAK] = y;
  } else {
    a[at + QUIET] = a[at + QUIET]! + 1;
    if (a[at + QUIET]! < QUIET_ROWS) return;
    a[at + QUIET] = 0;
    if (learns) learnSample(a, at, y);
  }
}

function learnSample(a: Float64Array, at: number, y: number): void {
  learnTail(a, at + TAIL, limitPrior, y);
  a[at + TAIL] = limitPrior.threshold;
}

/** What could not be lived with in a limit that was loaded, or null. */
export function limitProblem(a: Float64Array, at: number): string | null {
  const count = (place: number, most: number): boolean => a[at + place]! >= 0 && a[at + place]! <= most;
  if (!count(EPISODE, LONGEST_EPISODE) || !count(QUIET, QUIET_ROWS)) return 'an episode is out of bounds';
  if (!(Math.abs(a[at + PEAK]!) <= 1e4 && Math.abs(a[at + TAIL]!) <= 100)) return 'a peak is out of bounds';
  const peaks = a[at + TAIL + 2]!;
  const tail = count(TAIL + 1, 1e15) && count(TAIL + 2, 1e15);
  if (!tail || !count(TAIL + 3, 1e3 * (peaks + 1)) || !count(TAIL + 4, 1e6 * (peaks + 1))) return 'a tail is none';
  return a[at + TAIL + 5]! >= 1e-3 && count(TAIL + 5, 1e3) ? null : 'the spread of a tail is out of bounds';
}
