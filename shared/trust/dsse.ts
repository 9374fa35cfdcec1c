/**
 * DSSE, the Dead Simple Signing Envelope (https://github.com/secure-systems-lab/dsse, protocol version 1), with
 * ed25519. What is signed is PAE(type, bytes): the exact bytes and what they are, so that nothing is re-encoded before
 * it is verified, and a signature for one type of document never fits another.
 *
 *   PAE = "DSSEv1" SP length(type) SP type SP length(bytes) SP bytes      (lengths in ASCII decimal)
 */
import { createPublicKey, type KeyObject, sign as signBytes, verify as verifyBytes } from 'node:crypto';
import { PicketError } from '../errors.ts';
import { limits } from '../limits.ts';
import { envelopeOf, SIGNATURES_PER_ENVELOPE } from './envelope.ts';
import { sha256Hex } from './hash.ts';
import type { PublicKeyEntry, SignedEnvelope } from './messages.ts';
import { encodeJson, integerOf, objectOf, parseJson, textOf } from './strict.ts';

const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const KEYID_PATTERN = /^[0-9a-f]{16}$/;
/** RFC 8410: the SubjectPublicKeyInfo of an ed25519 key, up to the key itself. */
const SPKI_PREFIX = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00);

export interface SigningKey {
  readonly keyid: string;
  readonly privateKey: KeyObject;
}

/** The bytes that a signature covers. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const encoder = new TextEncoder();
  const type = encoder.encode(payloadType);
  const head = encoder.encode(`DSSEv1 ${type.length} ${payloadType} ${payload.length} `);
  const out = new Uint8Array(head.length + payload.length);
  out.set(head);
  out.set(payload, head.length);
  return out;
}

/** Signs the exact bytes with each key. */
export function sign(payloadType: string, payload: Uint8Array, ...keys: readonly SigningKey[]): SignedEnvelope {
  const covered = preAuthEncoding(payloadType, payload);
  return {
    payloadType,
    payload: toBase64(payload),
    signatures: keys.map((key) => ({ keyid: key.keyid, sig: toBase64(signBytes(null, covered, key.privateKey)) })),
  };
}

/**
 * The signed bytes, if one of the keys signed them. A key id only chooses which key is tried. Throws
 * `signature.invalid` saying why none fits.
 */
export function verify(envelope: SignedEnvelope, payloadType: string, keys: readonly PublicKeyEntry[]): Uint8Array {
  if (envelope.payloadType !== payloadType) {
    throw new PicketError(
      'signature.invalid',
      `the document is signed as ${envelope.payloadType.slice(0, 80)}, not as ${payloadType}`,
    );
  }
  const payload = fromBase64(envelope.payload, 'payload');
  const covered = preAuthEncoding(payloadType, payload);
  let known = 0;
  for (const signature of envelope.signatures.slice(0, SIGNATURES_PER_ENVELOPE)) {
    for (const key of keys) {
      if (key.keyid !== signature.keyid) continue;
      known++;
      const bytes = fromBase64(signature.sig, 'signature');
      if (bytes.length === SIGNATURE_BYTES && verifyBytes(null, covered, publicKeyOf(key.publicKey), bytes)) {
        return payload;
      }
    }
  }
  const signers = envelope.signatures.map((signature) => signature.keyid.slice(0, 16)).join(', ') || 'nobody';
  throw new PicketError(
    'signature.invalid',
    known === 0
      ? `${payloadType} is signed by ${signers}, which is not a key trusted for it`
      : `the signature of ${signers} does not fit the bytes of ${payloadType}: they were altered`,
  );
}

/** An envelope as it travels. */
export function encodeEnvelope(envelope: SignedEnvelope): Uint8Array {
  return encodeJson(envelope);
}

/** An envelope from outside, not yet verified. Throws `payload.invalid`, `payload.too_large`. */
export function parseEnvelope(bytes: Uint8Array, what: string, maxBytes: number = limits.controlBytes): SignedEnvelope {
  return envelopeOf(parseJson(bytes, maxBytes, what), what, maxBytes);
}

/** The id of a raw public key (base64): the first 16 hex digits of its SHA-256. */
export function keyIdOf(publicKey: string): string {
  return sha256Hex(rawPublicKey(publicKey)).slice(0, 16);
}

/** Raw public key of a key pair, base64. */
export function publicKeyText(key: KeyObject): string {
  const spki = (key.type === 'public' ? key : createPublicKey(key)).export({ format: 'der', type: 'spki' });
  return toBase64(spki.subarray(spki.length - PUBLIC_KEY_BYTES));
}

/** A key entry whose id is the one of its bytes; throws `payload.invalid` otherwise. */
export function publicKeyEntry(value: unknown, where: string): PublicKeyEntry {
  const json = objectOf(value, where);
  const role = textOf(json.role, `${where}.role`, 16);
  const publicKey = textOf(json.publicKey, `${where}.publicKey`, 64);
  const keyid = textOf(json.keyid, `${where}.keyid`, 16, KEYID_PATTERN);
  if (keyIdOf(publicKey) !== keyid) {
    throw new PicketError('payload.invalid', `${where}.keyid ${keyid} is not the id of its key`);
  }
  return {
    keyid,
    role: role as PublicKeyEntry['role'],
    publicKey,
    ...(json.notBeforeMs === undefined ? {} : { notBeforeMs: integerOf(json.notBeforeMs, `${where}.notBeforeMs`) }),
    ...(json.notAfterMs === undefined ? {} : { notAfterMs: integerOf(json.notAfterMs, `${where}.notAfterMs`) }),
  };
}

function rawPublicKey(publicKey: string): Uint8Array {
  const raw = fromBase64(publicKey, 'public key');
  if (raw.length !== PUBLIC_KEY_BYTES) {
    throw new PicketError('signature.invalid', `a public key has ${raw.length} bytes instead of ${PUBLIC_KEY_BYTES}`);
  }
  return raw;
}

function publicKeyOf(publicKey: string): KeyObject {
  const key = Buffer.concat([SPKI_PREFIX, rawPublicKey(publicKey)]);
  return createPublicKey({ key, format: 'der', type: 'spki' });
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Strict: only what `toBase64` writes; lenient decoders let one document have many texts. */
function fromBase64(text: string, what: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) {
    throw new PicketError('signature.invalid', `the ${what} is not canonical base64`);
  }
  return new Uint8Array(bytes);
}
