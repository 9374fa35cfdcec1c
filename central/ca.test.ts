import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DAY_MS } from '../shared/limits.ts';
import { fingerprintOf, hostsOfListener, openOperatorTls, openOwnTls, type TlsMaterial } from './ca.ts';

let directory: string;
let nowMs: number;
const open = (hosts: string[] = ['central.example', '192.0.2.7']) =>
  openOwnTls({ directory, hosts, nowMs: () => nowMs });

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'picket-ca-')), 'tls');
  nowMs = Date.now();
});
afterEach(() => rm(join(directory, '..'), { recursive: true }));

/** Shakes hands as an agent that pinned this CA would; resolves with what it thinks of the server. */
async function shakeHands(material: TlsMaterial, ca: string, servername: string): Promise<string> {
  const server = createServer({ key: material.key, cert: material.cert }, (socket) => socket.end());
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  try {
    return await new Promise<string>((resolve) => {
      const socket: TLSSocket = connect({ port, host: '127.0.0.1', ca, servername }, () => resolve('trusted'));
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
  } finally {
    await new Promise((done) => server.close(done));
  }
}

test('a client that pins the CA trusts the server for its names, and for no other', async () => {
  const material = (await open()).current();
  expect(await shakeHands(material, material.ca, 'central.example')).toBe('trusted');
  expect(await shakeHands(material, material.ca, 'localhost')).toBe('trusted');
  expect(await shakeHands(material, material.ca, 'other.example')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  const certificate = new X509Certificate(material.cert);
  expect(certificate.checkIP('192.0.2.7')).toBe('192.0.2.7');
  expect(certificate.checkIP('::1')).toBeDefined();
});

test('a client that pins another CA refuses', async () => {
  const material = (await open()).current();
  directory = join(directory, 'other');
  const other = (await open()).current();
  expect(await shakeHands(material, other.ca, 'localhost')).not.toBe('trusted');
});

test('a second start has the same CA and the same server certificate', async () => {
  const first = (await open()).current();
  const second = (await open()).current();
  expect(second).toEqual(first);
  expect(first.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  expect(first.fingerprint).toBe(new X509Certificate(first.ca).fingerprint256.replaceAll(':', '').toLowerCase());
});

test('the CA may sign servers and no further CA; the server is no CA', async () => {
  const material = (await open()).current();
  const ca = new X509Certificate(material.ca);
  const server = new X509Certificate(material.cert);
  expect([ca.ca, server.ca]).toEqual([true, false]);
  expect(server.checkIssued(ca)).toBe(true);
  expect(server.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(Date.parse(ca.validTo) - nowMs).toBeGreaterThan(3640 * DAY_MS);
  const life = Date.parse(server.validTo) - Date.parse(server.validFrom);
  expect(life).toBeLessThanOrEqual(397 * DAY_MS);
});

test('files are for their owner alone', async () => {
  await open();
  for (const name of await readdir(directory)) {
    expect([name, (await stat(join(directory, name))).mode & 0o777]).toEqual([name, 0o600]);
  }
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect((await readdir(directory)).sort()).toEqual(['ca.key', 'ca.pem', 'server.key', 'server.pem']);
});

test('the certificate is renewed before its end, by the same CA, and not before', async () => {
  const keeper = await open();
  const first = keeper.current();
  nowMs = first.notAfterMs - 61 * DAY_MS;
  expect(await keeper.renewIfDue()).toBe(false);
  nowMs = first.notAfterMs - 59 * DAY_MS;
  expect(await keeper.renewIfDue()).toBe(true);
  const second = keeper.current();
  expect(second.fingerprint).toBe(first.fingerprint);
  expect(second.notAfterMs).toBeGreaterThan(first.notAfterMs + 300 * DAY_MS);
  expect(second.key).not.toBe(first.key);
  expect(await keeper.renewIfDue()).toBe(false);
});

test('a new host makes a new server certificate of the same CA', async () => {
  const first = (await open()).current();
  const second = (await open(['moved.example'])).current();
  expect(second.fingerprint).toBe(first.fingerprint);
  expect(new X509Certificate(second.cert).checkHost('moved.example')).toBe('moved.example');
});

test('a server key without its certificate (a start that was cut off) is made anew', async () => {
  const first = (await open()).current();
  await writeFile(join(directory, 'server.key'), first.key.replace(/./, '-'));
  await rm(join(directory, 'server.pem'));
  expect((await open()).current().fingerprint).toBe(first.fingerprint);
});

test('a CA is never replaced in silence: a lost or foreign key is an error', async () => {
  await open();
  await writeFile(join(directory, 'ca.key'), await readFile(join(directory, 'server.key')));
  await expect(open()).rejects.toMatchObject({ code: 'config.unreadable' });
  await rm(join(directory, 'ca.key'));
  await expect(open()).rejects.toMatchObject({ code: 'config.unreadable' });
});

test("the operator's certificates are taken as they are, and a key that is not theirs is refused", async () => {
  const { cert, ca } = (await open()).current();
  await writeFile(join(directory, 'chain.pem'), cert);
  const files = { certificateFile: join(directory, 'chain.pem'), keyFile: join(directory, 'server.key') };
  const keeper = await openOperatorTls(files);
  expect(keeper.current().fingerprint).toBe(fingerprintOf(ca));
  expect(await keeper.renewIfDue()).toBe(false);
  expect((await openOperatorTls({ ...files, caFile: join(directory, 'ca.pem') })).current().ca.trim()).toBe(ca.trim());
  await expect(openOperatorTls({ ...files, keyFile: join(directory, 'ca.key') })).rejects.toMatchObject({
    code: 'config.invalid',
  });
  await expect(openOperatorTls({ ...files, keyFile: '/nowhere' })).rejects.toMatchObject({ code: 'config.unreadable' });
});

test('a listener on one address is that address; a wildcard is all of the machine', () => {
  expect(hostsOfListener('192.0.2.9')).toEqual(['192.0.2.9']);
  expect(hostsOfListener('0.0.0.0')).toContain('127.0.0.1');
});
