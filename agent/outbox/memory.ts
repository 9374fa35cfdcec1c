/**
 * The outbox in memory: bounded, the same logic as on disk. It holds what can't be made durable while the disk fails
 * (its epochs are then marked volatile), and it is what tests and the simulation use.
 */
import { compareBytes } from '../../shared/series.ts';
import type { OutboxOptions } from './options.ts';
import { QueueOutbox } from './queue.ts';
import type { Op, Shelf, Step } from './shelf.ts';

/** What an entry costs in memory beside its bytes, about. */
const ENTRY_OVERHEAD_BYTES = 96;

/** Keys in byte order in one sorted array; an outbox appends near the ends of its key spaces. */
export class MemoryShelf implements Shelf {
  readonly usableShare = 1;
  #keys: Uint8Array[] = [];
  #values: Uint8Array[] = [];
  #bytes = 0;

  async write(ops: readonly Op[]): Promise<void> {
    for (const op of ops) {
      const at = this.#lowerBound(op.key);
      const found = at < this.#keys.length && compareBytes(this.#keys[at]!, op.key) === 0;
      if (found) this.#bytes -= sizeOf(this.#keys[at]!, this.#values[at]!);
      if (op.type === 'put') {
        this.#bytes += sizeOf(op.key, op.value);
        this.#keys.splice(at, found ? 1 : 0, op.key);
        this.#values.splice(at, found ? 1 : 0, op.value);
      } else if (found) {
        this.#keys.splice(at, 1);
        this.#values.splice(at, 1);
      }
    }
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const at = this.#lowerBound(key);
    return at < this.#keys.length && compareBytes(this.#keys[at]!, key) === 0 ? this.#values[at] : undefined;
  }

  async scan(from: Uint8Array, to: Uint8Array, visit: (key: Uint8Array, value: Uint8Array) => Step): Promise<void> {
    for (let at = this.#lowerBound(from); at < this.#keys.length; ) {
      const key = this.#keys[at]!;
      if (compareBytes(key, to) >= 0) return;
      const step = visit(key, this.#values[at]!);
      if (step === 'stop') return;
      at = step === 'on' ? at + 1 : Math.max(at + 1, this.#lowerBound(step));
    }
  }

  async keys(from: Uint8Array, to: Uint8Array, max: number): Promise<readonly Uint8Array[]> {
    const at = this.#lowerBound(from);
    return this.#keys.slice(at, Math.min(at + max, this.#lowerBound(to)));
  }

  sizeBytes(): number {
    return this.#bytes;
  }

  async measure(): Promise<number> {
    return this.#bytes;
  }

  async compact(): Promise<void> {}

  async spare(): Promise<boolean> {
    return false;
  }

  async close(): Promise<void> {}

  #lowerBound(key: Uint8Array): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareBytes(this.#keys[middle]!, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function sizeOf(key: Uint8Array, value: Uint8Array): number {
  return key.length + value.length + ENTRY_OVERHEAD_BYTES;
}

export interface MemoryOptions extends OutboxOptions {
  /** True where it stands in for a disk that fails. */
  readonly volatile?: boolean;
  /** An earlier outbox's shelf, to go on with what it held. */
  readonly shelf?: MemoryShelf;
}

export function openMemoryOutbox(options: MemoryOptions): Promise<QueueOutbox> {
  const { volatile = false, shelf = new MemoryShelf(), ...rest } = options;
  const ringBytes = options.limitBytes;
  return QueueOutbox.open({ ...rest, openShelf: async () => shelf, volatile, lossCause: 'overflow', ringBytes });
}
