/** A token bucket that holds one second: how much of the backlog may go now. */
import type { Clock, Timers } from '../../shared/clock.ts';

export interface AllowanceOptions {
  /** Bytes a second; 0 for no bound. */
  readonly bytesPerS: number;
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
    this.#bytes = options.bytesPerS;
    this.#filledMs = options.clock.monotonicMs();
  }

  /** Whether more may go now; where not, `refilled` is called when it may. */
  take(): boolean {
    const { bytesPerS, clock, timers, refilled } = this.#options;
    if (bytesPerS <= 0) return true;
    const nowMs = clock.monotonicMs();
    this.#bytes = Math.min(bytesPerS, this.#bytes + (bytesPerS * (nowMs - this.#filledMs)) / 1000);
    this.#filledMs = nowMs;
    if (this.#bytes > 0) return true;
    if (this.#timer === null) {
      const waitMs = Math.ceil((-this.#bytes / bytesPerS) * 1000) + 10;
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
