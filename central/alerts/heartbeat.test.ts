import { createServer, type Server } from 'node:http';
import { afterEach, expect, test, vi } from 'vitest';
import type { Log } from '../../shared/log.ts';
import { T0 } from './fixtures.ts';
import { Heartbeat } from './heartbeat.ts';

const log = new Proxy({}, { get: () => () => {} }) as Log;
let server: Server | null = null;
afterEach(() => server?.close());

test('beats at its interval while the central works, says why not else, and goes on after a clock that is set back', async () => {
  const got: string[] = [];
  let status = 200;
  server = createServer((request, response) => {
    got.push(`${request.method} ${request.url}`);
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/secret-id`;
  let nowMs = T0;
  let problem: string | null = null;
  const config = { url, method: 'GET', interval: 60_000, headers: {}, timeout: 5_000 } as const;
  const about = { config, ca: null, nowMs: () => nowMs, log, counts: () => ({}) };
  const heart = new Heartbeat({ ...about, problem: async () => problem });
  const beats = (count: number) => vi.waitFor(() => expect(got).toHaveLength(count));

  heart.tick();
  await beats(1);
  await vi.waitFor(() => expect(heart.state().lastSuccessMs).toBe(T0));
  heart.tick();
  nowMs += 59_000;
  heart.tick();
  nowMs += 1_000;
  heart.tick();
  await beats(2);
  await vi.waitFor(() => expect(heart.state().lastSuccessMs).toBe(nowMs));

  problem = 'there is no connection to the broker';
  nowMs += 60_000;
  heart.tick();
  await vi.waitFor(() => expect(heart.state().problem).toBe(problem));
  expect(got).toHaveLength(2);

  problem = null;
  status = 500;
  nowMs += 60_000;
  heart.tick();
  await vi.waitFor(() => expect(heart.state()).toMatchObject({ problem: 'answered 500', lastErrorMs: nowMs }));

  status = 200;
  nowMs -= 86_400_000;
  heart.tick();
  await vi.waitFor(() => expect(heart.state().problem).toBeNull());
  // Its address has a secret in it.
  expect(JSON.stringify(heart.state())).not.toContain('secret-id');
  await heart.close();
});
