/** Hashes that name things: series, tables, blobs. */
import { createHash } from 'node:crypto';
import { canonicalSeriesBytes, type SeriesId, type SeriesKey } from '../series.ts';

/** A series with its identity. */
export interface IdentifiedSeries extends SeriesKey {
  readonly id: SeriesId;
}

/** 64 lower-case hex digits. */
export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Identity of a series: the first 8 bytes of SHA-256 over name, unit and attributes without `host.*`; 16 hex digits. */
export function seriesId(key: SeriesKey): SeriesId {
  return sha256Hex(canonicalSeriesBytes(key)).slice(0, 16);
}

/** What a summary calls its table: the first 8 bytes of SHA-256 of the TABLE record's body; 16 hex digits. */
export function tableHash(body: Uint8Array): string {
  return sha256Hex(body).slice(0, 16);
}

/** The series of a decoded table with their identities, in the table's order. */
export function identifySeries(series: readonly SeriesKey[]): readonly IdentifiedSeries[] {
  return series.map((key) => ({ ...key, id: seriesId(key) }));
}
