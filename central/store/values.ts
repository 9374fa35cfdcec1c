/**
 * Values of the small spaces: windows as they came, runs of CRCs, quarantined records, coverage of an hour. Each
 * begins with a version byte where its layout could grow; numbers are little-endian.
 */

import { PicketError } from '../../shared/errors.ts';
import { MINUTE_MS } from '../../shared/limits.ts';
import { ByteReader, ByteWriter, fromHex, toHex, unzigzag, zigzag } from '../../shared/wire/bytes.ts';
import type { StoredGap } from './coverage.ts';
import type { WindowContent } from './decide.ts';
import { decodeRanges, encodeRanges } from './ledger-row.ts';

const VERSION = 1;

function version(reader: ByteReader): void {
  const found = reader.byte();
  if (found !== VERSION) reader.fail(`layout ${found} is unknown`);
}

/** A window as it came: its columns are the wire's. */
export interface StoredWindow {
  readonly timeMs: number;
  readonly lengthMs: number;
  readonly table: string;
  readonly first: number;
  readonly columns: Uint8Array;
}

export function encodeWindow(
  timeMs: number,
  content: Pick<WindowContent, 'table' | 'lengthMs' | 'first' | 'columns'>,
): Uint8Array {
  const writer = new ByteWriter(content.columns.length + 40);
  writer.byte(VERSION);
  writer.float64(timeMs);
  writer.varint(Math.round(content.lengthMs));
  writer.raw(fromHex(content.table, 8));
  writer.varint(content.first);
  writer.raw(content.columns);
  return writer.finish();
}

export function decodeWindow(bytes: Uint8Array): StoredWindow {
  const reader = new ByteReader(bytes, 'stored window');
  version(reader);
  const timeMs = reader.float64();
  const lengthMs = reader.varint();
  const table = toHex(reader.raw(8));
  const first = reader.varint();
  return { timeMs, lengthMs, table, first, columns: reader.raw(reader.left) };
}

/** Which space has the data of a record, beside its key: what a recount looks into. */
export const recordPlaces = [
  'none',
  'window',
  'rollup',
  'event',
  'evidence',
  'unknown',
  'gap',
  'quarantine',
  'coMoments',
] as const;
export type RecordPlace = (typeof recordPlaces)[number];

/** The keys of consecutive seqs of an epoch: CRC, time, and where the data are. */
export interface Run {
  readonly fromSeq: number;
  readonly crcs: readonly number[];
  readonly timesMs: readonly number[];
  /** Empty in what format 1 wrote. */
  readonly places: readonly RecordPlace[];
}

/** Version 2 has a byte for each place behind the CRCs; version 1 had none. */
const RUN_VERSION = 2;

export function encodeRun(run: Run): Uint8Array {
  const writer = new ByteWriter(run.crcs.length * 9 + 16);
  writer.byte(run.places.length === 0 ? 1 : RUN_VERSION);
  writer.varint(run.crcs.length);
  let previous = 0;
  for (const timeMs of run.timesMs) {
    const rounded = Math.round(timeMs);
    writer.varint(zigzag(rounded - previous));
    previous = rounded;
  }
  for (const crc of run.crcs) {
    writer.uint16(crc & 0xffff);
    writer.uint16(crc >>> 16);
  }
  for (const place of run.places) writer.byte(recordPlaces.indexOf(place));
  return writer.finish();
}

export function decodeRun(fromSeq: number, bytes: Uint8Array): Run {
  return readRun(fromSeq, new ByteReader(bytes, 'stored run'));
}

/** Several runs in one value: count, then for each its first seq and length in bytes. */
export function encodeRuns(runs: readonly Run[]): Uint8Array {
  const writer = new ByteWriter(64);
  writer.varint(runs.length);
  for (const run of runs) {
    const bytes = encodeRun(run);
    writer.varint(run.fromSeq);
    writer.varint(bytes.length);
    writer.raw(bytes);
  }
  return writer.finish();
}

export function decodeRuns(bytes: Uint8Array): Run[] {
  const reader = new ByteReader(bytes, 'folded runs');
  const out: Run[] = [];
  for (let left = reader.varint(bytes.length); left > 0; left--) {
    const fromSeq = reader.varint();
    out.push(decodeRun(fromSeq, reader.raw(reader.varint(bytes.length))));
  }
  return out;
}

function readRun(fromSeq: number, reader: ByteReader): Run {
  const found = reader.byte();
  if (found !== 1 && found !== RUN_VERSION) reader.fail(`layout ${found} is unknown`);
  const count = reader.varint(reader.left);
  const timesMs: number[] = [];
  let previous = 0;
  for (let i = 0; i < count; i++) {
    previous += unzigzag(reader.varint());
    timesMs.push(previous);
  }
  const crcs: number[] = [];
  for (let i = 0; i < count; i++) crcs.push(reader.uint16() + reader.uint16() * 65536);
  const places: RecordPlace[] = [];
  if (found === RUN_VERSION) for (let i = 0; i < count; i++) places.push(recordPlaces[reader.byte()] ?? 'none');
  return { fromSeq, crcs, timesMs, places };
}

/** A gap record: its epoch is that which it speaks of, not its own. */
export function encodeGapRow(gap: StoredGap): Uint8Array {
  const ranges = encodeRanges(gap.ranges);
  const cause = new TextEncoder().encode(gap.cause.slice(0, 64));
  const writer = new ByteWriter(ranges.length + cause.length + 48);
  writer.byte(VERSION);
  writer.raw(fromHex(gap.epoch, 16));
  writer.float64(gap.fromMs);
  writer.float64(gap.toMs);
  writer.byte(cause.length);
  writer.raw(cause);
  writer.raw(ranges);
  return writer.finish();
}

export function decodeGapRow(bytes: Uint8Array): StoredGap {
  const reader = new ByteReader(bytes, 'stored gap');
  version(reader);
  const epoch = toHex(reader.raw(16));
  const fromMs = reader.float64();
  const toMs = reader.float64();
  const cause = new TextDecoder().decode(reader.raw(reader.byte()));
  return { epoch, fromMs, toMs, cause, ranges: decodeRanges(reader.raw(reader.left)) };
}

export interface Quarantined {
  readonly timeMs: number;
  readonly reason: string;
  readonly record: Uint8Array;
}

export function encodeQuarantined(value: Quarantined): Uint8Array {
  const reason = new TextEncoder().encode(value.reason);
  const writer = new ByteWriter(value.record.length + reason.length + 16);
  writer.byte(VERSION);
  writer.float64(value.timeMs);
  writer.varint(reason.length);
  writer.raw(reason);
  writer.raw(value.record);
  return writer.finish();
}

export function decodeQuarantined(bytes: Uint8Array): Quarantined {
  const reader = new ByteReader(bytes, 'quarantined record');
  version(reader);
  const timeMs = reader.float64();
  const reason = new TextDecoder().decode(reader.raw(reader.varint(bytes.length)));
  return { timeMs, reason, record: reader.raw(reader.left).slice() };
}

/** A table as the agent's series numbers; null for one that was quarantined. */
export function encodeTable(numbers: readonly number[] | null): Uint8Array {
  const writer = new ByteWriter((numbers?.length ?? 0) * 2 + 4);
  writer.byte(VERSION);
  writer.byte(numbers === null ? 1 : 0);
  for (const number of numbers ?? []) writer.varint(number);
  return writer.finish();
}

export function decodeTable(bytes: Uint8Array): readonly number[] | null {
  const reader = new ByteReader(bytes, 'stored table');
  version(reader);
  if (reader.byte() === 1) return null;
  const numbers: number[] = [];
  while (reader.left > 0) numbers.push(reader.varint());
  return numbers;
}

/** Minutes 0…59 of an hour that windows cover, as two words of 30 bits. */
export interface CoveredMinutes {
  low: number;
  high: number;
}

export function encodeCovered(minutes: CoveredMinutes): Uint8Array {
  const out = new Uint8Array(8);
  const view = new DataView(out.buffer);
  view.setUint32(0, minutes.low);
  view.setUint32(4, minutes.high);
  return out;
}

export function decodeCovered(bytes: Uint8Array): CoveredMinutes {
  if (bytes.length !== 8) throw new PicketError('payload.invalid', `coverage of an hour in ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return { low: view.getUint32(0), high: view.getUint32(4) };
}

export function coverMinute(minutes: CoveredMinutes, minute: number): void {
  if (minute < 30) minutes.low |= 1 << minute;
  else minutes.high |= 1 << (minute - 30);
}

export function coversMinute(minutes: CoveredMinutes, minute: number): boolean {
  return minute < 30 ? (minutes.low & (1 << minute)) !== 0 : (minutes.high & (1 << (minute - 30))) !== 0;
}

/**
 * Minutes (since 1970) that a window covers, from inclusive to exclusive. Both ends are rounded to the nearest minute,
 * so that windows in a row cover each minute once, whether or not they end on full minutes.
 */
export function minutesOf(timeMs: number, lengthMs: number): readonly [from: number, to: number] {
  return [Math.round(Math.max(0, timeMs - lengthMs) / MINUTE_MS), Math.round(timeMs / MINUTE_MS)];
}
