/**
 * The multivariate detector: is this row of values, taken together, unlike what this group of series does?
 *
 * Two references side by side. One is frozen (`group-reference.ts`): it sees what lasts and what creeps, and series that
 * no longer move together though each is in its range. One follows (mean and variance of each series, fading): it sees
 * what is new, and keeps quiet about what has long been so. On machines whose ways change the second is right, on
 * machines that should not change the first; their logarithms, added, are better than either on both.
 *
 *   level = mean of log2 of the broad statistic's averages over some 5 and 20 rows, + ½ log2 of the recent one's
 *   onset   = log2 of the broad average over 5 rows + ¾ log2 of the recent one: rather what is new
 *   lasting = log2 of the broad average over 20 rows
 *   apart   = log2 of the tight average over 5 rows
 *   bits    = of the greatest of them, each in deviations from what is usual for it, by a limit (`group-limit.ts`), and no
 *             more than the age of the reference can vouch for
 *
 * The reference is made of the first 256 rows, and made anew of all when there are as many as in `renewals`: ever more
 * seldom, and never while something is going on. Limits are learned in the youth of a group and when a reference is new
 * (phase I of statistical process control); then they stand (phase II).
 *
 * Constraints: constant memory; no allocation in `score`, and none in `learn` but when a reference is made; no clock.
 */
import { addCoMoments, fadeCoMoments } from '../math/comoments.ts';
import { clearVerdict, type DetectorKind, type Verdict } from './detector.ts';
import { endEpisode, followLimit, inEpisode, learnStandard, limitBits, standardised } from './group-limit.ts';
import { contributions, held, isPresent, measure, measured } from './group-measure.ts';
import {
  type GroupReference,
  MOST_GROUP_SERIES,
  parseGroupReference,
  scaleOf,
  trainReference,
} from './group-reference.ts';
import { at, BROAD_FLOOR, freeze, type GroupState, groupCodec, startGroupState, TIGHT_FLOOR } from './group-state.ts';
import { type Bounds, parseNumbers } from './params.ts';

export interface GroupParams {
  readonly series: number;
  /** From how many bits on it is a finding. */
  readonly barBits: number;
  /** Rows of the first reference. */
  readonly firstRows: number;
  /** From outside: it is used as it is and never renewed. Null: the group makes its own. */
  readonly reference: GroupReference | null;
}

export const groupDefaults: GroupParams = { series: 4, barBits: 24, firstRows: 256, reference: null };

/** In multiples of the first reference's rows; beyond the last, each four times the one before. */
const renewals: readonly number[] = [1, 4, 16, 32, 48, 64];
const LATER_RENEWALS = 4;
/** While something is going on a renewal waits, for as much of the rows so far. */
const MOST_WAITING = 0.5;
/** Limits are learned up to as many times the rows at which the reference was frozen (phase I); then they stand. */
const TRIAL = 1.1;
/** Rows of the co-moments beyond which the past fades. */
const MOST_ROWS = 4_000_000;

/** Weight of a new row in each average. */
const FAST = 0.2;
const SLOW = 0.05;
const RECENT = 0.1;
/** Rows over which mean and variance of the recent past are averaged: what is usual changes before how much it varies. */
const RECENT_MEAN_ROWS = 2000;
const RECENT_VARIANCE_ROWS = 20_000;
/** What is learned is held within as many scales. */
const MOST_LEARNED_SCALES = 30;
const RECENT_ROWS = 100;

/** Who was made of n rows claims no more than the rarity of one in n to this power: a young one has seen no night yet. */
const CLAIM = 1.25;
/** How much the recent past has to say in the onset, and in the level. */
const ONSET_RECENT = 0.75;
const LEVEL_RECENT = 0.5;
/** The tight statistic has a longer tail than the others: as rare as they are is as many deviations more. */
const APART = 2;
/** Deviations from what is usual within which it is back inside. */
const OUTSIDE = 2;
/** A series that moves in this part of the rows, and in this part of its moves one way, goes one way. */
const OFTEN = 0.05;
const ONE_WAY = 0.95;
/** So that logarithms stay finite. */
const LEAST = 1e-3;
const MOST_BITS = 128;

function average(before: number, weight: number, value: number): number {
  return before + weight * (value - before);
}

function onsetOf(fast: number, recent: number): number {
  return Math.log2(fast + LEAST) + ONSET_RECENT * Math.log2(recent + LEAST);
}

/** The greatest of the statistics, in deviations from what is usual for it. */
function farthest(s: Float64Array, fast: number, slow: number, tight: number, recent: number): number {
  return Math.max(
    standardised(s, at.onset, onsetOf(fast, recent)),
    standardised(s, at.lasting, Math.log2(slow + LEAST)),
    standardised(s, at.apart, Math.log2(tight + LEAST)) - APART,
  );
}

/** How unusual the group has been lately, whether it has just become so or has been for hours; 0 is as ever. */
export function groupLevel({ scalars: s }: GroupState): number {
  if (s[at.frozenAt] === 0) return 0;
  const joint = 0.5 * (Math.log2(s[at.fast]! + LEAST) + Math.log2(s[at.slow]! + LEAST));
  return Math.max(0, joint + LEVEL_RECENT * Math.log2(s[at.recent]! + LEAST) + LEVEL_OFFSET);
}
/** Below a quarter of what is usual all is the same. */
const LEVEL_OFFSET = 4;

/** Whether it is outside now, and not only on average over the last rows. */
export function isGroupOutside({ scalars: s }: GroupState): boolean {
  const fast = Math.log2(s[at.fast]! + LEAST);
  const now = Math.max(
    standardised(s, at.lasting, fast),
    standardised(s, at.onset, onsetOf(s[at.fast]!, s[at.recent]!)),
  );
  return Math.max(now, standardised(s, at.apart, Math.log2(s[at.tight]! + LEAST)) - APART) > OUTSIDE;
}

function score(params: GroupParams, state: GroupState, x: Float64Array, quality: Uint8Array, out: Verdict): void {
  clearVerdict(out);
  const s = state.scalars;
  if (x.length < state.series || s[at.frozenAt] === 0) return;
  measure(state, x, quality);
  if (measured.present === 0) return;
  out.ready = true;
  const fast = average(s[at.fast]!, FAST, measured.broad);
  const slow = average(s[at.slow]!, SLOW, measured.broad);
  const tight = average(s[at.tight]!, FAST, measured.tight);
  const recent = average(s[at.recent]!, RECENT, measured.recent);
  const bits = limitBits(s, at.limit, farthest(s, fast, slow, tight, recent));
  out.bits = Math.min(MOST_BITS, CLAIM * Math.log2(Math.max(1, s[at.made]!)), bits);
  out.finding = out.bits >= params.barBits;
}

/**
 * What each series has to do with this row, by whichever statistic says more of the group now: shares that sum to 1, or
 * all 0. Not for every row: it costs as much as scoring it several times.
 */
export function groupContributions(state: GroupState, x: Float64Array, quality: Uint8Array, out: Float64Array): void {
  const s = state.scalars;
  measure(state, x, quality);
  const apart = standardised(s, at.apart, Math.log2(s[at.tight]! + LEAST)) - APART;
  const isApart = apart >= farthest(s, s[at.fast]!, s[at.slow]!, s[at.tight]!, s[at.recent]!);
  contributions(state, isApart ? TIGHT_FLOOR : BROAD_FLOOR, out);
}

function learn(params: GroupParams, state: GroupState, x: Float64Array, quality: Uint8Array): void {
  const s = state.scalars;
  if (x.length < state.series) return;
  measure(state, x, quality);
  if (measured.present === 0) return;
  if (s[at.frozenAt]! > 0) learnScores(params, s);
  learnSeries(state, x, quality);
  s[at.rows] = s[at.rows]! + 1;
  if (params.reference === null) renew(params, state);
}

function learnScores(params: GroupParams, s: Float64Array): void {
  s[at.fast] = average(s[at.fast]!, FAST, measured.broad);
  s[at.slow] = average(s[at.slow]!, SLOW, measured.broad);
  s[at.tight] = average(s[at.tight]!, FAST, measured.tight);
  s[at.recent] = average(s[at.recent]!, RECENT, measured.recent);
  const learns = s[at.rows]! <= Math.max(youth(params), TRIAL * s[at.frozenAt]!);
  followLimit(s, at.limit, farthest(s, s[at.fast]!, s[at.slow]!, s[at.tight]!, s[at.recent]!), learns);
  if (!learns) return;
  learnStandard(s, at.onset, onsetOf(s[at.fast]!, s[at.recent]!));
  learnStandard(s, at.lasting, Math.log2(s[at.slow]! + LEAST));
  learnStandard(s, at.apart, Math.log2(s[at.tight]! + LEAST));
}

/** One row, held and filled. */
const row = new Float64Array(MOST_GROUP_SERIES);

function learnSeries(state: GroupState, x: Float64Array, quality: Uint8Array): void {
  const { series, scalars: s, recentMean, recentVariance, seen, coMoments } = state;
  const rows = s[at.rows]!;
  const frozen = s[at.frozenAt]! > 0;
  const weight = Math.max(1 / RECENT_VARIANCE_ROWS, 1 / (rows + 1));
  const meanWeight = Math.max(1 / RECENT_MEAN_ROWS, 1 / (rows + 1));
  for (let i = 0; i < series; i++) {
    if (!isPresent(x, quality, i)) {
      row[i] = frozen ? state.mean[i]! + measured.z[i]! * state.scale[i]! : coMoments.mean[i]!;
      continue;
    }
    const value = held(x[i]!);
    learnDirection(state, i, value);
    seen[i] = seen[i]! + 1;
    const mean = recentMean[i]!;
    const allowed =
      rows < RECENT_ROWS ? Number.POSITIVE_INFINITY : MOST_LEARNED_SCALES * scaleOf(mean, recentVariance[i]!);
    const off = Math.min(allowed, Math.max(-allowed, value - mean));
    row[i] = mean + off;
    recentMean[i] = mean + meanWeight * off;
    recentVariance[i] = recentVariance[i]! + weight * (off * off * (1 - weight) - recentVariance[i]!);
  }
  if (coMoments.count >= MOST_ROWS) {
    fadeCoMoments(coMoments, 0.5);
    for (const counts of [seen, state.moves, state.rises]) {
      for (let i = 0; i < series; i++) counts[i] = counts[i]! / 2;
    }
  }
  addCoMoments(coMoments, row);
}

function learnDirection({ seen, last, moves, rises }: GroupState, i: number, value: number): void {
  const before = last[i]!;
  last[i] = value;
  if (seen[i] === 0 || value === before) return;
  moves[i] = moves[i]! + 1;
  rises[i] = rises[i]! + (value > before ? 1 : -1);
}

/** It goes one way, as a total does or a tank that is drained: against any reference it would soon be beyond all. */
function goesOneWay({ seen, moves, rises }: GroupState, i: number): boolean {
  return moves[i]! > OFTEN * seen[i]! && Math.abs(rises[i]!) > ONE_WAY * moves[i]!;
}

function renew(params: GroupParams, state: GroupState): void {
  const s = state.scalars;
  const rows = s[at.rows]!;
  const due = nextRenewal(params, s[at.frozenAt]!);
  if (rows < due || (inEpisode(s, at.limit) && rows < due * (1 + MOST_WAITING))) return;
  freeze(
    state,
    trainReference(state.coMoments, (series) => goesOneWay(state, series)),
    rows,
  );
  // Against a new reference old scores say nothing.
  for (const place of [at.fast, at.slow, at.tight]) s[place] = 1;
  endEpisode(s, at.limit);
}

/** Rows up to which references follow each other quickly. */
function youth({ firstRows }: GroupParams): number {
  return renewals[renewals.length - 1]! * firstRows;
}

/** Rows at which the reference is renewed next. */
function nextRenewal({ firstRows }: GroupParams, frozenAt: number): number {
  if (frozenAt === 0) return firstRows;
  for (const times of renewals) if (times * firstRows > frozenAt) return times * firstRows;
  let next = renewals[renewals.length - 1]! * firstRows;
  while (next <= frozenAt) next *= LATER_RENEWALS;
  return next;
}

const bounds: Bounds<Omit<GroupParams, 'reference'>> = {
  series: [1, MOST_GROUP_SERIES],
  barBits: [1, MOST_BITS],
  firstRows: [32, 1e6],
};

export const group: DetectorKind<GroupParams, GroupState> = {
  name: 'group',
  major: 1,
  doc: 'A group of series that together are unlike what they were, against a frozen reference and a recent one.',
  defaults: groupDefaults,
  parseParams(json) {
    const { reference, ...numbers } = (typeof json === 'object' && json !== null ? json : { json }) as GroupParams;
    const { reference: none, ...defaults } = groupDefaults;
    const parsed = parseNumbers('group', Array.isArray(json) ? json : numbers, defaults, bounds);
    const given = reference === undefined || reference === null ? none : parseGroupReference(reference);
    const series = given === null ? Math.round(parsed.series) : given.mean.length;
    return { ...parsed, series, firstRows: Math.round(parsed.firstRows), reference: given };
  },
  state: groupCodec,
  start(params) {
    const state = startGroupState(params.series);
    if (params.reference !== null) freeze(state, params.reference, 1);
    return state;
  },
  score: (params, state, x, quality, _at, out) => score(params, state, x, quality, out),
  learn: (params, state, x, quality) => learn(params, state, x, quality),
};
