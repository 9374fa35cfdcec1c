import { X509Certificate } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { issueCertificate, makeCa, type PemPair } from '../central/certificates.ts';
import type { PicketError } from '../shared/errors.ts';
import { enrolAt } from './enrol.ts';

const answer = {
  agent: 'pump-7',
  name: 'pump 7',
  broker: 'mqtts://127.0.0.1:8883',
  prefix: 'picket/1',
  username: 'pump-7',
  password: 'secret',
  ca: null,
  rootKey: `${'A'.repeat(43)}=`,
};
const request = { token: 'let-me-in', name: 'pump 7' };

interface Seen {
  readonly path: string;
  readonly body: string;
}

const open: http.Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A central that answers as it is told, and remembers what it was asked. */
async function serve(
  replies: Readonly<Record<string, { status?: number; body: string | (() => string) }>>,
  tls?: PemPair,
): Promise<{ port: number; seen: Seen[] }> {
  const seen: Seen[] = [];
  const handle: http.RequestListener = (incoming, response) => {
    let body = '';
    incoming.on('data', (part) => {
      body += part;
    });
    incoming.on('end', () => {
      seen.push({ path: `${incoming.method} ${incoming.url}`, body });
      const reply = replies[`${incoming.method} ${incoming.url}`] ?? { status: 404, body: '{}' };
      response.writeHead(reply.status ?? 200).end(typeof reply.body === 'string' ? reply.body : reply.body());
    });
  };
  const server = tls === undefined ? http.createServer(handle) : https.createServer(tls, handle);
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, seen };
}

async function failure(work: Promise<unknown>): Promise<PicketError> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).not.toBeNull();
  return error as PicketError;
}

const enrolled = { 'POST /api/v1/enrol': { body: JSON.stringify(answer) } };

describe('on loopback', () => {
  test('the token is traded for an identity', async () => {
    const { port, seen } = await serve(enrolled);
    expect(await enrolAt(`127.0.0.1:${port}`, undefined, request)).toEqual(answer);
    expect(await enrolAt(`http://127.0.0.1:${port}/`, undefined, request)).toEqual(answer);
    expect(seen[0]).toEqual({ path: 'POST /api/v1/enrol', body: JSON.stringify(request) });
  });

  test('what the central refuses is told with its code', async () => {
    const body = JSON.stringify({ code: 'token.invalid', detail: 'The token is\nused up.', status: 403 });
    const { port } = await serve({ 'POST /api/v1/enrol': { status: 403, body } });
    const error = await failure(enrolAt(`127.0.0.1:${port}`, undefined, request));
    expect(error.code).toBe('token.invalid');
    expect(error.message).toContain('refused the enrolment: The token is used up.');
  });

  test.each([
    ['no JSON', '<html>', 200],
    ['JSON of another kind', '{"hello": 1}', 200],
    ['a code that is none', '{"code": "toString"}', 500],
    ['nothing', '', 200],
    ['null', 'null', 500],
  ])('an answer that is %s is no enrolment', async (_what, body, status) => {
    const { port } = await serve({ 'POST /api/v1/enrol': { status, body } });
    expect((await failure(enrolAt(`127.0.0.1:${port}`, undefined, request))).code).toBe('payload.invalid');
  });

  test('an answer without end is cut off', async () => {
    const { port } = await serve({ 'POST /api/v1/enrol': { body: () => 'x'.repeat(10_000_000) } });
    expect((await failure(enrolAt(`127.0.0.1:${port}`, undefined, request))).code).toBe('payload.too_large');
  });

  test('nobody there', async () => {
    const { port } = await serve({});
    for (const server of open.splice(0)) server.close();
    expect((await failure(enrolAt(`127.0.0.1:${port}`, undefined, request))).code).toBe('central.unreachable');
  });

  test('a stop ends the wait for an answer', async () => {
    const server = http.createServer(() => {});
    open.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const stopping = new AbortController();
    server.on('request', () => stopping.abort());
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect((await failure(enrolAt(address, undefined, request, stopping.signal))).code).toBe('central.unreachable');
  });
});

describe('with a CA of its own', () => {
  let ca: PemPair;
  let other: PemPair;
  let server: PemPair;
  let fingerprint: string;

  beforeAll(async () => {
    const nowMs = Date.now();
    ca = await makeCa(nowMs);
    other = await makeCa(nowMs);
    server = await issueCertificate(ca, ['127.0.0.1'], nowMs);
    fingerprint = new X509Certificate(ca.cert).fingerprint256;
  });

  const told = (pem: string) => ({ 'GET /api/v1/ca': { body: pem }, ...enrolled });

  test('it is pinned by its fingerprint, however that is written', async () => {
    const { port } = await serve(told(ca.cert), server);
    for (const written of [fingerprint, fingerprint.replaceAll(':', '').toLowerCase(), `sha256:${fingerprint}`]) {
      expect(await enrolAt(`https://127.0.0.1:${port}`, written, request)).toEqual(answer);
    }
  });

  test('another CA is refused, and the token is not sent', async () => {
    const { port, seen } = await serve(told(other.cert), server);
    const error = await failure(enrolAt(`127.0.0.1:${port}`, fingerprint, request));
    expect(error.code).toBe('ca.mismatch');
    expect(error.message).toContain('the token was not sent');
    expect(seen.map(({ path }) => path)).toEqual(['GET /api/v1/ca']);
  });

  test('somebody between who shows the right CA but has not its key is refused', async () => {
    const impostor = await issueCertificate(other, ['127.0.0.1'], Date.now());
    const { port, seen } = await serve(told(ca.cert), impostor);
    expect((await failure(enrolAt(`127.0.0.1:${port}`, fingerprint, request))).code).toBe('ca.mismatch');
    expect(seen.map(({ path }) => path)).toEqual(['GET /api/v1/ca']);
  });

  test('a certificate for another name is refused', async () => {
    const elsewhere = await issueCertificate(ca, ['central.example'], Date.now());
    const { port, seen } = await serve(told(ca.cert), elsewhere);
    expect((await failure(enrolAt(`127.0.0.1:${port}`, fingerprint, request))).message).toContain('publicUrl');
    expect(seen).toHaveLength(1);
  });

  test('without a fingerprint the system must trust it', async () => {
    const { port, seen } = await serve(told(ca.cert), server);
    expect((await failure(enrolAt(`https://127.0.0.1:${port}`, undefined, request))).code).toBe('ca.mismatch');
    expect(seen).toEqual([]);
  });

  test.each([['no pem'], [''], ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----']])(
    '%j is no CA',
    async (body) => {
      const { port } = await serve(told(body), server);
      expect((await failure(enrolAt(`127.0.0.1:${port}`, fingerprint, request))).code).toBe('ca.mismatch');
    },
  );
});

test.each([
  ['http://10.0.0.1:7070', undefined, /in the clear/],
  ['http://central.example', undefined, /in the clear/],
  ['ftp://x', undefined, /not the address/],
  ['https://x/path', undefined, /not the address/],
  ['https://user@x', undefined, /not the address/],
  ['', undefined, /not the address/],
  ['a b', undefined, /not the address/],
  ['https://x', 'abc', /64 hex digits/],
  ['https://x', 'g'.repeat(64), /64 hex digits/],
])('%s with the fingerprint %s is refused before anything is sent', async (address, fingerprint, message) => {
  const error = await failure(enrolAt(address, fingerprint, request));
  expect(error.code).toBe('usage.invalid');
  expect(error.message).toMatch(message);
});
