import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Database, LevelHandle, NotOpenedAgain } from './level-handle.ts';

/** Five reads, each with what is mapped around it. */
const RENEW_AFTER_BYTES = 5 * (10_000 + 65_536);
const VALUE_BYTES = 10_000;
const VALUES = 200;

let root: string;
let db: Database;
let handle: LevelHandle;
let opened = 0;

const key = (n: number): Uint8Array => Uint8Array.of(n);

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'picket-handle-'));
  db = new ClassicLevel<Uint8Array, Uint8Array>(join(root, 'db'), { keyEncoding: 'view', valueEncoding: 'view' });
  await db.open();
  for (let n = 0; n < VALUES; n++) await db.put(key(n), new Uint8Array(VALUE_BYTES).fill(n));
  await db.compactRange(key(0), key(255));
  opened = 0;
  db.on('open', () => opened++);
  handle = new LevelHandle(db, RENEW_AFTER_BYTES);
});
afterEach(async () => {
  await handle.close();
  await rm(root, { recursive: true, force: true });
});

async function read(n: number): Promise<number> {
  return handle.use(async (open) => {
    const value = await open.get(key(n));
    handle.read(value!.length);
    return value![0]!;
  });
}

async function mapped(): Promise<number> {
  const maps = await readFile('/proc/self/maps', 'latin1');
  return maps.split('\n').filter((line) => line.includes(root)).length;
}

it('lets go of what it has mapped after so many bytes, and goes on', async () => {
  for (let n = 0; n < VALUES; n++) expect(await read(n)).toBe(n);
  const renewals = VALUES / 5;
  expect(opened).toBeGreaterThanOrEqual(renewals - 1);
  expect(opened).toBeLessThanOrEqual(renewals);
  handle.read(RENEW_AFTER_BYTES);
  expect(await handle.use(() => mapped())).toBe(0);
});

it('waits for who is reading, and who comes meanwhile waits for it', async () => {
  const iterated = handle.use(async (open) => {
    const seen: number[] = [];
    for await (const [, value] of open.iterator()) {
      handle.read(value.length);
      seen.push(value[0]!);
    }
    return seen;
  });
  const others = Array.from({ length: 50 }, (_, n) => read(n));
  expect(await iterated).toEqual(Array.from({ length: VALUES }, (_, n) => n));
  expect(await Promise.all(others)).toEqual(Array.from({ length: 50 }, (_, n) => n));
  await read(0);
  expect(opened).toBeGreaterThan(0);
});

it('says at each use that it could not be opened again', async () => {
  await read(1);
  handle.read(RENEW_AFTER_BYTES);
  db.open = () => Promise.reject(new Error('the disk is gone'));
  await expect(read(1)).rejects.toThrow(NotOpenedAgain);
  await expect(read(1)).rejects.toThrow(NotOpenedAgain);
});

it('closes while a renewal is under way', async () => {
  handle.read(RENEW_AFTER_BYTES);
  const reading = read(7);
  await handle.close();
  expect([7, 'LEVEL_DATABASE_NOT_OPEN']).toContain(await reading.catch(({ code }: { code: string }) => code));
  expect(db.status).toBe('closed');
});
