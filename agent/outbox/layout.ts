/**
 * Keys and rows of an outbox's shelf; `level.ts` describes them as the on-disk format. All integers big-endian, so
 * that byte order is their order.
 *
 * Every stored record describes itself (epoch, class, place, times, table), so that all other rows can be rebuilt from
 * the records after damage.
 */
import { limits } from '../../shared/limits.ts';
import { fromHex, toHex } from '../../shared/wire/bytes.ts';
import { crc32c } from '../../shared/wire/crc32c.ts';
import { checkedRanges, type SeqRange, type SeqRanges } from '../../shared/wire/ranges.ts';
import { type Cursor, type RecordClass, recordClasses } from './outbox.ts';

/** Written under `formatKey`; a newer one is refused. */
export const FORMAT = 2;

const RECORD = 0x64; // d
const INDEX = 0x69; // i
const EPOCH = 0x73; // s
const TABLE = 0x74; // t
const INTEGER_BYTES = 6;
const PLACE_BYTES = 2 * INTEGER_BYTES;
/** Epoch, two times, hash of the table; then the frame. */
const PREFIX_BYTES = 16 + 8 + 8 + 8;
const noTable = '0000000000000000';

/** The end of the last key space: no key of an outbox is at or above it. */
export const endOfKeys = Uint8Array.of(0x75);
export const firstRecordKey = Uint8Array.of(RECORD);
export const afterRecordKeys = Uint8Array.of(RECORD + 1);
export const epochKeys = [Uint8Array.of(EPOCH), Uint8Array.of(EPOCH + 1)] as const;
export const tableKeys = [Uint8Array.of(TABLE), Uint8Array.of(TABLE + 1)] as const;
export const formatKey = metaKey('format');
/** Generation of the journal that is in the database. */
export const journalKey = metaKey('journal');
export const firstIndexKey = Uint8Array.of(INDEX);

export interface Place extends Cursor {
  readonly recordClass: RecordClass;
}

function putInteger(out: Uint8Array, at: number, value: number): void {
  for (let i = INTEGER_BYTES - 1; i >= 0; i--) {
    out[at + i] = value % 256;
    value = Math.floor(value / 256);
  }
}

function getInteger(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = 0; i < INTEGER_BYTES; i++) value = value * 256 + bytes[at + i]!;
  return value;
}

/** The first possible key of a record at this place or after it. */
export function recordKeyFrom(start: number, seq: number): Uint8Array {
  const key = new Uint8Array(1 + PLACE_BYTES);
  key[0] = RECORD;
  putInteger(key, 1, start);
  putInteger(key, 1 + INTEGER_BYTES, seq);
  return key;
}

export function recordKey(place: Place): Uint8Array {
  const key = new Uint8Array(2 + PLACE_BYTES);
  key.set(recordKeyFrom(place.start, place.seq));
  key[1 + PLACE_BYTES] = recordClasses.indexOf(place.recordClass);
  return key;
}

/** Null where it is no record's key. */
export function parseRecordKey(key: Uint8Array): Place | null {
  const recordClass = recordClasses[key[1 + PLACE_BYTES] ?? 255];
  if (key.length !== 2 + PLACE_BYTES || key[0] !== RECORD || recordClass === undefined) return null;
  return { start: getInteger(key, 1), seq: getInteger(key, 1 + INTEGER_BYTES), recordClass };
}

/** Key of the index row of a record that is not detail: they are few among many and found through it. */
export function indexKey(place: Place): Uint8Array {
  const key = new Uint8Array(2 + PLACE_BYTES);
  key[0] = INDEX;
  key[1] = recordClasses.indexOf(place.recordClass);
  putInteger(key, 2, place.start);
  putInteger(key, 2 + INTEGER_BYTES, place.seq);
  return key;
}

export function parseIndexKey(key: Uint8Array): Place | null {
  const recordClass = recordClasses[key[1] ?? 255];
  if (key.length !== 2 + PLACE_BYTES || key[0] !== INDEX || recordClass === undefined) return null;
  return { start: getInteger(key, 2), seq: getInteger(key, 2 + INTEGER_BYTES), recordClass };
}

/** Value of an index row: all is in its key. One for all, as each would cost some 200 bytes. */
export const noValue = new Uint8Array(0);

export function afterIndexKeys(recordClass: RecordClass): Uint8Array {
  return Uint8Array.of(INDEX, recordClasses.indexOf(recordClass) + 1);
}

export function epochKey(start: number): Uint8Array {
  const key = new Uint8Array(1 + INTEGER_BYTES);
  key[0] = EPOCH;
  putInteger(key, 1, start);
  return key;
}

/** @param hash 16 hex digits */
export function tableKey(hash: string): Uint8Array {
  const key = new Uint8Array(9);
  key[0] = TABLE;
  key.set(fromHex(hash, 8), 1);
  return key;
}

export function metaKey(name: string): Uint8Array {
  return new TextEncoder().encode(`m${name}`);
}

/** A record as it lies on the shelf. */
export interface Stored {
  readonly epoch: string;
  readonly fromWallMs: number;
  readonly toWallMs: number;
  /** Hash of the table that it names or, for a table, has; null where there is none. */
  readonly table: string | null;
  readonly frame: Uint8Array;
}

export function encodeStored(stored: Stored): Uint8Array {
  const out = new Uint8Array(PREFIX_BYTES + stored.frame.length);
  const view = new DataView(out.buffer);
  out.set(fromHex(stored.epoch, 16), 0);
  view.setFloat64(16, stored.fromWallMs);
  view.setFloat64(24, stored.toWallMs);
  out.set(fromHex(stored.table ?? noTable, 8), 32);
  out.set(stored.frame, PREFIX_BYTES);
  return out;
}

/** Null where these can't be the bytes of a record; whether they are undamaged says the frame's CRC. */
export function decodeStored(bytes: Uint8Array): Stored | null {
  if (bytes.length <= PREFIX_BYTES + limits.frameHeaderBytes) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const table = toHex(bytes.subarray(32, PREFIX_BYTES));
  return {
    epoch: toHex(bytes.subarray(0, 16)),
    fromWallMs: plausibleMs(view.getFloat64(16)),
    toWallMs: plausibleMs(view.getFloat64(24)),
    table: table === noTable ? null : table,
    frame: bytes.subarray(PREFIX_BYTES),
  };
}

function plausibleMs(value: number): number {
  return Number.isFinite(value) && Math.abs(value) < 8.64e15 ? Math.round(value) : 0;
}

/** What is known of an epoch, rewritten with every commit that changes it. */
export interface EpochRow {
  readonly epoch: string;
  readonly volatile: boolean;
  readonly highestSeq: number;
  readonly held: SeqRanges;
  readonly settled: SeqRanges;
  /** Counts the shelf's commits; the row with the highest says the totals. */
  readonly commit: number;
  readonly totals: Totals;
  /** In the newest epoch's row: the others of which something is held, so that a lost row is missed. */
  readonly others?: readonly Other[];
}

export type Other = readonly [start: number, epoch: string, highestSeq: number];

export interface Totals {
  /** Bytes of what is held. */
  readonly heldBytes: number;
  readonly gapRecords: number;
  readonly lostRecords: number;
}

export interface TableRow {
  /** Place of its newest copy; seq 0: none is held. */
  readonly start: number;
  readonly seq: number;
  /** Held records that name it. */
  readonly named: number;
}

export function encodeEpochRow(row: EpochRow): Uint8Array {
  return sealed(row);
}

/** Null where it is damaged. */
export function decodeEpochRow(bytes: Uint8Array): EpochRow | null {
  const row = unsealed(bytes) as EpochRow | null;
  if (row === null || typeof row.epoch !== 'string' || !/^[0-9a-f]{32}$/.test(row.epoch)) return null;
  const held = checkedRanges((row.held ?? []) as readonly SeqRange[]);
  const settled = checkedRanges((row.settled ?? []) as readonly SeqRange[]);
  const others = (row.others ?? []).filter(([start, epoch]) => start > 0 && /^[0-9a-f]{32}$/.test(epoch));
  return held === null || settled === null ? null : { ...row, held, settled, others };
}

export function encodeTableRow(row: TableRow): Uint8Array {
  return sealed(row);
}

export function decodeTableRow(bytes: Uint8Array): TableRow | null {
  const row = unsealed(bytes) as TableRow | null;
  return row !== null && Number.isSafeInteger(row.start + row.seq + row.named) ? row : null;
}

/** Small values with their CRC before them: LevelDB was seen to return wrong bytes without an error. */
export function sealBytes(value: Uint8Array): Uint8Array {
  const out = new Uint8Array(4 + value.length);
  new DataView(out.buffer).setUint32(0, crc32c(value));
  out.set(value, 4);
  return out;
}

/** Null where it is damaged. */
export function unsealBytes(bytes: Uint8Array): Uint8Array | null {
  if (bytes.length < 4) return null;
  const value = bytes.slice(4);
  const stated = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
  return crc32c(value) === stated ? value : null;
}

function sealed(value: object): Uint8Array {
  return sealBytes(new TextEncoder().encode(JSON.stringify(value)));
}

function unsealed(bytes: Uint8Array): unknown {
  const value = unsealBytes(bytes);
  if (value === null) return null;
  try {
    return JSON.parse(new TextDecoder().decode(value));
  } catch {
    return null;
  }
}
