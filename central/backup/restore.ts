/**
 * Brings a central back from a backup, onto a data directory that is empty or not there.
 *
 *     read all of it once ─► write into DATA.restoring ─► settle what must not live on ─► sync ─► rename to DATA
 *
 * Until the rename there is no data directory, so that nothing is ever half restored. Where DATA is there
 * and cannot be replaced (a volume, or a parent of another user), the work is done inside of it and its parts are moved
 * up at the end, the store last.
 *
 * What is settled: whoever was let in or sent away after the backup is not known any more. Tokens for enrolment are all
 * revoked, as one may have been used since; sessions of the pages end. A restored central draws a new incarnation as at
 * each start, so that agents send again what they still hold.
 */
import {
  access,
  chown,
  constants,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { messageOf, PicketError } from '../../shared/errors.ts';
import { createAudit } from '../audit.ts';
import { SESSIONS } from '../http/auth.ts';
import { Database, type Operation } from '../store/database.ts';
import { openLevelStore } from '../store/level.ts';
import type { Documents } from '../store/store.ts';
import { type StoredToken, TOKENS } from '../tokens.ts';
import { broughtFiles, type FileName } from './entries.ts';
import type { BackupHeader } from './format.ts';
import { saveOrigin } from './origin.ts';
import type { BackupFile } from './read.ts';

/** Bytes that are written to the store at once. */
const BATCH_BYTES = 1024 * 1024;
/** What a new file system has of its own. */
const PASSED_OVER = 'lost+found';

export interface Restored {
  /** Files that the operator puts where they belong. */
  readonly brought: readonly string[];
  readonly revokedTokens: number;
}

/** Restores a file that was verified. Throws `conflict` for a directory with anything in it; then nothing was done. */
export async function restoreBackup(file: BackupFile, directory: string, nowMs: () => number): Promise<Restored> {
  const data = resolve(directory);
  await requireEmpty(data);
  const inside = await mustStayInside(data);
  const working = inside ? join(data, '.restoring') : `${data}.restoring`;
  await rm(working, { recursive: true, force: true });
  try {
    await mkdir(working, { recursive: true, mode: 0o700 });
    const brought = await writeAll(file, working);
    const revokedTokens = await settle(join(working, 'store'), file.header, nowMs);
    await own(working, await stat(inside ? data : (await exists(data)) ? data : working));
    await syncTree(working);
    if (inside) await moveUp(working, data);
    else await rename(working, data);
    await syncDirectory(inside ? data : dirname(data));
    return { brought: brought.map((name) => join(data, name)), revokedTokens };
  } catch (error) {
    await rm(working, { recursive: true, force: true }).catch(() => {});
    if (error instanceof PicketError) throw error;
    throw new PicketError('store.failed', `cannot restore to ${data}: ${messageOf(error)}`, {}, error);
  }
}

/** Throws `conflict` for a directory with anything in it, `store.failed` for one that cannot be looked into. */
export async function requireEmpty(data: string): Promise<void> {
  const names = await readdir(data).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new PicketError('store.failed', `cannot look into ${data}: ${messageOf(error)}`, {}, error);
  });
  const found = names.filter((name) => name !== PASSED_OVER && name !== '.restoring');
  if (found.length === 0) return;
  throw new PicketError(
    'conflict',
    `${data} is not empty (${found.slice(0, 3).join(', ')}${found.length > 3 ? ', …' : ''}): a backup is restored to an empty ` +
      'directory only. Stop the central and move its directory away, or name another one with --data.',
  );
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Whether the directory that is there cannot be replaced by another: a mount point, or below what is not ours. */
async function mustStayInside(data: string): Promise<boolean> {
  const own = await stat(data).catch(() => null);
  if (own === null) return false;
  const above = dirname(data);
  if (own.dev !== (await stat(above)).dev) return true;
  return access(above, constants.W_OK).then(
    () => false,
    () => true,
  );
}

async function writeAll(file: BackupFile, working: string): Promise<FileName[]> {
  const brought: FileName[] = [];
  const database = await Database.open(join(working, 'store'));
  try {
    let batch: Operation[] = [];
    let bytes = 0;
    for await (const entry of file.entries()) {
      if (entry.kind === 'file') {
        const path = join(working, entry.name);
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await writeFile(path, entry.value, { mode: 0o600, flag: 'wx' });
        if ((broughtFiles as readonly string[]).includes(entry.name)) brought.push(entry.name);
        continue;
      }
      batch.push({ type: 'put', key: entry.key, value: entry.value });
      bytes += entry.key.length + entry.value.length;
      if (bytes < BATCH_BYTES) continue;
      await database.write(batch, false);
      batch = [];
      bytes = 0;
    }
    await database.write(batch, true);
  } finally {
    await database.close();
  }
  return brought;
}

/** Opens the store, which brings an older format to today's, and ends what must not live on. */
async function settle(directory: string, header: BackupHeader, nowMs: () => number): Promise<number> {
  const store = await openLevelStore(directory);
  try {
    const { documents } = store;
    const revoked = await revokeTokens(documents, nowMs());
    const sessions = await documents.list(SESSIONS);
    await documents.putAll(sessions.map(({ key }) => ({ namespace: SESSIONS, key, value: null })));
    await saveOrigin(documents, { backupMs: header.madeMs, restoredMs: nowMs() });
    const detail = `backup of ${new Date(header.madeMs).toISOString()}; ${revoked} tokens revoked, sessions ended`;
    await createAudit(documents, nowMs).add({ actor: 'command line', action: 'central.restore', target: '', detail });
    return revoked;
  } finally {
    await store.close();
  }
}

async function revokeTokens(documents: Documents, nowMs: number): Promise<number> {
  const tokens = (await documents.list<StoredToken>(TOKENS)).map(({ value }) => value);
  const usable = tokens.filter((token) => !token.revoked && token.uses < token.maxUses && token.expiresMs > nowMs);
  await documents.putAll(
    usable.map((token) => ({ namespace: TOKENS, key: token.id, value: { ...token, revoked: true } })),
  );
  return usable.length;
}

/** To whom the directory belongs that was made for the central; only root can give away. */
async function own(tree: string, { uid, gid }: { readonly uid: number; readonly gid: number }): Promise<void> {
  if (process.getuid?.() !== 0 || uid === 0) return;
  for await (const path of everythingIn(tree)) await chown(path, uid, gid);
}

/** LevelDB syncs what it says is synced; that alone is not all of its files. */
async function syncTree(tree: string): Promise<void> {
  for await (const path of everythingIn(tree)) {
    const handle = await open(path, 'r');
    await handle.sync().finally(() => handle.close());
  }
}

/** The tree's entries, what is inside before what it is in. */
async function* everythingIn(path: string): AsyncGenerator<string> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) yield* everythingIn(inner);
    else yield inner;
  }
  yield path;
}

async function moveUp(working: string, data: string): Promise<void> {
  const names = (await readdir(working)).filter((name) => name !== 'store');
  for (const name of [...names, 'store']) await rename(join(working, name), join(data, name));
  await rmdir(working);
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  await directory.sync().finally(() => directory.close());
}
