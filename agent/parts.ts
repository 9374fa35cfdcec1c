/**
 * Tables and windows as bodies of records, each within `limits.recordBytes`. A list of series that is too long for one
 * table becomes several, and a window whose columns are too long becomes parts that stand alone: each names its table
 * and where in it it begins, so that one that is lost takes no other with it.
 */
import { limits } from '../shared/limits.ts';
import type { SeriesKey } from '../shared/series.ts';
import { tableHash } from '../shared/trust/hash.ts';
import { encodeSummary, encodeTable, tableEntryBytes } from '../shared/wire/codec.ts';
import { encodeColumns } from '../shared/wire/columns.ts';
import { sliceColumns, type WindowColumns, type WindowSpan } from '../shared/wire/summary.ts';

/** What a record's own fields take at most (boot id, times, tags), and a summary's. */
const RECORD_FIELDS_BYTES = 128;
const SUMMARY_FIELDS_BYTES = 128 + limits.seriesPerTable / 8;
const BODY_BYTES = limits.recordBytes - RECORD_FIELDS_BYTES;
const COLUMNS_BYTES = BODY_BYTES - SUMMARY_FIELDS_BYTES;

/** One table of an agent's series. */
export interface TablePart {
  /** Index of its first series in the agent's list, and how many it has. */
  readonly first: number;
  readonly length: number;
  /** Body of the TABLE record, and its hash, by which summaries name it. */
  readonly body: Uint8Array;
  readonly hash: string;
}

/** The tables of a list of series: one, where it fits. */
export function tableParts(series: readonly SeriesKey[]): readonly TablePart[] {
  const parts: TablePart[] = [];
  let first = 0;
  let sizeBytes = 0;
  const cut = (end: number) => {
    const body = encodeTable(series.slice(first, end));
    parts.push({ first, length: end - first, body, hash: tableHash(body) });
    first = end;
    sizeBytes = 0;
  };
  for (let i = 0; i < series.length; i++) {
    const entryBytes = tableEntryBytes(series[i]!);
    if (i > first && (sizeBytes + entryBytes > BODY_BYTES || i - first === limits.seriesPerTable)) cut(i);
    sizeBytes += entryBytes;
  }
  if (first < series.length) cut(series.length);
  return parts;
}

/** Body of a SUMMARY or ROLLUP record, and the hash of the table that it names. */
export interface SummaryPart {
  readonly table: string;
  readonly body: Uint8Array;
}

/**
 * A window as bodies of records, in the tables' order.
 * @param columns of the whole list of series that the tables were made of
 * @param leftOut 1 for each series that is left out though it had samples; null for none
 */
export function summaryParts(
  columns: WindowColumns,
  tables: readonly TablePart[],
  span: WindowSpan,
  leftOut: Uint8Array | null = null,
): readonly SummaryPart[] {
  const parts: SummaryPart[] = [];
  const add = (table: TablePart, from: number, to: number): void => {
    const bytes = encodeColumns(sliceColumns(columns, table.first + from, table.first + to));
    if (bytes.length <= COLUMNS_BYTES || to - from === 1) {
      const bits = leftOutBits(leftOut, table.first + from, table.first + to);
      const body = encodeSummary({ ...span, table: table.hash, first: from, columns: bytes, ...bits });
      parts.push({ table: table.hash, body });
      return;
    }
    const middle = (from + to) >> 1;
    add(table, from, middle);
    add(table, middle, to);
  };
  for (const table of tables) add(table, 0, table.length);
  return parts;
}

/** Bits of the series `from` to `to`, the lowest first; nothing where none is set. */
function leftOutBits(leftOut: Uint8Array | null, from: number, to: number): { leftOut?: Uint8Array } {
  if (leftOut === null) return {};
  const bits = new Uint8Array((to - from + 7) >> 3);
  let any = false;
  for (let i = from; i < to; i++) {
    if (leftOut[i] !== 1) continue;
    bits[(i - from) >> 3]! |= 1 << ((i - from) & 7);
    any = true;
  }
  return any ? { leftOut: bits } : {};
}
