/**
 * What an outbox needs of the thing that it keeps its bytes in: an ordered key-value shelf with atomic, durable
 * batches. `level.ts` has it on disk, `memory.ts` in memory, a simulation wherever it wants; the logic (`queue.ts`)
 * is the same over all of them.
 */
export type Op =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array };

/** What a visitor of a scan says: go on, stop, or go on at this later key. */
export type Step = 'on' | 'stop' | Uint8Array;

export interface Shelf {
  /** All of it or nothing, and durable when it resolves. After a rejection the shelf is used no more, but closed. */
  write(ops: readonly Op[]): Promise<void>;
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  /** Visits keys from `from` (inclusive) to `to` (exclusive) in byte order. The bytes may be kept, but not changed. */
  scan(from: Uint8Array, to: Uint8Array, visit: (key: Uint8Array, value: Uint8Array) => Step): Promise<void>;
  /** The keys alone, at most `max` of them. */
  keys(from: Uint8Array, to: Uint8Array, max: number): Promise<readonly Uint8Array[]>;
  /** Bytes that are taken, by the last measurement and what was written since; never far below the truth. */
  sizeBytes(): number;
  /** Measures. */
  measure(): Promise<number>;
  /** Gives back the space of what was deleted in this range. */
  compact(from: Uint8Array, to: Uint8Array): Promise<void>;
  /** Gives up something that is not a record (a copy kept for a person); false when there is no such thing. */
  spare(): Promise<boolean>;
  /** Whether a read that failed so says that the shelf itself is damaged; where this is not said, every one does. */
  isDamage?(error: unknown): boolean;
  /** The share of a size limit that records may fill: the rest is the shelf's own, for logs and while it compacts. */
  readonly usableShare: number;
  close(): Promise<void>;
}

/** Opens a shelf; `suspect` after a read that found the shelf itself damaged. Rejects while that is impossible. */
export type OpenShelf = (suspect: boolean) => Promise<Shelf>;
