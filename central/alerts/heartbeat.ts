/**
 * A sign of life to somebody outside, who raises the alarm when it stays away. It is sent while the central does its
 * work: one that cannot write or has lost its broker says nothing, which is what is listened for.
 */
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { version } from '../../shared/version.ts';
import type { HeartbeatState } from './api.ts';
import type { AlertsConfig } from './config.ts';
import { sendRequest } from './targets/request.ts';

export interface HeartbeatOptions {
  readonly config: NonNullable<AlertsConfig['heartbeat']>;
  /** PEM; null: what the system trusts. */
  readonly ca: string | null;
  readonly nowMs: () => number;
  readonly log: Log;
  /** Why the central does not do its work; null: it does. */
  readonly problem: () => Promise<string | null>;
  /** What `POST` brings along. */
  readonly counts: () => Readonly<Record<string, number>>;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #ending = new AbortController();
  #nextMs = 0;
  #beating: Promise<void> | null = null;
  #lastSuccessMs: number | null = null;
  #lastErrorMs: number | null = null;
  #problem: string | null = null;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Sends one when it is time to. */
  tick(): void {
    const { config, nowMs } = this.#options;
    // A clock that was set back must not end it.
    if (this.#nextMs - nowMs() > config.interval) this.#nextMs = nowMs();
    if (this.#beating !== null || nowMs() < this.#nextMs) return;
    this.#nextMs = nowMs() + config.interval;
    this.#beating = this.#beat().finally(() => {
      this.#beating = null;
    });
  }

  state(): HeartbeatState {
    const { url, interval } = this.#options.config;
    const times = { lastSuccessMs: this.#lastSuccessMs, lastErrorMs: this.#lastErrorMs };
    return { where: new URL(url).origin, intervalMs: interval, ...times, problem: this.#problem };
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#beating;
  }

  async #beat(): Promise<void> {
    const { config, ca, nowMs, log } = this.#options;
    const { url, method, headers, timeout } = config;
    try {
      const problem = await this.#options.problem();
      if (problem !== null) throw new Error(problem);
      const post = method === 'POST';
      const body = post ? JSON.stringify({ picket: version, atMs: nowMs(), ...this.#options.counts() }) : null;
      const type: Record<string, string> = post ? { 'content-type': 'application/json' } : {};
      const all = { 'user-agent': `picket-central/${version}`, ...type, ...headers };
      await sendRequest({ url, method, headers: all, body, timeoutMs: timeout, ca, nowMs }, this.#ending.signal);
      if (this.#problem !== null) log.info({}, 'the heartbeat is taken again');
      this.#lastSuccessMs = nowMs();
      this.#problem = null;
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      const problem = messageOf(error);
      if (this.#problem !== problem) log.warn({ problem }, 'no heartbeat was sent; the next one is tried in its turn');
      this.#lastErrorMs = nowMs();
      this.#problem = problem;
    }
  }
}
