/**
 * What is usual at which time, learned online: the level of a series by slots of a period (quarter-hours of the day,
 * weekends apart), in the site's civil time, so that it moves with summer time. It has a say only
 * once it has proven that it predicts better than the level alone (by the mean squared error of both, over what it
 * predicted before it learned it).
 *
 * Levels are 16-bit fractions of a unit about an origin, which are taken from the series when the profile begins: 1/256
 * of a deviation apart, so that 192 of them take 384 bytes. What a slot had is averaged while it lasts and learned when it
 * ends; the first time it is taken as it is, from then on it moves by `STEP` of the difference (exponential smoothing of
 * seasonal factors, Holt 1957, Winters 1960).
 *
 * Constraints: constant memory, no allocation. What is said of a slot that was never seen is that of the other sort of
 * day, and else nothing.
 */
import { DAY_MS } from '../limits.ts';
import { isWeekend } from './civil.ts';

/** How much of the difference a slot takes over when it ends. */
const STEP = 0.25;
/** Error against the level's from which on a profile counts as proven; it loses that at a little more. */
const PROVEN_SHARE = 0.5;
const STEPS_A_UNIT = 256;
const MOST_STEPS = 32_767;
/** A slot that was not seen yet. */
const UNSEEN = -32_768;
/** Distances beyond so many scales do not say how large the scale is. */
const OUTLIER = 5;
/** Samples before a mean or an error is trusted. */
const LEAST_COMPARED = 24;

/** Numbers that a profile takes in the scalars. */
export const PROFILE_SCALARS = 11;
const SLOT = 0;
const SUM = 1;
const COUNT = 2;
/** Level without seasons, over about two periods, and its variance. */
const LEVEL = 3;
const LEVEL_ERROR = 4;
const SEASON_ERROR = 5;
/** Predictions that were compared, and the time that they span. */
const COMPARED = 6;
const COMPARED_MS = 7;
const ORIGIN = 8;
const UNIT = 9;
const SAMPLES = 10;

export interface ProfilePlace {
  /** Offset in the scalars, of the first slot and of the first scale. */
  readonly at: number;
  readonly firstSlot: number;
  readonly firstScale: number;
  readonly periodMs: number;
  readonly slots: number;
  /** 2: weekends have slots of their own. */
  readonly kinds: number;
  /** So many slots share a scale. */
  readonly slotsAScale: number;
  /** Time that it must have predicted before it may be proven. */
  readonly proofMs: number;
}

/** The arrays of a state that profiles lie in. */
export interface ProfileArrays {
  readonly scalars: Float64Array;
  readonly levels: Int16Array;
  readonly floats: Float32Array;
}

export function startProfile(arrays: ProfileArrays, place: ProfilePlace): void {
  arrays.levels.fill(UNSEEN, place.firstSlot, place.firstSlot + place.slots * place.kinds);
  arrays.scalars[place.at + SLOT] = -1;
  arrays.scalars[place.at + UNIT] = 1;
}

/** Slot of a local time (see `localMs`), counted over both sorts of days. */
export function slotOf(place: ProfilePlace, local: number): number {
  const share = local / place.periodMs;
  const slot = Math.min(place.slots - 1, Math.floor((share - Math.floor(share)) * place.slots));
  return place.kinds === 2 && isWeekend(local) ? slot + place.slots : slot;
}

/** Whether it predicts better than the level alone. */
export function isProven({ scalars: s }: ProfileArrays, { at, proofMs }: ProfilePlace): boolean {
  if (s[at + COMPARED_MS]! < proofMs || s[at + COMPARED]! < LEAST_COMPARED) return false;
  return s[at + SEASON_ERROR]! < PROVEN_SHARE * s[at + LEVEL_ERROR]!;
}

/** The level of a slot, NaN where nothing is known of it. */
function levelOf({ scalars: s, levels }: ProfileArrays, place: ProfilePlace, slot: number): number {
  let steps = levels[place.firstSlot + slot]!;
  if (steps === UNSEEN && place.kinds === 2) {
    steps = levels[place.firstSlot + (slot < place.slots ? slot + place.slots : slot - place.slots)]!;
  }
  return steps === UNSEEN ? Number.NaN : s[place.at + ORIGIN]! + (steps / STEPS_A_UNIT) * s[place.at + UNIT]!;
}

/** Typical distance from the level at that time. */
function scaleOf({ scalars: s, floats }: ProfileArrays, place: ProfilePlace, slot: number): number {
  const general = s[place.at + SEASON_ERROR]!;
  const own = floats[place.firstScale + Math.floor((slot % place.slots) / place.slotsAScale)]!;
  const least = Math.abs(s[place.at + LEVEL]!) * 1e-9;
  return Math.max(Math.sqrt(Math.max(own, 0.25 * general)), least, s[place.at + UNIT]! / STEPS_A_UNIT, 1e-150);
}

/** Distance of x from what is usual in that slot, in scales, with its sign; NaN where nothing is known. */
export function distanceFromSeason(arrays: ProfileArrays, place: ProfilePlace, slot: number, x: number): number {
  const level = levelOf(arrays, place, slot);
  if (Number.isNaN(level)) return level;
  return Math.min(1e6, Math.max(-1e6, (x - level) / scaleOf(arrays, place, slot)));
}

/** What is expected in that slot: the middle; `halfWidth` scales lie on either side. */
export function seasonLevel(arrays: ProfileArrays, place: ProfilePlace, slot: number): number {
  return levelOf(arrays, place, slot);
}

export function seasonScale(arrays: ProfileArrays, place: ProfilePlace, slot: number): number {
  return scaleOf(arrays, place, slot);
}

/** Takes in a sample of that slot; `sinceMs` after the one before. */
export function learnSeason(
  arrays: ProfileArrays,
  place: ProfilePlace,
  slot: number,
  x: number,
  sinceMs: number,
): void {
  const { scalars: s } = arrays;
  const { at, periodMs } = place;
  const samples = s[at + SAMPLES]! + 1;
  s[at + SAMPLES] = samples;
  const between = Math.min(periodMs / place.slots, Math.max(1, sinceMs));
  if (s[at + SLOT]! !== slot) endSlot(arrays, place, slot);
  const level = levelOf(arrays, place, slot);
  if (!Number.isNaN(level)) compare(arrays, place, slot, x, level, between);
  s[at + SUM] = s[at + SUM]! + x;
  s[at + COUNT] = s[at + COUNT]! + 1;
  if (samples === 1) s[at + LEVEL] = x;
  const weight = 1 / Math.min(samples, (2 * periodMs) / between);
  s[at + LEVEL] = s[at + LEVEL]! + weight * (x - s[at + LEVEL]!);
}

/** Both predictions against what came; neither is judged by outliers alone. */
function compare(a: ProfileArrays, place: ProfilePlace, slot: number, x: number, level: number, sinceMs: number): void {
  const s = a.scalars;
  const { at } = place;
  const compared = s[at + COMPARED]! + 1;
  s[at + COMPARED] = compared;
  s[at + COMPARED_MS] = Math.min(1e15, s[at + COMPARED_MS]! + sinceMs);
  const weight = 1 / Math.min(compared, Math.max(500, (3 * place.periodMs) / sinceMs));
  const fromLevel = (x - s[at + LEVEL]!) ** 2;
  const fromSeason = (x - level) ** 2;
  const most =
    compared > LEAST_COMPARED ? OUTLIER * OUTLIER * Math.max(s[at + LEVEL_ERROR]!, s[at + SEASON_ERROR]!) : 1e300;
  s[at + LEVEL_ERROR] = s[at + LEVEL_ERROR]! + weight * (Math.min(fromLevel, most) - s[at + LEVEL_ERROR]!);
  s[at + SEASON_ERROR] = s[at + SEASON_ERROR]! + weight * (Math.min(fromSeason, most) - s[at + SEASON_ERROR]!);
  const k = place.firstScale + Math.floor((slot % place.slots) / place.slotsAScale);
  const own = a.floats[k]!;
  const perScale = (place.periodMs / place.slots / sinceMs) * place.slotsAScale;
  const step = Math.min(1, 0.25 / Math.max(1, perScale));
  const held = Math.min(fromSeason, OUTLIER * OUTLIER * (own + s[at + SEASON_ERROR]!), 1e38);
  a.floats[k] = own === 0 ? Math.min(1e38, s[at + SEASON_ERROR]!) : own + step * (held - own);
}

/** Learns what the slot had that ends now, and begins the next. */
function endSlot(arrays: ProfileArrays, place: ProfilePlace, next: number): void {
  const { scalars: s, levels } = arrays;
  const { at, firstSlot } = place;
  const slot = s[at + SLOT]!;
  const count = s[at + COUNT]!;
  if (slot >= 0 && count > 0) {
    const mean = s[at + SUM]! / count;
    if (isEmpty(arrays, place)) begin(s, at, mean);
    while (Math.abs(mean - s[at + ORIGIN]!) > (s[at + UNIT]! * MOST_STEPS) / STEPS_A_UNIT / 2) widen(arrays, place);
    const seen = levels[firstSlot + slot]!;
    const steps = ((mean - s[at + ORIGIN]!) / s[at + UNIT]!) * STEPS_A_UNIT;
    if (seen === UNSEEN) levels[firstSlot + slot] = Math.round(steps);
    else {
      const most = OUTLIER * (Math.sqrt(s[at + SEASON_ERROR]!) / s[at + UNIT]!) * STEPS_A_UNIT + 1;
      const step = Math.max(-most, Math.min(most, steps - seen));
      levels[firstSlot + slot] = Math.max(-MOST_STEPS, Math.min(MOST_STEPS, Math.round(seen + STEP * step)));
    }
  }
  s[at + SLOT] = next;
  s[at + SUM] = 0;
  s[at + COUNT] = 0;
}

function isEmpty({ levels }: ProfileArrays, { firstSlot, slots, kinds }: ProfilePlace): boolean {
  for (let i = firstSlot; i < firstSlot + slots * kinds; i++) if (levels[i] !== UNSEEN) return false;
  return true;
}

/** The unit is a guess; `widen` makes it greater where it was too small. */
function begin(s: Float64Array, at: number, mean: number): void {
  s[at + ORIGIN] = mean;
  s[at + UNIT] = Math.max(Math.abs(mean) * 2 ** -12, 1e-12);
}

function widen({ scalars: s, levels }: ProfileArrays, { at, firstSlot, slots, kinds }: ProfilePlace): void {
  s[at + UNIT] = s[at + UNIT]! * 4;
  for (let i = firstSlot; i < firstSlot + slots * kinds; i++)
    if (levels[i] !== UNSEEN) levels[i] = Math.round(levels[i]! / 4);
}

/** Whether the numbers of a profile that was read from disk make sense together. */
export function isSoundProfile({ scalars: s, floats }: ProfileArrays, place: ProfilePlace): boolean {
  const { at, slots, kinds, slotsAScale, firstScale } = place;
  const slot = s[at + SLOT]!;
  if (!Number.isInteger(slot) || slot < -1 || slot >= slots * kinds) return false;
  for (const i of [COUNT, LEVEL_ERROR, SEASON_ERROR, COMPARED, COMPARED_MS, SAMPLES]) if (s[at + i]! < 0) return false;
  for (const i of [SUM, LEVEL, ORIGIN]) if (Math.abs(s[at + i]!) > 1e200) return false;
  for (let i = 0; i < slots / slotsAScale; i++) if (floats[firstScale + i]! < 0) return false;
  return s[at + UNIT]! > 1e-150 && s[at + UNIT]! < 1e300;
}

/** The day by quarter-hours, weekends apart. */
export const dayShape = { periodMs: DAY_MS, slots: 96, kinds: 2, slotsAScale: 4, proofMs: DAY_MS / 2 } as const;
