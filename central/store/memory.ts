/**
 * The store in memory, for the simulation and for tests: what `level.ts` keeps in keys lies here in maps, and what that
 * prepares (chunks, rollups) is worked out with each query. It decides by the same rules (`decide.ts`, `ledger.ts`).
 */

import type { Incident, StateEvent } from '../../shared/findings.ts';
import { DAY_MS, HOUR_MS } from '../../shared/limits.ts';
import type { SeriesId } from '../../shared/series.ts';
import { noRanges, type SeqRanges } from '../../shared/wire/ranges.ts';
import type { WindowColumns } from '../../shared/wire/summary.ts';
import { isLaterDocument, type StoredDocument } from './commit.ts';
import { coverageOf, pendingSpans } from './coverage.ts';
import { type Accepted, type ContentOf, checkBatch, type Decision, decide, noteOthers } from './decide.ts';
import { chooseHour, mergeRows } from './history.ts';
import { matchesIncident, replacesIncident } from './incidents.ts';
import { compareLedgers, type EpochLedger, emptyLedger, ledgerRow, noteFinal, settledOf } from './ledger.ts';
import { MemoryDocuments } from './memory-documents.ts';
import { defaultRetention, type RetentionOptions } from './retention.ts';
import { isClosed } from './rewrite.ts';
import { type Row, Rows } from './rows.ts';
import type {
  AgentId,
  Batch,
  CommitResult,
  CoverageDay,
  EpochId,
  LatestSeries,
  LedgerRow,
  Resolution,
  SeriesColumns,
  Store,
  StoredIncident,
  StoreStats,
  SummaryBlock,
  SummaryQuery,
  TableSeries,
  TimeRange,
} from './store.ts';
import { dayEndMs, dayOfHour, hourEndMs, hourOf, hourOfRollup } from './time.ts';
import { addWire, emptyWire, type WireCount } from './usage.ts';
import { minutesOf } from './values.ts';

interface Window {
  readonly timeMs: number;
  readonly lengthMs: number;
  readonly series: readonly TableSeries[];
  readonly first: number;
  readonly columns: WindowColumns;
}

interface Quarantined {
  readonly epoch: EpochId;
  readonly seq: number;
  readonly crc: number;
  readonly reason: string;
  readonly record: Uint8Array;
  readonly timeMs: number;
}

interface AgentData {
  readonly series: Map<SeriesId, TableSeries>;
  readonly tables: Map<string, readonly TableSeries[] | null>;
  readonly ledgers: Map<EpochId, EpochLedger>;
  /** CRC and time by epoch/seq. */
  readonly settled: Map<string, { readonly crc: number; readonly timeMs: number }>;
  windows: Window[];
  rollups: Window[];
  /** Hours that were rolled up before their minutes were deleted. */
  readonly kept: Map<SeriesId, Map<number, Row>>;
  readonly minutes: Set<number>;
  readonly incidents: Map<string, Incident>;
  events: { readonly order: string; readonly event: StateEvent }[];
  readonly documents: Map<string, StoredDocument>;
  readonly evidence: Map<string, { readonly order: string; readonly body: Uint8Array }[]>;
  readonly quarantine: Map<string, Quarantined>;
  readonly unknown: Map<string, Uint8Array>;
}

export interface MemoryStoreOptions {
  readonly retention?: Partial<RetentionOptions>;
  /** Called before each commit; what it throws is an error of the disk (tests). */
  readonly beforeWrite?: () => void;
}

export class MemoryStore implements Store {
  readonly documents = new MemoryDocuments();
  readonly #agents = new Map<AgentId, AgentData>();
  readonly #retention: RetentionOptions;
  readonly #beforeWrite: (() => void) | undefined;
  #wire: WireCount = emptyWire;

  constructor(options: MemoryStoreOptions = {}) {
    this.#retention = { ...defaultRetention, ...options.retention };
    this.#beforeWrite = options.beforeWrite;
  }

  async commit(batch: Batch): Promise<CommitResult> {
    checkBatch(batch);
    this.#beforeWrite?.();
    const agent = this.#agents.get(batch.agent) ?? emptyAgent();
    this.#agents.set(batch.agent, agent);
    this.#wire = addWire(this.#wire, batch.receivedMs, batch.sizeBytes);
    const decision = decide(batch, {
      ledger: agent.ledgers.get(batch.epoch) ?? emptyLedger(batch.epoch),
      crcs: new Map(
        batch.records.flatMap(({ seq }) => {
          const settled = agent.settled.get(`${batch.epoch}/${seq}`);
          return settled === undefined ? [] : [[seq, settled.crc]];
        }),
      ),
      isKnownConflict: (seq, crc) => agent.quarantine.has(`${batch.epoch}/${seq}/${crc}`),
      table: (hash) => {
        const table = agent.tables.get(hash);
        return table === undefined ? null : (table ?? 'refused');
      },
      seriesAfter: ({ series }) => new Set([...agent.series.keys(), ...series.map(({ id }) => id)]).size,
    });
    return this.#apply(agent, batch, decision);
  }

  async settled(agent: AgentId, epoch: EpochId): Promise<SeqRanges> {
    const ledger = this.#agents.get(agent)?.ledgers.get(epoch);
    return ledger === undefined ? noRanges : settledOf(ledger);
  }

  async latest(agent: AgentId): Promise<readonly LatestSeries[]> {
    const data = this.#agents.get(agent);
    if (data === undefined) return [];
    const all = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
    return [...data.series.values()].map((series) => {
      const columns = minutesOfSeries(data, series.id).toSeries(series.id, all.fromMs, all.toMs);
      let i = columns.timesMs.length - 1;
      while (i >= 0 && columns.count[i] === 0) i--;
      const at = (column: Float64Array): number => column[i] ?? Number.NaN;
      return {
        ...series,
        timeMs: columns.timesMs[i] ?? 0,
        mean: at(columns.mean),
        min: at(columns.min),
        max: at(columns.max),
        last: at(columns.last),
        anomalyShare: at(columns.anomalyShare),
        highestScore: at(columns.highestScore),
      };
    });
  }

  async query(
    agent: AgentId,
    series: readonly SeriesId[],
    range: TimeRange,
    resolution: Resolution,
  ): Promise<readonly SeriesColumns[]> {
    const data = this.#agents.get(agent);
    return series.map((id) => {
      const rows = data === undefined ? new Rows() : rowsAt(data, id, resolution);
      return rows.toSeries(id, range.fromMs, range.toMs);
    });
  }

  async *summaries(query: SummaryQuery): AsyncGenerator<SummaryBlock> {
    for (const agent of query.agents ?? [...this.#agents.keys()]) {
      for (const { id, name, unit, attributes } of [...(this.#agents.get(agent)?.series.values() ?? [])]) {
        if (query.series !== undefined && !query.series.includes(id)) continue;
        const [columns] = await this.query(agent, [id], query, query.resolution);
        if (columns !== undefined && columns.timesMs.length > 0)
          yield { ...columns, agent, key: { name, unit, attributes } };
      }
    }
  }

  async incidents(
    query: TimeRange & { agent?: AgentId; state?: 'open' | 'closed'; limit?: number },
  ): Promise<readonly StoredIncident[]> {
    const out: StoredIncident[] = [];
    for (const [agent, data] of this.#agents) {
      if (query.agent !== undefined && query.agent !== agent) continue;
      for (const incident of data.incidents.values())
        if (matchesIncident(incident, query)) out.push({ ...incident, agent });
    }
    return out.sort((a, b) => b.openedMs - a.openedMs || b.seq - a.seq).slice(0, query.limit);
  }

  async events(agent: AgentId, range: TimeRange, limit: number): Promise<readonly StateEvent[]> {
    const events = (this.#agents.get(agent)?.events ?? [])
      .filter(({ event }) => event.atMs >= range.fromMs && event.atMs <= range.toMs)
      .sort((a, b) => (a.order < b.order ? -1 : 1))
      .map(({ event }) => event);
    return events.slice(Math.max(0, events.length - limit));
  }

  async document(agent: AgentId, name: string): Promise<{ timeMs: number; json: unknown } | null> {
    const found = this.#agents.get(agent)?.documents.get(name);
    return found === undefined ? null : { timeMs: found.timeMs, json: structuredClone(found.json) };
  }

  async evidence(agent: AgentId, epoch: EpochId, seq: number): Promise<readonly Uint8Array[]> {
    const parts = this.#agents.get(agent)?.evidence.get(`${epoch}/${seq}`) ?? [];
    return [...parts].sort((a, b) => (a.order < b.order ? -1 : 1)).map(({ body }) => body);
  }

  async ledger(agent: AgentId): Promise<readonly LedgerRow[]> {
    return this.#ledgers(agent).sort(compareLedgers).map(ledgerRow);
  }

  async coverage(agent: AgentId, range: TimeRange): Promise<readonly CoverageDay[]> {
    const data = this.#agents.get(agent);
    if (data === undefined) return [];
    const spans = await pendingSpans(this.#ledgers(agent), this.#wire.lastMs, {
      before: async (epoch, seq) => nearest(data, epoch, seq, -1, 1),
      after: async (epoch, seq) => nearest(data, epoch, seq, 1, data.ledgers.get(epoch)?.made ?? 0),
    });
    let first = Number.POSITIVE_INFINITY;
    for (const minute of data.minutes) first = Math.min(first, minute);
    return coverageOf(
      range,
      (minute) => data.minutes.has(minute),
      spans,
      data.minutes.size === 0 ? null : first * 60_000,
      this.#wire.lastMs,
    );
  }

  async quarantine(agent: AgentId): Promise<readonly Quarantined[]> {
    const all = [...(this.#agents.get(agent)?.quarantine.values() ?? [])];
    return all.sort((a, b) => (a.epoch < b.epoch ? -1 : a.epoch > b.epoch ? 1 : a.seq - b.seq || a.crc - b.crc));
  }

  async maintain(nowMs: number, signal: AbortSignal): Promise<void> {
    const minutesBefore = Math.floor((nowMs - this.#retention.minutesMs) / DAY_MS) * DAY_MS;
    for (const data of this.#agents.values()) {
      if (signal.aborted) return;
      const isOld = ({ timeMs }: Window): boolean => timeMs <= minutesBefore && isClosed(timeMs, nowMs);
      for (const id of data.windows.some(isOld) || data.rollups.some(isOld) ? data.series.keys() : []) {
        const kept = data.kept.get(id) ?? new Map<number, Row>();
        data.kept.set(id, kept);
        for (const [hour, row] of hoursOfSeries(data, id)) if (hourEndMs(hour) <= minutesBefore) kept.set(hour, row);
      }
      data.windows = data.windows.filter((window) => !isOld(window));
      data.rollups = data.rollups.filter((window) => !isOld(window));
    }
  }

  async purge(agent: AgentId): Promise<void> {
    this.#agents.delete(agent);
  }

  async stats(): Promise<StoreStats> {
    let series = 0;
    let oldestMs: number | null = null;
    for (const data of this.#agents.values()) {
      series += data.series.size;
      for (const { timeMs } of [...data.windows, ...data.rollups]) {
        const startMs = hourEndMs(hourOf(timeMs)) - HOUR_MS;
        oldestMs = Math.min(oldestMs ?? startMs, startMs);
      }
    }
    const wireBytes = this.#wire.totalBytes;
    return { diskBytes: 0, wireBytes, freeBytes: 0, daysLeft: null, agents: this.#agents.size, series, oldestMs };
  }

  async close(): Promise<void> {}

  #ledgers(agent: AgentId): EpochLedger[] {
    return [...(this.#agents.get(agent)?.ledgers.values() ?? [])];
  }

  #apply(agent: AgentData, batch: Batch, decision: Decision): CommitResult {
    for (const hash of decision.refusedTables) agent.tables.set(hash, null);
    for (const one of decision.accepted) applyRecord(agent, batch, one);
    for (const { record, reason } of decision.refused) {
      const { seq, crc, timeMs } = record;
      const value = { epoch: batch.epoch, seq, crc, reason, record: record.record.slice(), timeMs };
      agent.quarantine.set(`${batch.epoch}/${seq}/${crc}`, value);
    }
    const settled = [...decision.accepted, ...decision.refused.filter(({ conflict }) => !conflict)];
    for (const { record } of settled) {
      agent.settled.set(`${batch.epoch}/${record.seq}`, { crc: record.crc, timeMs: record.timeMs });
    }
    agent.ledgers.set(batch.epoch, decision.ledger);
    noteOthers(
      decision.accepted,
      (epoch) => agent.ledgers.get(epoch) ?? emptyLedger(epoch),
      (ledger) => agent.ledgers.set(ledger.epoch, ledger),
      noteFinal,
    );
    const { conflicts, needTables, duplicates } = decision;
    return { settled: settledOf(decision.ledger), stored: settled.length, duplicates, conflicts, needTables };
  }
}

function applyRecord(agent: AgentData, batch: Batch, { record, columns }: Accepted): void {
  const { content, seq, timeMs } = record;
  const order = `${batch.epoch}/${String(seq).padStart(16, '0')}`;
  switch (content.kind) {
    case 'table':
      for (const { id, name, unit, attributes } of content.series) {
        if (!agent.series.has(id)) agent.series.set(id, { id, name, unit, attributes });
      }
      agent.tables.set(content.hash, content.series);
      return;
    case 'summary':
    case 'rollup': {
      const series = agent.tables.get(content.table) ?? [];
      const window = {
        timeMs,
        lengthMs: Math.round(content.lengthMs),
        series,
        first: content.first,
        columns: columns!,
      };
      if (content.kind === 'rollup') agent.rollups.push(window);
      else {
        agent.windows.push(window);
        const [from, to] = minutesOf(timeMs, content.lengthMs);
        for (let minute = from; minute < to; minute++) agent.minutes.add(minute);
      }
      return;
    }
    case 'events':
      content.events.forEach((event, i) => {
        const at = String(Math.floor(event.atMs)).padStart(16, '0');
        agent.events.push({ order: `${at}/${order}/${String(i).padStart(8, '0')}`, event });
      });
      return;
    case 'incident': {
      const key = `${content.incident.epoch}/${content.incident.seq}`;
      const before = agent.incidents.get(key);
      if (before === undefined || replacesIncident(content.incident, before))
        agent.incidents.set(key, content.incident);
      return;
    }
    case 'document':
      applyDocument(agent, { timeMs, epoch: batch.epoch, seq, json: content.json }, content);
      return;
    case 'evidence': {
      const key = `${content.incidentEpoch}/${content.incidentSeq}`;
      const day = String(Math.floor(timeMs / DAY_MS)).padStart(8, '0');
      const parts = agent.evidence.get(key) ?? [];
      agent.evidence.set(key, [...parts, { order: `${day}/${order}`, body: content.body.slice() }]);
      return;
    }
    case 'unknown':
      agent.unknown.set(order, record.record.slice());
      return;
    case 'gap':
    case 'epoch':
    case 'poison':
      return;
  }
}

function applyDocument(agent: AgentData, document: StoredDocument, { name }: ContentOf<'document'>): void {
  const before = agent.documents.get(name);
  if (before === undefined || isLaterDocument(document, before)) agent.documents.set(name, document);
}

function emptyAgent(): AgentData {
  return {
    series: new Map(),
    tables: new Map(),
    ledgers: new Map(),
    settled: new Map(),
    windows: [],
    rollups: [],
    kept: new Map(),
    minutes: new Set(),
    incidents: new Map(),
    events: [],
    documents: new Map(),
    evidence: new Map(),
    quarantine: new Map(),
    unknown: new Map(),
  };
}

function rowsAt(data: AgentData, id: SeriesId, resolution: Resolution): Rows {
  if (resolution === 'minute') return minutesOfSeries(data, id);
  const hours = [...hoursOfSeries(data, id)].sort(([a], [b]) => a - b);
  const out = new Rows();
  if (resolution === 'hour') {
    for (const [, row] of hours) out.push(row);
    return out;
  }
  for (const [day, rows] of Map.groupBy(hours, ([hour]) => dayOfHour(hour))) {
    const row = mergeRows(
      rows.map(([, hour]) => hour),
      dayEndMs(day),
    );
    if (row !== null) out.push(row);
  }
  return out;
}

function minutesOfSeries(data: AgentData, id: SeriesId): Rows {
  const out = new Rows();
  for (const window of data.windows) pushSeries(out, window, id);
  return out;
}

function hoursOfSeries(data: AgentData, id: SeriesId): Map<number, Row> {
  const minutes = Map.groupBy(data.windows, ({ timeMs }) => hourOf(timeMs));
  const rollups = Map.groupBy(data.rollups, ({ timeMs, lengthMs }) => hourOfRollup(timeMs, lengthMs));
  const kept = data.kept.get(id) ?? new Map<number, Row>();
  const out = new Map<number, Row>();
  for (const hour of new Set([...minutes.keys(), ...rollups.keys(), ...kept.keys()])) {
    const [ofMinutes, ofRollups] = [minutes, rollups].map((windows) => {
      const rows = new Rows();
      for (const window of windows.get(hour) ?? []) pushSeries(rows, window, id);
      return rows;
    });
    const row = chooseHour(hour, ofMinutes, ofRollups, kept.get(hour));
    if (row !== null) out.set(hour, row);
  }
  return out;
}

function pushSeries(rows: Rows, { timeMs, lengthMs, series, first, columns }: Window, id: SeriesId): void {
  for (let i = 0; i < columns.length; i++) {
    if (series[first + i]?.id === id) rows.pushWindow(timeMs, lengthMs, columns, i, false);
  }
}

/** Time of the nearest settled seq from this one in steps of `by`, up to `end`. */
function nearest(data: AgentData, epoch: EpochId, seq: number, by: 1 | -1, end: number): number | null {
  for (let at = seq + by; by < 0 ? at >= end : at <= end; at += by) {
    const settled = data.settled.get(`${epoch}/${at}`);
    if (settled !== undefined) return settled.timeMs;
  }
  return null;
}
