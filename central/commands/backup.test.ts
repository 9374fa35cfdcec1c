import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Command, runCommand } from '../../shared/command-line.ts';
import { silentLog } from '../../test/support/timers.ts';
import { writeBackup } from '../backup/write.ts';
import { ADMIN_TOKEN, startTestServer, type TestServer } from '../http/fakes.ts';
import { writeCentralState } from '../state-files.ts';
import { openLevelStore } from '../store/level.ts';
import { backupCommand } from './backup.ts';
import type { CentralContext } from './context.ts';
import { restoreCommand } from './restore.ts';

const PASSPHRASE = 'a passphrase of the tests';
const nowMs = Date.UTC(2026, 2, 1);
const cheap = { N: 2, r: 8, p: 1 };

let folder: string;
let data: string;
let server: TestServer | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'picket-backup-'));
  data = join(folder, 'data');
});
afterEach(async () => {
  await server?.app.close();
  server = undefined;
  rmSync(folder, { recursive: true });
});

async function call(command: Command<CentralContext>, args: string[], over: Partial<CentralContext> = {}) {
  let stdout = '';
  let stderr = '';
  const context: CentralContext = {
    args: ['x', ...args, '--data', data],
    env: { PICKET_BACKUP_PASSPHRASE: PASSPHRASE },
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    usualConfig: join(folder, 'none.yaml'),
    signal: new AbortController().signal,
    nowMs: () => nowMs,
    createLog: () => silentLog,
    start: () => Promise.reject(new Error('not here')),
    ...over,
  };
  return { code: await runCommand('picket-central', new Map([['x', command]]), context), stdout, stderr };
}

/** A central that runs with this data directory and makes this backup. */
async function running(backup: (passphrase: string) => AsyncIterable<Uint8Array>): Promise<void> {
  server = await startTestServer({ services: { backup } });
  const url = await server.app.listen({ port: 0, host: '127.0.0.1' });
  await writeCentralState(data, { url, mqtt: null, ca: null, pid: process.pid, version: '0.1.0' });
  writeFileSync(join(data, 'admin.token'), ADMIN_TOKEN);
}

/** What such a central would send. */
function small(passphrase: string): AsyncGenerator<Buffer> {
  async function* content() {
    yield { kind: 'file', name: 'keys/keys.json', value: Buffer.from('{}') } as const;
    yield { kind: 'pair', key: Buffer.from('nx\0y'), value: Buffer.from('"z"') } as const;
  }
  return writeBackup({ version: '0.1.0', madeMs: nowMs, storeFormat: 1, agents: 5 }, passphrase, content(), cheap);
}

const target = (): string => join(folder, 'a.backup');

describe('backup', () => {
  test('takes what the running central sends, reads it back, and names it when it is whole', async () => {
    await running(small);
    const done = await call(backupCommand, [target()]);
    expect(done).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('5 agents, 1 entries, 1 files'),
    });
    expect(await call(restoreCommand, [target(), '--check'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('it is whole'),
    });
  });

  test('of a central that breaks off, or sends what is none, leaves no file and the one of before', async () => {
    writeFileSync(target(), 'the one of before');
    await running(async function* (passphrase) {
      const all = small(passphrase);
      yield (await all.next()).value!;
      throw new Error('the disk failed');
    });
    expect(await call(backupCommand, [target()])).toMatchObject({
      code: 69,
      stderr: expect.stringContaining('broke off'),
    });
    await server!.app.close();
    await running(async function* (passphrase) {
      yield (await small(passphrase).next()).value!;
    });
    expect(await call(backupCommand, [target()])).toMatchObject({
      code: 65,
      stderr: expect.stringContaining('it is cut'),
    });
    expect(readdirSync(folder).sort()).toEqual(['a.backup', 'data']);
  });

  test('opens the directory itself where no central answers, and makes none where there is none', async () => {
    expect(await call(backupCommand, [target()])).toMatchObject({
      code: 66,
      stderr: expect.stringContaining("no central's data"),
    });
    expect(existsSync(data)).toBe(false);
    mkdirSync(join(data, 'keys'), { recursive: true });
    writeFileSync(join(data, 'keys', 'keys.json'), '{}');
    const store = await openLevelStore(join(data, 'store'));
    await store.documents.put('agent', 'pump', { id: 'pump' });
    // Another program has it open, and answers nothing.
    expect(await call(backupCommand, [target()])).toMatchObject({
      code: 75,
      stderr: expect.stringContaining('does not answer'),
    });
    await store.close();
    // The central was killed: what it said of itself is still there.
    await writeCentralState(data, { url: 'http://127.0.0.1:1', mqtt: null, ca: null, pid: 1, version: '0.1.0' });
    writeFileSync(join(data, 'admin.token'), ADMIN_TOKEN);
    expect(await call(backupCommand, [target()])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 agents'),
    });
  });
});

describe('the passphrase', () => {
  test('is of a file, of the environment, or asked; never too short', async () => {
    await running(small);
    const file = join(folder, 'passphrase');
    writeFileSync(file, 'the first line of it\r\nand another\n');
    const env = {};
    expect(await call(backupCommand, [target(), '--passphrase-file', file], { env })).toMatchObject({ code: 0 });
    const check = (given: string) =>
      call(restoreCommand, [target(), '--check'], { env: { PICKET_BACKUP_PASSPHRASE: given } });
    expect(await check('the first line of it')).toMatchObject({ code: 0 });
    expect(await check('the second line of it')).toMatchObject({ code: 77 });
    expect(await check('short')).toMatchObject({ code: 64, stderr: expect.stringContaining('5 characters') });
    expect(await call(backupCommand, [target()], { env })).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('--passphrase-file'),
    });
  });

  test('is asked twice for a backup, and once to read it', async () => {
    await running(small);
    const asking = (...answers: string[]) => ({
      env: {},
      askSecret: async () => answers.shift() ?? 'asked once too often',
    });
    expect(await call(backupCommand, [target()], asking(PASSPHRASE, 'something else'))).toMatchObject({ code: 64 });
    expect(existsSync(target())).toBe(false);
    expect(await call(backupCommand, [target()], asking(PASSPHRASE, PASSPHRASE))).toMatchObject({ code: 0 });
    expect(await call(restoreCommand, [target(), '--check'], asking(PASSPHRASE))).toMatchObject({ code: 0 });
  });
});

test('restore looks at the directory before it asks for anything', async () => {
  mkdirSync(data);
  writeFileSync(join(data, 'something'), '');
  const askSecret = () => Promise.reject(new Error('asked'));
  expect(await call(restoreCommand, ['nowhere.backup'], { env: {}, askSecret })).toMatchObject({
    code: 75,
    stderr: expect.stringContaining('not empty (something)'),
  });
  rmSync(join(data, 'something'));
  expect(await call(restoreCommand, ['nowhere.backup'], { env: {}, askSecret })).toMatchObject({ code: 66 });
});
