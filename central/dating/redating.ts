/**
 * Files anew what turned out to be of another time: looks every few seconds which boots are due, and lets the store
 * move their records. What was not finished is due again after a start.
 */
import type { Timers } from '../../shared/clock.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { BootOffsets } from '../dating.ts';
import type { Store } from '../store/store.ts';
import { utcAt } from './row.ts';

const LOOK_MS = 2_000;

export interface RedatingOptions {
  readonly store: Pick<Store, 'refile' | 'saveBoots'>;
  readonly offsets: BootOffsets;
  readonly timers: Timers;
  readonly nowMs: () => number;
  readonly log: Log;
  /** Agents whose rows are looked at from the start on; those that send are anyway. */
  readonly agents: () => readonly string[];
  /** Records of this agent lie elsewhere now. */
  readonly moved: (agent: string) => void;
}

export class Redating {
  readonly #options: RedatingOptions;
  readonly #stopping = new AbortController();
  #timer: unknown = null;
  #running: Promise<void> = Promise.resolve();

  constructor(options: RedatingOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#load().finally(() => this.#later());
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#timer !== null) this.#options.timers.cancel(this.#timer);
    await this.#running;
  }

  /** Files anew what is due. Never rejects. */
  async look(): Promise<void> {
    const { store, offsets, nowMs, log, moved } = this.#options;
    const { signal } = this.#stopping;
    for (const due of offsets.due(nowMs())) {
      if (signal.aborted) return;
      const { agent, bootId, knots, dated } = due;
      try {
        const utcMs = (monotonicMs: number): number => utcAt(knots, monotonicMs) ?? monotonicMs;
        const records = await store.refile(agent, bootId, { utcMs, dated }, signal);
        if (signal.aborted) return;
        offsets.refiled(due);
        const rows = offsets.changed(agent);
        await store.saveBoots(agent, rows);
        offsets.saved(agent, rows);
        if (records === 0) continue;
        log.info({ agent, boot: bootId, records, dated }, 'records were filed anew: their time is known better now');
        moved(agent);
      } catch (error) {
        log.error({ agent, boot: bootId, problem: messageOf(error) }, 'records could not be filed anew; tried again');
      }
    }
  }

  async #load(): Promise<void> {
    for (const agent of this.#options.agents()) {
      if (this.#stopping.signal.aborted) return;
      await this.#options.offsets.load(agent).catch(() => undefined);
    }
  }

  #later(): void {
    if (this.#stopping.signal.aborted) return;
    this.#timer = this.#options.timers.after(LOOK_MS, () => {
      this.#running = this.look().finally(() => this.#later());
    });
  }
}
