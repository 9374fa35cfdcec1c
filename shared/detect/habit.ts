/**
 * What was told several times within a day is not as rare as a frozen model says: each time that a series (or a group)
 * was told asks for more bits the next time, and that is forgotten again within a day. A level that goes to and fro about
 * the edge of what is expected is told once or twice and not all day.
 *
 * Of the models of windows alone: detectors of samples learn as they go. Times are monotonic, ms.
 */
import { DAY_MS, MINUTE_MS } from '../limits.ts';

/** What comes again within this time is the same, and is told on: an incident takes it in as well. */
const SAME_MS = 10 * MINUTE_MS;
/** Sixteen times as rare as what was told before. */
const STEP_BITS = 4;
/** After this time a third of it (1/e) is left. */
const FORGOTTEN_MS = DAY_MS;

export class Habit {
  readonly #bits: Float32Array;
  readonly #toldMs: Float64Array;

  /** @param limit numbers are below it */
  constructor(limit: number) {
    this.#bits = new Float32Array(limit);
    this.#toldMs = new Float64Array(limit).fill(Number.NaN);
  }

  /** Whether what is so many bits beyond what makes a finding is to be told; if so, it was. */
  tells(number: number, beyondBits: number, nowMs: number): boolean {
    const agoMs = nowMs - this.#toldMs[number]!;
    if (!(agoMs <= SAME_MS)) {
      const needed = Number.isNaN(agoMs) ? 0 : this.#bits[number]! * Math.exp(-agoMs / FORGOTTEN_MS);
      if (beyondBits < needed) return false;
      this.#bits[number] = needed + STEP_BITS;
    }
    this.#toldMs[number] = nowMs;
    return true;
  }

  forget(number: number): void {
    this.#bits[number] = 0;
    this.#toldMs[number] = Number.NaN;
  }

  clear(): void {
    this.#bits.fill(0);
    this.#toldMs.fill(Number.NaN);
  }
}
