/**
 * Models that were trained while a part of their time was still on its way. Each version says how much of its training
 * time was covered when it was trained; when older windows come in, it is counted again, and what came later is marked
 * on the version. It is counted from the store and not from the messages: no crash makes it wrong, and what comes twice
 * counts once. Where much came later, training is brought forward, once the backlog has come to rest.
 */
import type { Timers } from '../shared/clock.ts';
import { messageOf } from '../shared/errors.ts';
import { MINUTE_MS } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import type { ModelVersion, TrainingWindow } from './api.ts';
import type { ModelVersions } from './model-versions.ts';
import type { AgentId, Store, TimeRange } from './store/store.ts';

/** While a backlog comes in, it is looked at this often. */
const LOOK_MS = 30_000;
/** A backlog that takes longer than so many looks is not waited for. */
const MOST_LOOKS = 20;
/** Share of the training time from which on a model should not be left as it is. */
const MUCH = 0.1;
/** Newest versions of an agent that are looked at; older ones run nowhere. */
const LOOKED_AT = 10;

export interface LateWindowsOptions {
  readonly store: Pick<Store, 'coverage'>;
  readonly versions: ModelVersions;
  readonly timers: Timers;
  readonly log: Log;
  /** Changes of documents, one after another. */
  readonly inOrder: <T>(work: () => Promise<T>) => Promise<T>;
  /** Whether the agent runs this version, or is to. */
  readonly inUse: (model: ModelVersion) => boolean;
  readonly retrain: (agent: AgentId) => Promise<void>;
}

export class LateWindows {
  readonly #options: LateWindowsOptions;
  readonly #waiting = new Map<AgentId, { timer: unknown; looks: number; heard: boolean }>();
  /** What had come late when training was brought forward last, by version. */
  readonly #answered = new Map<number, number>();
  #closed = false;
  #chain: Promise<void> = Promise.resolve();

  constructor(options: LateWindowsOptions) {
    this.#options = options;
  }

  /** Windows were committed that lie in time that models were trained on. */
  heard(agent: AgentId): void {
    if (this.#closed) return;
    const waiting = this.#waiting.get(agent);
    if (waiting !== undefined) waiting.heard = true;
    else this.#wait(agent, 0, true);
  }

  /** Looks at once at what a stop may have left uncounted. */
  look(agent: AgentId): Promise<void> {
    const done = this.#chain.then(() => this.#look(agent, false));
    this.#chain = done;
    return done;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { timer } of this.#waiting.values()) this.#options.timers.cancel(timer);
    this.#waiting.clear();
    await this.#chain;
  }

  #wait(agent: AgentId, looks: number, heard: boolean): void {
    const timer = this.#options.timers.after(LOOK_MS, () => {
      const rested = !this.#waiting.get(agent)?.heard || looks >= MOST_LOOKS;
      this.#waiting.delete(agent);
      if (!rested) this.#wait(agent, looks + 1, false);
      this.#chain = this.#chain.then(() => this.#look(agent, rested));
    });
    this.#waiting.set(agent, { timer, looks, heard });
  }

  async #look(agent: AgentId, rested: boolean): Promise<void> {
    const { versions, log, inOrder, inUse } = this.#options;
    try {
      let much: ModelVersion | null = null;
      for (const model of (await versions.list(agent)).slice(0, LOOKED_AT)) {
        if (this.#closed) return;
        const { window } = model;
        if (window === undefined) continue;
        const late = (await coveredMinutes(this.#options.store, agent, window)) - window.presentMinutes;
        // What retention took away meanwhile had come nevertheless.
        if (late > window.lateMinutes) {
          await inOrder(() => versions.markLate(model.version, late));
          log.info({ agent, version: model.version, lateMinutes: late }, 'a model was trained on an incomplete window');
        }
        const most = Math.max(late, window.lateMinutes);
        const unanswered = most - (this.#answered.get(model.version) ?? 0);
        if (!rested || !inUse(model) || !isMuch(window, unanswered)) continue;
        this.#answered.set(model.version, most);
        much = model;
      }
      if (much === null || this.#closed) return;
      log.info({ agent, version: much.version }, 'training is brought forward: much of its time came later');
      await this.#options.retrain(agent);
    } catch (error) {
      // It is counted anew with the next late window, or the next start.
      if (!this.#closed) log.warn({ agent, problem: messageOf(error) }, 'late windows could not be counted');
    }
  }
}

/** How much of the time of a training is there now: said before it begins, so that what comes meanwhile is late. */
export async function trainingWindow(
  store: Pick<Store, 'coverage'>,
  agent: AgentId,
  { fromMs, toMs }: TimeRange,
): Promise<TrainingWindow> {
  const expectedMinutes = Math.floor(toMs / MINUTE_MS) - Math.floor(fromMs / MINUTE_MS);
  const presentMinutes = await coveredMinutes(store, agent, { fromMs, toMs });
  return { fromMs, toMs, expectedMinutes, presentMinutes, lateMinutes: 0 };
}

/** Whether so many minutes more should have been learned from. */
export function isMuch({ expectedMinutes }: TrainingWindow, lateMinutes: number): boolean {
  return lateMinutes > MUCH * expectedMinutes;
}

async function coveredMinutes(store: Pick<Store, 'coverage'>, agent: AgentId, range: TimeRange): Promise<number> {
  const days = await store.coverage(agent, { fromMs: range.fromMs, toMs: range.toMs });
  return days.reduce((sum, { covered }) => sum + covered, 0);
}
