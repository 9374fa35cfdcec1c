/** A clock that stands still until it is told to go on, and timers that go by it: the first that is due first. */
import type { Clock, Timers } from '../../../shared/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

export class VirtualTime {
  /** UTC. */
  nowMs: number;
  readonly #startMs: number;
  #order = 0;
  /** A binary heap. */
  readonly #heap: Timer[] = [];

  constructor(startMs: number) {
    this.#startMs = startMs;
    this.nowMs = startMs;
  }

  /** Of machines that began when it did. */
  readonly clock: Clock = { monotonicMs: () => this.nowMs - this.#startMs, wallMs: () => this.nowMs };

  readonly timers: Timers = {
    after: (delayMs, callback) => {
      const timer = { atMs: this.nowMs + Math.max(0, delayMs), order: this.#order++, callback, cancelled: false };
      this.#push(timer);
      return timer;
    },
    cancel: (timer) => {
      if (timer !== null && timer !== undefined) (timer as Timer).cancelled = true;
    },
  };

  /** Goes on to `toMs`, and calls what is due on the way. */
  advance(toMs: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= toMs; next = this.#heap[0]) {
      this.#pop();
      if (next.cancelled) continue;
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.callback();
    }
    this.nowMs = Math.max(this.nowMs, toMs);
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    for (let above = (at - 1) >> 1; at > 0 && isBefore(timer, heap[above]!); above = (at - 1) >> 1) {
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (let below = 1; below < heap.length; below = 2 * at + 1) {
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
