import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '../shared/limits.ts';
import { SketchSet } from '../shared/math/sketch-set.ts';
import type { SeriesKey } from '../shared/series.ts';
import { tableHash } from '../shared/trust/hash.ts';
import { decodeSummary, decodeTable, encodeRecord } from '../shared/wire/codec.ts';
import { decodeColumns } from '../shared/wire/columns.ts';
import { emptyColumns } from '../shared/wire/summary.ts';
import { summaryParts, tableParts } from './parts.ts';

const keyOf = (i: number, length = 20): SeriesKey => ({
  name: `metric.${'x'.repeat(length)}`,
  unit: '1',
  attributes: { number: String(i), other: 'y'.repeat(length) },
});
const span = { nominalMs: 60_000, lengthMs: 60_000, endMonotonicMs: 1e9, endWallMs: 1.7e12 };
const asRecord = (body: Uint8Array) =>
  encodeRecord({
    kind: 'summary',
    bootId: 'ff'.repeat(16),
    monotonicMs: Number.MAX_SAFE_INTEGER,
    wallMs: Number.MIN_SAFE_INTEGER,
    wallTrusted: 'no',
    body,
  });

test('a short list is one table, under the hash of its body', () => {
  const keys = [keyOf(1), keyOf(2)];
  const [table, ...rest] = tableParts(keys);
  expect(rest).toEqual([]);
  expect(decodeTable(table!.body)).toEqual(keys);
  expect(table!.hash).toBe(tableHash(table!.body));
  expect(tableParts([])).toEqual([]);
});

test('tables of any list cover it in order, and each fits into a record', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 200 }), (count, length) => {
      const keys = Array.from({ length: count }, (_, i) => keyOf(i, length));
      const tables = tableParts(keys);
      expect(tables.flatMap((table) => decodeTable(table.body))).toEqual(keys);
      let first = 0;
      for (const table of tables) {
        expect(table.first).toBe(first);
        first += table.length;
        expect(() => asRecord(table.body)).not.toThrow();
      }
    }),
    { numRuns: 20 },
  );
});

test('parts of a window stand alone, name their table and place, and fit into a record', () => {
  const count = 2000;
  const keys = Array.from({ length: count }, (_, i) => keyOf(i));
  const tables = tableParts(keys);
  expect(tables.length).toBeGreaterThan(1);
  const columns = emptyColumns(count);
  const sketches = new SketchSet(count);
  for (let i = 0; i < count; i++) {
    // wide sketches: 60 buckets each
    for (let k = 0; k < 60; k++) sketches.add(i, 1.07 ** ((k * 7 + i) % 60) + i * 1e-9);
    columns.count[i] = 60;
    columns.min[i] = 1 + i * 1e-9;
    columns.max[i] = 1.07 ** 59 + i * 1e-9;
    columns.mean[i] = 10;
    columns.deviation[i] = 5;
    columns.last[i] = 3;
    columns.anomalyShare[i] = 0;
    columns.highestScore[i] = 7;
    columns.sketches[i] = sketches.take(i);
  }
  const parts = summaryParts(columns, tables, span);
  expect(parts.length).toBeGreaterThan(tables.length);
  const seen: number[] = [];
  for (const part of parts) {
    expect(() => asRecord(part.body)).not.toThrow();
    const summary = decodeSummary(part.body);
    expect(summary).toMatchObject({ ...span, table: part.table });
    const table = tables.find(({ hash }) => hash === summary.table)!;
    const decoded = decodeColumns(summary.columns, limits.seriesPerTable);
    expect(summary.first + decoded.length).toBeLessThanOrEqual(table.length);
    for (let i = 0; i < decoded.length; i++) {
      const index = table.first + summary.first + i;
      seen.push(index);
      expect(decoded.min[i]).toBe(columns.min[index]);
    }
  }
  expect(seen).toEqual(Array.from({ length: count }, (_, i) => i));
});
