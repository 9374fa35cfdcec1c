/**
 * Stuck: a value that is frozen although it used to move. What is constant by nature is told apart by what it did
 * before: the lengths of the runs of equal values that have ended are its habit, and the logarithm of such lengths has
 * a tail (so that lengths themselves have a heavy one) against which the present run is held.
 *
 * A value that rests at the lowest or highest ever seen is at rest, not stuck: a rate of 0, a CPU that is all idle, a
 * full battery. A series that mostly repeats itself is judged only after very many runs.
 *
 * Constraints: 14 numbers a series, no allocation.
 */
import { learnTail, startTail, TAIL_SIZE, type TailPrior, tailBits } from '../math/tails.ts';
import { Quality } from '../series.ts';
import { clearVerdict, type DetectorKind } from './detector.ts';
import { numbersCodec } from './number-state.ts';
import { parseNumbers } from './params.ts';

export interface StuckParams {
  /** 1: a steady value is the rule for this series; nothing is ever said. */
  readonly steady: number;
  /** Points before its habit is known. */
  readonly minPoints: number;
  /** Ended runs before its habit is known. */
  readonly minRuns: number;
  /** A run of fewer points, or of less time, is never stuck: minutes of a device that is read each ten seconds. */
  readonly minRunPoints: number;
  readonly minRunMs: number;
  /** From how many bits on it is a finding. */
  readonly barBits: number;
}

export const stuckDefaults: StuckParams = {
  steady: 0,
  minPoints: 900,
  minRuns: 200,
  minRunPoints: 30,
  minRunMs: 120_000,
  barBits: 20,
};

/** Ended runs longer than this on average: the series mostly repeats itself. */
const RESTLESS_POINTS = 3;
/** Such a series is judged after this many times `minRuns`. */
const PATIENCE = 5;

const runPrior: TailPrior = { share: 0.05, threshold: 2, meanExcess: 0.5, shape: 0, peaks: 10, memory: 20_000 };

const COUNT = 0;
const RUNS = 1;
const LAST = 2;
const RUN = 3;
/** Average length of the ended runs. */
const MEAN_RUN = 4;
const LOWEST = 5;
const HIGHEST = 6;
/** Monotonic time of the last change. */
const SINCE_MS = 7;
const TAIL = 8;
const SIZE = TAIL + TAIL_SIZE;

function ready(params: StuckParams, s: Float64Array): boolean {
  if (params.steady >= 0.5 || s[COUNT]! < params.minPoints) return false;
  return s[RUNS]! >= (s[MEAN_RUN]! <= RESTLESS_POINTS ? params.minRuns : params.minRuns * PATIENCE);
}

function usable(x: Float64Array, quality: Uint8Array): boolean {
  return Number.isFinite(x[0]!) && quality[0] === Quality.good;
}

export const stuck: DetectorKind<StuckParams, Float64Array> = {
  name: 'stuck',
  major: 2,
  doc: 'A value that is frozen although it used to move.',
  defaults: stuckDefaults,
  parseParams: (json) =>
    parseNumbers('stuck', json, stuckDefaults, {
      steady: [0, 1],
      minPoints: [10, 1e9],
      minRuns: [10, 1e9],
      minRunPoints: [2, 1e9],
      minRunMs: [0, 1e12],
      barBits: [1, 200],
    }),
  state: numbersCodec('a stuck detector', 1, SIZE, (s) => {
    const counts = [COUNT, RUNS, RUN, MEAN_RUN].every((i) => s[i]! >= 0);
    return counts && s[LOWEST]! <= s[HIGHEST]! && s.subarray(TAIL + 1).every((value) => value >= 0);
  }),

  start() {
    const s = new Float64Array(SIZE);
    startTail(s, TAIL, runPrior);
    return s;
  },

  score(params, s, x, quality, at, out) {
    clearVerdict(out);
    if (!usable(x, quality) || !ready(params, s)) return;
    out.ready = true;
    const value = x[0]!;
    const run = value === s[LAST]! ? s[RUN]! + 1 : 1;
    if (run < params.minRunPoints || at.monotonicMs - s[SINCE_MS]! < params.minRunMs) return;
    if (value === s[LOWEST]! || value === s[HIGHEST]!) return;
    out.bits = Math.min(100, tailBits(s, TAIL, runPrior, Math.log2(run)));
    out.finding = out.bits >= params.barBits;
  },

  learn(_params, s, x, quality, at) {
    if (!usable(x, quality)) return;
    const value = x[0]!;
    const count = s[COUNT]!;
    s[COUNT] = count + 1;
    if (count === 0 || value < s[LOWEST]!) s[LOWEST] = value;
    if (count === 0 || value > s[HIGHEST]!) s[HIGHEST] = value;
    if (count > 0 && value === s[LAST]!) {
      s[RUN] = s[RUN]! + 1;
      return;
    }
    if (count > 0) {
      s[RUNS] = s[RUNS]! + 1;
      s[MEAN_RUN] = s[MEAN_RUN]! + (s[RUN]! - s[MEAN_RUN]!) / Math.min(s[RUNS]!, 10_000);
      learnTail(s, TAIL, runPrior, Math.log2(s[RUN]!));
    }
    s[LAST] = value;
    s[RUN] = 1;
    s[SINCE_MS] = at.monotonicMs;
  },
};
