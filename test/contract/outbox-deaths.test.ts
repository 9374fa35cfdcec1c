/** An outbox whose database ends the process that opens it: it is put right instead of ending one after the other. */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openLevelOutbox } from '../../agent/outbox/level.ts';
import { masked } from '../../agent/outbox/level-tables.ts';
import { type Repair, repairInChild } from '../../agent/outbox/repair.ts';
import { crc32c } from '../../shared/wire/crc32c.ts';
import { baseOptions, countingRandom, everything, ManualTime, record } from './outbox.harness.ts';

const child = fileURLToPath(new URL('../support/repair-outbox.ts', import.meta.url));
const repair = repairInChild([process.execPath, child]);

let root: string;
let directory: string;
let marker: string;
let time: ManualTime;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'picket-deaths-'));
  directory = join(root, 'outbox');
  marker = join(directory, 'opening');
  time = new ManualTime();
});
afterEach(() => rm(root, { recursive: true, force: true }));

const open = (how: Repair = repair) =>
  openLevelOutbox({ ...baseOptions(time, countingRandom()), directory, repair: how });

async function filled(): Promise<void> {
  const outbox = await open();
  for (let i = 1; i <= 5; i++) await outbox.append(record('detail', i), 'detail', { urgent: true });
  await outbox.close();
}

/** A database that LevelDB aborts over: two keys out of their order, under a checksum that fits. */
async function disordered(): Promise<string> {
  const database = join(root, 'disordered');
  const db = new ClassicLevel(database, { compression: false });
  await db.batch(['a', 'b', 'c'].map((key) => ({ type: 'put', key, value: `value of ${key}` })));
  await db.compactRange('a', 'z');
  await db.close();
  const name = (await readdir(database)).find((other) => other.endsWith('.ldb'))!;
  const table = await readFile(join(database, name));
  // The key has 8 bytes more before the value; behind the entries are a place, their number, and the type.
  table[table.indexOf('value of b') - 9] = 'z'.charCodeAt(0);
  const end = table.indexOf('value of c') + 10 + 4 + 4 + 1;
  table.writeUInt32LE(masked(crc32c(table.subarray(0, end))), end);
  await writeFile(join(database, name), table);
  return database;
}

it('notes that it is open until a minute was quiet, or it is closed', async () => {
  await filled();
  expect(existsSync(marker)).toBe(false);
  const outbox = await open();
  expect(await readFile(marker, 'latin1')).toBe('1');
  time.advance(59_000);
  expect(existsSync(marker)).toBe(true);
  time.advance(1_000);
  await vi.waitUntil(() => !existsSync(marker));
  await outbox.close();
  expect(existsSync(marker)).toBe(false);
});

it('looks at a database after 3, 6, 12 processes that ended, and goes on with it where it ends none', async () => {
  await filled();
  const tasks: (string | undefined)[] = [];
  const looked: number[] = [];
  for (let deaths = 0; deaths <= 13; deaths++) {
    await writeFile(marker, String(deaths));
    const outbox = await open(async (_, task) => {
      tasks.push(task);
      looked.push(deaths);
      return true;
    });
    expect(await readFile(marker, 'latin1')).toBe(String(deaths + 1));
    await outbox.close();
  }
  expect(looked).toEqual([3, 6, 12]);
  expect(new Set(tasks)).toEqual(new Set(['check']));
});

it.each(['', 'nonsense', '99999999999', '-3'])('takes %j for no number of processes', async (text) => {
  await filled();
  await writeFile(marker, text);
  const outbox = await open(async () => {
    throw new Error('nobody asks for this');
  });
  expect(await readFile(marker, 'latin1')).toBe('1');
  await outbox.close();
});

it('repairs what ends a process, and moves aside what still does', async () => {
  await filled();
  await writeFile(marker, '3');
  const asked: (string | undefined)[] = [];
  const outbox = await open(async (_, task = 'repair') => {
    asked.push(task);
    return task === 'repair';
  });
  expect(asked).toEqual(['check', 'repair', 'check']);
  expect((await readdir(directory)).filter((name) => name.startsWith('aside-')).length).toBe(2);
  // The journal has what the database had.
  await time.until(outbox.audited());
  expect((await everything(outbox)).length).toBeGreaterThan(0);
  await outbox.close();
});

it('tells a database that ends a process from one that is merely not there', async () => {
  await filled();
  const database = join(directory, 'format-1');
  expect(await repair(database, 'check')).toBe(true);
  expect(await repair(await disordered(), 'check')).toBe(false);
  expect(await repair(join(root, 'nowhere'), 'check')).toBe(true);
  expect(await repairInChild([join(root, 'no-such-program')])(database, 'check')).toBe(true);
});
