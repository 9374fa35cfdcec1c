/**
 * The same series looked at from farther away: means over blocks of a minute or an hour. What creeps is seen there, and
 * what lasts; flashes are not.
 *
 * A block is closed by the first sample that comes when it is over, and has that sample not. A block of fewer than
 * `LEAST_POINTS` samples says no more than these did: it is dropped. Of a block's mean is told how improbable
 * it is: its distance from the level of blocks, and from the block before (peaks over threshold).
 *
 * Constraints: constant memory, no allocation; nothing here reads a clock.
 */
import { learnTail, startTail, TAIL_SIZE, type TailPrior, tailBits } from '../math/tails.ts';
import { heldBits, heldStep, standardised } from './scales.ts';

const LEAST_POINTS = 4;
/** Blocks before they say anything. */
const READY_BLOCKS = 24;
/** Blocks over which level and scale are averaged. */
const LEVEL_BLOCKS = 1000;
const SETTLED_BLOCKS = 12;
/** Blocks after which the past counts half, in histogram and tails. */
const MEMORY_BLOCKS = 5000;

/** Numbers that a resolution takes in the scalars, and tails. */
export const BLOCK_SCALARS = 9;
const SUM = 0;
const POINTS = 1;
const START_MS = 2;
const BLOCKS = 3;
const MOVES = 4;
const LAST = 5;
const LEVEL = 6;
const VARIANCE = 7;
const STEP_VARIANCE = 8;
export const BLOCK_TAILS = 3;

const distancePrior: TailPrior = {
  share: 0.03,
  threshold: 2,
  meanExcess: 0.7,
  shape: 0.1,
  peaks: 12,
  memory: MEMORY_BLOCKS,
};
export const blockScorePrior: TailPrior = {
  share: 0.005,
  threshold: 12,
  meanExcess: 2.5,
  shape: 0,
  peaks: 100,
  memory: MEMORY_BLOCKS,
};

export interface BlockPlace {
  readonly spanMs: number;
  readonly at: number;
  /** Tails of the distance from the level, of the step, and of the score. */
  readonly tail: number;
}

export interface BlockArrays {
  readonly scalars: Float64Array;
  readonly floats: Float32Array;
}

/** What was measured of the block that a sample closes, and nothing where it closes none; reused. */
export interface BlockMeasure {
  /** Whether one was closed, and whether it has enough points to say something. */
  closed: boolean;
  told: boolean;
  /** Its mean, its score (0 while not ready), and bits of that score. */
  mean: number;
  score: number;
  bits: number;
  /** It left the level all at once. */
  stepped: boolean;
}

export function emptyBlockMeasure(): BlockMeasure {
  return { closed: false, told: false, mean: Number.NaN, score: 0, bits: 0, stepped: false };
}

export function startBlocks(a: BlockArrays, { tail }: BlockPlace): void {
  startTail(a.floats, tail, distancePrior);
  startTail(a.floats, tail + TAIL_SIZE, distancePrior);
  startTail(a.floats, tail + 2 * TAIL_SIZE, blockScorePrior);
}

/** Whether a sample at that monotonic time closes the open block. */
export function closesBlock({ scalars: s }: BlockArrays, { at, spanMs }: BlockPlace, monotonicMs: number): boolean {
  const age = monotonicMs - s[at + START_MS]!;
  return s[at + POINTS]! > 0 && (age >= spanMs || age < 0);
}

/** Mean of the open block. */
export function blockMean({ scalars: s }: BlockArrays, { at }: BlockPlace): number {
  return s[at + SUM]! / s[at + POINTS]!;
}

/** Whether the open block has enough points to be one. */
export function isFullBlock({ scalars: s }: BlockArrays, { at }: BlockPlace): boolean {
  return s[at + POINTS]! >= LEAST_POINTS;
}

/** Measures the block that a sample at that time closes, if it closes one. */
export function measureBlock(a: BlockArrays, place: BlockPlace, monotonicMs: number, out: BlockMeasure): void {
  const closes = closesBlock(a, place, monotonicMs);
  if (!closes && !out.closed) return;
  out.closed = closes;
  out.told = false;
  out.score = 0;
  out.bits = 0;
  out.stepped = false;
  if (closes) measureClosed(a, place, out);
}

function measureClosed(a: BlockArrays, place: BlockPlace, out: BlockMeasure): void {
  const { scalars: s, floats } = a;
  const { at, tail } = place;
  out.mean = blockMean(a, place);
  const blocks = s[at + BLOCKS]!;
  if (blocks < READY_BLOCKS || !isFullBlock(a, place)) return;
  out.told = true;
  const mean = s[at + LEVEL]!;
  const fromLevel = tailBits(floats, tail, distancePrior, standardised(out.mean - mean, s[at + VARIANCE]!, mean));
  const step = standardised(out.mean - s[at + LAST]!, s[at + STEP_VARIANCE]!, mean);
  const fromLast = tailBits(floats, tail + TAIL_SIZE, distancePrior, step);
  const claim = heldBits(Math.max(fromLevel, fromLast), blocks, s[at + MOVES]!);
  out.stepped = fromLast >= fromLevel;
  out.score = claim;
  const bits = tailBits(floats, tail + 2 * TAIL_SIZE, blockScorePrior, out.score);
  // Looked at more seldom, it has fewer chances to be wrong.
  out.bits = bits === 0 ? 0 : bits + Math.log2(s[at + POINTS]!);
}

/** Takes in a sample, after the block that it closes was learned. */
export function learnBlock({ scalars: s }: BlockArrays, { at }: BlockPlace, x: number, monotonicMs: number): void {
  if (s[at + POINTS] === 0) s[at + START_MS] = monotonicMs;
  s[at + SUM] = s[at + SUM]! + x;
  s[at + POINTS] = s[at + POINTS]! + 1;
}

/**
 * Takes in the block that a sample closes as measured, and begins the next; `record`: it was told; the values lie between
 * `low` and `high`, nearly all.
 */
export function learnClosed(
  a: BlockArrays,
  place: BlockPlace,
  measured: BlockMeasure,
  record: boolean,
  low: number,
  high: number,
): void {
  if (isFullBlock(a, place)) learnMean(a, place, measured, record, low, high);
  a.scalars[place.at + SUM] = 0;
  a.scalars[place.at + POINTS] = 0;
}

function learnMean(
  a: BlockArrays,
  place: BlockPlace,
  measured: BlockMeasure,
  record: boolean,
  low: number,
  high: number,
): void {
  const { scalars: s, floats } = a;
  const { at, tail } = place;
  const { mean, score, told } = measured;
  const blocks = s[at + BLOCKS]!;
  if (blocks === 0) {
    s[at + LEVEL] = mean;
    s[at + LAST] = mean;
  }
  const level = s[at + LEVEL]!;
  const settled = blocks >= SETTLED_BLOCKS;
  const fromLast = mean - s[at + LAST]!;
  if (settled) {
    learnTail(floats, tail, distancePrior, standardised(mean - level, s[at + VARIANCE]!, level));
    learnTail(floats, tail + TAIL_SIZE, distancePrior, standardised(fromLast, s[at + STEP_VARIANCE]!, level));
  }
  if (told) {
    const score0 = tail + 2 * TAIL_SIZE;
    learnTail(floats, score0, blockScorePrior, record ? score : Math.min(score, floats[score0]!));
  }
  const width = high - low;
  const weight = 1 / Math.min(blocks + 1, LEVEL_BLOCKS);
  const off = settled ? heldStep(mean - level, s[at + VARIANCE]!, width) : mean - level;
  const step = settled ? heldStep(fromLast, s[at + STEP_VARIANCE]!, width) : fromLast;
  s[at + LEVEL] = Math.min(high, Math.max(low, level + weight * off));
  s[at + VARIANCE] = Math.min(width * width, s[at + VARIANCE]! + weight * (off * off - s[at + VARIANCE]!));
  s[at + STEP_VARIANCE] = Math.min(
    width * width,
    s[at + STEP_VARIANCE]! + weight * (step * step - s[at + STEP_VARIANCE]!),
  );
  if (fromLast !== 0) s[at + MOVES] = s[at + MOVES]! + 1;
  s[at + LAST] = mean;
  s[at + BLOCKS] = blocks + 1;
}

/** Whether the numbers of a resolution that was read from disk make sense together. */
export function isSoundBlock({ scalars: s }: BlockArrays, { at }: BlockPlace): boolean {
  for (const i of [POINTS, BLOCKS, MOVES, VARIANCE, STEP_VARIANCE]) if (s[at + i]! < 0) return false;
  for (const i of [SUM, LAST, LEVEL, START_MS]) if (Math.abs(s[at + i]!) > 1e200) return false;
  return s[at + POINTS]! < 1e12;
}
