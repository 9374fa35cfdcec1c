/**
 * Disagree: two sensors of one thing that used to move together and do so no longer. Takes the two values of a round.
 *
 * That they are redundant is proven, not said: over a long time their difference must vary by much less than each of
 * them, and whenever one has moved the other must have gone the same way as far, nearly each time, so that
 * two that merely rise over the same morning, or that had one great event in common, are no pair. Then the difference is
 * held against its mean; how far it is off has a tail.
 *
 * Constraints: 24 numbers a pair, no allocation.
 */
import { learnTail, startTail, TAIL_SIZE, type TailPrior, tailBits } from '../math/tails.ts';
import { Quality } from '../series.ts';
import { clearVerdict, type DetectorKind } from './detector.ts';
import { numbersCodec } from './number-state.ts';
import { parseNumbers } from './params.ts';

export interface DisagreeParams {
  /** Rounds before a pair is proven. */
  readonly minRounds: number;
  /** Rounds on end that they must disagree. */
  readonly rounds: number;
  /** From how many bits on it is a finding. */
  readonly barBits: number;
}

export const disagreeDefaults: DisagreeParams = { minRounds: 2_400, rounds: 12, barBits: 20 };

/** Variance of the difference, as a share of that of each. */
const SHARE_OF_LEVEL = 0.1;
/** One of the two moved when it went so many deviations of their difference, in as many rounds or more. */
const MOVED = 8;
const LEAST_ROUNDS_OF_MOVE = 6;
/** The other went along when it went as far but for this share. */
const ALONG = 0.5;
/** Moves before a pair is proven, and the share of them in which both went. */
const LEAST_MOVES = 20;
const TOGETHER = 0.9;
/** Rounds before anything is made of the difference. */
const LEAST_ROUNDS = 100;
const MEMORY_ROUNDS = 20_000;
const MEMORY_MOVES = 300;
/** What is farther off than this many deviations moves the mean no more than what is at them. */
const WINSOR = 4;
/** Each round of a run has this share of the bits; further ones count as a quarter of one that were independent. */
const RUN_SHARE = 0.5;
const NEIGHBOUR = 0.25;
const MOST_NEIGHBOURS = 4;
const BEYOND_RECORD = 1.25;
/** Half a day in rounds of ten seconds: after as long the record is renewed. */
const PERIOD_ROUNDS = 4_000;
/** Each time it has faded by a little. */
const RECORD_FADE = 0.95;
/** Least deviation of the difference, as a share of what the values vary by: two copies of one value have none. */
const LEAST_SPREAD = 0.01;
const LARGEST = 1e150;

const offPrior: TailPrior = { share: 0.05, threshold: 2, meanExcess: 0.5, shape: 0.1, peaks: 10, memory: 20_000 };

const ROUNDS = 0;
const MEAN_A = 1;
const MEAN_B = 2;
const VARIANCE_A = 3;
const VARIANCE_B = 4;
/** Mean and variance of a - b. */
const OFFSET = 5;
const VARIANCE = 6;
/** Values at the last mark, rounds since; moves from mark to mark, and those that both made. */
const MARK_A = 7;
const MARK_B = 8;
const SINCE_MARK = 9;
const MOVES = 10;
const BOTH = 11;
/** The widest that the difference was off in periods that are over, and in this one, with its rounds. */
const RECORD = 12;
const WIDEST = 13;
const PERIOD = 14;
const RUN = 15;
const RUN_BITS = 16;
/** The widest that the difference was off in the run. */
const RUN_WIDEST = 17;
const TAIL = 18;
const SIZE = TAIL + TAIL_SIZE;

function proven(params: DisagreeParams, s: Float64Array): boolean {
  if (s[ROUNDS]! < params.minRounds || s[MOVES]! < LEAST_MOVES || s[BOTH]! < TOGETHER * s[MOVES]!) return false;
  const level = Math.min(s[VARIANCE_A]!, s[VARIANCE_B]!);
  return level > 0 && s[VARIANCE]! <= SHARE_OF_LEVEL * level;
}

function spread(s: Float64Array): number {
  const least = LEAST_SPREAD * Math.sqrt(Math.min(s[VARIANCE_A]!, s[VARIANCE_B]!));
  return Math.max(Math.sqrt(s[VARIANCE]!), least, Number.MIN_VALUE);
}

function off(s: Float64Array, a: number, b: number): number {
  return Math.min(1e6, Math.abs(a - b - s[OFFSET]!) / spread(s));
}

function bitsOf(params: DisagreeParams, s: Float64Array, y: number): number {
  if (s[RUN] === 0 && y <= BEYOND_RECORD * s[RECORD]!) return 0;
  const bits = Math.min(100, tailBits(s, TAIL, offPrior, y));
  return bits >= RUN_SHARE * params.barBits ? bits : 0;
}

function usable(x: Float64Array, quality: Uint8Array): boolean {
  return x.length > 1 && Math.abs(x[0]!) <= LARGEST && Math.abs(x[1]!) <= LARGEST && quality[0] === Quality.good;
}

function learnLevels(s: Float64Array, a: number, b: number, held: boolean): void {
  const rounds = s[ROUNDS]! + 1;
  const weight = 1 / Math.min(rounds, MEMORY_ROUNDS);
  s[ROUNDS] = rounds;
  const offA = a - s[MEAN_A]!;
  const offB = b - s[MEAN_B]!;
  s[MEAN_A] = s[MEAN_A]! + offA * weight;
  s[MEAN_B] = s[MEAN_B]! + offB * weight;
  s[VARIANCE_A] = (s[VARIANCE_A]! + offA * offA * weight) * (1 - weight);
  s[VARIANCE_B] = (s[VARIANCE_B]! + offB * offB * weight) * (1 - weight);
  if (held) return;
  const most = rounds > LEAST_ROUNDS ? WINSOR * spread(s) : LARGEST * 4;
  const moved = Math.max(-most, Math.min(most, a - b - s[OFFSET]!));
  s[OFFSET] = s[OFFSET]! + moved * weight;
  s[VARIANCE] = (s[VARIANCE]! + moved * moved * weight) * (1 - weight);
}

/** A drift must not carry its habit along: what is beyond the record teaches nothing until the period is over. */
function learnOff(s: Float64Array, y: number, known: boolean, held: boolean): void {
  if (!held) learnTail(s, TAIL, offPrior, y);
  s[WIDEST] = Math.max(s[WIDEST]!, y);
  s[PERIOD] = s[PERIOD]! + 1;
  if (known && s[RECORD]! > 0 && s[PERIOD]! < PERIOD_ROUNDS) return;
  s[RECORD] = Math.max(s[RECORD]! * RECORD_FADE, s[WIDEST]!);
  if (!known) return;
  s[WIDEST] = 0;
  s[PERIOD] = 0;
}

function learnMoves(s: Float64Array, a: number, b: number): void {
  const since = s[SINCE_MARK]! + 1;
  s[SINCE_MARK] = since;
  const wayA = a - s[MARK_A]!;
  const wayB = b - s[MARK_B]!;
  const widest = Math.max(Math.abs(wayA), Math.abs(wayB));
  const first = s[ROUNDS]! < LEAST_ROUNDS;
  if (!first && (since < LEAST_ROUNDS_OF_MOVE || widest < MOVED * spread(s))) return;
  s[SINCE_MARK] = 0;
  s[MARK_A] = a;
  s[MARK_B] = b;
  if (first) return;
  s[MOVES] = s[MOVES]! + 1;
  if (Math.abs(wayA - wayB) <= ALONG * widest) s[BOTH] = s[BOTH]! + 1;
  if (s[MOVES]! < MEMORY_MOVES) return;
  s[MOVES] = s[MOVES]! / 2;
  s[BOTH] = s[BOTH]! / 2;
}

export const disagree: DetectorKind<DisagreeParams, Float64Array> = {
  name: 'disagree',
  major: 1,
  doc: 'Two sensors that used to move together and do so no longer.',
  defaults: disagreeDefaults,
  parseParams: (json) =>
    parseNumbers('disagree', json, disagreeDefaults, { minRounds: [100, 1e9], rounds: [1, 1e6], barBits: [1, 99] }),
  state: numbersCodec('a disagree detector', 1, SIZE, (s) => {
    const signed = new Set([MEAN_A, MEAN_B, OFFSET, MARK_A, MARK_B, TAIL]);
    const squares = new Set([VARIANCE_A, VARIANCE_B, VARIANCE]);
    return s.every((value, i) => (signed.has(i) || value >= 0) && Math.abs(value) <= (squares.has(i) ? 1e303 : 1e152));
  }),

  start() {
    const s = new Float64Array(SIZE);
    startTail(s, TAIL, offPrior);
    return s;
  },

  /** The expected range is that of the first value, as the second has it. */
  score(params, s, x, quality, _at, out) {
    clearVerdict(out);
    if (!usable(x, quality) || !proven(params, s)) return;
    out.ready = true;
    const a = x[0]!;
    const b = x[1]!;
    const y = off(s, a, b);
    const bits = bitsOf(params, s, y);
    if (bits === 0) return;
    const run = s[RUN]! + 1;
    const mean = (s[RUN_BITS]! * s[RUN]! + bits) / run;
    const usual = Math.max(s[RECORD]!, 1) * spread(s);
    out.expectedLow = b + s[OFFSET]! - usual;
    out.expectedHigh = b + s[OFFSET]! + usual;
    out.bits = Math.min(100, mean * (1 + NEIGHBOUR * Math.min(run - 1, MOST_NEIGHBOURS)));
    out.finding = run >= params.rounds && out.bits >= params.barBits;
  },

  learn(params, s, x, quality) {
    if (!usable(x, quality)) return;
    const a = x[0]!;
    const b = x[1]!;
    const known = proven(params, s);
    const y = s[ROUNDS]! > LEAST_ROUNDS ? off(s, a, b) : 0;
    const bits = known ? bitsOf(params, s, y) : 0;
    if (bits > 0 && s[RUN]! < MEMORY_ROUNDS) {
      const run = s[RUN]!;
      s[RUN_BITS] = (s[RUN_BITS]! * run + bits) / (run + 1);
      s[RUN_WIDEST] = Math.max(s[RUN_WIDEST]!, y);
      s[RUN] = run + 1;
      learnLevels(s, a, b, true);
      return;
    }
    if (s[RUN]! >= MEMORY_ROUNDS) {
      // For days: that is how they are now.
      s[OFFSET] = a - b;
    } else {
      s[WIDEST] = Math.max(s[WIDEST]!, s[RUN_WIDEST]!);
    }
    s[RUN] = 0;
    s[RUN_BITS] = 0;
    s[RUN_WIDEST] = 0;
    const held = known && y > s[RECORD]! && s[RECORD]! > 0;
    if (s[ROUNDS]! > LEAST_ROUNDS) learnOff(s, y, known, held);
    learnLevels(s, a, b, held);
    learnMoves(s, a, b);
  },
};
