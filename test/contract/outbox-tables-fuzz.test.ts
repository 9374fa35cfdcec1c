/** Tables of LevelDB with damage at random places, by seed: what is left of them never ends the process. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Varints } from '../../agent/outbox/level-blocks.ts';
import { healTables } from '../../agent/outbox/level-tables.ts';

const SEEDS = 16;
const ENTRIES = 1200;
const main = fileURLToPath(new URL('../support/fuzz-tables.ts', import.meta.url));

let root: string;
let database: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'picket-fuzz-tables-'));
  database = join(root, 'database');
  await mkdir(join(root, 'copies'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Resolves with what the child printed last, and how it ended. */
function fuzz(first: number, last: number): Promise<string> {
  return new Promise((resolve) => {
    const args = [main, database, join(root, 'copies'), String(first), String(last)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (printed += bytes));
    child.on('close', (code, signal) =>
      resolve(`${printed.trim().split('\n').slice(-6).join('\n')} ${code} ${signal}`),
    );
  });
}

async function fill(compression: boolean): Promise<void> {
  const db = new ClassicLevel<string, Uint8Array>(database, { valueEncoding: 'view', compression });
  const put = (i: number) => {
    const value = Uint8Array.from({ length: 20 + (i % 400) }, (_, at) => (at % 3 === 0 ? i * at : i) & 255);
    return { type: 'put', key: `d${String(i).padStart(24, '0')}`, value } as const;
  };
  // Tables on several levels, over the same keys.
  for (let part = 0; part < 4; part++) {
    const all = Array.from({ length: ENTRIES / 4 }, (_, i) => put(i * 4 + part));
    await db.batch([...all, { type: 'del', key: all[part]!.key }]);
    await db.compactRange(part < 2 ? 'd' : 'x', 'z');
  }
  await db.close();
}

/** Types of compression of the indexes (level-blocks.ts): those end where the footer begins. */
async function indexTypes(): Promise<number[]> {
  const tables = (await readdir(database)).filter((name) => name.endsWith('.ldb'));
  return Promise.all(tables.map(async (name) => (await readFile(join(database, name))).at(-48 - 5)!));
}

it('as they are written', async () => {
  await fill(false);
  expect(await indexTypes()).toEqual([0, 0, 0]);
  expect(await fuzz(1, SEEDS)).toMatch(/done 0 null$/);
}, 60_000);

it('compressed, as a repair writes them, the index too', async () => {
  await fill(true);
  expect(await indexTypes()).toEqual([1, 1, 1]);
  expect(await fuzz(1001, 1000 + SEEDS)).toMatch(/done 0 null$/);
}, 60_000);

it('goes on without a filter that was damaged, which would say of keys that they are not there', async () => {
  await fill(false);
  // One layer: over tables that overlap, so many reads begin a compaction, which closing leaves half done.
  const whole = new ClassicLevel(database, { compression: false });
  await whole.compactRange('a', 'z');
  await whole.close();
  const found = async () => {
    const db = new ClassicLevel(database, { compression: false });
    const values = await db.getMany(Array.from({ length: ENTRIES }, (_, i) => `d${String(i).padStart(24, '0')}`));
    await db.close();
    return values.filter((value) => value !== undefined).length;
  };
  const before = await found();
  const tables = (await readdir(database)).filter((name) => name.endsWith('.ldb')).map((name) => join(database, name));
  for (const path of tables) {
    const bytes = await readFile(path);
    // It lies right before what leads to it, and ends with its places.
    const metaindexAt = new Varints(bytes.subarray(-48)).next();
    bytes.fill(0, metaindexAt - 5 - 200, metaindexAt - 5 - 100);
    await writeFile(path, bytes);
  }
  expect(await healTables(database, async () => {})).toEqual({ blocks: tables.length, files: 0 });
  expect(await found()).toBe(before);
  expect(await healTables(database, async () => {})).toEqual({ blocks: 0, files: 0 });
});
