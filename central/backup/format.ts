/**
 * A backup file, format 1. Everything of it is encrypted and authenticated under one passphrase: it holds the keys of
 * the fleet, password hashes and history, and what was altered is refused as surely as what was cut.
 *
 *     14 bytes  "picket-backup\n"
 *     u16       format
 *     u32       length of the header, then the header: JSON, readable without the passphrase (`BackupHeader`)
 *     32 bytes  HMAC-SHA-256 of all before it: tells a wrong passphrase from a damaged file
 *     chunks    u32 length, u8 1 on the last and 0 on the others, then that many bytes: AES-256-GCM with its tag (16)
 *
 * Keys: scrypt (RFC 7914) of passphrase and salt gives 64 bytes, 32 to encrypt and 32 for the HMAC; the salt is new in
 * each file, so that the keys are. A chunk's nonce is its mark of the last one and its number, so that none can be left
 * out, doubled, moved, or made the end (STREAM; Hoang, Reyhanitabar, Rogaway, Vizár 2015). In a chunk are the entries of
 * `entries.ts`, compressed as payloads are (shared/transport/compress.ts).
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { messageOf, PicketError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { objectOf, parseJson } from '../../shared/trust/strict.ts';

export const BACKUP_FORMAT = 1;
export const MAGIC = Buffer.from('picket-backup\n');
/** Magic, format, length of the header. */
export const FIXED_BYTES = MAGIC.length + 2 + 4;
export const MAC_BYTES = 32;
/** Length and mark of a chunk. */
export const CHUNK_HEAD_BYTES = 5;
export const TAG_BYTES = 16;
export const SHORTEST_PASSPHRASE = 10;
export const LONGEST_PASSPHRASE = 1024;

const MAX_HEADER_BYTES = 4 * 1024;
const SALT_BYTES = 16;
/** 64 MB and some tenths of a second: a file can be tried at leisure by who has it, unlike a log in. */
const COST: ScryptCost = { N: 2 ** 16, r: 8, p: 2 };
/** What a file may ask for. */
const MAX_SCRYPT_BYTES = 256 * 1024 * 1024;
const MAX_PARALLEL = 16;

export interface ScryptCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

export interface BackupHeader {
  /** Of the central that made it. */
  readonly version: string;
  readonly madeMs: number;
  /** Of the store inside. */
  readonly storeFormat: number;
  /** How many agents there were. */
  readonly agents: number;
  readonly scrypt: ScryptCost & { readonly salt: string };
}

export interface BackupKeys {
  readonly encryption: Buffer;
  readonly authentication: Buffer;
}

/**
 * The first bytes of a new file, and its keys.
 * @param cost of trying a passphrase (tests make it small)
 */
export async function beginBackup(
  about: Omit<BackupHeader, 'scrypt'>,
  passphrase: string,
  cost = COST,
): Promise<{ bytes: Buffer; keys: BackupKeys }> {
  const salt = randomBytes(SALT_BYTES);
  const header: BackupHeader = { ...about, scrypt: { ...cost, salt: salt.toString('base64') } };
  const json = Buffer.from(JSON.stringify(header));
  const fixed = Buffer.alloc(FIXED_BYTES);
  MAGIC.copy(fixed);
  fixed.writeUInt16BE(BACKUP_FORMAT, MAGIC.length);
  fixed.writeUInt32BE(json.length, MAGIC.length + 2);
  const signed = Buffer.concat([fixed, json]);
  const keys = await keysOf(checkedPassphrase(passphrase), header);
  return { bytes: Buffer.concat([signed, macOf(keys, signed)]), keys };
}

/** Throws `usage.invalid`. */
export function checkedPassphrase(passphrase: string): string {
  if (passphrase.length >= SHORTEST_PASSPHRASE && passphrase.length <= LONGEST_PASSPHRASE) return passphrase;
  throw new PicketError(
    'usage.invalid',
    `the passphrase has ${passphrase.length} characters: it must have ${SHORTEST_PASSPHRASE} to ${LONGEST_PASSPHRASE}.`,
  );
}

/** Length of the header that follows. Throws `payload.invalid`, `store.newer_format`. */
export function headerLength(fixed: Buffer): number {
  if (fixed.length < FIXED_BYTES || !fixed.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new PicketError('payload.invalid', 'it is no backup of Picket: it does not begin as one.');
  }
  const format = fixed.readUInt16BE(MAGIC.length);
  if (format > BACKUP_FORMAT) {
    throw new PicketError(
      'store.newer_format',
      `the backup has format ${format}; this version knows ${BACKUP_FORMAT} and older ones.`,
    );
  }
  // There is no older format yet; one would be read here, and what it holds brought to today's entries.
  const length = fixed.readUInt32BE(MAGIC.length + 2);
  if (format < 1 || length > MAX_HEADER_BYTES) throw damaged('its header states a length that it cannot have');
  return length;
}

/** Reads a header that nothing has vouched for yet. Throws `payload.invalid`. */
export function parseHeader(json: Buffer): BackupHeader {
  let header: BackupHeader;
  try {
    header = objectOf(parseJson(json, limits.controlBytes, 'header'), 'header') as unknown as BackupHeader;
  } catch (error) {
    throw damaged(`its header: ${messageOf(error)}`);
  }
  const { version, madeMs, storeFormat, agents, scrypt: cost } = header;
  const whole = [madeMs, storeFormat, agents].every((value) => Number.isSafeInteger(value) && value >= 0);
  const named = typeof version === 'string' && /^[\w.+-]{1,64}$/.test(version);
  if (!whole || !named || !costsLittle(cost)) throw damaged('its header says what no central writes');
  return { version, madeMs, storeFormat, agents, scrypt: cost };
}

function costsLittle(cost: BackupHeader['scrypt'] | undefined): boolean {
  if (typeof cost !== 'object' || cost === null || typeof cost.salt !== 'string') return false;
  const { N, r, p, salt } = cost;
  const counts = [N, r, p].every((value) => Number.isSafeInteger(value) && value >= 1);
  // N: a power of two (RFC 7914, 2).
  return (
    counts &&
    N > 1 &&
    Number.isInteger(Math.log2(N)) &&
    128 * N * r <= MAX_SCRYPT_BYTES &&
    p <= MAX_PARALLEL &&
    Buffer.from(salt, 'base64').length === SALT_BYTES
  );
}

/** The keys of a file. Throws `auth.denied` where the passphrase is not the file's. */
export async function openKeysOf(
  signed: Buffer,
  mac: Buffer,
  header: BackupHeader,
  passphrase: string,
): Promise<BackupKeys> {
  const keys = await keysOf(passphrase, header);
  if (mac.length === MAC_BYTES && timingSafeEqual(macOf(keys, signed), mac)) return keys;
  throw new PicketError('auth.denied', 'the passphrase is not that of this backup, or its header was altered.');
}

function keysOf(passphrase: string, { scrypt: { N, r, p, salt } }: BackupHeader): Promise<BackupKeys> {
  return new Promise((resolve, reject) => {
    const options = { N, r, p, maxmem: 2 * MAX_SCRYPT_BYTES };
    scrypt(passphrase.normalize('NFC'), Buffer.from(salt, 'base64'), 64, options, (error, key) => {
      if (error) reject(error);
      else resolve({ encryption: key.subarray(0, 32), authentication: key.subarray(32) });
    });
  });
}

function macOf(keys: BackupKeys, signed: Buffer): Buffer {
  return createHmac('sha256', keys.authentication).update(signed).digest();
}

/** A chunk as it stands in the file, with its head. */
export function sealChunk(keys: BackupKeys, index: number, last: boolean, plain: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', keys.encryption, nonceOf(index, last));
  const head = Buffer.alloc(CHUNK_HEAD_BYTES);
  head.writeUInt32BE(plain.length + TAG_BYTES);
  head[4] = last ? 1 : 0;
  return Buffer.concat([head, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Throws `payload.invalid` for a chunk that is not as it was written, or not in its place. */
export function openChunk(keys: BackupKeys, index: number, last: boolean, sealed: Buffer): Buffer {
  const end = sealed.length - TAG_BYTES;
  try {
    const decipher = createDecipheriv('aes-256-gcm', keys.encryption, nonceOf(index, last));
    decipher.setAuthTag(sealed.subarray(end));
    return Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]);
  } catch {
    throw damaged(`chunk ${index + 1} was altered`);
  }
}

function nonceOf(index: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce[0] = last ? 1 : 0;
  nonce.writeBigUInt64BE(BigInt(index), 4);
  return nonce;
}

export function damaged(what: string): PicketError {
  return new PicketError(
    'payload.invalid',
    `the backup is damaged: ${what}. Nothing of it was taken; use another copy.`,
  );
}
