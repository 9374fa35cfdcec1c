/**
 * Two small files in the data directory by which the command line finds the running central: `central.json` says where
 * it serves, `admin.token` (mode 0600) is the secret that opens its API to whoever may read this directory.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, PicketError } from '../shared/errors.ts';

export interface CentralState {
  /** Where pages and API are served, as this machine reaches them. */
  readonly url: string;
  /** `host:port` of the embedded broker; null with an external one. */
  readonly mqtt: string | null;
  /** PEM of the CA that signed its certificate; null without TLS or with a certificate that the system trusts. */
  readonly ca: string | null;
  readonly pid: number;
  readonly version: string;
}

const maxFileBytes = 64 * 1024;
const tokenBytes = 32;

function statePath(dataDir: string): string {
  return join(dataDir, 'central.json');
}

function tokenPath(dataDir: string): string {
  return join(dataDir, 'admin.token');
}

/** The admin token of this data directory, made at the first start. Throws `store.failed`. */
export async function ensureAdminToken(dataDir: string): Promise<string> {
  const known = await readText(tokenPath(dataDir));
  if (known !== null && /^[0-9a-f]{64}$/.test(known.trim())) return known.trim();
  const token = randomBytes(tokenBytes).toString('hex');
  await replaceFile(tokenPath(dataDir), `${token}\n`);
  return token;
}

export async function writeCentralState(dataDir: string, state: CentralState): Promise<void> {
  await replaceFile(statePath(dataDir), `${JSON.stringify(state, null, 2)}\n`);
}

/** At a clean stop: nobody is to ask a central that is not there. */
export async function removeCentralState(dataDir: string): Promise<void> {
  await rm(statePath(dataDir), { force: true });
}

/** How to reach the running central; throws `conflict` where none runs with this directory. */
export async function readCentralState(dataDir: string): Promise<CentralState & { readonly adminToken: string }> {
  const text = await readText(statePath(dataDir));
  const adminToken = await readText(tokenPath(dataDir));
  if (text === null || adminToken === null) {
    throw new PicketError(
      'central.unreachable',
      `no central runs with the data directory ${dataDir}: start it, or name its directory with --data.`,
    );
  }
  try {
    const json = JSON.parse(text) as CentralState;
    if (typeof json.url === 'string' && URL.canParse(json.url) && (json.ca === null || typeof json.ca === 'string')) {
      return { ...json, adminToken: adminToken.trim() };
    }
  } catch {
    // Said below.
  }
  throw new PicketError('payload.invalid', `${statePath(dataDir)} is damaged: start the central again.`);
}

async function readText(path: string): Promise<string | null> {
  try {
    const text = await readFile(path, 'utf8');
    if (text.length <= maxFileBytes) return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new PicketError(
      'config.unreadable',
      `cannot read ${path}: ${messageOf(error)}. Run this as the central's user.`,
      {},
      error,
    );
  }
  throw new PicketError('payload.too_large', `${path} is larger than ${maxFileBytes} bytes: it is none of Picket's.`);
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(temporary, text, { mode: 0o600, flush: true });
    await rename(temporary, path);
    const directory = await open(dirname(path), 'r');
    await directory.sync().finally(() => directory.close());
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw new PicketError('store.failed', `cannot write ${path}: ${messageOf(error)}.`, {}, error);
  }
}
