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

export async function manifestIsWhole(database: string): Promise<boolean> {
  const current = await readFile(join(database, 'CURRENT'), 'latin1').catch(() => '');
  const name = current.trimEnd();
  // A database that lacks either is no matter of its content: opening says what is wrong.
  if (!/^MANIFEST-\d+$/.test(name) || !(await readdir(database)).includes(name)) return true;
  const bytes = await readFile(join(database, name));
  if (bytes.length > LARGEST_BYTES) return true;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; ) {
    const leftInBlock = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (leftInBlock < HEADER_BYTES) {
      at += leftInBlock;
      continue;
    }
    if (bytes.length - at < HEADER_BYTES) return false;
    const length = view.getUint16(at + 4, true);
    const end = at + HEADER_BYTES + length;
    if (HEADER_BYTES + length > leftInBlock || end > bytes.length) return false;
    if (masked(crc32c(bytes.subarray(at + 6, end))) !== view.getUint32(at, true)) return false;
    at = end;
  }
  return true;
}
