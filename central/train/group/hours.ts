/**
 * The hours of a machine's groups: which there are, which of them may be learned from, and their sum. Read twice and
 * never held: first what each hour was like on average, then, of those that are kept, the co-moments.
 *
 * An hour may be learned from where every series of the group may (`preprocess.ts`): no fault, no planned work, no guessed
 * clock, enough of it, and the same meaning. A series that is seldom there is left out instead of its hours.
 */
import { DAY_MS, HOUR_MS } from '../../../shared/limits.ts';
import type { CoMoments } from '../../../shared/math/comoments.ts';
import { type GroupCoMoments, sameSeries } from '../../../shared/wire/co-moments.ts';
import type { AgentId, Store, StoredCoMoments, SummaryBlock, TimeRange } from '../../store/store.ts';
import { hourOfRollup } from '../../store/time.ts';
import type { Knowledge } from '../knowledge.ts';
import { preprocess } from '../preprocess.ts';
import { addSet, emptyLike } from './merged.ts';

/** As many weeks as co-moments are worth reading. */
export const GROUP_HISTORY_MS = 28 * DAY_MS;
/** As many groups as an agent watches. */
const MOST_GROUPS = 32;
/** Of the hours, in which a series must be there to be learned. */
const LEAST_HERE = 0.5;
/** A series that moves on in this part of the hours, and in this part of its moves one way, goes one way. */
const OFTEN = 0.5;
const ONE_WAY = 0.95;
const LEAST_MOVES = 12;

/** One hour of a group, all its parts together. */
interface GroupHour {
  readonly hour: number;
  /** End of the last window. */
  timeMs: number;
  readonly sum: Averages;
}

/** Rows, and by series in how many it was seen and its mean in these. */
interface Averages {
  rows: number;
  readonly seen: Float64Array;
  readonly mean: Float64Array;
}

export interface GroupHistory {
  /** The group as it was last; hours with other series are not here. */
  readonly like: GroupCoMoments;
  readonly hours: readonly GroupHour[];
}

export function hourOfSet({ timeMs, lengthMs }: Pick<StoredCoMoments, 'timeMs' | 'lengthMs'>): number {
  return hourOfRollup(timeMs, lengthMs);
}

/** All groups that the machine had lately, by name. */
export async function readGroups(
  store: Pick<Store, 'coMoments'>,
  agent: AgentId,
  range: TimeRange,
): Promise<Map<string, GroupHistory>> {
  const groups = new Map<string, { like: GroupCoMoments; newestMs: number; hours: Map<number, GroupHour> }>();
  for await (const set of store.coMoments(agent, range)) {
    let group = groups.get(set.group);
    if (group === undefined || (!sameSeries(group.like, set) && set.timeMs > group.newestMs)) {
      if (group === undefined && groups.size >= MOST_GROUPS) continue;
      group = { like: emptyLike(set), newestMs: set.timeMs, hours: new Map() };
      groups.set(set.group, group);
    }
    if (!sameSeries(group.like, set)) continue;
    group.newestMs = Math.max(group.newestMs, set.timeMs);
    const hour = hourOfSet(set);
    const size = set.members.length;
    const known = group.hours.get(hour) ?? {
      hour,
      timeMs: 0,
      sum: { rows: 0, seen: new Float64Array(size), mean: new Float64Array(size) },
    };
    group.hours.set(hour, known);
    known.timeMs = Math.max(known.timeMs, set.timeMs);
    average(known.sum, set);
  }
  return new Map(
    [...groups].map(([name, { like, hours }]) => [
      name,
      { like, hours: [...hours.values()].sort((a, b) => a.hour - b.hour) },
    ]),
  );
}

function average(sum: Averages, { seen, coMoments }: StoredCoMoments): void {
  sum.rows += coMoments.count;
  for (let i = 0; i < seen.length; i++) {
    const all = sum.seen[i]! + seen[i]!;
    if (seen[i] === 0) continue;
    sum.mean[i] = sum.mean[i]! + (seen[i]! / all) * (coMoments.mean[i]! - sum.mean[i]!);
    sum.seen[i] = all;
  }
}

export interface KeptHours {
  /** How much each hour counts, 0 to 1; those that are not here are not learned from. */
  readonly trust: ReadonlyMap<number, number>;
  /** Whether nothing is to be expected of a series: it is seldom there, or goes one way. */
  readonly isLeftOut: (series: number) => boolean;
}

/** Which hours, from one to another (exclusive), may be learned from. */
export function keptHours(
  agent: AgentId,
  { like, hours }: GroupHistory,
  knowledge: Knowledge,
  range: TimeRange,
): KeptHours {
  const within = hours.filter(({ timeMs }) => timeMs > range.fromMs && timeMs <= range.toMs);
  const trust = new Map(within.map(({ hour }) => [hour, 1]));
  const leftOut = like.members.map((_, i) => isSeldom(within, i) || goesOneWay(within, i));
  for (const [i, id] of like.members.entries()) {
    if (isSeldom(within, i)) continue;
    const { block } = preprocess(blockOf(agent, id, within, i), knowledge, HOUR_MS);
    const kept = new Map<number, number>();
    block?.timesMs.forEach((timeMs, row) => {
      kept.set(timeMs, block.trust?.[row] ?? 1);
    });
    for (const { hour, timeMs } of within) {
      const own = kept.get(timeMs);
      if (own === undefined) trust.delete(hour);
      else if (trust.has(hour)) trust.set(hour, Math.min(own, trust.get(hour)!));
    }
  }
  return { trust, isLeftOut: (series) => leftOut[series]! };
}

function isSeldom(hours: readonly GroupHour[], i: number): boolean {
  return hours.filter(({ sum }) => 2 * sum.seen[i]! >= sum.rows).length < LEAST_HERE * hours.length;
}

/** Against any reference it would soon be beyond all: as the agent's own group sees it, by hours. */
function goesOneWay(hours: readonly GroupHour[], i: number): boolean {
  let moves = 0;
  let rises = 0;
  for (let h = 1; h < hours.length; h++) {
    const step = hours[h]!.sum.mean[i]! - hours[h - 1]!.sum.mean[i]!;
    if (step === 0) continue;
    moves++;
    rises += Math.sign(step);
  }
  return moves >= LEAST_MOVES && moves > OFTEN * (hours.length - 1) && Math.abs(rises) > ONE_WAY * moves;
}

/** The hourly means of a series as the preprocessing knows windows. */
function blockOf(agent: AgentId, series: string, hours: readonly GroupHour[], i: number): SummaryBlock {
  const column = (of: (hour: GroupHour) => number): Float64Array => Float64Array.from(hours, of);
  const mean = column(({ sum }) => (sum.seen[i] === 0 ? Number.NaN : sum.mean[i]!));
  const none = new Float64Array(hours.length);
  return {
    agent,
    series,
    key: { name: '', unit: '', attributes: {} },
    timesMs: column(({ timeMs }) => timeMs),
    // How much of it there is says the count.
    lengthsMs: column(() => HOUR_MS),
    count: column(({ sum }) => sum.seen[i]!),
    mean,
    min: mean,
    max: mean,
    last: mean,
    deviation: none,
    anomalyShare: none,
    highestScore: none,
  };
}

/** The co-moments of the hours that are kept, of all groups, by name. */
export async function sumHours(
  store: Pick<Store, 'coMoments'>,
  agent: AgentId,
  range: TimeRange,
  wanted: ReadonlyMap<string, { readonly like: GroupCoMoments; readonly trust: ReadonlyMap<number, number> }>,
): Promise<Map<string, CoMoments>> {
  const sums = new Map([...wanted].map(([name, { like }]) => [name, emptyLike(like)]));
  for await (const set of store.coMoments(agent, range)) {
    const trust = wanted.get(set.group)?.trust.get(hourOfSet(set));
    if (trust !== undefined) addSet(sums.get(set.group)!, set, trust);
  }
  return new Map([...sums].map(([name, { coMoments }]) => [name, coMoments]));
}
