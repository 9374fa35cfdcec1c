/** Bodies of records (edge.proto), kind by kind. Every decoder throws `payload.invalid` naming message and field. */

import { PicketError } from '../errors.ts';
import { HOUR_MS, limits, MINUTE_MS } from '../limits.ts';
import { compareBytes, type SeriesKey } from '../series.ts';
import { fromHex } from './bytes.ts';
import {
  boundedOut,
  decodeChecked,
  hexField,
  invalid,
  optionalHex,
  positive,
  rangesField,
  rangesOut,
  safeInteger,
  text,
  wholeMs,
} from './check.ts';
import { picket } from './gen/edge.js';
import type { SeqRanges } from './ranges.ts';

const proto = picket.edge.v1;

/** Changes of states in one record. */
const EVENTS_PER_RECORD = 4096;
const GAP_CAUSE_BYTES = 64;
const nominalLengthsMs: readonly number[] = [MINUTE_MS, 10 * MINUTE_MS, HOUR_MS];

/** Body of a TABLE: the series that summaries name by index. */
export function encodeTable(series: readonly SeriesKey[]): Uint8Array {
  if (series.length > limits.seriesPerTable) {
    throw new PicketError('payload.too_large', `SeriesTable.series: ${series.length}, over ${limits.seriesPerTable}`);
  }
  return boundedBody('SeriesTable', proto.SeriesTable.encode({ series: series.map(seriesOut) }).finish());
}

export function decodeTable(bytes: Uint8Array): readonly SeriesKey[] {
  const table = decodeChecked(proto.SeriesTable, 'SeriesTable', bytes, limits.recordBytes, {
    1: ['series', limits.seriesPerTable],
  });
  return table.series.map((entry) => seriesIn('SeriesTable', entry));
}

/** Size in bytes that a series takes in a table, at most. */
export function tableEntryBytes(key: SeriesKey): number {
  // 1 byte of tag and at most 3 of length before the entry
  return 4 + proto.SeriesEntry.encode(seriesOut(key)).finish().length;
}

type EntryIn = InstanceType<typeof proto.SeriesEntry> | picket.edge.v1.SeriesEntry.$Properties;

function seriesOut(key: SeriesKey): { name: string; unit: string; attributes: string[] } {
  const encoder = new TextEncoder();
  const pairs = Object.entries(key.attributes)
    .map(([name, value]) => ({ bytes: encoder.encode(name), name, value }))
    .sort((a, b) => compareBytes(a.bytes, b.bytes));
  return { name: key.name, unit: key.unit, attributes: pairs.flatMap(({ name, value }) => [name, value]) };
}

function seriesIn(message: string, entry: EntryIn | null | undefined): SeriesKey {
  const name = text(message, 'series.name', entry?.name ?? '', limits.seriesTextBytes);
  if (name === '') invalid(message, 'series.name', 'is empty');
  const unit = text(message, 'series.unit', entry?.unit ?? '', limits.seriesTextBytes);
  const flat = entry?.attributes ?? [];
  if (flat.length % 2 !== 0) invalid(message, 'series.attributes', 'has a key without a value');
  if (flat.length > limits.attributesPerSeries * 2) {
    invalid(message, 'series.attributes', `more than ${limits.attributesPerSeries}`);
  }
  const pairs: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) {
    const key = text(message, 'series.attributes', flat[i]!, limits.seriesTextBytes);
    if (pairs.some(([other]) => other === key)) invalid(message, 'series.attributes', 'has a key twice');
    pairs.push([key, text(message, 'series.attributes', flat[i + 1]!, limits.seriesTextBytes)]);
  }
  // fromEntries makes own properties of whatever name, `__proto__` too.
  return { name, unit, attributes: Object.fromEntries(pairs) };
}

/** Body of a SUMMARY or a ROLLUP: one window, or a part of its series. */
export interface Summary {
  /** Hash of the table that it names, 16 hex digits. */
  readonly table: string;
  /** Real length of the window. */
  readonly lengthMs: number;
  /** 60,000, 600,000 or 3,600,000. */
  readonly nominalMs: number;
  readonly endMonotonicMs: number;
  /** Best estimate of UTC at the window's end. */
  readonly endWallMs: number;
  /** Index in the table of the columns' first series. */
  readonly first: number;
  /** `columns.ts`; not looked at here. */
  readonly columns: Uint8Array;
  /** A bit for each series of the columns, the lowest first: left out because nothing unusual was to tell of it. */
  readonly leftOut?: Uint8Array;
}

export function encodeSummary(summary: Summary): Uint8Array {
  const bytes = proto.Summary.encode({
    table: fromHex(summary.table, 8),
    lengthMs: wholeMs('Summary', 'lengthMs', summary.lengthMs),
    nominalMs: summary.nominalMs,
    endMonotonicMs: wholeMs('Summary', 'endMonotonicMs', summary.endMonotonicMs),
    endWallMs: wholeMs('Summary', 'endWallMs', summary.endWallMs),
    first: summary.first,
    columns: summary.columns,
    ...(summary.leftOut === undefined ? {} : { leftOut: summary.leftOut }),
  }).finish();
  return boundedBody('Summary', bytes);
}

export function decodeSummary(bytes: Uint8Array): Summary {
  const summary = decodeChecked(proto.Summary, 'Summary', bytes, limits.recordBytes);
  if (!nominalLengthsMs.includes(summary.nominalMs)) {
    invalid('Summary', 'nominalMs', `is ${summary.nominalMs}, not one of ${nominalLengthsMs.join(', ')}`);
  }
  if (summary.first >= limits.seriesPerTable) invalid('Summary', 'first', `is ${summary.first}`);
  if (summary.leftOut.length > limits.seriesPerTable / 8) invalid('Summary', 'leftOut', 'names too many series');
  return {
    table: hexField('Summary', 'table', summary.table, 8),
    lengthMs: positive('Summary', 'lengthMs', summary.lengthMs),
    nominalMs: summary.nominalMs,
    endMonotonicMs: safeInteger('Summary', 'endMonotonicMs', summary.endMonotonicMs),
    endWallMs: safeInteger('Summary', 'endWallMs', summary.endWallMs),
    first: summary.first,
    columns: summary.columns,
    ...(summary.leftOut.length === 0 ? {} : { leftOut: summary.leftOut }),
  };
}

/** A change of a state, a boolean or a text; body of an EVENT is a list of them. */
export interface WireEvent {
  readonly key: SeriesKey;
  readonly monotonicMs: number;
  readonly wallMs: number;
  /** Null where it was not known before. */
  readonly from: string | null;
  readonly to: string;
  /** 0 good, 1 stale, 2 bad. */
  readonly quality: 0 | 1 | 2;
}

export function encodeEvents(events: readonly WireEvent[]): Uint8Array {
  const bytes = proto.Events.encode({
    events: events.map((event) => ({
      series: seriesOut(event.key),
      monotonicMs: wholeMs('Event', 'monotonicMs', event.monotonicMs),
      wallMs: wholeMs('Event', 'wallMs', event.wallMs),
      ...(event.from === null ? {} : { from: event.from }),
      to: event.to,
      quality: event.quality,
    })),
  }).finish();
  return boundedBody('Events', bytes);
}

export function decodeEvents(bytes: Uint8Array): readonly WireEvent[] {
  const { events } = decodeChecked(proto.Events, 'Events', bytes, limits.recordBytes, {
    1: ['events', EVENTS_PER_RECORD],
  });
  return events.map((event) => ({
    key: seriesIn('Event', event.series),
    monotonicMs: safeInteger('Event', 'monotonicMs', event.monotonicMs ?? 0),
    wallMs: safeInteger('Event', 'wallMs', event.wallMs ?? 0),
    from: typeof event.from === 'string' ? text('Event', 'from', event.from, limits.eventTextBytes) : null,
    to: text('Event', 'to', event.to ?? '', limits.eventTextBytes),
    quality: qualityIn(event.quality ?? 0),
  }));
}

function qualityIn(value: number): 0 | 1 | 2 {
  return value === 0 || value === 1 || value === 2 ? value : invalid('Event', 'quality', `is ${value}`);
}

/** Body of a GAP: what was deleted unacknowledged. */
export interface Gap {
  readonly epoch: string;
  readonly ranges: SeqRanges;
  /** overflow, corrupt, disk_full, purged, refused, volatile, expired; others may come. */
  readonly cause: string;
  readonly fromWallMs: number;
  readonly toWallMs: number;
}

export function encodeGap(gap: Gap): Uint8Array {
  const bytes = proto.Gap.encode({
    epoch: fromHex(gap.epoch, 16),
    ranges: rangesOut('Gap', 'ranges', gap.ranges),
    cause: gap.cause,
    fromWallMs: wholeMs('Gap', 'fromWallMs', gap.fromWallMs),
    toWallMs: wholeMs('Gap', 'toWallMs', gap.toWallMs),
  }).finish();
  return boundedBody('Gap', bytes);
}

export function decodeGap(bytes: Uint8Array): Gap {
  const gap = decodeChecked(proto.Gap, 'Gap', bytes, limits.recordBytes, { 2: ['ranges', limits.rangesPerMessage] });
  return {
    epoch: hexField('Gap', 'epoch', gap.epoch, 16),
    ranges: rangesField('Gap', 'ranges', gap.ranges),
    cause: text('Gap', 'cause', gap.cause, GAP_CAUSE_BYTES),
    fromWallMs: safeInteger('Gap', 'fromWallMs', gap.fromWallMs),
    toWallMs: safeInteger('Gap', 'toWallMs', gap.toWallMs),
  };
}

/** Body of an EPOCH, seq 1 of its epoch: where it stands in the chain of this disk's epochs. */
export interface EpochStart {
  /** 32 hex digits; null for the first epoch of a disk. */
  readonly parent: string | null;
  readonly parentFinalSeq: number;
  /** Starts of the process on this disk, from 1. */
  readonly start: number;
  /** Made while the disk failed; never durable. */
  readonly volatile: boolean;
}

export function encodeEpochStart(epoch: EpochStart): Uint8Array {
  return proto.EpochStart.encode({
    parent: epoch.parent === null ? new Uint8Array(0) : fromHex(epoch.parent, 16),
    parentFinalSeq: epoch.parentFinalSeq,
    startCounter: epoch.start,
    volatile: epoch.volatile,
  }).finish();
}

export function decodeEpochStart(bytes: Uint8Array): EpochStart {
  const epoch = decodeChecked(proto.EpochStart, 'EpochStart', bytes, limits.recordBytes);
  return {
    parent: optionalHex('EpochStart', 'parent', epoch.parent, 16),
    parentFinalSeq: safeInteger('EpochStart', 'parentFinalSeq', epoch.parentFinalSeq),
    start: positive('EpochStart', 'startCounter', epoch.startCounter),
    volatile: epoch.volatile,
  };
}

/** Body of an EVIDENCE: full-rate values around an incident, in parts that stand alone. */
export interface Evidence {
  readonly incidentEpoch: string;
  readonly incidentSeq: number;
  /** Hash of the table, 16 hex digits. */
  readonly table: string;
  readonly fromWallMs: number;
  readonly toWallMs: number;
  /** `series` is an index in the table, `data` a block (`block.ts`). */
  readonly blocks: readonly { readonly series: number; readonly data: Uint8Array }[];
}

export function encodeEvidence(evidence: Evidence): Uint8Array {
  const bytes = proto.Evidence.encode({
    incidentEpoch: fromHex(evidence.incidentEpoch, 16),
    incidentSeq: evidence.incidentSeq,
    table: fromHex(evidence.table, 8),
    fromWallMs: wholeMs('Evidence', 'fromWallMs', evidence.fromWallMs),
    toWallMs: wholeMs('Evidence', 'toWallMs', evidence.toWallMs),
    blocks: [...evidence.blocks],
  }).finish();
  return boundedBody('Evidence', bytes);
}

export function decodeEvidence(bytes: Uint8Array): Evidence {
  const evidence = decodeChecked(proto.Evidence, 'Evidence', bytes, limits.recordBytes, {
    6: ['blocks', limits.seriesPerTable],
  });
  return {
    incidentEpoch: hexField('Evidence', 'incidentEpoch', evidence.incidentEpoch, 16),
    incidentSeq: positive('Evidence', 'incidentSeq', evidence.incidentSeq),
    table: hexField('Evidence', 'table', evidence.table, 8),
    fromWallMs: safeInteger('Evidence', 'fromWallMs', evidence.fromWallMs),
    toWallMs: safeInteger('Evidence', 'toWallMs', evidence.toWallMs),
    blocks: evidence.blocks.map(({ series = 0, data }) => {
      const index = series ?? 0;
      if (index >= limits.seriesPerTable) invalid('Evidence', 'blocks.series', `is ${index}`);
      return { series: index, data: data ?? new Uint8Array(0) };
    }),
  };
}

function boundedBody(message: string, bytes: Uint8Array): Uint8Array {
  return boundedOut(message, bytes, limits.recordBytes);
}
