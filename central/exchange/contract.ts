/** What messages that came by hand ask of the central. Types alone, and of nothing that only a server has: the pages see them. */
import type { Reported } from '../../shared/trust/messages.ts';
import type { AgentId } from '../store/store.ts';

/** Which export of an agent a message is from (shared/trust/exchange.ts). */
export interface ExportId {
  readonly series: string;
  readonly number: number;
}

/** What an agent is to run, with the blobs that it needs for it. */
export interface Handover {
  /** Message of down/desired; null where there is none yet. */
  readonly manifest: Uint8Array | null;
  readonly releases: readonly {
    readonly releaseSha256: string;
    readonly contentSha256: string;
  }[];
}

export interface Exchange {
  /** The key of this one file. Throws `agent.unknown`, and `agent.retired`. */
  key(file: { readonly agent: AgentId; readonly direction: 'up' | 'down'; readonly salt: string }): Uint8Array;
  /** Commits an envelope; resolves with its acknowledgement, the payload of down/ack. */
  records(agent: AgentId, payload: Uint8Array): Promise<Uint8Array>;
  /** Takes in what the agent reported when it made this export; older news than what is known changes nothing. */
  reported(agent: AgentId, from: ExportId, reported: Reported): Promise<void>;
  handover(agent: AgentId): Promise<Handover>;
  /** A piece of a release or content that the agent's manifest names, the payload of down/chunk; null for all else. */
  chunk(agent: AgentId, sha256: string, index: number): Promise<Uint8Array | null>;
}
