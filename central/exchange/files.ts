/** Files that are carried by hand, on this side: found, in their order, and written whole or not at all. */
import { createReadStream } from 'node:fs';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, PicketError } from '../../shared/errors.ts';
import { EXCHANGE_HEADER_BYTES, type ExchangeHeader, readExchangeHeader } from '../../shared/trust/exchange.ts';

const READ_BYTES = 256 * 1024;

export interface FoundFile {
  readonly path: string;
  /** As it says, not proven yet. */
  readonly header: ExchangeHeader;
}

/**
 * The exports at a path, by agent and in the order in which they were made. In a directory what is none is passed over;
 * a file that is none throws `payload.invalid`.
 */
export async function findExports(path: string): Promise<readonly FoundFile[]> {
  const found: FoundFile[] = [];
  for (const file of await filesAt(path)) {
    const header = await headerOf(file.path, file.named);
    if (header?.direction === 'up') found.push({ path: file.path, header });
    else if (header !== null && file.named) {
      throw new PicketError('payload.invalid', `${path} is a reply for the agent ${header.agent}: import it there.`);
    }
  }
  const order = ({ header }: FoundFile): string =>
    `${header.agent} ${header.series} ${String(header.number).padStart(16, '0')}`;
  return found.sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

/** The bytes of a file as they are read. */
export function bytesOf(path: string): AsyncIterable<Uint8Array> {
  return createReadStream(path, { highWaterMark: READ_BYTES });
}

export async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

/** Writes a file from its pieces: below another name until it is whole and synced. Throws `disk.full`, `store.failed`. */
export async function writePieces(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    const file = await open(temporary, 'w', 0o600);
    try {
      for await (const piece of pieces) await file.write(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    // FAT and network filesystems may not sync a directory; the file itself is synced.
    const directory = await open(dirname(path), 'r');
    await directory.sync().catch(() => {});
    await directory.close();
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    if (error instanceof PicketError) throw error;
    const code = (error as NodeJS.ErrnoException).code === 'ENOSPC' ? 'disk.full' : 'store.failed';
    throw new PicketError(code, `cannot write ${path}: ${messageOf(error)}.`, {}, error);
  }
}

async function filesAt(path: string): Promise<readonly { path: string; named: boolean }[]> {
  if (!(await isDirectory(path))) return [{ path, named: true }];
  const entries = await readdir(path, { withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => ({ path: join(path, name), named: false }));
}

async function headerOf(path: string, named: boolean): Promise<ExchangeHeader | null> {
  const buffer = new Uint8Array(EXCHANGE_HEADER_BYTES);
  try {
    const file = await open(path, 'r');
    try {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      return readExchangeHeader(buffer.subarray(0, bytesRead)).header;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!named) return null;
    if (error instanceof PicketError) throw new PicketError(error.code, `${path}: ${error.message}`, {}, error);
    throw new PicketError('config.unreadable', `cannot read ${path}: ${messageOf(error)}.`, {}, error);
  }
}
