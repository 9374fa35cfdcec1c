/**
 * What each machine is to go by: the layers of it, put together, signed by the configuration key, named in its manifest.
 * The one before is kept: going back to it needs no new signature. What a machine refused or took back is not sent to it
 * again.
 */
import { configurationForm, encodeManaged, type Layer, mergeLayers } from '../../shared/config/managed.ts';
import { PicketError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { encodeEnvelope, parseEnvelope } from '../../shared/trust/dsse.ts';
import { sha256Hex } from '../../shared/trust/hash.ts';
import { payloadTypes, type Release, type SignedEnvelope } from '../../shared/trust/messages.ts';
import { encodeJson } from '../../shared/trust/strict.ts';
import type { UnsignedRelease } from '../keys/release-signing.ts';
import type { CentralKeys } from '../keys.ts';
import { type ConfigurationEntry, listAll } from '../manifests.ts';
import type { AgentId, Documents } from '../store/store.ts';
import type { Scope } from './api.ts';

const NAMESPACE = 'configuration-agent';

type LayerVersions = Readonly<Record<Scope, number>>;

export interface MadeConfiguration {
  readonly version: number;
  readonly layers: LayerVersions;
  readonly contentSha256: string;
  /** Empty: it waits for its key. */
  readonly releaseSha256: string;
  readonly releaseBytes: number;
  /** base64 of the exact bytes of the release. */
  readonly payload: string;
}

export interface Placed {
  /** Version of the last that was made. */
  readonly newest: number;
  readonly current: MadeConfiguration | null;
  readonly previous: MadeConfiguration | null;
  /** What the machine will not have, and why. */
  readonly refused: { readonly layers: LayerVersions; readonly reason: string } | null;
}

const nothing: Placed = { newest: 0, current: null, previous: null, refused: null };

export interface PlacingOptions {
  readonly documents: Documents;
  readonly keys: Pick<CentralKeys, 'sign' | 'canSign' | 'list'>;
  readonly nowMs: () => number;
  /** Names it in the agent's manifest; false: there is none yet. */
  readonly name: (agent: AgentId, entry: ConfigurationEntry | null) => Promise<boolean>;
}

export class Placing {
  readonly #options: PlacingOptions;
  readonly #placed = new Map<AgentId, Placed>();

  constructor(options: PlacingOptions) {
    this.#options = options;
  }

  async load(): Promise<void> {
    const all = listAll<Placed>(this.#options.documents, NAMESPACE);
    for await (const { key, value } of all) this.#placed.set(key, value);
  }

  get(agent: AgentId): Placed {
    return this.#placed.get(agent) ?? nothing;
  }

  /** Makes these layers what the machine is to go by. True: its manifest says so. */
  async place(agent: AgentId, layers: readonly (Layer & { readonly version: number })[]): Promise<boolean> {
    const placed = this.get(agent);
    const versions = Object.fromEntries(layers.map(({ name, version }) => [name, version]));
    if (layers.length === 0) {
      if (placed.current !== null) await this.#save(agent, { ...placed, current: null, previous: placed.current });
      return await this.#options.name(agent, null);
    }
    if (same(placed.refused?.layers, versions) && !same(placed.current?.layers, versions)) return true;
    if (!same(placed.current?.layers, versions)) {
      const before = same(placed.previous?.layers, versions) ? placed.previous : null;
      const made = before ?? (await this.#make(agent, placed.newest + 1, versions, layers));
      const newest = Math.max(placed.newest, made.version);
      // What is new has not been refused yet.
      const refused = before === null ? null : placed.refused;
      await this.#save(agent, { newest, current: made, previous: placed.current, refused });
    }
    return await this.#named(agent);
  }

  /** The machine will not have what it was sent: it is not sent again. */
  async refuse(agent: AgentId, reason: string): Promise<void> {
    const placed = this.get(agent);
    if (placed.current === null) return;
    await this.#save(agent, { ...placed, refused: { layers: placed.current.layers, reason } });
  }

  /** Releases that wait for a key that is elsewhere. */
  waiting(): readonly UnsignedRelease[] {
    return [...this.#placed].flatMap(([agent, { current }]) =>
      current === null || current.releaseSha256 !== ''
        ? []
        : [{ version: current.version, agent, slot: configurationForm.kind, payload: current.payload }],
    );
  }

  /** A release that was signed elsewhere; null where it does not wait. */
  async signed(envelope: SignedEnvelope): Promise<AgentId | null> {
    const release = this.waiting().find(({ payload }) => payload === envelope.payload);
    if (release === undefined) return null;
    const placed = this.get(release.agent);
    const current = { ...placed.current!, ...(await this.#keep(envelope)) };
    await this.#save(release.agent, { ...placed, current });
    await this.#named(release.agent);
    return release.agent;
  }

  /** Whether the agent may fetch it as a content. */
  isContent(agent: AgentId, sha256: string): boolean {
    return this.get(agent).current?.contentSha256 === sha256;
  }

  async #named(agent: AgentId): Promise<boolean> {
    let { current } = this.get(agent);
    if (current === null) return await this.#options.name(agent, null);
    current = await this.#inForce(agent, current);
    const { releaseSha256, releaseBytes, contentSha256 } = current;
    if (releaseSha256 === '') return false;
    return await this.#options.name(agent, {
      slot: configurationForm.kind,
      releaseSha256,
      releaseBytes,
      contentSha256,
    });
  }

  async #make(
    agent: AgentId,
    version: number,
    versions: LayerVersions,
    layers: readonly Layer[],
  ): Promise<MadeConfiguration> {
    const { documents, nowMs } = this.#options;
    const content = encodeManaged({ configuration: 1, agent, version, layers: versions, values: mergeLayers(layers) });
    if (content.length > limits.configBytes) {
      const message = `the layers of ${agent} have ${content.length} bytes together; ${limits.configBytes} are allowed.`;
      throw new PicketError('payload.too_large', message);
    }
    const contentSha256 = sha256Hex(content);
    const release: Release = {
      release: 1,
      ...configurationForm,
      windowMs: 0,
      target: `agent:${agent}`,
      contentSha256,
      contentBytes: content.length,
      madeMs: nowMs(),
      note: `configuration ${version}: ${layers.map(({ name }) => `${name} ${versions[name]}`).join(', ')}`,
    };
    const payload = Buffer.from(encodeJson(release)).toString('base64');
    await documents.putBlob(contentSha256, content);
    return { version, layers: versions, contentSha256, payload, ...(await this.#sign(payload)) };
  }

  /** Signed by a key that is listed now: anew where it was replaced. */
  async #inForce(agent: AgentId, current: MadeConfiguration): Promise<MadeConfiguration> {
    const { documents, keys } = this.#options;
    const bytes = current.releaseSha256 === '' ? null : await documents.getBlob(current.releaseSha256);
    if (bytes !== null) {
      const listed = keys.list.keys.map(({ keyid }) => keyid);
      const { signatures } = parseEnvelope(bytes, 'release', limits.payloadBytes);
      if (signatures.some(({ keyid }) => listed.includes(keyid))) return current;
    }
    const again = { ...current, ...(await this.#sign(current.payload)) };
    if (again.releaseSha256 === current.releaseSha256) return current;
    await this.#save(agent, { ...this.get(agent), current: again });
    return again;
  }

  async #sign(payload: string): Promise<Pick<MadeConfiguration, 'releaseSha256' | 'releaseBytes'>> {
    const { keys } = this.#options;
    if (!keys.canSign('configuration')) return { releaseSha256: '', releaseBytes: 0 };
    return await this.#keep(keys.sign('configuration', payloadTypes.release, Buffer.from(payload, 'base64')));
  }

  async #keep(envelope: SignedEnvelope): Promise<Pick<MadeConfiguration, 'releaseSha256' | 'releaseBytes'>> {
    const bytes = encodeEnvelope(envelope);
    const releaseSha256 = sha256Hex(bytes);
    await this.#options.documents.putBlob(releaseSha256, bytes);
    return { releaseSha256, releaseBytes: bytes.length };
  }

  async #save(agent: AgentId, placed: Placed): Promise<void> {
    const { documents } = this.#options;
    const before = this.get(agent);
    await documents.put(NAMESPACE, agent, placed);
    this.#placed.set(agent, placed);
    // The one before the one before is not gone back to.
    const kept = blobsOf(placed);
    for (const sha256 of blobsOf(before)) if (!kept.includes(sha256)) await documents.deleteBlob(sha256);
  }
}

function blobsOf({ current, previous }: Placed): readonly string[] {
  return [current, previous].flatMap((made) =>
    made === null ? [] : [made.contentSha256, made.releaseSha256].filter((sha256) => sha256 !== ''),
  );
}

function same(a: LayerVersions | undefined, b: LayerVersions): boolean {
  const names = Object.keys(b);
  return a !== undefined && Object.keys(a).length === names.length && names.every((name) => a[name] === b[name]);
}
