/**
 * A store's snapshot read from another thread. LevelDB is opened once, by the thread that takes records in; here that
 * thread does no more than to hand over values as they lie on the disk, and the other one decodes them: what costs is
 * where nobody waits.
 *
 *   page    for each entry: key length u32, value length u32 (absent: 2^32 - 1), key, value
 */
import type { Database, Range, Reader } from './database.ts';

/** What is handed over at once; a single larger value still passes. */
const PAGE_BYTES = 1024 * 1024;
const ABSENT = 2 ** 32 - 1;
const HEAD_BYTES = 8;

interface RangeOptions {
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** What a reader in another thread asks for. Keys come as copies of their own: buffers that are shared do not travel. */
export type ReadRequest =
  | { readonly read: 'open' }
  | { readonly read: 'close'; readonly snapshot: number }
  | { readonly read: 'values'; readonly snapshot: number; readonly keys: readonly Uint8Array[] }
  | {
      readonly read: 'entries' | 'keys';
      readonly snapshot: number;
      readonly gte: Uint8Array;
      readonly lt: Uint8Array;
      readonly options: RangeOptions;
    };

/** Of `open` the snapshot's number, of `close` null, else a page. */
export type ReadAnswer = number | null | Page;

interface Page {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** There is more behind it. */
  readonly more: boolean;
}

/** The part of the thread that has the database: answers the requests of one other thread. */
export class ReadServer {
  readonly #database: Pick<Database, 'snapshot'>;
  readonly #open = new Map<number, Awaited<ReturnType<Database['snapshot']>>>();
  #next = 1;
  #closed = false;

  constructor(database: Pick<Database, 'snapshot'>) {
    this.#database = database;
  }

  async answer(request: ReadRequest): Promise<ReadAnswer> {
    if (request.read === 'open') {
      const snapshot = await this.#database.snapshot();
      if (this.#closed) await snapshot.close();
      else this.#open.set(this.#next, snapshot);
      return this.#next++;
    }
    const snapshot = this.#open.get(request.snapshot);
    if (snapshot === undefined) throw new Error(`snapshot ${request.snapshot} is not open`);
    const { reader } = snapshot;
    switch (request.read) {
      case 'close':
        this.#open.delete(request.snapshot);
        await snapshot.close();
        return null;
      case 'values': {
        const found = await reader.getMany(request.keys.map(asBuffer));
        return { bytes: pack(found.map((value) => [nothing, value])), more: false };
      }
      case 'entries':
        return packPage(reader.entries(rangeOf(request), request.options));
      case 'keys':
        return packPage(keysOnly(reader.keys(rangeOf(request), request.options)));
    }
  }

  /** The other thread is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(open.map((snapshot) => snapshot.close()));
  }
}

const nothing = Buffer.alloc(0);

async function* keysOnly(keys: AsyncIterable<Buffer>): AsyncGenerator<[Buffer, Buffer]> {
  for await (const key of keys) yield [key, nothing];
}

async function packPage(entries: AsyncIterable<[Buffer, Buffer]>): Promise<Page> {
  const taken: [Buffer, Buffer][] = [];
  let size = 0;
  for await (const entry of entries) {
    taken.push(entry);
    size += HEAD_BYTES + entry[0].length + entry[1].length;
    if (size >= PAGE_BYTES) return { bytes: pack(taken), more: true };
  }
  return { bytes: pack(taken), more: false };
}

/** In a buffer of its own, which can be given to another thread without a copy. */
function pack(entries: readonly (readonly [Buffer, Buffer | undefined])[]): Uint8Array<ArrayBuffer> {
  const size = entries.reduce((sum, [key, value]) => sum + HEAD_BYTES + key.length + (value?.length ?? 0), 0);
  const bytes = new Uint8Array(new ArrayBuffer(size));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [key, value] of entries) {
    view.setUint32(at, key.length);
    view.setUint32(at + 4, value?.length ?? ABSENT);
    bytes.set(key, at + HEAD_BYTES);
    if (value !== undefined) bytes.set(value, at + HEAD_BYTES + key.length);
    at += HEAD_BYTES + key.length + (value?.length ?? 0);
  }
  return bytes;
}

function* unpack(bytes: Uint8Array): Generator<[Buffer, Buffer | undefined]> {
  const page = asBuffer(bytes);
  for (let at = 0; at < page.length; ) {
    const keyEnd = at + HEAD_BYTES + page.readUInt32BE(at);
    const valueBytes = page.readUInt32BE(at + 4);
    const end = valueBytes === ABSENT ? keyEnd : keyEnd + valueBytes;
    yield [page.subarray(at + HEAD_BYTES, keyEnd), valueBytes === ABSENT ? undefined : page.subarray(keyEnd, end)];
    at = end;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function rangeOf({ gte, lt }: { readonly gte: Uint8Array; readonly lt: Uint8Array }): Range {
  return { gte: asBuffer(gte), lt: asBuffer(lt) };
}

type Ask = (request: ReadRequest) => Promise<ReadAnswer>;

/** The other thread's part: runs `work` on one snapshot. */
export async function readRemotely<T>(ask: Ask, work: (reader: Reader) => Promise<T>): Promise<T> {
  const snapshot = (await ask({ read: 'open' })) as number;
  try {
    return await work(new RemoteReader(ask, snapshot));
  } finally {
    await ask({ read: 'close', snapshot });
  }
}

class RemoteReader implements Reader {
  readonly #ask: Ask;
  readonly #snapshot: number;

  constructor(ask: Ask, snapshot: number) {
    this.#ask = ask;
    this.#snapshot = snapshot;
  }

  async get(key: Buffer): Promise<Buffer | undefined> {
    const [value] = await this.getMany([key]);
    return value;
  }

  async getMany(keys: Buffer[]): Promise<(Buffer | undefined)[]> {
    if (keys.length === 0) return [];
    const page = await this.#ask({ read: 'values', snapshot: this.#snapshot, keys: keys.map(ownCopy) });
    return [...unpack((page as Page).bytes)].map(([, value]) => value);
  }

  async *entries(range: Range, options: RangeOptions = {}): AsyncGenerator<[Buffer, Buffer]> {
    for await (const [key, value] of this.#pages('entries', range, options)) yield [key, value ?? nothing];
  }

  async *keys(range: Range, options: RangeOptions = {}): AsyncGenerator<Buffer> {
    for await (const [key] of this.#pages('keys', range, options)) yield key;
  }

  async *#pages(
    read: 'entries' | 'keys',
    { gte, lt }: Range,
    { reverse = false, limit }: RangeOptions,
  ): AsyncGenerator<[Buffer, Buffer | undefined]> {
    let [from, to] = [gte, lt];
    let left = limit ?? Number.POSITIVE_INFINITY;
    for (;;) {
      const options = { reverse, ...(Number.isFinite(left) && { limit: left }) };
      const request = { read, snapshot: this.#snapshot, gte: ownCopy(from), lt: ownCopy(to), options };
      const { bytes, more } = (await this.#ask(request)) as Page;
      let last: Buffer | null = null;
      for (const entry of unpack(bytes)) {
        [last] = entry;
        left--;
        yield entry;
      }
      if (!more || last === null || left <= 0) return;
      // What comes right behind a key is that key and a zero.
      if (reverse) to = last;
      else from = Buffer.concat([last, Buffer.of(0)]);
    }
  }
}

/** A small Buffer is a piece of Node's pool, all of which would be copied with it. */
function ownCopy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
