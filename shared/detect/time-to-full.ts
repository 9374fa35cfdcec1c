/**
 * Time to full: when a stock (a disk, memory, a battery) reaches its end if things go on as they do.
 *
 * Rings of peaks from minutes to weeks (`time-to-full-state.ts`), each with a trend (`time-to-full-trend.ts`). The
 * longest ring whose trend explains the present level speaks:
 *
 *   - within its band: the faster rings see parts of what it sees as a whole (a nightly step, a tooth of a saw), and are
 *     not asked. Where its end is too far off to be told from so short a history, nothing is in sight.
 *   - above it: something faster began; the next shorter ring is asked. Below it: the trend is over.
 *   - a rise to where the level has been before, and came back from by itself (a backup that is deleted each night, a log
 *     that is rotated), is usual and no trend, unless it is at least twice as fast as any that came back.
 *
 * The value is the share in use: 1 is full. Of what runs empty its owner passes one minus the share that is left. One
 * value a window: the highest in it.
 *
 * Constraints: 242 numbers a series, no allocation; a trend is looked for when a bucket of its ring ends.
 */
import type { Instant } from '../clock.ts';
import { Quality } from '../series.ts';
import { clearVerdict, type DetectorKind } from './detector.ts';
import { parseNumbers } from './params.ts';
import * as f from './time-to-full-state.ts';
import { findTrend } from './time-to-full-trend.ts';

export interface TimeToFullParams {
  /** Within so many minutes it is a finding. */
  readonly horizonMinutes: number;
  /** How many times the length of its history a trend is continued at most. */
  readonly reach: number;
  /** Minutes for which a rise must have lasted. */
  readonly leastMinutes: number;
}

export const timeToFullDefaults: TimeToFullParams = { horizonMinutes: 10_080, reach: 3, leastMinutes: 1 };

/** Minutes until it is full; the interval holds it in nine of ten cases. */
export interface TimeToFull {
  /** NaN: not in sight. */
  minutes: number;
  earliestMinutes: number;
  /** Infinity: it may as well never be. */
  latestMinutes: number;
  /** Share of the stock that is taken in a day. */
  perDay: number;
}

const DAY_MINUTES = 1440;
/** On the first day a trend is continued by this part of what it is later. */
const FIRST_REACH = 1 / 3;
/** What fills within so many minutes is told however short its history is. */
const URGENT_MINUTES = 30;
/** A rise that came back is usual up to as much of its height more, but not where hardly anything is left. */
const MARGIN = 0.25;
const HIGHEST_USUAL = 0.95;
/** As many times as fast as what came back, it is not usual. */
const FASTER = 2;
/** A level that is lower by as much has come back. */
const RETREAT = 0.02;
/** Of measuring. */
const SLACK = 0.002;
/** Buckets of each ring that tell where the level has been: eight days, so that a weekly job is known. */
const REMEMBERED: readonly number[] = [30, 30, 42, 9, 2];
const HABIT_HALF_LIFE_MINUTES = 14 * DAY_MINUTES;
/** How deep levels dip within a bucket is forgotten at this rate a bucket. */
const DIP_FADE = 0.8;
/** How much the last bucket says of where peaks are. */
const PHASE_GAIN = 0.75;
/** A trend that nobody renewed for as many of its buckets is over. */
const STALE_BUCKETS = 3;
/** A slope is never known better than this, and the less the further it is continued. */
const LEAST_DOUBT = 0.07;
const WIDEN = 1.5;
const MOST_BENT = 4;
/** Where the slowest is less than this part of the slope, the end is open. */
const OPEN = 0.1;
/** Levels in a bucket differ by as many times what the trend makes of it: its peaks stand out. */
const PEAKED = 2;
/** What rises all the time has its peaks at the end of a bucket. */
const LATE_PHASE = 0.85;
/** A restart that took longer, or a clock that says so, is one of which nothing is known. */
const LONGEST_GAP_MINUTES = 60 * DAY_MINUTES;
const MINUTE_MS = 60_000;

export function emptyTimeToFull(): TimeToFull {
  return { minutes: Number.NaN, earliestMinutes: Number.NaN, latestMinutes: Number.NaN, perDay: Number.NaN };
}

/** To be called on what was saved, before the first value: the monotonic clock may be another boot's. */
export function resumeTimeToFull(s: Float64Array): void {
  if (s[f.COUNT]! > 0) s[f.RESUMED] = 1;
}

/** Minutes from the last value to `at`. */
function minutesSince(s: Float64Array, at: Instant): number {
  if (s[f.COUNT] === 0) return 0;
  const resumed = s[f.RESUMED] === 1;
  const ms = resumed ? at.utcMs - s[f.LAST_UTC]! : at.monotonicMs - s[f.LAST_MONOTONIC]!;
  const minutes = ms / MINUTE_MS;
  if (minutes > 0 && minutes <= LONGEST_GAP_MINUTES) return minutes;
  return resumed ? 1 : 0;
}

function usable(x: Float64Array, quality: Uint8Array, at: Instant): boolean {
  const level = x[0]!;
  if (!(level >= f.LOWEST_LEVEL && level <= f.HIGHEST_LEVEL) || quality[0] !== Quality.good) return false;
  return Number.isFinite(at.monotonicMs) && Number.isFinite(at.utcMs);
}

/** The highest level, in what is remembered, from before a time; -1 for none. */
function highestBefore(s: Float64Array, time: number): number {
  let highest = -1;
  for (let ring = 0; ring < f.RINGS; ring++) {
    const width = f.WIDTHS[ring]!;
    const newest = s[f.ringAt(ring) + f.BUCKET]!;
    const before = Math.min(newest, Math.ceil(time / width) - 1);
    for (let bucket = Math.max(0, newest - REMEMBERED[ring]! + 1); bucket < before; bucket++) {
      highest = Math.max(highest, s[f.slotAt(ring, bucket)]!);
    }
  }
  return highest;
}

/** Whether the level has been as high, before this rise began, and came back. */
function isUsual(s: Float64Array, at: number, level: number): boolean {
  const before = highestBefore(s, s[at + f.SINCE]!);
  const trough = s[at + f.TROUGH]!;
  if (before - trough < RETREAT || s[at + f.SLOPE]! > FASTER * s[f.HABIT_RATE]!) return false;
  return level < Math.min(before + MARGIN * (before - trough), Math.max(before, HIGHEST_USUAL));
}

/**
 * When it will be full, as it looks at this level and time. Learns nothing.
 * @returns whether it was in sight
 */
export function timeToFullOf(
  params: TimeToFullParams,
  s: Float64Array,
  level: number,
  instant: Instant,
  out: TimeToFull,
): boolean {
  out.minutes = out.earliestMinutes = out.latestMinutes = out.perDay = Number.NaN;
  const now = s[f.NOW]! + minutesSince(s, instant);
  let spoke = false;
  for (let ring = f.RINGS - 1; ring >= 0; ring--) {
    const at = f.ringAt(ring);
    const age = now - s[at + f.AT]!;
    if (s[at + f.POINTS] === 0 || age > STALE_BUCKETS * f.WIDTHS[ring]!) continue;
    const line = s[at + f.LINE]! + s[at + f.SLOPE]! * Math.max(0, age);
    const spread = spreadOf(s, at);
    // Below what dips within its buckets are used to.
    if (level < line + s[at + f.BELOW]! - 1.2 * s[at + f.DIP]! - spread - SLACK) continue;
    const explains = level <= line + s[at + f.ABOVE]! + 0.3 * spread + SLACK;
    const told =
      !isUsual(s, at, level) && project(params, s, ring, Math.max(line, level - s[at + f.ABOVE]!), level, now, out);
    if (explains) return told;
    // The fastest that is seen is the last word, unless something faster explains more.
    if (told) spoke = true;
  }
  return spoke;
}

function spreadOf(s: Float64Array, at: number): number {
  return s[at + f.ABOVE]! - s[at + f.BELOW]!;
}

/** Continues a trend, if it can be continued as far. */
function project(
  params: TimeToFullParams,
  s: Float64Array,
  ring: number,
  line: number,
  level: number,
  now: number,
  out: TimeToFull,
): boolean {
  const at = f.ringAt(ring);
  const slope = s[at + f.SLOPE]!;
  const history = Math.max(1, now - s[at + f.SINCE]!);
  const minutes = Math.max(0, 1 - line) / slope;
  // Before a day was seen, its ups and downs are not known.
  const reach = params.reach * Math.min(1, Math.max(FIRST_REACH, now / DAY_MINUTES));
  if (history < params.leastMinutes || minutes > Math.max(URGENT_MINUTES, reach * history)) return false;
  const widen = WIDEN * Math.sqrt(1 + minutes / history);
  // What speeds up, or slows down, may well go on to: a parabola through both halves.
  const bent = slope * Math.min(MOST_BENT, 1 + (s[at + f.CHANGE]! - 1) * (1 + minutes / history));
  const fastest = Math.max(bent, slope + Math.max(s[at + f.FASTEST]! - slope, LEAST_DOUBT * slope) * widen);
  const slowest = Math.min(bent, slope - Math.max(slope - s[at + f.SLOWEST]!, LEAST_DOUBT * slope) * widen);
  const least = Math.max(0, 1 - Math.max(level, line + s[at + f.ABOVE]!));
  const most = Math.max(0, 1 - line - s[at + f.BELOW]!);
  // Where peaks stand out of their buckets (a backup, a tooth), it is a peak that will be too high.
  const width = f.WIDTHS[ring]!;
  const early = s[at + f.PHASE]! < LATE_PHASE;
  const peaked = ring > 0 && (early || s[at + f.DIP]! > PEAKED * slope * width + spreadOf(s, at));
  const phase = s[at + f.PHASE]! * width;
  out.minutes = peaked ? Math.ceil((now + minutes - phase) / width) * width + phase - now : minutes;
  out.earliestMinutes = Math.max(0, Math.min(out.minutes - (peaked ? width / 8 : 0), least / fastest));
  out.latestMinutes =
    slowest > OPEN * slope ? Math.max(out.minutes, most / slowest + (peaked ? width : 0)) : Number.POSITIVE_INFINITY;
  out.perDay = slope * DAY_MINUTES;
  return true;
}

/** Follows rises that come back by themselves: how fast they were. */
function followRise(s: Float64Array, level: number, minutes: number): void {
  s[f.HABIT_RATE] = s[f.HABIT_RATE]! * 0.5 ** (minutes / HABIT_HALF_LIFE_MINUTES);
  const minutesRing = f.ringAt(0);
  if (s[minutesRing + f.POINTS]! > 0) s[f.RISE_RATE] = Math.max(s[f.RISE_RATE]!, s[minutesRing + f.SLOPE]!);
  // A plateau's unrest makes its rise no longer.
  if (level > s[f.HIGH]! + SLACK) {
    s[f.HIGH] = level;
    s[f.HIGH_AT] = s[f.NOW]!;
  } else if (level < s[f.HIGH]! - RETREAT) {
    const whole = (s[f.HIGH]! - s[f.LOW]!) / Math.max(1, s[f.HIGH_AT]! - s[f.LOW_AT]!);
    // A rise that pauses is steeper in its parts than as a whole.
    const rate = Math.max(whole, s[f.RISE_RATE]!);
    if (s[f.HIGH]! - s[f.LOW]! >= RETREAT) s[f.HABIT_RATE] = Math.max(s[f.HABIT_RATE]!, rate);
    s[f.LOW] = s[f.HIGH] = level;
    s[f.LOW_AT] = s[f.HIGH_AT] = s[f.NOW]!;
    s[f.RISE_RATE] = 0;
  }
  // What stays low has not begun to rise.
  if (level <= s[f.LOW]! + RETREAT / 4) {
    s[f.LOW] = Math.min(level, s[f.LOW]!);
    s[f.LOW_AT] = s[f.NOW]!;
  }
}

/** Puts the level into a ring, and looks for its trend when a bucket ends; of minutes with each value. */
function putInto(s: Float64Array, ring: number, level: number): void {
  const at = f.ringAt(ring);
  const bucket = Math.floor(s[f.NOW]! / f.WIDTHS[ring]!);
  const open = s[at + f.BUCKET]!;
  if (bucket > open) {
    const top = s[f.slotAt(ring, open)]!;
    if (top !== f.EMPTY) s[at + f.DIP] = Math.max(s[at + f.DIP]! * DIP_FADE, Math.min(2, top - s[at + f.OPEN_LOW]!));
    for (let b = Math.max(open + 1, bucket - f.SLOTS[ring]! + 1); b <= bucket; b++) s[f.slotAt(ring, b)] = f.EMPTY;
    // A level that stood still has no peak.
    if (top - s[at + f.OPEN_LOW]! >= SLACK / 4) {
      const phase = Math.min(1, Math.max(0, s[at + f.OPEN_HIGH_AT]! / f.WIDTHS[ring]! - open));
      s[at + f.PHASE] = s[at + f.PHASE]! + PHASE_GAIN * (phase - s[at + f.PHASE]!);
    }
    s[at + f.BUCKET] = bucket;
    s[at + f.OPEN_LOW] = level;
  }
  const slot = f.slotAt(ring, bucket);
  if (level > s[slot]!) s[at + f.OPEN_HIGH_AT] = s[f.NOW]!;
  s[slot] = Math.max(s[slot]!, level);
  s[at + f.OPEN_LOW] = Math.min(s[at + f.OPEN_LOW]!, level);
  if (ring === 0) findTrend(s, ring, bucket);
  else if (bucket > open) findTrend(s, ring, bucket - 1);
}

const scratch = emptyTimeToFull();

export const timeToFull: DetectorKind<TimeToFullParams, Float64Array> = {
  name: 'forecast',
  major: 1,
  doc: 'A stock that will be full or empty, and when.',
  defaults: timeToFullDefaults,
  parseParams: (json) =>
    parseNumbers('forecast', json, timeToFullDefaults, {
      horizonMinutes: [1, 1e7],
      reach: [0.1, 100],
      leastMinutes: [1, 1e6],
    }),
  state: f.timeToFullState,
  start: f.emptyState,

  score(params, s, x, quality, at, out) {
    clearVerdict(out);
    if (s[f.COUNT]! < 3 || !usable(x, quality, at)) return;
    out.ready = true;
    // Chance has no part in it: there are no bits.
    out.finding = timeToFullOf(params, s, x[0]!, at, scratch) && scratch.minutes <= params.horizonMinutes;
  },

  learn(_params, s, x, quality, at) {
    if (!usable(x, quality, at)) return;
    const level = x[0]!;
    const first = s[f.COUNT] === 0;
    const minutes = minutesSince(s, at);
    // Windows end on minutes: in the middle of a bucket a clock that is off by a little moves none into the next.
    s[f.NOW] = first ? 0.5 : s[f.NOW]! + minutes;
    if (first) {
      s[f.LOW] = s[f.HIGH] = level;
      s[f.LOW_AT] = s[f.HIGH_AT] = s[f.NOW]!;
    }
    s[f.COUNT] = s[f.COUNT]! + 1;
    s[f.RESUMED] = 0;
    s[f.LAST_MONOTONIC] = at.monotonicMs;
    s[f.LAST_UTC] = at.utcMs;
    s[f.LEVEL] = level;
    followRise(s, level, minutes);
    for (let ring = 0; ring < f.RINGS; ring++) putInto(s, ring, level);
  },
};
