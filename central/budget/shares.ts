/**
 * The fleet's budget of notifications, shared out: looks each hour, and soon after something changed, who needs what,
 * and has shares told in signed manifests.
 *
 *   incidents (paid, refused) ─► needs ─► allocation ─► manifest (share) ─► agent ─► reported (version) ─► held
 *
 * Documents `notification-share`: by agent, the shares that were published with the version of their manifest, from the
 * one that the agent last confirmed on. What an agent may be acting on is the greatest of them.
 */
import type { Timers } from '../../shared/clock.ts';
import { messageOf } from '../../shared/errors.ts';
import { HOUR_MS } from '../../shared/limits.ts';
import type { Log } from '../../shared/log.ts';
import type { AgentState, Bus } from '../api.ts';
import { listAll } from '../manifests.ts';
import type { AgentId, Store } from '../store/store.ts';
import { changesOf, type Sharer } from './allocation.ts';
import type { BudgetState } from './api.ts';
import { Needs, REMEMBERED_MS } from './needs.ts';

const NAMESPACE = 'notification-share';
/** Looked at as often, and this soon after news. */
const LOOK_MS = HOUR_MS;
const SOON_MS = 5_000;
const NEWCOMER_MS = 60_000;
/** Published shares that are remembered of one agent; the greatest of older ones stands for them. */
const KEPT = 8;

interface Published {
  readonly version: number;
  readonly perWeek: number;
}

export interface ShareOptions {
  readonly store: Pick<Store, 'documents' | 'incidents'>;
  readonly bus: Pick<Bus, 'subscribe'>;
  readonly agents: () => readonly Pick<AgentState, 'id' | 'retiredMs' | 'reported'>[];
  /** Has a share told; answers with the version of the manifest, 0 where it cannot be told yet. */
  readonly publish: (agent: AgentId, perWeek: number) => Promise<number>;
  readonly perWeek: number;
  readonly nowMs: () => number;
  readonly timers: Timers;
  readonly log: Log;
}

export class NotificationShares {
  readonly #options: ShareOptions;
  readonly #needs = new Needs();
  readonly #published = new Map<AgentId, readonly Published[]>();
  #unsubscribe: (() => void) | null = null;
  #timer: unknown = null;
  #dueMs = Number.POSITIVE_INFINITY;
  #looking: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: ShareOptions) {
    this.#options = options;
  }

  /** Loads what was told and what was spent, and looks for the first time. */
  async start(): Promise<void> {
    const { store, bus, nowMs } = this.#options;
    for await (const { key, value } of listAll<readonly Published[]>(store.documents, NAMESPACE)) {
      this.#published.set(key, value);
    }
    const now = nowMs();
    for (const incident of await store.incidents({ fromMs: now - REMEMBERED_MS, toMs: now }))
      this.#needs.take(incident);
    this.#unsubscribe = bus.subscribe((event) => {
      if (event.type === 'incident' && this.#needs.take(event.incident)) this.#lookIn(SOON_MS);
    });
    this.#lookIn(SOON_MS);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe?.();
    if (this.#timer !== null) this.#options.timers.cancel(this.#timer);
    await this.#looking;
  }

  /** An agent reports the version of the manifest that it goes by. */
  reported(agent: AgentId, manifestVersion: number): void {
    if (!this.#published.has(agent) || this.#confirm(agent, manifestVersion)) this.#lookIn(SOON_MS);
  }

  /** What was published before the one that it goes by holds no longer; answers whether there was any. */
  #confirm(agent: AgentId, manifestVersion: number): boolean {
    const published = this.#published.get(agent) ?? [];
    const confirmed = published.findLast(({ version }) => version <= manifestVersion);
    if (confirmed === undefined || confirmed === published[0]) return false;
    this.#keep(agent, published.slice(published.indexOf(confirmed)));
    return true;
  }

  /** What the pages and the API show. */
  state(): BudgetState {
    const { perWeek, nowMs, agents } = this.#options;
    const now = nowMs();
    const { paid, refused } = this.#needs.lastWeek(now);
    return {
      notificationsPerWeek: perWeek,
      spentLastWeek: paid,
      refusedLastWeek: refused,
      agents: agents()
        .filter(({ retiredMs }) => retiredMs === null)
        .map(({ id, reported }) => ({ agent: id, ...this.#stateOf(id, now), ...figuresOf(reported?.health ?? {}) })),
    };
  }

  #stateOf(agent: AgentId, nowMs: number) {
    const { paid, refused } = this.#needs.lastWeek(nowMs, agent);
    return {
      notificationsPerWeek: this.#published.get(agent)?.at(-1)?.perWeek ?? null,
      spentLastWeek: paid,
      refusedLastWeek: refused,
    };
  }

  #lookIn(delayMs: number): void {
    const { timers, nowMs } = this.#options;
    const dueMs = nowMs() + delayMs;
    if (this.#closed || dueMs >= this.#dueMs) return;
    if (this.#timer !== null) timers.cancel(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = timers.after(delayMs, () => {
      this.#dueMs = Number.POSITIVE_INFINITY;
      this.#timer = null;
      this.#looking = this.#looking
        .then(() => this.#look())
        .catch((error: unknown) => {
          this.#options.log.warn({ problem: messageOf(error) }, 'shares of the notifications wait');
        });
      this.#lookIn(LOOK_MS);
    });
  }

  async #look(): Promise<void> {
    const { agents, publish, perWeek, nowMs } = this.#options;
    const needs = this.#needs.needs(nowMs());
    const sharers: Sharer[] = [];
    for (const { id, retiredMs, reported } of agents()) {
      if (retiredMs !== null) continue;
      // Of what was carried by hand nobody tells: it is looked at.
      if (reported !== null) this.#confirm(id, reported.manifestVersion);
      sharers.push({ id, need: needs.get(id) ?? 0, held: this.#held(id) });
    }
    for (const [agent, share] of changesOf(sharers, perWeek)) {
      if (this.#closed) return;
      const version = await publish(agent, share);
      // It has no manifest of this central yet; it is looked at again when it reports.
      if (version === 0) continue;
      // One that had none gets half of what is free first: it is looked at again.
      if (!this.#published.has(agent)) this.#lookIn(NEWCOMER_MS);
      this.#keep(agent, [...(this.#published.get(agent) ?? []), { version, perWeek: share }]);
    }
  }

  /** The most that an agent may be acting on. */
  #held(agent: AgentId): number {
    return (this.#published.get(agent) ?? []).reduce((most, { perWeek }) => Math.max(most, perWeek), 0);
  }

  #keep(agent: AgentId, published: readonly Published[]): void {
    const [oldest, second, ...rest] = published;
    const kept =
      published.length <= KEPT || oldest === undefined || second === undefined
        ? published
        : [{ version: oldest.version, perWeek: Math.max(oldest.perWeek, second.perWeek) }, ...rest];
    this.#published.set(agent, kept);
    this.#options.store.documents.put(NAMESPACE, agent, kept).catch((error: unknown) => {
      this.#options.log.warn({ agent, problem: messageOf(error) }, 'a share of the notifications could not be kept');
    });
  }
}

/** What an agent reports of its own budgets; null where it does not. */
function figuresOf(health: Readonly<Record<string, number>>) {
  const of = (name: string): number | null => health[`picket.budget.${name}`] ?? null;
  return {
    findingsPerDay: of('findings.allowed'),
    findingsSpentPerDay: of('findings.spent'),
    barBits: of('bar'),
    appliedPerWeek: of('notifications.allowed'),
  };
}
