/** One agent's data in memory: how a record goes into it, and how its history is read. */
import type { Incident, StateEvent } from '../../shared/findings.ts';
import { DAY_MS } from '../../shared/limits.ts';
import type { SeriesId } from '../../shared/series.ts';
import { contains, unite } from '../../shared/wire/ranges.ts';
import type { WindowColumns } from '../../shared/wire/summary.ts';
import type { KeptCoMoments } from './co-moments.ts';
import { isLaterDocument, type StoredDocument } from './commit.ts';
import type { StoredGap } from './coverage.ts';
import type { Accepted, ContentOf } from './decide.ts';
import { chooseHour, mergeRows } from './history.ts';
import { type IdentityNotes, noNotes } from './identity.ts';
import { replacesIncident } from './incidents.ts';
import { type EpochLedger, settledOf } from './ledger.ts';
import { overdue } from './quarantine.ts';
import { Finder, recount } from './recount.ts';
import { type Row, Rows } from './rows.ts';
import type { SettledKey } from './runs.ts';
import type { Batch, EpochId, LedgerCheck, QuarantinedRecord, Resolution, StoredBoot, TableSeries } from './store.ts';
import { dayEndMs, dayOfHour, hourOf, hourOfRollup } from './time.ts';
import { minutesOf } from './values.ts';

export interface Window {
  /** Of the record: epoch/seq. */
  readonly record: string;
  readonly timeMs: number;
  readonly lengthMs: number;
  readonly series: readonly TableSeries[];
  readonly first: number;
  readonly columns: WindowColumns;
}

export interface AgentData {
  readonly series: Map<SeriesId, TableSeries>;
  readonly tables: Map<string, readonly TableSeries[] | null>;
  readonly ledgers: Map<EpochId, EpochLedger>;
  /** The key of each settled record, by epoch/seq. */
  readonly settled: Map<string, SettledKey & { readonly epoch: EpochId }>;
  /** Gap records by their own epoch/seq. */
  readonly gaps: Map<string, StoredGap>;
  identity: IdentityNotes;
  windows: Window[];
  rollups: Window[];
  /** Hours that were rolled up before their minutes were deleted. */
  readonly kept: Map<SeriesId, Map<number, Row>>;
  readonly minutes: Set<number>;
  readonly incidents: Map<string, Incident>;
  events: { readonly order: string; readonly event: StateEvent }[];
  readonly documents: Map<string, StoredDocument>;
  readonly evidence: Map<string, { readonly order: string; readonly body: Uint8Array }[]>;
  readonly quarantine: Map<string, QuarantinedRecord>;
  readonly unknown: Map<string, Uint8Array>;
  /** By epoch/seq. */
  readonly coMoments: Map<string, KeptCoMoments>;
  readonly boots: Map<string, StoredBoot>;
  /** How each record of a known boot is filed, by epoch/seq. */
  readonly filed: Map<string, { readonly boot: string; readonly monotonicMs: number; readonly dated: boolean }>;
  /** The record that brought an incident's latest revision. */
  readonly revisions: Map<string, string>;
}

/** @param news told of an incident's revision that replaces another */
export function applyRecord(
  agent: AgentData,
  batch: Batch,
  { record, columns }: Accepted,
  news: (incident: Incident) => void,
): void {
  const { content, seq, timeMs } = record;
  const order = `${batch.epoch}/${String(seq).padStart(16, '0')}`;
  const { boot, monotonicMs = 0, dated } = record;
  if (boot !== undefined) agent.filed.set(`${batch.epoch}/${seq}`, { boot, monotonicMs, dated });
  switch (content.kind) {
    case 'table':
      applyTable(agent, content);
      return;
    case 'summary':
    case 'rollup': {
      const series = agent.tables.get(content.table) ?? [];
      const window = {
        record: `${batch.epoch}/${seq}`,
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
      if (before !== undefined && !replacesIncident(content.incident, before)) return;
      agent.incidents.set(key, content.incident);
      news(content.incident);
      agent.revisions.set(key, `${batch.epoch}/${seq}`);
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
    case 'coMoments':
      agent.coMoments.set(`${batch.epoch}/${seq}`, { timeMs, lengthMs: content.lengthMs, body: content.body.slice() });
      return;
    case 'unknown':
      agent.unknown.set(order, record.record.slice());
      return;
    case 'gap':
      agent.gaps.set(order, { ...content, ranges: [...content.ranges] });
      return;
    case 'epoch':
    case 'poison':
      return;
  }
}

export function applyTable(agent: AgentData, { hash, series }: ContentOf<'table'>): void {
  for (const { id, name, unit, attributes } of series) {
    if (!agent.series.has(id)) agent.series.set(id, { id, name, unit, attributes });
  }
  agent.tables.set(hash, series);
}

function applyDocument(agent: AgentData, document: StoredDocument, { name }: ContentOf<'document'>): void {
  const before = agent.documents.get(name);
  if (before === undefined || isLaterDocument(document, before)) agent.documents.set(name, document);
}

export function emptyAgent(): AgentData {
  return {
    series: new Map(),
    tables: new Map(),
    ledgers: new Map(),
    settled: new Map(),
    gaps: new Map(),
    identity: noNotes,
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
    coMoments: new Map(),
    boots: new Map(),
    filed: new Map(),
    revisions: new Map(),
  };
}

export function rowsAt(data: AgentData, id: SeriesId, resolution: Resolution): Rows {
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

export function minutesOfSeries(data: AgentData, id: SeriesId): Rows {
  const out = new Rows();
  for (const window of data.windows) pushSeries(out, window, id);
  return out;
}

export function hoursOfSeries(data: AgentData, id: SeriesId): Map<number, Row> {
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
export function nearest(data: AgentData, epoch: EpochId, seq: number, by: 1 | -1, end: number): number | null {
  for (let at = seq + by; by < 0 ? at >= end : at <= end; at += by) {
    const settled = data.settled.get(`${epoch}/${at}`);
    if (settled !== undefined) return settled.timeMs;
  }
  return null;
}

/** Here the data lie in no order of keys, so that they are counted by the keys alone; quarantine and gaps by their own. */
export function recountOf(data: AgentData): LedgerCheck {
  const finder = new Finder();
  for (const { epoch, seq, place } of data.settled.values()) {
    finder.key(epoch, place, seq, false);
    if (place !== 'quarantine' && place !== 'gap') finder.data(epoch, place, seq);
  }
  for (const { epoch, seq } of data.quarantine.values()) finder.data(epoch, 'quarantine', seq);
  for (const order of data.gaps.keys()) finder.data(order.slice(0, 32), 'gap', Number(order.slice(33)));
  return recount([...data.ledgers.values()], finder.finish(), [...data.gaps.values()]);
}

/** Deletes the bytes that are overdue; the ledger goes on to count them. */
export function pruneQuarantined(data: AgentData, nowMs: number): void {
  const all = [...data.quarantine].map(([key, one]) => ({ key, ...one, sizeBytes: one.record.length }));
  for (const { key, epoch, seq } of overdue(all, nowMs)) {
    data.quarantine.delete(key);
    const ledger = data.ledgers.get(epoch);
    if (ledger === undefined || !contains(settledOf(ledger), seq)) continue;
    data.ledgers.set(epoch, { ...ledger, thinned: unite(ledger.thinned, [[seq, seq]]) });
  }
}
