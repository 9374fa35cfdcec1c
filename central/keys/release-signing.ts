/**
 * Signatures of releases: made at once where the key is here; where it is kept elsewhere a release waits, the newest of
 * each machine and slot, until its signature is brought. A release whose key is no longer listed is signed anew.
 */
import { limits } from '../../shared/limits.ts';
import { encodeEnvelope, parseEnvelope } from '../../shared/trust/dsse.ts';
import { sha256Hex } from '../../shared/trust/hash.ts';
import { payloadTypes, type Release, type SignedEnvelope } from '../../shared/trust/messages.ts';
import { encodeJson } from '../../shared/trust/strict.ts';
import { roleOfRelease } from '../../shared/trust/verify.ts';
import type { ModelVersion } from '../api.ts';
import type { CentralKeys } from '../keys.ts';
import type { ModelVersions } from '../model-versions.ts';
import type { AgentId, Documents } from '../store/store.ts';

const UNSIGNED = 'unsigned';
/** More than these are not carried away at once. */
const MOST = 4096;

export const WAITS_FOR_KEY = 'It waits for the signature of a key that is kept elsewhere.';

export interface UnsignedRelease {
  /** Of the model that it releases. */
  readonly version: number;
  readonly agent: AgentId;
  readonly slot: string;
  /** base64 of the exact bytes to sign */
  readonly payload: string;
}

export class ReleaseSigning {
  readonly #documents: Documents;
  readonly #keys: CentralKeys;
  readonly #versions: ModelVersions;

  constructor(documents: Documents, keys: CentralKeys, versions: ModelVersions) {
    this.#documents = documents;
    this.#keys = keys;
    this.#versions = versions;
  }

  /** Signs a release and keeps it; answers with its hash. Empty: its key is kept elsewhere, so it waits. */
  async sign(version: number, agent: AgentId, release: Release): Promise<string> {
    const payload = encodeJson(release);
    if (this.#keys.canSign(roleOfRelease(release.kind))) return await this.#sign(release.kind, payload);
    const text = Buffer.from(payload).toString('base64');
    const evaluated = {
      type: 'evaluated',
      accepted: false,
      reason: `Model ${version} came before it was signed.`,
    } as const;
    for (const late of await this.#wait({ version, agent, slot: release.kind, payload: text })) {
      await this.#versions.advance(late.version, evaluated);
    }
    return '';
  }

  /** Hash of a version's release as agents accept it now; empty where it is gone. */
  async inForce({ version, agent, kind, releaseSha256 }: ModelVersion): Promise<string> {
    const bytes = releaseSha256 === '' ? null : await this.#documents.getBlob(releaseSha256);
    if (bytes === null) return '';
    const { signatures, payload } = parseEnvelope(bytes, 'release', limits.payloadBytes);
    const listed = this.#keys.list.keys.map(({ keyid }) => keyid);
    if (signatures.some(({ keyid }) => listed.includes(keyid))) return releaseSha256;
    if (!this.#keys.canSign(roleOfRelease(kind))) {
      await this.#wait({ version, agent, slot: kind, payload });
      return releaseSha256;
    }
    const again = await this.#sign(kind, Buffer.from(payload, 'base64'));
    await this.#versions.release(version, again);
    return again;
  }

  /** What waits. */
  async waiting(): Promise<readonly UnsignedRelease[]> {
    return (await this.#documents.list<UnsignedRelease>(UNSIGNED, { limit: MOST })).map(({ value }) => value);
  }

  /** Keeps a release that was signed elsewhere; null where it does not wait (any more). Its key was checked before. */
  async take(envelope: SignedEnvelope): Promise<UnsignedRelease | null> {
    const release = await this.#documents.get<UnsignedRelease>(UNSIGNED, keyOf(envelope.payload));
    if (release === null) return null;
    const bytes = encodeEnvelope(envelope);
    await this.#documents.putBlob(sha256Hex(bytes), bytes);
    await this.#versions.release(release.version, sha256Hex(bytes));
    return release;
  }

  /** What was taken is dealt with. */
  async done({ payload }: UnsignedRelease): Promise<void> {
    await this.#documents.put(UNSIGNED, keyOf(payload), null);
  }

  async #sign(kind: string, payload: Uint8Array): Promise<string> {
    const bytes = encodeEnvelope(this.#keys.sign(roleOfRelease(kind), payloadTypes.release, payload));
    await this.#documents.putBlob(sha256Hex(bytes), bytes);
    return sha256Hex(bytes);
  }

  /** What it takes the place of waits no longer. */
  async #wait(release: UnsignedRelease): Promise<readonly UnsignedRelease[]> {
    const before = (await this.waiting()).filter(({ agent, slot }) => agent === release.agent && slot === release.slot);
    await this.#documents.putAll([
      ...before.map(({ payload }) => ({ namespace: UNSIGNED, key: keyOf(payload), value: null })),
      { namespace: UNSIGNED, key: keyOf(release.payload), value: release },
    ]);
    return before.filter(({ version }) => version !== release.version);
  }
}

function keyOf(payload: string): string {
  return sha256Hex(Buffer.from(payload, 'base64'));
}
