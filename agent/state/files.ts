/** Small files of the agent: read with a bound, written whole or not at all. */
import { chown, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, PicketError } from '../../shared/errors.ts';

/** The text of a file, or null where there is none; throws `config.unreadable`, and `payload.too_large` past the bound. */
export async function readBounded(path: string, maxBytes: number): Promise<string | null> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new PicketError('config.unreadable', `cannot read ${path}: ${messageOf(error)}.`, {}, error);
  }
  try {
    // Not by its stated size: a pipe or a file in /proc states none.
    const buffer = Buffer.alloc(maxBytes + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > maxBytes) throw new PicketError('payload.too_large', `${path} is larger than ${maxBytes} bytes.`);
    return buffer.toString('utf8', 0, length);
  } catch (error) {
    if (error instanceof PicketError) throw error;
    throw new PicketError('config.unreadable', `cannot read ${path}: ${messageOf(error)}.`, {}, error);
  } finally {
    await file.close();
  }
}

export interface WriteOptions {
  readonly mode: number;
  /** Synced with its directory, so that a power cut leaves the old or the new. Not for what is soon written again. */
  readonly durable: boolean;
}

/** Replaces a file in one step. What root writes into a directory of a service's user belongs to that user. */
export async function writeAtomically(path: string, text: string, { mode, durable }: WriteOptions): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(temporary, 'w', mode);
    try {
      await file.writeFile(text);
      if (durable) await file.sync();
    } finally {
      await file.close();
    }
    if (process.getuid?.() === 0) {
      const owner = await stat(dirname(path));
      await chown(temporary, owner.uid, owner.gid);
    }
    await rename(temporary, path);
    if (durable) await syncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    const code = (error as NodeJS.ErrnoException).code === 'ENOSPC' ? 'disk.full' : 'store.failed';
    throw new PicketError(code, `cannot write ${path}: ${messageOf(error)}.`, {}, error);
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
