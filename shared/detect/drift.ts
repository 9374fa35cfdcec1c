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
 * Constraints: 64 numbers a series, no allocation; for a point a few comparisons, and now and then a coarser mean.
 */
import { Quality } from '../series.ts';
import { clearVerdict, type DetectorKind, type Verdict } from './detector.ts';
import { numbersCodec } from './number-state.ts';
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
/** The range fades by half in a million steps. */
const RANGE_FADE = Math.LN2 / 1e6;
/** Values are held within this, so that sums stay finite. */
const LARGEST = 1e150;

/** Numbers of a level: the mean that is being made, its steps, and the means before the present runs and with them. */
const SUM = 0;
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
const LEVEL_SIZE = 16;
const SIZE = LEVELS * LEVEL_SIZE;

function usable(x: Float64Array, quality: Uint8Array): boolean {
  return Number.isFinite(x[0]!) && quality[0] === Quality.good;
}

/** Takes a step into account in one direction. */
function learnDirection(s: Float64Array, from: number, isWith: boolean): void {
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

function learnStep(s: Float64Array, level: number, mean: number): void {
  if (s[level + STEPS] === 0) for (const i of [LAST, LOW, HIGH, LOWEST, HIGHEST]) s[level + i] = mean;
  learnDirection(s, level + UP, mean > s[level + LAST]!);
  learnDirection(s, level + DOWN, mean < s[level + LAST]!);
  learnRange(s, level, mean);
  if (s[level + UP + EVIDENCE] === 0) s[level + HIGH] = Math.max(s[level + LOW]!, s[level + HIGHEST]!);
  if (s[level + DOWN + EVIDENCE] === 0) s[level + LOW] = Math.min(s[level + HIGH]!, s[level + LOWEST]!);
  s[level + LAST] = mean;
  s[level + STEPS] = s[level + STEPS]! + 1;
}

/** The range of all means; one of them alone, absurd as it may be, widens it fivefold at most, and what was long ago fades. */
function learnRange(s: Float64Array, level: number, mean: number): void {
  const low = s[level + LOWEST]!;
  const high = s[level + HIGHEST]!;
  const most = high > low ? WIDEST_STEP * (high - low) : Number.POSITIVE_INFINITY;
  const held = Math.min(high + most, Math.max(low - most, mean));
  s[level + HIGHEST] = held > high ? held : high - RANGE_FADE * (high - held);
  s[level + LOWEST] = held < low ? held : low + RANGE_FADE * (held - low);
}

/** Bits of a level's run in one direction; 0 where it is none that is told. */
function bitsOf(params: DriftParams, s: Float64Array, level: number, direction: number): number {
  const from = level + direction;
  const run = s[from + RUN]!;
  const before = s[level + STEPS]! - run;
  if (run * params.history > before || run < params.longer * s[from + LONGEST]!) return 0;
  if (s[from + EVER]! - run > ONE_WAY * before) return 0;
  return s[from + EVIDENCE]!;
}

function judge(params: DriftParams, s: Float64Array, x: number, out: Verdict): void {
  for (let k = 0; k < LEVELS; k++) {
    const level = k * LEVEL_SIZE;
    const low = s[level + LOW]!;
    const high = s[level + HIGH]!;
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
    out.expectedLow = low;
    out.expectedHigh = high;
    out.shape = 'drift';
  }
  out.finding = out.bits >= params.barBits;
}

export const drift: DetectorKind<DriftParams, Float64Array> = {
  name: 'drift',
  major: 1,
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
  state: numbersCodec('a drift detector', 1, SIZE, isSound),
  start: () => new Float64Array(SIZE),

  score(params, s, x, quality, _at, out) {
    clearVerdict(out);
    if (s[STEPS]! < params.minPoints || !usable(x, quality)) return;
    out.ready = true;
    judge(params, s, x[0]!, out);
  },

  learn(_params, s, x, quality) {
    if (!usable(x, quality)) return;
    let mean = Math.min(LARGEST, Math.max(-LARGEST, x[0]!));
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

function isSound(s: Float64Array): boolean {
  for (let level = 0; level < SIZE; level += LEVEL_SIZE) {
    for (const i of [POINTS, STEPS]) if (s[level + i]! < 0) return false;
    for (let i = UP; i < LEVEL_SIZE; i++) if (s[level + i]! < 0) return false;
    for (const i of [UP, DOWN]) if (s[level + i + EVIDENCE]! > MOST_BITS) return false;
    for (const i of [LAST, LOW, HIGH, LOWEST, HIGHEST]) if (Math.abs(s[level + i]!) > LARGEST) return false;
    if (Math.abs(s[level + SUM]!) > FOLD * LARGEST || s[level + POINTS]! >= FOLD) return false;
    if (s[level + LOW]! > s[level + HIGH]! || s[level + LOWEST]! > s[level + HIGHEST]!) return false;
  }
  return true;
}
