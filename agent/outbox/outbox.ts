/**
 * The contract of the outbox: where records wait, on the agent's own disk, until the central has committed them.
 *
 * Constraints that every implementation holds (design, "The channel"):
 * - seqs of an epoch count from 1 without holes; seq 1 is the outbox's own EPOCH record.
 * - a record is shown by `peek` only when it is durable.
 * - what is deleted unacknowledged is named by a GAP record, written in the same batch as the deletion.
 * - acknowledged records go first and leave no trace; then detail, rollups, incidents. Control records (EPOCH, GAP) and
 *   tables that a held record names are never thinned.
 * - the size on disk is bounded by the configured number of bytes.
 */
import type { SeqRanges } from '../../shared/wire/ranges.ts';

/** 32 lower-case hex digits. */
export type EpochId = string;

/** With the agent's name, a record's key for ever. */
export interface RecordKey {
  readonly epoch: EpochId;
  readonly seq: number;
}

/** What a record is to the thinning order and to the lanes; not to be confused with its kind. */
export const recordClasses = ['control', 'table', 'incident', 'rollup', 'detail'] as const;
export type RecordClass = (typeof recordClasses)[number];

/** A place in the order of records: by the epoch's place in the chain, then by seq. `start` is before all. */
export interface Cursor {
  /** start counter of the epoch */
  readonly start: number;
  readonly seq: number;
}
export const beginning: Cursor = { start: 0, seq: 0 };

export function isAfter(a: Cursor, b: Cursor): boolean {
  return a.start > b.start || (a.start === b.start && a.seq > b.seq);
}

export interface Entry {
  readonly epoch: EpochId;
  readonly cursor: Cursor;
  readonly seq: number;
  readonly recordClass: RecordClass;
  /** The frame as it travels (shared/wire/frame.ts). */
  readonly frame: Uint8Array;
}

export interface EpochState {
  readonly epoch: EpochId;
  readonly start: number;
  readonly highestSeq: number;
  /** What can still be sent, acknowledged or not. */
  readonly held: SeqRanges;
  /** Of these, what the current belief says is settled. */
  readonly settled: SeqRanges;
  readonly volatile: boolean;
}

export interface OutboxStats {
  readonly pendingRecords: number;
  readonly pendingBytes: number;
  readonly diskBytes: number;
  readonly limitBytes: number;
  readonly gapRecords: number;
  readonly lostRecords: number;
  /** Since when the disk fails, and how; null while it works. */
  readonly failing: { readonly sinceMonotonicMs: number; readonly message: string } | null;
}

export interface Outbox {
  /** Appends a Record (protobuf bytes without frame); resolves with its key when it is durable. */
  append(record: Uint8Array, recordClass: RecordClass, options?: AppendOptions): Promise<RecordKey>;
  /** Forces the open group commit out now. */
  flush(): Promise<void>;
  /** The current epoch; it exists from the first append on. */
  epoch(): EpochId;
  /** After the newest durable record: what comes later is live. */
  position(): Cursor;
  /** Unsettled, durable records of the class after the cursor, oldest first, at most maxBytes of frames (at least one). */
  peek(recordClass: RecordClass, after: Cursor, maxBytes: number): Promise<readonly Entry[]>;
  /** All epochs of which records are held, oldest first. */
  epochs(): readonly EpochState[];
  held(epoch: EpochId): SeqRanges;
  /** The central has settled these. They may be deleted from now on, and are kept while space and time permit. */
  ack(epoch: EpochId, ranges: SeqRanges): Promise<void>;
  /** Replaces the belief about an epoch: exactly these are settled (the set of a new incarnation). */
  adopt(epoch: EpochId, settled: SeqRanges): Promise<void>;
  /** Forgets what every epoch's belief was (another incarnation was adopted); all that is held is pending again. */
  forgetSettled(): Promise<void>;
  /** The frame of a table record by its content hash, newest holder, or null. */
  table(hash: string): Promise<Entry | null>;
  /** Sets a record aside that the central does not answer; a GAP with cause `refused` takes its place. */
  refuse(epoch: EpochId, seq: number): Promise<void>;
  /** Begins a new epoch with the next append. */
  renewEpoch(): void;
  /** Small values that must survive with the records (incarnation, version floor, latest central time). */
  getMeta(key: string): Promise<Uint8Array | null>;
  setMeta(key: string, value: Uint8Array): Promise<void>;
  stats(): OutboxStats;
  close(): Promise<void>;
}

export interface AppendOptions {
  /** Synced at once rather than with the group (incidents). */
  readonly urgent?: boolean;
  /** Content hash (hex, 16 digits) of the table that this record names or, for a table, has. */
  readonly table?: string;
  /** Time span for a gap, should it be thinned. */
  readonly fromWallMs?: number;
  readonly toWallMs?: number;
}
