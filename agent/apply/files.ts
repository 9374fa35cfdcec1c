/**
 * The apply stage's files: `state.json` and a blob a file under its hash, in a directory of their own. Each is written
 * to a temporary file, synced, renamed, and the directory synced: the old or the new, never a half.
 */
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, PicketError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { ApplyStore } from './options.ts';

const BLOB_PATTERN = /^[0-9a-f]{64}$/;

/** Opens the directory, and makes it if it is not there. Writes throw `disk.full`, `store.failed`. */
export async function openApplyFiles(directory: string): Promise<ApplyStore> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const blobPath = (sha256: string): string => {
    if (!BLOB_PATTERN.test(sha256)) throw new PicketError('internal', 'a blob is named by its SHA-256');
    return join(directory, sha256);
  };
  return {
    readState: () => readIfThere(join(directory, 'state.json'), 4 * limits.controlBytes),
    writeState: (bytes) => write(directory, join(directory, 'state.json'), bytes),
    getBlob: (sha256) => readIfThere(blobPath(sha256), limits.blobBytes),
    putBlob: (sha256, bytes) => write(directory, blobPath(sha256), bytes),
    async keepBlobs(kept) {
      for (const name of await readdir(directory)) {
        const hash = name.replace(/\.tmp$/, '');
        if (BLOB_PATTERN.test(hash) && !(kept.has(hash) && hash === name))
          await rm(join(directory, name), { force: true });
      }
    },
  };
}

async function readIfThere(path: string, maxBytes: number): Promise<Uint8Array | null> {
  try {
    const { size } = await stat(path);
    if (size <= maxBytes) return await readFile(path);
    throw new PicketError('payload.too_large', `${path} has ${size} bytes; ${maxBytes} are allowed`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function write(directory: string, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    const folder = await open(directory, 'r');
    await folder.sync().finally(() => folder.close());
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    const code = (error as NodeJS.ErrnoException).code === 'ENOSPC' ? 'disk.full' : 'store.failed';
    throw new PicketError(code, `cannot write ${path}: ${messageOf(error)}`, {}, error);
  }
}
