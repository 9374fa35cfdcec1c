import { expect, test } from 'vitest';
import { DAY_MS } from '../shared/limits.ts';
import type { FleetEvent } from './api.ts';
import { createBus } from './bus.ts';
import { type FleetRegistry, openFleet } from './fleet.ts';
import { START_MS, someIncident } from './http/fake-values.ts';
import { fakeDocuments } from './http/fakes.ts';
import type { StoredIncident } from './store/store.ts';

const central = { broker: 'mqtts://central.example:8883', prefix: 'picket/1', ca: 'PEM', rootKey: 'KEY' };

function harness(incidents: StoredIncident[] = []) {
  const documents = fakeDocuments();
  const clock = { nowMs: START_MS };
  const events: FleetEvent[] = [];
  const bus = createBus();
  bus.subscribe((event) => void events.push(event));
  const open = () =>
    openFleet({
      store: { documents, incidents: async () => incidents },
      bus,
      nowMs: () => clock.nowMs,
      central: () => central,
      command: (token) => `picket-agent run --token ${token}`,
    });
  return { documents, clock, events, open };
}

async function newToken(fleet: FleetRegistry, change: Partial<Parameters<FleetRegistry['createToken']>[0]> = {}) {
  const options = { note: '', site: '', tags: {}, maxUses: 1, expiresMs: START_MS + DAY_MS, ...change };
  return fleet.createToken(options);
}

const presence = (online: boolean, epoch: string) => ({ online, boot: 'b', epoch });

test('a token makes one identity, whose credentials connect it and nobody else', async () => {
  const { open } = harness();
  const fleet = await open();
  const { token, command, record } = await newToken(fleet, { site: 'north', tags: { line: 'a' } });
  expect(Buffer.from(token, 'base64url').length).toBe(24);
  expect(command).toContain(token);
  expect(record).not.toHaveProperty('hash');
  const enrolment = await fleet.enrol({ token, name: 'Pump 7 / Halle Süd', tags: { kind: 'pump' } });
  expect(enrolment).toMatchObject({ ...central, name: 'Pump 7 / Halle Süd', username: enrolment.agent });
  expect(enrolment.agent).toMatch(/^pump-7-halle-su-d-[2-9a-z]{6}$/);
  expect(Buffer.from(enrolment.password, 'base64url').length).toBe(32);
  expect(fleet.authenticate(enrolment.agent, enrolment.password)).toBe(enrolment.agent);
  expect(fleet.authenticate(enrolment.agent, `${enrolment.password}x`)).toBeNull();
  expect(fleet.authenticate('nobody', enrolment.password)).toBeNull();
  expect(fleet.authenticate('nobody', '')).toBeNull();
  expect(fleet.agent(enrolment.agent)).toMatchObject({
    site: 'north',
    tags: { line: 'a', kind: 'pump' },
    presence: 'unknown',
    lastSeenMs: null,
    retiredMs: null,
  });
  await fleet.close();
});

test('what the API and the documents show holds no secret', async () => {
  const { open, documents } = harness();
  const fleet = await open();
  const { token } = await newToken(fleet);
  const { password } = await fleet.enrol({ token });
  const shown = JSON.stringify([fleet.agents(), await fleet.tokens()]);
  expect(shown).not.toMatch(/credential|hash/);
  const stored = JSON.stringify([await documents.list('agent'), await documents.list('token')]);
  expect(stored).not.toContain(password);
  expect(stored).not.toContain(token);
  await fleet.close();
});

test('a token is used as often as it says, even by many at one time', async () => {
  const fleet = await harness().open();
  const { token } = await newToken(fleet, { maxUses: 3 });
  const tries = await Promise.allSettled(Array.from({ length: 8 }, () => fleet.enrol({ token, name: 'same' })));
  const good = tries.filter((one) => one.status === 'fulfilled');
  expect(good).toHaveLength(3);
  expect(new Set(good.map(({ value }) => value.agent)).size).toBe(3);
  for (const one of tries) {
    if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'token.invalid' });
  }
  expect((await fleet.tokens())[0]).toMatchObject({ uses: 3, maxUses: 3 });
  await fleet.close();
});

test('unknown, expired and revoked tokens are refused, each with its reason', async () => {
  const { open, clock } = harness();
  const fleet = await open();
  await expect(fleet.enrol({ token: 'x' })).rejects.toThrow('unknown');
  const revoked = await newToken(fleet);
  await fleet.revokeToken(revoked.record.id);
  await expect(fleet.enrol({ token: revoked.token })).rejects.toThrow('revoked');
  await expect(fleet.revokeToken('none')).rejects.toMatchObject({ code: 'not_found' });
  const old = await newToken(fleet);
  clock.nowMs += DAY_MS;
  await expect(fleet.enrol({ token: old.token })).rejects.toThrow('expired');
  await fleet.close();
});

test('a retired agent is dropped at once, cannot connect and keeps its record', async () => {
  const { open, events } = harness();
  const fleet = await open();
  const dropped: string[] = [];
  fleet.onDropped((agent) => void dropped.push(agent));
  const { agent, password } = await fleet.enrol({ token: (await newToken(fleet)).token });
  fleet.onPresence(agent, presence(true, 'e1'));
  await fleet.retire(agent);
  expect(dropped).toEqual([agent]);
  expect(fleet.authenticate(agent, password)).toBeNull();
  expect(fleet.agent(agent)).toMatchObject({ retiredMs: START_MS, presence: 'offline' });
  expect(events.at(-1)).toEqual({ type: 'agent', agent });
  await fleet.retire(agent);
  expect(dropped).toEqual([agent]);
  await expect(fleet.replace(agent)).rejects.toMatchObject({ code: 'agent.retired' });
  await fleet.close();
});

test('new hardware takes an identity over; the old credentials live until then and not after', async () => {
  const fleet = await harness().open();
  const dropped: string[] = [];
  fleet.onDropped((agent) => void dropped.push(agent));
  const old = await fleet.enrol({ token: (await newToken(fleet)).token, name: 'press', site: 'south' });
  const { token } = await fleet.replace(old.agent);
  const rival = await fleet.replace(old.agent);
  expect(fleet.authenticate(old.agent, old.password)).toBe(old.agent);
  const fresh = await fleet.enrol({ token });
  expect([fresh.agent, fresh.name]).toEqual([old.agent, 'press']);
  expect(fleet.agent(old.agent)).toMatchObject({ site: 'south' });
  expect(fleet.authenticate(old.agent, old.password)).toBeNull();
  expect(fleet.authenticate(old.agent, fresh.password)).toBe(old.agent);
  expect(dropped).toEqual([old.agent]);
  await expect(fleet.enrol({ token: rival.token })).rejects.toMatchObject({ code: 'token.invalid' });
  expect(fleet.agents()).toHaveLength(1);
  await fleet.close();
});

test('a replacement token of an agent that was retired meanwhile is refused', async () => {
  const fleet = await harness().open();
  const { agent } = await fleet.enrol({ token: (await newToken(fleet)).token });
  const { token } = await fleet.replace(agent);
  await fleet.retire(agent);
  await expect(fleet.enrol({ token })).rejects.toMatchObject({ code: 'token.invalid' });
  await fleet.close();
});

test('presence: unknown after a start, and the offline of an old epoch is ignored', async () => {
  const { open, clock, events } = harness();
  const fleet = await open();
  const { agent } = await fleet.enrol({ token: (await newToken(fleet)).token });
  const seen = () => fleet.agent(agent)?.presence;
  expect(seen()).toBe('unknown');
  clock.nowMs += 5;
  fleet.onPresence(agent, presence(true, 'e2'));
  expect([seen(), fleet.agent(agent)?.lastSeenMs]).toEqual(['online', START_MS + 5]);
  const before = events.length;
  fleet.onPresence(agent, presence(false, 'e1'));
  expect([seen(), events.length]).toEqual(['online', before]);
  fleet.onPresence(agent, presence(false, 'e2'));
  expect([seen(), events.length]).toEqual(['offline', before + 1]);
  fleet.onPresence('stranger', presence(true, 'e1'));
  expect(fleet.agent('stranger')).toBeNull();
  await fleet.close();
});

test('identities, tokens and the last signs of life survive a restart; presence does not', async () => {
  const { open } = harness();
  const first = await open();
  const { token } = await newToken(first, { maxUses: 2 });
  const { agent, password } = await first.enrol({ token, name: 'a' });
  first.onPresence(agent, presence(true, 'e1'));
  first.onEnvelope(agent, { receivedMs: START_MS + 99, pending: 12 });
  await first.close();
  const second = await open();
  expect(second.agent(agent)).toMatchObject({ presence: 'unknown', lastSeenMs: START_MS + 99, pendingRecords: 12 });
  expect(second.authenticate(agent, password)).toBe(agent);
  await second.enrol({ token, name: 'b' });
  await expect(second.enrol({ token, name: 'c' })).rejects.toMatchObject({ code: 'token.invalid' });
  await second.close();
});

test('a failed write of the state is tried again', async () => {
  const { open, documents } = harness();
  const fleet = await open();
  const { agent } = await fleet.enrol({ token: (await newToken(fleet)).token });
  fleet.onEnvelope(agent, { receivedMs: START_MS, pending: 1 });
  const { putAll } = documents;
  Object.assign(documents, { putAll: async () => Promise.reject(new Error('disk')) });
  await expect(fleet.flush()).rejects.toThrow('disk');
  Object.assign(documents, { putAll });
  await fleet.close();
  expect(await documents.get('agent-state', agent)).toMatchObject({ pendingRecords: 1 });
});

test('a failed write of an enrolment leaves token and fleet as they were', async () => {
  const { open, documents } = harness();
  const fleet = await open();
  const { token } = await newToken(fleet);
  const { putAll } = documents;
  Object.assign(documents, { putAll: async () => Promise.reject(new Error('disk')) });
  await expect(fleet.enrol({ token })).rejects.toThrow('disk');
  Object.assign(documents, { putAll });
  expect(fleet.agents()).toEqual([]);
  await fleet.enrol({ token });
  await fleet.close();
});

test('open incidents are counted by their highest revision, from the store on', async () => {
  const { open, documents } = harness([{ ...someIncident, agent: 'known' }]);
  await documents.put('agent', 'known', { id: 'known', name: 'k', site: '', tags: {}, credential: '00' });
  const fleet = await open();
  const count = () => fleet.agent('known')?.openIncidents;
  expect(count()).toBe(1);
  const incident = { ...someIncident, agent: 'known' };
  fleet.onIncident({ ...incident, seq: 18 });
  expect(count()).toBe(2);
  fleet.onIncident({ ...incident, revision: 3, state: 'closed' });
  fleet.onIncident({ ...incident, revision: 2 });
  expect(count()).toBe(1);
  await fleet.close();
});

test('update changes what it names, trims, and refuses what is too long', async () => {
  const fleet = await harness().open();
  const { agent } = await fleet.enrol({ token: (await newToken(fleet)).token, name: 'a', site: 's', tags: { x: '1' } });
  await fleet.update(agent, { name: ' b ' });
  expect(fleet.agent(agent)).toMatchObject({ name: 'b', site: 's', tags: { x: '1' } });
  await fleet.update(agent, { tags: {} });
  expect(fleet.agent(agent)).toMatchObject({ name: 'b', tags: {} });
  await expect(fleet.update(agent, { site: 'x'.repeat(300) })).rejects.toMatchObject({ code: 'payload.invalid' });
  await expect(fleet.update(agent, { name: 'a\nb' })).rejects.toMatchObject({ code: 'payload.invalid' });
  await expect(fleet.update('none', { name: 'x' })).rejects.toMatchObject({ code: 'agent.unknown' });
  await fleet.close();
});

test('vitals and versions are shown, without NaN', async () => {
  const fleet = await harness().open();
  const { agent } = await fleet.enrol({ token: (await newToken(fleet)).token });
  fleet.onVitals(agent, { cpu: 0.5, memory: Number.NaN, disk: null, load1: Number.POSITIVE_INFINITY });
  fleet.onModels(agent, { running: 2, desired: 3 });
  expect(fleet.agent(agent)).toMatchObject({
    vitals: { cpu: 0.5, memory: null, disk: null, load1: null },
    modelVersion: 2,
    desiredVersion: 3,
  });
  await fleet.close();
});
