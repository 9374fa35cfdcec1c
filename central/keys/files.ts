/**
 * Private keys as files: PKCS 8 in PEM, readable by their user alone. A role has up to three of them at a time: the one
 * that signs, the one before it while agents may know no other, and the next one while the root has not signed for it.
 * Which is which the list says, by their ids: a file may have any of the role's names after a stop in the middle.
 */
import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { PicketError } from '../../shared/errors.ts';
import { keyIdOf, publicKeyText, type SigningKey } from '../../shared/trust/dsse.ts';
import type { KeyRole } from '../../shared/trust/messages.ts';

/** A private key in PEM has 119 bytes. */
const PEM_BYTES = 4 * 1024;

export type KeyPlace = 'current' | 'old' | 'next';
const endings: Readonly<Record<KeyPlace, string>> = { current: '', old: '-old', next: '-next' };

export interface HeldKey extends SigningKey {
  readonly publicKey: string;
}

export function keyFile(directory: string, role: KeyRole, place: KeyPlace = 'current'): string {
  return join(directory, `${role}${endings[place]}.pem`);
}

export async function generateKey(): Promise<HeldKey> {
  return heldKey((await promisify(generateKeyPair)('ed25519')).privateKey);
}

/** Null where there is no such file. Throws `config.unreadable`, `config.invalid`. */
export async function loadKey(file: string): Promise<HeldKey | null> {
  const bytes = await readIfThere(file);
  if (bytes === null) return null;
  let key: KeyObject;
  try {
    if (bytes.length > PEM_BYTES) throw new Error('it is too large');
    key = createPrivateKey({ key: Buffer.from(bytes), format: 'pem' });
  } catch (cause) {
    throw new PicketError('config.invalid', `${file} is not a private key in PEM`, {}, cause);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new PicketError('config.invalid', `${file} is not an ed25519 key`);
  return heldKey(key);
}

export async function saveKey(file: string, { privateKey }: SigningKey): Promise<void> {
  await writeDurably(file, new TextEncoder().encode(String(privateKey.export({ format: 'pem', type: 'pkcs8' }))));
}

/** Puts what is held of a role where it belongs; nothing is taken away before its copy is there. */
export async function placeKeys(
  directory: string,
  role: KeyRole,
  wanted: Readonly<Partial<Record<KeyPlace, HeldKey>>>,
): Promise<void> {
  for (const place of ['old', 'current', 'next'] as const) {
    const key = wanted[place];
    const file = keyFile(directory, role, place);
    if (key !== undefined && (await loadKey(file))?.keyid !== key.keyid) await saveKey(file, key);
  }
  for (const place of ['next', 'old', 'current'] as const) {
    if (wanted[place] === undefined) await rm(keyFile(directory, role, place), { force: true });
  }
}

export async function readIfThere(file: string): Promise<Uint8Array | null> {
  try {
    return await readFile(file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new PicketError('config.unreadable', `${file} cannot be read`, {}, cause);
  }
}

/** Whole or not at all, also after a power cut; mode 0600. */
export async function writeDurably(file: string, bytes: Uint8Array): Promise<void> {
  const directory = dirname(file);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const temporary = `${file}.tmp`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.chmod(0o600);
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  const folder = await open(directory, 'r');
  await folder.sync().finally(() => folder.close());
}

function heldKey(privateKey: KeyObject): HeldKey {
  const publicKey = publicKeyText(privateKey);
  return { keyid: keyIdOf(publicKey), publicKey, privateKey };
}
