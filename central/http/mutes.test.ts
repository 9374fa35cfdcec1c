import { afterEach, expect, test } from 'vitest';
import type { Mutes } from '../api.ts';
import { someOrder } from './fake-values.ts';
import { ADMIN_TOKEN, startTestServer, type TestServer } from './fakes.ts';

let server: TestServer;
afterEach(() => server.app.close());

/** A server whose mutes remember what they were asked. */
async function open() {
  const asked: unknown[] = [];
  const mutes: Mutes = {
    mute: async (agent, request) => {
      asked.push([agent, request]);
      return { ...someOrder, rule: request.rule, series: request.series };
    },
    unmute: async (agent, what) => {
      asked.push([agent, what]);
      return { ...someOrder, forMs: null, rule: what.rule, series: what.series };
    },
    orders: () => [someOrder],
  };
  server = await startTestServer({ services: { mutes } });
  return asked;
}

function post(path: string, payload: object, headers: Record<string, string> = bearer) {
  return server.app.inject({ method: 'POST', url: `/api/v1/agents/${path}`, payload, headers });
}
const bearer = { authorization: `Bearer ${ADMIN_TOKEN}` };

test('who asks is told to the machine, and to the audit trail', async () => {
  const asked = await open();
  const answer = await post('pump-7/mute', { forMs: 7_200_000, rule: 'oom-*', reason: 'a test' }, await server.logIn());
  expect(answer.statusCode).toBe(200);
  const plain = { rule: 'oom-*', series: null };
  expect(asked).toEqual([['pump-7', { forMs: 7_200_000, ...plain, reason: 'a test', by: 'admin at the central' }]]);
  await post('pump-7/unmute', { rule: 'oom-*' });
  expect(asked[1]).toEqual(['pump-7', { ...plain, by: 'token at the central' }]);
  const trail = server.audited.filter(({ action }) => action.startsWith('agent.'));
  expect(trail.map(({ actor, action, target, detail }) => [actor, action, target, detail])).toEqual([
    ['admin', 'agent.mute', 'pump-7', 'rule oom-* until 2026-01-01T02:00:00.000Z: a test'],
    ['token', 'agent.unmute', 'pump-7', 'rule oom-*'],
  ]);
});

test.each([
  ['too short', 'pump-7', { forMs: 1000 }, 400],
  ['too long', 'pump-7', { forMs: 1e11 }, 400],
  ['no time at all', 'pump-7', {}, 400],
  ['a reason without end', 'pump-7', { forMs: 60_000, reason: 'x'.repeat(201) }, 400],
  ['a machine that there is not', 'nobody', { forMs: 60_000 }, 404],
])('%s is refused, and nobody is asked', async (_what, agent, body, status) => {
  const asked = await open();
  expect((await post(`${agent}/mute`, body)).statusCode).toBe(status);
  expect([asked, server.audited]).toEqual([[], []]);
});

test('without a log in, or with one and without its token, nothing is muted', async () => {
  const asked = await open();
  expect((await post('pump-7/mute', { forMs: 60_000 }, {})).statusCode).toBe(401);
  const { cookie } = await server.logIn();
  expect((await post('pump-7/mute', { forMs: 60_000 }, { cookie })).statusCode).toBe(403);
  expect(asked).toEqual([]);
});
