/**
 * Reads a backup: each chunk is authenticated before anything in it is looked at, and the end mark must come, with the
 * totals of what came before. Whoever reads it twice (verify, then restore) reads the same bytes or an error.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { messageOf, PicketError } from '../../shared/errors.ts';
import { unpackPayload } from '../../shared/transport/compress.ts';
import { decodeEntries, ENTRY_HEAD_BYTES, type Entry, MAX_VALUE_BYTES, type Totals } from './entries.ts';
import {
  type BackupHeader,
  type BackupKeys,
  CHUNK_HEAD_BYTES,
  damaged,
  FIXED_BYTES,
  headerLength,
  MAC_BYTES,
  openChunk,
  openKeysOf,
  parseHeader,
  TAG_BYTES,
} from './format.ts';

/** A chunk's plain bytes: its largest value, with a name. */
const MAX_PLAIN_BYTES = MAX_VALUE_BYTES + 64 * 1024;
/** Compression makes nothing larger but by its first byte. */
const MAX_SEALED_BYTES = MAX_PLAIN_BYTES + 1 + TAG_BYTES;

export class BackupFile {
  readonly header: BackupHeader;
  readonly sizeBytes: number;
  readonly #file: FileHandle;
  readonly #keys: BackupKeys;
  readonly #chunksFrom: number;

  private constructor(file: FileHandle, header: BackupHeader, keys: BackupKeys, chunksFrom: number, sizeBytes: number) {
    this.#file = file;
    this.header = header;
    this.#keys = keys;
    this.#chunksFrom = chunksFrom;
    this.sizeBytes = sizeBytes;
  }

  /**
   * Reads the header. Throws `config.unreadable`, `payload.invalid`, `store.newer_format`, `auth.denied`.
   * @param passphrase asked for once the file is known to be a backup that this version reads
   */
  static async open(path: string, passphrase: () => Promise<string>): Promise<BackupFile> {
    const file = await open(path, 'r').catch((error: unknown) => {
      throw new PicketError('config.unreadable', `cannot read ${path}: ${messageOf(error)}.`, {}, error);
    });
    try {
      const fixed = await readAt(file, 0, FIXED_BYTES);
      const length = headerLength(fixed);
      const signed = await readAt(file, 0, FIXED_BYTES + length);
      const header = parseHeader(signed.subarray(FIXED_BYTES));
      const mac = await readAt(file, signed.length, MAC_BYTES);
      const keys = await openKeysOf(signed, mac, header, await passphrase());
      const { size } = await file.stat();
      return new BackupFile(file, header, keys, signed.length + MAC_BYTES, size);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** All entries but the end mark, which is checked. Throws `payload.invalid`; then nothing before it counts either. */
  async *entries(): AsyncGenerator<Exclude<Entry, { kind: 'end' }>> {
    const seen = { files: 0, pairs: 0, bytes: 0 } satisfies Totals;
    let ended = false;
    for await (const chunk of this.#chunks()) {
      for (const entry of decodeEntries(chunk)) {
        if (ended) throw damaged('something follows its end');
        if (entry.kind === 'end') {
          const { files, pairs, bytes } = entry.totals;
          ended = files === seen.files && pairs === seen.pairs && bytes === seen.bytes;
          if (!ended) throw damaged('its totals are not those of what it holds');
          continue;
        }
        seen[entry.kind === 'file' ? 'files' : 'pairs']++;
        const nameLength = entry.kind === 'file' ? entry.name.length : entry.key.length;
        seen.bytes += ENTRY_HEAD_BYTES + nameLength + entry.value.length;
        yield entry;
      }
    }
    if (!ended) throw damaged('its end is missing');
  }

  async *#chunks(): AsyncGenerator<Buffer> {
    let at = this.#chunksFrom;
    for (let index = 0; ; index++) {
      const head = await readAt(this.#file, at, CHUNK_HEAD_BYTES);
      if (head.length < CHUNK_HEAD_BYTES) throw damaged('it is cut');
      const length = head.readUInt32BE();
      if (length < TAG_BYTES || length > MAX_SEALED_BYTES || head[4]! > 1) {
        throw damaged(`chunk ${index + 1} has a head that was altered`);
      }
      const sealed = await readAt(this.#file, at + CHUNK_HEAD_BYTES, length);
      if (sealed.length < length) throw damaged('it is cut');
      const last = head[4] === 1;
      yield Buffer.from(unpackPayload(openChunk(this.#keys, index, last, sealed), MAX_PLAIN_BYTES));
      at += CHUNK_HEAD_BYTES + length;
      if (!last) continue;
      if ((await readAt(this.#file, at, 1)).length > 0) throw damaged('something follows its end');
      return;
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

/** Up to so many bytes from there; fewer where the file ends. */
async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(buffer, read, length - read, position + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return buffer.subarray(0, read);
}
