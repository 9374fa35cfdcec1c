/**
 * Surprises that come at their hour: a job at 17 minutes past, a backup at two at night. For each minute of the hour and
 * each quarter-hour of the day it is remembered how surprising the most surprising sample used to be then, and that much
 * less is made of the next. Whatever is surprising elsewhere, or more surprising than usual, keeps its bits.
 *
 * Slots hold half bits in a byte. When a slot ends, its memory moves by half of the difference towards what was seen
 * (upwards by a quarter from day to day: what went on for hours once is no habit yet), so that the third time a job of
 * each hour is heard it counts a quarter, and a job that was moved is forgotten in as many hours or days.
 *
 * Constraints: 156 bytes and 6 numbers a series, no allocation; civil time comes from the caller. The bytes lie in pairs
 * in the caller's 16-bit numbers: an array of their own would cost another two thirds of what is in it.
 */
import { DAY_MS, MINUTE_MS } from '../limits.ts';
import { timeOfDayMs } from './civil.ts';

const HOUR_SLOTS = 60;
const DAY_SLOTS = 96;
/** Minutes of the hour, then quarter-hours of the day. */
const SLOTS = HOUR_SLOTS + DAY_SLOTS;
/** 16-bit numbers that the memory takes. */
export const USUAL_PAIRS = SLOTS / 2;
export const USUAL_SCALARS = 6;

/** Start of the minute that is now (UTC), its slots, and the most bits seen in each. */
const MINUTE_FROM = 0;
const HOUR_SLOT = 1;
const DAY_SLOT = 2;
const HOUR_MOST = 3;
const DAY_MOST = 4;
/** Bits that are usual in the minute that is now. */
const NOW_BITS = 5;

const MOST_HALVES = 255;
/** Less than this is what chance makes of the best of the samples that a slot may have, and no habit. */
const LEAST_HOUR_BITS = 9;
const LEAST_DAY_BITS = 13;

export interface UsualPlace {
  /** Offset in the scalars, and of the first pair. */
  readonly at: number;
  readonly firstPair: number;
}

/** The arrays of a state that they lie in. */
export interface UsualArrays {
  readonly scalars: Float64Array;
  readonly levels: Int16Array;
}

/** Half bits of a slot: the lower byte of a pair is the even one's. */
function halvesOf(levels: Int16Array, firstPair: number, slot: number): number {
  return (levels[firstPair + (slot >> 1)]! >> (8 * (slot & 1))) & MOST_HALVES;
}

function setHalves(levels: Int16Array, firstPair: number, slot: number, halves: number): void {
  const k = firstPair + (slot >> 1);
  const shift = 8 * (slot & 1);
  levels[k] = (levels[k]! & ~(MOST_HALVES << shift)) | (halves << shift);
}

/** Whether that moment lies in another minute than the last sample. */
export function isNewMinute(s: Float64Array, { at }: UsualPlace, utcMs: number): boolean {
  const since = utcMs - s[at + MINUTE_FROM]!;
  return !(since >= 0 && since < MINUTE_MS);
}

export function hourSlotOf(localMs: number): number {
  const minutes = Math.floor(localMs / MINUTE_MS);
  return ((minutes % HOUR_SLOTS) + HOUR_SLOTS) % HOUR_SLOTS;
}

export function daySlotOf(localMs: number): number {
  return Math.min(DAY_SLOTS - 1, Math.floor((timeOfDayMs(localMs) / DAY_MS) * DAY_SLOTS));
}

/**
 * Bits that are usual in these slots, and not in the others: a long trouble, which is surprising at every hour, is no habit.
 */
export function usualBits(arrays: UsualArrays, place: UsualPlace, hourSlot: number, daySlot: number): number {
  const { levels } = arrays;
  const { firstPair } = place;
  let ofHour = 0;
  for (let i = 0; i < HOUR_SLOTS; i++) ofHour += halvesOf(levels, firstPair, i);
  let ofDay = 0;
  for (let i = HOUR_SLOTS; i < SLOTS; i++) ofDay += halvesOf(levels, firstPair, i);
  const byHour = halvesOf(levels, firstPair, hourSlot) - ofHour / HOUR_SLOTS;
  const byDay = halvesOf(levels, firstPair, HOUR_SLOTS + daySlot) - ofDay / DAY_SLOTS;
  return Math.max(0, byHour, byDay) / 2;
}

/** Bits that are usual in the minute of the last sample. */
export function usualBitsNow(s: Float64Array, { at }: UsualPlace): number {
  return s[at + NOW_BITS]!;
}

/** Takes in the bits of a sample, before anything was made less of. */
export function learnUsual({ scalars: s }: UsualArrays, { at }: UsualPlace, bits: number): void {
  if (bits > s[at + HOUR_MOST]!) s[at + HOUR_MOST] = bits;
  if (bits > s[at + DAY_MOST]!) s[at + DAY_MOST] = bits;
}

/** Before the first sample of another minute: what has ended is remembered. */
export function enterMinute(arrays: UsualArrays, place: UsualPlace, utcMs: number, localMs: number): void {
  const { scalars: s } = arrays;
  const { at } = place;
  const hourSlot = hourSlotOf(localMs);
  const daySlot = daySlotOf(localMs);
  remember(arrays, place, s[at + HOUR_SLOT]!, s[at + HOUR_MOST]!, LEAST_HOUR_BITS, 2);
  s[at + HOUR_MOST] = 0;
  if (daySlot !== s[at + DAY_SLOT]!) {
    remember(arrays, place, HOUR_SLOTS + s[at + DAY_SLOT]!, s[at + DAY_MOST]!, LEAST_DAY_BITS, 4);
    s[at + DAY_MOST] = 0;
  }
  s[at + HOUR_SLOT] = hourSlot;
  s[at + DAY_SLOT] = daySlot;
  s[at + NOW_BITS] = usualBits(arrays, place, hourSlot, daySlot);
  s[at + MINUTE_FROM] = Math.floor(utcMs / MINUTE_MS) * MINUTE_MS;
}

function remember(
  { levels }: UsualArrays,
  { firstPair }: UsualPlace,
  slot: number,
  bits: number,
  leastBits: number,
  share: number,
): void {
  const before = halvesOf(levels, firstPair, slot);
  const seen = bits < leastBits ? 0 : Math.min(MOST_HALVES, 2 * bits);
  const moved = seen > before ? before + Math.floor((seen - before) / share) : Math.floor((before + seen) / 2);
  setHalves(levels, firstPair, slot, moved);
}

export function isSoundUsual(s: Float64Array, { at }: UsualPlace): boolean {
  const hour = s[at + HOUR_SLOT]!;
  const day = s[at + DAY_SLOT]!;
  const slots = Number.isInteger(hour) && hour >= 0 && hour < HOUR_SLOTS && Number.isInteger(day) && day >= 0;
  return slots && day < DAY_SLOTS && [HOUR_MOST, DAY_MOST, NOW_BITS].every((i) => s[at + i]! >= 0);
}
