import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseYamlOrThrow } from '../../shared/config/yaml.ts';
import { createAudit } from '../audit.ts';
import { type CentralConfig, centralConfigSchema } from '../config.ts';
import { Database } from '../store/database.ts';
import { FORMAT } from '../store/format.ts';
import { formatKey } from '../store/keys.ts';
import { openLevelStore } from '../store/level.ts';
import { hashOf, type StoredToken, TokenBook } from '../tokens.ts';
import { makeBackup } from './content.ts';
import type { Entry } from './entries.ts';
import { CHUNK_HEAD_BYTES, FIXED_BYTES, MAC_BYTES, MAGIC } from './format.ts';
import { readOrigin } from './origin.ts';
import { BackupFile } from './read.ts';
import { restoreBackup } from './restore.ts';
import { verifyFile } from './verify.ts';
import { writeBackup } from './write.ts';

const PASSPHRASE = 'a passphrase of the tests';
const nowMs = (): number => Date.UTC(2026, 2, 1);
const about = { version: '0.1.0', madeMs: nowMs(), storeFormat: 1, agents: 3 };
/** Files of the tests are opened by the dozen. */
const cheap = { N: 2, r: 8, p: 1 };
const keyList = { kind: 'file', name: 'keys/keys.json', value: Buffer.from('{"rootKey":1}') } as const;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'picket-backup-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

type Content = Exclude<Entry, { kind: 'end' }>;

async function bytesOf(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const piece of pieces) parts.push(piece);
  return Buffer.concat(parts);
}

async function backupOf(content: readonly Content[], header = about): Promise<Buffer> {
  async function* all(): AsyncGenerator<Content> {
    yield* content;
  }
  return bytesOf(writeBackup(header, PASSPHRASE, all(), cheap));
}

function file(bytes: Buffer, name = 'backup'): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** Where each chunk begins, and the end. */
function chunksOf(bytes: Buffer): number[] {
  const at = [FIXED_BYTES + bytes.readUInt32BE(MAGIC.length + 2) + MAC_BYTES];
  while (at.at(-1)! < bytes.length) at.push(at.at(-1)! + CHUNK_HEAD_BYTES + bytes.readUInt32BE(at.at(-1)!));
  return at;
}

/** Values that don't compress, so that they make several chunks. */
function pairs(count: number, valueBytes: number): Content[] {
  let state = 1;
  const noise = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state & 255;
  };
  return Array.from({ length: count }, (_, i) => {
    return {
      kind: 'pair',
      key: Buffer.from(`nspace\0${i}`),
      value: Buffer.from(Array.from({ length: valueBytes }, noise)),
    };
  });
}

describe('the file', () => {
  test('gives back what was put in, in chunks', async () => {
    const content = [keyList, ...pairs(20, 100_000)];
    const bytes = await backupOf(content);
    expect(chunksOf(bytes).length).toBeGreaterThan(4);
    const read: Content[] = [];
    const backup = await BackupFile.open(file(bytes), async () => PASSPHRASE);
    for await (const entry of backup.entries()) read.push(entry);
    await backup.close();
    expect(read).toEqual(content);
    expect(backup.header).toMatchObject(about);
    expect(bytes.includes('rootKey')).toBe(false);
  });

  test('that was cut anywhere is refused', async () => {
    const bytes = await backupOf([keyList, ...pairs(8, 200_000)]);
    const chunks = chunksOf(bytes);
    const cuts = [
      0,
      5,
      MAGIC.length + 3,
      FIXED_BYTES + 20,
      chunks[0]! - 1,
      ...chunks.flatMap((at) => [at, at + 3, at + 999]),
    ];
    for (const cut of cuts.filter((at) => at < bytes.length)) {
      const found = verifyFile(file(bytes.subarray(0, cut)), PASSPHRASE);
      await expect(found, `cut at ${cut}`).rejects.toMatchObject({
        code: cut > 60 && cut < chunks[0]! ? 'auth.denied' : 'payload.invalid',
      });
    }
  });

  test('that was altered anywhere is refused', async () => {
    const bytes = await backupOf([keyList, ...pairs(3, 300_000)]);
    const places = new Set([
      ...Array.from({ length: 40 }, (_, i) => Math.floor((i * bytes.length) / 40)),
      ...chunksOf(bytes),
    ]);
    for (const at of [...places].filter((place) => place < bytes.length)) {
      const altered = Buffer.from(bytes);
      altered[at]! ^= 0x11;
      await expect(verifyFile(file(altered), PASSPHRASE), `byte ${at}`).rejects.toMatchObject({
        code: expect.stringMatching(/payload\.invalid|auth\.denied|store\.newer_format/),
      });
    }
  });

  test('with a chunk left out, doubled, moved, or made the last is refused; so is anything behind its end', async () => {
    const bytes = await backupOf([keyList, ...pairs(8, 300_000)]);
    const at = chunksOf(bytes);
    const head = bytes.subarray(0, at[0]);
    const chunk = (i: number): Buffer => bytes.subarray(at[i]!, at[i + 1]!);
    const all = at.slice(0, -1).map((_, i) => chunk(i));
    const [first, second, ...rest] = all;
    const ending = Buffer.from(first!);
    ending[4] = 1;
    for (const parts of [
      [first!, ...rest],
      [first!, second!, second!, ...rest],
      [second!, first!, ...rest],
      [ending],
      all.slice(0, -1),
      [...all, Buffer.of(0)],
      [...all, ...all],
    ]) {
      await expect(verifyFile(file(Buffer.concat([head, ...parts])), PASSPHRASE)).rejects.toMatchObject({
        code: 'payload.invalid',
      });
    }
  });

  test('of another passphrase, a newer format, a newer store, or of another program is named as such', async () => {
    const bytes = await backupOf([keyList]);
    await expect(verifyFile(file(bytes), 'another passphrase')).rejects.toMatchObject({ code: 'auth.denied' });
    const newer = Buffer.from(bytes);
    newer.writeUInt16BE(2, MAGIC.length);
    await expect(verifyFile(file(newer), PASSPHRASE)).rejects.toMatchObject({
      code: 'store.newer_format',
      message: expect.stringContaining('format 2'),
    });
    const store = await backupOf([keyList], { ...about, storeFormat: 99 });
    await expect(verifyFile(file(store), PASSPHRASE)).rejects.toMatchObject({
      code: 'store.newer_format',
      message: expect.stringContaining('store of format 99'),
    });
    await expect(verifyFile(file(Buffer.from('PK\x03\x04'.repeat(20))), PASSPHRASE)).rejects.toThrow(
      'no backup of Picket',
    );
  });

  test('that asks for a costly key is refused before it is made', async () => {
    const bytes = await backupOf([keyList]);
    const length = bytes.readUInt32BE(MAGIC.length + 2);
    const header = JSON.parse(bytes.toString('utf8', FIXED_BYTES, FIXED_BYTES + length));
    // 128 N r bytes are 512 MB; 9 is no power of two.
    for (const change of [{ N: 2 ** 18, r: 16 }, { N: 9 }, { p: 0 }, { p: 1e6 }, { r: 'x' }, { salt: '' }]) {
      const json = Buffer.from(JSON.stringify({ ...header, scrypt: { ...header.scrypt, ...change } }));
      const fixed = Buffer.from(bytes.subarray(0, FIXED_BYTES));
      fixed.writeUInt32BE(json.length, MAGIC.length + 2);
      const path = file(Buffer.concat([fixed, json, bytes.subarray(FIXED_BYTES + length)]));
      await expect(verifyFile(path, PASSPHRASE), JSON.stringify(change)).rejects.toMatchObject({
        code: 'payload.invalid',
      });
    }
  });

  test('names no path: a file or a key of another name is refused though it is authentic', async () => {
    const names = ['../../etc/passwd', 'keys/../../x', '/etc/passwd', 'keys/root.pem\0', 'central.json', ''];
    for (const name of names) {
      const bytes = await backupOf([keyList, { kind: 'file', name: name as 'admin.token', value: Buffer.from('x') }]);
      await expect(verifyFile(file(bytes), PASSPHRASE), name).rejects.toMatchObject({ code: 'payload.invalid' });
    }
    for (const key of ['', '\0', '/x', '\xff']) {
      const bytes = await backupOf([
        keyList,
        { kind: 'pair', key: Buffer.from(key, 'latin1'), value: Buffer.from('x') },
      ]);
      await expect(verifyFile(file(bytes), PASSPHRASE), key).rejects.toMatchObject({ code: 'payload.invalid' });
    }
  });
});

describe('a data directory', () => {
  const config = (data: string, more = ''): CentralConfig => ({
    ...parseYamlOrThrow(more, centralConfigSchema, 'test'),
    data,
  });

  function token(change: Partial<StoredToken>): StoredToken {
    const { id = 'aa' } = change;
    return {
      id,
      note: '',
      site: '',
      tags: {},
      uses: 0,
      maxUses: 1,
      expiresMs: nowMs() + 1000,
      revoked: false,
      hash: hashOf(id),
      createdMs: 1,
      replaces: null,
      ...change,
    };
  }

  /** A directory as a central leaves it, with the bytes of its backup. */
  async function central(): Promise<{ data: string; bytes: Buffer }> {
    const data = join(folder, 'data');
    mkdirSync(join(data, 'keys'), { recursive: true });
    mkdirSync(join(data, 'tls'));
    for (const name of ['keys/keys.json', 'keys/root.pem', 'tls/ca.key', 'tls/ca.pem', 'admin.token', 'central.json'])
      writeFileSync(join(data, name), `this is ${name}`);
    const passwords = join(folder, 'passwords');
    writeFileSync(passwords, 'pump:$7$101$x$y\n');
    const store = await openLevelStore(join(data, 'store'));
    const { documents } = store;
    await documents.put('agent', 'pump', { id: 'pump' });
    await documents.put('session', 'of-the-page', { user: 'admin', expiresMs: nowMs() + 1000 });
    for (const one of [
      token({ id: 'good' }),
      token({ id: 'used', uses: 1 }),
      token({ id: 'old', expiresMs: 5 }),
      token({ id: 'many', uses: 2, maxUses: 9 }),
    ]) {
      await documents.put('token', one.id, one);
    }
    await documents.put('large', 'one', 'x'.repeat(3_000_000));
    const configFile = join(folder, 'central.yaml');
    writeFileSync(configFile, 'log: {level: warn}\n');
    const external = `broker: {kind: external, url: 'mqtt://127.0.0.1:1', passwords: ${passwords}}`;
    const source = { config: config(data, external), configFile, store, version: '0.1.0', nowMs, scryptCost: cheap };
    const pieces = makeBackup(source, PASSPHRASE);
    const first = await pieces.next();
    // What comes after the first byte is not in it.
    await documents.put('agent', 'late', { id: 'late' });
    const rest = await bytesOf(pieces);
    await store.close();
    return { data, bytes: Buffer.concat([first.value!, rest]) };
  }

  async function restored(bytes: Buffer, data: string): Promise<readonly string[]> {
    const backup = await BackupFile.open(file(bytes), async () => PASSPHRASE);
    try {
      return (await restoreBackup(backup, data, nowMs)).brought;
    } finally {
      await backup.close();
    }
  }

  test('comes back elsewhere as it was when the backup began', async () => {
    const { bytes } = await central();
    const data = join(folder, 'elsewhere');
    const brought = await restored(bytes, data);
    expect(readdirSync(data).sort()).toEqual(['admin.token', 'keys', 'restored', 'store', 'tls']);
    for (const name of ['keys/keys.json', 'keys/root.pem', 'tls/ca.key', 'tls/ca.pem', 'admin.token']) {
      expect(readFileSync(join(data, name), 'utf8')).toBe(`this is ${name}`);
      expect(statSync(join(data, name)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(data).mode & 0o777).toBe(0o700);
    expect(brought).toEqual([join(data, 'restored/central.yaml'), join(data, 'restored/broker-passwords')]);
    expect(readFileSync(brought[1]!, 'utf8')).toBe('pump:$7$101$x$y\n');
    const store = await openLevelStore(join(data, 'store'));
    const { documents } = store;
    expect(await documents.list('agent')).toEqual([{ key: 'pump', value: { id: 'pump' } }]);
    expect(await documents.get('large', 'one')).toBe('x'.repeat(3_000_000));
    await store.close();
    expect(existsSync(`${data}.restoring`)).toBe(false);
  });

  test('lets nobody in by a token or a session of before, and says from when it is', async () => {
    const { bytes } = await central();
    const data = join(folder, 'elsewhere');
    await restored(bytes, data);
    const store = await openLevelStore(join(data, 'store'));
    const book = await TokenBook.open(store.documents);
    for (const secret of ['good', 'used', 'old', 'many']) expect(() => book.usable(secret, nowMs())).toThrow('token');
    expect(
      book
        .all()
        .filter(({ revoked }) => revoked)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(['good', 'many']);
    expect(await store.documents.list('session')).toEqual([]);
    expect(await readOrigin(store.documents)).toEqual({ backupMs: nowMs(), restoredMs: nowMs() });
    expect(await createAudit(store.documents, nowMs).list(1)).toMatchObject([{ action: 'central.restore' }]);
    await store.close();
  });

  test('of an older store is brought to today’s format; of a newer one it does not come into being', async () => {
    const stored = (format: string): Content => {
      return { kind: 'pair', key: Buffer.from('meta/format'), value: Buffer.from(format) };
    };
    const data = join(folder, 'elsewhere');
    // Its header says less than it holds.
    await expect(restored(await backupOf([keyList, stored('99')]), data)).rejects.toMatchObject({
      code: 'store.newer_format',
    });
    expect(existsSync(data)).toBe(false);
    await restored(await backupOf([keyList, stored('1')]), data);
    const database = await Database.open(join(data, 'store'));
    expect((await database.get(formatKey))?.toString()).toBe(String(FORMAT));
    await database.close();
  });

  test('that is not empty is left as it is', async () => {
    const { data, bytes } = await central();
    const before = readdirSync(data);
    await expect(restored(bytes, data)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('not empty'),
    });
    expect(readdirSync(data)).toEqual(before);
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    await restored(bytes, empty);
    expect(existsSync(join(empty, 'store'))).toBe(true);
  });

  test('does not come into being from a file that is damaged behind its beginning', async () => {
    const { bytes } = await central();
    const data = join(folder, 'elsewhere');
    const at = chunksOf(bytes).at(-2)! + 100;
    bytes[at]! ^= 1;
    await expect(restored(bytes, data)).rejects.toMatchObject({ code: 'payload.invalid' });
    expect(existsSync(data) || existsSync(`${data}.restoring`)).toBe(false);
  });
});
