/**
 * Checks the table files of a LevelDB database before it is opened, and takes damaged blocks out of them. LevelDB as
 * it is built here verifies no block's checksum when it reads or compacts: after flipped bytes it returned wrong values,
 * and a compaction that met keys out of order aborted the whole process, at every start again.
 *
 * A table (LevelDB's doc/table_format.md): data blocks, index block, footer; each block is followed by its type (1 byte)
 * and its masked CRC-32C. Without the damaged blocks the index is written again, into the old index's place or a damaged
 * block's, so that nothing else moves. What was in them, the audit then misses and names. A filter that is damaged would
 * say of keys that they are not there; the table goes on without it.
 */
import { type FileHandle, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32c } from '../../shared/wire/crc32c.ts';
import { Key, putVarint, uncompressed, Varints, visitEntries } from './level-blocks.ts';

const FOOTER_BYTES = 48;
/** Both handles of the footer, padded. */
const HANDLES_BYTES = 40;
const MAGIC = Uint8Array.of(0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb);
const TRAILER_BYTES = 5;
const UNCOMPRESSED = 0;
/** LevelDB takes this for an empty block of no use, whatever is there: the first byte of a table is 0. */
const noMetaindex: Handle = { offset: 0, size: 0 };
/** Blocks are closed at 16 KB, after a record of at most 48 KB; an index has some bytes for each. */
const LARGEST_BLOCK_BYTES = 4 * 1024 * 1024;
const READ_BYTES = 128 * 1024;
/** Worn blocks of a card are as good as damaged; where more reads fail, or all of them, it is the disk that fails. */
const FAILED_READS = 64;
/** What could not be read is read once more after so long. */
const READ_AGAIN_MS = 1_000;

interface Handle {
  readonly offset: number;
  readonly size: number;
}

interface IndexEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly block: Handle;
}

export interface TablesFound {
  /** Blocks that were damaged and that nothing leads to now: of data, or a filter. */
  readonly blocks: number;
  /** Files that were no tables any more and are gone: a repair goes on without them. */
  readonly files: number;
}

/**
 * @param keep called with a damaged file before that is changed or deleted
 */
export async function healTables(database: string, keep: (path: string) => Promise<void>): Promise<TablesFound> {
  let blocks = 0;
  let files = 0;
  // One for all: the agent lets garbage stand for long.
  const reading: Reading = { buffer: new Uint8Array(READ_BYTES), good: 0, failed: 0, error: null };
  const names = (await readdir(database)).filter((name) => /^\d+\.(ldb|sst)$/.test(name)).sort();
  const suspects: string[] = [];
  for (const name of names) {
    const path = join(database, name);
    if ((await checkTable(path, reading)) !== 'whole') suspects.push(path);
  }
  if (reading.failed > (reading.good === 0 ? 0 : FAILED_READS)) throw reading.error;
  if (reading.failed > 0) await new Promise((resolve) => setTimeout(resolve, READ_AGAIN_MS));
  for (const path of suspects) {
    const found = await checkTable(path, reading);
    if (found === 'whole') continue;
    await keep(path);
    if (found !== 'unreadable' && (await takeOut(path, found))) {
      blocks += found.bad.size + (found.metaindexIsBad ? 1 : 0);
      continue;
    }
    await rm(path);
    files++;
  }
  return { blocks, files };
}

interface Damage {
  readonly footer: Footer;
  readonly entries: readonly IndexEntry[];
  readonly bad: ReadonlySet<IndexEntry>;
  readonly metaindexIsBad: boolean;
}

interface Footer {
  /** Of what leads to the filter. Null where that can't be. */
  readonly metaindex: Handle | null;
  readonly index: Handle;
  readonly at: number;
}

async function checkTable(path: string, reading: Reading): Promise<'whole' | 'unreadable' | Damage> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const blocks = new Blocks(handle, size, reading);
    const footer = await readFooter(blocks, size - FOOTER_BYTES);
    if (footer === null) return 'unreadable';
    const block = await blocks.content(footer.index);
    const entries = block === null ? null : readIndex(block);
    if (entries === null) return 'unreadable';
    const bad = await badBlocks(blocks, entries);
    const metaindexIsBad = !(await metaindexIsGood(blocks, footer.metaindex));
    return bad.size === 0 && !metaindexIsBad ? 'whole' : { footer, entries, bad, metaindexIsBad };
  } finally {
    await handle.close();
  }
}

async function readFooter(blocks: Blocks, at: number): Promise<Footer | null> {
  const footer = await blocks.read(at, FOOTER_BYTES);
  if (footer === null || MAGIC.some((byte, i) => footer[HANDLES_BYTES + i] !== byte)) return null;
  const handles = new Varints(footer, HANDLES_BYTES);
  const metaindex = { offset: handles.next(), size: handles.next() };
  const index = { offset: handles.next(), size: handles.next() };
  return handles.bad ? null : { metaindex: blocks.canHave(metaindex) ? metaindex : null, index, at };
}

/** Blocks that are not what was written, or whose keys LevelDB would end the process over. */
async function badBlocks(blocks: Blocks, entries: readonly IndexEntry[]): Promise<Set<IndexEntry>> {
  const bad = new Set<IndexEntry>();
  const key = new Key();
  const before = new Key();
  const last = new Key();
  for (const entry of entries) {
    const block = await blocks.content(entry.block);
    const inOrder = (): boolean => {
      const good = key.hasTag && (before.length === 0 || before.isBefore(key));
      before.copyFrom(key);
      return good;
    };
    before.copyFrom(last);
    // The index says of a block which keys it has at most.
    const good =
      block !== null &&
      visitEntries(block, key, inOrder) &&
      (before.length === 0 || before.compare(entry.key, entry.key.length) <= 0);
    if (good) last.copyFrom(before);
    else bad.add(entry);
  }
  return bad;
}

/** Whether LevelDB can take the filter on trust, if there is one. */
async function metaindexIsGood(blocks: Blocks, handle: Handle | null): Promise<boolean> {
  if (handle === null) return false;
  if (handle.offset === noMetaindex.offset && handle.size === noMetaindex.size) return true;
  const block = await blocks.content(handle);
  const filters: Handle[] = [];
  const own = block?.slice();
  const found = (from: number, to: number): boolean => {
    const filter = readHandle(own!.subarray(from, to));
    if (filter !== null) filters.push(filter);
    return filter !== null;
  };
  // A copy: the block is read over when the filters are.
  if (own === undefined || !visitEntries(own, new Key(), found)) return false;
  for (const filter of filters) if (!(await blocks.whole(filter))) return false;
  return true;
}

/** False where there is no place for the new index. */
async function takeOut(path: string, { footer, entries, bad, metaindexIsBad }: Damage): Promise<boolean> {
  const left = bad.size === 0 ? null : placeIndex(footer.index, entries, bad);
  if (bad.size > 0 && left === null) return false;
  const index = left === null ? footer.index : { offset: left.offset, size: left.block.length - TRAILER_BYTES };
  const metaindex = metaindexIsBad || footer.metaindex === null ? noMetaindex : footer.metaindex;
  const handles = new Uint8Array(HANDLES_BYTES);
  let at = 0;
  for (const { offset, size } of [metaindex, index]) at = putVarint(handles, putVarint(handles, at, offset), size);
  const handle = await open(path, 'r+');
  try {
    if (left !== null) {
      await handle.write(left.block, 0, left.block.length, left.offset);
      await handle.sync();
    }
    await handle.write(handles, 0, HANDLES_BYTES, footer.at);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return true;
}

/**
 * The new index and where it goes: in place of the old one or of a damaged block. An index that was compressed may be
 * larger now than any of these: then blocks beside a damaged one go, too.
 */
function placeIndex(
  index: Handle,
  entries: readonly IndexEntry[],
  bad: ReadonlySet<IndexEntry>,
): { readonly offset: number; readonly block: Uint8Array } | null {
  const good = entries.filter((entry) => !bad.has(entry));
  const block = writeIndex(good);
  const place = [index, ...[...bad].map((entry) => entry.block)].find(
    ({ size }) => size + TRAILER_BYTES >= block.length,
  );
  if (place !== undefined) return { offset: place.offset, block };
  // Each is where the one before it ends.
  let from = entries.findIndex((entry) => bad.has(entry));
  let to = from;
  const endOf = ({ block }: IndexEntry): number => block.offset + block.size + TRAILER_BYTES;
  while (from > 0 || to < entries.length - 1) {
    if (to < entries.length - 1) to++;
    else from--;
    const fewer = writeIndex(entries.filter((entry, i) => !bad.has(entry) && (i < from || i > to)));
    const { offset } = entries[from]!.block;
    if (endOf(entries[to]!) - offset >= fewer.length) return { offset, block: fewer };
  }
  return null;
}

interface Reading {
  /** Grows where a block is larger. */
  buffer: Uint8Array;
  good: number;
  failed: number;
  /** Of the last read that failed. */
  error: unknown;
}

/** Reads in large steps, as blocks lie one after the other. */
class Blocks {
  readonly #handle: FileHandle;
  readonly #fileBytes: number;
  readonly #reading: Reading;
  #from = 0;
  #length = 0;

  constructor(handle: FileHandle, fileBytes: number, reading: Reading) {
    this.#handle = handle;
    this.#fileBytes = fileBytes;
    this.#reading = reading;
  }

  /** Valid until the next call; null where the file has no such bytes, or the disk does not give them. */
  async read(offset: number, length: number): Promise<Uint8Array | null> {
    if (offset < 0 || length > LARGEST_BLOCK_BYTES || offset + length > this.#fileBytes) return null;
    if (offset < this.#from || offset + length > this.#from + this.#length) {
      if (length > this.#reading.buffer.length) this.#reading.buffer = new Uint8Array(length);
      this.#from = offset;
      this.#length = await this.#fill(offset, this.#reading.buffer.length);
      // What can't be read may lie behind what is wanted.
      if (this.#length < length) this.#length = await this.#fill(offset, length);
      if (this.#length < length) return null;
    }
    return this.#reading.buffer.subarray(offset - this.#from, offset - this.#from + length);
  }

  /** @returns bytes that are in the buffer; 0 where they can't be read */
  async #fill(offset: number, length: number): Promise<number> {
    const reading = this.#reading;
    try {
      const { bytesRead } = await this.#handle.read(reading.buffer, 0, length, offset);
      reading.good++;
      return bytesRead;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error;
      reading.failed++;
      reading.error = error;
      return 0;
    }
  }

  canHave({ offset, size }: Handle): boolean {
    return size <= LARGEST_BLOCK_BYTES && offset + size + TRAILER_BYTES <= this.#fileBytes;
  }

  async whole(handle: Handle): Promise<boolean> {
    return (await this.#checked(handle)) !== null;
  }

  /** What the block says, without compression; valid until the next call. Null where it is damaged. */
  async content(handle: Handle): Promise<Uint8Array | null> {
    const bytes = await this.#checked(handle);
    return bytes === null ? null : uncompressed(bytes.subarray(0, -1), bytes.at(-1)!, LARGEST_BLOCK_BYTES);
  }

  /** With its type. */
  async #checked({ offset, size }: Handle): Promise<Uint8Array | null> {
    const bytes = await this.read(offset, size + TRAILER_BYTES);
    if (bytes === null) return null;
    const at = size + 1;
    const stated = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    return masked(crc32c(bytes.subarray(0, at))) === stated >>> 0 ? bytes.subarray(0, at) : null;
  }
}

/** LevelDB's util/crc32c.h: a CRC over bytes that contain CRCs is weak. */
export function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Null where it makes no sense. The entries are views of a copy. */
function readIndex(block: Uint8Array): IndexEntry[] | null {
  const own = block.slice();
  const entries: IndexEntry[] = [];
  const key = new Key();
  const before = new Key();
  const inOrder = (from: number, to: number): boolean => {
    const value = own.subarray(from, to);
    const handle = readHandle(value);
    if (handle === null || !key.hasTag || (before.length > 0 && !before.isBefore(key))) return false;
    before.copyFrom(key);
    entries.push({ key: own.subarray(from - key.length, from), value, block: handle });
    return true;
  };
  if (!visitEntries(own, key, inOrder)) return null;
  // LevelDB writes the keys of an index whole: each is one that a search may begin at.
  const restarts = new DataView(own.buffer).getUint32(own.length - 4, true);
  return entries.length === restarts || entries.length === 0 ? entries : null;
}

/** With type and CRC behind it. */
function writeIndex(entries: readonly IndexEntry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const restarts: number[] = [];
  let length = 0;
  for (const { key, value } of entries) {
    const head = new Uint8Array(11);
    const headBytes = putVarint(head, putVarint(head, putVarint(head, 0, 0), key.length), value.length);
    restarts.push(length);
    parts.push(head.subarray(0, headBytes), key, value);
    length += headBytes + key.length + value.length;
  }
  // A block has at least one restart.
  if (restarts.length === 0) restarts.push(0);
  const size = length + 4 * restarts.length + 4;
  const out = new Uint8Array(size + TRAILER_BYTES);
  const view = new DataView(out.buffer);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  for (const restart of [...restarts, restarts.length]) {
    view.setUint32(at, restart, true);
    at += 4;
  }
  out[size] = UNCOMPRESSED;
  view.setUint32(size + 1, masked(crc32c(out.subarray(0, size + 1))), true);
  return out;
}

function readHandle(bytes: Uint8Array): Handle | null {
  const varints = new Varints(bytes);
  const handle = { offset: varints.next(), size: varints.next() };
  return varints.bad ? null : handle;
}
