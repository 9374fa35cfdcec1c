/**
 * Damages the tables of copies of a LevelDB database, by seed, heals each, and has LevelDB read and compact what is left:
 * in a process of its own, as what heals too little ends it. Arguments: the database, a directory for the copies, the
 * first seed, the last. It prints a line before each seed, and `done`.
 *
 * Half of what is damaged gets checksums that fit, as from a compaction that read damaged blocks.
 */
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { Key, putVarint, uncompressed, Varints, visitEntries } from '../../agent/outbox/level-blocks.ts';
import { healTables, masked } from '../../agent/outbox/level-tables.ts';
import { crc32c } from '../../shared/wire/crc32c.ts';

const FOOTER_BYTES = 48;
const LARGEST_BYTES = 1 << 24;

const [original, copies, first, last] = process.argv.slice(2) as [string, string, string, string];

function dice(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 97;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

interface Span {
  readonly offset: number;
  readonly size: number;
}

/** Of an undamaged table: its data blocks, index and what leads to the filter. */
function blocksOf(table: Uint8Array): { readonly data: readonly Span[]; readonly index: Span; readonly meta: Span } {
  const footer = new Varints(table.subarray(-FOOTER_BYTES));
  const meta = { offset: footer.next(), size: footer.next() };
  const index = { offset: footer.next(), size: footer.next() };
  const end = index.offset + index.size;
  const data: Span[] = [];
  const content = uncompressed(table.subarray(index.offset, end), table[end]!, LARGEST_BYTES)!;
  visitEntries(content, new Key(), (from, to) => {
    const handle = new Varints(content.subarray(from, to));
    data.push({ offset: handle.next(), size: handle.next() });
    return true;
  });
  return { data, index, meta };
}

/** Bits flipped, or other bytes; more often near the beginning of an entry than elsewhere. */
function spoil(bytes: Uint8Array, roll: (below: number) => number): void {
  for (let n = 1 + roll(4); n > 0; n--) {
    const at = roll(4) === 0 ? roll(Math.min(40, bytes.length)) : roll(bytes.length);
    if (roll(3) === 0) bytes[at] = roll(256);
    else bytes[at]! ^= 1 << roll(8);
  }
}

function damage(table: Uint8Array, roll: (below: number) => number): Uint8Array {
  const { data, index, meta } = blocksOf(table);
  const how = roll(10);
  if (how === 0) return table.subarray(0, roll(table.length));
  if (how === 1) table.fill(0, roll(table.length), table.length - roll(2) * FOOTER_BYTES);
  else if (how === 2) spoil(table.subarray(-FOOTER_BYTES), roll);
  else if (how === 3) {
    // A place in the footer that is nowhere.
    const footer = table.subarray(-FOOTER_BYTES);
    putVarint(footer, putVarint(footer, 0, roll(2 ** 31) * 2 ** roll(20)), roll(2 ** 31));
  } else if (how === 4) spoil(table, roll);
  else {
    const spans = how === 5 ? [index] : how === 6 ? [meta] : data;
    for (let n = 1 + roll(3); n > 0; n--) {
      const { offset, size } = spans[roll(spans.length)]!;
      spoil(table.subarray(offset, offset + size), roll);
      if (roll(4) === 0) continue;
      const crc = masked(crc32c(table.subarray(offset, offset + size + 1)));
      new DataView(table.buffer, table.byteOffset).setUint32(offset + size + 1, crc, true);
    }
  }
  return table;
}

for (let seed = Number(first); seed <= Number(last); seed++) {
  process.stdout.write(`seed ${seed}\n`);
  const roll = dice(seed);
  const copy = join(copies, `seed-${seed}`);
  await cp(original, copy, { recursive: true });
  const tables = (await readdir(copy)).filter((name) => name.endsWith('.ldb'));
  for (const name of tables) {
    if (roll(2) === 0) continue;
    const path = join(copy, name);
    await writeFile(path, damage(new Uint8Array(await readFile(path)), roll));
  }
  const { files } = await healTables(copy, async () => {});
  // Without a file it does not open, and is repaired first: by the same reading and writing of tables.
  if (files > 0) await ClassicLevel.repair(copy);
  const db = new ClassicLevel<Uint8Array, Uint8Array>(copy, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    compression: seed % 2 === 0,
  });
  await db.open();
  for await (const [key] of db.iterator()) await db.get(key);
  await db.compactRange(new Uint8Array(0), new Uint8Array(40).fill(255));
  for await (const entry of db.iterator()) void entry;
  await db.close();
  await rm(copy, { recursive: true });
}
process.stdout.write('done\n');
