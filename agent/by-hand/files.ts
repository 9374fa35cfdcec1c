/** Files that are carried by hand, on this side: found, read in pieces, written whole or not at all. */
import { open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, PicketError } from '../../shared/errors.ts';
import {
  EXCHANGE_HEADER_BYTES,
  type ExchangeHeader,
  type ExchangeMessage,
  ExchangeSealer,
  exchangeKey,
  problemOf,
  readExchange,
  readExchangeHeader,
} from '../../shared/trust/exchange.ts';

const READ_BYTES = 64 * 1024;
/** Left free on the stick: a filesystem's own tables. */
const SPARE_BYTES = 64 * 1024;

export interface FoundReply {
  readonly path: string;
  /** As it says, not proven yet. */
  readonly header: ExchangeHeader;
}

/**
 * The replies for this agent at a path, oldest export first. In a directory all else is passed over; a file that is no
 * reply for this agent throws `payload.invalid`.
 */
export async function findReplies(path: string, agent: string): Promise<readonly FoundReply[]> {
  const named = !(await isDirectory(path));
  const names = named ? [path] : (await readdir(path)).map((name) => join(path, name));
  const found: FoundReply[] = [];
  for (const name of names) {
    const header = await headerOf(name, named);
    if (header?.direction === 'down' && header.agent === agent) found.push({ path: name, header });
    else if (named && header !== null) throw new PicketError('payload.invalid', `${path} ${notForUs(header, agent)}`);
  }
  return found.sort((a, b) => a.header.number - b.header.number);
}

export async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}

/** What fits beside what is there already. */
export async function freeBytes(directory: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return Math.max(0, bavail * bsize - SPARE_BYTES);
  } catch (error) {
    throw new PicketError('store.failed', `cannot write into ${directory}: ${messageOf(error)}.`, {}, error);
  }
}

/**
 * The messages of a file, which is opened now: what takes them in may be another user. What is wrong with it is told and
 * stepped over. The messages throw where nothing of it can be believed.
 */
export async function openStick(
  path: string,
  credential: string,
  complain: (problem: string) => void,
): Promise<AsyncIterable<ExchangeMessage>> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw new PicketError('config.unreadable', `cannot read ${path}: ${messageOf(error)}.`, {}, error);
  });
  return (async function* () {
    const source = file.createReadStream({ highWaterMark: READ_BYTES });
    for await (const event of readExchange(source, async (header) => exchangeKey(credential, header))) {
      if (event.type === 'message') yield event;
      else complain(problemOf(event)!);
    }
  })();
}

/**
 * Writes a file: below another name until it is whole and synced, so that there is never half a file.
 * Throws `disk.full`, `store.failed`, and what the messages throw.
 * @param headerOf header and final name, by the first message
 */
export async function writeStick(
  temporary: string,
  messages: AsyncIterable<ExchangeMessage>,
  credential: string,
  headerOf: (about: Uint8Array) => { readonly header: ExchangeHeader; readonly path: string },
): Promise<string> {
  let path = temporary;
  try {
    const file = await open(temporary, 'w', 0o600);
    try {
      let sealer: ExchangeSealer | null = null;
      for await (const message of messages) {
        if (sealer === null) {
          const { header, path: named } = headerOf(message.bytes);
          path = named;
          sealer = new ExchangeSealer(exchangeKey(credential, header), header);
          await file.writeFile(sealer.header);
        }
        await file.writeFile(sealer.seal(message));
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    // FAT does not sync a directory; the file itself is synced.
    const directory = await open(dirname(path), 'r');
    await directory.sync().catch(() => {});
    await directory.close();
    return path;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    if (error instanceof PicketError) throw error;
    const code = (error as NodeJS.ErrnoException).code === 'ENOSPC' ? 'disk.full' : 'store.failed';
    throw new PicketError(code, `cannot write ${temporary}: ${messageOf(error)}.`, {}, error);
  }
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

function notForUs(header: ExchangeHeader, agent: string): string {
  return header.direction === 'up'
    ? `is an export of ${header.agent}: \`picket-central import\` takes it.`
    : `is for the agent ${header.agent}; this is ${agent}.`;
}
