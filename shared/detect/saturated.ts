/**
 * Saturated: a resource of which nothing is left for longer than ever before. Full for a moment is nothing on any
 * machine; how long is usual differs from one to the next, and it is that which is learned: it is told once it lasts half
 * again as long as the longest time before, so that a machine which works at its limit by the hour is left in peace, and
 * new records become ever rarer.
 *
 * This is a rule with a habit, where surprise is statistics: after minutes on a busy machine no statistic of values tells
 * a short burst from all cores loaded for good.
 *
 * The value is the share in use: 1 is all of it. A run that began before the habit was known counts as habit, and so does
 * what lasts longer than an hour of points.
 *
 * Constraints: 4 numbers a series, no allocation.
 */
import { Quality } from '../series.ts';
import { clearVerdict, type DetectorKind } from './detector.ts';
import { numbersCodec } from './number-state.ts';
import { parseNumbers } from './params.ts';

export interface SaturatedParams {
  /** Points before its habit is known. */
  readonly minPoints: number;
  /** Share in use from which on it is used up. */
  readonly share: number;
  /** A shorter run of points is never told. */
  readonly leastPoints: number;
}

export const saturatedDefaults: SaturatedParams = { minPoints: 120, share: 0.97, leastPoints: 15 };

/** A share below the limit by less than this does not end what has begun. */
const SLACK = 0.07;
/** As much longer than the longest before. */
const LONGER = 1.5;
/** What lasted longer than this is how things are. */
const HABIT_POINTS = 3600;
/** The longest time fades by half in a week at 1 Hz. */
const FADE = 0.5 ** (1 / 604_800);
/** Shares are measured with some slack; further off it is none. */
const LOWEST_SHARE = -0.5;
const HIGHEST_SHARE = 1.5;

const COUNT = 0;
/** Points used up, up to now. */
const RUN = 1;
const LONGEST = 2;
/** 1: the present run began before the habit was known. */
const EARLY = 3;
const SIZE = 4;

function usable(x: Float64Array, quality: Uint8Array): boolean {
  const share = x[0]!;
  return share >= LOWEST_SHARE && share <= HIGHEST_SHARE && quality[0] === Quality.good;
}

function runWith(params: SaturatedParams, s: Float64Array, share: number): number {
  const least = s[RUN]! > 0 ? params.share - SLACK : params.share;
  return share >= least ? s[RUN]! + 1 : 0;
}

export const saturated: DetectorKind<SaturatedParams, Float64Array> = {
  name: 'saturated',
  major: 1,
  doc: 'A resource of which nothing is left, for longer than ever before.',
  defaults: saturatedDefaults,
  parseParams: (json) =>
    parseNumbers('saturated', json, saturatedDefaults, {
      minPoints: [1, 1e9],
      share: [0.1, 1],
      leastPoints: [2, 1e9],
    }),
  state: numbersCodec('a saturated detector', 1, SIZE, (s) => s.every((value) => value >= 0) && s[EARLY]! <= 1),
  start: () => new Float64Array(SIZE),

  score(params, s, x, quality, _at, out) {
    clearVerdict(out);
    if (s[COUNT]! < params.minPoints || !usable(x, quality)) return;
    out.ready = true;
    const run = runWith(params, s, x[0]!);
    if (run === 0 || s[EARLY] === 1) return;
    const patience = Math.max(params.leastPoints, LONGER * s[LONGEST]!);
    // Rule of succession, as for what is missing.
    out.bits = Math.min(100, (Math.log2(s[COUNT]! + 2) * run) / patience);
    out.finding = run >= patience;
  },

  learn(params, s, x, quality) {
    if (!usable(x, quality)) return;
    const run = runWith(params, s, x[0]!);
    if (run === 0) {
      s[LONGEST] = Math.max(s[LONGEST]! * FADE, s[RUN]!);
      s[EARLY] = 0;
    } else {
      if (s[COUNT]! < params.minPoints) s[EARLY] = 1;
      if (run > HABIT_POINTS) s[LONGEST] = Math.max(s[LONGEST]!, run);
    }
    s[RUN] = run;
    s[COUNT] = s[COUNT]! + 1;
  },
};
