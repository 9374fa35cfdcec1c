/**
 * When a window ends. Pure: monotonic time and the current estimate of UTC come in at each tick, before its samples
 * are added; what comes out is the window that ended.
 *
 * - A window ends where the estimate of UTC crosses a full minute. Without an estimate it ends after its full length of
 *   monotonic time.
 * - The estimate changes only between windows: the one that stood when a window began decides where it ends.
 * - A window records its real length, which a step of the estimate makes shorter. None is shorter than a second: what
 *   would be runs on to the following full minute.
 * - After a time without ticks in which the next window would have come and gone (suspend, a stopped process) the open
 *   window ends where it was to end, and the next begins now: of the time between there is no window.
 * - An hour is made of whole windows: it ends with the one that ends next to the full hour, or earlier where the
 *   estimate stepped by more than half a window, so that it lies within one idea of time. Parts of an hour merge.
 */
import { HOUR_MS, MINUTE_MS } from '../shared/limits.ts';

/** Shorter windows are not begun. */
const SHORTEST_MS = 1000;

export interface ClosedWindow {
  readonly nominalMs: number;
  readonly lengthMs: number;
  readonly endMonotonicMs: number;
  /** By the estimate that stood in the window; null where there was none. */
  readonly endUtcMs: number | null;
}

export interface ClosedWindows {
  readonly window: ClosedWindow;
  /** The hour that ended with it. */
  readonly hour: ClosedWindow | null;
}

export class WindowClock {
  readonly #nominalMs: number;
  #startMs: number;
  #endMs = 0;
  #offsetMs: number | null = null;
  #hourStartMs: number;
  #hourEndMs = 0;
  #hourOffsetMs: number | null = null;

  /**
   * @param nowMs monotonic
   * @param offsetMs estimate of UTC minus monotonic time; null for none
   * @param nominalMs a minute or ten minutes
   */
  constructor(nowMs: number, offsetMs: number | null, nominalMs: number = MINUTE_MS) {
    this.#nominalMs = nominalMs;
    this.#startMs = nowMs;
    this.#hourStartMs = nowMs;
    this.#begin(nowMs, offsetMs);
    this.#beginHour(nowMs, offsetMs);
  }

  /** When the open window will end, monotonic. */
  get endsMs(): number {
    return this.#endMs;
  }

  /** What ended by now, or null. To be called before the samples of this tick are added. */
  advance(nowMs: number, offsetMs: number | null): ClosedWindows | null {
    if (nowMs < this.#endMs) return null;
    const endMs = this.#endMs;
    const window = this.#closed(this.#nominalMs, this.#startMs, endMs);
    const nextMs = boundary(endMs, offsetMs, this.#nominalMs) <= nowMs ? nowMs : endMs;
    const stepped =
      offsetMs === null || this.#hourOffsetMs === null
        ? offsetMs !== this.#hourOffsetMs
        : Math.abs(offsetMs - this.#hourOffsetMs) > this.#nominalMs / 2;
    let hour: ClosedWindow | null = null;
    if (stepped || endMs >= this.#hourEndMs - this.#nominalMs / 2 || nextMs >= this.#hourEndMs) {
      hour = this.#closed(HOUR_MS, this.#hourStartMs, endMs);
      this.#beginHour(nextMs, offsetMs);
    }
    this.#begin(nextMs, offsetMs);
    return { window, hour };
  }

  /** Ends both now, at a clean stop; null where nothing has begun worth recording. */
  finish(nowMs: number): ClosedWindows | null {
    const endMs = Math.min(nowMs, this.#endMs);
    if (endMs - this.#startMs < SHORTEST_MS) return null;
    return {
      window: this.#closed(this.#nominalMs, this.#startMs, endMs),
      hour: this.#closed(HOUR_MS, this.#hourStartMs, endMs),
    };
  }

  #begin(startMs: number, offsetMs: number | null): void {
    this.#startMs = startMs;
    this.#offsetMs = offsetMs;
    this.#endMs = boundary(startMs, offsetMs, this.#nominalMs);
  }

  #beginHour(startMs: number, offsetMs: number | null): void {
    this.#hourStartMs = startMs;
    this.#hourOffsetMs = offsetMs;
    this.#hourEndMs = boundary(startMs, offsetMs, HOUR_MS);
  }

  #closed(nominalMs: number, startMs: number, endMs: number): ClosedWindow {
    const endUtcMs = this.#offsetMs === null ? null : Math.round(endMs + this.#offsetMs);
    return { nominalMs, lengthMs: endMs - startMs, endMonotonicMs: endMs, endUtcMs };
  }
}

/** Monotonic time at which the estimate reaches the next multiple of `lengthMs` that is a second or more away. */
function boundary(startMs: number, offsetMs: number | null, lengthMs: number): number {
  if (offsetMs === null) return startMs + lengthMs;
  const utcMs = startMs + offsetMs;
  return Math.ceil((utcMs + SHORTEST_MS) / lengthMs) * lengthMs - offsetMs;
}
