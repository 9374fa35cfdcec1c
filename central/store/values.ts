/**
 * Values of the small spaces: windows as they came, runs of CRCs, quarantined records, coverage of an hour. Each
 * begins with a version byte where its layout could grow; numbers are little-endian.
 */

import { PicketError } from '../../shared/errors.ts';
import { MINUTE_MS } from '../../shared/limits.ts';
import { ByteReader, ByteWriter, fromHex, toHex, unzigzag, zigzag } from '../../shared/wire/bytes.ts';
import type { WindowContent } from './decide.ts';

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

export function encodeWindow(timeMs: number, content: WindowContent): Uint8Array {
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

/** CRCs and times of consecutive seqs of an epoch. */
export interface Run {
  readonly fromSeq: number;
  readonly crcs: readonly number[];
  readonly timesMs: readonly number[];
}

export function encodeRun(run: Run): Uint8Array {
  const writer = new ByteWriter(run.crcs.length * 8 + 16);
  writer.byte(VERSION);
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
  return writer.finish();
}

export function decodeRun(fromSeq: number, bytes: Uint8Array): Run {
  const reader = new ByteReader(bytes, 'stored run');
  version(reader);
  const count = reader.varint(bytes.length);
  const timesMs: number[] = [];
  let previous = 0;
  for (let i = 0; i < count; i++) {
    previous += unzigzag(reader.varint());
    timesMs.push(previous);
  }
  const crcs: number[] = [];
  for (let i = 0; i < count; i++) crcs.push(reader.uint16() + reader.uint16() * 65536);
  return { fromSeq, crcs, timesMs };
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
