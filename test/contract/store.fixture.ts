/** Batches as ingest hands them over, made from samples. */

import type { Batch, IncomingRecord, RecordContent, TableSeries } from '../../central/store/store.ts';
import type { Incident, StateEvent } from '../../shared/findings.ts';
import { addCoMoments, startCoMoments } from '../../shared/math/comoments.ts';
import { seriesId } from '../../shared/trust/hash.ts';
import { encodeCoMoments } from '../../shared/wire/co-moments.ts';
import { encodeColumns } from '../../shared/wire/columns.ts';
import type { SeqRanges } from '../../shared/wire/ranges.ts';
import { emptyColumns } from '../../shared/wire/summary.ts';

export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;
/** A full day, long ago. */
export const T0 = Date.UTC(2026, 2, 2);

export const epochA = 'a'.repeat(32);
export const epochB = 'b'.repeat(32);
export const epochC = 'c'.repeat(32);

export function series(name: string): TableSeries {
  const key = { name, unit: '1', attributes: {} };
  return { ...key, id: seriesId(key) };
}

export const load = series('load');
export const heat = series('heat');
export const rare = series('rare');

/** The store takes a hash as it is: ingest makes it from the body. */
export const tableHash = '0011223344556677';

export function record(seq: number, timeMs: number, content: RecordContent, crc = seq * 7919): IncomingRecord {
  return { seq, crc, timeMs, dated: true, record: Uint8Array.of(seq & 255, 1, 2, 3), content };
}

export function table(seq: number, of: readonly TableSeries[] = [load, heat], hash = tableHash): IncomingRecord {
  return record(seq, T0, { kind: 'table', hash, series: of });
}

/** Samples of each series of the table; an empty list is a series that had none. */
export function summary(
  seq: number,
  endMs: number,
  samples: readonly (readonly number[])[],
  options: {
    kind?: 'summary' | 'rollup';
    lengthMs?: number;
    first?: number;
    hash?: string;
    scores?: readonly number[];
    shares?: readonly number[];
  } = {},
): IncomingRecord {
  const kind = options.kind ?? 'summary';
  const nominalMs = kind === 'summary' ? MINUTE : HOUR;
  return record(seq, endMs, {
    kind,
    table: options.hash ?? tableHash,
    lengthMs: options.lengthMs ?? nominalMs,
    nominalMs,
    first: options.first ?? 0,
    columns: columnsOf(samples, options.scores, options.shares),
  });
}

/** An hour of a group of which the means are these. */
export function coMoments(
  seq: number,
  endMs: number,
  group: string,
  means: readonly number[],
  lengthMs = HOUR,
): IncomingRecord {
  const set = startCoMoments(means.length);
  addCoMoments(set, Float64Array.from(means));
  const body = encodeCoMoments({
    group,
    members: means.map((_, i) => i.toString(16).padStart(16, '0')),
    windowMs: MINUTE,
    featureVersion: 1,
    seen: new Float64Array(means.length).fill(1),
    coMoments: set,
    lengthMs,
    endMonotonicMs: lengthMs,
    endWallMs: endMs,
  });
  return record(seq, endMs, { kind: 'coMoments', lengthMs, body });
}

export function columnsOf(
  samples: readonly (readonly number[])[],
  scores: readonly number[] = [],
  shares: readonly number[] = [],
): Uint8Array {
  const columns = emptyColumns(samples.length);
  samples.forEach((values, i) => {
    if (values.length === 0) return;
    const { mean, deviation } = momentsOf(values);
    columns.count[i] = values.length;
    columns.mean[i] = mean;
    columns.deviation[i] = deviation;
    columns.min[i] = Math.min(...values);
    columns.max[i] = Math.max(...values);
    columns.last[i] = values.at(-1)!;
    columns.anomalyShare[i] = shares[i] ?? 0;
    columns.highestScore[i] = scores[i] ?? 0;
  });
  return encodeColumns(columns);
}

/** By definition, in two passes: what merged moments are held against. */
export function momentsOf(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / values.length) };
}

/** All seqs up to the highest are held, if nothing else is said. */
export function batch(records: readonly IncomingRecord[], options: Partial<Batch> = {}): Batch {
  const highestSeq = options.highestSeq ?? Math.max(0, ...records.map(({ seq }) => seq));
  const held: SeqRanges = highestSeq > 0 ? [[1, highestSeq]] : [];
  return {
    agent: 'm1',
    epoch: epochA,
    bootId: '0'.repeat(32),
    receivedMs: T0 + DAY,
    highestSeq,
    held,
    records,
    sizeBytes: 1000,
    ...options,
  };
}

export function incident(revision: number, over: Partial<Incident> = {}): Incident {
  return {
    epoch: epochA,
    seq: 3,
    revision,
    state: 'open',
    severity: 'warning',
    openedMs: T0 + 10 * MINUTE,
    updatedMs: T0 + (10 + revision) * MINUTE,
    closedMs: null,
    title: `revision ${revision}`,
    findings: [],
    more: 0,
    ...over,
  };
}

export function event(atMs: number, to: string): StateEvent {
  const { id, name, unit, attributes } = series('door');
  return { series: id, key: { name, unit, attributes }, atMs, from: null, to };
}

export const always = { fromMs: 0, toMs: T0 + 1000 * DAY };
export const never = new AbortController().signal;
