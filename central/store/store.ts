/**
 * The contract of the central's store. `commit` is one atomic write of data and ranges that decides alone what is new.
 *
 * Keys: agent number, minute, epoch, seq; a re-dated window never overwrites another. Values keep the wire's columns:
 * first a blob per agent and minute, rewritten hourly into chunks by series; rollups by hour and day are rebuilt from
 * what they cover, never incremented.
 */
import type { Incident, StateEvent } from '../../shared/findings.ts';
import type { SeriesId, SeriesKey } from '../../shared/series.ts';
import type { GroupCoMoments } from '../../shared/wire/co-moments.ts';
import type { SeqRanges } from '../../shared/wire/ranges.ts';

export type AgentId = string;
/** 32 hex digits. */
export type EpochId = string;

/** A record as ingest hands it over: checked, dated, its body decoded where the kind is known. */
export interface IncomingRecord {
  readonly seq: number;
  /** CRC-32C of its frame: one key with two CRCs is a clone. */
  readonly crc: number;
  /** When it was made, Unix ms, as ingest dated it; for windows the window's end. */
  readonly timeMs: number;
  /** False when the date is a guess between neighbours. */
  readonly dated: boolean;
  /** Boot in which it was made, 32 hex digits, and when by that boot's clock; absent of what could not be read. */
  readonly boot?: string;
  readonly monotonicMs?: number;
  /** The whole Record message, kept as it is. */
  readonly record: Uint8Array;
  readonly content: RecordContent;
}

export type RecordContent =
  | { readonly kind: 'table'; readonly hash: string; readonly series: readonly TableSeries[] }
  | {
      readonly kind: 'summary' | 'rollup';
      /** hex, 16 digits */
      readonly table: string;
      readonly lengthMs: number;
      readonly nominalMs: number;
      readonly first: number;
      readonly columns: Uint8Array;
    }
  | { readonly kind: 'events'; readonly events: readonly StateEvent[] }
  | { readonly kind: 'incident'; readonly incident: Incident }
  | {
      readonly kind: 'gap';
      readonly epoch: EpochId;
      readonly ranges: SeqRanges;
      readonly cause: string;
      readonly fromMs: number;
      readonly toMs: number;
    }
  | {
      readonly kind: 'epoch';
      readonly parent: EpochId | null;
      readonly parentFinalSeq: number;
      readonly start: number;
      readonly volatile: boolean;
    }
  | { readonly kind: 'document'; readonly name: 'inventory' | 'top' | 'applied'; readonly json: unknown }
  | {
      readonly kind: 'evidence';
      readonly incidentEpoch: EpochId;
      readonly incidentSeq: number;
      readonly body: Uint8Array;
    }
  /** An hour of a group, or a part of it; the body was decoded once, and is kept as it came. */
  | { readonly kind: 'coMoments'; readonly lengthMs: number; readonly body: Uint8Array }
  /** A kind that this version does not know: stored as it is and acknowledged. */
  | { readonly kind: 'unknown'; readonly number: number }
  /** Good CRC and a bad body: kept with its bytes and the reason, settled. */
  | { readonly kind: 'poison'; readonly reason: string };

export interface TableSeries extends SeriesKey {
  readonly id: SeriesId;
}

export interface Batch {
  readonly agent: AgentId;
  readonly epoch: EpochId;
  readonly bootId: string;
  readonly receivedMs: number;
  /** Of this epoch, as the envelope says. */
  readonly highestSeq: number;
  readonly held: SeqRanges;
  readonly records: readonly IncomingRecord[];
  /** Rows of the agent's boots that changed; written with the records that were dated by them. */
  readonly boots?: readonly StoredBoot[];
  readonly sizeBytes: number;
}

/** What is kept of a boot, from which its records are dated; the store looks at the id alone. */
export interface StoredBoot {
  /** 32 hex digits. */
  readonly id: string;
}

/** When the records of a boot were made, as it is known now. */
export interface Refiling {
  readonly utcMs: (monotonicMs: number) => number;
  /** False where it is a place between neighbours. */
  readonly dated: boolean;
}

export interface CommitResult {
  /** The full set of settled seqs of the epoch after this commit (committed, quarantined). */
  readonly settled: SeqRanges;
  readonly stored: number;
  readonly duplicates: number;
  /** Seqs that came with another CRC than the stored one; they were quarantined. */
  readonly conflicts: readonly number[];
  /** Tables that summaries of this batch name and the store lacks; those summaries are not settled. */
  readonly needTables: readonly string[];
  /** Something was noted of who this agent is: see `identity`. */
  readonly identityChanged?: true;
}

export type Resolution = 'minute' | 'hour' | 'day';

/** Columns of one series over time; NaN where a value is missing. Times are window ends, Unix ms, rising. */
export interface SeriesColumns {
  readonly series: SeriesId;
  readonly timesMs: Float64Array;
  readonly lengthsMs: Float64Array;
  readonly count: Float64Array;
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly last: Float64Array;
  /** Share of the window's samples that were findings, 0…1. */
  readonly anomalyShare: Float64Array;
  /** Highest surprise of the window, bits. */
  readonly highestScore: Float64Array;
}

/** What one record says of a group; `timeMs` is when its last window ended. */
export interface StoredCoMoments extends GroupCoMoments {
  readonly timeMs: number;
}

/** A block of history for training: one agent, one series, many windows. */
export interface SummaryBlock extends SeriesColumns {
  readonly agent: AgentId;
  readonly key: SeriesKey;
}

/** Windows whose end lies in (fromMs, toMs]; events and incidents in [fromMs, toMs], both ends included. */
export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface SummaryQuery extends TimeRange {
  readonly agents?: readonly AgentId[];
  readonly series?: readonly SeriesId[];
  readonly resolution: Resolution;
}

/** One epoch's row of the ledger; made = committed + quarantined + lost + pending. */
export interface LedgerRow {
  readonly epoch: EpochId;
  readonly parent: EpochId | null;
  readonly start: number;
  readonly volatile: boolean;
  readonly made: number;
  readonly committed: number;
  readonly quarantined: number;
  readonly pending: number;
  readonly lost: number;
  readonly lostByCause: Readonly<Record<string, number>>;
  /** Counted apart. */
  readonly duplicates: number;
  /** Records that contradicted a stored one under its key; set aside, and counted apart. */
  readonly conflicts: number;
  /** Its end is known (a successor stated it; of one in memory, its silence) and nothing of it is pending. */
  readonly settled: boolean;
  /** Boot in which it began; null while that is not known. */
  readonly boot: string | null;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** The sum of an agent's rows. */
export interface LedgerTotals
  extends Pick<
    LedgerRow,
    'made' | 'committed' | 'quarantined' | 'pending' | 'lost' | 'lostByCause' | 'duplicates' | 'conflicts'
  > {
  readonly epochs: number;
}

/**
 * Why minutes are missing. `power_cut`: another boot without a word; `crash`: the same boot, another start without a
 * word; `stopped`: the agent said so. Then the causes of gap records, `clock` where the only records near have a
 * guessed time, and `unknown`.
 */
export const missingCauses = [
  'power_cut',
  'crash',
  'stopped',
  'overflow',
  'corrupt',
  'disk_full',
  'purged',
  'refused',
  'volatile',
  'expired',
  'other',
  'clock',
  'unknown',
] as const;
export type MissingCause = (typeof missingCauses)[number];

/** Minutes of one kind in a row. */
export interface CoverageSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly state: 'covered' | 'pending' | 'missing';
  /** Covered by windows whose place in time is a guess. */
  readonly uncertain?: true;
  /** Of missing ones. */
  readonly cause: MissingCause | null;
}

export interface CoverageDay {
  /** Unix ms of the day's start, UTC. */
  readonly dayMs: number;
  readonly covered: number;
  /** Of these: minutes whose place in time is a guess; absent for none. */
  readonly uncertain?: number;
  readonly pending: number;
  readonly missing: number;
  readonly missingByCause: Readonly<Partial<Record<MissingCause, number>>>;
  readonly spans: readonly CoverageSpan[];
}

/** What speaks against one machine behind an agent's id, as the records say it; `identity.ts` judges. */
export interface IdentityFinding {
  readonly kind: 'clone' | 'rolled_back' | 'replaced' | 'conflict';
  /** The branches: the first epoch of each, the oldest first. */
  readonly epochs: readonly { readonly epoch: EpochId; readonly boot: string | null; readonly firstMs: number }[];
  /** The epoch that the branches have in common. */
  readonly parent: EpochId | null;
  /** When the central noticed. */
  readonly sinceMs: number;
}

/** A record that was set aside; its bytes may be gone by age or size, then it is only counted. */
export interface QuarantinedRecord {
  readonly epoch: EpochId;
  readonly seq: number;
  readonly crc: number;
  readonly reason: string;
  readonly record: Uint8Array;
  readonly timeMs: number;
}

/** What a recount from the stored data found. */
export interface LedgerCheck {
  readonly epochs: number;
  /** Single records that were found again. */
  readonly records: number;
  /** Records of which only ranges are left, by age. */
  readonly thinned: number;
  /** What differs, in words; bounded. Empty where the ledger is right. */
  readonly problems: readonly string[];
}

export interface LatestSeries extends TableSeries {
  readonly timeMs: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly last: number;
  readonly anomalyShare: number;
  readonly highestScore: number;
}

export interface StoreStats {
  readonly diskBytes: number;
  readonly wireBytes: number;
  readonly freeBytes: number;
  /** Days that the disk will last at the rate of the last day; null while unknown. */
  readonly daysLeft: number | null;
  readonly agents: number;
  readonly series: number;
  readonly oldestMs: number | null;
}

export interface Store {
  commit(batch: Batch): Promise<CommitResult>;
  settled(agent: AgentId, epoch: EpochId): Promise<SeqRanges>;

  /** Series that an agent has ever had, with their latest window. */
  latest(agent: AgentId): Promise<readonly LatestSeries[]>;
  query(
    agent: AgentId,
    series: readonly SeriesId[],
    range: TimeRange,
    resolution: Resolution,
  ): Promise<readonly SeriesColumns[]>;
  summaries(query: SummaryQuery): AsyncIterable<SummaryBlock>;
  incidents(
    query: TimeRange & { agent?: AgentId; state?: 'open' | 'closed'; limit?: number },
  ): Promise<readonly StoredIncident[]>;
  events(agent: AgentId, range: TimeRange, limit: number): Promise<readonly StateEvent[]>;
  /** Latest inventory, top processes, applied models. */
  document(agent: AgentId, name: 'inventory' | 'top' | 'applied'): Promise<{ timeMs: number; json: unknown } | null>;
  /** Of all groups, by hour; several of one hour are parts of it. */
  coMoments(agent: AgentId, range: TimeRange): AsyncIterable<StoredCoMoments>;
  evidence(agent: AgentId, epoch: EpochId, seq: number): Promise<readonly Uint8Array[]>;
  /** The series of a table that this agent sent, in its order; null when it is not known. Evidence names series by it. */
  table(agent: AgentId, hash: string): Promise<readonly TableSeries[] | null>;
  ledger(agent: AgentId): Promise<readonly LedgerRow[]>;
  /** The sum over all epochs; costs nothing that grows with them. */
  ledgerTotals(agent: AgentId): Promise<LedgerTotals>;
  /** Counts an agent's records again from what is stored, and compares with the rows. */
  verifyLedger(agent: AgentId): Promise<LedgerCheck>;
  coverage(agent: AgentId, range: TimeRange): Promise<readonly CoverageDay[]>;
  quarantine(agent: AgentId): Promise<readonly QuarantinedRecord[]>;
  identity(agent: AgentId): Promise<readonly IdentityFinding[]>;

  /** Rows as batches, or `saveBoots`, brought them. */
  boots(agent: AgentId): Promise<readonly StoredBoot[]>;
  saveBoots(agent: AgentId, rows: readonly StoredBoot[]): Promise<void>;
  /**
   * Files what came of a boot anew, where its time is known better now: each window in its right minute, once; rollups
   * and coverage follow. Safe to stop anywhere and to do again. Resolves with the number of records that were moved.
   */
  refile(agent: AgentId, boot: string, refiling: Refiling, signal: AbortSignal): Promise<number>;
  /** Hourly work: rewrite into chunks, rebuild rollups, drop what is too old or too much. Safe to stop anywhere. */
  maintain(nowMs: number, signal: AbortSignal): Promise<void>;
  /** Deletes all of an agent's data. */
  purge(agent: AgentId): Promise<void>;
  stats(): Promise<StoreStats>;
  /** Small documents of the central itself (agents, tokens, models, rollouts, audit), in namespaces. */
  readonly documents: Documents;
  close(): Promise<void>;
}

export interface StoredIncident extends Incident {
  readonly agent: AgentId;
}

/** JSON documents and blobs of the central, durable when the promise resolves. */
export interface Documents {
  get<T>(namespace: string, key: string): Promise<T | null>;
  put(namespace: string, key: string, value: unknown): Promise<void>;
  /** All in one atomic write; a null value deletes. */
  putAll(changes: readonly { namespace: string; key: string; value: unknown }[]): Promise<void>;
  list<T>(
    namespace: string,
    range?: { after?: string; limit?: number; reverse?: boolean },
  ): Promise<readonly { key: string; value: T }[]>;
  getBlob(hash: string): Promise<Uint8Array | null>;
  /** Stores a blob under its SHA-256 (hex). */
  putBlob(hash: string, bytes: Uint8Array): Promise<void>;
  deleteBlob(hash: string): Promise<void>;
}
