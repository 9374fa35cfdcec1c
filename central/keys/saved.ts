/** keys.json: the root's public key, the signed list, and what waits for the root. */
import { limits } from '../../shared/limits.ts';
import { envelopeOf } from '../../shared/trust/envelope.ts';
import type { SignedEnvelope } from '../../shared/trust/messages.ts';
import { integerOf, listOf, objectOf, parseJson, textOf } from '../../shared/trust/strict.ts';

export interface Saved {
  readonly rootKey: string;
  readonly list: SignedEnvelope;
  /** A list that waits for the root's signature; null where none does. */
  readonly next: SignedEnvelope['payload'] | null;
  /** Roles the private keys of which are kept elsewhere. */
  readonly offline: readonly string[];
  /** With which version of the list a key joined it; what is not there was in it from the start. */
  readonly joined: Readonly<Record<string, number>>;
}

/** Of a central of any version: what came later may be missing. */
export function readSaved(text: Uint8Array, file: string): Saved {
  const json = objectOf(parseJson(text, 4 * limits.controlBytes, file), file);
  const joined = Object.entries(objectOf(json.joined ?? {}, `${file}: joined`));
  return {
    rootKey: textOf(json.rootKey, `${file}: rootKey`, 64),
    list: envelopeOf(json.list, `${file}: list`),
    next:
      json.next === undefined || json.next === null ? null : textOf(json.next, `${file}: next`, limits.controlBytes),
    offline: listOf(json.offline ?? [], `${file}: offline`, 16, (item, at) => textOf(item, at, 16)),
    joined: Object.fromEntries(joined.map(([keyid, version]) => [keyid, integerOf(version, `${file}: joined`)])),
  };
}
