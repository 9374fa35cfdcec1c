import { afterEach, beforeEach, expect, test } from 'vitest';
import { EPOCH, START_MS } from './fake-values.ts';
import { ADMIN_TOKEN, startTestServer, type TestServer } from './fakes.ts';

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer();
});
afterEach(() => server.app.close());

const bearer = { authorization: `Bearer ${ADMIN_TOKEN}` };
const label = `agents/pump-7/incidents/${EPOCH}/17/label`;
const hour = 3_600_000;

function ask(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, payload?: object, headers: object = bearer) {
  return server.app.inject({ method, url: `/api/v1/${path}`, headers: { ...headers }, ...(payload && { payload }) });
}

function trail(about: string) {
  return server.audited
    .filter(({ action }) => action.startsWith(about))
    .map(({ actor, action, target, detail }) => [actor, action, target, detail]);
}

test('an incident is judged, shown with it, found by it, and judged no more; the audit trail says who', async () => {
  const admin = await server.logIn();
  const said = await ask('PUT', label, { verdict: 'real', class: 'pump bearing', note: 'replaced' }, admin);
  const about = { verdict: 'real', class: 'pump bearing', note: 'replaced', by: 'admin', atMs: START_MS };
  expect([said.statusCode, said.json()]).toEqual([200, about]);
  const found = async (wanted: string) => (await ask('GET', `incidents?label=${wanted}`)).json().incidents;
  expect((await found('real'))[0]).toMatchObject({ seq: 17, label: about });
  expect([await found('none'), await found('planned'), await found('false_alarm')]).toEqual([[], [], []]);
  expect((await ask('GET', 'incident-classes')).json().classes[0]).toEqual({ name: 'pump bearing', incidents: 1 });
  await ask('PUT', label, { verdict: 'false_alarm' });
  expect((await found('false_alarm'))[0].label).toMatchObject({ class: null, note: '', by: 'token' });
  expect((await ask('DELETE', label)).statusCode).toBe(204);
  expect((await ask('DELETE', label)).statusCode).toBe(404);
  expect((await found('none'))[0].label).toBeUndefined();
  const target = `pump-7 ${EPOCH}-17`;
  expect(trail('incident.')).toEqual([
    ['admin', 'incident.label', target, 'real, pump bearing, replaced'],
    ['token', 'incident.label', target, 'false alarm'],
    ['token', 'incident.unlabel', target, ''],
  ]);
});

test.each([
  ['no verdict', label, { class: 'x' }, 400],
  ['a verdict that there is not', label, { verdict: 'odd' }, 400],
  ['a class of a false alarm', label, { verdict: 'false_alarm', class: 'x' }, 400],
  ['a class of blanks', label, { verdict: 'real', class: '  ' }, 400],
  ['a class without end', label, { verdict: 'real', class: 'x'.repeat(41) }, 400],
  ['a note without end', label, { verdict: 'real', note: 'x'.repeat(257) }, 400],
  ['an incident that there is not', label.replace('17', '18'), { verdict: 'real' }, 404],
  ['a machine that there is not', label.replace('pump-7', 'nobody'), { verdict: 'real' }, 404],
])('%s is refused, and nothing is kept', async (_what, path, body, status) => {
  expect((await ask('PUT', path, body)).statusCode).toBe(status);
  expect(server.audited.filter(({ action }) => action !== 'session.login')).toEqual([]);
  expect((await ask('GET', 'incidents?label=none')).json().incidents).toHaveLength(1);
});

test('planned work marks what falls into it, is ended early, and is in the audit trail', async () => {
  const planned = await ask('POST', 'maintenance', { site: 'north', toMs: START_MS + hour, reason: 'new pump' });
  const { id } = planned.json();
  expect(planned.json()).toMatchObject({ agent: null, site: 'north', fromMs: START_MS, afterwards: false });
  const [incident] = (await ask('GET', 'agents/pump-7/incidents')).json().incidents;
  expect(incident.maintenance).toEqual({ id, reason: 'new pump' });
  expect((await ask('GET', 'maintenance?agent=pump-7')).json().windows).toHaveLength(1);
  server.clock.nowMs += hour / 2;
  expect((await ask('POST', `maintenance/${id}/end`)).json()).toMatchObject({ toMs: START_MS + hour / 2 });
  expect((await ask('POST', `maintenance/${id}/end`)).statusCode).toBe(409);
  const span = (toMs: string): string => `2026-01-01T00:00:00.000Z to ${toMs}`;
  expect(trail('maintenance.')).toEqual([
    ['token', 'maintenance.plan', 'site north', `${span('2026-01-01T01:00:00.000Z')}: new pump`],
    ['token', 'maintenance.end', 'site north', span('2026-01-01T00:30:00.000Z')],
  ]);
});

test.each([
  ['without a reason', { toMs: START_MS + hour }, 400],
  ['that ends before it begins', { toMs: START_MS - hour, reason: 'x' }, 400],
  ['of a machine that there is not', { agent: 'nobody', toMs: START_MS + hour, reason: 'x' }, 404],
])('planned work %s is refused', async (_what, body, status) => {
  expect((await ask('POST', 'maintenance', body)).statusCode).toBe(status);
  expect((await ask('GET', 'maintenance')).json().windows).toEqual([]);
});

test('nobody judges without a log in', async () => {
  const { cookie } = await server.logIn();
  expect((await ask('PUT', label, { verdict: 'real' }, {})).statusCode).toBe(401);
  expect((await ask('PUT', label, { verdict: 'real' }, { cookie })).statusCode).toBe(403);
  expect((await ask('POST', 'maintenance', { toMs: START_MS + hour, reason: 'x' }, {})).statusCode).toBe(401);
});
