/** A DSSE envelope as JSON, as far as nothing is verified. */
import { limits } from '../limits.ts';
import type { SignedEnvelope } from './messages.ts';
import { listOf, objectOf, textOf } from './strict.ts';

export const SIGNATURES_PER_ENVELOPE = 8;

/** The envelope that a JSON value is. */
export function envelopeOf(value: unknown, where: string, maxBytes: number = limits.controlBytes): SignedEnvelope {
  const json = objectOf(value, where);
  return {
    payloadType: textOf(json.payloadType, `${where}.payloadType`, 128),
    payload: textOf(json.payload, `${where}.payload`, maxBytes),
    signatures: listOf(json.signatures, `${where}.signatures`, SIGNATURES_PER_ENVELOPE, (item, at) => {
      const signature = objectOf(item, at);
      return {
        keyid: textOf(signature.keyid, `${at}.keyid`, 64),
        sig: textOf(signature.sig, `${at}.sig`, 128),
      };
    }),
  };
}
