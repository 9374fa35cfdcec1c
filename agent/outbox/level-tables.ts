/**
 * Checks the table files of a LevelDB database before it is opened, and takes damaged blocks out of them. LevelDB as
 * it is built here verifies no block's checksum when it reads or compacts: after flipped bytes it returned wrong values,
 * and a compaction that met keys out of order aborted the whole process, at every start again.
 *
 * A table (LevelDB's doc/table_format.md): data blocks, index block, footer; each block is followed by its type (1 byte)
 * and its masked CRC-32C. Without the damaged blocks the index is written again, into the old index's place or a damaged
 * block's, so that nothing else moves. What was in them, the audit then misses and names.
 */
import { type FileHandle, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32c } from '../../shared/wire/crc32c.ts';

const FOOTER_BYTES = 48;
/** Both handles of the footer, padded. */
const HANDLES_BYTES = 40;
const MAGIC = Uint8Array.of(0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb);
const TRAILER_BYTES = 5;
const UNCOMPRESSED = 0;
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
  /** Blocks that were damaged and are out of their index now. */
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
      blocks += found.bad.length;
      continue;
    }
    await rm(path);
    files++;
  }
  return { blocks, files };
}

interface Damage {
  readonly footer: Uint8Array;
  readonly metaindexBytes: number;
  readonly index: Handle;
  readonly entries: readonly IndexEntry[];
  readonly bad: readonly Handle[];
}

async function checkTable(path: string, reading: Reading): Promise<'whole' | 'unreadable' | Damage> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const blocks = new Blocks(handle, size, reading);
    const footer = (await blocks.read(size - FOOTER_BYTES, FOOTER_BYTES))?.slice();
    if (footer === undefined || MAGIC.some((byte, i) => footer[HANDLES_BYTES + i] !== byte)) return 'unreadable';
    const metaindex = readHandle(footer, 0);
    const index = metaindex === null ? null : readHandle(footer, metaindex.end);
    if (metaindex === null || index === null || !(await blocks.whole(metaindex.handle))) return 'unreadable';
    const block = (await blocks.whole(index.handle))
      ? await blocks.read(index.handle.offset, index.handle.size + 1)
      : null;
    // A compressed index is not one that this version writes; what it leads to is left as it is.
    if (block === null) return 'unreadable';
    if (block[index.handle.size] !== UNCOMPRESSED) return 'whole';
    const entries = readIndex(block.slice(0, index.handle.size));
    if (entries === null) return 'unreadable';
    const bad: Handle[] = [];
    for (const entry of entries) if (!(await blocks.whole(entry.block))) bad.push(entry.block);
    return bad.length === 0 ? 'whole' : { footer, metaindexBytes: metaindex.end, index: index.handle, entries, bad };
  } finally {
    await handle.close();
  }
}

/** False where there is no place for the new index. */
async function takeOut(path: string, { footer, metaindexBytes, index, entries, bad }: Damage): Promise<boolean> {
  const block = writeIndex(entries.filter((entry) => !bad.includes(entry.block)));
  const place = [index, ...bad].find(({ size }) => size + TRAILER_BYTES >= block.length);
  if (place === undefined) return false;
  const handles = new Uint8Array(HANDLES_BYTES);
  handles.set(footer.subarray(0, metaindexBytes));
  putVarint(handles, putVarint(handles, metaindexBytes, place.offset), block.length - TRAILER_BYTES);
  const handle = await open(path, 'r+');
  try {
    await handle.write(block, 0, block.length, place.offset);
    await handle.sync();
    await handle.write(handles, 0, HANDLES_BYTES, (await handle.stat()).size - FOOTER_BYTES);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return true;
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

  async whole({ offset, size }: Handle): Promise<boolean> {
    const bytes = await this.read(offset, size + TRAILER_BYTES);
    if (bytes === null) return false;
    const at = size + 1;
    const stated = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    return masked(crc32c(bytes.subarray(0, at))) === stated >>> 0;
  }
}

/** LevelDB's util/crc32c.h: a CRC over bytes that contain CRCs is weak. */
export function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function readIndex(block: Uint8Array): IndexEntry[] | null {
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  if (block.length < 4) return null;
  const end = block.length - 4 - 4 * view.getUint32(block.length - 4, true);
  const entries: IndexEntry[] = [];
  for (let at = 0; at < end; ) {
    const shared = readVarint(block, at);
    const rest = shared === null ? null : readVarint(block, shared.end);
    const length = rest === null ? null : readVarint(block, rest.end);
    // LevelDB writes the keys of an index whole.
    if (rest === null || length === null || shared?.value !== 0) return null;
    const keyEnd = length.end + rest.value;
    const key = block.subarray(length.end, keyEnd);
    const value = block.subarray(keyEnd, keyEnd + length.value);
    const handle = readHandle(value, 0);
    at = keyEnd + length.value;
    if (handle === null || at > end) return null;
    entries.push({ key, value, block: handle.handle });
  }
  return entries;
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

function readHandle(bytes: Uint8Array, at: number): { readonly handle: Handle; readonly end: number } | null {
  const offset = readVarint(bytes, at);
  const size = offset === null ? null : readVarint(bytes, offset.end);
  return offset === null || size === null
    ? null
    : { handle: { offset: offset.value, size: size.value }, end: size.end };
}

function readVarint(bytes: Uint8Array, at: number): { readonly value: number; readonly end: number } | null {
  let value = 0;
  for (let i = 0; i < 7; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return null;
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return { value, end: at + i + 1 };
  }
  return null;
}

/** @returns where it ends */
function putVarint(out: Uint8Array, at: number, value: number): number {
  while (value >= 128) {
    out[at++] = (value % 128) | 128;
    value = Math.floor(value / 128);
  }
  out[at++] = value;
  return at;
}
