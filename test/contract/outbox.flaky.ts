/** A disk under the test's hand: what is on it outlives its handles, and it fails as told. */
import { MemoryShelf } from '../../agent/outbox/memory.ts';
import type { QueueOptions } from '../../agent/outbox/options.ts';
import { QueueOutbox } from '../../agent/outbox/queue.ts';
import type { Op, OpenShelf, Shelf } from '../../agent/outbox/shelf.ts';

export class FlakyDisk {
  shelf = new MemoryShelf();
  /** How the next writes go: `lost` fails and leaves nothing, `landed` fails though the batch is there. */
  writes: 'good' | 'lost' | 'landed' = 'good';
  /** `bad` reads find damage, `none` do not come from the disk. */
  reads: 'good' | 'bad' | 'none' = 'good';
  opens: 'good' | 'bad' = 'good';
  /** What asks for keys (the audit) waits for this. */
  keysAfter: Promise<void> = Promise.resolve();
  readonly suspects: boolean[] = [];
  /** Write batches that were asked for. */
  batches = 0;
  /** Handles that were used after an error. */
  misused = 0;

  readonly openShelf: OpenShelf = async (suspect) => {
    this.suspects.push(suspect);
    if (this.opens === 'bad') throw new Error('IO error: No space left on device');
    return new FlakyShelf(this);
  };

  /** An outbox that takes this for its disk. */
  open(
    options: Omit<QueueOptions, 'openShelf' | 'volatile' | 'lossCause' | 'ringBytes'> & { readonly ringBytes?: number },
  ): Promise<QueueOutbox> {
    const { openShelf } = this;
    return QueueOutbox.open({ ringBytes: 1e6, ...options, openShelf, volatile: false, lossCause: 'overflow' });
  }
}

class FlakyShelf implements Shelf {
  readonly usableShare = 1;
  readonly #disk: FlakyDisk;
  #broken = false;

  constructor(disk: FlakyDisk) {
    this.#disk = disk;
  }

  async write(ops: readonly Op[]): Promise<void> {
    if (this.#broken) this.#disk.misused++;
    this.#disk.batches++;
    if (this.#disk.writes !== 'lost') await this.#disk.shelf.write(ops);
    if (this.#disk.writes === 'good') return;
    this.#broken = true;
    throw new Error('IO error: No space left on device');
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#checkRead();
    return this.#disk.shelf.get(key);
  }

  async scan(...args: Parameters<Shelf['scan']>): Promise<void> {
    this.#checkRead();
    return this.#disk.shelf.scan(...args);
  }

  async keys(...args: Parameters<Shelf['keys']>): Promise<readonly Uint8Array[]> {
    this.#checkRead();
    await this.#disk.keysAfter;
    return this.#disk.shelf.keys(...args);
  }

  sizeBytes(): number {
    return this.#disk.shelf.sizeBytes();
  }

  measure(): Promise<number> {
    return this.#disk.shelf.measure();
  }

  async compact(): Promise<void> {}

  async spare(): Promise<boolean> {
    return false;
  }

  isDamage(error: unknown): boolean {
    return String(error).includes('Corruption');
  }

  async close(): Promise<void> {}

  #checkRead(): void {
    if (this.#disk.reads === 'good') return;
    this.#broken = true;
    throw new Error(
      this.#disk.reads === 'bad' ? 'Corruption: block checksum mismatch' : 'IO error: Input/output error',
    );
  }
}
