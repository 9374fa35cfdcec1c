/** Timers that a test turns by hand. */
import type { Timers } from '../../shared/clock.ts';

export class ManualTimers implements Timers {
  nowMs = 0;
  readonly #waiting = new Map<object, { atMs: number; callback: () => void }>();

  after(delayMs: number, callback: () => void): object {
    const timer = {};
    this.#waiting.set(timer, { atMs: this.nowMs + delayMs, callback });
    return timer;
  }

  cancel(timer: unknown): void {
    this.#waiting.delete(timer as object);
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Calls what is due within the next milliseconds, in order of time. */
  advance(byMs: number): void {
    const untilMs = this.nowMs + byMs;
    for (;;) {
      const due = [...this.#waiting]
        .filter(([, { atMs }]) => atMs <= untilMs)
        .sort(([, a], [, b]) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      const [timer, { atMs, callback }] = due;
      this.#waiting.delete(timer);
      this.nowMs = Math.max(this.nowMs, atMs);
      callback();
    }
    this.nowMs = untilMs;
  }
}

/** Lets all promises that can settle without a timer or the outside do so. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export const silentLog = { debug() {}, info() {}, warn() {}, error() {} };
