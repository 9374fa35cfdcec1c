/**
 * Quantised: a resolution that suddenly got coarser. A converter that lost its lower bits, a gateway that rounds: the
 * value goes on, in steps that are several times as wide.
 *
 * The resolution of a block is the greatest common divisor of its steps (Euclid, with room for rounding to single
 * precision), or none where there is no such thing. A block has 64 points, and up to sixteen times as many where it moves
 * too seldom to tell: few steps tell what is many times as coarse, since by chance one in so many is a multiple. A series of which nearly all blocks have one resolution, or
 * nearly all have none, has a habit; each block that is coarser has the probability that the rule of succession gives it.
 *
 * Constraints: 11 numbers a series, no allocation; of a value without a resolution a block costs only its first steps.
 */
import { Quality } from '../series.ts';
import { clearVerdict, type DetectorKind } from './detector.ts';
import { numbersCodec } from './number-state.ts';
import { parseNumbers } from './params.ts';
import { formatValue } from './wording.ts';

export interface QuantisedParams {
  /** Blocks that tell a resolution, before its habit is known. */
  readonly minBlocks: number;
  /** Coarser blocks on end. */
  readonly blocks: number;
  /** From how many bits on it is a finding. */
  readonly barBits: number;
}

export const quantisedDefaults: QuantisedParams = { minBlocks: 60, blocks: 3, barBits: 20 };

const BLOCK_POINTS = 64;
const MOST_POINTS = 1024;
/** Steps (values that differ from the one before) that tell any resolution. */
const LEAST_STEPS = 16;
/** Fewer tell one that would be theirs by chance as seldom as this. */
const LEAST_BITS = 16;
/** How seldom a step of a value without a resolution is a multiple of any. */
const BITS_WITHOUT = 4;
/** A block this many times as coarse as the habit is coarser; rounding makes no such factor. */
const COARSER = 1.9;
const SAME = 0.02;
/** Share of a step within which it is a multiple. */
const NEAR = 2e-3;
/** The same while it is looked for, where roundings add up; what it is taken for wrongly the next steps refute. */
const ROUGH = 0.02;
/** However coarse the rounding is: sixteen steps that fall within this by chance are one case in 10^13. */
const MOST_ROOM = 0.08;
/** Rounding of single precision, relative to the value. */
const SINGLE = 2.4e-7;
/** A divisor, and so a step, is more than so many roundings. */
const LEAST_DIVISOR = 8;
/** A step that is more than so many divisors, or a divisor that is lost in rounding: there is none. */
const MOST_MULTIPLES = 4096;
/** Habits fade: blocks count no more than these. */
const MEMORY_BLOCKS = 20_000;
/** Blocks side by side are alike: each further one counts as half of one that were independent. */
const NEIGHBOUR = 0.5;
/** Coarser blocks on end after which that is the resolution. */
const ADOPTED_BLOCKS = 240;
const LARGEST = 1e150;
const SMALLEST = 1e-150;

/** A resolution: above 0 the step; `NONE` where there is none; 0 not known yet. */
const NONE = -1;

const POINTS = 0;
const STEPS = 1;
/** Of the open block. */
const DIVISOR = 2;
const LAST = 3;
const KNOWN = 4;
/** The habit, blocks that told one, and those that were coarser. */
const USUAL = 5;
const BLOCKS = 6;
const MISSES = 7;
/** Coarser blocks on end, and their resolution. */
const RUN = 8;
const COARSE = 9;
/** Misses before the run. */
const MISSES_BEFORE = 10;
const SIZE = 11;

/** The divisor of what had `divisor` and takes one more step. */
function divide(divisor: number, step: number, size: number): number {
  if (divisor === NONE || divisor === 0) return divisor === 0 ? step : NONE;
  const least = SINGLE * size;
  // Most steps are multiples of what is known; a large one tells it more exactly.
  const times = Math.round(step / divisor);
  const near = Math.abs(step - times * divisor) <= room(divisor, times, least);
  if (times >= 1 && times <= MOST_MULTIPLES && near) return step / times;
  const largest = Math.max(step, divisor);
  const smallest = Math.min(step, divisor);
  let a = largest;
  let b = smallest;
  for (let i = 0; i < 40; i++) {
    if (b * MOST_MULTIPLES < largest || b <= LEAST_DIVISOR * least) return NONE;
    const multiples = Math.round(a / b);
    const rest = Math.abs(a - multiples * b);
    if (rest <= Math.max(ROUGH * b, room(b, multiples, least))) {
      // What it was found from tells it more exactly than what is left at the end: first the smaller of the two.
      const better = smallest / Math.round(smallest / b);
      return largest / Math.round(largest / better);
    }
    a = b;
    b = rest;
  }
  return NONE;
}

/** How far a multiple may be from where it should be: each of the two is rounded. */
function room(divisor: number, times: number, least: number): number {
  return Math.min(MOST_ROOM * divisor, NEAR * divisor + (1 + times) * least);
}

function isCoarser(resolution: number, than: number): boolean {
  return resolution > 0 && (than === NONE || resolution >= COARSER * than);
}

/** Whether the open block's steps are enough to believe what they come to. */
function tellsResolution(s: Float64Array, resolution: number): boolean {
  const steps = s[STEPS]!;
  if (resolution === NONE) return steps >= LEAST_STEPS;
  if (resolution === 0) return false;
  if (steps >= LEAST_STEPS) return true;
  const usual = s[USUAL]!;
  if (usual === 0) return false;
  const bits = usual === NONE ? BITS_WITHOUT : Math.log2(resolution / usual);
  return (steps - 1) * bits >= LEAST_BITS;
}

function closeBlock(s: Float64Array): void {
  const resolution = s[DIVISOR]!;
  const tells = tellsResolution(s, resolution);
  if (!tells && s[POINTS]! < MOST_POINTS) return;
  s[POINTS] = 0;
  s[STEPS] = 0;
  s[DIVISOR] = 0;
  if (!tells || resolution === 0) return;
  const usual = s[USUAL]!;
  const blocks = s[BLOCKS]!;
  if (usual === 0 || (usual > 0 && (resolution === NONE || resolution < usual / COARSER))) {
    // Finer than all before: the blocks before were coarser than what it can.
    s[USUAL] = resolution;
    s[MISSES] = blocks;
    s[BLOCKS] = blocks + 1;
    s[RUN] = 0;
    return;
  }
  s[BLOCKS] = blocks + 1;
  if (!isCoarser(resolution, usual)) {
    s[RUN] = 0;
  } else {
    const same = s[RUN]! > 0 && Math.abs(resolution / s[COARSE]! - 1) <= SAME;
    if (!same) s[MISSES_BEFORE] = s[MISSES]!;
    s[RUN] = same ? s[RUN]! + 1 : 1;
    s[COARSE] = resolution;
    s[MISSES] = s[MISSES]! + 1;
    if (s[RUN]! > ADOPTED_BLOCKS) {
      s[USUAL] = resolution;
      s[BLOCKS] = s[RUN]!;
      s[MISSES] = 0;
      s[RUN] = 0;
    }
  }
  if (s[BLOCKS]! >= MEMORY_BLOCKS) {
    for (const i of [BLOCKS, MISSES, MISSES_BEFORE]) s[i] = s[i]! / 2;
  }
}

function usable(x: Float64Array, quality: Uint8Array): boolean {
  return Math.abs(x[0]!) <= LARGEST && quality[0] === Quality.good;
}

export const quantised: DetectorKind<QuantisedParams, Float64Array> = {
  name: 'quantised',
  major: 1,
  doc: 'A resolution that suddenly got coarser.',
  defaults: quantisedDefaults,
  parseParams: (json) =>
    parseNumbers('quantised', json, quantisedDefaults, { minBlocks: [10, 1e9], blocks: [1, 1000], barBits: [1, 99] }),
  state: numbersCodec('a quantised detector', 1, SIZE, (s) => {
    const counts = [POINTS, STEPS, KNOWN, BLOCKS, MISSES, RUN, COARSE, MISSES_BEFORE].every((i) => s[i]! >= 0);
    const resolutions = [DIVISOR, USUAL].every((i) => s[i]! >= 0 || s[i] === NONE);
    return (
      counts &&
      resolutions &&
      s[POINTS]! < MOST_POINTS &&
      s[POINTS]! % 1 === 0 &&
      s.every((value) => Math.abs(value) <= 1e151)
    );
  }),
  start: () => new Float64Array(SIZE),

  score(params, s, x, quality, _at, out) {
    clearVerdict(out);
    const blocks = s[BLOCKS]! - s[RUN]!;
    if (!usable(x, quality) || blocks < params.minBlocks) return;
    out.ready = true;
    if (s[RUN]! < params.blocks) return;
    const each = Math.log2((blocks + 2) / (Math.min(s[MISSES_BEFORE]!, blocks) + 1));
    out.bits = Math.min(60, (1 + NEIGHBOUR * (s[RUN]! - 1)) * each);
    out.finding = out.bits >= params.barBits;
  },

  learn(_params, s, x, quality) {
    if (!usable(x, quality)) {
      s[KNOWN] = 0;
      return;
    }
    const value = x[0]!;
    const points = s[POINTS]! + 1;
    s[POINTS] = points;
    const size = Math.max(Math.abs(value), Math.abs(s[LAST]!));
    const step = Math.abs(value - s[LAST]!);
    if (s[KNOWN]! > 0 && step > Math.max(SMALLEST, LEAST_DIVISOR * SINGLE * size)) {
      s[STEPS] = s[STEPS]! + 1;
      if (s[DIVISOR] !== NONE) s[DIVISOR] = divide(s[DIVISOR]!, step, size);
    }
    s[KNOWN] = 1;
    s[LAST] = value;
    if (points >= BLOCK_POINTS && points % BLOCK_POINTS === 0) closeBlock(s);
  },

  describe(s, unit) {
    const before = s[USUAL]! > 0 ? `of ${formatValue(s[USUAL]!, unit)}` : 'too fine to tell';
    return `comes in steps of ${formatValue(s[COARSE]!, unit)}, before in steps ${before}`;
  },
};
