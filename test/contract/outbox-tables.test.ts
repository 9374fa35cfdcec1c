/** Damaged blocks of a LevelDB table: taken out, so that nothing reads or compacts them, and nothing else is lost. */
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LevelFiles } from '../../agent/outbox/level-files.ts';
import { manifestState } from '../../agent/outbox/level-manifest.ts';
import { healTables } from '../../agent/outbox/level-tables.ts';

const ENTRIES = 1500;
const VALUE_BYTES = 2000;

let directory: string;
let tables: string[];
const kept: string[] = [];
const heal = () =>
  healTables(directory, async (path) => {
    kept.push(path);
  });
const open = () => new ClassicLevel<string, Uint8Array>(directory, { valueEncoding: 'view', compression: false });
const filledFor = (key: string) => new Uint8Array(VALUE_BYTES).fill(Number(key) % 251);

beforeEach(async () => {
  kept.length = 0;
  directory = await mkdtemp(join(tmpdir(), 'picket-tables-'));
  const db = open();
  const keys = Array.from({ length: ENTRIES }, (_, i) => String(i).padStart(8, '0'));
  await db.batch(keys.map((key) => ({ type: 'put', key, value: filledFor(key) })));
  await db.compactRange('0', '9');
  await db.close();
  tables = (await readdir(directory)).filter((name) => name.endsWith('.ldb')).map((name) => join(directory, name));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

it('leaves whole tables alone', async () => {
  expect(tables.length).toBeGreaterThan(0);
  expect(await heal()).toEqual({ blocks: 0, files: 0 });
  expect(kept).toEqual([]);
});

it('takes out the damaged blocks and no more, and what is left reads and compacts', async () => {
  for (const path of tables) {
    const bytes = await readFile(path);
    // A key out of its order is what a compaction aborts over.
    for (const at of [0.1, 0.3, 0.8]) bytes[Math.floor(bytes.length * at)]! ^= 0x80;
    await writeFile(path, bytes);
  }
  expect(await heal()).toEqual({ blocks: 3 * tables.length, files: 0 });
  expect(kept).toEqual(tables);
  expect(await heal()).toEqual({ blocks: 0, files: 0 });
  const db = open();
  const read = await db.iterator().all();
  // A block has some 4 KB here: two or three of these values.
  expect(ENTRIES - read.length).toBeGreaterThanOrEqual(3);
  expect(ENTRIES - read.length).toBeLessThanOrEqual(3 * 3 * tables.length);
  for (const [key, value] of read) expect(Buffer.compare(value, filledFor(key))).toBe(0);
  await db.compactRange('0', '9');
  expect((await db.keys().all()).length).toBe(read.length);
  await db.close();
});

it('gives up a file that is no table any more', async () => {
  await truncate(tables[0]!, 5000);
  expect(await heal()).toEqual({ blocks: 0, files: 1 });
  expect(kept).toEqual([tables[0]]);
  expect(await readdir(directory)).not.toContain(tables[0]);
});

describe('a MANIFEST', () => {
  let manifest: string;
  let whole: Buffer;
  beforeEach(async () => {
    manifest = join(directory, (await readdir(directory)).find((name) => name.startsWith('MANIFEST'))!);
    whole = await readFile(manifest);
  });
  const stateOf = async (bytes: Uint8Array) => {
    await writeFile(manifest, bytes);
    return manifestState(directory);
  };

  it('is whole, or torn at its end', async () => {
    expect(await stateOf(whole)).toBe('whole');
    expect(await stateOf(whole.subarray(0, whole.length - 3))).toBe('torn');
    expect(await stateOf(Buffer.concat([whole, Buffer.alloc(100)]))).toBe('torn');
  });

  it('is damaged wherever a bit is flipped that LevelDB takes for its end', async () => {
    // Every record's length: the first one's, and those behind it.
    for (let at = 0; at + 7 <= whole.length; at += 7 + whole.readUInt16LE(at + 4)) {
      const bytes = Buffer.from(whole);
      bytes[at + 5]! ^= 0x40;
      expect(await stateOf(bytes), `at ${at}`).toBe('damaged');
    }
  });
});

it('leaves a database alone that is open elsewhere: a table that is being written is none yet', async () => {
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const files = new LevelFiles(directory, 1_000_000, log);
  const unfinished = '999999.ldb';
  const db = open();
  await db.open();
  await writeFile(join(directory, unfinished), 'not yet');
  await files.heal(directory);
  expect(await readdir(directory)).toContain(unfinished);
  await db.close();
  await writeFile(join(directory, unfinished), 'not yet');
  await files.heal(directory);
  expect(await readdir(directory)).not.toContain(unfinished);
});
