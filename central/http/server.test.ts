import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../shared/limits.ts';
import { issueCertificate, makeCa } from '../certificates.ts';
import { assetOf, readAssets } from './assets.ts';
import { SERIES, START_MS } from './fake-values.ts';
import { ADMIN_TOKEN, startTestServer, type TestServer } from './fakes.ts';

let server: TestServer;
afterEach(() => server?.app.close());

const bearer = { authorization: `Bearer ${ADMIN_TOKEN}` };
const get = (url: string, headers: Record<string, string> = bearer) => server.app.inject({ url, headers });
const agent = '/api/v1/agents/pump-7';

async function code(url: string): Promise<[number, string]> {
  const answer = await get(url);
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  const problem = answer.json<{ code: string; status: number; hint: string; detail: string }>();
  expect(problem.status).toBe(answer.statusCode);
  expect(problem.hint).not.toBe('');
  return [answer.statusCode, problem.code];
}

test('each wrong request gets its own problem', async () => {
  server = await startTestServer();
  const range = `from=${START_MS}&to=${START_MS + HOUR_MS}`;
  const series = (count: number) => Array.from({ length: count }, (_, i) => i.toString(16).padStart(16, '0')).join(',');
  const expected: [string, number, string][] = [
    ['/api/v1/nothing', 404, 'not_found'],
    ['/nothing', 404, 'not_found'],
    ['/api/v1/agents/none', 404, 'agent.unknown'],
    ['/api/v1/agents/bad%20id', 400, 'usage.invalid'],
    [`/api/v1/agents/${'x'.repeat(200)}`, 400, 'payload.invalid'],
    ['/api/v1/agents/%zz', 400, 'payload.invalid'],
    [`${agent}/summaries`, 400, 'usage.invalid'],
    [`${agent}/summaries?series=xyz&${range}`, 400, 'usage.invalid'],
    [`${agent}/summaries?series=${SERIES}&${range}&more=1`, 400, 'usage.invalid'],
    [`${agent}/summaries?series=${SERIES}&from=5&to=5`, 400, 'usage.invalid'],
    [`${agent}/summaries?series=${SERIES}&from=a&to=5`, 400, 'usage.invalid'],
    [`${agent}/summaries?series=${SERIES}&${range}&resolution=second`, 400, 'usage.invalid'],
    [`${agent}/summaries?series=${SERIES}&${range}&columns=mean,what`, 400, 'usage.invalid'],
    [`${agent}/summaries?series=${series(65)}&${range}`, 400, 'usage.invalid'],
    [`${agent}/summaries?series=${series(60)}&from=0&to=${4 * DAY_MS}&resolution=minute`, 400, 'usage.invalid'],
    [`${agent}/band?series=${SERIES}&from=0&to=${DAY_MS}&step=1000`, 400, 'usage.invalid'],
    [`${agent}/documents/secrets`, 400, 'usage.invalid'],
    [`${agent}/documents/top`, 404, 'not_found'],
    [`${agent}/ledger?from=0&to=${900 * DAY_MS}`, 400, 'usage.invalid'],
    [`${agent}/values?series=${SERIES}&from=0&to=${3 * HOUR_MS}`, 400, 'usage.invalid'],
    [`${agent}/incidents?limit=100000`, 400, 'usage.invalid'],
    [`${agent}/incidents/zz/1/evidence`, 400, 'usage.invalid'],
    ['/api/v1/models/99', 404, 'not_found'],
    ['/api/v1/models/0', 400, 'usage.invalid'],
    ['/api/v1/ca', 404, 'not_found'],
    ['/metrics/fleet?agent=none', 404, 'agent.unknown'],
    [`/api/v1/agents?x=${'y'.repeat(9000)}`, 413, 'payload.too_large'],
  ];
  for (const [url, status, name] of expected) {
    expect([url.slice(0, 120), ...(await code(url))]).toEqual([url.slice(0, 120), status, name]);
  }
});

test('a body that is too large, broken or unknown is refused before any work', async () => {
  server = await startTestServer();
  const send = async (payload: string, type = 'application/json', url = '/api/v1/tokens') => {
    const headers = { ...bearer, 'content-type': type };
    const answer = await server.app.inject({ method: 'POST', url, payload, headers });
    return [answer.statusCode, answer.json<{ code: string }>().code];
  };
  expect(await send(`{"note":"${'x'.repeat(70_000)}"}`)).toEqual([413, 'payload.too_large']);
  expect(await send('{"note":')).toEqual([400, 'payload.invalid']);
  expect(await send('')).toEqual([400, 'payload.invalid']);
  expect(await send('note=1', 'application/x-www-form-urlencoded')).toEqual([400, 'payload.invalid']);
  expect(await send('{"__proto__":{"x":1}}')).toEqual([400, 'payload.invalid']);
  expect(await send('{"notes":"x"}')).toEqual([400, 'usage.invalid']);
  expect(await send('{"tags":{"a":{"b":"c"}}}')).toEqual([400, 'usage.invalid']);
  expect(await send('{"note":"a\\u0007"}')).toEqual([400, 'usage.invalid']);
  expect(await send(`{"expiresMs":${START_MS - 1}}`)).toEqual([400, 'usage.invalid']);
  expect(await send('{"agent":"none"}', 'application/json', '/api/v1/models/train')).toEqual([404, 'agent.unknown']);
});

test('what goes wrong inside is told to the log and not to the asker', async () => {
  const lines: string[] = [];
  const log = (value: unknown, text: string) => void lines.push(`${text} ${String((value as { err: Error }).err)}`);
  const quiet = () => {};
  const logger: Record<string, unknown> = {
    error: log,
    info: quiet,
    warn: quiet,
    debug: quiet,
    trace: quiet,
    fatal: quiet,
  };
  logger.child = () => logger;
  server = await startTestServer({ logger: logger as never });
  Object.assign(server.services.store, { latest: async () => Promise.reject(new Error('secret path /var/x')) });
  const answer = await get(`${agent}/series`);
  expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([500, 'internal']);
  expect(answer.body).not.toContain('secret');
  expect(lines.join()).toContain('secret path');
});

test('every answer has the security headers; plain ones say nothing of HTTPS', async () => {
  server = await startTestServer({ assets: new Map([['/index.html', assetOf('/index.html', Buffer.from('<p>'))]]) });
  for (const url of ['/', '/api/v1/agents', '/api/v1/none', '/healthz', '/metrics']) {
    const { headers } = await get(url);
    expect(headers['content-security-policy']).toMatch(/default-src 'self'/);
    expect(headers['content-security-policy']).toMatch(/frame-ancestors 'none'/);
    expect(headers['content-security-policy']).not.toMatch(/unsafe/);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    });
    expect(headers).not.toHaveProperty('strict-transport-security');
    expect(headers).not.toHaveProperty('x-powered-by');
  }
  expect((await get('/api/v1/agents')).headers['cache-control']).toBe('no-store');
});

test('under TLS: cookies are Secure and held to the host, and HSTS is sent', async () => {
  const ca = await makeCa(Date.now());
  server = await startTestServer({
    tls: await issueCertificate(ca, ['localhost', '127.0.0.1'], Date.now()),
    caPem: ca.cert,
  });
  const { port } = new URL(await server.app.listen({ port: 0, host: '127.0.0.1' }));
  const body = JSON.stringify({ user: 'admin', password: server.password });
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  const answer = await new Promise<{ status: number; headers: NodeJS.Dict<string | string[]> }>((resolve, reject) => {
    const url = `https://127.0.0.1:${port}/api/v1/session`;
    httpsRequest(url, { method: 'POST', ca: ca.cert, headers, agent: false }, (response) => {
      response.resume();
      resolve({ status: response.statusCode!, headers: response.headers });
    })
      .on('error', reject)
      .end(body);
  });
  expect(answer.status).toBe(200);
  expect(answer.headers['set-cookie']![0]).toMatch(
    /^__Host-picket=[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
  );
  expect(answer.headers['strict-transport-security']).toBe('max-age=31536000');
  const pem = await get('/api/v1/ca', {});
  expect([pem.statusCode, pem.body]).toEqual([200, ca.cert]);
  expect((await get('/metrics', {})).statusCode).toBe(401);
});

test('summaries: missing values are null, columns and resolution are as asked', async () => {
  server = await startTestServer();
  const ask = async (spanMs: number, more = '') =>
    (await get(`${agent}/summaries?series=${SERIES}&from=${START_MS}&to=${START_MS + spanMs}${more}`)).json<{
      resolution: string;
      series: Record<string, (number | null)[]>[];
    }>();
  const some = await ask(3 * 60_000);
  expect(some.resolution).toBe('minute');
  expect(some.series[0]).toMatchObject({ id: SERIES, timesMs: [1, 2, 3].map((i) => START_MS + i * 60_000) });
  expect(some.series[0]!.mean).toEqual([0, null, Math.sin(2) * 1e9]);
  const few = await ask(3 * 60_000, '&columns=min,max');
  expect(Object.keys(few.series[0]!)).toEqual(['id', 'timesMs', 'min', 'max']);
  expect((await ask(2 * DAY_MS)).resolution).toBe('minute');
  expect((await ask(2 * DAY_MS + 1)).resolution).toBe('hour');
  expect((await ask(60 * DAY_MS + 1)).resolution).toBe('day');
});

test('a metric of 24 hours is answered in well under 200 ms', async () => {
  server = await startTestServer();
  const url = `${agent}/summaries?series=${SERIES}&from=${START_MS}&to=${START_MS + DAY_MS}`;
  await get(url);
  const begin = performance.now();
  const answer = await get(url);
  const tookMs = performance.now() - begin;
  expect(answer.json<{ series: { timesMs: number[] }[] }>().series[0]!.timesMs).toHaveLength(1440);
  expect(tookMs).toBeLessThan(100);
});

test('a machine is told where it finds the broker, also when the central only knows itself as loopback', async () => {
  server = await startTestServer();
  const told = async (broker: string, host: string) => {
    const enrolment = {
      agent: 'a',
      name: 'a',
      broker,
      prefix: 'p',
      username: 'a',
      password: 'p',
      ca: null,
      rootKey: 'k',
    };
    Object.assign(server.services.fleet, { enrol: async () => enrolment });
    const request = { method: 'POST', url: '/api/v1/enrol', payload: { token: 't' }, headers: { host } } as const;
    return (await server.app.inject(request)).json<{ broker: string }>().broker;
  };
  expect(await told('mqtts://127.0.0.1:8883', 'central.example:7070')).toBe('mqtts://central.example:8883');
  expect(await told('mqtts://[::1]:8883', '[2001:db8::1]:7070')).toBe('mqtts://[2001:db8::1]:8883');
  expect(await told('mqtt://127.0.0.1:1883', 'localhost:7070')).toBe('mqtt://127.0.0.1:1883');
  expect(await told('mqtts://broker.example:8883', 'central.example')).toBe('mqtts://broker.example:8883');
  expect(await told('mqtt://127.0.0.1:1883', 'bad host')).toBe('mqtt://127.0.0.1:1883');
});

test('the ledger’s totals are those of the store, cause by cause', async () => {
  server = await startTestServer();
  const { totals } = (await get(`${agent}/ledger`)).json<{ totals: unknown }>();
  expect(totals).toMatchObject({
    made: 16,
    committed: 12,
    quarantined: 0,
    pending: 0,
    lost: 4,
    duplicates: 2,
    lostByCause: { overflow: 3, purged: 1 },
  });
});

test('a band that the model does not have is empty, not an error', async () => {
  server = await startTestServer();
  const other = (await get(`${agent}/band?series=${'0'.repeat(16)}&from=0&to=60000`)).json();
  expect(other).toEqual({ version: 0, timesMs: [], low: [], high: [] });
  const band = (await get(`${agent}/band?series=${SERIES}&from=0&to=120000&step=60000`)).json();
  expect(band).toEqual({ version: 3, timesMs: [0, 60_000, 120_000], low: [1, 1, 1], high: [null, null, null] });
});

test('pages: types, lasting for hashed names, not modified, page routes, and no way out', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'picket-pages-'));
  try {
    await mkdir(join(directory, 'assets'));
    await writeFile(join(directory, 'index.html'), '<p>index</p>');
    await writeFile(join(directory, 'assets', 'main-3fa8B2cd.js'), 'main()');
    server = await startTestServer({ assets: await readAssets(directory) });
  } finally {
    await rm(directory, { recursive: true });
  }
  const index = await get('/', {});
  expect([index.statusCode, index.body, index.headers['cache-control']]).toEqual([200, '<p>index</p>', 'no-cache']);
  expect(index.headers['content-type']).toBe('text/html; charset=utf-8');
  const script = await get('/assets/main-3fa8B2cd.js?x=1', {});
  expect(script.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  expect(script.headers['content-type']).toMatch(/^text\/javascript/);
  const again = await get('/', { 'if-none-match': `"other", W/${index.headers.etag}` });
  expect([again.statusCode, again.body]).toEqual([304, '']);
  expect((await get('/agents/pump-7', {})).body).toBe('<p>index</p>');
  for (const path of ['/none.js', '/..%2f..%2fetc/passwd.txt', '/api/v1/none', '/api/none']) {
    expect([path, (await get(path, {})).statusCode]).toEqual([path, 404]);
  }
});

test('a directory of pages that is not there is an error with its name', async () => {
  await expect(readAssets('/nowhere/pages')).rejects.toMatchObject({ code: 'config.unreadable' });
});

test('metrics are open to this machine on plain loopback, and to nobody else without a log in', async () => {
  server = await startTestServer();
  const ask = async (headers: Record<string, string>, remoteAddress = '127.0.0.1') =>
    (await server.app.inject({ url: '/metrics/fleet', headers, remoteAddress })).statusCode;
  expect(await ask({ host: '127.0.0.1:7070' })).toBe(200);
  expect(await ask({ host: 'localhost' })).toBe(200);
  expect(await ask({ host: '[::1]:7070' }, '::1')).toBe(200);
  expect(await ask({ host: 'evil.example' })).toBe(401);
  expect(await ask({ host: 'localhost', 'x-forwarded-for': '192.0.2.1' })).toBe(401);
  expect(await ask({ host: 'localhost' }, '192.0.2.1')).toBe(401);
  expect(await ask({ host: 'x', ...bearer }, '192.0.2.1')).toBe(200);
  const { cookie } = await server.logIn();
  expect(await ask({ host: 'x', cookie }, '192.0.2.1')).toBe(200);
  await server.app.close();
  server = await startTestServer({ openMetricsOnLoopback: false });
  expect(await ask({ host: 'localhost' })).toBe(401);
});

test('a connection that asks for nothing does not hold up the end', async () => {
  server = await startTestServer();
  const { port } = new URL(await server.app.listen({ port: 0, host: '127.0.0.1' }));
  const silent = connect(Number(port), '127.0.0.1');
  await new Promise((resolve) => server.app.server.once('connection', resolve));
  const ended = new Promise((resolve) => silent.once('close', resolve));
  silent.on('error', () => {});
  await server.app.close();
  await ended;
});
