import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCommand as runOne } from '../../shared/command-line.ts';
import { MINUTE_MS } from '../../shared/limits.ts';
import { START_MS } from '../http/fake-values.ts';
import { fakeServices, startTestServer } from '../http/fakes.ts';
import { ensureAdminToken, writeCentralState } from '../state-files.ts';
import { openLevelStore } from '../store/level.ts';
import type { CentralContext } from './context.ts';
import { ledgerCommand } from './ledger.ts';

let folder: string;
const closing: (() => unknown)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'picket-ledger-'));
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  rmSync(folder, { recursive: true });
});

async function call(...args: string[]) {
  let stdout = '';
  let stderr = '';
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const context: CentralContext = {
    args: ['ledger', ...args, '--data', folder],
    env: {},
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    usualConfig: join(folder, 'none.yaml'),
    signal: new AbortController().signal,
    nowMs: () => START_MS,
    createLog: () => silent,
    start: () => Promise.reject(new Error('not here')),
  };
  const code = await runOne('picket-central', new Map([['ledger', ledgerCommand]]), context);
  return { code, stdout, stderr };
}

/** A database with two starts: five records, two of them lost. */
async function filled(): Promise<void> {
  const store = await openLevelStore(join(folder, 'store'));
  await store.documents.put('agent', 'pump-7', {});
  const made = (epoch: string, seqs: readonly number[], highestSeq: number) =>
    store.commit({
      agent: 'pump-7',
      epoch: epoch.repeat(32),
      bootId: '0'.repeat(32),
      receivedMs: START_MS,
      highestSeq,
      held: [],
      sizeBytes: 100,
      records: seqs.map((seq) => ({
        seq,
        crc: seq,
        timeMs: START_MS - 10 * MINUTE_MS,
        dated: true,
        record: Uint8Array.of(1),
        content: { kind: 'document', name: 'top', json: {} },
      })),
    });
  await made('a', [1, 3], 4);
  await made('b', [1], 1);
  await store.close();
}

test('reads the database while no central runs, and finds that it is right', async () => {
  await filled();
  const { code, stdout, stderr } = await call('pump-7', '--verify');
  expect(stderr).toBe('no central runs: reading its database\n');
  expect(stdout).toContain('records   5 made = 3 committed + 0 pending + 0 set aside + 2 lost (unnamed 2)');
  expect(stdout).toContain('3 records of 2 starts were counted again: as the ledger says');
  expect(code).toBe(0);
  const { agents } = JSON.parse((await call('--json', '--verify')).stdout) as { agents: unknown[] };
  expect(agents).toMatchObject([{ agent: 'pump-7', totals: { made: 5 }, check: { records: 3, problems: [] } }]);
});

test('says what differs, and ends with 65', async () => {
  await filled();
  const level = new ClassicLevel<Buffer, Buffer>(join(folder, 'store'), {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
  });
  for (const key of await level.keys().all()) if (key[0] === 'q'.charCodeAt(0)) await level.del(key);
  await level.close();
  const { code, stdout, stderr } = await call('--verify');
  expect(stdout).toMatch(/differs {3}epoch a{32}: the ledger says committed, and no record is stored: seq 1, seq 3/);
  expect(stderr).toContain('the ledger and what is stored differ');
  expect(code).toBe(65);
  // Without the recount nothing is known of it.
  expect(await call()).toMatchObject({ code: 0 });
});

test('asks the central that runs', async () => {
  const { app } = await startTestServer({
    services: {
      store: {
        ...fakeServices().services.store,
        verifyLedger: async () => ({ epochs: 2, records: 11, thinned: 5, problems: ['epoch a: gone'] }),
      },
    },
  });
  closing.push(() => app.close());
  const inner = await app.listen({ port: 0, host: '127.0.0.1' });
  // The test server has a token of its own: what is asked of us goes on with that one.
  const own = await ensureAdminToken(folder);
  const asked: string[] = [];
  const proxy = http.createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    expect(request.headers.authorization).toBe(`Bearer ${own}`);
    fetch(`${inner}${request.url}`, { headers: { authorization: 'Bearer an-admin-token-that-is-long-enough-0123' } })
      .then(async (answer) => response.writeHead(answer.status).end(await answer.text()))
      .catch(() => response.destroy());
  });
  closing.push(() => proxy.close());
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  await writeCentralState(folder, { url, mqtt: null, ca: null, pid: process.pid, version: '1' });
  const { code, stdout } = await call('pump-7', '--verify');
  expect(stdout).toContain('16 made = 12 committed');
  expect(stdout).toContain('5 older ones are known by their ranges: it differs');
  expect(stdout).toContain('differs   epoch a: gone');
  expect(code).toBe(65);
  expect(asked).toEqual([
    'GET /api/v1/agents',
    'GET /api/v1/agents/pump-7/ledger',
    'GET /api/v1/agents/pump-7/ledger/check',
  ]);
});

test.each([
  [['pump/7'], 64, /not the id of an agent/],
  [['pump-7', 'surplus'], 64, /one argument too many/],
  [['pump-7'], 69, /no central runs/],
])('%j is refused', async (args, expected, message) => {
  const { code, stderr } = await call(...args);
  expect(stderr).toMatch(message);
  expect(code).toBe(expected);
});

test('an agent that is not there is said so', async () => {
  await filled();
  expect(await call('pump-8')).toMatchObject({ code: 66, stderr: expect.stringContaining('there is no agent pump-8') });
});
