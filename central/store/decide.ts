/**
 * What a batch means, pure: which of its records are new, which are known, which contradict what is known, and which
 * have to wait for their table. Both stores decide by this and then write in their own way.
 */

import { messageOf, PicketError } from '../../shared/errors.ts';
import { AGENT_STATE, AGENT_STOPPED } from '../../shared/findings.ts';
import { limits, MINUTE_MS } from '../../shared/limits.ts';
import { decodeColumns } from '../../shared/wire/columns.ts';
import { checkedRanges, contains, type SeqRanges, unite } from '../../shared/wire/ranges.ts';
import type { WindowColumns } from '../../shared/wire/summary.ts';
import { type IdentityNotes, noteConflict, noteEpoch } from './identity.ts';
import {
  type EpochLedger,
  noteFinal,
  noteGap,
  noteReport,
  noteSettled,
  noteStart,
  rangesOf,
  settledOf,
} from './ledger.ts';
import type { Batch, EpochId, IncomingRecord, RecordContent } from './store.ts';

export type WindowContent = Extract<RecordContent, { kind: 'summary' | 'rollup' }>;
export type ContentOf<K extends RecordContent['kind']> = Extract<RecordContent, { kind: K }>;

/** Latest time that a key can hold and that a real clock could say (2106); later ones are refused. */
const LATEST_MS = 2 ** 32 * 1000;
/** Seqs are 48 bits in the keys. */
const HIGHEST_SEQ = 2 ** 48 - 1;
/** Longest window: a day. */
const LONGEST_WINDOW_MS = 24 * 60 * MINUTE_MS;

/** Series that one agent may ever have; a table that would pass it is quarantined. */
export const MAX_SERIES = limits.seriesPerTable * 8;

/** What is known of a table: the number of its series, or that it was quarantined. */
export type TableState = { readonly length: number } | 'refused';

export interface Known {
  /** The epoch's ledger before the batch. */
  readonly ledger: EpochLedger;
  /** CRCs of the seqs of `repeatedSeqs`; a seq without one was thinned and cannot be compared. */
  readonly crcs: ReadonlyMap<number, number>;
  /** Whether this seq was quarantined with this CRC after another had been stored. */
  readonly isKnownConflict: (seq: number, crc: number) => boolean;
  readonly table: (hash: string) => TableState | null;
  /** Series of the agent after those that this table would add. */
  readonly seriesAfter: (table: ContentOf<'table'>) => number;
}

export interface Accepted {
  readonly record: IncomingRecord;
  /** Of summaries and rollups. */
  readonly columns: WindowColumns | null;
}

export interface Refused {
  readonly record: IncomingRecord;
  readonly reason: string;
  /** It contradicts what was stored under its key, which stays as it is. */
  readonly conflict: boolean;
}

export interface Decision {
  /** New and good, tables first, then by seq. */
  readonly accepted: readonly Accepted[];
  /** To be kept with their bytes: poison and contradictions. */
  readonly refused: readonly Refused[];
  readonly refusedTables: readonly string[];
  /** Tables that were settled before and are not there any more: taken back in, and counted as duplicates. */
  readonly restoredTables: readonly ContentOf<'table'>[];
  readonly conflicts: readonly number[];
  readonly needTables: readonly string[];
  readonly duplicates: number;
  /** The ledger after the batch. */
  readonly ledger: EpochLedger;
}

/** Throws `payload.invalid` where a batch is not what ingest may hand over. */
export function checkBatch(batch: Batch): void {
  const fail = (what: string): never => {
    throw new PicketError('payload.invalid', `batch of agent ${batch.agent}: ${what}`);
  };
  if (!/^[0-9a-f]{32}$/.test(batch.epoch)) fail('the epoch is not 32 hex digits');
  if (!isSeq(batch.highestSeq) && batch.highestSeq !== 0) fail(`highest seq ${batch.highestSeq} is out of range`);
  if (checkedRanges(batch.held) === null) fail('held ranges are not sorted and disjoint');
  for (const record of batch.records) {
    if (!isSeq(record.seq)) fail(`seq ${record.seq} is out of range`);
    if (!isTime(record.timeMs)) fail(`record ${record.seq} has time ${record.timeMs}`);
  }
}

/** Seqs of the batch that are settled already: their CRCs are wanted. */
export function repeatedSeqs(batch: Batch, ledger: EpochLedger): number[] {
  const settled = settledOf(ledger);
  return batch.records.filter(({ seq }) => contains(settled, seq)).map(({ seq }) => seq);
}

export function decide(batch: Batch, known: Known): Decision {
  const accepted: Accepted[] = [];
  const refused: Refused[] = [];
  const refusedTables: string[] = [];
  const restoredTables: ContentOf<'table'>[] = [];
  const conflicts = new Set<number>();
  const needTables = new Set<string>();
  const settledBefore = settledOf(known.ledger);
  /** CRCs of what this batch itself settled. */
  const fresh = new Map<number, number>();
  const committed: number[] = [];
  const quarantined: number[] = [];
  const conflictsNow = new Set<string>();
  const tablesNow = new Map<string, TableState>();
  let duplicates = 0;
  let firstMs = Number.POSITIVE_INFINITY;
  let lastMs = 0;
  let undated = 0;
  let stoppedMs = 0;

  const refuse = (record: IncomingRecord, reason: string): void => {
    refused.push({ record, reason, conflict: false });
    quarantined.push(record.seq);
    fresh.set(record.seq, record.crc);
  };

  // Tables first: a summary may stand before the table that came with it.
  for (const record of [...batch.records].sort(tablesFirst)) {
    const { seq, crc, content } = record;
    const before = fresh.get(seq) ?? (contains(settledBefore, seq) ? (known.crcs.get(seq) ?? crc) : undefined);
    if (before !== undefined) {
      if (content.kind === 'table' && !tablesNow.has(content.hash) && known.table(content.hash) === null) {
        // It was pruned, or its key is another's: the agent sends it again because a summary needs it, and a table is what
        // its hash says under whatever key.
        const fits = known.seriesAfter(content) <= MAX_SERIES;
        tablesNow.set(content.hash, fits ? { length: content.series.length } : 'refused');
        if (fits) restoredTables.push(content);
        else refusedTables.push(content.hash);
      }
      if (before === crc) {
        duplicates++;
        continue;
      }
      conflicts.add(seq);
      if (known.isKnownConflict(seq, crc) || conflictsNow.has(`${seq}/${crc}`)) duplicates++;
      else {
        conflictsNow.add(`${seq}/${crc}`);
        const reason = `another record with seq ${seq} and CRC ${hex32(before)} was stored before`;
        refused.push({ record, reason, conflict: true });
      }
      continue;
    }
    let columns: WindowColumns | null = null;
    if (content.kind === 'table' && known.seriesAfter(content) > MAX_SERIES) {
      refuse(record, `its series would make more than ${MAX_SERIES} of this agent`);
      tablesNow.set(content.hash, 'refused');
      refusedTables.push(content.hash);
      continue;
    }
    if (content.kind === 'table') tablesNow.set(content.hash, { length: content.series.length });
    if (content.kind === 'summary' || content.kind === 'rollup') {
      const table = tablesNow.get(content.table) ?? known.table(content.table);
      if (table === null) {
        needTables.add(content.table);
        continue;
      }
      const result =
        table === 'refused' ? `its table ${content.table} was refused` : checkedColumns(content, table.length);
      if (typeof result === 'string') {
        refuse(record, result);
        continue;
      }
      columns = result;
    }
    const problem = content.kind === 'poison' ? content.reason : contentProblem(content, seq);
    if (problem !== null) {
      refuse(record, problem);
      continue;
    }
    accepted.push({ record, columns });
    fresh.set(seq, crc);
    committed.push(seq);
    if (!record.dated) undated++;
    if (content.kind === 'events') stoppedMs = Math.max(stoppedMs, stopOf(content));
    if (record.timeMs < firstMs) firstMs = record.timeMs;
    if (record.timeMs > lastMs) lastMs = record.timeMs;
  }

  const ledger = noteReport(
    noteSettled(known.ledger, {
      committed: rangesOf(committed),
      quarantined: rangesOf(quarantined),
      duplicates,
      conflicts: conflictsNow.size,
      undated,
      stoppedMs,
      span: committed.length === 0 ? null : { firstMs, lastMs },
    }),
    Math.max(batch.highestSeq, ...batch.records.map(({ seq }) => seq)),
    presentSeqs(batch),
    batch.receivedMs,
  );
  return {
    accepted,
    refused,
    refusedTables,
    restoredTables,
    conflicts: [...conflicts].sort((a, b) => a - b),
    needTables: [...needTables],
    duplicates,
    ledger: accepted.reduce(noteOwnStart, ledger),
  };
}

/** Where the ledgers of other epochs and the notes of identity are kept while a batch is taken in. */
export interface LedgerDesk {
  get(epoch: EpochId): EpochLedger;
  put(ledger: EpochLedger): void;
  notes(): IdentityNotes;
  putNotes(notes: IdentityNotes): void;
}

/** What a batch says of other epochs (its gaps, its epoch's start), and of who its agent is. */
export function noteOthers(batch: Batch, decision: Decision, desk: LedgerDesk): void {
  for (const { record } of decision.accepted) {
    const { content } = record;
    if (content.kind === 'gap') desk.put(noteGap(desk.get(content.epoch), content.ranges, content.cause));
    if (content.kind !== 'epoch') continue;
    const { parent, start } = content;
    let sibling: EpochId | null = null;
    if (parent !== null) {
      const before = desk.get(parent);
      sibling = before.child;
      const child = sibling === null && !content.volatile ? batch.epoch : sibling;
      desk.put(noteFinal({ ...before, child }, content.parentFinalSeq));
    }
    if (content.volatile) continue;
    const begun = { epoch: batch.epoch, parent, start, receivedMs: batch.receivedMs };
    desk.putNotes(noteEpoch(desk.notes(), begun, sibling));
  }
  if (decision.conflicts.length > 0) desk.putNotes(noteConflict(desk.notes(), batch.epoch, batch.receivedMs));
}

/** Epochs that `noteOthers` will ask for. */
export function otherEpochs(batch: Batch): EpochId[] {
  const out: EpochId[] = [];
  for (const { content } of batch.records) {
    if (content.kind === 'gap') out.push(content.epoch);
    if (content.kind === 'epoch' && content.parent !== null) out.push(content.parent);
  }
  return out;
}

function noteOwnStart(ledger: EpochLedger, { record }: Accepted): EpochLedger {
  return record.content.kind === 'epoch' ? noteStart(ledger, record.content, record.boot ?? null) : ledger;
}

/** What came in the envelope was held when it was sent, settled now or waiting for its table. */
function presentSeqs(batch: Batch): SeqRanges {
  return unite(batch.held, rangesOf(batch.records.map(({ seq }) => seq)));
}

function tablesFirst(a: IncomingRecord, b: IncomingRecord): number {
  const rank = (record: IncomingRecord): number => (record.content.kind === 'table' ? 0 : 1);
  return rank(a) - rank(b) || a.seq - b.seq;
}

function checkedColumns(content: WindowContent, tableLength: number): WindowColumns | string {
  const { lengthMs, nominalMs, first } = content;
  if (!(lengthMs >= 0 && lengthMs <= LONGEST_WINDOW_MS)) return `a window of ${lengthMs} ms`;
  if (!(nominalMs > 0 && nominalMs <= LONGEST_WINDOW_MS)) return `a nominal window of ${nominalMs} ms`;
  if (!Number.isSafeInteger(first) || first < 0) return `first series ${first}`;
  try {
    const columns = decodeColumns(content.columns, limits.seriesPerTable);
    return first + columns.length <= tableLength
      ? columns
      : `columns of series ${first} to ${first + columns.length - 1} in a table of ${tableLength}`;
  } catch (error) {
    return messageOf(error);
  }
}

/** When the agent says in these events that it stops; 0 where it does not. */
function stopOf({ events }: ContentOf<'events'>): number {
  const stops = events.filter(({ key, to }) => key.name === AGENT_STATE && to === AGENT_STOPPED);
  return Math.max(0, ...stops.map(({ atMs }) => atMs));
}

/** What is wrong with a body, or null. */
function contentProblem(content: RecordContent, seq: number): string | null {
  switch (content.kind) {
    case 'gap':
      if (!isEpoch(content.epoch)) return `a gap in epoch "${content.epoch}"`;
      return checkedRanges(content.ranges) === null || content.ranges.some(([, to]) => to > HIGHEST_SEQ)
        ? 'a gap whose ranges are not sorted and disjoint'
        : null;
    case 'epoch':
      // More than one in an epoch would put it into the chain at several places (edge.proto, EpochStart).
      if (seq !== 1) return `the start of an epoch as its record ${seq}`;
      if (content.parent !== null && !isEpoch(content.parent)) return `a parent epoch "${content.parent}"`;
      return content.parentFinalSeq >= 0 && content.parentFinalSeq <= HIGHEST_SEQ ? null : 'a final seq out of range';
    case 'incident': {
      const { epoch, seq, openedMs } = content.incident;
      return isEpoch(epoch) && isSeq(seq) && isTime(openedMs) ? null : 'an incident without a proper key or time';
    }
    case 'evidence':
      return isEpoch(content.incidentEpoch) && isSeq(content.incidentSeq) ? null : 'evidence of no proper incident';
    case 'events':
      return content.events.every(({ atMs }) => isTime(atMs)) ? null : 'an event without a proper time';
    default:
      return null;
  }
}

/** 32 hex digits. */
export function isEpoch(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

/** A seq that the keys can hold. */
export function isSeq(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1 && value <= HIGHEST_SEQ;
}

/** A time that the keys can hold, Unix ms. */
export function isTime(value: number): boolean {
  return Number.isFinite(value) && value >= 0 && value < LATEST_MS;
}

function hex32(value: number): string {
  return value.toString(16).padStart(8, '0');
}
