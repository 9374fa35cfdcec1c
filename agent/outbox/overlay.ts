/** What was written and is not in the database yet, in key order: readers look here first. */
import { compareBytes } from '../../shared/series.ts';
import type { Op } from './shelf.ts';

/** What an entry and its key, and a value that is not empty, cost beside their bytes (measured: V8's typed arrays). */
const ENTRY_OVERHEAD_BYTES = 290;
const VALUE_OVERHEAD_BYTES = 200;

/** The last of what happened to a key; a deletion has no value. */
export interface Change {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

export class Overlay {
  #changes: Change[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** In key order. Must not be changed, and does not change: a write makes another. */
  get changes(): readonly Change[] {
    return this.#changes;
  }

  apply(ops: readonly Op[]): void {
    const changes = this.#changes.slice();
    for (const op of ops) {
      const at = lowerBound(changes, op.key);
      const before = changes[at];
      const found = before !== undefined && compareBytes(before.key, op.key) === 0;
      if (found) this.#bytes -= sizeOf(before);
      const change: Change = { key: op.key, value: op.type === 'put' ? op.value : null };
      changes.splice(at, found ? 1 : 0, change);
      this.#bytes += sizeOf(change);
    }
    this.#changes = changes;
  }

  clear(): void {
    this.#changes = [];
    this.#bytes = 0;
  }

  /** Undefined where nothing was said of this key. */
  find(key: Uint8Array): Change | undefined {
    const change = this.#changes[lowerBound(this.#changes, key)];
    return change !== undefined && compareBytes(change.key, key) === 0 ? change : undefined;
  }

  /** Changes from `from` (inclusive) to `to` (exclusive). */
  between(from: Uint8Array, to: Uint8Array): readonly Change[] {
    return this.#changes.slice(lowerBound(this.#changes, from), lowerBound(this.#changes, to));
  }
}

function sizeOf({ key, value }: Change): number {
  const valueBytes = value === null || value.length === 0 ? 0 : VALUE_OVERHEAD_BYTES + value.length;
  return ENTRY_OVERHEAD_BYTES + key.length + valueBytes;
}

/** Place of the first change at or after the key. */
export function lowerBound(changes: readonly Change[], key: Uint8Array): number {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareBytes(changes[middle]!.key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
