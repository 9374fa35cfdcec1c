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
  /** Timers that went off. */
  steps = 0;
  #state: number;
  #order = 0;
  /** A binary heap, the next one first. */
  readonly #timers: Timer[] = [];

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  readonly clock: Clock = { monotonicMs: () => this.now, wallMs: () => startWallMs + this.now };

  readonly timers: Timers = {
    after: (delayMs, callback) => {
      const timer = { atMs: this.now + Math.max(0, delayMs), order: this.#order++, callback, cancelled: false };
      this.#push(timer);
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
      while (this.#timers[0]?.cancelled) this.#pop();
      const next = this.#timers[0];
      if (next === undefined || next.atMs > untilMs) {
        this.now = Math.max(this.now, untilMs);
        return false;
      }
      this.#pop();
      next.cancelled = true;
      this.steps++;
      this.now = Math.max(this.now, next.atMs);
      next.callback();
    }
  }

  #push(timer: Timer): void {
    const heap = this.#timers;
    let at = heap.push(timer) - 1;
    for (;;) {
      const above = (at - 1) >> 1;
      if (at === 0 || !isBefore(timer, heap[above]!)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#timers;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++;
      if (!isBefore(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Lets every promise that can go on do so before the clock moves: all of them are microtasks. */
function settle(): Promise<void> {
  return new Promise<void>((resolve) => setImmediate(resolve));
}
