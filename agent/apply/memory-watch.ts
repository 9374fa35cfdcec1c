/**
 * Whether what is new takes more memory than it may: what is alive is counted before it first runs and looked at each
 * minute of its trial. Garbage is no matter: where it looks like too much, it is collected first and counted again.
 * An agent that is out of memory altogether ends, and is a loop (`trials.ts`).
 */
import type { Timers } from '../../shared/clock.ts';
import { MINUTE_MS } from '../../shared/limits.ts';

/** What may be alive beside what was before: two of the largest contents, read. Other work needs some of it. */
export const MEMORY_MORE_BYTES = 24 * 1024 * 1024;
const LOOK_MS = MINUTE_MS;
/** Looks in a row; a backlog or a failing disk may take much for a moment. */
const LOOKS = 3;

/** The process's own memory; see `agent/memory.ts`. */
export interface MemoryMeter {
  /** What V8 holds, garbage and buffers outside its heap included. */
  usedBytes(): number;
  collect(): void;
}

interface MemoryWatchOptions {
  /** Not said: nothing is watched. */
  readonly meter: MemoryMeter | undefined;
  readonly timers: Timers;
  /** What is on trial, with what was alive before; null where nobody counted. */
  readonly watched: () => readonly { readonly slot: string; readonly beforeBytes: number | null }[];
  readonly over: (slot: string, reason: string) => void;
}

export class MemoryWatch {
  readonly #options: MemoryWatchOptions;
  /** Looks in a row that were over, by slot. */
  readonly #over = new Map<string, number>();
  #timer: unknown = null;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
  }

  /** What is alive now; null where nobody counts. */
  aliveBytes(): number | null {
    const { meter } = this.#options;
    if (meter === undefined) return null;
    meter.collect();
    return meter.usedBytes();
  }

  /** Goes on for as long as something is on trial. */
  start(): void {
    const { meter, timers } = this.#options;
    if (meter === undefined || this.#timer !== null) return;
    this.#timer = timers.after(LOOK_MS, () => {
      this.#timer = null;
      this.#look(meter);
      if (this.#options.watched().length > 0) this.start();
    });
  }

  stop(): void {
    this.#options.timers.cancel(this.#timer);
    this.#timer = null;
  }

  #look(meter: MemoryMeter): void {
    const { watched, over } = this.#options;
    let aliveBytes: number | null = null;
    for (const { slot, beforeBytes } of watched()) {
      const mostBytes = beforeBytes === null ? Number.POSITIVE_INFINITY : beforeBytes + MEMORY_MORE_BYTES;
      if (meter.usedBytes() > mostBytes) aliveBytes ??= this.aliveBytes();
      const looks = aliveBytes !== null && aliveBytes > mostBytes ? (this.#over.get(slot) ?? 0) + 1 : 0;
      this.#over.set(slot, looks);
      if (looks < LOOKS) continue;
      this.#over.delete(slot);
      const mb = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MB`;
      over(slot, `with it ${mb(aliveBytes!)} of memory are in use, ${mb(beforeBytes!)} before it came`);
    }
  }
}
