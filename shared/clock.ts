/**
 * Time is passed in, never asked for: tests and the simulation own the clock.
 *
 * Two kinds of time that must not be mixed: `monotonicMs` counts from the boot and includes suspend
 * (CLOCK_BOOTTIME); `wallMs` is the machine's idea of UTC, which may be 1970, a day off, or jump.
 */
export interface Clock {
  /** Milliseconds since the boot, suspend included; never goes back. */
  monotonicMs(): number;
  /** The machine's idea of Unix time in milliseconds; may jump. */
  wallMs(): number;
}

/** One moment on both clocks, taken together. */
export interface Instant {
  readonly monotonicMs: number;
  /** Best estimate of UTC; on an agent without one, its wall clock. */
  readonly utcMs: number;
}

/** Timers as a dependency, so that the simulation can drive them. */
export interface Timers {
  /** Calls `callback` once after `delayMs`; returns what `cancel` takes. */
  after(delayMs: number, callback: () => void): unknown;
  cancel(timer: unknown): void;
}
