/** What a machine is to run, on its way: in pieces, for the machine that asks, and whole, for one that is reached by hand. */
import { chunkOf } from '../shared/trust/chunks.ts';
import { encodeEnvelope } from '../shared/trust/dsse.ts';
import type { Chunk } from '../shared/wire/live.ts';
import type { ModelVersion } from './api.ts';
import type { Handover } from './exchange/contract.ts';
import type { Manifests } from './manifests.ts';
import { noModels, type Standing } from './model-placing.ts';
import type { ModelVersions } from './model-versions.ts';
import type { AgentId, Documents } from './store/store.ts';

export interface ChunksFrom {
  readonly manifests: Pick<Manifests, 'names'>;
  readonly state: Pick<Standing, 'get'>;
  readonly versions: Pick<ModelVersions, 'get'>;
  readonly documents: Pick<Documents, 'getBlob'>;
}

/** A piece of a release or content that this agent's manifest names; null for all else. */
export async function chunkFor(
  { manifests, state, versions, documents }: ChunksFrom,
  agent: AgentId,
  sha256: string,
  index: number,
): Promise<Chunk | null> {
  if (!manifests.names(agent, sha256)) {
    const { desired, beside = {} } = state.get(agent) ?? noModels;
    const numbers = [...Object.values(desired), ...Object.values(beside)];
    const named = await Promise.all(numbers.map((version) => versions.get(version)));
    if (!named.some((version) => version?.contentSha256 === sha256)) return null;
  }
  const blob = await documents.getBlob(sha256);
  return blob === null ? null : chunkOf(blob, sha256, index);
}

/** What would reach the agent over its connection. */
export function handoverOf(
  manifests: Pick<Manifests, 'envelope' | 'releases' | 'configuration'>,
  agent: AgentId,
  known: readonly ModelVersion[],
): Handover {
  const envelope = manifests.envelope(agent);
  const contentOf = (sha256: string) => known.find((model) => model.releaseSha256 === sha256)?.contentSha256 ?? '';
  const named = manifests.releases(agent).map(({ releaseSha256 }) => releaseSha256);
  const releases = named.map((releaseSha256) => ({ releaseSha256, contentSha256: contentOf(releaseSha256) }));
  const manifest = envelope === null ? null : encodeEnvelope(envelope);
  return { manifest, releases: releases.concat(manifests.configuration(agent) ?? []) };
}
