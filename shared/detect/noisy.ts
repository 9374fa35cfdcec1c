/**
 * Noisy: noise that rose while the level did not. A loose contact, a failing amplifier, interference: the value jumps
 * about where it was instead of going anywhere.
 *
 * Noise is the mean absolute second difference (which a level and a ramp leave at 0) over blocks of 64 points, the
 * quietest quarter of each, so that a spike or a burst is no noise. Its logarithm against its long mean has a tail. It
 * is a finding when three blocks on end are beyond that tail and beyond all blocks before, while the block's mean is where
 * means were, and successive values have hardly to do with each other (von Neumann's ratio, 1941: 2 for white noise,
 * near 0 for a movement). The same noise a second time is a habit.
 *
 * Constraints: 28 numbers a series, no allocation.
 */
import { learnTail, startTail, TAIL_SIZE, type TailPrior, tailBits } from '../math/tails.ts';
import { Quality } from '../series.ts';
import { clearVerdict, type DetectorKind } from './detector.ts';
import { numbersCodec } from './number-state.ts';
import { parseNumbers } from './params.ts';
import { formatValue } from './wording.ts';

export interface NoisyParams {
  /** Blocks of 64 points before its habit is known. */
  readonly minBlocks: number;
  /** Blocks on end that must be noisy. */
  readonly blocks: number;
  /** From how many bits on it is a finding. */
  readonly barBits: number;
}

export const noisyDefaults: NoisyParams = { minBlocks: 240, blocks: 3, barBits: 20 };

const BLOCK_POINTS = 64;
const QUARTER_POINTS = 16;
/** Blocks after which what was learned has faded by some two thirds: 35 h at one point a second. */
const MEMORY_BLOCKS = 2_000;
/** Noise below this share of the mean counts as this share: a block without any is not infinitely quiet. */
const FLOOR_SHARE = 0.25;
/** Logarithm (base 2) by which noise must exceed all blocks before. */
const BEYOND_RECORD = 0.5;
const RECORD_FADE = 0.5 ** (1 / 10_000);
/** Standard deviations of the blocks' means within which the level is where it was. */
const LEVEL_DEVIATIONS = 3;
/** Von Neumann's ratio from which on a block is rather noise than movement. */
const WHITE = 1;
/** Mean absolute second difference of white noise, in standard deviations: sqrt(6) sqrt(2/pi). */
const SECOND_DIFFERENCE = 1.954;
/** Each block of a run has at least this share of the bits. */
const RUN_SHARE = 0.5;
/** Blocks side by side are alike: each further one counts as a quarter of one that were independent; up to four do. */
const NEIGHBOUR = 0.25;
const MOST_NEIGHBOURS = 4;
/** Quieter blocks on end that do not end a run. */
const MOST_MISSED = 1;
/** Blocks on end from which on noise becomes the habit. */
const LONG_BLOCKS = 120;
/** Values beyond this are no measurement, and their squares no numbers. */
const LARGEST = 1e150;

const noisePrior: TailPrior = { share: 0.05, threshold: 0.5, meanExcess: 0.25, shape: 0, peaks: 10, memory: 20_000 };

/** Of the open block: points, their first value, sums of deviations from it and of squares. */
const POINTS = 0;
const FIRST = 1;
const SUM = 2;
const SQUARES = 3;
/** Sum of squared first differences; of absolute second ones in this quarter; and of the quietest quarter. */
const STEPS = 4;
const QUARTER = 5;
const QUIETEST = 6;
/** The value before, the step to it, and how many of the two there are. */
const LAST = 7;
const LAST_STEP = 8;
const KNOWN = 9;
const BLOCKS = 10;
/** Mean noise, and mean of its logarithm. */
const MEAN = 11;
const LOG_MEAN = 12;
/** Mean and variance of the blocks' means. */
const LEVEL = 13;
const LEVEL_VARIANCE = 14;
const RECORD = 15;
/** Noisy blocks on end, their mean bits, the least rise among them, and the latest noise. */
const RUN = 16;
const RUN_BITS = 17;
const RUN_LEAST = 18;
const NOISE = 19;
/** Mean noise before the run. */
const USUAL = 20;
/** Blocks since the last noisy one of the run. */
const MISSED = 21;
const TAIL = 22;
const SIZE = TAIL + TAIL_SIZE;

function closeBlock(params: NoisyParams, s: Float64Array): void {
  const noise = s[QUIETEST]! / QUARTER_POINTS;
  const offset = s[SUM]! / BLOCK_POINTS;
  const variance = Math.max(0, s[SQUARES]! / BLOCK_POINTS - offset * offset);
  const steps = s[STEPS]! / BLOCK_POINTS;
  const mean = s[FIRST]! + offset;
  const blocks = s[BLOCKS]!;
  const weight = 1 / Math.min(blocks + 1, MEMORY_BLOCKS);
  s[POINTS] = 0;
  s[NOISE] = noise;
  const log = Math.log2(Math.max(noise, FLOOR_SHARE * s[MEAN]!, Number.MIN_VALUE));
  const rise = blocks === 0 ? 0 : log - s[LOG_MEAN]!;
  const strayed = mean - s[LEVEL]!;
  const level = strayed * strayed <= LEVEL_DEVIATIONS ** 2 * s[LEVEL_VARIANCE]!;
  if (blocks >= params.minBlocks && s[MEAN]! > 0) {
    const bits = Math.min(100, tailBits(s, TAIL, noisePrior, rise));
    const beyond = s[RUN]! > 0 || rise > s[RECORD]! + BEYOND_RECORD;
    if (beyond && level && bits >= params.barBits * RUN_SHARE && steps >= WHITE * variance) {
      const run = s[RUN]!;
      if (run === 0) s[USUAL] = s[MEAN]!;
      s[RUN_BITS] = (s[RUN_BITS]! * run + bits) / (run + 1);
      s[RUN_LEAST] = run === 0 ? rise : Math.min(s[RUN_LEAST]!, rise);
      s[RUN] = run + 1;
      s[MISSED] = 0;
    } else {
      s[MISSED] = s[MISSED]! + 1;
      if (s[MISSED]! > MOST_MISSED) endRun(s);
    }
  }
  // What is noisy moves the habit more slowly, the tail not while it is short, and the record not before it is over.
  const pace = s[RUN]! > 0 ? weight / 4 : weight;
  s[BLOCKS] = blocks + 1;
  s[MEAN] = s[MEAN]! + (noise - s[MEAN]!) * pace;
  if (noise > 0 || s[MEAN]! > 0) {
    s[LOG_MEAN] = blocks === 0 ? log : s[LOG_MEAN]! + rise * pace;
    if (blocks > 0 && (s[RUN] === 0 || s[RUN]! > LONG_BLOCKS)) learnTail(s, TAIL, noisePrior, rise);
    if (s[RUN] === 0) s[RECORD] = Math.max(s[RECORD]! * RECORD_FADE, rise);
  }
  s[LEVEL] = s[LEVEL]! + strayed * weight;
  s[LEVEL_VARIANCE] = (s[LEVEL_VARIANCE]! + strayed * strayed * weight) * (1 - weight);
}

function endRun(s: Float64Array): void {
  if (s[RUN] === 0) return;
  s[RECORD] = Math.max(s[RECORD]!, s[RUN_LEAST]!);
  learnTail(s, TAIL, noisePrior, s[RUN_LEAST]!);
  s[RUN] = 0;
  s[RUN_BITS] = 0;
}

function usable(x: Float64Array, quality: Uint8Array): boolean {
  return Math.abs(x[0]!) <= LARGEST && quality[0] === Quality.good;
}

export const noisy: DetectorKind<NoisyParams, Float64Array> = {
  name: 'noisy',
  major: 1,
  doc: 'Noise that rose while the level did not.',
  defaults: noisyDefaults,
  parseParams: (json) =>
    parseNumbers('noisy', json, noisyDefaults, { minBlocks: [10, 1e9], blocks: [1, 1000], barBits: [1, 99] }),
  state: numbersCodec('a noisy detector', 1, SIZE, (s) => {
    const positive = [
      POINTS,
      SQUARES,
      STEPS,
      QUARTER,
      QUIETEST,
      KNOWN,
      BLOCKS,
      MEAN,
      LEVEL_VARIANCE,
      RUN,
      RUN_BITS,
      MISSED,
    ];
    if (!positive.every((i) => s[i]! >= 0) || s[POINTS]! >= BLOCK_POINTS || s[POINTS]! % 1 !== 0) return false;
    const squares = new Set([SQUARES, STEPS, LEVEL_VARIANCE]);
    const bounded = s.every((value, i) => Math.abs(value) <= (squares.has(i) ? 1e304 : 1e154));
    return bounded && s.subarray(TAIL + 1).every((value) => value >= 0);
  }),

  start() {
    const s = new Float64Array(SIZE);
    startTail(s, TAIL, noisePrior);
    return s;
  },

  score(params, s, x, quality, _at, out) {
    clearVerdict(out);
    if (!usable(x, quality) || s[BLOCKS]! < params.minBlocks) return;
    out.ready = true;
    if (s[RUN] === 0) return;
    const spread = (3 * s[USUAL]!) / SECOND_DIFFERENCE;
    out.bits = Math.min(100, s[RUN_BITS]! * (1 + NEIGHBOUR * Math.min(s[RUN]! - 1, MOST_NEIGHBOURS)));
    out.expectedLow = s[LEVEL]! - spread;
    out.expectedHigh = s[LEVEL]! + spread;
    out.finding = s[RUN]! >= params.blocks && out.bits >= params.barBits;
  },

  learn(params, s, x, quality) {
    if (!usable(x, quality)) {
      s[KNOWN] = 0;
      return;
    }
    const value = x[0]!;
    const before = s[POINTS]!;
    if (before === 0) {
      s[FIRST] = value;
      s[SUM] = 0;
      s[SQUARES] = 0;
      s[STEPS] = 0;
      s[QUARTER] = 0;
      s[QUIETEST] = LARGEST;
    }
    const offset = value - s[FIRST]!;
    s[SUM] = s[SUM]! + offset;
    s[SQUARES] = s[SQUARES]! + offset * offset;
    const known = s[KNOWN]!;
    if (known > 0) {
      const step = value - s[LAST]!;
      s[STEPS] = s[STEPS]! + step * step;
      if (known > 1) s[QUARTER] = s[QUARTER]! + Math.abs(step - s[LAST_STEP]!);
      s[LAST_STEP] = step;
    }
    s[KNOWN] = known > 0 ? 2 : 1;
    s[LAST] = value;
    const points = before + 1;
    s[POINTS] = points;
    if (points % QUARTER_POINTS !== 0) return;
    s[QUIETEST] = Math.min(s[QUIETEST]!, s[QUARTER]!);
    s[QUARTER] = 0;
    if (points >= BLOCK_POINTS) closeBlock(params, s);
  },

  describe(s, unit) {
    const deviation = (noise: number): string => formatValue(noise / SECOND_DIFFERENCE, unit);
    return `is noisy about its level: it scatters by ${deviation(s[NOISE]!)}, usually by ${deviation(s[USUAL]!)}`;
  },
};
