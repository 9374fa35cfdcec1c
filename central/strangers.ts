/**
 * Agents that knock and are not enrolled here. After a restore these are the machines that were enrolled since the
 * backup: what they send is refused, they keep it, and somebody has to be told. Bounded: anybody can knock.
 */
import { DAY_MS, HOUR_MS, ID_PATTERN } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import type { Stranger } from './api.ts';
import type { Origin } from './backup/origin.ts';

/** The one that knocked longest ago is forgotten for a new one. */
const MOST = 100;
/** How often the log says it again of the same one. */
const AGAIN_MS = HOUR_MS;
/** Lines in the log within that time, whoever knocks. */
const MOST_LINES = 100;

export interface StrangersOptions {
  readonly log: Log;
  readonly nowMs: () => number;
  /** Of a restored central. */
  readonly origin: Origin | null;
}

export class Strangers {
  readonly #options: StrangersOptions;
  /** The latest knock is the last. */
  readonly #known = new Map<string, { firstMs: number; lastMs: number; saidMs: number }>();
  #linesSinceMs = 0;
  #lines = 0;

  constructor(options: StrangersOptions) {
    this.#options = options;
  }

  /** Who said that it is this agent, over MQTT, and is not enrolled. */
  knocked(agent: string): void {
    if (!ID_PATTERN.test(agent)) return;
    const nowMs = this.#options.nowMs();
    const before = this.#known.get(agent);
    this.#known.delete(agent);
    const known = {
      firstMs: before?.firstMs ?? nowMs,
      lastMs: nowMs,
      saidMs: before?.saidMs ?? Number.NEGATIVE_INFINITY,
    };
    this.#known.set(agent, known);
    if (this.#known.size > MOST) this.#known.delete(this.#known.keys().next().value!);
    if (nowMs - known.saidMs < AGAIN_MS || !this.#mayLog(nowMs)) return;
    known.saidMs = nowMs;
    this.#options.log.warn({ agent }, this.#advice(agent));
  }

  /** Those of the last day, the latest first. */
  list(): readonly Stranger[] {
    const sinceMs = this.#options.nowMs() - DAY_MS;
    return [...this.#known]
      .filter(([, { lastMs }]) => lastMs >= sinceMs)
      .map(([agent, { firstMs, lastMs }]) => ({ agent, firstMs, lastMs, advice: this.#advice(agent) }))
      .reverse();
  }

  #advice(agent: string): string {
    const { origin } = this.#options;
    if (origin === null)
      return `agent ${agent} is not enrolled here: enrol it again, or stop it; what it sends is refused`;
    const from = new Date(origin.backupMs).toISOString().slice(0, 16);
    return (
      `agent ${agent} is not enrolled: it was perhaps enrolled after the backup of ${from}, from which this central was ` +
      'restored; enrol it again. What it sends is refused, and stays with it'
    );
  }

  #mayLog(nowMs: number): boolean {
    if (nowMs - this.#linesSinceMs >= AGAIN_MS) {
      this.#linesSinceMs = nowMs;
      this.#lines = 0;
    }
    return ++this.#lines <= MOST_LINES;
  }
}
