/**
 * What each agent is to run: signed manifests, kept and published (retained) until a newer one takes their place. A
 * manifest's version is above all that this central published and above the floor that the agent reports, so that a
 * restored central goes on where the lost one was.
 */
import { messageOf } from '../shared/errors.ts';
import { DAY_MS } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import { encodeEnvelope } from '../shared/trust/dsse.ts';
import {
  type Manifest,
  type ManifestRelease,
  payloadTypes,
  type Reported,
  type SignedEnvelope,
} from '../shared/trust/messages.ts';
import { encodeJson } from '../shared/trust/strict.ts';
import type { CentralKeys } from './keys.ts';
import type { AgentId, Documents } from './store/store.ts';

const NAMESPACE = 'manifest';
const LIFE_MS = 30 * DAY_MS;
/** With less left a manifest is signed again. */
const RENEW_MS = 10 * DAY_MS;
const PAGE = 1000;

export interface ManifestOptions {
  readonly documents: Documents;
  readonly keys: Pick<CentralKeys, 'sign' | 'keyList' | 'list'>;
  readonly nowMs: () => number;
  /** Publishes retained on the agent's down/desired. */
  readonly publishDesired: (agent: AgentId, bytes: Uint8Array) => Promise<void>;
  readonly log: Log;
}

/** What a manifest names for the slot of the configuration. */
export interface ConfigurationEntry extends ManifestRelease {
  readonly contentSha256: string;
}

interface Desired {
  readonly version: number;
  readonly notAfterMs: number;
  /** Version of the list of keys that it carries; not there in those of a central that came before lists changed. */
  readonly listVersion?: number;
  readonly releases: readonly ManifestRelease[];
  /** What runs beside; not there where nothing does. */
  readonly shadows?: readonly ManifestRelease[];
  /** Share of the fleet's notifications; not there before one was given. */
  readonly notificationsPerWeek?: number;
  /** Beside the releases of models; not there where there is none. */
  readonly configuration?: ConfigurationEntry | null;
  /** Null where only the agent's floor is known. */
  readonly envelope: SignedEnvelope | null;
}

/** All documents of a namespace, a page at a time. */
export async function* listAll<T>(documents: Documents, namespace: string): AsyncIterable<{ key: string; value: T }> {
  let after: string | undefined;
  for (;;) {
    const page = await documents.list<T>(namespace, { limit: PAGE, ...(after === undefined ? {} : { after }) });
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1)!.key;
  }
}

export class Manifests {
  readonly #options: ManifestOptions;
  readonly #desired = new Map<AgentId, Desired>();
  #chain: Promise<unknown> = Promise.resolve();

  constructor(options: ManifestOptions) {
    this.#options = options;
  }

  /** Loads what was published before. */
  async load(): Promise<void> {
    const all = listAll<Desired>(this.#options.documents, NAMESPACE);
    for await (const { key, value } of all) this.#desired.set(key, value);
  }

  releases(agent: AgentId): readonly ManifestRelease[] {
    return this.#desired.get(agent)?.releases ?? [];
  }

  /** Whether the agent's manifest names the release, or its configuration has this content. */
  names(agent: AgentId, releaseSha256: string): boolean {
    const { releases = [], shadows = [], configuration = null } = this.#desired.get(agent) ?? {};
    const all = [...releases, ...shadows, ...(configuration === null ? [] : [configuration])];
    const content = configuration?.contentSha256 === releaseSha256;
    return content || all.some((entry) => entry.releaseSha256 === releaseSha256);
  }

  /** Publishes a manifest that names these, unless the latest does. */
  async name(agent: AgentId, releases: readonly ManifestRelease[], shadows: readonly ManifestRelease[]): Promise<void> {
    const known = this.#desired.get(agent);
    const named = known?.releases ?? [];
    const same = releases.every((entry) => named.some((each) => each.releaseSha256 === entry.releaseSha256));
    const beside = (list: readonly ManifestRelease[]): string => list.map((each) => each.releaseSha256).join();
    if (!same || beside(shadows) !== beside(known?.shadows ?? [])) await this.publish(agent, releases, 0, shadows);
  }

  version(agent: AgentId): number {
    return this.#desired.get(agent)?.version ?? 0;
  }

  /** The signed manifest in force; null where there is none, or only the agent's floor is known. */
  envelope(agent: AgentId): SignedEnvelope | null {
    return this.#desired.get(agent)?.envelope ?? null;
  }

  /**
   * Signs, keeps and publishes a manifest that gives another share of the notifications; answers with its version. 0: the
   * agent has no manifest of this central yet, or only its floor is known, and models may run there that are not.
   */
  async share(agent: AgentId, notificationsPerWeek: number): Promise<number> {
    const known = this.#desired.get(agent);
    if (known === undefined || known.envelope === null) return 0;
    this.#desired.set(agent, { ...known, notificationsPerWeek });
    await this.publish(agent, known.releases);
    return this.version(agent);
  }

  /** The configuration that the agent's manifest names. */
  configuration(agent: AgentId): ConfigurationEntry | null {
    return this.#desired.get(agent)?.configuration ?? null;
  }

  /** Names another configuration (null: none) beside the models; false: the agent has no manifest of this central yet. */
  configure(agent: AgentId, configuration: ConfigurationEntry | null): Promise<boolean> {
    return this.#inOrder(async () => {
      const known = this.#desired.get(agent);
      if (known === undefined || known.envelope === null) return false;
      if ((known.configuration ?? null)?.releaseSha256 === configuration?.releaseSha256) return true;
      this.#desired.set(agent, { ...known, configuration });
      await this.#publish(agent, known.releases, 0, known.shadows ?? []);
      return true;
    });
  }

  /** Signs, keeps and publishes a manifest that names these releases. */
  publish(
    agent: AgentId,
    releases: readonly ManifestRelease[],
    floor = 0,
    shadows = this.#desired.get(agent)?.shadows ?? [],
  ): Promise<void> {
    return this.#inOrder(() => this.#publish(agent, releases, floor, shadows));
  }

  async #publish(
    agent: AgentId,
    releases: readonly ManifestRelease[],
    floor: number,
    shadows: readonly ManifestRelease[],
  ): Promise<void> {
    const { notificationsPerWeek, configuration = null } = this.#desired.get(agent) ?? {};
    const share = notificationsPerWeek === undefined ? {} : { notificationsPerWeek };
    const { keys } = this.#options;
    const nowMs = this.#options.nowMs();
    const manifest: Manifest = {
      manifest: 1,
      agent,
      version: Math.max(this.version(agent), floor) + 1,
      madeMs: nowMs,
      notAfterMs: nowMs + LIFE_MS,
      cohorts: [],
      releases: configuration === null ? releases : [...releases, entryOf(configuration)],
      ...(shadows.length === 0 ? {} : { shadows }),
      ...share,
      keys: keys.keyList,
    };
    const envelope = keys.sign('rollout', payloadTypes.manifest, encodeJson(manifest));
    const { version, notAfterMs } = manifest;
    const desired: Desired = {
      version,
      notAfterMs,
      listVersion: keys.list.version,
      releases,
      shadows,
      ...share,
      configuration,
      envelope,
    };
    await this.#options.documents.put(NAMESPACE, agent, desired);
    this.#desired.set(agent, desired);
    await this.#send(agent, desired);
  }

  /**
   * Version of the list of keys that the agent goes by, as far as its report shows: one that cannot say it has the list
   * of the manifest that it took.
   */
  acceptedList(agent: AgentId, { keyList, manifestVersion }: Pick<Reported, 'keyList' | 'manifestVersion'>): number {
    if (keyList !== undefined) return keyList.version;
    const desired = this.#desired.get(agent);
    return desired !== undefined && manifestVersion >= desired.version ? (desired.listVersion ?? 0) : 0;
  }

  /**
   * Publishes all again (after a start of the central or of the broker); those that are about to expire, or that carry
   * another list of keys, are signed anew.
   */
  async republish(): Promise<void> {
    const { nowMs, keys } = this.#options;
    for (const [agent, desired] of this.#desired) {
      if (desired.envelope === null) continue;
      const old = desired.notAfterMs - nowMs() < RENEW_MS || desired.listVersion !== keys.list.version;
      if (old) await this.publish(agent, desired.releases);
      else await this.#send(agent, desired);
    }
  }

  /** Takes in an agent's floor; where it is not below what was published as it should be, signs above it. */
  async reported(agent: AgentId, reported: Pick<Reported, 'manifestVersion' | 'refusals'>): Promise<void> {
    const known = this.#desired.get(agent);
    const floor = reported.manifestVersion;
    if (known === undefined || known.envelope === null) {
      // A first manifest brings the keys, without which no command is obeyed. Above a floor there may be models that run.
      if (floor === 0 && known === undefined) await this.publish(agent, []);
      if (floor <= this.version(agent)) return;
      this.#desired.set(agent, { ...known, version: floor, notAfterMs: 0, releases: [], envelope: null });
      return;
    }
    const same = `manifest:${known.version}`;
    const taken = reported.refusals.some(({ what, code }) => what === same && code === 'manifest.not_newer');
    if (floor > known.version || (floor === known.version && taken)) await this.publish(agent, known.releases, floor);
  }

  /** Models and configurations name what they will at any time; a version is given once. */
  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#chain.then(work);
    this.#chain = done.catch(() => {});
    return done;
  }

  async #send(agent: AgentId, desired: Desired): Promise<void> {
    if (desired.envelope === null) return;
    try {
      await this.#options.publishDesired(agent, encodeEnvelope(desired.envelope));
    } catch (error) {
      // It is published again when the broker is there.
      this.#options.log.warn({ agent, problem: messageOf(error) }, 'the manifest could not be published');
    }
  }
}

function entryOf({ slot, releaseSha256, releaseBytes }: ConfigurationEntry): ManifestRelease {
  return { slot, releaseSha256, releaseBytes };
}
