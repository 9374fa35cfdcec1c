/**
 * What is carried to the machine that has an offline key, and what is carried back: two JSON files. The request holds
 * the exact bytes to sign; the answer holds them with their signatures. Both are bounded and checked when they are read,
 * and may be carried twice.
 */
import { PicketError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { sign } from '../../shared/trust/dsse.ts';
import { envelopeOf } from '../../shared/trust/envelope.ts';
import { parseKeyList } from '../../shared/trust/key-list.ts';
import { payloadTypes, type SignedEnvelope } from '../../shared/trust/messages.ts';
import { constantOf, encodeJson, integerOf, listOf, objectOf, parseJson, textOf } from '../../shared/trust/strict.ts';
import { readRelease } from '../../shared/trust/verify.ts';
import type { RequestItem } from './api.ts';
import type { HeldKey } from './files.ts';

/** Of either file. */
export const REQUEST_BYTES = 32 * 1024 * 1024;
/** Releases that may wait, and the list. */
const MOST_ITEMS = 4097;
const KEYID = /^[0-9a-f]{16}$/;

export function encodeRequest(items: readonly RequestItem[], madeMs: number): Uint8Array {
  return encodeJson({ picketRequest: 1, madeMs, items });
}

/** Throws `payload.invalid`, `payload.too_large`. */
export function parseRequest(bytes: Uint8Array, where: string): readonly RequestItem[] {
  const json = objectOf(parseJson(bytes, REQUEST_BYTES, where), where);
  constantOf(json.picketRequest as number, `${where}: picketRequest`, 1);
  integerOf(json.madeMs, `${where}: madeMs`);
  return requestItems(json.items, `${where}: items`);
}

/** The items of a request, from a file or from the central. */
export function requestItems(value: unknown, where: string): readonly RequestItem[] {
  return listOf(value, where, MOST_ITEMS, (item, at) => {
    const entry = objectOf(item, at);
    return {
      payloadType: textOf(entry.payloadType, `${at}.payloadType`, 128),
      payload: textOf(entry.payload, `${at}.payload`, limits.controlBytes),
      keyids: listOf(entry.keyids, `${at}.keyids`, 32, (keyid, place) => textOf(keyid, place, 16, KEYID)),
      about: textOf(entry.about, `${at}.about`, 4096),
    };
  });
}

export interface SignedItem {
  readonly about: string;
  readonly envelope: SignedEnvelope;
}

/**
 * Signs what these keys are asked for. What a document is, is read from the bytes that are signed, never from what the
 * request says of it. Throws `payload.invalid` for anything that is neither a list of keys nor a release.
 */
export function signRequest(items: readonly RequestItem[], keys: readonly HeldKey[]): readonly SignedItem[] {
  return items.flatMap(({ payloadType, payload, keyids }) => {
    const signers = keys.filter(({ keyid }) => keyids.includes(keyid));
    const bytes = Buffer.from(payload, 'base64');
    const about = describe(payloadType, payload);
    return signers.length === 0 ? [] : [{ about, envelope: sign(payloadType, bytes, ...signers) }];
  });
}

export function encodeSigned(items: readonly SignedItem[]): Uint8Array {
  return encodeJson({ picketSigned: 1, items: items.map(({ envelope }) => envelope) });
}

/** Throws `payload.invalid`, `payload.too_large`. */
export function parseSigned(bytes: Uint8Array, where: string): readonly SignedEnvelope[] {
  const json = objectOf(parseJson(bytes, REQUEST_BYTES, where), where);
  constantOf(json.picketSigned as number, `${where}: picketSigned`, 1);
  return listOf(json.items, `${where}: items`, MOST_ITEMS, (item, at) => envelopeOf(item, at));
}

/** What the bytes are, for the person who signs them. */
export function describe(payloadType: string, payload: string): string {
  const bytes = Buffer.from(payload, 'base64');
  if (payloadType === payloadTypes.keys) {
    const { version, keys } = parseKeyList(bytes);
    const lines = keys.map(({ role, keyid, notAfterMs }) => {
      const until = notAfterMs === undefined ? '' : ` until ${new Date(notAfterMs).toISOString()}`;
      return `    ${role.padEnd(13)} ${keyid}${until}`;
    });
    return [`key list ${version}`, ...lines].join('\n');
  }
  if (payloadType !== payloadTypes.release) {
    throw new PicketError('payload.invalid', `${payloadType.slice(0, 80)} is neither a list of keys nor a release.`);
  }
  const { kind, target, note } = readRelease({ payloadType, payload, signatures: [] });
  return `release of ${kind} for ${target}: ${note}`;
}
