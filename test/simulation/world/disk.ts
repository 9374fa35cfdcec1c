/**
 * A machine's disk: the shelf of its outbox. What a resolved write left is there for good; what was handed over and is
 * not synced yet survives a kill of the process, and of a power cut one half. Everything else goes wrong as its mood
 * says. What becomes durable, and what damage takes away, is told to the truth.
 */
import type { ChainStore } from '../../../agent/outbox/chain.ts';
import type { Op, OpenShelf, Shelf, Step } from '../../../agent/outbox/shelf.ts';
import type { Simulated } from '../simulated.ts';
import { Image, textOf } from './image.ts';
import type { Trace } from './trace.ts';
import type { Truth } from './truth.ts';

export interface DiskMood {
  /** A write takes up to this, the sync as long again; a read up to `readMs`, 0 for at once. */
  writeMs: number;
  readMs: number;
  /** Null for none; the message of the error with which every write (`full`) or everything fails. */
  refuses: null | 'writes' | 'all';
  /** Shares of operations, 0…1. */
  writeErrors: number;
  /** The batch is there, and the error came nevertheless. */
  landedErrors: number;
  readErrors: number;
  openErrors: number;
  /** A database that is suspected is moved aside whole. */
  movedAside: number;
}

export const goodDisk: DiskMood = {
  writeMs: 2,
  readMs: 0,
  refuses: null,
  writeErrors: 0,
  landedErrors: 0,
  readErrors: 0,
  openErrors: 0,
  movedAside: 0,
};

interface Unsynced {
  readonly ops: readonly Op[];
  /** It is in the kernel; a kill of the process alone does not take it back. */
  reached: boolean;
  done: boolean;
}

/** More than the limit by this share is a breach of the bound (issue: 10 %). */
const BOUND_SHARE = 1.1;
const USABLE_SHARE = 0.8;

export interface DiskParts {
  readonly name: string;
  readonly agent: string;
  readonly world: Simulated;
  readonly truth: Truth;
  readonly trace: Trace;
  readonly limitBytes: number;
}

export class SimDisk {
  readonly #parts: DiskParts;
  mood: DiskMood = { ...goodDisk };
  image = new Image();
  #unsynced: Unsynced | null = null;
  /** Of the process that runs on it; what an older one asked for is never answered. */
  #life = 0;
  /** After so many operations `atZero` is called, in the middle of one. */
  countdown = Number.POSITIVE_INFINITY;
  atZero: () => void = () => {};
  operations = 0;

  constructor(parts: DiskParts) {
    this.#parts = parts;
  }

  /** The process is gone; with the power what was not synced may be, too. */
  detach(powerCut: boolean): void {
    this.#life++;
    this.countdown = Number.POSITIVE_INFINITY;
    const open = this.#unsynced;
    this.#unsynced = null;
    if (open === null || open.done) return;
    const { world } = this.#parts;
    // A batch that is torn fails its checksum and is dropped whole.
    const stays = open.reached && !(powerCut && world.chance(0.5));
    if (stays) this.#land(open.ops);
    this.#note(`unsynced batch ${stays ? 'stays' : 'is gone'}`);
  }

  opener(): OpenShelf {
    const life = this.#life;
    return async (suspect) => {
      const { world, truth } = this.#parts;
      await this.#takes(life, this.mood.readMs);
      if (this.mood.refuses === 'all' || world.chance(this.mood.openErrors)) {
        this.#note('does not open');
        throw new Error('IO error: cannot be opened');
      }
      if (suspect && world.chance(this.mood.movedAside)) {
        this.#note('is moved aside');
        const { note } = this.image;
        truth.lost(this.image, new Image());
        this.image = new Image();
        this.image.note = note;
      }
      return new SimShelf(this, life);
    };
  }

  /** The note beside the database; it goes where the disk goes, and stays where only the database is lost. */
  chain(): ChainStore {
    const life = this.#life;
    return {
      load: () => this.read(life, () => this.image.note),
      save: async (links) => {
        await this.#takes(life, this.mood.writeMs);
        if (this.mood.refuses !== null) throw new Error('IO error: No space left on device');
        this.image.note = structuredClone(links);
      },
    };
  }

  /** Only for as long as the process lives that asked; else never. */
  async read<T>(life: number, work: () => T): Promise<T> {
    await this.#takes(life, this.mood.readMs);
    const { world } = this.#parts;
    if (this.mood.refuses === 'all' || world.chance(this.mood.readErrors)) {
      this.#note('read error');
      throw new Error('IO error: read');
    }
    return work();
  }

  async write(life: number, ops: readonly Op[]): Promise<void> {
    const { world } = this.#parts;
    const mine: Unsynced = { ops, reached: false, done: false };
    this.#unsynced = mine;
    await this.#takes(life, this.mood.writeMs);
    const { refuses, writeErrors, landedErrors } = this.mood;
    if (refuses !== null || world.chance(writeErrors)) {
      mine.done = true;
      this.#note('write error');
      throw new Error('IO error: No space left on device');
    }
    mine.reached = true;
    await this.#takes(life, this.mood.writeMs);
    mine.done = true;
    this.#land(ops);
    if (!world.chance(landedErrors)) return;
    this.#note('write error of what is there');
    throw new Error('IO error: sync');
  }

  compact(): void {
    this.image.garbageBytes = 0;
  }

  misused(what: string): void {
    this.#parts.truth.problem(`${this.#parts.name}: ${what} on a handle that had failed`);
  }

  #land(ops: readonly Op[]): void {
    const { truth, agent, limitBytes, name } = this.#parts;
    truth.landed(agent, this.image, ops);
    this.image.apply(ops);
    this.#note(`${ops.length} ops durable`);
    if (this.image.sizeBytes <= limitBytes * BOUND_SHARE) return;
    const boundedBytes = this.image.sizeBytes - this.image.controlBytes();
    if (boundedBytes > limitBytes * BOUND_SHARE) {
      truth.problem(`${name}: ${boundedBytes} bytes on disk beside control records, ${limitBytes} are allowed`);
    }
  }

  /** A step of the disk's: time goes by, and the process may end in it. */
  #takes(life: number, ms: number): Promise<void> {
    const never = new Promise<void>(() => {});
    if (life !== this.#life) return never;
    this.operations++;
    if (--this.countdown <= 0) {
      this.countdown = Number.POSITIVE_INFINITY;
      this.atZero();
      return never;
    }
    if (ms <= 0) return Promise.resolve();
    const { world } = this.#parts;
    return new Promise((resolve) => {
      world.timers.after(world.next() * ms, () => {
        if (life === this.#life) resolve();
      });
    });
  }

  #note(what: string): void {
    this.#parts.trace.note(`${this.#parts.name} disk: ${what}`);
  }
}

class SimShelf implements Shelf {
  readonly usableShare = USABLE_SHARE;
  readonly #disk: SimDisk;
  readonly #life: number;
  #failed = false;

  constructor(disk: SimDisk, life: number) {
    this.#disk = disk;
    this.#life = life;
  }

  async write(ops: readonly Op[]): Promise<void> {
    if (this.#failed) this.#disk.misused('a write');
    try {
      await this.#disk.write(this.#life, ops);
    } catch (error) {
      this.#failed = true;
      throw error;
    }
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#disk.read(this.#life, () => this.#disk.image.get(textOf(key)));
  }

  scan(from: Uint8Array, to: Uint8Array, visit: (key: Uint8Array, value: Uint8Array) => Step): Promise<void> {
    return this.#disk.read(this.#life, () => {
      const { image } = this.#disk;
      const end = textOf(to);
      for (let at = image.lowerBound(textOf(from)); at < image.keys.length && image.keys[at]! < end; ) {
        const step = visit(Buffer.from(image.keys[at]!, 'latin1'), image.values[at]!);
        if (step === 'stop') return;
        at = step === 'on' ? at + 1 : Math.max(at + 1, image.lowerBound(textOf(step)));
      }
    });
  }

  keys(from: Uint8Array, to: Uint8Array, max: number): Promise<readonly Uint8Array[]> {
    return this.#disk.read(this.#life, () => {
      const { image } = this.#disk;
      const at = image.lowerBound(textOf(from));
      const end = Math.min(at + max, image.lowerBound(textOf(to)));
      return image.keys.slice(at, end).map((key) => Buffer.from(key, 'latin1'));
    });
  }

  sizeBytes(): number {
    return this.#disk.image.sizeBytes;
  }

  async measure(): Promise<number> {
    return this.sizeBytes();
  }

  async compact(): Promise<void> {
    await this.#disk.read(this.#life, () => this.#disk.compact());
  }

  async spare(): Promise<boolean> {
    return false;
  }

  async close(): Promise<void> {}
}
