/**
 * A blob in pieces, by its SHA-256. Pieces come in any order, twice, or from somebody who lies: the size is known from
 * a signed document before the first byte is kept, and nothing is used before the whole has the signed hash.
 */
import { PicketError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Chunk } from '../wire/live.ts';
import { sha256Hex } from './hash.ts';

export function chunkCount(sizeBytes: number): number {
  return Math.ceil(sizeBytes / limits.chunkBytes);
}

/** Piece `index` of a blob, or null where there is none. */
export function chunkOf(blob: Uint8Array, hash: string, index: number): Chunk | null {
  const count = chunkCount(blob.length);
  if (!Number.isSafeInteger(index) || index < 0 || index >= count) return null;
  const data = blob.subarray(index * limits.chunkBytes, (index + 1) * limits.chunkBytes);
  return { hash, index, count, sizeBytes: blob.length, data };
}

/** Puts a blob together. */
export class ChunkAssembler {
  readonly hash: string;
  readonly sizeBytes: number;
  readonly #have: Uint8Array;
  readonly #bytes: Uint8Array;
  #missing: number;

  /** `sizeBytes` comes from a signed document. Throws `payload.too_large` before memory is taken. */
  constructor(hash: string, sizeBytes: number) {
    if (sizeBytes > limits.blobBytes) {
      throw new PicketError('payload.too_large', `a blob of ${sizeBytes} bytes; ${limits.blobBytes} are allowed`);
    }
    this.hash = hash;
    this.sizeBytes = sizeBytes;
    this.#bytes = new Uint8Array(sizeBytes);
    this.#missing = chunkCount(sizeBytes);
    this.#have = new Uint8Array(this.#missing);
  }

  get complete(): boolean {
    return this.#missing === 0;
  }

  /** First piece that is missing, or -1. */
  next(): number {
    return this.#have.indexOf(0);
  }

  /** Takes in a piece of this blob; true if it was new. Throws `blob.mismatch` if it can't be a piece of it. */
  accept(chunk: Chunk): boolean {
    if (chunk.sizeBytes !== this.sizeBytes) {
      throw new PicketError(
        'blob.mismatch',
        `blob ${this.hash.slice(0, 12)} is said to have ${chunk.sizeBytes} bytes; ${this.sizeBytes} were signed`,
      );
    }
    const start = chunk.index * limits.chunkBytes;
    const expected = Math.min(limits.chunkBytes, this.sizeBytes - start);
    if (!(chunk.index >= 0 && chunk.index < this.#have.length) || chunk.data.length !== expected) {
      throw new PicketError(
        'blob.mismatch',
        `chunk ${chunk.index} of blob ${this.hash.slice(0, 12)} has ${chunk.data.length} bytes where it has no place`,
      );
    }
    if (this.#have[chunk.index] === 1) return false;
    this.#bytes.set(chunk.data, start);
    this.#have[chunk.index] = 1;
    this.#missing--;
    return true;
  }

  /** All pieces are missing again. */
  reset(): void {
    this.#have.fill(0);
    this.#missing = this.#have.length;
  }

  /** The whole blob. Throws `blob.mismatch` if its hash is not the signed one; all pieces are missing again then. */
  finish(): Uint8Array {
    const actual = sha256Hex(this.#bytes);
    if (actual === this.hash) return this.#bytes;
    this.reset();
    throw new PicketError(
      'blob.mismatch',
      `the content has hash ${actual.slice(0, 12)}; ${this.hash.slice(0, 12)} was signed`,
    );
  }
}
