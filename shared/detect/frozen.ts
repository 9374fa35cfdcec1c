/**
 * Frozen: a value that stands still while its peers move. Takes the value of a round and where its peers are: the mean of
 * theirs, each in its own deviations. How far the peers go between two changes of the value, and how many rounds there are
 * between them, is its habit, and each has a tail; a value that is constant by nature never changes and has none, one whose
 * peers stand still as well is at rest. It is found when the peers went as far as they seldom do, and both together are
 * rarer than its habit allows.
 *
 * A value that rests at the lowest or highest ever seen is at rest, too: a valve that is shut, a pump that is off.
 *
 * Constraints: 22 numbers a series, no allocation.
 */
import { learnTail, startTail, TAIL_SIZE, type TailPrior, tailBits } from '../math/tails.ts';
import { Quality } from '../series.ts';
import { clearVerdict, type DetectorKind } from './detector.ts';
import { numbersCodec } from './number-state.ts';
import { parseNumbers } from './params.ts';

export interface FrozenParams {
  /** Changes of the value before its habit is known. */
  readonly minChanges: number;
  /** Rounds without a change. */
  readonly minRounds: number;
  /** Deviations that the peers must have gone. */
  readonly minMoved: number;
  /** From how many bits on it is a finding. */
  readonly barBits: number;
}

export const frozenDefaults: FrozenParams = { minChanges: 200, minRounds: 18, minMoved: 1, barBits: 28 };

/** Movements are told in powers of two, from this many deviations on. */
const LEAST_MOVED = 0.02;
/** How many times as far as ever before. */
const BEYOND_RECORD = 1.5;
const RECORD_FADE = 0.5 ** (1 / 20_000);
const LARGEST = 1e150;

/** Least movement of peers beside a value that stands for long. */
const LEAST_FAR = 0.3;
const movedPrior: TailPrior = { share: 0.05, threshold: 0, meanExcess: 0.6, shape: 0, peaks: 10, memory: 20_000 };
const runPrior: TailPrior = { share: 0.05, threshold: 2, meanExcess: 1, shape: 0, peaks: 10, memory: 20_000 };

const KNOWN = 0;
const LAST = 1;
const LOWEST = 2;
const HIGHEST = 3;
const CHANGES = 4;
/** Rounds since the last change; where the peers were then, and the lowest and highest since. */
const ROUNDS = 5;
const FROM = 6;
const PEERS_LOW = 7;
const PEERS_HIGH = 8;
/** The farthest that the peers went between two changes. */
const RECORD = 9;
const TAIL = 10;
const RUN_TAIL = TAIL + TAIL_SIZE;
const SIZE = RUN_TAIL + TAIL_SIZE;

function moved(s: Float64Array, peers: number): number {
  const low = Math.min(s[PEERS_LOW]!, peers);
  const high = Math.max(s[PEERS_HIGH]!, peers);
  return Math.max(high - s[FROM]!, s[FROM]! - low, 0);
}

function usable(x: Float64Array, quality: Uint8Array): boolean {
  return x.length > 1 && Math.abs(x[0]!) <= LARGEST && Math.abs(x[1]!) <= 1e6 && quality[0] === Quality.good;
}

export const frozen: DetectorKind<FrozenParams, Float64Array> = {
  name: 'frozen',
  major: 1,
  doc: 'A value that stands still while its peers move.',
  defaults: frozenDefaults,
  parseParams: (json) =>
    parseNumbers('frozen', json, frozenDefaults, {
      minChanges: [10, 1e9],
      minRounds: [2, 1e9],
      minMoved: [0, 100],
      barBits: [1, 99],
    }),
  state: numbersCodec('a frozen detector', 1, SIZE, (s) => {
    const positive = [KNOWN, CHANGES, ROUNDS, RECORD].every((i) => s[i]! >= 0);
    const ordered = s[LOWEST]! <= s[HIGHEST]! && s[PEERS_LOW]! <= s[PEERS_HIGH]!;
    const bounded = s.every((value) => Math.abs(value) <= 1e152);
    return positive && ordered && bounded && s.every((value, i) => i <= TAIL || i === RUN_TAIL || value >= 0);
  }),

  start() {
    const s = new Float64Array(SIZE);
    startTail(s, TAIL, movedPrior);
    startTail(s, RUN_TAIL, runPrior);
    return s;
  },

  score(params, s, x, quality, _at, out) {
    clearVerdict(out);
    if (!usable(x, quality) || s[CHANGES]! < params.minChanges) return;
    out.ready = true;
    const value = x[0]!;
    if (value !== s[LAST]! || s[ROUNDS]! + 1 < params.minRounds) return;
    if (value === s[LOWEST]! || value === s[HIGHEST]!) return;
    const far = moved(s, x[1]!);
    const log = Math.log2(far + LEAST_MOVED);
    const farther = far >= params.minMoved && far >= BEYOND_RECORD * s[RECORD]!;
    if (!farther && !(far >= LEAST_FAR && log > s[TAIL]!)) return;
    const moves = tailBits(s, TAIL, movedPrior, log);
    const stands = tailBits(s, RUN_TAIL, runPrior, Math.log2(s[ROUNDS]! + 1));
    // Who stands longer is left behind farther: of the two, the lesser counts by half.
    const both = Math.max(moves, stands) + Math.min(moves, stands) / 2;
    out.bits = Math.min(100, farther ? Math.max(moves, both) : both);
    out.finding = out.bits >= params.barBits;
  },

  learn(_params, s, x, quality) {
    if (!usable(x, quality)) return;
    const value = x[0]!;
    const peers = x[1]!;
    const known = s[KNOWN]! > 0;
    if (!known || value < s[LOWEST]!) s[LOWEST] = value;
    if (!known || value > s[HIGHEST]!) s[HIGHEST] = value;
    if (known && value === s[LAST]!) {
      s[ROUNDS] = s[ROUNDS]! + 1;
      s[PEERS_LOW] = Math.min(s[PEERS_LOW]!, peers);
      s[PEERS_HIGH] = Math.max(s[PEERS_HIGH]!, peers);
      return;
    }
    if (known) {
      // Not where the peers are now: the value moved with them.
      const far = moved(s, s[FROM]!);
      s[CHANGES] = s[CHANGES]! + 1;
      learnTail(s, TAIL, movedPrior, Math.log2(far + LEAST_MOVED));
      learnTail(s, RUN_TAIL, runPrior, Math.log2(s[ROUNDS]! + 1));
      s[RECORD] = Math.max(s[RECORD]! * RECORD_FADE, far);
    }
    s[KNOWN] = 1;
    s[LAST] = value;
    s[ROUNDS] = 0;
    s[FROM] = peers;
    s[PEERS_LOW] = peers;
    s[PEERS_HIGH] = peers;
  },
};
