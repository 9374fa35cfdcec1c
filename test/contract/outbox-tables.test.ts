/** Damaged blocks of a LevelDB table: taken out, so that nothing reads or compacts them, and nothing else is lost. */
import {
  appendFile,
  type FileHandle,
  mkdtemp,
  open as openFile,
  readdir,
  readFile,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LevelFiles } from '../../agent/outbox/level-files.ts';
import { manifestState } from '../../agent/outbox/level-manifest.ts';
import { openLevelShelf } from '../../agent/outbox/level-shelf.ts';
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

describe('on a worn card', () => {
  afterEach(() => void vi.restoreAllMocks());

  /** Reads of these bytes fail, in files that fit. */
  async function wear(isBad: (at: number) => boolean): Promise<void> {
    const any = await openFile(directory, 'r');
    const files = Object.getPrototypeOf(any) as FileHandle;
    await any.close();
    const read = files.read as (...args: unknown[]) => Promise<unknown>;
    vi.spyOn(files, 'read').mockImplementation(async function (this: FileHandle, ...args: unknown[]) {
      const [, , length, from] = args as [Uint8Array, number, number, number];
      for (let at = from - (from % 4096); at < from + length; at += 4096) {
        if (isBad(at)) throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
      }
      return read.apply(this, args);
    } as never);
  }

  it('takes out what can not be read, and no more', async () => {
    const worn = 40 * 4096;
    await wear((at) => at === worn);
    // One of 4 KB, or two: the edge of the card's block is no edge of the table's.
    const { blocks, files } = await heal();
    expect(files).toBe(0);
    expect(blocks / tables.length).toBeGreaterThanOrEqual(1);
    expect(blocks / tables.length).toBeLessThanOrEqual(3);
    expect(await heal()).toEqual({ blocks: 0, files: 0 });
  });

  it('changes nothing where it is the whole disk that fails', async () => {
    const before = await Promise.all(tables.map((path) => readFile(path)));
    await wear(() => true);
    await expect(heal()).rejects.toThrow('EIO');
    vi.restoreAllMocks();
    expect(await Promise.all(tables.map((path) => readFile(path)))).toEqual(before);
    expect(await heal()).toEqual({ blocks: 0, files: 0 });
  });
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

it('does not repair what another process has open, whatever it is writing into its MANIFEST', async () => {
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const root = join(directory, 'outbox');
  const database = join(root, 'format-1');
  const files = new LevelFiles(root, 64_000_000, log);
  const repair = vi.fn(async () => true);
  const options = { limitBytes: 64_000_000, repair, suspect: false };
  const shelf = await openLevelShelf(database, files, options);
  const manifest = join(database, (await readdir(database)).find((name) => name.startsWith('MANIFEST'))!);
  // As much of a record as was there when the other looked.
  await appendFile(manifest, Uint8Array.of(1, 2, 3, 4, 200, 0, 1, 9));
  await expect(openLevelShelf(database, files, options)).rejects.toThrow();
  expect(repair).not.toHaveBeenCalled();
  await shelf.close();
  await (await openLevelShelf(database, files, options)).close();
  expect(repair).toHaveBeenCalledTimes(1);
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
