/**
 * Ten minutes out of windows of one, where the agent makes both (a budget of the uplink). Pure.
 *
 * They end where the estimate of UTC reaches a multiple of ten minutes, without an estimate after ten of them, and
 * earlier with the hour, so that an hour is made of whole ones. What does not continue the open ones (a step of the
 * estimate, a time without windows) ends them before it: none lies in two ideas of time.
 */
import { MINUTE_MS, TEN_MINUTES_MS } from '../../shared/limits.ts';
import type { ClosedWindow } from '../windows.ts';

/** Ends and beginnings that differ by less belong together. */
const STEP_MS = MINUTE_MS / 2;

export interface ClosedTens {
  /** Ended before the window that was added. */
  readonly before: ClosedWindow | null;
  /** Ended with it. */
  readonly after: ClosedWindow | null;
}

export class Tens {
  #startMs: number | null = null;
  #last: ClosedWindow | null = null;

  /** @param hourEnded whether the hour ended with the window */
  add(window: ClosedWindow, hourEnded: boolean): ClosedTens {
    const startMs = window.endMonotonicMs - window.lengthMs;
    const before = this.#last !== null && !continues(this.#last, window, startMs) ? this.finish() : null;
    this.#startMs ??= startMs;
    this.#last = window;
    const { endUtcMs, endMonotonicMs } = window;
    const offMs = endUtcMs === null ? 0 : (endUtcMs + STEP_MS) % TEN_MINUTES_MS;
    const full = endUtcMs === null ? endMonotonicMs - this.#startMs >= TEN_MINUTES_MS - STEP_MS : offMs < 2 * STEP_MS;
    return { before, after: full || hourEnded ? this.finish() : null };
  }

  /** What is open, ended; null where nothing is. */
  finish(): ClosedWindow | null {
    const last = this.#last;
    const startMs = this.#startMs;
    this.#last = null;
    this.#startMs = null;
    if (last === null || startMs === null) return null;
    return { ...last, nominalMs: TEN_MINUTES_MS, lengthMs: last.endMonotonicMs - startMs };
  }
}

function continues(last: ClosedWindow, next: ClosedWindow, nextStartMs: number): boolean {
  if (nextStartMs - last.endMonotonicMs > STEP_MS) return false;
  if (last.endUtcMs === null || next.endUtcMs === null) return last.endUtcMs === next.endUtcMs;
  const passedMs = next.endMonotonicMs - last.endMonotonicMs;
  return Math.abs(next.endUtcMs - last.endUtcMs - passedMs) < STEP_MS;
}
