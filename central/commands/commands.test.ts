import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Command } from '../../shared/command-line.ts';
import { runCommand as runOne } from '../../shared/command-line.ts';
import { DAY_MS } from '../../shared/limits.ts';
import { issueCertificate, makeCa, type PemPair } from '../certificates.ts';
import { ensureAdminToken, writeCentralState } from '../state-files.ts';
import { checkCommand } from './check.ts';
import type { CentralContext, StartOptions } from './context.ts';
import { enrollCommand } from './enroll.ts';
import { replaceCommand, retireCommand } from './identity.ts';
import { runCommand } from './run.ts';

const nowMs = Date.parse('2026-03-01T12:00:00Z');
let folder: string;
const open: { close(): unknown; closeAllConnections?(): void }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'picket-central-'));
});
afterEach(() => {
  for (const server of open.splice(0)) {
    server.closeAllConnections?.();
    server.close();
  }
  rmSync(folder, { recursive: true });
});

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function call(command: Command<CentralContext>, args: string[], over: Partial<CentralContext> = {}) {
  let stdout = '';
  let stderr = '';
  const context: CentralContext = {
    args: ['x', ...args],
    env: {},
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    usualConfig: join(folder, 'none.yaml'),
    signal: new AbortController().signal,
    nowMs: () => nowMs,
    createLog: () => silent,
    start: () => Promise.reject(new Error('not here')),
    ...over,
  };
  return { code: await runOne('picket-central', new Map([['x', command]]), context), stdout, stderr };
}

function file(text: string, name = 'central.yaml'): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** A central's API that gives one answer and remembers what it was asked. */
async function serve(status: number, answer: unknown, tls?: PemPair) {
  const seen: { path: string; authorization: string | undefined; body: unknown }[] = [];
  const handle: http.RequestListener = (request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      seen.push({
        path: `${request.method} ${request.url}`,
        authorization: request.headers.authorization,
        body: JSON.parse(body),
      });
      response.writeHead(status).end(answer === undefined ? '' : JSON.stringify(answer));
    });
  };
  const server =
    tls === undefined ? http.createServer(handle) : https.createServer({ key: tls.key, cert: tls.cert }, handle);
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, seen };
}

async function announce(url: string, ca: string | null = null): Promise<string> {
  await writeCentralState(folder, { url, mqtt: null, ca, pid: process.pid, version: '1' });
  return ensureAdminToken(folder);
}

describe('enroll', () => {
  const made = { token: 'T', record: {}, command: 'picket-agent enrol https://c:1 --token T' };

  test('prints the one command to paste', async () => {
    const { port, seen } = await serve(200, made);
    const token = await announce(`http://127.0.0.1:${port}`);
    const args = ['--data', folder, '--name', "pump '7'", '--site', 'roof', '--tag', 'line=4', '--expires', '12h'];
    const { code, stdout, stderr } = await call(enrollCommand, args);
    expect(code).toBe(0);
    expect(stdout).toBe(`${made.command} --name 'pump '\\''7'\\'''\n`);
    expect(stderr).toContain('good for one machine, for 12h');
    expect(seen).toEqual([
      {
        path: 'POST /api/v1/tokens',
        authorization: `Bearer ${token}`,
        body: { note: "pump '7'", site: 'roof', tags: { line: '4' }, maxUses: 1, expiresMs: nowMs + DAY_MS / 2 },
      },
    ]);
  });

  test('is for many machines when told so, and for programs', async () => {
    const { port, seen } = await serve(200, made);
    await announce(`http://127.0.0.1:${port}`);
    const { stdout } = await call(enrollCommand, ['--data', folder, '--uses', '50', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ token: 'T', command: made.command });
    expect(seen[0]?.body).toMatchObject({ maxUses: 50, expiresMs: nowMs + 7 * DAY_MS });
  });

  test('trusts the central’s own CA, and no other', async () => {
    const ca = await makeCa(Date.now());
    const other = await makeCa(Date.now());
    const { port, seen } = await serve(200, made, await issueCertificate(ca, ['central.example'], Date.now()));
    await announce(`https://127.0.0.1:${port}`, other.cert);
    expect(await call(enrollCommand, ['--data', folder])).toMatchObject({ code: 69 });
    expect(seen).toEqual([]);
    await announce(`https://127.0.0.1:${port}`, ca.cert);
    expect(await call(enrollCommand, ['--data', folder])).toMatchObject({ code: 0 });
  });

  test.each([
    [['--uses', '0'], /--uses/],
    [['--uses', '1.5'], /--uses/],
    [['--uses', '1000000'], /--uses/],
    [['--uses', '2', '--name', 'a'], /--name is for one machine/],
    [['--expires', '7'], /--expires/],
    [['--expires', '0d'], /--expires/],
    [['--tag', 'x'], /key=value/],
    [['surplus'], /one argument too many/],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await call(enrollCommand, [...args, '--data', folder]);
    expect(code).toBe(64);
    expect(stderr).toMatch(message);
  });

  test('says so where no central runs, does not answer, or answers something else', async () => {
    expect(await call(enrollCommand, ['--data', folder])).toMatchObject({
      code: 69,
      stderr: expect.stringContaining('no central runs'),
    });
    const refusing = await serve(403, { code: 'auth.denied', detail: 'Not you.' });
    await announce(`http://127.0.0.1:${refusing.port}`);
    expect(await call(enrollCommand, ['--data', folder])).toMatchObject({
      code: 77,
      stderr: expect.stringContaining('Not you.'),
    });
    const odd = await serve(200, { hello: 1 });
    await announce(`http://127.0.0.1:${odd.port}`);
    expect(await call(enrollCommand, ['--data', folder])).toMatchObject({ code: 65 });
    await announce('http://127.0.0.1:1');
    expect(await call(enrollCommand, ['--data', folder])).toMatchObject({ code: 69 });
    writeFileSync(join(folder, 'central.json'), '{"url": 5}');
    expect(await call(enrollCommand, ['--data', folder])).toMatchObject({
      code: 65,
      stderr: expect.stringContaining('damaged'),
    });
  });
});

test('retire and replace name the agent in the path, and only an id', async () => {
  const { port, seen } = await serve(204, undefined);
  await announce(`http://127.0.0.1:${port}`);
  expect(await call(retireCommand, ['pump-7', '--data', folder])).toMatchObject({
    code: 0,
    stdout: 'pump-7 is retired\n',
  });
  expect(await call(replaceCommand, ['pump-7', '--data', folder])).toMatchObject({ code: 65 });
  expect(await call(retireCommand, ['../tokens', '--data', folder])).toMatchObject({ code: 64 });
  expect(await call(retireCommand, ['--data', folder])).toMatchObject({ code: 64 });
  expect(seen.map(({ path }) => path)).toEqual([
    'POST /api/v1/agents/pump-7/retire',
    'POST /api/v1/agents/pump-7/replace',
  ]);
});

test('the admin token is made once, for the owner alone', async () => {
  const token = await ensureAdminToken(folder);
  expect(token).toMatch(/^[0-9a-f]{64}$/);
  expect(await ensureAdminToken(folder)).toBe(token);
  expect(statSync(join(folder, 'admin.token')).mode & 0o777).toBe(0o600);
  writeFileSync(join(folder, 'admin.token'), 'short');
  expect(await ensureAdminToken(folder)).not.toBe(token);
});

describe('run', () => {
  async function run(args: string[], newPassword: string | null = null) {
    const stopping = new AbortController();
    const seen: { options?: StartOptions; state?: unknown; stopped?: boolean } = {};
    const start = async (options: StartOptions) => {
      seen.options = options;
      return {
        url: 'http://127.0.0.1:4321',
        mqtt: '127.0.0.1:1234',
        ca: null,
        user: 'admin',
        newPassword,
        stop: async () => {
          seen.stopped = true;
        },
      };
    };
    let stdout = '';
    const result = await call(runCommand, args, {
      start,
      signal: stopping.signal,
      stdout: (text) => {
        stdout += text;
        seen.state = JSON.parse(readFileSync(join(folder, 'central.json'), 'utf8'));
        stopping.abort();
      },
    });
    return { ...result, stdout, seen };
  }

  test('says that it is ready when it can be found, and leaves no trace of that when it has stopped', async () => {
    const { code, stdout, seen } = await run(['--data', folder], 'pass');
    expect(code).toBe(0);
    expect(stdout).toBe('ready http://127.0.0.1:4321 user admin password pass\n');
    expect(seen.state).toMatchObject({ url: 'http://127.0.0.1:4321', mqtt: '127.0.0.1:1234', pid: process.pid });
    expect(seen.stopped).toBe(true);
    expect(existsSync(join(folder, 'central.json'))).toBe(false);
    expect((await run(['--data', folder])).stdout).toBe('ready http://127.0.0.1:4321 user admin\n');
  });

  test('the command line goes over the file', async () => {
    const path = file('http: {listen: 127.0.0.1:1}\nmqtt: {listen: 127.0.0.1:2, prefix: a}\ndata: /elsewhere\n');
    const { seen } = await run(['--config', path, '--http', '[::1]:0', '--mqtt', 'localhost:3', '--data', folder]);
    expect(seen.options?.config).toMatchObject({
      http: { listen: { host: '::1', port: 0 } },
      mqtt: { listen: { host: 'localhost', port: 3 }, prefix: 'a' },
      data: folder,
    });
  });

  test.each([
    [['--http', '7070'], 64],
    [['--http', '127.0.0.1:99999'], 64],
    [['--nonsense'], 64],
    [['--config', '/nowhere/central.yaml'], 66],
    [['--config', '/dev/zero'], 78],
  ])('%j starts nothing', async (args, exit) => {
    const { code, seen } = await run([...args, '--data', folder]);
    expect(code).toBe(exit);
    expect(seen.options).toBeUndefined();
  });

  test('an address of the command line cannot go around encryption', async () => {
    const { code, stderr, seen } = await run(['--config', file('tls: off'), '--http', '0.0.0.0:1', '--data', folder]);
    expect(code).toBe(78);
    expect(stderr).toContain('loopback only');
    expect(seen.options).toBeUndefined();
  });
});

describe('check', () => {
  const free = ['--http', '127.0.0.1:0', '--mqtt', '127.0.0.1:0'];

  test('says that all is well', async () => {
    const { code, stdout } = await call(checkCommand, [...free, '--data', folder]);
    expect(code).toBe(0);
    expect(stdout).toContain(`data    ${folder} can be written`);
    expect(stdout).toContain('http    127.0.0.1:0 is free');
  });

  test('points at every mistake of the configuration', async () => {
    const path = file('retention:\n  minutes: 14\nhtpp: {}\n');
    const { code, stderr } = await call(checkCommand, ['--config', path]);
    expect(code).toBe(78);
    expect(stderr).toContain(`${path}:2:12: retention.minutes: 14 is not allowed`);
    expect(stderr).toContain(`${path}:3:1: htpp: "htpp" is not a key that is known here. Did you mean \`http\`?`);
  });

  test('an address that is taken is an error, but not by the central that runs', async () => {
    const taken = createServer();
    open.push(taken);
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const args = [
      '--http',
      `127.0.0.1:${(taken.address() as AddressInfo).port}`,
      '--mqtt',
      '127.0.0.1:0',
      '--data',
      folder,
    ];
    expect(await call(checkCommand, args)).toMatchObject({
      code: 69,
      stdout: expect.stringContaining('cannot be listened on'),
    });
    await announce('http://127.0.0.1:1');
    expect(await call(checkCommand, args)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('by the central that runs'),
    });
  });

  test('a broker that does not answer is an error', async () => {
    const path = file('broker: {kind: external, url: "mqtt://127.0.0.1:1"}');
    expect(await call(checkCommand, [...free, '--config', path, '--data', folder])).toMatchObject({
      code: 69,
      stdout: expect.stringContaining('does not answer'),
    });
  });

  test('certificates are held against their keys and the time', async () => {
    const ca = await makeCa(nowMs);
    const server = await issueCertificate(ca, ['central.example'], nowMs);
    const other = await issueCertificate(ca, ['central.example'], nowMs);
    const certificate = file(server.cert, 'c.pem');
    const config = (key: string) => file(`tls: {certificate: ${certificate}, key: ${key}}`);
    const check = (key: string, later = 0) =>
      call(checkCommand, [...free, '--config', config(key), '--data', folder], { nowMs: () => nowMs + later });
    const key = file(server.key, 'k.pem');
    expect(await check(key)).toMatchObject({ code: 0, stdout: expect.stringContaining('central.example') });
    expect(await check(key, 390 * DAY_MS)).toMatchObject({ code: 0, stdout: expect.stringContaining('renew it') });
    expect(await check(key, 500 * DAY_MS)).toMatchObject({ code: 78, stdout: expect.stringContaining('ended') });
    expect(await check(file(other.key, 'o.pem'))).toMatchObject({
      code: 78,
      stdout: expect.stringContaining('is not the key of'),
    });
    expect(await check(join(folder, 'gone.pem'))).toMatchObject({ code: 66 });
    expect(await check(certificate)).toMatchObject({ code: 66 });
  });

  test('a data directory that is a file is an error', async () => {
    expect(await call(checkCommand, [...free, '--data', file('')])).toMatchObject({ code: 74 });
  });
});
