/**
 * The central's signing keys, made at the first start: PKCS 8 in PEM, one file a role, readable by this user alone.
 *
 *   DATA/keys/root.pem      signs the list of the others; agents pin its public half at enrolment
 *   DATA/keys/model.pem     signs releases
 *   DATA/keys/rollout.pem   signs manifests
 *   DATA/keys/command.pem   signs commands
 *   DATA/keys/keys.json     {rootKey, list}: the root's public key and the signed list; written last
 *
 * With keys.json present nothing is ever made anew: another root would lock out every agent. root.pem is not needed to
 * run and may be kept elsewhere.
 */
import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PicketError } from '../shared/errors.ts';
import { limits } from '../shared/limits.ts';
import { encodeEnvelope, envelopeOf, keyIdOf, publicKeyText, type SigningKey, sign } from '../shared/trust/dsse.ts';
import {
  type Command,
  type KeyList,
  type KeyRole,
  payloadTypes,
  type SignedEnvelope,
} from '../shared/trust/messages.ts';
import { encodeJson, objectOf, parseJson, textOf } from '../shared/trust/strict.ts';
import { verifyKeyList } from '../shared/trust/key-list.ts';

const workingRoles = ['model', 'rollout', 'command'] as const;

export interface CentralKeys {
  /** raw public root key, base64: what agents pin */
  readonly rootKey: string;
  /** Signed by the root key. */
  readonly keyList: SignedEnvelope;
  readonly model: SigningKey;
  readonly rollout: SigningKey;
  readonly command: SigningKey;
}

/** Opens the keys in this directory, or makes them. Throws `config.unreadable`, `config.invalid`, `signature.invalid`. */
export async function openKeys(directory: string): Promise<CentralKeys> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const listFile = join(directory, 'keys.json');
  const saved = await readIfThere(listFile);
  const text = saved ?? (await makeKeys(directory, listFile));
  const json = objectOf(parseJson(text, limits.controlBytes, listFile), listFile);
  const rootKey = textOf(json.rootKey, `${listFile}: rootKey`, 64);
  const keyList = envelopeOf(json.list, `${listFile}: list`);
  const list = verifyKeyList(rootKey, keyList, 0);
  const [model, rollout, command] = await Promise.all(
    workingRoles.map(async (role) => {
      const key = signingKey(await loadKey(directory, role));
      if (list.keys.some((entry) => entry.role === role && entry.keyid === key.keyid)) return key;
      throw new PicketError('config.invalid', `${role}.pem in ${directory} is not the key that keys.json lists`);
    }),
  );
  return { rootKey, keyList, model: model!, rollout: rollout!, command: command! };
}

/** The bytes of down/command. */
export function signCommand(keys: Pick<CentralKeys, 'command'>, command: Command): Uint8Array {
  return encodeEnvelope(sign(payloadTypes.command, encodeJson(command), keys.command));
}

/** Makes what is missing of the key files (a first start may have been cut short) and the list; returns its bytes. */
async function makeKeys(directory: string, listFile: string): Promise<Uint8Array> {
  const root = await loadOrMake(directory, 'root');
  const keys: KeyList['keys'] = await Promise.all(
    workingRoles.map(async (role) => {
      const publicKey = publicKeyText(await loadOrMake(directory, role));
      return { keyid: keyIdOf(publicKey), role, publicKey };
    }),
  );
  const list = sign(payloadTypes.keys, encodeJson({ version: 1, keys } satisfies KeyList), signingKey(root));
  const bytes = encodeJson({ rootKey: publicKeyText(root), list });
  await writeDurably(directory, listFile, bytes);
  return bytes;
}

async function loadOrMake(directory: string, role: KeyRole): Promise<KeyObject> {
  const file = join(directory, `${role}.pem`);
  if ((await readIfThere(file)) !== null) return await loadKey(directory, role);
  const { privateKey } = await promisify(generateKeyPair)('ed25519');
  await writeDurably(
    directory,
    file,
    new TextEncoder().encode(String(privateKey.export({ format: 'pem', type: 'pkcs8' }))),
  );
  return privateKey;
}

async function loadKey(directory: string, role: KeyRole): Promise<KeyObject> {
  const file = join(directory, `${role}.pem`);
  const bytes = await readIfThere(file);
  if (bytes === null)
    throw new PicketError('config.unreadable', `${file} is missing, and keys.json says that it exists`);
  try {
    const key = createPrivateKey({ key: Buffer.from(bytes), format: 'pem' });
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch (cause) {
    throw new PicketError('config.invalid', `${file} is not a private key in PEM`, {}, cause);
  }
  throw new PicketError('config.invalid', `${file} is not an ed25519 key`);
}

function signingKey(privateKey: KeyObject): SigningKey {
  return { keyid: keyIdOf(publicKeyText(privateKey)), privateKey };
}

async function readIfThere(file: string): Promise<Uint8Array | null> {
  try {
    return await readFile(file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new PicketError('config.unreadable', `${file} cannot be read`, {}, cause);
  }
}

/** Whole or not at all, also after a power cut; mode 0600. */
async function writeDurably(directory: string, file: string, bytes: Uint8Array): Promise<void> {
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
