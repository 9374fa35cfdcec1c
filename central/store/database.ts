/**
 * The LevelDB handle, and what breaks it. After one failed write the same handle loses later synced writes without a
 * word, so that it is closed and opened again after any write error; while that fails it is tried again with each use.
 * What was not written is told to the caller, who then acknowledges nothing.
 */
import { readdir, stat } from 'node:fs/promises';
import type { ClassicLevel, Snapshot } from 'classic-level';
import { Level } from 'level';
import { messageOf, PicketError } from '../../shared/errors.ts';

export interface Range {
  readonly gte: Buffer;
  readonly lt: Buffer;
}

export type Operation =
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Buffer };

/** Reads at one moment, whatever is written meanwhile. */
export interface Reader {
  get(key: Buffer): Promise<Buffer | undefined>;
  getMany(keys: Buffer[]): Promise<(Buffer | undefined)[]>;
  entries(range: Range, options?: { reverse?: boolean; limit?: number }): AsyncIterable<[Buffer, Buffer]>;
  keys(range: Range, options?: { reverse?: boolean; limit?: number }): AsyncIterable<Buffer>;
}

type Handle = ClassicLevel<Buffer, Buffer>;

/** Chunks are some hundred bytes: in larger blocks than LevelDB's 4 KB they compress better. */
const BLOCK_BYTES = 16 * 1024;
const WRITE_BUFFER_BYTES = 8 * 1024 * 1024;
const CACHE_BYTES = 32 * 1024 * 1024;
/** Entries that an iterator fetches at once. */
const FETCHED_ENTRIES = 256;

export class Database implements Reader {
  readonly directory: string;
  readonly #beforeWrite: (() => void) | undefined;
  #level: Handle | null = null;
  #opening: Promise<Handle> | null = null;
  #closed = false;

  private constructor(directory: string, beforeWrite: (() => void) | undefined) {
    this.directory = directory;
    this.#beforeWrite = beforeWrite;
  }

  /**
   * Opens or creates the database. Throws `store.failed`.
   * @param beforeWrite called before each write; what it throws is taken for an error of the disk (tests)
   */
  static async open(directory: string, beforeWrite?: () => void): Promise<Database> {
    const database = new Database(directory, beforeWrite);
    await database.#handle();
    return database;
  }

  async get(key: Buffer): Promise<Buffer | undefined> {
    return (await this.#handle()).get(key);
  }

  async getMany(keys: Buffer[]): Promise<(Buffer | undefined)[]> {
    return keys.length === 0 ? [] : (await this.#handle()).getMany(keys);
  }

  entries(range: Range, options: { reverse?: boolean; limit?: number } = {}): AsyncIterable<[Buffer, Buffer]> {
    return this.#entries(range, options, undefined);
  }

  keys(range: Range, options: { reverse?: boolean; limit?: number } = {}): AsyncIterable<Buffer> {
    return this.#keys(range, options, undefined);
  }

  /** Runs `work` on one snapshot. */
  async read<T>(work: (reader: Reader) => Promise<T>): Promise<T> {
    const { reader, close } = await this.snapshot();
    try {
      return await work(reader);
    } finally {
      await close();
    }
  }

  async snapshot(): Promise<{ reader: Reader; close: () => Promise<void> }> {
    const level = await this.#handle();
    const snapshot: Snapshot = level.snapshot();
    const reader: Reader = {
      get: (key) => level.get(key, { snapshot }),
      getMany: async (keys) => (keys.length === 0 ? [] : level.getMany(keys, { snapshot })),
      entries: (range, options = {}) => this.#entries(range, options, snapshot),
      keys: (range, options = {}) => this.#keys(range, options, snapshot),
    };
    return { reader, close: () => snapshot.close() };
  }

  /** One atomic write. Throws `store.failed` or `disk.full`; then nothing of it may be believed to be there. */
  async write(operations: Operation[], sync: boolean): Promise<void> {
    await this.#guarded(async (level) => {
      this.#beforeWrite?.();
      await level.batch(operations as { type: 'put'; key: Buffer; value: Buffer }[], { sync });
    });
  }

  /** Deletes a range; not atomic, and the same again after a stop. */
  async clear(range: Range): Promise<void> {
    await this.#guarded((level) => level.clear(range));
  }

  async compact(range: Range): Promise<void> {
    await this.#guarded((level) => level.compactRange(range.gte, range.lt));
  }

  async approximateBytes(range: Range): Promise<number> {
    return (await this.#handle()).approximateSize(range.gte, range.lt);
  }

  /** Bytes of the database's files. */
  async diskBytes(): Promise<number> {
    let sum = 0;
    for (const name of await readdir(this.directory)) {
      // LevelDB deletes files while we look.
      sum += await stat(`${this.directory}/${name}`).then(
        ({ size }) => size,
        () => 0,
      );
    }
    return sum;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const level = this.#level ?? (await this.#opening?.catch(() => null));
    this.#level = null;
    await level?.close();
  }

  async #guarded(work: (level: Handle) => Promise<void>): Promise<void> {
    const level = await this.#handle();
    try {
      await work(level);
    } catch (error) {
      if (this.#level === level) this.#level = null;
      await level.close().catch(() => undefined);
      // Opened again at once where that works; else with the next use.
      await this.#handle().catch(() => undefined);
      throw asStoreError(error, this.directory);
    }
  }

  async #handle(): Promise<Handle> {
    if (this.#level !== null) return this.#level;
    if (this.#closed) throw new PicketError('store.failed', `the store in ${this.directory} is closed`);
    this.#opening ??= this.#openLevel().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  async #openLevel(): Promise<Handle> {
    // On Node `level` is classic-level; its own types leave out what only that one does (compaction, snapshots).
    const level = new Level<Buffer, Buffer>(this.directory, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      blockSize: BLOCK_BYTES,
      writeBufferSize: WRITE_BUFFER_BYTES,
      cacheSize: CACHE_BYTES,
    }) as unknown as Handle;
    try {
      await level.open();
    } catch (error) {
      await level.close().catch(() => undefined);
      throw asStoreError(error, this.directory);
    }
    this.#level = level;
    return level;
  }

  async *#entries(
    range: Range,
    options: { reverse?: boolean; limit?: number },
    snapshot: Snapshot | undefined,
  ): AsyncGenerator<[Buffer, Buffer]> {
    const iterator = (await this.#handle()).iterator({ ...range, ...options, ...(snapshot && { snapshot }) });
    try {
      for (;;) {
        const some = await iterator.nextv(FETCHED_ENTRIES);
        if (some.length === 0) return;
        yield* some as [Buffer, Buffer][];
      }
    } finally {
      await iterator.close();
    }
  }

  async *#keys(
    range: Range,
    options: { reverse?: boolean; limit?: number },
    snapshot: Snapshot | undefined,
  ): AsyncGenerator<Buffer> {
    const iterator = (await this.#handle()).keys({ ...range, ...options, ...(snapshot && { snapshot }) });
    try {
      for (;;) {
        const some = await iterator.nextv(FETCHED_ENTRIES);
        if (some.length === 0) return;
        yield* some;
      }
    } finally {
      await iterator.close();
    }
  }
}

function asStoreError(error: unknown, directory: string): PicketError {
  if (error instanceof PicketError) return error;
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const text = `${messageOf(error)} ${messageOf(cause)}`;
  const full = /ENOSPC|no space left/i.test(text);
  return new PicketError(
    full ? 'disk.full' : 'store.failed',
    `the store in ${directory}: ${messageOf(cause)}`,
    {},
    error,
  );
}
