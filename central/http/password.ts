/**
 * The operator's password: kept as scrypt hash (RFC 7914) with its own salt and costs, checked in constant time.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** 32 MB and about a quarter of a second on a small machine; OWASP's equivalent of N=2^17, r=8, p=1. */
const COST = { N: 2 ** 15, r: 8, p: 3 } as const;
const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** Longer ones are refused before they cost time. */
export const MAX_PASSWORD_LENGTH = 256;
/** Random bytes of a generated password: 120 bits, 20 characters. */
const GENERATED_BYTES = 15;

export interface PasswordHash {
  readonly algorithm: 'scrypt';
  readonly N: number;
  readonly r: number;
  readonly p: number;
  /** base64url */
  readonly salt: string;
  readonly hash: string;
}

/** A password that nobody can guess, in characters that survive copy and paste. */
export function generatePassword(): string {
  return randomBytes(GENERATED_BYTES).toString('base64url');
}

export async function hashPassword(password: string): Promise<PasswordHash> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, COST);
  return { algorithm: 'scrypt', ...COST, salt: salt.toString('base64url'), hash: hash.toString('base64url') };
}

/** True when the password is the hashed one. */
export async function checkPassword(password: string, stored: PasswordHash): Promise<boolean> {
  if (password.length > MAX_PASSWORD_LENGTH) return false;
  const expected = Buffer.from(stored.hash, 'base64url');
  const given = await derive(password, Buffer.from(stored.salt, 'base64url'), stored);
  return expected.length === given.length && timingSafeEqual(expected, given);
}

function derive(password: string, salt: Buffer, cost: { N: number; r: number; p: number }): Promise<Buffer> {
  const { N, r, p } = cost;
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, KEY_BYTES, { N, r, p, maxmem: 256 * r * (N + p + 2) }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
