/**
 * Drift: a value that goes one way, for longer than ever before and beyond all that was seen before: a leak, a sensor
 * that wanders off, a tank that runs empty. What looks at sizes (`surprise`) hardly sees it: each step is small, and the
 * scale goes along. Here the direction of the steps alone counts, and the reference is frozen while it goes on.
 *
 *   point ─► means of 1, 16, 256 and 4,096 points ─► up or down from the one before? ─► evidence ─► bits
 *
 * The evidence is a sequential likelihood ratio (Wald 1945): of steps that go one way in nine of ten cases, against
 * steps that go either way alike; it begins anew where it falls to nothing (Page 1954). Independent steps come to b bits
 * with a chance of 2^-b a run, whatever their sizes (Ville's inequality), so that a random walk is no drift. Steps that
 * are not independent (what is smoothed, a morning) are left to habit: it must go on for half as long again as ever
 * before; leave what lay between the lowest and the highest mean before by half of that; have a history some times as
 * long as itself; and a series that goes that way nearly always is left alone.
 *
 * Numbers are of single precision, values among them relative to the first. That is enough: what is told has gone through
 * half of the range that was seen at least, which the first value is part of, and of which they tell 2^24 parts apart; and
 * what is so slow that a step of it is lost is none of points but one of coarser means, sixteen times as wide each. (The
 * first value itself is kept to 24 bits: of a clock of 1e15 the last of what a double has, a few units, is lost, too.)
 *
 * Constraints: 64 numbers a series (256 bytes), no allocation; for a point a few comparisons, and now and then a coarser
 * mean.
 */
import { Quality } from '../series.ts';
import { clearVerdict, type DetectorKind, type Verdict } from './detector.ts';
import { floatsCodec } from './number-state.ts';
import { parseNumbers } from './params.ts';

export interface DriftParams {
  /** From how many bits on it is a finding. */
  readonly barBits: number;
  /** Points before it says anything. */
  readonly minPoints: number;
  /** The history before it must have as many times the steps of a drift. */
  readonly history: number;
  /** It must go on for as many times the longest before. */
  readonly longer: number;
  /** By what share of the range before it must leave it. */
  readonly beyond: number;
}

export const driftDefaults: DriftParams = { barBits: 24, minPoints: 120, history: 4, longer: 1.5, beyond: 0.5 };

const LEVELS = 4;
/** Means of one level that make one of the next. */
const FOLD = 16;
const BITS_A_LEVEL = Math.log2(FOLD);
/** Evidence of a step that goes with the drift, and of one that does not. */
const WITH_BITS = Math.log2(0.9 / 0.5);
const AGAINST_BITS = Math.log2(0.1 / 0.5);
/** Evidence counts up to this, so that a turn ends it soon. */
const MOST_BITS = 64;
/** A series of which more steps than this go one way has no other. */
const ONE_WAY = 0.75;
/** The longest run fades by half in so many shorter ones. */
const FADE = 0.5 ** (1 / 20_000);
/** A mean beyond the range widens it by so many times its width at most. */
const WIDEST_STEP = 4;
/** The range fades by half in a million steps: once in so many, since a millionth would be lost in single precision. */
const FADE_EVERY = 1024;
const RANGE_FADE = (Math.LN2 / 1e6) * FADE_EVERY;
/** Steps are counted up to this (single precision counts to four times as many), then the past counts half. */
const MOST_STEPS = 2 ** 22;
/** The first value, and distances from it, are held within these, so that sums stay finite in single precision. */
const LARGEST_FIRST = 1e38;
const LARGEST = 1e37;

/** Numbers of a level: the mean that is being made, its steps, and the means before the present runs and with them. */
const SUM = 0;
/** The first level, of the points themselves, makes no means: there lies what all values are relative to. */
const FIRST = 0;
const POINTS = 1;
const STEPS = 2;
const LAST = 3;
const LOW = 4;
const HIGH = 5;
const LOWEST = 6;
const HIGHEST = 7;
/** Of each direction: evidence, steps of the present run, steps of the longest before, steps that ever went this way. */
const UP = 8;
const DOWN = 12;
const EVIDENCE = 0;
const RUN = 1;
const LONGEST = 2;
const EVER = 3;
/** Of all steps: what is compared as a share of them. */
const COUNTS = [STEPS, UP + EVER, DOWN + EVER];
const LEVEL_SIZE = 16;
const SIZE = LEVELS * LEVEL_SIZE;

function usable(x: Float64Array, quality: Uint8Array): boolean {
  return Number.isFinite(x[0]!) && quality[0] === Quality.good;
}

/**
 * A value as it is kept, relative to the first. Rounded as what is kept is: else a value that repeats itself would be above
 * or below itself.
 */
function offsetOf(s: Float32Array, value: number): number {
  return Math.fround(Math.min(LARGEST, Math.max(-LARGEST, value - s[FIRST]!)));
}

/** Takes a step into account in one direction. */
function learnDirection(s: Float32Array, from: number, isWith: boolean): void {
  if (isWith) s[from + EVER] = s[from + EVER]! + 1;
  const evidence = Math.min(MOST_BITS, s[from + EVIDENCE]! + (isWith ? WITH_BITS : AGAINST_BITS));
  if (evidence > 0) {
    s[from + EVIDENCE] = evidence;
    s[from + RUN] = s[from + RUN]! + 1;
  } else if (s[from + RUN]! > 0) {
    s[from + LONGEST] = Math.max(s[from + LONGEST]! * FADE, s[from + RUN]!);
    s[from + EVIDENCE] = 0;
    s[from + RUN] = 0;
  }
}

function learnStep(s: Float32Array, level: number, mean: number): void {
  if (s[level + STEPS] === 0) for (const i of [LAST, LOW, HIGH, LOWEST, HIGHEST]) s[level + i] = mean;
  learnDirection(s, level + UP, mean > s[level + LAST]!);
  learnDirection(s, level + DOWN, mean < s[level + LAST]!);
  learnRange(s, level, mean);
  if (s[level + UP + EVIDENCE] === 0) s[level + HIGH] = Math.max(s[level + LOW]!, s[level + HIGHEST]!);
  if (s[level + DOWN + EVIDENCE] === 0) s[level + LOW] = Math.min(s[level + HIGH]!, s[level + LOWEST]!);
  s[level + LAST] = mean;
  s[level + STEPS] = s[level + STEPS]! + 1;
  if (s[level + STEPS]! >= MOST_STEPS) for (const i of COUNTS) s[level + i] = s[level + i]! / 2;
}

/** The range of all means; one of them alone, absurd as it may be, widens it fivefold at most, and what was long ago fades. */
function learnRange(s: Float32Array, level: number, mean: number): void {
  const low = s[level + LOWEST]!;
  const high = s[level + HIGHEST]!;
  if (mean > high || mean < low) {
    const most = high > low ? WIDEST_STEP * (high - low) : Number.POSITIVE_INFINITY;
    if (mean > high) s[level + HIGHEST] = Math.min(high + most, mean);
    else s[level + LOWEST] = Math.max(low - most, mean);
  } else if (s[level + STEPS]! % FADE_EVERY === 0) {
    s[level + HIGHEST] = high - RANGE_FADE * (high - mean);
    s[level + LOWEST] = low + RANGE_FADE * (mean - low);
  }
}

/** Bits of a level's run in one direction; 0 where it is none that is told. */
function bitsOf(params: DriftParams, s: Float32Array, level: number, direction: number): number {
  const from = level + direction;
  const run = s[from + RUN]!;
  const before = s[level + STEPS]! - run;
  if (run * params.history > before || run < params.longer * s[from + LONGEST]!) return 0;
  if (s[from + EVER]! - run > ONE_WAY * before) return 0;
  return s[from + EVIDENCE]!;
}

function judge(params: DriftParams, s: Float32Array, x: number, out: Verdict): void {
  for (let k = 0; k < LEVELS; k++) {
    const level = k * LEVEL_SIZE;
    const low = s[level + LOW]!;
    const high = s[level + HIGH]!;
    if (x >= low && x <= high) continue;
    const margin = params.beyond * (high - low);
    // Of a coarse mean's drift the value itself shows that it still goes on.
    const mean = k === 0 ? x : s[level + LAST]!;
    let direction = 0;
    if (mean > high + margin && x > high) direction = UP;
    else if (mean < low - margin && x < low) direction = DOWN;
    if (direction === 0) continue;
    const bits = bitsOf(params, s, level, direction);
    if (bits === 0) continue;
    // Looked at more seldom, it has fewer chances to be wrong.
    const claim = bits + k * BITS_A_LEVEL;
    if (claim <= out.bits) continue;
    out.bits = claim;
    out.expectedLow = s[FIRST]! + low;
    out.expectedHigh = s[FIRST]! + high;
    out.shape = 'drift';
  }
  out.finding = out.bits >= params.barBits;
}

export const drift: DetectorKind<DriftParams, Float32Array> = {
  name: 'drift',
  major: 2,
  doc: 'A value that goes one way for longer than ever before, beyond all that was seen before.',
  defaults: driftDefaults,
  parseParams: (json) =>
    parseNumbers('drift', json, driftDefaults, {
      barBits: [1, 1e4],
      minPoints: [1, 1e9],
      history: [0, 1e6],
      longer: [1, 1e3],
      beyond: [0, 1e3],
    }),
  state: floatsCodec('a drift detector', 2, SIZE, isSound),
  start: () => new Float32Array(SIZE),

  score(params, s, x, quality, _at, out) {
    clearVerdict(out);
    if (s[STEPS]! < params.minPoints || !usable(x, quality)) return;
    out.ready = true;
    judge(params, s, offsetOf(s, x[0]!), out);
  },

  learn(_params, s, x, quality) {
    if (!usable(x, quality)) return;
    if (s[STEPS] === 0) s[FIRST] = Math.min(LARGEST_FIRST, Math.max(-LARGEST_FIRST, x[0]!));
    let mean = offsetOf(s, x[0]!);
    learnStep(s, 0, mean);
    for (let level = LEVEL_SIZE; level < SIZE; level += LEVEL_SIZE) {
      s[level + SUM] = s[level + SUM]! + mean;
      s[level + POINTS] = s[level + POINTS]! + 1;
      if (s[level + POINTS]! < FOLD) return;
      mean = s[level + SUM]! / FOLD;
      s[level + SUM] = 0;
      s[level + POINTS] = 0;
      learnStep(s, level, mean);
    }
  },
};

function isSound(s: Float32Array): boolean {
  for (let level = 0; level < SIZE; level += LEVEL_SIZE) {
    if (s[level + POINTS]! < 0 || s[level + STEPS]! < 0 || s[level + STEPS]! > MOST_STEPS) return false;
    for (let i = UP; i < LEVEL_SIZE; i++) if (s[level + i]! < 0) return false;
    for (const i of [UP, DOWN]) if (s[level + i + EVIDENCE]! > MOST_BITS) return false;
    for (const i of [LAST, LOW, HIGH, LOWEST, HIGHEST]) if (Math.abs(s[level + i]!) > LARGEST) return false;
    if (Math.abs(s[level + SUM]!) > FOLD * LARGEST || s[level + POINTS]! >= FOLD) return false;
    if (s[level + LOW]! > s[level + HIGH]! || s[level + LOWEST]! > s[level + HIGHEST]!) return false;
  }
  return true;
}
