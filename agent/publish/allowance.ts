/** A token bucket that holds one second: how much of the backlog may go now. */
import type { Clock, Timers } from '../../shared/clock.ts';

const LONGEST_WAIT_MS = 600_000;

export interface AllowanceOptions {
  /** Bytes a second, now; 0: none, Infinity: no bound. */
  readonly bytesPerS: () => number;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Something may go again. */
  readonly refilled: () => void;
}

export class Allowance {
  readonly #options: AllowanceOptions;
  #bytes: number;
  #filledMs: number;
  #timer: unknown = null;

  constructor(options: AllowanceOptions) {
    this.#options = options;
    this.#bytes = finite(options.bytesPerS());
    this.#filledMs = options.clock.monotonicMs();
  }

  /** Whether more may go now; where not, `refilled` is called when it may. */
  take(): boolean {
    const { clock, timers, refilled } = this.#options;
    const bytesPerS = this.#options.bytesPerS();
    const nowMs = clock.monotonicMs();
    const filledMs = this.#filledMs;
    this.#filledMs = nowMs;
    if (bytesPerS === Number.POSITIVE_INFINITY) {
      this.#bytes = 0;
      return true;
    }
    this.#bytes = Math.min(bytesPerS, this.#bytes + (bytesPerS * (nowMs - filledMs)) / 1000);
    if (this.#bytes > 0) return true;
    if (this.#timer === null) {
      // Looked at again in time: the rate may be another by then.
      const waitMs =
        bytesPerS > 0 ? Math.min(LONGEST_WAIT_MS, Math.ceil((-this.#bytes / bytesPerS) * 1000) + 10) : LONGEST_WAIT_MS;
      this.#timer = timers.after(waitMs, () => {
        this.#timer = null;
        refilled();
      });
    }
    return false;
  }

  spend(sizeBytes: number): void {
    this.#bytes -= sizeBytes;
  }

  /** No timer is left over. */
  stop(): void {
    if (this.#timer !== null) this.#options.timers.cancel(this.#timer);
    this.#timer = null;
  }
}

function finite(bytesPerS: number): number {
  return Number.isFinite(bytesPerS) ? bytesPerS : 0;
}
