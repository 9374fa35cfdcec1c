import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blocksOf, describe as inWords, split } from './blocks.ts';
import type { Entry, Table } from './settings.ts';
import { tables } from './settings.ts';

const entry = (table: Table, address: number, length = 1): Entry => ({
  name: `${table}${address}`,
  table,
  address,
  length,
  type: { kind: 'u16' },
  order: 'ABCD',
  number: null,
  state: null,
});

const anyEntries = fc.array(
  fc
    .tuple(fc.constantFrom(...tables), fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 1, max: 4 }))
    .map(([table, address, length]) => entry(table, address, table === 'coil' || table === 'discrete' ? 1 : length)),
  { minLength: 1, maxLength: 60 },
);

test('every entry is in exactly one block, whole, and no block is larger than Modbus allows', () => {
  fc.assert(
    fc.property(anyEntries, fc.integer({ min: 0, max: 100 }), (entries, gap) => {
      const blocks = blocksOf(entries, gap);
      expect(new Set(blocks.flatMap((block) => block.entries))).toEqual(new Set(entries));
      expect(blocks.flatMap((block) => block.entries)).toHaveLength(entries.length);
      for (const { table, address, count, entries: inside } of blocks) {
        expect(count).toBeLessThanOrEqual(table === 'coil' || table === 'discrete' ? 2000 : 125);
        for (const one of inside) {
          expect(one.table).toBe(table);
          expect(one.address).toBeGreaterThanOrEqual(address);
          expect(one.address + one.length).toBeLessThanOrEqual(address + count);
        }
      }
    }),
  );
});

test('neighbours share a request up to the gap and the limit', () => {
  const spans = (entries: readonly Entry[], gap: number) =>
    blocksOf(entries, gap).map(({ table, address, count }) => [table, address, count]);
  const some = [entry('holding', 10, 2), entry('holding', 0), entry('holding', 20), entry('coil', 0)];
  expect(spans(some, 9)).toEqual([
    ['coil', 0, 1],
    ['holding', 0, 21],
  ]);
  expect(spans(some, 8)).toEqual([
    ['coil', 0, 1],
    ['holding', 0, 1],
    ['holding', 10, 11],
  ]);
  expect(spans([entry('holding', 0), entry('holding', 123, 2)], 200)).toEqual([['holding', 0, 125]]);
  expect(spans([entry('holding', 0), entry('holding', 123, 3)], 200)).toHaveLength(2);
});

test('a refused block is parted where most was read along, and always ends', () => {
  const [block] = blocksOf([entry('holding', 0), entry('holding', 7), entry('holding', 8), entry('holding', 9)], 8);
  const [left, right] = split(block!);
  expect([left.address, left.count, right.address, right.count]).toEqual([0, 1, 7, 3]);
  fc.assert(
    fc.property(anyEntries, (entries) => {
      for (const one of blocksOf(entries, 100)) {
        if (one.entries.length < 2) continue;
        const halves = split(one);
        expect(halves.flatMap((half) => half.entries)).toHaveLength(one.entries.length);
        for (const half of halves) expect(half.entries.length).toBeGreaterThan(0);
      }
    }),
  );
});

test('blocks are told in words', () => {
  expect(inWords({ table: 'holding', address: 100, count: 10 })).toBe('holding registers 100 to 109');
  expect(inWords({ table: 'coil', address: 7, count: 1 })).toBe('coil 7');
});
