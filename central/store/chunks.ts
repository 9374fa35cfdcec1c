/**
 * Chunks: the windows of one series over an hour, as the wire codes the windows of many series over one minute. Index
 * i of the columns is then a window instead of a series, so that a chunk is as exact and as small as what came.
 *
 *   chunk    version u8, windows varint, clock, columns (shared/wire/columns.ts)
 *   clock    0 u8, first end f64, step varint, length varint            windows at one rhythm, each of one length
 *            1 u8, first end f64, step zigzag varint …, length varint … any others
 *
 * Rolled rows (hours of a day, days of a block) are few and are what remains when the minutes are gone: they keep their
 * moments in full.
 *
 *   rows     version u8, rows varint, clock, then a column each of count, mean, deviation, min, max, last, share, score, bad
 *   column   0 u8 f64 (all equal) · 1 u8 f64 … · 2 u8 f32 … (all exact in it) · 3 u8 varint …
 */
import { ByteReader, ByteWriter, unzigzag, zigzag } from '../../shared/wire/bytes.ts';
import { decodeColumns, encodeColumns } from '../../shared/wire/columns.ts';
import type { Row, Rows } from './rows.ts';

const VERSION = 1;
/** More windows of one series than this in an hour are not an agent of ours; bounds memory for a value from the disk. */
const MAX_ROWS = 1 << 20;

/** The rows as a chunk, sorted by time. */
export function encodeChunk(rows: Rows): Uint8Array {
  const { timesMs, lengthsMs, columns } = rows.toWindowColumns();
  const coded = encodeColumns(columns);
  const writer = new ByteWriter(coded.length + 32);
  writer.byte(VERSION);
  writer.varint(timesMs.length);
  writeClock(writer, timesMs, lengthsMs);
  writer.raw(coded);
  return writer.finish();
}

/** Adds a chunk's windows to `rows`; with their sketches only where they are to be written again. */
export function decodeChunk(bytes: Uint8Array, rows: Rows, withSketches: boolean): void {
  const reader = new ByteReader(bytes, 'stored chunk');
  const { timesMs, lengthsMs } = readHead(reader);
  const columns = decodeColumns(reader.raw(reader.left), MAX_ROWS, withSketches);
  if (columns.length !== timesMs.length) reader.fail(`${columns.length} windows at ${timesMs.length} times`);
  for (let i = 0; i < columns.length; i++) rows.pushWindow(timesMs[i]!, lengthsMs[i]!, columns, i, withSketches);
}

/** When a chunk's windows end and how long they are, without their values. */
export function chunkSpans(bytes: Uint8Array): { readonly timesMs: Float64Array; readonly lengthsMs: Float64Array } {
  return readHead(new ByteReader(bytes, 'stored chunk'));
}

/** Adds each of a chunk's windows, with its sketch, to the rows that `place` names, ending when it says. */
export function scatterChunk(
  bytes: Uint8Array,
  place: (timeMs: number, lengthMs: number) => { readonly rows: Rows; readonly timeMs: number },
): void {
  const reader = new ByteReader(bytes, 'stored chunk');
  const { timesMs, lengthsMs } = readHead(reader);
  const columns = decodeColumns(reader.raw(reader.left), MAX_ROWS, true);
  if (columns.length !== timesMs.length) reader.fail(`${columns.length} windows at ${timesMs.length} times`);
  for (let i = 0; i < columns.length; i++) {
    const { rows, timeMs } = place(timesMs[i]!, lengthsMs[i]!);
    rows.pushWindow(timeMs, lengthsMs[i]!, columns, i, true);
  }
}

const rolledFields = [
  'count',
  'mean',
  'deviation',
  'min',
  'max',
  'last',
  'anomalyShare',
  'highestScore',
  'bad',
] as const;

export function encodeRolled(rows: readonly Row[]): Uint8Array {
  const writer = new ByteWriter(rows.length * 64 + 32);
  writer.byte(VERSION);
  writer.varint(rows.length);
  writeClock(
    writer,
    Float64Array.from(rows, (row) => row.timeMs),
    Float64Array.from(rows, (row) => row.lengthMs),
  );
  for (const field of rolledFields) {
    writeColumn(
      writer,
      rows.map((row) => row[field]),
    );
  }
  return writer.finish();
}

export function decodeRolled(bytes: Uint8Array): Row[] {
  const reader = new ByteReader(bytes, 'stored rows');
  const { timesMs, lengthsMs } = readHead(reader);
  const columns = rolledFields.map(() => readColumn(reader, timesMs.length));
  return Array.from(timesMs, (timeMs, i) => {
    const [count, mean, deviation, min, max, last, anomalyShare, highestScore, bad] = columns.map(
      (column) => column[i]!,
    );
    return {
      timeMs,
      lengthMs: lengthsMs[i]!,
      count: count!,
      mean: mean!,
      deviation: deviation!,
      min: min!,
      max: max!,
      last: last!,
      anomalyShare: anomalyShare!,
      highestScore: highestScore!,
      bad: bad!,
    };
  });
}

function writeClock(writer: ByteWriter, timesMs: Float64Array, lengthsMs: Float64Array): void {
  const first = timesMs[0] ?? 0;
  const step = timesMs.length > 1 ? timesMs[1]! - first : 0;
  const length = Math.round(lengthsMs[0] ?? 0);
  const steady =
    timesMs.every((timeMs, i) => timeMs === first + i * step) && lengthsMs.every((ms) => Math.round(ms) === length);
  writer.byte(steady ? 0 : 1);
  writer.float64(first);
  if (steady) {
    writer.varint(Math.round(step));
    writer.varint(length);
    return;
  }
  for (let i = 1; i < timesMs.length; i++) writer.varint(zigzag(Math.round(timesMs[i]! - timesMs[i - 1]!)));
  for (const ms of lengthsMs) writer.varint(Math.round(ms));
}

function readHead(reader: ByteReader): { timesMs: Float64Array; lengthsMs: Float64Array } {
  const found = reader.byte();
  if (found !== VERSION) reader.fail(`layout ${found} is unknown`);
  const count = reader.varint(MAX_ROWS);
  const timesMs = new Float64Array(count);
  const lengthsMs = new Float64Array(count);
  const steady = reader.byte() === 0;
  let timeMs = reader.float64();
  if (steady) {
    const step = reader.varint();
    const length = reader.varint();
    for (let i = 0; i < count; i++) timesMs[i] = timeMs + i * step;
    lengthsMs.fill(length);
    return { timesMs, lengthsMs };
  }
  for (let i = 0; i < count; i++) {
    if (i > 0) timeMs += unzigzag(reader.varint());
    timesMs[i] = timeMs;
  }
  for (let i = 0; i < count; i++) lengthsMs[i] = reader.varint();
  return { timesMs, lengthsMs };
}

function writeColumn(writer: ByteWriter, values: readonly number[]): void {
  const first = values[0] ?? 0;
  if (values.every((value) => Object.is(value, first))) {
    writer.byte(0);
    writer.float64(first);
  } else if (values.every((value) => Number.isSafeInteger(value) && value >= 0 && value < 2 ** 49)) {
    writer.byte(3);
    for (const value of values) writer.varint(value);
  } else if (values.every((value) => Object.is(Math.fround(value), value))) {
    writer.byte(2);
    for (const value of values) writer.float32(value);
  } else {
    writer.byte(1);
    for (const value of values) writer.float64(value);
  }
}

function readColumn(reader: ByteReader, length: number): Float64Array {
  const out = new Float64Array(length);
  const mode = reader.byte();
  if (mode === 0) return out.fill(reader.float64());
  if (mode > 3) reader.fail(`column of kind ${mode}`);
  for (let i = 0; i < length; i++)
    out[i] = mode === 1 ? reader.float64() : mode === 2 ? reader.float32() : reader.varint();
  return out;
}
