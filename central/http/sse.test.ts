import { get as httpGet, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { SERIES, START_MS } from './fake-values.ts';
import { ADMIN_TOKEN, fleetEvent, startTestServer, type TestServer } from './fakes.ts';
import { createEventStreams } from './sse.ts';

let server: TestServer;
afterEach(() => server?.app.close());

const bearer = { authorization: `Bearer ${ADMIN_TOKEN}` };

async function start(): Promise<string> {
  server = await startTestServer();
  return server.app.listen({ port: 0, host: '127.0.0.1' });
}

/** A stream over a real socket; `until` resolves once its text so far holds what is given. */
async function openStream(url: string, headers: Record<string, string> = bearer) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpGet(url, { headers, agent: false }, resolve).on('error', reject);
  });
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  response.on('error', () => {});
  const ended = new Promise<void>((resolve) => response.once('close', resolve));
  const until = (part: string) => vi.waitFor(() => expect(text).toContain(part));
  return { response, until, ended, text: () => text };
}

test('fleet events arrive as named events, with the headers of a stream', async () => {
  const origin = await start();
  const { response, until } = await openStream(`${origin}/api/v1/events`);
  expect(response.statusCode).toBe(200);
  expect(response.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  });
  await until('retry: 2000\n\n');
  server.services.bus.publish(fleetEvent);
  await until(`event: summary\ndata: ${JSON.stringify(fleetEvent)}\n\n`);
  response.destroy();
});

test('a client that goes ends its subscription and its watch', async () => {
  const origin = await start();
  const { response, until } = await openStream(`${origin}/api/v1/agents/pump-7/live?series=${SERIES}`);
  await until('retry');
  const watch = server.watches.get('pump-7')!;
  watch.onTick({ timeMs: START_MS, series: [SERIES], values: [Number.NaN] });
  await until(`event: tick\ndata: {"timeMs":${START_MS},"series":["${SERIES}"],"values":[null]}\n\n`);
  expect(watch.signal.aborted).toBe(false);
  response.destroy();
  await vi.waitFor(() => expect(watch.signal.aborted).toBe(true));
  expect(server.watches.size).toBe(0);
  expect(server.audited.at(-1)).toMatchObject({ action: 'live.watch', target: 'pump-7' });
});

test('streams end with their session, and with the server', async () => {
  const origin = await start();
  const headers = await server.logIn();
  const mine = await openStream(`${origin}/api/v1/events`, headers);
  const other = await openStream(`${origin}/api/v1/events`);
  await mine.until('retry');
  await other.until('retry');
  await server.app.inject({ method: 'DELETE', url: '/api/v1/session', headers });
  await mine.ended;
  server.services.bus.publish(fleetEvent);
  await other.until('event: summary');
  expect(mine.text()).not.toContain('event: summary');
  await server.app.close();
  await other.ended;
});

test('a watch that fails at once is told in its stream, which ends', async () => {
  const origin = await start();
  Object.assign(server.services.live, {
    watch: () => {
      throw new Error('broken');
    },
  });
  const stream = await openStream(`${origin}/api/v1/agents/pump-7/live?series=${SERIES}`);
  await stream.until('event: problem');
  await stream.ended;
  expect(stream.text()).toContain('"code":"internal"');
});

test('heartbeats keep a quiet stream open; too many streams and slow readers are refused', async () => {
  const { default: Fastify } = await import('fastify');
  const { installProblems } = await import('./problem.ts');
  const streams = createEventStreams(20, 1);
  const app = Fastify({ forceCloseConnections: true });
  installProblems(app);
  const opened: ReturnType<typeof streams.open>[] = [];
  app.get('/', async (_request, reply) => void opened.push(streams.open(reply, null)));
  const origin = await app.listen({ port: 0, host: '127.0.0.1' });
  try {
    const first = await openStream(origin);
    await first.until(':\n\n:\n\n');
    expect((await fetch(origin)).status).toBe(429);
    first.response.destroy();
    await vi.waitFor(() => expect(streams.count()).toBe(0));

    const { port } = new URL(origin);
    const slow = connect(Number(port), '127.0.0.1').pause();
    slow.on('error', () => {});
    slow.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await vi.waitFor(() => expect(opened).toHaveLength(2));
    const stream = opened[1]!;
    for (let i = 0; i < 200 && !stream.signal.aborted; i++) stream.send('x', 'y'.repeat(100_000));
    expect(stream.signal.aborted).toBe(true);
    expect(streams.count()).toBe(0);
    slow.destroy();
  } finally {
    await app.close();
  }
});
