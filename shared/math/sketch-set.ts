/**
 * The sketches of many series while their window is open. Every series has a sorted linked list of buckets in one pool
 * of typed arrays: most series span few buckets in a minute, so that a bucket costs 12 bytes and a series without
 * samples 4. Nothing is allocated per sample, but that the pool doubles until it has its full size.
 *
 * A bucket is named by a code that sorts as the values do: key + 40,000 for positive values, 0 for zeros, and
 * -(key + 40,000) for negative ones.
 *
 * Bounded: where a series has its full number of buckets, or the pool is full, the two buckets of the smallest
 * magnitude become one (the larger's), as DDSketch collapses; both tails keep their 1 %, and `collapsed` counts.
 */
import { limits } from '../limits.ts';
import type { SketchColumns } from '../wire/summary.ts';
import { emptySketch, KEY_BOUND, keyOf } from './sketch.ts';

const NONE = -1;
const FIRST_BUCKETS = 4096;
/** Buckets of the pool for each series, on the average. */
const BUCKETS_PER_SERIES = 96;

export class SketchSet {
  /** How often buckets had to be joined since the last reset. */
  collapsed = 0;
  readonly #capacity: number;
  readonly #maxBuckets: number;
  readonly #maxPool: number;
  /** First bucket of each series, and the one that was used last: samples tend to come close together. */
  readonly #head: Int32Array;
  readonly #cursor: Int32Array;
  readonly #buckets: Uint16Array;
  #code: Int32Array;
  #count: Uint32Array;
  #next: Int32Array;
  #used = 0;
  #free = NONE;

  /**
   * @param capacity series numbers are below this
   * @param maxBuckets of one series, at least 4
   * @param maxPool buckets of all series together
   */
  constructor(capacity: number, maxBuckets: number = limits.sketchBuckets, maxPool = capacity * BUCKETS_PER_SERIES) {
    this.#capacity = capacity;
    this.#maxBuckets = Math.max(4, maxBuckets);
    this.#maxPool = Math.max(maxPool, capacity);
    this.#head = new Int32Array(capacity).fill(NONE);
    this.#cursor = new Int32Array(capacity).fill(NONE);
    this.#buckets = new Uint16Array(capacity);
    const size = Math.min(this.#maxPool, FIRST_BUCKETS);
    this.#code = new Int32Array(size);
    this.#count = new Uint32Array(size);
    this.#next = new Int32Array(size);
  }

  /** A finite value of one series. */
  add(series: number, value: number): void {
    const code = value > 0 ? keyOf(value) + KEY_BOUND : value < 0 ? -keyOf(-value) - KEY_BOUND : 0;
    this.#addCode(series, code, 1);
  }

  /** Adds a sketch that was taken elsewhere. */
  merge(series: number, sketch: SketchColumns): void {
    for (let i = sketch.negativeKeys.length - 1; i >= 0; i--) {
      this.#addCode(series, -sketch.negativeKeys[i]! - KEY_BOUND, sketch.negativeCounts[i]!);
    }
    if (sketch.zeros > 0) this.#addCode(series, 0, sketch.zeros);
    for (let i = 0; i < sketch.positiveKeys.length; i++) {
      this.#addCode(series, sketch.positiveKeys[i]! + KEY_BOUND, sketch.positiveCounts[i]!);
    }
  }

  /** The sketch of a series, as it is now. */
  take(series: number): SketchColumns {
    let negative = 0;
    let zeros = 0;
    let positive = 0;
    for (let at = this.#head[series]!; at !== NONE; at = this.#next[at]!) {
      const code = this.#code[at]!;
      if (code < 0) negative++;
      else if (code === 0) zeros = this.#count[at]!;
      else positive++;
    }
    const out = {
      zeros,
      positiveKeys: positive === 0 ? emptySketch.positiveKeys : new Int32Array(positive),
      positiveCounts: positive === 0 ? emptySketch.positiveCounts : new Uint32Array(positive),
      negativeKeys: negative === 0 ? emptySketch.negativeKeys : new Int32Array(negative),
      negativeCounts: negative === 0 ? emptySketch.negativeCounts : new Uint32Array(negative),
    };
    // The list sorts by value; negative keys sort by magnitude, so they are filled from the end.
    let below = negative;
    let above = 0;
    for (let at = this.#head[series]!; at !== NONE; at = this.#next[at]!) {
      const code = this.#code[at]!;
      if (code < 0) {
        out.negativeKeys[--below] = -code - KEY_BOUND;
        out.negativeCounts[below] = this.#count[at]!;
      } else if (code > 0) {
        out.positiveKeys[above] = code - KEY_BOUND;
        out.positiveCounts[above++] = this.#count[at]!;
      }
    }
    return out;
  }

  /** Forgets one series; its buckets are used again. */
  clear(series: number): void {
    for (let at = this.#head[series]!; at !== NONE; ) {
      const next = this.#next[at]!;
      this.#next[at] = this.#free;
      this.#free = at;
      at = next;
    }
    this.#head[series] = NONE;
    this.#cursor[series] = NONE;
    this.#buckets[series] = 0;
  }

  /** Begins anew; the pool keeps its size. */
  reset(): void {
    this.#head.fill(NONE);
    this.#cursor.fill(NONE);
    this.#buckets.fill(0);
    this.#used = 0;
    this.#free = NONE;
    this.collapsed = 0;
  }

  /** Memory of the pool and the lists, in bytes. */
  get sizeBytes(): number {
    return this.#code.length * 12 + this.#capacity * 10;
  }

  #addCode(series: number, code: number, count: number): void {
    let before = this.#cursor[series]!;
    if (before !== NONE && this.#code[before]! > code) before = NONE;
    let at = before === NONE ? this.#head[series]! : before;
    while (at !== NONE && this.#code[at]! < code) {
      before = at;
      at = this.#next[at]!;
    }
    if (at !== NONE && this.#code[at]! === code) {
      this.#count[at] = this.#count[at]! + count;
      this.#cursor[series] = at;
      return;
    }
    const made = this.#buckets[series]! < this.#maxBuckets ? this.#take() : NONE;
    if (made === NONE) {
      this.#addToFull(series, code, count);
      return;
    }
    this.#code[made] = code;
    this.#count[made] = count;
    this.#next[made] = at;
    if (before === NONE) this.#head[series] = made;
    else this.#next[before] = made;
    this.#cursor[series] = made;
    this.#buckets[series] = this.#buckets[series]! + 1;
  }

  /** No room for a new bucket: joins two of this series, or, where it has less than four, this value with one of them. */
  #addToFull(series: number, code: number, count: number): void {
    this.collapsed++;
    if (this.#buckets[series]! >= 4) {
      this.#collapse(series);
      this.#addCode(series, code, count);
      return;
    }
    let nearest = this.#head[series]!;
    if (nearest === NONE) return;
    for (let at = nearest; at !== NONE; at = this.#next[at]!) {
      if (Math.abs(this.#code[at]! - code) < Math.abs(this.#code[nearest]! - code)) nearest = at;
    }
    this.#count[nearest] = this.#count[nearest]! + count;
  }

  /** Joins the bucket of the smallest magnitude (zeros apart) with its neighbour of the same sign. */
  #collapse(series: number): void {
    let lastNegativeBefore = NONE;
    let lastNegative = NONE;
    let at = this.#head[series]!;
    for (; at !== NONE && this.#code[at]! < 0; at = this.#next[at]!) {
      lastNegativeBefore = lastNegative;
      lastNegative = at;
    }
    if (at !== NONE && this.#code[at]! === 0) at = this.#next[at]!;
    const second = at === NONE ? NONE : this.#next[at]!;
    const positiveIsSmaller =
      second !== NONE && (lastNegativeBefore === NONE || this.#code[at]! <= -this.#code[lastNegative]!);
    const kept = positiveIsSmaller ? at : lastNegativeBefore;
    const gone = positiveIsSmaller ? second : lastNegative;
    // Both ways the later bucket leaves the list; of positive ones the larger code stays.
    if (positiveIsSmaller) this.#code[kept] = this.#code[gone]!;
    this.#count[kept] = this.#count[kept]! + this.#count[gone]!;
    this.#next[kept] = this.#next[gone]!;
    this.#next[gone] = this.#free;
    this.#free = gone;
    this.#cursor[series] = NONE;
    this.#buckets[series] = this.#buckets[series]! - 1;
  }

  #take(): number {
    if (this.#free !== NONE) {
      const bucket = this.#free;
      this.#free = this.#next[bucket]!;
      return bucket;
    }
    if (this.#used === this.#code.length && !this.#grow()) return NONE;
    return this.#used++;
  }

  #grow(): boolean {
    const size = Math.min(this.#maxPool, this.#code.length * 2);
    if (size === this.#code.length) return false;
    const [code, count, next] = [new Int32Array(size), new Uint32Array(size), new Int32Array(size)];
    code.set(this.#code);
    count.set(this.#count);
    next.set(this.#next);
    this.#code = code;
    this.#count = count;
    this.#next = next;
    return true;
  }
}
