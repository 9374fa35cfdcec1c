/** One agent's data in memory: how a record goes into it, and how its history is read. */
import type { Incident, StateEvent } from '../../shared/findings.ts';
import { DAY_MS } from '../../shared/limits.ts';
import type { SeriesId } from '../../shared/series.ts';
import type { WindowColumns } from '../../shared/wire/summary.ts';
import { isLaterDocument, type StoredDocument } from './commit.ts';
import type { Accepted, ContentOf } from './decide.ts';
import { chooseHour, mergeRows } from './history.ts';
import { replacesIncident } from './incidents.ts';
import type { EpochLedger } from './ledger.ts';
import { type Row, Rows } from './rows.ts';
import type { Batch, EpochId, Resolution, TableSeries } from './store.ts';
import { dayEndMs, dayOfHour, hourOf, hourOfRollup } from './time.ts';
import { minutesOf } from './values.ts';

export interface Window {
  readonly timeMs: number;
  readonly lengthMs: number;
  readonly series: readonly TableSeries[];
  readonly first: number;
  readonly columns: WindowColumns;
}

export interface Quarantined {
  readonly epoch: EpochId;
  readonly seq: number;
  readonly crc: number;
  readonly reason: string;
  readonly record: Uint8Array;
  readonly timeMs: number;
}

export interface AgentData {
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

export function applyRecord(agent: AgentData, batch: Batch, { record, columns }: Accepted): void {
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

export function emptyAgent(): AgentData {
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
