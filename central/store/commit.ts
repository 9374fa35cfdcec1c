/**
 * One batch as operations of one atomic write: its data, its ranges, and all that is kept beside them. Nothing here
 * writes; several batches may be planned after each other and written together.
 */
import { HOUR_MS } from '../../shared/limits.ts';
import type { WindowColumns } from '../../shared/wire/summary.ts';
import type { AgentCache, Agents } from './agents.ts';
import { coMomentsKey, encodeStored } from './co-moments.ts';
import type { Operation, Reader } from './database.ts';
import {
  type Accepted,
  type ContentOf,
  decide,
  type Refused,
  repeatedSeqs,
  type TableState,
  type WindowContent,
} from './decide.ts';
import { bootRows, planFiled } from './filed.ts';
import { INCIDENT_NEWS, newsOf } from './incident-news.ts';
import { planIncident } from './incidents.ts';
import { documentKey, epochBytes, keyOf } from './keys.ts';
import { type EpochLedger, gapCauseOf, settledOf } from './ledger.ts';
import { planLedgers } from './plan-ledgers.ts';
import { placeOf, putRuns, runsOf, type SettledKey, storedCrcs } from './runs.ts';
import type { Batch, CommitResult, EpochId, IncomingRecord, TableSeries } from './store.ts';
import { hourOf, hourOfRollup, minuteOf } from './time.ts';
import {
  type CoveredMinutes,
  coverMinute,
  encodeCovered,
  encodeGapRow,
  encodeQuarantined,
  encodeWindow,
  minutesOf,
} from './values.ts';

/** A window that was just stored, for `latest`. */
export interface FreshWindow {
  readonly agent: string;
  readonly timeMs: number;
  readonly series: readonly TableSeries[];
  readonly numbers: readonly number[];
  readonly first: number;
  readonly columns: WindowColumns;
}

/** A row of the ledger before and after. */
export interface LedgerChange {
  readonly agent: string;
  readonly before: EpochLedger;
  readonly after: EpochLedger;
}

/** What is planned and not yet written; the planning of later batches looks here first. */
export class Plan {
  readonly operations: Operation[] = [];
  readonly fresh: FreshWindow[] = [];
  readonly touched = new Set<AgentCache>();
  /** Rows of the ledger that change, for the totals. */
  readonly ledgers: LedgerChange[] = [];
  /** Whether anything was stored: counting duplicates alone need not be synced. */
  durable = false;
  /** CRCs of seqs by agent number and epoch. */
  readonly crcs = new Map<string, Map<number, number>>();
  /** Values put by key (hex), for those that may be put twice in one plan. */
  readonly values = new Map<string, Uint8Array>();

  put(key: Buffer, value: Uint8Array): void {
    this.operations.push({ type: 'put', key, value });
  }

  /** Puts a value that a later batch of the same plan may read. */
  putShared(key: Buffer, value: Uint8Array): void {
    this.values.set(key.toString('latin1'), value);
    this.put(key, value);
  }

  async getShared(reader: Reader, key: Buffer): Promise<Uint8Array | undefined> {
    return this.values.get(key.toString('latin1')) ?? reader.get(key);
  }
}

export async function planCommit(reader: Reader, agents: Agents, plan: Plan, batch: Batch): Promise<CommitResult> {
  const agent = await agents.ensure(reader, batch.agent, plan.operations);
  plan.touched.add(agent);
  const before = await agents.ledger(reader, agent, batch.epoch);
  const tables = await tableStates(reader, agents, agent, batch);
  const planned = plan.crcs.get(`${agent.number}/${batch.epoch}`);
  const repeated = repeatedSeqs(batch, before);
  const crcs = await storedCrcs(reader, agent.number, before, repeated, planned);
  const conflictsKnown = await knownConflicts(reader, plan, agent.number, batch, crcs);

  const decision = decide(batch, {
    ledger: before,
    crcs,
    isKnownConflict: (seq, crc) => conflictsKnown.has(`${seq}/${crc}`),
    table: (hash) => tables.get(hash) ?? null,
    seriesAfter: (table) =>
      agent.series.length + new Set(table.series.map(({ id }) => id).filter((id) => !agent.numbers.has(id))).size,
  });

  for (const hash of decision.refusedTables) agents.refuseTable(agent, hash, plan.operations);
  for (const table of decision.restoredTables) agents.addTable(agent, table, plan.operations);
  for (const one of decision.accepted) await planRecord(reader, agents, plan, agent, batch, one);
  for (const { record, reason } of decision.refused) {
    plan.putShared(
      quarantineKey(agent.number, batch.epoch, record.seq, record.crc),
      encodeQuarantined({ timeMs: quarantinedMs(batch, record), reason, record: record.record }),
    );
  }
  const quarantined = decision.refused.filter(({ conflict }) => !conflict);
  planKeys(plan, agent.number, batch.epoch, decision.accepted, quarantined);
  const filed = decision.accepted.map(({ record }) => record);
  plan.operations.push(...planFiled(agent.number, batch.epoch, filed), ...bootRows(agent.number, batch.boots ?? []));
  const identityChanged = await planLedgers(reader, agents, plan, agent, batch, before, decision);
  if (decision.accepted.length + decision.refused.length + decision.restoredTables.length > 0) plan.durable = true;

  return {
    settled: settledOf(decision.ledger),
    stored: decision.accepted.length + quarantined.length,
    duplicates: decision.duplicates,
    conflicts: decision.conflicts,
    needTables: decision.needTables,
    ...(identityChanged && { identityChanged }),
  };
}

/** Of what could not be read it is not known when it was made: then when it came. */
export function quarantinedMs(batch: Batch, record: IncomingRecord): number {
  return record.timeMs > 0 ? record.timeMs : batch.receivedMs;
}

export function quarantineKey(agent: number, epoch: EpochId, seq: number, crc: number): Buffer {
  return keyOf('quarantine', agent, epochBytes(epoch), { u48: seq }, crc >>> 0);
}

async function tableStates(
  reader: Reader,
  agents: Agents,
  agent: AgentCache,
  batch: Batch,
): Promise<Map<string, TableState>> {
  const out = new Map<string, TableState>();
  for (const { content } of batch.records) {
    const isWindow = content.kind === 'summary' || content.kind === 'rollup';
    const hash = isWindow ? content.table : content.kind === 'table' ? content.hash : null;
    if (hash === null || out.has(hash)) continue;
    const table = await agents.table(reader, agent, hash);
    if (table !== undefined) out.set(hash, table ?? 'refused');
  }
  return out;
}

async function knownConflicts(
  reader: Reader,
  plan: Plan,
  agent: number,
  batch: Batch,
  crcs: ReadonlyMap<number, number>,
): Promise<Set<string>> {
  const out = new Set<string>();
  for (const { seq, crc } of batch.records) {
    const stored = crcs.get(seq);
    if (stored === undefined || stored === crc) continue;
    const key = quarantineKey(agent, batch.epoch, seq, crc);
    if ((await plan.getShared(reader, key)) !== undefined) out.add(`${seq}/${crc}`);
  }
  return out;
}

/** Remembers the keys of what was settled. */
function planKeys(
  plan: Plan,
  agent: number,
  epoch: EpochId,
  accepted: readonly Accepted[],
  quarantined: readonly Refused[],
): void {
  const name = `${agent}/${epoch}`;
  const known = plan.crcs.get(name) ?? new Map<number, number>();
  plan.crcs.set(name, known);
  const keys: SettledKey[] = [
    ...accepted.map(({ record }) => ({ ...record, place: placeOf(record.content) })),
    ...quarantined.map(({ record }) => ({ ...record, place: 'quarantine' as const })),
  ];
  for (const { seq, crc } of keys) known.set(seq, crc);
  plan.operations.push(...putRuns(agent, epoch, runsOf(keys)));
}

async function planRecord(
  reader: Reader,
  agents: Agents,
  plan: Plan,
  agent: AgentCache,
  batch: Batch,
  { record, columns }: Accepted,
): Promise<void> {
  const { content, seq, timeMs, boot, monotonicMs } = record;
  const { number } = agent;
  const epoch = epochBytes(batch.epoch);
  switch (content.kind) {
    case 'table':
      agents.addTable(agent, content, plan.operations);
      return;
    case 'summary':
    case 'rollup':
      await planWindow(reader, agents, plan, agent, batch.epoch, seq, timeMs, content, columns!);
      return;
    case 'events':
      content.events.forEach((event, i) => {
        plan.put(keyOf('event', number, { u48: Math.floor(event.atMs) }, epoch, { u48: seq }, i), json(event));
      });
      return;
    case 'incident': {
      const filed = boot === undefined ? undefined : { boot, monotonicMs: monotonicMs ?? 0, timeMs };
      if (!(await planIncident(reader, plan, number, content.incident, filed))) return;
      const news = newsOf(batch.agent, content.incident);
      plan.put(documentKey(INCIDENT_NEWS, news.key), json(news.value));
      return;
    }
    case 'document':
      await planDocument(reader, plan, number, batch.epoch, seq, timeMs, content);
      return;
    case 'evidence': {
      const of = epochBytes(content.incidentEpoch);
      const day = Math.floor(timeMs / (24 * HOUR_MS));
      plan.put(keyOf('evidence', number, of, { u48: content.incidentSeq }, day, epoch, { u48: seq }), content.body);
      return;
    }
    case 'coMoments': {
      const hour = hourOfRollup(timeMs, content.lengthMs);
      plan.put(coMomentsKey(number, hour, batch.epoch, seq), encodeStored(timeMs, content.body));
      return;
    }
    case 'unknown':
      plan.put(keyOf('unknown', number, minuteOf(timeMs), epoch, { u48: seq }), record.record);
      return;
    case 'gap': {
      const row = { ...content, cause: gapCauseOf(content.cause) };
      plan.put(keyOf('gap', number, epoch, { u48: seq }), encodeGapRow(row));
      return;
    }
    // An epoch's start lives in the ledger alone; poison was refused.
    case 'epoch':
    case 'poison':
      return;
  }
}

async function planWindow(
  reader: Reader,
  agents: Agents,
  plan: Plan,
  agent: AgentCache,
  epoch: EpochId,
  seq: number,
  timeMs: number,
  content: WindowContent,
  columns: WindowColumns,
): Promise<void> {
  const { number } = agent;
  const isRollup = content.kind === 'rollup';
  const hour = isRollup ? hourOfRollup(timeMs, content.lengthMs) : hourOf(timeMs);
  const key = isRollup
    ? keyOf('rollup', number, hour, epochBytes(epoch), { u48: seq })
    : keyOf('window', number, minuteOf(timeMs), epochBytes(epoch), { u48: seq });
  plan.put(key, encodeWindow(timeMs, content));
  plan.put(keyOf('dirty', number, hour), Buffer.alloc(0));
  if (isRollup) {
    // Says that there is something of this hour, if only hours of it (retention, `oldestMs`).
    plan.put(keyOf('coverage', number, hour), encodeCovered(await agents.covered(reader, agent, hour)));
    return;
  }
  const [from, to] = minutesOf(timeMs, content.lengthMs);
  const changed = new Map<number, CoveredMinutes>();
  for (let minute = from; minute < to; minute++) {
    const minutes = await agents.covered(reader, agent, Math.floor(minute / 60));
    coverMinute(minutes, minute % 60);
    changed.set(Math.floor(minute / 60), minutes);
  }
  for (const [at, minutes] of changed) plan.put(keyOf('coverage', number, at), encodeCovered(minutes));
  const numbers = await agents.table(reader, agent, content.table);
  plan.fresh.push({
    agent: agent.id,
    timeMs,
    series: agent.series,
    numbers: numbers ?? [],
    first: content.first,
    columns,
  });
}

/** The latest of each name holds: by time, then by epoch and seq, whatever order they came in. */
async function planDocument(
  reader: Reader,
  plan: Plan,
  agent: number,
  epoch: EpochId,
  seq: number,
  timeMs: number,
  content: ContentOf<'document'>,
): Promise<void> {
  const key = keyOf('latest', agent, Buffer.from(content.name));
  const stored = await plan.getShared(reader, key);
  if (stored !== undefined) {
    const before = JSON.parse(Buffer.from(stored).toString()) as StoredDocument;
    if (!isLaterDocument({ timeMs, epoch, seq }, before)) return;
  }
  plan.putShared(key, json({ timeMs, epoch, seq, json: content.json } satisfies StoredDocument));
}

export interface StoredDocument {
  readonly timeMs: number;
  readonly epoch: EpochId;
  readonly seq: number;
  readonly json: unknown;
}

export function isLaterDocument(a: Omit<StoredDocument, 'json'>, b: Omit<StoredDocument, 'json'>): boolean {
  if (a.timeMs !== b.timeMs) return a.timeMs > b.timeMs;
  return a.epoch === b.epoch ? a.seq > b.seq : a.epoch > b.epoch;
}

export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
