/**
 * Cohorts as documents: looks at the fleet once a day and when a machine appears, and keeps where each machine is.
 *
 *   windows ─► 10 minutes: a first place, the nearest cohort  ─► placed (day one)
 *          └─► 1 hour: a round ─┬─► places (`placing.ts`)
 *   each day: a round ──────────┘      what an operator says ─► places
 *
 * Documents: `cohort` by id, `cohort-place` by agent, `cohort-round`. Every change of a place is in the audit log.
 */
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { Timers } from '../../shared/clock.ts';
import { messageOf, PicketError } from '../../shared/errors.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import type { Log } from '../../shared/log.ts';
import type { Audit } from '../api.ts';
import { listAll } from '../manifests.ts';
import type { AgentId, Store } from '../store/store.ts';
import type { Cohort, Cohorts, CohortsState, CohortTrait } from './api.ts';
import type { Features } from './features.ts';
import { clusters } from './linkage.ts';
import { isName, nameFor } from './names.ts';
import { CUT, nearest, type Place, placesAfter } from './placing.ts';
import { readFeatures } from './reading.ts';
import { type Space, spaceOf } from './space.ts';
import { traitsOf } from './traits.ts';

/** Data from which on a machine is given a first place, and from which on it is part of the clusters. */
const FIRST_MS = 10 * MINUTE_MS;
const SETTLED_MS = HOUR_MS;
/** A window comes in several messages, and machines appear together. */
const SETTLE_MS = 3_000;
/** What was read of a machine holds for as long, where no round asks for all. */
const FRESH_MS = 12 * HOUR_MS;
/** Distances are worked out for so long before others get their turn. */
const TURN_MS = 8;

export interface CohortsOptions {
  readonly store: Pick<Store, 'latest' | 'query' | 'document' | 'documents'>;
  /** Those that are not retired. */
  readonly agents: () => readonly AgentId[];
  readonly nowMs: () => number;
  readonly timers: Timers;
  readonly log: Log;
  readonly audit?: Audit;
}

interface StoredCohort {
  readonly id: string;
  readonly name: string;
  readonly namedByHand: boolean;
  readonly sinceMs: number;
  readonly traits: readonly CohortTrait[];
}

interface Known {
  readonly features: Features;
  readonly readMs: number;
}

export class CohortsService implements Cohorts {
  readonly #options: CohortsOptions;
  readonly #cohorts = new Map<string, StoredCohort>();
  readonly #places = new Map<AgentId, Place>();
  readonly #features = new Map<AgentId, Known>();
  /** First window that was seen of a machine that is not placed for good. */
  readonly #firstMs = new Map<AgentId, number>();
  /** Machines that are to be looked at; `first`: from little data. */
  readonly #due = new Map<AgentId, 'first' | 'settled'>();
  #roundMs: number | null = null;
  #timer: unknown = null;
  #chain: Promise<unknown> = Promise.resolve();
  #closed = false;
  #placed: (agent: AgentId, cohort: string) => Promise<void> = async () => {};

  constructor(options: CohortsOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { documents } = this.#options.store;
    for await (const { key, value } of listAll<StoredCohort>(documents, 'cohort')) this.#cohorts.set(key, value);
    for await (const { key, value } of listAll<Place>(documents, 'cohort-place')) this.#places.set(key, value);
    this.#roundMs = (await documents.get<{ atMs: number }>('cohort-round', 'last'))?.atMs ?? null;
  }

  /** Calls the listener when a young machine is placed, first and then for good, and when one changes its cohort. */
  onPlaced(listener: (agent: AgentId, cohort: string) => Promise<void>): void {
    this.#placed = listener;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#options.timers.cancel(this.#timer);
    await this.#chain;
  }

  state(): CohortsState {
    const agents = new Set(this.#options.agents());
    const cohorts = [...this.#cohorts.values()].map((cohort): Cohort => {
      const own = [...this.#places].filter(([agent, place]) => place.cohort === cohort.id && agents.has(agent));
      const members = own.map(([agent, { by, sinceMs, distance, leaning }]) => {
        const to = leaning?.cohort ?? null;
        const named = leaning && { ...leaning, cohort: to === null ? null : (this.#cohorts.get(to)?.name ?? null) };
        return { agent, by, sinceMs, distance, leaning: named };
      });
      return { ...cohort, members: members.sort((a, b) => (a.agent < b.agent ? -1 : 1)) };
    });
    const alone = [...agents]
      .filter((agent) => this.nameOf(agent) === null)
      .map((agent) => {
        const place = this.#places.get(agent);
        return { agent, why: place === undefined || place.by === 'first' ? ('young' as const) : ('alone' as const) };
      });
    return {
      // A cohort that machines only lean to is none yet.
      cohorts: cohorts
        .filter(({ members, namedByHand }) => members.length > 0 || namedByHand)
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
      alone: alone.sort((a, b) => (a.agent < b.agent ? -1 : 1)),
      roundMs: this.#roundMs,
    };
  }

  nameOf(agent: AgentId): string | null {
    const id = this.#places.get(agent)?.cohort;
    return id == null ? null : (this.#cohorts.get(id)?.name ?? null);
  }

  peersOf(agent: AgentId): readonly AgentId[] {
    const cohort = this.#places.get(agent)?.cohort;
    if (cohort == null) return [];
    return this.#options.agents().filter((other) => other !== agent && this.#places.get(other)?.cohort === cohort);
  }

  /** Windows of the agent were committed, the newest and the oldest of which ended then. */
  windowCommitted(agent: AgentId, endMs: number, oldestMs = endMs): void {
    const { nowMs } = this.#options;
    const place = this.#places.get(agent);
    if (place === undefined || place.by === 'first') {
      const firstMs = Math.min(this.#firstMs.get(agent) ?? oldestMs, oldestMs);
      this.#firstMs.set(agent, firstMs);
      if (endMs - firstMs >= SETTLED_MS) this.#due.set(agent, 'settled');
      else if (endMs - firstMs >= FIRST_MS && place === undefined) this.#due.set(agent, 'first');
    }
    const sinceMs = nowMs() - (this.#roundMs ?? Number.NEGATIVE_INFINITY);
    const daily = this.#roundMs !== null && (sinceMs >= DAY_MS || sinceMs < 0);
    if ((this.#due.size > 0 || daily) && this.#timer === null && !this.#closed) this.#look(daily);
  }

  round(): Promise<CohortsState> {
    return this.#inOrder(async () => {
      await this.#round(true);
      return this.state();
    });
  }

  set(agent: AgentId, name: string | null, by: string): Promise<void> {
    return this.#inOrder(async () => {
      const { nowMs } = this.#options;
      if (name === null) {
        const place = this.#places.get(agent);
        if (place?.by !== 'hand') throw new PicketError('conflict', `${agent} was not put where it is by hand.`);
        // The next round takes it where it is nearest.
        await this.#keep(agent, { ...place, by: 'first', leaning: null }, by, 'is left to the clusters again');
        this.#due.set(agent, 'settled');
        return;
      }
      if (!isName(name)) throw new PicketError('usage.invalid', notAName(name));
      const known = this.#named(name) ?? (await this.#begin(name, true, []));
      const place: Place = { cohort: known.id, by: 'hand', sinceMs: nowMs(), distance: null, leaning: null };
      await this.#keep(agent, place, by, `put into ${name} by hand`);
      await this.#endEmpty();
    });
  }

  rename(name: string, to: string, by: string): Promise<void> {
    return this.#inOrder(async () => {
      const cohort = this.#named(name);
      if (cohort === undefined) throw new PicketError('not_found', `There is no cohort ${name}.`);
      if (!isName(to)) throw new PicketError('usage.invalid', notAName(to));
      if (this.#named(to) !== undefined) throw new PicketError('conflict', `There is a cohort ${to} already.`);
      await this.#save({ ...cohort, name: to, namedByHand: true });
      await this.#options.audit?.add({ actor: by, action: 'cohort.rename', target: to, detail: `was ${name}` });
    });
  }

  #named(name: string): StoredCohort | undefined {
    return [...this.#cohorts.values()].find((cohort) => cohort.name === name);
  }

  #look(daily: boolean): void {
    const { timers, log } = this.#options;
    this.#timer = timers.after(SETTLE_MS, () => {
      this.#timer = null;
      this.#inOrder(async () => {
        if (daily || [...this.#due.values()].includes('settled') || this.#cohorts.size === 0) await this.#round(daily);
        else await this.#firstPlaces();
      }).catch((error: unknown) => log.error({ problem: messageOf(error) }, 'the cohorts could not be looked at'));
    });
  }

  /** @param all reads all machines anew, and counts for those that lean elsewhere */
  async #round(all: boolean): Promise<void> {
    const { nowMs, store, audit } = this.#options;
    const due = new Map(this.#due);
    const { agents, features } = await this.#read(all);
    const space = spaceOf(features);
    const distance = await matrixOf(space, agents.length);
    const found = clusters(agents.length, distance, CUT);
    // All that begins is kept before the machines that are in it.
    const begun: StoredCohort[] = [];
    const taken = new Set([...this.#cohorts.values()].map(({ name }) => name));
    const after = placesAfter({
      agents,
      places: this.#places,
      cohorts: [...this.#cohorts.keys()],
      clusters: found,
      distance,
      begin: (cluster) => {
        const name = nameFor(
          cluster.map((i) => features[i]!),
          taken,
        );
        taken.add(name);
        begun.push(this.#fresh(name, false, begun.length));
        return begun.at(-1)!.id;
      },
      counts: all,
      nowMs: nowMs(),
    });
    for (const cohort of begun) await this.#save(cohort);
    for (const [agent, place] of after) await this.#keep(agent, place, 'central', 'by what it is and how it behaves');
    const current = new Set(this.#options.agents());
    for (const agent of this.#places.keys()) if (!current.has(agent)) await this.#drop(agent);
    await this.#endEmpty();
    for (const cohort of this.#cohorts.values()) {
      const own = [...agents.keys()].filter((i) => this.#places.get(agents[i]!)?.cohort === cohort.id);
      const traits = own.length === 0 ? cohort.traits : traitsOf(features, own, space);
      if (JSON.stringify(traits) !== JSON.stringify(cohort.traits)) await this.#save({ ...cohort, traits });
    }
    for (const [agent, kind] of due) if (this.#due.get(agent) === kind) this.#due.delete(agent);
    if (!all && this.#roundMs !== null) return;
    this.#roundMs = nowMs();
    await store.documents.put('cohort-round', 'last', { atMs: this.#roundMs });
    const count = this.state().cohorts.length;
    await audit?.add({
      actor: 'central',
      action: 'cohorts',
      target: '*',
      detail: `${count} of ${agents.length} machines`,
    });
  }

  /** A preliminary place for machines that have minutes of data. */
  async #firstPlaces(): Promise<void> {
    const { agents, features } = await this.#read(false);
    const space = spaceOf(features);
    const round = {
      agents,
      places: this.#places,
      cohorts: [...this.#cohorts.keys()],
      distance: space.distance,
      nowMs: this.#options.nowMs(),
    };
    for (const [agent, kind] of [...this.#due]) {
      const i = agents.indexOf(agent);
      if (kind !== 'first') continue;
      this.#due.delete(agent);
      if (i >= 0) await this.#keep(agent, nearest(round, i), 'central', 'the nearest, from its first minutes');
      await yieldToOthers();
    }
  }

  async #read(all: boolean): Promise<{ agents: AgentId[]; features: Features[] }> {
    const { store, nowMs } = this.#options;
    const known: { agent: AgentId; features: Features }[] = [];
    for (const agent of [...this.#options.agents()].sort()) {
      const cached = this.#features.get(agent);
      const fresh = cached !== undefined && nowMs() - cached.readMs < FRESH_MS && !this.#due.has(agent);
      const features = fresh && !all ? cached.features : await readFeatures(store, agent);
      if (features === null || this.#closed) continue;
      if (features !== cached?.features) this.#features.set(agent, { features, readMs: nowMs() });
      known.push({ agent, features });
      await yieldToOthers();
    }
    return { agents: known.map(({ agent }) => agent), features: known.map(({ features }) => features) };
  }

  async #keep(agent: AgentId, place: Place, actor: string, why: string): Promise<void> {
    const before = this.#places.get(agent);
    if (JSON.stringify(before) === JSON.stringify(place)) return;
    await this.#options.store.documents.put('cohort-place', agent, place);
    this.#places.set(agent, place);
    if (place.by !== 'first') this.#firstMs.delete(agent);
    const cohort = this.nameOf(agent);
    if (cohort !== null && (before?.cohort !== place.cohort || before?.by === 'first')) {
      // It waits for what else the models do: the cohorts do not wait for it.
      this.#placed(agent, cohort).catch((error: unknown) => {
        this.#options.log.error({ agent, problem: messageOf(error) }, 'nothing could be made of its cohort');
      });
    }
    if (before?.cohort === place.cohort && (actor === 'central' || before?.by === place.by)) return;
    const nameOf = (id: string | null | undefined): string =>
      id == null ? 'alone' : (this.#cohorts.get(id)?.name ?? 'a cohort that is gone');
    const from = before === undefined ? '' : `${nameOf(before.cohort)} to `;
    const detail = `${from}${nameOf(place.cohort)}: ${why}`;
    await this.#options.audit?.add({ actor, action: 'cohort.place', target: agent, detail });
  }

  async #drop(agent: AgentId): Promise<void> {
    await this.#options.store.documents.putAll([{ namespace: 'cohort-place', key: agent, value: null }]);
    for (const map of [this.#places, this.#features, this.#firstMs, this.#due]) map.delete(agent);
  }

  /** Cohorts that nobody is in or leans to end, unless an operator named them. */
  async #endEmpty(): Promise<void> {
    const used = new Set(
      [...this.#places.values()].flatMap(({ cohort, leaning }) => [cohort, leaning?.cohort ?? null]),
    );
    for (const { id, name, namedByHand } of [...this.#cohorts.values()]) {
      if (used.has(id) || namedByHand) continue;
      await this.#options.store.documents.putAll([{ namespace: 'cohort', key: id, value: null }]);
      this.#cohorts.delete(id);
      await this.#options.audit?.add({
        actor: 'central',
        action: 'cohort.end',
        target: name,
        detail: 'nobody is in it',
      });
    }
  }

  async #begin(name: string, namedByHand: boolean, traits: readonly CohortTrait[]): Promise<StoredCohort> {
    const cohort = { ...this.#fresh(name, namedByHand, 0), traits };
    await this.#save(cohort);
    return cohort;
  }

  /** @param after how many others begin with it */
  #fresh(name: string, namedByHand: boolean, after: number): StoredCohort {
    const newest = Math.max(0, ...[...this.#cohorts.keys()].map((id) => Number(id.slice(1))));
    const sinceMs = this.#options.nowMs();
    return { id: `c${newest + 1 + after}`, name, namedByHand, sinceMs, traits: [] };
  }

  async #save(cohort: StoredCohort): Promise<void> {
    await this.#options.store.documents.put('cohort', cohort.id, cohort);
    this.#cohorts.set(cohort.id, cohort);
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#chain.then(work);
    this.#chain = done.catch(() => {});
    return done;
  }
}

function notAName(name: string): string {
  return `\`${name.slice(0, 64)}\` is no name for a cohort: letters, digits, "-" and "_", at most 64, and no word such as "alone".`;
}

/** All distances, worked out in turns with what else is to be done. */
async function matrixOf(space: Space, count: number): Promise<(a: number, b: number) => number> {
  const far = new Float32Array(count * count);
  let sinceMs = performance.now();
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) far[a * count + b] = far[b * count + a] = space.distance(a, b);
    if (performance.now() - sinceMs < TURN_MS) continue;
    await yieldToOthers();
    sinceMs = performance.now();
  }
  return (a, b) => far[a * count + b]!;
}
