/**
 * The last hour of full-rate values of all series, compressed, in a bounded piece of memory: what evidence and live
 * charts are taken from. Chunks of one size belong to a series each; when none is free the one that was filled the
 * longest ago is used again. Times are monotonic: the caller converts. `append` allocates nothing once a chunk is there.
 */
import type { SeriesNumber } from '../shared/series.ts';
import { BlockWriter, readBlock } from '../shared/wire/block.ts';

/** What a chunk's writer costs in memory beside its bytes, about. */
const WRITER_BYTES = 160;
const chunkSizes = [512, 256, 128] as const;
/** Chunks are cut from larger pieces: an array of its own costs as much again as a small chunk. */
const CHUNKS_PER_PIECE = 64;
const MAX_SAMPLES = 0xffff;
const NONE = -1;

export interface RecentRange {
  /** Ascending, monotonic. */
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
}

export interface RecentOptions {
  /** All of it together. */
  readonly memoryBytes: number;
  /** Numbers of series are below this. */
  readonly series: number;
}

export class RecentRing {
  readonly chunkBytes: number;
  readonly #writers: BlockWriter[] = [];
  #piece = new Uint8Array(0);
  readonly #most: number;
  /** For each series its oldest chunk and the one that is being filled; for each chunk the next of its series. */
  readonly #oldest: Int32Array;
  readonly #filling: Int32Array;
  readonly #next: Int32Array;
  readonly #owner: Int32Array;
  /** Full chunks, in the order in which they became full. */
  readonly #full: Int32Array;
  #fullFrom = 0;
  #fullCount = 0;
  #dropped = 0;

  constructor(options: RecentOptions) {
    const { memoryBytes, series } = options;
    // Large chunks compress better, but each series needs one for itself and one to look back on.
    this.chunkBytes =
      chunkSizes.find((size) => memoryBytes / (size + WRITER_BYTES) >= 2 * series) ?? chunkSizes.at(-1)!;
    this.#most = Math.max(1, Math.floor(memoryBytes / (this.chunkBytes + WRITER_BYTES)));
    this.#oldest = new Int32Array(series).fill(NONE);
    this.#filling = new Int32Array(series).fill(NONE);
    this.#next = new Int32Array(this.#most).fill(NONE);
    this.#owner = new Int32Array(this.#most).fill(NONE);
    this.#full = new Int32Array(this.#most);
  }

  /** Samples for which there was no chunk: more series than the memory has room for. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Bytes of memory that are in use, about. */
  get sizeBytes(): number {
    return this.#writers.length * (this.chunkBytes + WRITER_BYTES);
  }

  /** @param timeMs monotonic, ascending for each series; whole milliseconds are kept */
  append(series: SeriesNumber, timeMs: number, value: number): void {
    const filling = this.#filling[series];
    if (filling === undefined) return;
    if (filling !== NONE) {
      if (this.#writers[filling]!.append(timeMs, value)) return;
      this.#full[(this.#fullFrom + this.#fullCount) % this.#most] = filling;
      this.#fullCount++;
    }
    const chunk = this.#take();
    if (chunk === NONE) {
      // Nothing is full: every chunk is being filled by another series.
      this.#filling[series] = NONE;
      this.#dropped++;
      return;
    }
    // What was full may have been this series' own.
    if (filling !== NONE && filling !== chunk) this.#next[filling] = chunk;
    if (this.#oldest[series] === NONE) this.#oldest[series] = chunk;
    this.#filling[series] = chunk;
    this.#owner[chunk] = series;
    this.#writers[chunk]!.append(timeMs, value);
  }

  /** What is held of a series from one time to another, both inclusive. */
  range(series: SeriesNumber, fromMs: number, toMs: number): RecentRange {
    const parts: RecentRange[] = [];
    let count = 0;
    for (let chunk = this.#oldest[series] ?? NONE; chunk !== NONE; chunk = this.#next[chunk]!) {
      const writer = this.#writers[chunk]!;
      if (writer.count === 0 || writer.lastMs < fromMs || writer.firstMs > toMs) continue;
      const { timesMs, values } = readBlock(writer.finish(), MAX_SAMPLES);
      let from = 0;
      let to = timesMs.length;
      while (from < to && timesMs[from]! < fromMs) from++;
      while (to > from && timesMs[to - 1]! > toMs) to--;
      parts.push({ timesMs: timesMs.subarray(from, to), values: values.subarray(from, to) });
      count += to - from;
    }
    const timesMs = new Float64Array(count);
    const values = new Float64Array(count);
    let at = 0;
    for (const part of parts) {
      timesMs.set(part.timesMs, at);
      values.set(part.values, at);
      at += part.timesMs.length;
    }
    return { timesMs, values };
  }

  /** The number belongs to another series from now on: what is held of the one before is not shown any more. */
  forget(series: SeriesNumber): void {
    for (let chunk = this.#oldest[series] ?? NONE; chunk !== NONE; chunk = this.#next[chunk]!) {
      // Emptied where they lie; they come back into use when their turn comes.
      this.#writers[chunk]!.reset();
    }
  }

  /** A chunk to fill: a new one while there is memory, then the one that was filled the longest ago. */
  #take(): number {
    if (this.#writers.length < this.#most) {
      const at = (this.#writers.length % CHUNKS_PER_PIECE) * this.chunkBytes;
      if (at === 0) {
        const chunks = Math.min(CHUNKS_PER_PIECE, this.#most - this.#writers.length);
        this.#piece = new Uint8Array(chunks * this.chunkBytes);
      }
      return this.#writers.push(new BlockWriter(this.#piece.subarray(at, at + this.chunkBytes))) - 1;
    }
    if (this.#fullCount === 0) return NONE;
    const chunk = this.#full[this.#fullFrom]!;
    this.#fullFrom = (this.#fullFrom + 1) % this.#most;
    this.#fullCount--;
    // Chunks of a series fill in order, so that the oldest of all is the oldest of its own.
    this.#oldest[this.#owner[chunk]!] = this.#next[chunk]!;
    this.#next[chunk] = NONE;
    this.#writers[chunk]!.reset();
    return chunk;
  }
}
