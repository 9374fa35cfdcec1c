/** What the apply stage is given, and what it tells. */
import type { Timers } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import type { BesideReport, Command, Release, Reported, SignedEnvelope } from '../../shared/trust/messages.ts';
import type { Supported } from '../../shared/trust/verify.ts';
import type { MemoryMeter } from './memory-watch.ts';

/** Where the stage keeps what must survive: small, durable when the promise resolves. */
export interface ApplyStore {
  /** The state document, or null at the first start. */
  readState(): Promise<Uint8Array | null>;
  writeState(bytes: Uint8Array): Promise<void>;
  getBlob(sha256: string): Promise<Uint8Array | null>;
  putBlob(sha256: string, bytes: Uint8Array): Promise<void>;
  /** Deletes all blobs but these. */
  keepBlobs(sha256s: ReadonlySet<string>): Promise<void>;
}

/** The part of `Reported` that this stage knows. */
export type ApplyReport = Pick<
  Reported,
  'manifestVersion' | 'applied' | 'supports' | 'refusals' | 'commandsDone' | 'keyList' | 'beside' | 'reverted'
>;

/** What runs two models of one slot at once; see `agent/models.ts`. */
export interface BesideRunner {
  /** From now on, beside what runs in the slot; null: what runs is on trial, with nothing to be held against. */
  compare(slot: string, content: Uint8Array | null, mode: 'shadow' | 'trial'): void;
  endComparison(slot: string): void;
  comparisons(): readonly Omit<BesideReport, 'mainSha256' | 'besideSha256'>[];
}

export interface ApplyOptions {
  readonly agent: string;
  /** raw ed25519 public key, base64, pinned at enrolment */
  readonly rootKey: string;
  /** The list of keys that came with the enrolment. */
  readonly enrolledKeys?: SignedEnvelope | undefined;
  readonly store: ApplyStore;
  readonly timers: Timers;
  readonly log: Log;
  readonly supports: readonly Supported[];
  /** Latest central time ever heard, Unix ms; null before the first. Judges expiry. */
  readonly centralMs: () => number | null;
  /** Best estimate of UTC, for what people read. */
  readonly utcMs: () => number;
  /** Publishes `{sha256, index}` on up/get. */
  readonly requestChunk: (sha256: string, index: number) => void;
  /** Resolves when so much may be fetched; rejects with the signal's reason. Not said: at once. */
  readonly affordable?: (sizeBytes: number, signal: AbortSignal) => Promise<void>;
  /** Something of the report changed; the caller adds the rest and publishes it on up/reported. */
  readonly report: (report: ApplyReport) => void;
  /**
   * Runs the content in its slot from now on. Throws to refuse; what ran before must then run on. `again`: it ran here
   * before, and is gone back to.
   */
  readonly activate: (slot: string, content: Uint8Array, release: Release, again?: boolean) => void | Promise<void>;
  /** What was activated is durable now. */
  readonly running?: (slot: string) => void;
  /** Nothing is to run in the slot any more. */
  readonly deactivate: (slot: string) => void;
  /** Runs models beside each other; not said: this agent cannot. */
  readonly beside?: BesideRunner;
  /** The memory of this process; not said: nobody looks at what a model takes of it. */
  readonly memory?: MemoryMeter;
  /** This agent's share of the fleet's notifications: at the start, and when a manifest says another. */
  readonly share?: (notificationsPerWeek: number) => void;
  readonly command: (command: Command) => void;
}
