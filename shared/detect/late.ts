/**
 * Late: values that come, but behind their time: a gateway that answers each third time, a bus that is overloaded, a
 * source that repeats old values between the fresh ones. Silence is another detector's matter.
 *
 * The intervals between good values are held against the usual one, in powers of two, over blocks of sixteen; that mean
 * has a tail. An interval of more than twenty usual ones was a pause (a machine asleep, a device off) and counts nothing.
 *
 * Constraints: 19 numbers a series, no allocation.
 */
import { learnTail, startTail, TAIL_SIZE, type TailPrior, tailBits } from '../math/tails.ts';
import { Quality } from '../series.ts';
import { clearVerdict, type DetectorKind } from './detector.ts';
import { numbersCodec } from './number-state.ts';
import { parseNumbers } from './params.ts';
import { formatValue } from './wording.ts';

export interface LateParams {
  /** Blocks of 16 values before its habit is known. */
  readonly minBlocks: number;
  /** Late blocks on end. */
  readonly blocks: number;
  /** From how many bits on it is a finding. */
  readonly barBits: number;
}

export const lateDefaults: LateParams = { minBlocks: 60, blocks: 2, barBits: 20 };

const BLOCK_VALUES = 16;
/** Usual intervals from which on it is a pause. */
const PAUSE = 20;
/** No interval counts as more than 2^4 usual ones. */
const MOST = 4;
/** A mean below this is no matter, however rare: a fifth more, or less. */
const LEAST = 0.27;
const BEYOND_RECORD = 0.15;
const RECORD_FADE = 0.5 ** (1 / 20_000);
/** Least share by which the usual interval follows. */
const PACE = 0.002;
const SHORTEST_MS = 1;
/** Late blocks on end from which on that is the usual interval. */
const LONG_BLOCKS = 500;

const latePrior: TailPrior = { share: 0.05, threshold: 0.05, meanExcess: 0.03, shape: 0, peaks: 10, memory: 20_000 };

const LAST_MS = 0;
const KNOWN = 1;
const USUAL_MS = 2;
const SEEN = 3;
/** Of the open block: intervals, their sum, and the sum of how far they are from the usual. */
const INTERVALS = 4;
const SUM_MS = 5;
const SUM_OFF = 6;
const BLOCKS = 7;
const RECORD = 8;
const RUN = 9;
const RUN_BITS = 10;
/** Mean interval of the last block, and the least distance of the run's. */
const MEAN_MS = 11;
const RUN_LEAST = 12;
const TAIL = 13;
const SIZE = TAIL + TAIL_SIZE;

function closeBlock(params: LateParams, s: Float64Array): void {
  const off = s[SUM_OFF]! / BLOCK_VALUES;
  s[MEAN_MS] = s[SUM_MS]! / BLOCK_VALUES;
  s[INTERVALS] = 0;
  s[SUM_MS] = 0;
  s[SUM_OFF] = 0;
  const blocks = s[BLOCKS]!;
  s[BLOCKS] = blocks + 1;
  const bits = blocks < params.minBlocks ? 0 : Math.min(100, tailBits(s, TAIL, latePrior, off));
  const slower = s[MEAN_MS]! > s[USUAL_MS]!;
  const beyond = off > LEAST && slower && (s[RUN]! > 0 || off > s[RECORD]! + BEYOND_RECORD);
  if (beyond && bits >= params.barBits && s[RUN]! < LONG_BLOCKS) {
    s[RUN_BITS] = s[RUN] === 0 ? bits : Math.min(s[RUN_BITS]!, bits);
    s[RUN_LEAST] = s[RUN] === 0 ? off : Math.min(s[RUN_LEAST]!, off);
    s[RUN] = s[RUN]! + 1;
    return;
  }
  if (s[RUN]! > 0) {
    s[RECORD] = Math.max(s[RECORD]!, s[RUN_LEAST]!);
    learnTail(s, TAIL, latePrior, s[RUN_LEAST]!);
    s[RUN] = 0;
  }
  learnTail(s, TAIL, latePrior, off);
  s[RECORD] = Math.max(s[RECORD]! * RECORD_FADE, off);
}

function usable(x: Float64Array, quality: Uint8Array): boolean {
  return Number.isFinite(x[0]!) && quality[0] === Quality.good;
}

export const late: DetectorKind<LateParams, Float64Array> = {
  name: 'late',
  major: 1,
  doc: 'Values that come, but behind their time.',
  defaults: lateDefaults,
  parseParams: (json) =>
    parseNumbers('late', json, lateDefaults, { minBlocks: [2, 1e9], blocks: [1, 1000], barBits: [1, 99] }),
  state: numbersCodec('a late detector', 1, SIZE, (s) => {
    const positive = s.every((value, i) => i === LAST_MS || i === TAIL || value >= 0);
    const times = Math.abs(s[LAST_MS]!) <= 1e15 && [USUAL_MS, SUM_MS, MEAN_MS].every((i) => s[i]! <= 1e18);
    return positive && times && s[INTERVALS]! < BLOCK_VALUES;
  }),

  start() {
    const s = new Float64Array(SIZE);
    startTail(s, TAIL, latePrior);
    return s;
  },

  score(params, s, x, quality, _at, out) {
    clearVerdict(out);
    if (!usable(x, quality) || s[BLOCKS]! < params.minBlocks) return;
    out.ready = true;
    if (s[RUN] === 0) return;
    out.bits = s[RUN_BITS]!;
    out.finding = s[RUN]! >= params.blocks && out.bits >= params.barBits;
  },

  learn(params, s, x, quality, at) {
    if (!usable(x, quality)) return;
    const intervalMs = at.monotonicMs - s[LAST_MS]!;
    const known = s[KNOWN]! > 0;
    s[LAST_MS] = at.monotonicMs;
    s[KNOWN] = 1;
    if (!known || !(intervalMs > 0)) return;
    const seen = s[SEEN]!;
    if (seen === 0) s[USUAL_MS] = Math.max(SHORTEST_MS, intervalMs);
    const usualMs = s[USUAL_MS]!;
    if (intervalMs > PAUSE * usualMs && seen > BLOCK_VALUES) return;
    s[SEEN] = seen + 1;
    s[INTERVALS] = s[INTERVALS]! + 1;
    s[SUM_MS] = s[SUM_MS]! + intervalMs;
    s[SUM_OFF] = s[SUM_OFF]! + Math.min(MOST, Math.abs(Math.log2(intervalMs / usualMs)));
    // The median, by small steps: up where more than half are longer.
    const pace = s[RUN]! > 0 ? PACE / 8 : Math.max(PACE, 1 / (seen + 3));
    s[USUAL_MS] = Math.max(
      SHORTEST_MS,
      usualMs + Math.min(usualMs * pace, Math.abs(intervalMs - usualMs)) * Math.sign(intervalMs - usualMs),
    );
    if (s[INTERVALS]! >= BLOCK_VALUES) closeBlock(params, s);
  },

  describe(s) {
    return `comes every ${formatValue(s[MEAN_MS]! / 1000, 's')}, usually every ${formatValue(s[USUAL_MS]! / 1000, 's')}`;
  },
};
