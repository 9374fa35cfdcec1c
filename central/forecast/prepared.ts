/**
 * A column of even steps made ready for a forecast: what came before a long gap or a level shift (a clean-up, a larger
 * disk) is cut off, the season is told apart by the medians of its phases, gaps are filled in between. What was filled in
 * is marked: no error is measured against it.
 */
import { MAD_TO_DEVIATION, medianDistance, medianOf } from '../train/robust.ts';

/** A gap of more steps than so many seasons begins another history. */
const LONG_GAP_SEASONS = 3;
/** Steps on either side of a place that are compared for a jump; fewer for what has long steps. */
const JUMP_STEPS = 4;
/** A jump is as many usual differences, and as large a part of the range that was seen. */
const JUMP_DEVIATIONS = 8;
const JUMP_SHARE = 0.15;
/** More of them are the way of that series, which a forecast has to know. */
const MOST_SHIFTS = 3;
/** Of what is left, as much must have been measured. */
const LEAST_MEASURED = 0.5;
/** Seasons that must have been seen before phases are told apart. */
const LEAST_SEASONS = 3;

export interface Prepared {
  /** Without gaps. */
  readonly values: Float64Array;
  /** 1 where the value was measured. */
  readonly measured: Uint8Array;
  /** Place of the first value in the column that was given. */
  readonly from: number;
  /** True where a level shift was cut off. */
  readonly shifted: boolean;
}

/** Null where less than `least` steps are left, or too few of them were measured. */
export function prepare(column: Float64Array, season: number, least: number): Prepared | null {
  let end = column.length;
  while (end > 0 && !Number.isFinite(column[end - 1]!)) end--;
  let from = afterLongGap(column, end, season * LONG_GAP_SEASONS);
  const shift = lastShift(column.subarray(from, end), season);
  const shifted = shift > 0 && end - from - shift >= least;
  if (shifted) from += shift;
  const part = column.subarray(from, end);
  if (part.length < least) return null;
  const measured = Uint8Array.from(part, (value) => (Number.isFinite(value) ? 1 : 0));
  const count = measured.reduce((sum, each) => sum + each, 0);
  if (count < LEAST_MEASURED * part.length || count < least / 2) return null;
  return { values: filled(part, season), measured, from, shifted };
}

/** Medians of a season's phases around the local level, summing to nothing; zeros before enough seasons were seen. */
export function phasesOf(values: Float64Array, season: number): Float64Array {
  const phases = new Float64Array(season);
  if (season < 2 || values.length < LEAST_SEASONS * season) return phases;
  const level = levelOf(values, season);
  const found: number[][] = Array.from({ length: season }, () => []);
  for (let i = 0; i < values.length; i++) {
    const distance = values[i]! - level[i]!;
    if (Number.isFinite(distance)) found[i % season]!.push(distance);
  }
  let sum = 0;
  for (const [phase, distances] of found.entries()) {
    phases[phase] = distances.length === 0 ? 0 : medianOf(distances);
    sum += phases[phase]!;
  }
  for (let phase = 0; phase < season; phase++) phases[phase]! -= sum / season;
  return phases;
}

/** Mean over one season around each place; at the ends it follows the trend of the nearest full seasons. */
function levelOf(values: Float64Array, season: number): Float64Array {
  const { length } = values;
  const level = new Float64Array(length).fill(Number.NaN);
  const before = season >> 1;
  let first = -1;
  let last = -1;
  for (let i = before; i + season - before <= length; i++) {
    let sum = 0;
    let count = 0;
    for (let j = i - before; j < i - before + season; j++) {
      if (!Number.isFinite(values[j]!)) continue;
      sum += values[j]!;
      count++;
    }
    if (count * 2 < season) continue;
    level[i] = sum / count;
    if (first < 0) first = i;
    last = i;
  }
  if (first < 0) return level;
  const slope = last - first < season ? 0 : (level[last]! - level[first]!) / (last - first);
  for (let i = 0; i < first; i++) level[i] = level[first]! - slope * (first - i);
  for (let i = last + 1; i < length; i++) level[i] = level[last]! + slope * (i - last);
  return level;
}

function afterLongGap(column: Float64Array, end: number, longest: number): number {
  let gap = 0;
  for (let i = end - 1; i >= 0; i--) {
    gap = Number.isFinite(column[i]!) ? 0 : gap + 1;
    if (gap > longest) return i + gap;
  }
  let first = 0;
  while (first < end && !Number.isFinite(column[first]!)) first++;
  return first;
}

/** Where the values jumped for the last time and stayed there; 0 where they never did, or do so all the time. */
function lastShift(column: Float64Array, season: number): number {
  const { length } = column;
  if (length < 4 * JUMP_STEPS) return 0;
  const phases = phasesOf(column, season);
  const plain = column.map((value, i) => value - phases[i % season]!);
  const jumps = new Float64Array(length).fill(Number.NaN);
  for (let i = JUMP_STEPS; i + JUMP_STEPS <= length; i++) {
    jumps[i] = medianOf(plain.subarray(i, i + JUMP_STEPS)) - medianOf(plain.subarray(i - JUMP_STEPS, i));
  }
  const centre = medianOf(jumps);
  const usual = MAD_TO_DEVIATION * medianDistance(jumps, centre);
  const finite = plain.filter(Number.isFinite);
  const range = finite.reduce((a, b) => Math.max(a, b)) - finite.reduce((a, b) => Math.min(a, b));
  const bar = Math.max(JUMP_DEVIATIONS * usual, JUMP_SHARE * range);
  if (!(bar > 0)) return 0;
  let shifts = 0;
  let at = 0;
  for (let i = JUMP_STEPS; i + JUMP_STEPS <= length; i++) {
    if (!(Math.abs(jumps[i]! - centre) > bar)) continue;
    let best = i;
    const last = Math.min(length - JUMP_STEPS, i + 2 * JUMP_STEPS);
    for (let j = i; j <= last; j++) if (Math.abs(jumps[j]!) > Math.abs(jumps[best]!)) best = j;
    i = last;
    if (!stays(plain, best, jumps[best]!, season)) continue;
    shifts++;
    at = best;
  }
  return shifts > MOST_SHIFTS ? 0 : at;
}

/** A load that comes and goes within a season is no other level. */
function stays(plain: Float64Array, at: number, jump: number, season: number): boolean {
  const reach = Math.max(season, JUMP_STEPS);
  const after = medianOf(plain.subarray(at, at + reach));
  const before = medianOf(plain.subarray(Math.max(0, at - reach), at));
  return (after - before) / jump > 0.5;
}

/** Gaps are filled by a straight line between their ends, on top of the season. */
function filled(part: Float64Array, season: number): Float64Array {
  const phases = phasesOf(part, season);
  const values = part.slice();
  let known = 0;
  for (let i = 1; i < values.length; i++) {
    if (!Number.isFinite(part[i]!)) continue;
    const from = part[known]! - phases[known % season]!;
    const to = part[i]! - phases[i % season]!;
    for (let j = known + 1; j < i; j++) {
      values[j] = from + ((to - from) * (j - known)) / (i - known) + phases[j % season]!;
    }
    known = i;
  }
  return values;
}
