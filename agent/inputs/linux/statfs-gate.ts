/**
 * statfs(2) with a deadline. A call may wait for ever (a server that is gone, a failing disk) and holds a thread of the
 * small pool meanwhile, which the outbox needs too. So a call that is late is left behind, its path is not asked again
 * before it has answered, and with more than `maxLate` calls left behind nothing is asked at all.
 */
import type { StatsFs } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const maxLate = 1;

/** `late`: it does not answer; `failed`: it may not be asked, or was taken away just now. */
export type StatfsOutcome = StatsFs | 'late' | 'failed';

export class StatfsGate {
  readonly #statfs: (path: string) => Promise<StatsFs>;
  readonly #lateMs: number;
  readonly #late = new Set<string>();

  constructor(statfs: (path: string) => Promise<StatsFs>, lateMs: number) {
    this.#statfs = statfs;
    this.#lateMs = lateMs;
  }

  async ask(path: string): Promise<StatfsOutcome> {
    if (this.#late.has(path) || this.#late.size > maxLate) return 'late';
    const timer = new AbortController();
    const asked = this.#statfs(path).catch((): StatfsOutcome => 'failed');
    const outcome = await Promise.race([
      asked,
      delay(this.#lateMs, 'late' as const, { signal: timer.signal, ref: false }).catch((): StatfsOutcome => 'failed'),
    ]);
    timer.abort();
    if (outcome === 'late') {
      this.#late.add(path);
      void asked.then(() => this.#late.delete(path));
    }
    return outcome;
  }
}
