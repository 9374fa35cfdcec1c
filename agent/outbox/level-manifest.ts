/**
 * Whether the MANIFEST of a LevelDB database is whole. LevelDB takes a record whose stated length goes beyond the file
 * for one that was being written when the process died, ignores it and what follows, and deletes the tables that it
 * then does not know: one flipped bit would cost them all. A repair finds tables without it.
 *
 * Format (LevelDB's doc/log_format.md): blocks of 32 KB with records of CRC-32C (4, masked), length (2), type (1), data;
 * all little-endian; less than 7 bytes at a block's end are padding.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32c } from '../../shared/wire/crc32c.ts';
import { masked } from './level-tables.ts';

const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
/** Some hundred bytes for each table that ever was since the last start. */
const LARGEST_BYTES = 16 * 1024 * 1024;

/** `torn` where it may be a power cut's doing. */
export type ManifestState = 'whole' | 'torn' | 'damaged';

export async function manifestState(database: string): Promise<ManifestState> {
  const current = await contentOf(join(database, 'CURRENT')).catch(() => Buffer.alloc(0));
  if (current === null) return 'damaged';
  const name = current.toString('latin1').trimEnd();
  // A database that lacks either is no matter of its content: opening says what is wrong.
  if (!/^MANIFEST-\d+$/.test(name) || !(await readdir(database)).includes(name)) return 'whole';
  const bytes = await contentOf(join(database, name));
  if (bytes === null) return 'damaged';
  if (bytes.length > LARGEST_BYTES) return 'whole';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; ) {
    const leftInBlock = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (leftInBlock < HEADER_BYTES) {
      at += leftInBlock;
      continue;
    }
    const end = recordEnd(view, at);
    if (end === null) return goesOn(view, at) ? 'damaged' : 'torn';
    at = end;
  }
  return 'whole';
}

/** Null where the card does not give it any more. */
async function contentOf(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EIO') return null;
    throw error;
  }
}

/** Where the whole record at this place ends; null where there is none. */
function recordEnd(view: DataView, at: number): number | null {
  const leftInBlock = BLOCK_BYTES - (at % BLOCK_BYTES);
  if (view.byteLength - at < HEADER_BYTES) return null;
  const end = at + HEADER_BYTES + view.getUint16(at + 4, true);
  if (end > Math.min(view.byteLength, at + leftInBlock)) return null;
  return crcFits(view, at, end) ? end : null;
}

function crcFits(view: DataView, at: number, end: number): boolean {
  const covered = new Uint8Array(view.buffer, view.byteOffset + at + 6, end - at - 6);
  return masked(crc32c(covered)) === view.getUint32(at, true);
}

/** Whether what can't be read is followed by records: a power cut leaves nothing behind what it tore. */
function goesOn(view: DataView, at: number): boolean {
  if (view.byteLength - at < HEADER_BYTES) return false;
  // The last one, and its length alone is wrong.
  if (crcFits(view, at, view.byteLength)) return true;
  // A record begins where a block does: looking further would only cost time.
  const last = Math.min(view.byteLength - HEADER_BYTES, at + 2 * BLOCK_BYTES);
  for (let next = at + 1; next < last; next++) {
    const end = recordEnd(view, next);
    if (end !== null && end > next + HEADER_BYTES) return true;
  }
  return false;
}
