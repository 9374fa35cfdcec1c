import { afterEach, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../shared/limits.ts';
import { openAuth, SESSION_MS } from './auth.ts';
import { START_MS } from './fake-values.ts';
import { ADMIN_TOKEN, cheapHash, fakeDocuments, PASSWORD, startTestServer, type TestServer } from './fakes.ts';

let server: TestServer;
afterEach(() => server?.app.close());

const logInWith = (user: string, password: string, remoteAddress = '192.0.2.1') =>
  server.app.inject({ method: 'POST', url: '/api/v1/session', payload: { user, password }, remoteAddress });
const patch = (headers: Record<string, string>) =>
  server.app.inject({ method: 'PATCH', url: '/api/v1/agents/pump-7', payload: { name: 'x' }, headers });

test('the password is made at the first start only, and is stored nowhere', async () => {
  const documents = fakeDocuments();
  const options = { documents, nowMs: () => START_MS };
  const first = await openAuth(options);
  expect(first.newPassword).toMatch(/^[\w-]{20}$/);
  expect(JSON.stringify(await documents.list('admin'))).not.toContain(first.newPassword);
  expect((await openAuth(options)).newPassword).toBeNull();
  await expect(first.login('admin', first.newPassword!)).resolves.toBeDefined();
  const reset = await openAuth({ ...options, resetPassword: true });
  await expect(reset.login('admin', first.newPassword!)).rejects.toMatchObject({ code: 'auth.denied' });
  await expect(reset.login('admin', reset.newPassword!)).resolves.toBeDefined();
});

test('a reset of the password ends all sessions', async () => {
  const documents = fakeDocuments();
  await documents.put('admin', 'admin', cheapHash);
  const options = { documents, nowMs: () => START_MS };
  const auth = await openAuth(options);
  const { token } = await auth.login('admin', PASSWORD);
  expect(await auth.session(token)).not.toBeNull();
  await openAuth({ ...options, resetPassword: true });
  expect(await auth.session(token)).toBeNull();
});

test('a log in sets a cookie that scripts and other sites cannot use', async () => {
  server = await startTestServer();
  const answer = await logInWith('admin', server.password);
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toEqual({ user: 'admin', csrf: expect.any(String), expiresMs: START_MS + SESSION_MS });
  const [cookie] = answer.cookies;
  expect(cookie).toMatchObject({ name: 'picket', path: '/', httpOnly: true, sameSite: 'Strict', maxAge: 7 * 86_400 });
  expect(cookie).not.toHaveProperty('secure');
  const stored = JSON.stringify(await server.services.store.documents.list('session'));
  expect(stored).not.toContain(cookie!.value);
  expect(stored).not.toContain(answer.json<{ csrf: string }>().csrf);
});

test('a wrong password and a wrong user are told alike', async () => {
  server = await startTestServer();
  const [password, user] = [await logInWith('admin', 'wrong'), await logInWith('root', server.password)];
  expect([password.statusCode, user.statusCode]).toEqual([403, 403]);
  expect(password.body).toBe(user.body);
  expect(password.json()).toMatchObject({ code: 'auth.denied' });
  expect(server.audited.map(({ action }) => action)).toEqual(['session.denied', 'session.denied']);
});

test('a session ends after seven days without use, and use moves its end', async () => {
  server = await startTestServer();
  const headers = await server.logIn();
  const who = () => server.app.inject({ url: '/api/v1/session', headers });
  server.clock.nowMs += 6 * DAY_MS;
  const used = await who();
  expect(used.json()).toMatchObject({ user: 'admin', expiresMs: server.clock.nowMs + SESSION_MS });
  expect(used.cookies).toHaveLength(1);
  server.clock.nowMs += HOUR_MS / 2;
  expect((await who()).cookies).toHaveLength(0);
  server.clock.nowMs += 7 * DAY_MS;
  expect((await who()).statusCode).toBe(401);
});

test('after log out the cookie is worth nothing', async () => {
  server = await startTestServer();
  const headers = await server.logIn();
  const out = await server.app.inject({ method: 'DELETE', url: '/api/v1/session', headers });
  expect([out.statusCode, out.body]).toEqual([204, '']);
  expect(out.cookies[0]).toMatchObject({ name: 'picket', value: '' });
  expect((await server.app.inject({ url: '/api/v1/agents', headers })).statusCode).toBe(401);
});

test('a change with the cookie alone, or with the token of another session, is refused', async () => {
  server = await startTestServer();
  const mine = await server.logIn();
  const other = await server.logIn();
  for (const csrf of [{}, { 'x-picket-csrf': 'x' }, { 'x-picket-csrf': other['x-picket-csrf'] }]) {
    const answer = await patch({ cookie: mine.cookie, ...csrf });
    expect(answer.statusCode).toBe(403);
    expect(answer.json()).toMatchObject({ code: 'auth.denied' });
  }
  expect(server.audited.some(({ action }) => action === 'agent.update')).toBe(false);
  expect((await patch(mine)).statusCode).toBe(200);
  expect(server.audited.at(-1)).toMatchObject({ actor: 'admin', action: 'agent.update', target: 'pump-7' });
});

test('the admin token needs no CSRF token; a wrong one is refused even with a good cookie', async () => {
  server = await startTestServer();
  expect((await patch({ authorization: `Bearer ${ADMIN_TOKEN}` })).statusCode).toBe(200);
  expect(server.audited.at(-1)).toMatchObject({ actor: 'token' });
  const { cookie } = await server.logIn();
  for (const authorization of [`Bearer ${ADMIN_TOKEN}x`, 'Bearer ', 'Basic YTpi', `bearer ${ADMIN_TOKEN.slice(1)}`]) {
    const answer = await server.app.inject({ url: '/api/v1/agents', headers: { cookie, authorization } });
    expect([authorization, answer.statusCode]).toEqual([authorization, 401]);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="picket"');
  }
});

test('without an admin token there is no Bearer access, and a short one is refused', async () => {
  const documents = fakeDocuments();
  await documents.put('admin', 'admin', cheapHash);
  const options = { documents, nowMs: () => START_MS };
  const auth = await openAuth(options);
  expect([auth.isAdminToken(''), auth.isAdminToken('undefined')]).toEqual([false, false]);
  await expect(openAuth({ ...options, adminToken: 'short' })).rejects.toMatchObject({ code: 'config.invalid' });
});

test('guessing at the log in is made to wait, longer each time, and only for the one who guesses', async () => {
  server = await startTestServer();
  for (let i = 0; i < 5; i++) expect((await logInWith('admin', 'guess')).statusCode).toBe(403);
  const throttled = await logInWith('admin', server.password);
  expect(throttled.statusCode).toBe(429);
  expect(throttled.headers['retry-after']).toBe('1');
  expect(throttled.json()).toMatchObject({ code: 'auth.throttled', facts: { retryAfterSeconds: 1 } });
  expect((await logInWith('admin', server.password, '192.0.2.2')).statusCode).toBe(200);
  server.clock.nowMs += 1000;
  expect((await logInWith('admin', 'guess')).statusCode).toBe(403);
  expect((await logInWith('admin', 'guess')).headers['retry-after']).toBe('2');
  server.clock.nowMs += 2000;
  expect((await logInWith('admin', server.password)).statusCode).toBe(200);
  expect((await logInWith('admin', 'guess')).statusCode).toBe(403);
});

test('guessing at tokens is made to wait too', async () => {
  const { PicketError } = await import('../../shared/errors.ts');
  const refuse = async () => {
    throw new PicketError('token.invalid', 'The token is unknown.');
  };
  server = await startTestServer();
  Object.assign(server.services.fleet, { enrol: refuse });
  const statuses: number[] = [];
  for (let i = 0; i < 7; i++) {
    const answer = await server.app.inject({ method: 'POST', url: '/api/v1/enrol', payload: { token: 'x' } });
    statuses.push(answer.statusCode);
  }
  expect(statuses).toEqual([403, 403, 403, 403, 403, 429, 429]);
});

test('a request that another site made cannot log in', async () => {
  server = await startTestServer();
  const answer = await server.app.inject({
    method: 'POST',
    url: '/api/v1/session',
    payload: { user: 'admin', password: server.password },
    headers: { 'sec-fetch-site': 'cross-site' },
  });
  expect(answer.statusCode).toBe(403);
  const form = await server.app.inject({
    method: 'POST',
    url: '/api/v1/session',
    payload: JSON.stringify({ user: 'admin', password: server.password }),
    headers: { 'content-type': 'text/plain' },
  });
  expect([form.statusCode, form.json<{ code: string }>().code]).toEqual([400, 'payload.invalid']);
});

test('sessions are bounded: the oldest end first, expired ones are swept', async () => {
  const documents = fakeDocuments();
  await documents.put('admin', 'admin', cheapHash);
  const clock = { nowMs: START_MS };
  const auth = await openAuth({ documents, nowMs: () => clock.nowMs });
  for (let i = 0; i < 205; i++) {
    await documents.put('session', String(i).padStart(64, '0'), { user: 'admin', expiresMs: START_MS + 1 + i });
  }
  await auth.login('admin', PASSWORD);
  const left = (await documents.list<{ expiresMs: number }>('session')).map(({ value }) => value.expiresMs - START_MS);
  expect(left).toHaveLength(200);
  expect(Math.min(...left)).toBe(7);
  clock.nowMs += 1000;
  await auth.login('admin', PASSWORD);
  expect(await documents.list('session')).toHaveLength(2);
});
