import { X509Certificate } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { issueCertificate, makeCa, type PemPair } from '../../central/certificates.ts';
import { Collected, configOf, hostBelow, openInput, readOnce } from '../../test/contract/inputs-harness.ts';
import { filesOf } from './certificates/local.ts';
import { certificates } from './certificates.ts';
import type { Host, InputKind } from './input.ts';

const NOW_MS = Date.now();
const at = (hours: number) => ({ monotonicMs: hours * 3_600_000, utcMs: NOW_MS + hours * 3_600_000 });
const leftOf = (pem: string, hours: number): number =>
  (Date.parse(new X509Certificate(pem).validTo) - at(hours).utcMs) / 1000;
const kind = certificates as unknown as InputKind<unknown>;

let ca: PemPair;
let server: PemPair;
let root = '';
const servers: { close(): void }[] = [];

beforeAll(async () => {
  ca = await makeCa(NOW_MS);
  server = await issueCertificate(ca, ['127.0.0.1'], NOW_MS);
});
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'picket-certificates-'));
  await mkdir(path.join(root, 'etc/tls'), { recursive: true });
});
afterEach(async () => {
  for (const each of servers.splice(0)) each.close();
  await rm(root, { recursive: true });
});
afterAll(() => expect(servers).toEqual([]));

async function listen(made: net.Server): Promise<string> {
  servers.push(made);
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(made.address() as AddressInfo).port}`;
}

async function opened(settings: object, more: Partial<Host> = {}) {
  const into = new Collected();
  const input = await openInput(kind, configOf(kind, settings), { ...hostBelow(root), ...more }, into);
  return {
    into,
    input,
    values: () => [...into.values].map(([name, value]) => [/target="([^"]*)"/.exec(name)![1], value]),
  };
}

describe('servers', () => {
  test('show how long their certificate is good for, whoever signed it', async () => {
    const endpoint = await listen(tls.createServer({ cert: server.cert, key: server.key }));
    const { into, input, values } = await opened({ endpoints: [endpoint] });
    await readOnce(input, at(0));
    expect(values()).toEqual([[endpoint, expect.closeTo(leftOf(server.cert, 0), 0)]]);
    expect([...into.states.values()]).toEqual(['yes']);
    await readOnce(input, at(5));
    expect(values()[0]![1]).toBeCloseTo(leftOf(server.cert, 5), 0);
  });

  test('that expired are below zero', async () => {
    const endpoint = await listen(tls.createServer({ cert: server.cert, key: server.key }));
    const { input, values } = await opened({ endpoints: [endpoint] });
    await readOnce(input, at(24 * 365 * 30));
    expect(values()[0]![1]).toBeLessThan(0);
  });

  test('that do not answer are told by their state, and their values are bad; one of two is no failure', async () => {
    const well = await listen(tls.createServer({ cert: server.cert, key: server.key }));
    const silent = await listen(net.createServer());
    const { into, input } = await opened({ endpoints: [well, silent], timeout: '200ms' });
    await readOnce(input, at(0));
    expect(Object.fromEntries(into.states)).toEqual({
      [`tlscheck.answers{tlscheck.target="${well}"}`]: 'yes',
      [`tlscheck.answers{tlscheck.target="${silent}"}`]: 'no',
    });
    servers.shift()!.close();
    await expect(readOnce(input, at(1))).rejects.toThrow(/127\.0\.0\.1/);
    expect([...into.values.values()]).toEqual([null]);
  });

  test('that speak anything but TLS, or hang up, are failures that say where', async () => {
    const plain = await listen(net.createServer((socket) => socket.end('220 mail.example ESMTP\r\n')));
    const { input } = await opened({ endpoints: [plain], timeout: '2s' });
    await expect(readOnce(input, at(0))).rejects.toThrow(plain);
  });

  test('are asked no longer once the reading is given up', async () => {
    const silent = await listen(net.createServer());
    const { into, input } = await opened({ endpoints: [silent], timeout: '7s' });
    const stop = new AbortController();
    const reading = input.input.read(at(0), input.sink, stop.signal);
    stop.abort();
    await reading;
    expect(into.states.size).toBe(0);
  });
});

describe('files', () => {
  test('are found by a pattern; one that is renewed keeps its series, one that is gone is forgotten', async () => {
    await mkdir(path.join(root, 'etc/tls/live/a'), { recursive: true });
    await mkdir(path.join(root, 'etc/tls/live/b'), { recursive: true });
    const [a, b] = ['a', 'b'].map((name) => path.join(root, `etc/tls/live/${name}/cert.pem`));
    await writeFile(a!, server.cert);
    await writeFile(b!, new X509Certificate(ca.cert).raw);
    const { input, values } = await opened({ files: ['/etc/tls/live/*/cert.pem'] });
    await readOnce(input, at(0));
    // They are read at the same time: either may be the first.
    const targets = values().map(([target]) => target);
    expect(targets.sort()).toEqual(['/etc/tls/live/a/cert.pem', '/etc/tls/live/b/cert.pem']);
    const renewed = await issueCertificate(ca, ['127.0.0.1'], NOW_MS + 86_400_000);
    await writeFile(a!, renewed.cert);
    await rm(b!);
    await readOnce(input, at(1));
    expect(values()).toEqual([['/etc/tls/live/a/cert.pem', expect.closeTo(leftOf(renewed.cert, 1), 0)]]);
  });

  test('that hold no certificate, are too large or are not there are failures that name them', async () => {
    const file = path.join(root, 'etc/tls/x.pem');
    const { input } = await opened({ files: ['/etc/tls/x.pem'] });
    await expect(readOnce(input, at(0))).rejects.toThrow(/x\.pem cannot be read: ENOENT/);
    await writeFile(file, '-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n');
    await expect(readOnce(input, at(1))).rejects.toThrow(/x\.pem holds no certificate/);
    await writeFile(file, Buffer.alloc(2 * 1024 * 1024));
    await expect(readOnce(input, at(2))).rejects.toThrow(/bytes: at most/);
    await chmod(file, 0o600);
  });

  test('of a pattern are no more than are asked for', async () => {
    for (let i = 0; i < 20; i++) await writeFile(path.join(root, `etc/tls/${i}.pem`), 'x');
    expect(await filesOf(root, '/etc/tls/*.pem', 7)).toHaveLength(7);
    expect(await filesOf(root, '/nowhere/*/x', 7)).toEqual([]);
  });
});

test('the CA that the agent has pinned is looked at by itself; before it is enrolled there is nothing', async () => {
  let pinned: string | null = null;
  const { input, values } = await opened({}, { pinnedCa: async () => pinned });
  await readOnce(input, at(0));
  expect(values()).toEqual([]);
  pinned = ca.cert;
  await readOnce(input, at(1));
  expect(values()).toEqual([['picket-agent', expect.closeTo(leftOf(ca.cert, 1), 0)]]);
});
