/**
 * Which cohort each machine is in after a round: a pure function of where they were and of the clusters that were found.
 *
 * Clusters are new each time, cohorts last: a cluster goes on as the cohort with which it has the most machines in
 * common. A machine that has a place changes it only where another has been clearly nearer for some rounds on end; what
 * an operator said holds against everything.
 */
import type { AgentId } from '../store/store.ts';
import type { PlacedBy } from './api.ts';

/** Rounds in a row for which another cohort must be clearly nearer. */
export const ROUNDS_TO_MOVE = 3;
/** Clearly nearer: by this factor. */
const CLEARLY = 0.8;
/** Of the machines of a cluster, or of a cohort, that must be common to both. */
const LEAST_OVERLAP = 0.5;
/** At this distance machines are not alike any more; see `space.ts`. */
export const CUT = 1;

export interface Place {
  readonly cohort: string | null;
  readonly by: PlacedBy;
  readonly sinceMs: number;
  readonly distance: number | null;
  readonly leaning: { readonly cohort: string | null; readonly rounds: number } | null;
}

export interface Round {
  readonly agents: readonly AgentId[];
  readonly places: ReadonlyMap<AgentId, Place>;
  /** Cohorts that there are. */
  readonly cohorts: readonly string[];
  /** Numbers of agents. */
  readonly clusters: readonly (readonly number[])[];
  readonly distance: (a: number, b: number) => number;
  /** A new cohort for these agents. */
  readonly begin: (cluster: readonly number[]) => string;
  /** Whether this is one of the rounds that are counted; between them only who has no place is given one. */
  readonly counts: boolean;
  readonly nowMs: number;
}

/** Places of the round's agents; a place that did not change is the same object. */
export function placesAfter(round: Round): Map<AgentId, Place> {
  const { agents, places, clusters, nowMs } = round;
  const cohortOf = match(round);
  const wanted = new Array<string | null>(agents.length).fill(null);
  const clusterOf = new Array<readonly number[]>(agents.length).fill([]);
  for (const [c, cluster] of clusters.entries()) {
    for (const agent of cluster) {
      wanted[agent] = cohortOf[c]!;
      clusterOf[agent] = cluster;
    }
  }
  const after = new Map<AgentId, Place>();
  for (const [i, agent] of agents.entries()) {
    const place = places.get(agent);
    const to = wanted[i]!;
    const target = to === null ? Number.POSITIVE_INFINITY : apart(round, i, clusterOf[i]!);
    const fresh = (): Place => ({ cohort: to, by: 'clusters', sinceMs: nowMs, distance: known(target), leaning: null });
    if (place === undefined || (place.cohort === null && place.by !== 'hand')) {
      after.set(agent, place !== undefined && to === null && place.by === 'clusters' ? place : fresh());
      continue;
    }
    const own = apart(round, i, indicesOf(round, place.cohort));
    const distance = known(own);
    if (place.by === 'hand' || to === place.cohort) {
      const by = place.by === 'hand' ? 'hand' : 'clusters';
      after.set(agent, { ...place, by, distance, leaning: null });
      continue;
    }
    // Placed from little data: no habit to hold it.
    if (place.by === 'first') {
      after.set(agent, fresh());
      continue;
    }
    if (!round.counts) {
      after.set(agent, { ...place, distance });
      continue;
    }
    const better = to === null ? !(own <= CUT) : !(own <= CUT) || target < CLEARLY * own;
    const before = place.leaning?.cohort === to ? place.leaning.rounds : 0;
    const rounds = before + 1;
    if (better && rounds >= ROUNDS_TO_MOVE) after.set(agent, fresh());
    else after.set(agent, { ...place, distance, leaning: better ? { cohort: to, rounds } : null });
  }
  return after;
}

/** The cohort as which each cluster goes on; null of one that is alone. */
function match(round: Round): (string | null)[] {
  const { agents, places, clusters, cohorts, begin } = round;
  const towards = agents.map((agent) => {
    const place = places.get(agent);
    return place?.leaning?.cohort ?? place?.cohort ?? null;
  });
  const sizes = new Map<string, number>();
  for (const cohort of towards) if (cohort !== null) sizes.set(cohort, (sizes.get(cohort) ?? 0) + 1);
  const pairs: { cluster: number; cohort: string; common: number }[] = [];
  for (const [cluster, members] of clusters.entries()) {
    const counts = new Map<string, number>();
    for (const agent of members) {
      const cohort = towards[agent];
      if (cohort != null && cohorts.includes(cohort)) counts.set(cohort, (counts.get(cohort) ?? 0) + 1);
    }
    for (const [cohort, common] of counts) {
      const share = Math.max(common / members.length, common / sizes.get(cohort)!);
      if (share >= LEAST_OVERLAP) pairs.push({ cluster, cohort, common });
    }
  }
  pairs.sort((a, b) => b.common - a.common || a.cluster - b.cluster || (a.cohort < b.cohort ? -1 : 1));
  const found = new Array<string | null>(clusters.length).fill(null);
  const used = new Set<string>();
  for (const { cluster, cohort } of pairs) {
    if (found[cluster] !== null || used.has(cohort)) continue;
    found[cluster] = cohort;
    used.add(cohort);
  }
  return found.map((cohort, i) => cohort ?? (clusters[i]!.length > 1 ? begin(clusters[i]!) : null));
}

function indicesOf({ agents, places }: Round, cohort: string | null): number[] {
  return [...agents.keys()].filter((i) => cohort !== null && places.get(agents[i]!)?.cohort === cohort);
}

/** Mean distance to the others; infinite without any. */
function apart({ distance }: Round, agent: number, others: readonly number[]): number {
  let sum = 0;
  let count = 0;
  for (const other of others) {
    if (other === agent) continue;
    sum += distance(agent, other);
    count++;
  }
  return count === 0 ? Number.POSITIVE_INFINITY : sum / count;
}

const known = (distance: number): number | null => (Number.isFinite(distance) ? distance : null);

/** The nearest cohort for a machine that is not among the clusters yet, if it is near enough. */
export function nearest(round: Omit<Round, 'clusters' | 'begin' | 'counts'>, agent: number): Place {
  let best: string | null = null;
  let least: number = CUT;
  for (const cohort of round.cohorts) {
    const whole = { ...round, clusters: [], begin: () => '', counts: false };
    const far = apart(whole, agent, indicesOf(whole, cohort));
    if (far >= least) continue;
    least = far;
    best = cohort;
  }
  return { cohort: best, by: 'first', sinceMs: round.nowMs, distance: best === null ? null : least, leaning: null };
}
