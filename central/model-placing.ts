/** What each agent runs and is to run, and what of it a manifest names and a report refuses. */
import type { ManifestRelease, Reported } from '../shared/trust/messages.ts';
import type { ModelVersion } from './api.ts';
import type { ReleaseSigning } from './keys/release-signing.ts';
import type { Manifests } from './manifests.ts';
import type { ModelVersions } from './model-versions.ts';
import type { Placing } from './rollout/service.ts';
import type { AgentId, Documents } from './store/store.ts';

type Versions = Readonly<Record<string, number>>;

/** Versions by slot. */
export interface AgentModels {
  readonly running: Versions;
  readonly desired: Versions;
  /** To run beside what runs; see `rollout/stages.ts`. */
  readonly beside?: Versions;
  readonly fromMs: number;
  readonly toMs: number;
}

export const noModels: AgentModels = { running: {}, desired: {}, fromMs: 0, toMs: 0 };

/** What must not be forgotten, of any kind. */
export function versionsInUse({ running, desired, beside = {} }: AgentModels): number[] {
  return [running, desired, beside].flatMap((versions) => Object.values(versions));
}

export class Standing {
  readonly #from: { readonly documents: Documents; readonly versions: ModelVersions };
  readonly #manifests: Manifests;
  readonly #signing: ReleaseSigning;
  readonly #state = new Map<AgentId, AgentModels>();

  constructor(documents: Documents, versions: ModelVersions, manifests: Manifests, signing: ReleaseSigning) {
    this.#from = { documents, versions };
    this.#manifests = manifests;
    this.#signing = signing;
  }

  get(agent: AgentId): AgentModels | undefined {
    return this.#state.get(agent);
  }

  agents(): readonly AgentId[] {
    return [...this.#state.keys()];
  }

  /** It is so on the disk. */
  set(agent: AgentId, state: AgentModels): void {
    this.#state.set(agent, state);
  }

  async save(agent: AgentId, state: AgentModels): Promise<void> {
    if (JSON.stringify(this.#state.get(agent)) === JSON.stringify(state)) return;
    await this.#from.documents.put('model-state', agent, state);
    this.#state.set(agent, state);
  }

  /** What the machine would go on with. */
  async good(agent: AgentId, slot: string): Promise<number | null> {
    const { desired, running } = this.#state.get(agent) ?? noModels;
    for (const version of [desired[slot], running[slot]]) {
      const state = version === undefined ? undefined : (await this.#from.versions.get(version))?.state;
      if (state !== undefined && state !== 'refused' && state !== 'reverted') return version!;
    }
    return null;
  }

  /** Does what a rollout, or a pin, asks for. */
  async place({ agent, slot, main, beside, reason, reverted }: Placing): Promise<void> {
    const state = this.#state.get(agent) ?? noModels;
    const { [slot]: _, ...others } = state.beside ?? {};
    const desired = main === null ? state.desired : { ...state.desired, [slot]: main };
    await this.save(agent, { ...state, desired, beside: beside === null ? others : { ...others, [slot]: beside } });
    if (reverted !== null) await this.#from.versions.advance(reverted, { type: 'reverted', reason });
    if (main !== null) await this.#from.versions.advance(main, { type: 'placed', reason });
    await this.name(agent);
  }

  /** Publishes a manifest that names what the agent is to run, unless the latest does: a stop may have come between. */
  async name(agent: AgentId): Promise<void> {
    const { desired, beside } = this.#state.get(agent) ?? noModels;
    const { documents, versions } = this.#from;
    const from = {
      documents,
      get: (version: number) => versions.get(version),
      inForce: (model: ModelVersion) => this.#signing.inForce(model),
    };
    await this.#manifests.name(agent, await releasesOf(desired, from), await releasesOf(beside, from));
  }
}

/** What a manifest names for these versions, as far as their releases are here. */
async function releasesOf(
  versions: Versions = {},
  from: {
    readonly documents: Documents;
    get(version: number): Promise<ModelVersion | null>;
    /** Hash of the release as agents accept it now. */
    inForce(model: ModelVersion): Promise<string>;
  },
): Promise<ManifestRelease[]> {
  const releases: ManifestRelease[] = [];
  for (const [slot, version] of Object.entries(versions)) {
    const model = await from.get(version);
    const releaseSha256 = model === null ? '' : await from.inForce(model);
    const envelope = await from.documents.getBlob(releaseSha256);
    if (envelope !== null) releases.push({ slot, releaseSha256, releaseBytes: envelope.length });
  }
  return releases;
}

interface Refused {
  readonly version: number;
  readonly type: 'refused' | 'reverted';
  readonly reason: string;
}

/** That the agent took the version back by itself; null where it did not. */
export function takenBack(
  { reverted = [] }: Pick<Reported, 'reverted'>,
  { releaseSha256 }: Pick<ModelVersion, 'releaseSha256'>,
): { type: 'reverted'; reason: string } | null {
  const taken = reverted.find((each) => each.releaseSha256 === releaseSha256);
  return taken === undefined ? null : { type: 'reverted', reason: `The machine took it back: ${taken.reason}` };
}

/** Desired versions that the agent will not run, and why: it refuses them, or took them back. */
export function refusedOf(
  reported: Pick<Reported, 'refusals' | 'reverted'>,
  wanted: readonly ModelVersion[],
  manifestVersion: number,
): Refused[] {
  return wanted.flatMap<Refused>((model) => {
    const { version, releaseSha256, contentSha256 } = model;
    const taken = takenBack(reported, model);
    if (taken !== null) return [{ version, ...taken }];
    const names = [`manifest:${manifestVersion}`, `release:${releaseSha256}`, `content:${contentSha256}`];
    const refusal = reported.refusals.find(({ what }) => names.includes(what));
    return refusal === undefined ? [] : [{ version, type: 'refused', reason: `${refusal.code}: ${refusal.message}` }];
  });
}

/** The newest version of all slots: trained for the windows that the agent makes now. */
export function newest(versions: Readonly<Record<string, number>> | undefined): number | null {
  const all = Object.values(versions ?? {});
  return all.length === 0 ? null : Math.max(...all);
}
