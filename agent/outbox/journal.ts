/**
 * A file of fixed size beside the database that every batch goes to first, and the database in larger portions later.
 * Appending a few kilobytes to a growing file and syncing it costs a journalling file system five more blocks for the
 * file's own data (measured on ext4: 30 KB a commit of 4.6 KB), overwriting one that is there costs none (8 KB).
 *
 * Format
 *   Batches one after the other, each from a new block of 4 KB on, so that no block with a durable batch is written
 *   again but with the same bytes. Integers are big-endian.
 *     "PKJ1", generation (4), sequence (4), length (4), CRC-32C of those and of the payload (4), payload
 *     payload: for each change its type (0 deletion, 1 value), lengths of key (2) and value (4), key, value
 *   When all of it is in the database, the file is written again from its beginning under the next generation; the
 *   database says which one it has. A batch that is damaged is stepped over: each is found by itself.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32c } from '../../shared/wire/crc32c.ts';
import { noValue } from './layout.ts';
import type { Op } from './shelf.ts';

const MAGIC = 0x504b4a31;
const BLOCK_BYTES = 4096;
const HEADER_BYTES = 20;
const LENGTH_AT = 12;
const CRC_AT = 16;
const OP_HEADER_BYTES = 7;
const FILL_BYTES = 64 * 1024;
/** Worn blocks of a card are stepped over; where more can't be read, it is the disk that fails. */
const UNREADABLE_BLOCKS = 8;
/** Places that can't be written and are stepped over for one batch. */
const WORN_PLACES = 3;

function sizeOf(ops: readonly Op[]): number {
  let bytes = HEADER_BYTES;
  for (const op of ops) bytes += OP_HEADER_BYTES + op.key.length + (op.type === 'put' ? op.value.length : 0);
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

export class Journal {
  readonly #handle: FileHandle;
  readonly #wantedBytes: number;
  #sizeBytes: number;
  #generation = 0;
  #sequence = 0;
  #at = 0;
  #unreadable = 0;

  private constructor(handle: FileHandle, sizeBytes: number, wantedBytes: number) {
    this.#handle = handle;
    this.#sizeBytes = sizeBytes;
    this.#wantedBytes = wantedBytes;
  }

  /**
   * Opens the file, or makes it, all of it written: what is merely reserved costs as much as growing. On a full disk it
   * is as large as it was: what it holds, the database lacks.
   */
  static async open(path: string, sizeBytes: number): Promise<Journal> {
    // Each write is durable when it returns (open(2), O_DSYNC).
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_DSYNC, 0o600);
    try {
      const { size } = await handle.stat();
      // A larger one is what an earlier limit made it, and may hold something.
      const wanted = Math.max(sizeBytes, size);
      const filled = size >= wanted ? size : await fill(handle, size, wanted);
      // Its name is not durable before its directory is.
      if (size === 0) await syncDirectory(dirname(path));
      return new Journal(handle, filled, sizeBytes);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get generation(): number {
    return this.#generation;
  }

  /** Batches that the database lacks, in order; what is appended later goes behind them. */
  async recover(generationInDatabase: number): Promise<Op[][]> {
    const batches: Op[][] = [];
    this.begin(generationInDatabase + 1);
    const block = new Uint8Array(BLOCK_BYTES);
    let from = 0;
    for (let at = 0; at + BLOCK_BYTES <= this.#sizeBytes; ) {
      const batch = await this.#batchAt(at, block).catch((error: unknown) => this.#unreadableAt(error));
      const later = batch !== null && (batch.generation > this.#generation || batch.sequence > this.#sequence);
      if (batch === null || batch.generation < this.#generation || !later) {
        at += BLOCK_BYTES;
        continue;
      }
      // Of two generations the later one began when all of the earlier was in the database.
      if (batch.generation > this.#generation) batches.length = 0;
      this.#generation = batch.generation;
      this.#sequence = batch.sequence;
      batches.push(batch.ops);
      from = at;
      at += Math.ceil(batch.bytes / BLOCK_BYTES) * BLOCK_BYTES;
      this.#at = at;
    }
    if (batches.length > 0) await this.#rewrite(from, this.#at);
    return batches;
  }

  /**
   * The last batch may be in the kernel's memory alone: its write had failed, or its process was killed in the middle of
   * it. A sync that succeeds later says nothing about a write that had failed.
   */
  async #rewrite(from: number, to: number): Promise<void> {
    const bytes = new Uint8Array(to - from);
    const { bytesRead } = await this.#handle.read(bytes, 0, bytes.length, from);
    try {
      await this.#put(bytes.subarray(0, bytesRead), from);
    } catch (error) {
      if (!isOfCard(error) || this.#at + bytes.length > this.#sizeBytes) throw error;
      await this.#putBehind(bytes);
    }
  }

  #unreadableAt(error: unknown): null {
    const isWorn = isOfCard(error) && ++this.#unreadable <= UNREADABLE_BLOCKS;
    if (!isWorn) throw error;
    return null;
  }

  /** The batch that begins here, or null. `block` is read into: most have none, and the file is not to be in memory. */
  async #batchAt(at: number, block: Uint8Array) {
    const { bytesRead } = await this.#handle.read(block, 0, BLOCK_BYTES, at);
    const view = new DataView(block.buffer, 0, bytesRead);
    if (bytesRead < HEADER_BYTES || view.getUint32(0) !== MAGIC) return null;
    const bytes = HEADER_BYTES + view.getUint32(LENGTH_AT);
    if (bytes > this.#sizeBytes - at) return null;
    if (bytes <= bytesRead) return decodeBatch(block.subarray(0, bytes));
    const whole = new Uint8Array(bytes);
    const read = await this.#handle.read(whole, 0, bytes, at);
    return read.bytesRead === bytes ? decodeBatch(whole) : null;
  }

  fits(ops: readonly Op[]): boolean {
    return this.#at + sizeOf(ops) <= this.#sizeBytes;
  }

  /** Durable when it resolves. */
  async append(ops: readonly Op[]): Promise<void> {
    const bytes = new Uint8Array(sizeOf(ops));
    const view = new DataView(bytes.buffer);
    let at = HEADER_BYTES;
    for (const op of ops) {
      const value = op.type === 'put' ? op.value : noValue;
      view.setUint8(at, op.type === 'put' ? 1 : 0);
      view.setUint16(at + 1, op.key.length);
      view.setUint32(at + 3, value.length);
      bytes.set(op.key, at + OP_HEADER_BYTES);
      bytes.set(value, at + OP_HEADER_BYTES + op.key.length);
      at += OP_HEADER_BYTES + op.key.length + value.length;
    }
    view.setUint32(0, MAGIC);
    view.setUint32(LENGTH_AT, at - HEADER_BYTES);
    await this.#putBehind(bytes);
  }

  /**
   * Behind the last batch, under the next sequence. Steps over what can't be written: if it is there nevertheless, it is
   * there twice, and that changes nothing.
   */
  async #putBehind(bytes: Uint8Array): Promise<void> {
    for (let worn = 0; ; worn++) {
      const at = this.#at;
      const goesOn = worn < WORN_PLACES && at + 2 * bytes.length <= this.#sizeBytes;
      this.#number(bytes);
      try {
        await this.#put(bytes, at);
        this.#at = at + bytes.length;
        return;
      } catch (error) {
        if (!goesOn || !isOfCard(error)) throw error;
        this.#at = at + bytes.length;
      }
    }
  }

  /** Gives a batch its place among the others, and its CRC. */
  #number(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer);
    const end = HEADER_BYTES + view.getUint32(LENGTH_AT);
    this.#sequence++;
    view.setUint32(4, this.#generation);
    view.setUint32(8, this.#sequence);
    view.setUint32(CRC_AT, crcOf(bytes, end));
  }

  async #put(bytes: Uint8Array, at: number): Promise<void> {
    const { bytesWritten } = await this.#handle.write(bytes, 0, bytes.length, at);
    if (bytesWritten !== bytes.length) throw new Error(`the journal took ${bytesWritten} of ${bytes.length} bytes`);
  }

  /** It is larger than it should be: the limit was another one. */
  get oversized(): boolean {
    return this.#sizeBytes > this.#wantedBytes;
  }

  /** Only when all of it is in the database. */
  async shrink(): Promise<void> {
    await this.#handle.truncate(this.#wantedBytes);
    this.#sizeBytes = this.#wantedBytes;
  }

  /** From its beginning, under this generation. */
  begin(generation: number): void {
    this.#generation = generation;
    this.#sequence = 0;
    this.#at = 0;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** @returns how large it is: less than wanted where the disk is full */
async function fill(handle: FileHandle, fromBytes: number, wantedBytes: number): Promise<number> {
  const zeros = new Uint8Array(FILL_BYTES);
  let at = fromBytes;
  try {
    while (at < wantedBytes) {
      const { bytesWritten } = await handle.write(zeros, 0, Math.min(FILL_BYTES, wantedBytes - at), at);
      at += bytesWritten;
    }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (at < BLOCK_BYTES || !['ENOSPC', 'EDQUOT'].includes(code)) throw error;
  }
  return at;
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isOfCard(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EIO';
}

function crcOf(bytes: Uint8Array, end: number): number {
  return crc32c(bytes.subarray(HEADER_BYTES, end), crc32c(bytes.subarray(0, CRC_AT)));
}

/** Null where its CRC says that it is none. */
function decodeBatch(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (crcOf(bytes, bytes.length) !== view.getUint32(CRC_AT)) return null;
  const ops: Op[] = [];
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const keyFrom = at + OP_HEADER_BYTES;
    const valueFrom = keyFrom + view.getUint16(at + 1);
    const end = valueFrom + view.getUint32(at + 3);
    const key = bytes.slice(keyFrom, valueFrom);
    const isPut = bytes[at] === 1;
    const value = end === valueFrom ? noValue : bytes.slice(valueFrom, end);
    ops.push(isPut ? { type: 'put', key, value } : { type: 'del', key });
    at = end;
  }
  return { generation: view.getUint32(4), sequence: view.getUint32(8), bytes: bytes.length, ops };
}
