/**
 * What a forecast of a stock remembers, in 242 numbers: the highest level of each bucket of time in five rings, from
 * minutes to weeks, and the trend that was last found in each.
 *
 *     ring        minute   10 minutes   hour   day    8 days
 *     buckets       30         30        42     28      20
 *     reaches      30 min      5 h      42 h   4 weeks  5 months
 *
 * The highest level, because what matters is whether the peaks rise: within a bucket a log may be rotated and a backup
 * deleted as often as it likes.
 */
import { numbersCodec } from './number-state.ts';

/** Length of a ring's buckets, in minutes, and how many there are. */
export const WIDTHS: readonly number[] = [1, 10, 60, 1440, 11_520];
export const SLOTS: readonly number[] = [30, 30, 42, 28, 20];
export const RINGS = 5;
export const MOST_SLOTS = 42;

/** A bucket in which nothing was measured. */
export const EMPTY = -9;

/** Values that were learned. */
export const COUNT = 0;
/** Minutes since the first, by the monotonic clock; over a restart by UTC. */
export const NOW = 1;
export const LAST_MONOTONIC = 2;
export const LAST_UTC = 3;
export const LEVEL = 4;
/** 1: the agent was started anew, and the monotonic clock with it perhaps. */
export const RESUMED = 5;
/** The fastest rise that came back by itself, a minute; fades. */
export const HABIT_RATE = 6;
/** The rise that goes on: where and when it began, and its peak. */
export const LOW = 7;
export const LOW_AT = 8;
export const HIGH = 9;
export const HIGH_AT = 10;
/** The steepest trend of minutes in it. */
export const RISE_RATE = 11;

/** Of each ring, from `ringAt`. */
const FIRST_RING = 12;
const RING_NUMBERS = 16;
/** Number of the open bucket, from the first value on. */
export const BUCKET = 0;
/** Lowest level in the open bucket, and how far levels go down within a bucket. */
export const OPEN_LOW = 1;
export const DIP = 2;
/** Points of the trend, 0 where there is none; the rest says nothing then. */
export const POINTS = 3;
/** A minute: in the middle, and the ends of what its pairs of points say. */
export const SLOPE = 4;
export const SLOWEST = 5;
export const FASTEST = 6;
/** Level of the line at `AT`, and how far points lie below and above it. */
export const LINE = 7;
export const AT = 8;
export const BELOW = 9;
export const ABOVE = 10;
/** When the rise began, and from which level. */
export const SINCE = 11;
export const TROUGH = 12;
/** When the open bucket's highest level was, and where in a bucket, from 0 to 1, the peaks are. */
export const OPEN_HIGH_AT = 13;
export const PHASE = 14;
/** How many times as steep the later half of the trend is as the earlier one. */
export const CHANGE = 15;
/** A change is held to this, and to one in as many. */
export const MOST_CHANGE = 3;

const FIRST_SLOT = FIRST_RING + RINGS * RING_NUMBERS;
const slotStarts = SLOTS.map((_, ring) => FIRST_SLOT + SLOTS.slice(0, ring).reduce((sum, slots) => sum + slots, 0));
const SIZE = FIRST_SLOT + SLOTS.reduce((sum, slots) => sum + slots, 0);

/** Where a ring's own numbers begin. */
export function ringAt(ring: number): number {
  return FIRST_RING + ring * RING_NUMBERS;
}

/** Where the highest level of a bucket is kept. */
export function slotAt(ring: number, bucket: number): number {
  return slotStarts[ring]! + (bucket % SLOTS[ring]!);
}

/** Far more than any machine runs: a state beyond them is none of ours. */
const MOST_MINUTES = 1e9;
const MOST_COUNT = 2 ** 50;
/** Levels are shares, measured with some slack. */
export const LOWEST_LEVEL = -0.5;
export const HIGHEST_LEVEL = 1.5;

const isLevel = (value: number): boolean => value >= LOWEST_LEVEL && value <= HIGHEST_LEVEL;
const isTime = (value: number): boolean => value >= 0 && value <= MOST_MINUTES;

/** Whether the numbers can be one of ours: whatever passes is safe to go on with. */
function makesSense(s: Float64Array): boolean {
  if (!(Number.isInteger(s[COUNT]!) && s[COUNT]! >= 0 && s[COUNT]! <= MOST_COUNT)) return false;
  if (s[RESUMED] !== 0 && s[RESUMED] !== 1) return false;
  if (!isTime(s[NOW]!) || !isTime(s[LOW_AT]!) || !isTime(s[HIGH_AT]!)) return false;
  if (!isLevel(s[LEVEL]!) || !isLevel(s[LOW]!) || !isLevel(s[HIGH]!)) return false;
  for (const rate of [s[HABIT_RATE]!, s[RISE_RATE]!]) if (!(rate >= 0 && rate <= MOST_MINUTES)) return false;
  for (let ring = 0; ring < RINGS; ring++) {
    const at = ringAt(ring);
    if (s[at + BUCKET] !== Math.floor(s[NOW]! / WIDTHS[ring]!)) return false;
    if (!isTime(s[at + OPEN_HIGH_AT]!) || !(s[at + PHASE]! >= 0 && s[at + PHASE]! <= 1)) return false;
    if (!isLevel(s[at + OPEN_LOW]!) || !(s[at + DIP]! >= 0 && s[at + DIP]! <= 2)) return false;
    if (!(s[at + POINTS]! >= 0 && s[at + POINTS]! <= SLOTS[ring]!)) return false;
    if (s[at + POINTS] === 0) continue;
    if (!(s[at + SLOWEST]! > 0 && s[at + SLOPE]! >= s[at + SLOWEST]! && s[at + FASTEST]! >= s[at + SLOPE]!))
      return false;
    if (!(s[at + FASTEST]! <= 2 * HIGHEST_LEVEL) || !(Math.abs(s[at + LINE]!) <= 10)) return false;
    if (!(s[at + CHANGE]! >= 1 / MOST_CHANGE && s[at + CHANGE]! <= MOST_CHANGE)) return false;
    if (!isTime(s[at + AT]!) || !isTime(s[at + SINCE]!) || !isLevel(s[at + TROUGH]!)) return false;
    if (!(Math.abs(s[at + BELOW]!) <= 10 && Math.abs(s[at + ABOVE]!) <= 10)) return false;
  }
  for (let i = FIRST_SLOT; i < SIZE; i++) if (s[i] !== EMPTY && !isLevel(s[i]!)) return false;
  return true;
}

export function emptyState(): Float64Array {
  const s = new Float64Array(SIZE);
  s.fill(EMPTY, FIRST_SLOT);
  for (let ring = 0; ring < RINGS; ring++) s[ringAt(ring) + PHASE] = 1;
  return s;
}

export const timeToFullState = numbersCodec('a forecast', 1, SIZE, makesSense);
