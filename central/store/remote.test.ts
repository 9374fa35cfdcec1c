import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sha256Hex } from '../../shared/trust/hash.ts';
import { Database, type Reader } from './database.ts';
import { ReadServer, readRemotely } from './remote.ts';

let directory: string;
let database: Database;
let server: ReadServer;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'picket-remote-'));
  database = await Database.open(directory);
  server = new ReadServer(database);
});
afterEach(async () => {
  await server.close();
  await database.close();
  await rm(directory, { recursive: true });
});

/** As between threads: nothing but copies gets across. */
const remotely = <T>(work: (reader: Reader) => Promise<T>): Promise<T> =>
  readRemotely(async (request) => structuredClone(await server.answer(structuredClone(request))), work);

async function all<T>(of: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const one of of) out.push(one);
  return out;
}

/** Entries as texts, which are quick to compare: megabytes of bytes are not. */
const said = (entries: readonly [Buffer, Buffer][]): string[] =>
  entries.map(([key, value]) => `${key.toString('hex')} ${sha256Hex(value)}`);

/** Values of many sizes, also none, and one that is larger than what travels at once: pages of several megabytes. */
async function fill(): Promise<void> {
  for (let i = 0; i < 60; i++) {
    const value = Buffer.alloc(i === 30 ? 1_500_000 : i * 2000, i);
    await database.write([{ type: 'put', key: Buffer.from([7, i]), value }], false);
  }
}

const range = { gte: Buffer.from([7, 0]), lt: Buffer.from([7, 255]) };

it('reads what the store itself reads, over many pages, in both directions, up to a limit', async () => {
  await fill();
  for (const options of [{}, { reverse: true }, { limit: 40 }, { reverse: true, limit: 45 }, { limit: 1 }]) {
    const entries = await remotely((reader) => all(reader.entries(range, options)));
    expect(said(entries)).toEqual(said(await all(database.entries(range, options))));
    expect(await remotely((reader) => all(reader.keys(range, options)))).toEqual(
      await all(database.keys(range, options)),
    );
  }
  const keys = [Buffer.from([7, 3]), Buffer.from([9]), Buffer.from([7, 0])];
  const values = await remotely((reader) => reader.getMany(keys));
  expect(values.map((value) => value?.length)).toEqual([6000, undefined, 0]);
  expect(values[0]?.equals(Buffer.alloc(6000, 3))).toBe(true);
  expect(await remotely((reader) => reader.get(Buffer.from([9])))).toBeUndefined();
});

it('sees one moment, whatever is written meanwhile', async () => {
  await fill();
  const seen = await remotely(async (reader) => {
    await database.write([{ type: 'put', key: Buffer.from([7, 3]), value: Buffer.from('new') }], false);
    return reader.get(Buffer.from([7, 3]));
  });
  expect(seen?.equals(Buffer.alloc(6000, 3))).toBe(true);
});

it('holds no snapshot of a reader that is gone', async () => {
  const snapshot = (await server.answer({ read: 'open' })) as number;
  await server.close();
  await expect(server.answer({ read: 'values', snapshot, keys: [] })).rejects.toThrow('is not open');
});
