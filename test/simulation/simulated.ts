/** A world under one seed: its clock moves from timer to timer, its randomness repeats. */
import type { Clock, Timers } from '../../shared/clock.ts';

const startWallMs = Date.UTC(2026, 0, 1);

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

export class Simulated {
  now = 0;
  #state: number;
  #order = 0;
  #timers: Timer[] = [];

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  readonly clock: Clock = { monotonicMs: () => this.now, wallMs: () => startWallMs + this.now };

  readonly timers: Timers = {
    after: (delayMs, callback) => {
      const timer = { atMs: this.now + Math.max(0, delayMs), order: this.#order++, callback, cancelled: false };
      this.#timers.push(timer);
      return timer;
    },
    cancel: (timer) => {
      if (timer !== null && timer !== undefined) (timer as Timer).cancelled = true;
    },
  };

  /** 0 ≤ x < 1; mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  integer(below: number): number {
    return Math.floor(this.next() * below);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.integer(256));
  }

  hex(bytes: number): string {
    return Buffer.from(this.bytes(bytes)).toString('hex');
  }

  /** Goes from timer to timer until `done` says so or the time is over; returns whether it was done. */
  async run(untilMs: number, done: () => boolean): Promise<boolean> {
    for (;;) {
      await settle();
      if (done()) return true;
      const next = this.#next();
      if (next === null || next.atMs > untilMs) return false;
      next.cancelled = true;
      this.now = Math.max(this.now, next.atMs);
      next.callback();
    }
  }

  #next(): Timer | null {
    this.#timers = this.#timers.filter(({ cancelled }) => !cancelled);
    let best: Timer | null = null;
    for (const timer of this.#timers) {
      if (best === null || timer.atMs < best.atMs || (timer.atMs === best.atMs && timer.order < best.order))
        best = timer;
    }
    return best;
  }
}

/** Lets every promise that can go on do so before the clock moves. */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
