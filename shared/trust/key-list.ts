/**
 * The list of keys: which key may sign what, from when and until when, signed by the root key that an agent pinned at
 * its enrolment. A list with a higher version takes the place of an older one; what is older, or of the same version
 * with other content, is refused, so that a list that was replaced never comes back (a stolen key would with it).
 *
 * A key's times are held against the latest central time ever heard. Without one nothing is too old or too young: the
 * floors of versions alone decide (design, "Dating").
 */
import { PicketError } from '../errors.ts';
import { limits } from '../limits.ts';
import { keyIdOf, publicKeyEntry, verify } from './dsse.ts';
import { sha256Hex } from './hash.ts';
import {
  type KeyList,
  type KeyRole,
  type PublicKeyEntry,
  payloadTypes,
  type ReportedKeyList,
  type SignedEnvelope,
} from './messages.ts';
import { integerOf, invalid, listOf, objectOf, parseJson } from './strict.ts';

const KEYS_PER_LIST = 32;

/** A list of keys signed by the root key (raw, base64). `manifest.not_newer` if it is older than `floor`. */
export function verifyKeyList(rootKey: string, envelope: SignedEnvelope, floor: number): KeyList {
  const root: PublicKeyEntry = { keyid: keyIdOf(rootKey), role: 'root', publicKey: rootKey };
  const list = parseKeyList(verify(envelope, payloadTypes.keys, [root]));
  if (list.version < floor) {
    throw new PicketError('manifest.not_newer', `key list ${list.version} is older than ${floor}, which is in force`);
  }
  return list;
}

/** A list that nobody has vouched for yet. Throws `payload.invalid`, `payload.too_large`. */
export function parseKeyList(payload: Uint8Array): KeyList {
  const json = objectOf(parseJson(payload, limits.controlBytes, 'key list'), 'key list');
  const keys = listOf(json.keys, 'key list.keys', KEYS_PER_LIST, publicKeyEntry);
  if (new Set(keys.map(({ keyid }) => keyid)).size !== keys.length) invalid('key list.keys', 'names a key twice');
  return {
    version: integerOf(json.version, 'key list.version', 1),
    ...(json.madeMs === undefined ? {} : { madeMs: integerOf(json.madeMs, 'key list.madeMs') }),
    keys,
  };
}

/**
 * The list to go on with: the one that was carried, or the one in force where they are the same. Throws
 * `manifest.not_newer` for an older one, and for another of the same version.
 */
export function newerKeyList(rootKey: string, carried: SignedEnvelope, inForce: SignedEnvelope | null): KeyList {
  const floor = inForce === null ? 0 : verifyKeyList(rootKey, inForce, 0).version;
  const list = verifyKeyList(rootKey, carried, floor);
  if (inForce !== null && list.version === floor && carried.payload !== inForce.payload) {
    throw new PicketError('manifest.not_newer', `key list ${floor} is not the key list ${floor} that is in force`);
  }
  return list;
}

/** What is said of a list in force. */
export function reportOfKeyList(inForce: SignedEnvelope, whole: boolean): ReportedKeyList {
  const payload = Buffer.from(inForce.payload, 'base64');
  const { version } = parseKeyList(payload);
  return { version, sha256: sha256Hex(payload), ...(whole ? { envelope: inForce } : {}) };
}

/** The signed bytes, if a key of this role signed them and may be believed at this time. */
export function verifyBy(
  envelope: SignedEnvelope,
  payloadType: string,
  list: KeyList,
  roles: readonly KeyRole[],
  nowMs: number | null,
): Uint8Array {
  const keys = list.keys.filter((key) => roles.includes(key.role));
  const timely = keys.filter((key) => untimely(key, list, nowMs) === null);
  const signers = new Set(envelope.signatures.map(({ keyid }) => keyid));
  if (!timely.some(({ keyid }) => signers.has(keyid))) {
    const late = keys.find(({ keyid }) => signers.has(keyid));
    const problem = late && untimely(late, list, nowMs);
    if (problem) throw new PicketError('manifest.expired', `${payloadType} is signed by ${late.role} key ${problem}`);
  }
  return verify(envelope, payloadType, timely);
}

/** Why a key is not to be believed at this time; null where it is. */
function untimely({ keyid, notBeforeMs, notAfterMs }: PublicKeyEntry, list: KeyList, nowMs: number | null) {
  if (nowMs === null) return null;
  if (notAfterMs !== undefined && notAfterMs < nowMs) return `${keyid}, which expired at ${isoTime(notAfterMs)}`;
  // Who heard no central for long may have a list that is younger than the time that it knows.
  if (notBeforeMs !== undefined && notBeforeMs > Math.max(nowMs, list.madeMs ?? 0)) {
    return `${keyid}, which is not valid before ${isoTime(notBeforeMs)}`;
  }
  return null;
}

/** A time for people, whatever the number. */
export function isoTime(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms`;
}
