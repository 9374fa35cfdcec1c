/** Findings of all series at about the same time are one incident, as agents make them. */
import { MINUTE_MS } from '../../shared/limits.ts';

/** An agent's incident takes in what is found within this time of the last finding. */
const TOGETHER_MS = 10 * MINUTE_MS;

export class FalseIncidents {
  readonly #endsMs = new Set<number>();

  /** A window with a finding ended then. As many are kept as the held-out time has windows. */
  add(endMs: number): void {
    this.#endsMs.add(endMs);
  }

  count(windowMs: number): number {
    const apart = Math.max(TOGETHER_MS, 1.5 * windowMs);
    let count = 0;
    let last = Number.NEGATIVE_INFINITY;
    for (const endMs of Float64Array.from(this.#endsMs).sort()) {
      if (endMs - last > apart) count++;
      last = endMs;
    }
    return count;
  }
}
