import http from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { PicketError } from '../../shared/errors.ts';
import { until } from '../../test/support/processes.ts';
import { ADMIN_TOKEN, startTestServer, type TestServer } from './fakes.ts';

let server: TestServer;
afterEach(() => server?.app.close());

const payload = { passphrase: 'ten letters and more' };
const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' };

/** The answer to a request over a connection of its own. */
function ask(url: string): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: 'POST', headers, agent: false }, resolve);
    request.on('error', reject);
    request.end(JSON.stringify(payload));
  });
}

async function textOf(answer: http.IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of answer) text += part;
  return text;
}

/** Serves this backup, over a real connection. */
async function serve(backup: (passphrase: string) => AsyncIterable<Uint8Array>): Promise<string> {
  server = await startTestServer({ services: { backup } });
  return `${await server.app.listen({ port: 0, host: '127.0.0.1' })}/api/v1/backup`;
}

test('is for the admin token alone, and audited', async () => {
  let asked = '';
  server = await startTestServer({
    services: {
      backup: async function* (passphrase) {
        asked = passphrase;
        yield Buffer.from('bytes');
      },
    },
  });
  const make = (given: Record<string, string>) =>
    server.app.inject({ method: 'POST', url: '/api/v1/backup', headers: given, payload });
  expect((await make({})).statusCode).toBe(401);
  const page = await make(await server.logIn());
  expect([page.statusCode, page.json().code]).toEqual([403, 'auth.denied']);
  expect(asked).toBe('');
  const answer = await make(headers);
  expect([answer.statusCode, answer.body, asked]).toEqual([200, 'bytes', payload.passphrase]);
  expect(await server.services.audit.list(1)).toMatchObject([{ action: 'central.backup' }]);
});

test('a passphrase that is too short is refused, and what is wrong at once is a problem', async () => {
  server = await startTestServer({
    services: {
      // biome-ignore lint/correctness/useYield: it fails before
      backup: async function* () {
        throw new PicketError('config.unreadable', 'keys.json is missing');
      },
    },
  });
  const make = (passphrase: string) =>
    server.app.inject({ method: 'POST', url: '/api/v1/backup', headers, payload: { passphrase } });
  expect((await make('short')).statusCode).toBe(400);
  for (let i = 0; i < 2; i++)
    expect((await make(payload.passphrase)).json()).toMatchObject({ code: 'config.unreadable' });
});

/** Never ends by itself; counts what was made and how often it was ended. */
function endless() {
  const seen = { made: 0, ended: 0 };
  async function* backup(): AsyncGenerator<Buffer> {
    try {
      for (; ; seen.made++) yield Buffer.alloc(1024 * 1024);
    } finally {
      seen.ended++;
    }
  }
  return { seen, backup };
}

test('one at a time; who goes away ends it, and its snapshot', async () => {
  const { seen, backup } = endless();
  const url = await serve(backup);
  const first = await ask(url);
  expect(first.statusCode).toBe(200);
  expect(JSON.parse(await textOf(await ask(url)))).toMatchObject({ code: 'conflict' });
  first.destroy();
  await until('the first one ended', () => seen.ended === 1);
  const next = await ask(url);
  expect(next.statusCode).toBe(200);
  next.destroy();
  await until('the next one ended', () => seen.ended === 2);
});

test('ends when the central stops', async () => {
  const { seen, backup } = endless();
  const answer = await ask(await serve(backup));
  const broken = new Promise((resolve) => answer.once('error', resolve));
  answer.resume();
  await server.app.close();
  expect(await broken).toMatchObject({ code: 'ECONNRESET' });
  expect(seen.ended).toBe(1);
});

test('is made no faster than it is taken', async () => {
  const { seen, backup } = endless();
  const answer = await ask(await serve(backup));
  let before = -1;
  // What the buffers on the way hold is made, and no more.
  await until('it stands still', async () => {
    const still = seen.made === before;
    before = seen.made;
    await new Promise((resolve) => setTimeout(resolve, 200));
    return still && seen.made === before;
  });
  expect(seen.made).toBeLessThan(100);
  answer.destroy();
});

test('one that breaks off does not end as if it were whole', async () => {
  const url = await serve(async function* () {
    yield Buffer.from('half');
    throw new Error('the disk failed');
  });
  // And the next may be made.
  for (let i = 0; i < 2; i++) await expect(ask(url).then(textOf)).rejects.toThrow('aborted');
});
