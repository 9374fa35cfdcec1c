/**
 * The state machine of rules, many of them in typed arrays: one entry for each rule and series.
 *
 *              crossed                    for long enough                    back
 *     calm ─────────────► pending ───────────────────────► firing ──────────────────────► ending
 *       ▲  not crossed       │                                ▲       not back              │
 *       └────────────────────┘                                └─────────────────────────────┤
 *       ▲                                                                 for long enough   │
 *       └───────────────────────────────────────────────────────────────────────────────────┘
 *
 * "Crossed" is beyond the limit, "back" is beyond the clear; between the two an entry that fires goes on and one that is
 * calm stays so. Time is monotonic; where it steps back, what was timed begins anew. Nothing is allocated but by `grow`.
 */

export const phase = { calm: 0, pending: 1, firing: 2, ending: 3 } as const;

/** What a step brought. */
export const outcome = { nothing: 0, fired: 1, ended: 2 } as const;
export type Outcome = (typeof outcome)[keyof typeof outcome];

export interface Timing {
  readonly forMs: number;
  readonly clearForMs: number;
  /** So long without a word and "for long enough" is not proven: it begins anew. */
  readonly gapMs: number;
}

export class HysteresisTable {
  phases: Uint8Array;
  /** When it was first crossed, in this run of it. */
  sinceMs: Float64Array;
  /** When it was last not back; while it ends and once it has ended, when it was first back. */
  lastMs: Float64Array;
  /** Of the last step. */
  heardMs: Float64Array;

  constructor(capacity: number) {
    this.phases = new Uint8Array(capacity);
    this.sinceMs = new Float64Array(capacity);
    this.lastMs = new Float64Array(capacity);
    this.heardMs = new Float64Array(capacity);
  }

  get capacity(): number {
    return this.phases.length;
  }

  grow(capacity: number): void {
    const [phases, since, last, heard] = [this.phases, this.sinceMs, this.lastMs, this.heardMs];
    this.phases = new Uint8Array(capacity);
    this.sinceMs = new Float64Array(capacity);
    this.lastMs = new Float64Array(capacity);
    this.heardMs = new Float64Array(capacity);
    this.phases.set(phases);
    this.sinceMs.set(since);
    this.lastMs.set(last);
    this.heardMs.set(heard);
  }

  /** As it is before anything is heard. */
  reset(entry: number): void {
    this.phases[entry] = phase.calm;
    this.heardMs[entry] = Number.NaN;
  }

  /** Fires since then, as it did before a restart. */
  restore(entry: number, sinceMs: number, lastMs: number): void {
    this.phases[entry] = phase.firing;
    this.sinceMs[entry] = sinceMs;
    this.lastMs[entry] = lastMs;
    this.heardMs[entry] = Number.NaN;
  }

  fires(entry: number): boolean {
    return this.phases[entry]! >= phase.firing;
  }

  step(entry: number, crossed: boolean, back: boolean, nowMs: number, timing: Timing): Outcome {
    const heard = this.heardMs[entry]!;
    const interrupted = nowMs < heard || nowMs - heard > timing.gapMs;
    this.heardMs[entry] = nowMs;
    switch (this.phases[entry]) {
      case phase.calm:
        if (!crossed) return outcome.nothing;
        return this.#begin(entry, nowMs, timing);
      case phase.pending:
        if (!crossed) {
          this.phases[entry] = phase.calm;
          return outcome.nothing;
        }
        if (interrupted) return this.#begin(entry, nowMs, timing);
        return this.#last(entry, nowMs, timing);
      case phase.firing:
        if (!back) {
          this.lastMs[entry] = nowMs;
          return outcome.nothing;
        }
        this.phases[entry] = phase.ending;
        this.lastMs[entry] = nowMs;
        return timing.clearForMs <= 0 ? this.#end(entry) : outcome.nothing;
      default:
        if (!back) {
          this.phases[entry] = phase.firing;
          this.lastMs[entry] = nowMs;
          return outcome.nothing;
        }
        if (interrupted) this.lastMs[entry] = nowMs;
        return nowMs - this.lastMs[entry]! >= timing.clearForMs ? this.#end(entry) : outcome.nothing;
    }
  }

  #begin(entry: number, nowMs: number, timing: Timing): Outcome {
    this.phases[entry] = phase.pending;
    this.sinceMs[entry] = nowMs;
    return this.#last(entry, nowMs, timing);
  }

  #last(entry: number, nowMs: number, timing: Timing): Outcome {
    this.lastMs[entry] = nowMs;
    if (nowMs - this.sinceMs[entry]! < timing.forMs) return outcome.nothing;
    this.phases[entry] = phase.firing;
    return outcome.fired;
  }

  #end(entry: number): Outcome {
    this.phases[entry] = phase.calm;
    return outcome.ended;
  }
}
