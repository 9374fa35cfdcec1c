/**
 * Rollouts as documents: takes in what agents report and what operators say, moves the state machine (`stages.ts`), and
 * does what a new stage asks for on each machine. Every transition is in the audit log, with its reason.
 *
 * Documents: `rollout` by id, `rollout-waiting` (versions for the next one) and `model-pin`, both by agent and slot.
 */
import type { Timers } from '../../shared/clock.ts';
import { messageOf, PicketError } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { Reported } from '../../shared/trust/messages.ts';
import type { Audit, ModelPin, ModelVersion, Rollout, RolloutMember, RolloutOrder, Rollouts } from '../api.ts';
import { listAll } from '../manifests.ts';
import type { AgentId, Documents } from '../store/store.ts';
import { besideOf, lostOf } from './heard.ts';
import { ended, mayJoin, move, opened, type RolloutEvent, runsBeside, runsNew } from './stages.ts';

/** How often time is looked at. */
const TICK_MS = 60_000;
/** Rollouts that ended are kept, and listed, as far back. */
const KEPT = 50;

const NO_TIMES: RolloutTimes = { shadowMs: 0, canaryMs: 0, share: 1 };

interface RolloutTimes {
  readonly shadowMs: number;
  readonly canaryMs: number;
  /** Of a cohort's machines, those of the canary. */
  readonly share: number;
}

export interface RolloutOptions {
  readonly documents: Documents;
  readonly nowMs: () => number;
  readonly timers: Timers;
  readonly log: Log;
  /** Not said: nobody keeps what is done. */
  readonly audit?: Audit;
  /** Not said: there are no rollouts. */
  readonly times?: RolloutTimes;
  /** Machines that are tried together; default: all. */
  readonly cohortOf?: (agent: AgentId) => string;
  readonly get: (version: number) => Promise<ModelVersion | null>;
  /** A version that waited is not needed any more. */
  readonly superseded: (version: number, by: number) => Promise<void>;
  /**
   * Makes the version (null: none) the one to run, and another (null: none) run beside it, and says so in a manifest.
   * `reverted` says of the version that it was tried and is no good, and why.
   */
  readonly place: (placing: Placing) => Promise<void>;
}

export interface Placing {
  readonly agent: AgentId;
  readonly slot: string;
  readonly main: number | null;
  readonly beside: number | null;
  readonly reason: string;
  readonly reverted: number | null;
}

interface Waiting {
  readonly agent: AgentId;
  readonly slot: string;
  readonly version: number;
  readonly oldVersion: number;
  readonly compares: boolean;
}

export class RolloutService implements Rollouts {
  readonly #options: RolloutOptions;
  readonly #rollouts = new Map<number, Rollout>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #pins = new Map<string, ModelPin>();
  /** Agents that say what runs beside. */
  readonly #compares = new Set<AgentId>();
  #chain: Promise<unknown> = Promise.resolve();
  #timer: unknown = null;
  #closed = false;

  constructor(options: RolloutOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { documents } = this.#options;
    for await (const { value } of listAll<Rollout>(documents, 'rollout')) this.#rollouts.set(value.id, value);
    for await (const { key, value } of listAll<Waiting>(documents, 'rollout-waiting')) this.#waiting.set(key, value);
    for await (const { key, value } of listAll<ModelPin>(documents, 'model-pin')) this.#pins.set(key, value);
    if (this.#options.times !== undefined) this.#tickSoon();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#options.timers.cancel(this.#timer);
    await this.#chain;
  }

  list(): readonly Rollout[] {
    return [...this.#rollouts.values()].sort((a, b) => b.id - a.id);
  }

  pins(): readonly ModelPin[] {
    return [...this.#pins.values()];
  }

  pinned(agent: AgentId, slot: string): boolean {
    return this.#pins.has(keyOf(agent, slot));
  }

  /** A version of the agent was found better than what it runs: it joins the rollout of its cohort, or the next one. */
  stage(agent: AgentId, slot: string, version: number, oldVersion: number): Promise<void> {
    return this.#inOrder(async () => {
      const waiting: Waiting = { agent, slot, version, oldVersion, compares: this.#compares.has(agent) };
      const earlier = this.#waiting.get(keyOf(agent, slot));
      if (earlier !== undefined && earlier.version !== version) {
        await this.#options.superseded(earlier.version, version);
      }
      this.#waiting.set(keyOf(agent, slot), waiting);
      await this.#options.documents.put('rollout-waiting', keyOf(agent, slot), waiting);
      await this.#admit();
    });
  }

  /** What was on its way to the agent is not waited for any more. */
  leave(agent: AgentId, slot: string, reason: string): Promise<void> {
    return this.#inOrder(async () => {
      await this.#forgetWaiting(keyOf(agent, slot));
      for (const { id, slot: its, members } of this.list()) {
        if (its === slot && members[agent] !== undefined) await this.#move(id, { type: 'left', agent, reason });
      }
    });
  }

  /** Takes in what an agent reports. */
  heard(agent: AgentId, reported: Reported): Promise<void> {
    if (reported.beside !== undefined) this.#compares.add(agent);
    return this.#inOrder(async () => {
      for (const rollout of this.list()) {
        const member = rollout.members[agent];
        if (ended(rollout) || member === undefined || member.out !== null) continue;
        const model = await this.#options.get(member.version);
        if (model === null) continue;
        const lost = lostOf(reported, model);
        if (lost !== null) {
          await this.#move(rollout.id, { type: 'lost', agent, reason: lost });
          continue;
        }
        const runs = reported.applied.some(({ releaseSha256 }) => releaseSha256 === model.releaseSha256);
        const figures = besideOf(reported, model);
        if (figures !== null) await this.#move(rollout.id, { type: 'compared', agent, figures });
        if (runs) await this.#move(rollout.id, { type: 'applied', agent });
      }
    });
  }

  order(id: number, order: RolloutOrder, by: string): Promise<Rollout> {
    return this.#inOrder(async () => {
      if (!this.#rollouts.has(id)) throw new PicketError('not_found', `There is no rollout ${id}.`);
      const types = { pause: 'paused', resume: 'resumed', promote: 'promoted', rollback: 'rolledBack' } as const;
      const moved = await this.#move(id, { type: types[order], by });
      if (moved === null) throw new PicketError('conflict', `Rollout ${id} is in a stage where this changes nothing.`);
      return moved;
    });
  }

  pin(version: number, by: string): Promise<ModelPin> {
    return this.#inOrder(async () => {
      const { documents, nowMs, audit, place, get } = this.#options;
      const model = await get(version);
      if (model === null) throw new PicketError('not_found', `There is no model version ${version}.`);
      const { agent, kind: slot } = model;
      if (model.releaseSha256 === '' || (await documents.getBlob(model.releaseSha256)) === null) {
        throw new PicketError('conflict', `Version ${version} is not kept any more, or was never released.`);
      }
      const pin: ModelPin = { agent, slot, version, by, sinceMs: nowMs() };
      await documents.put('model-pin', keyOf(agent, slot), pin);
      this.#pins.set(keyOf(agent, slot), pin);
      await audit?.add({ actor: by, action: 'models.pin', target: agent, detail: `${slot}: version ${version}` });
      for (const { id, slot: its } of this.list()) {
        if (its === slot) await this.#move(id, { type: 'left', agent, reason: `pinned to version ${version}` });
      }
      const reason = `Pinned to version ${version} by ${by}.`;
      await place({ agent, slot, main: version, beside: null, reason, reverted: null });
      return pin;
    });
  }

  unpin(agent: AgentId, slot: string, by: string): Promise<void> {
    return this.#inOrder(async () => {
      const { documents, audit } = this.#options;
      if (!this.#pins.delete(keyOf(agent, slot))) {
        throw new PicketError('not_found', `${agent} is not pinned to a version in ${slot}.`);
      }
      await documents.putAll([{ namespace: 'model-pin', key: keyOf(agent, slot), value: null }]);
      await audit?.add({ actor: by, action: 'models.unpin', target: agent, detail: slot });
      await this.#admit();
    });
  }

  #tickSoon(): void {
    const { timers, times = NO_TIMES, log } = this.#options;
    const waitMs = Math.max(250, Math.min(TICK_MS, ...[times.shadowMs, times.canaryMs].map((ms) => ms / 4)));
    this.#timer = timers.after(waitMs, () => {
      const tick = async (): Promise<void> => {
        for (const rollout of this.list()) if (!ended(rollout)) await this.#move(rollout.id, { type: 'tick' });
        await this.#admit();
      };
      this.#inOrder(tick)
        .catch((error: unknown) => log.error({ problem: messageOf(error) }, 'rollouts could not be moved'))
        .finally(() => {
          if (!this.#closed) this.#tickSoon();
        });
    });
  }

  /** Who waits joins, or begins a rollout where none is under way. */
  async #admit(): Promise<void> {
    const { cohortOf = () => 'all', nowMs, times = NO_TIMES } = this.#options;
    const begin = new Map<string, RolloutMember[]>();
    for (const waiting of [...this.#waiting.values()]) {
      const { agent, slot } = waiting;
      // It waits for as long as the machine is pinned.
      if (this.pinned(agent, slot)) continue;
      const cohort = cohortOf(agent);
      const { version, oldVersion, compares } = waiting;
      const fresh = { canary: false, applied: false, out: null, lost: false, figures: null };
      const member: RolloutMember = { agent, version, oldVersion, compares, ...fresh };
      const current = this.list().find((each) => each.slot === slot && each.cohort === cohort && !ended(each));
      if (current === undefined) {
        begin.set(`${slot} ${cohort}`, [...(begin.get(`${slot} ${cohort}`) ?? []), member]);
      } else if (mayJoin(current, nowMs()) && current.members[agent] === undefined) {
        await this.#move(current.id, { type: 'joined', member });
        await this.#forgetWaiting(keyOf(agent, slot));
      }
    }
    for (const [key, members] of begin) {
      const [slot, cohort] = key.split(' ') as [string, string];
      const id = Math.max(0, ...this.#rollouts.keys()) + 1;
      const atMs = nowMs();
      const rollout = opened({
        id,
        slot,
        cohort,
        startedMs: atMs,
        sinceMs: atMs,
        pausedMs: null,
        times,
        members: Object.fromEntries(members.map((member) => [member.agent, member])),
      });
      await this.#keep(rollout, null, 'central');
      for (const { agent } of members) await this.#forgetWaiting(keyOf(agent, slot));
    }
  }

  async #forgetWaiting(key: string): Promise<void> {
    if (!this.#waiting.delete(key)) return;
    await this.#options.documents.putAll([{ namespace: 'rollout-waiting', key, value: null }]);
  }

  async #move(id: number, event: RolloutEvent): Promise<Rollout | null> {
    const before = this.#rollouts.get(id)!;
    const next = move(before, event, this.#options.nowMs());
    if (next !== null) await this.#keep(next, before, 'by' in event ? event.by : 'central');
    return next;
  }

  /** Durable first, then done: after a stop between the two it is done at the next report or start. */
  async #keep(rollout: Rollout, before: Rollout | null, actor: string): Promise<void> {
    const { documents, audit, place, log } = this.#options;
    const { id, slot, stage, reason } = rollout;
    await documents.put('rollout', documentKey(id), rollout);
    this.#rollouts.set(id, rollout);
    if (before?.stage !== stage || before.pausedMs !== rollout.pausedMs) {
      await audit?.add({ actor, action: 'rollout', target: `${slot} ${id}`, detail: `${stage}: ${reason}` });
      log.info({ rollout: id, slot, stage, reason }, 'rollout');
    }
    for (const member of Object.values(rollout.members)) {
      const { agent, version, oldVersion } = member;
      const is = standing(rollout, agent);
      if (before !== null && standing(before, agent) === is) continue;
      // Who is pinned is not moved by anything else.
      if (this.pinned(agent, slot)) continue;
      const gone = stage === 'reverted' || member.lost;
      await place({
        agent,
        slot,
        main: is === 'new' ? version : oldVersion,
        beside: is === 'beside' ? version : null,
        reason: member.out ?? reason,
        reverted: is === 'old' && gone ? version : null,
      });
    }
    const old = this.list().slice(KEPT).filter(ended);
    for (const each of old) {
      this.#rollouts.delete(each.id);
      await documents.putAll([{ namespace: 'rollout', key: documentKey(each.id), value: null }]);
    }
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#chain.then(work);
    this.#chain = done.catch(() => {});
    return done;
  }
}

function standing(rollout: Rollout, agent: AgentId): 'new' | 'beside' | 'old' {
  if (runsNew(rollout, agent)) return 'new';
  return runsBeside(rollout, agent) ? 'beside' : 'old';
}

const keyOf = (agent: AgentId, slot: string): string => `${agent} ${slot}`;
const documentKey = (id: number): string => String(id).padStart(10, '0');
