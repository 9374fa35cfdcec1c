/** What goes wrong from outside: each is told once and clearly, and the rest goes on. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AgentState } from '../../central/api.ts';
import type { KeysState } from '../../central/keys/api.ts';
import { limits } from '../../shared/limits.ts';
import { encodeEnvelope, keyIdOf, publicKeyText, type SigningKey, sign } from '../../shared/trust/dsse.ts';
import { type KeyList, type Manifest, payloadTypes } from '../../shared/trust/messages.ts';
import { encodeJson } from '../../shared/trust/strict.ts';
import { encodeTable } from '../../shared/wire/codec.ts';
import { downTopic, upTopic } from '../../shared/wire/topics.ts';
import { Mosquitto } from '../support/mosquitto.ts';
import { run, until } from '../support/processes.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';
import { type Central, System } from '../support/system.ts';

const CONFIG_INVALID = 78;
const NOT_ALLOWED = 77;
/** A version far above those that the central comes to in the test. */
const FORGED = 1_000;
const root = join(import.meta.dirname, '..', '..');

let system: System;
let central: Central;
beforeAll(async () => {
  system = new System();
  central = await system.central();
});
afterAll(() => system.close());

/** That nobody else was harmed: another agent is taken in as ever. */
async function goesOn(): Promise<void> {
  const other = await ScriptedAgent.connect(await central.enrol('other'));
  await other.send([other.frame(other.record('table', encodeTable([])))]);
  await other.settled(1);
  await other.close();
}

type Line = Readonly<Record<string, unknown>>;

/** Lines of this kind that the central has logged since, once there are as many as are wanted: a pipe takes its time. */
async function warned(since: number, least: number, wanted: (line: Line) => boolean): Promise<readonly Line[]> {
  return await until('the central says so', () => {
    const lines = central.program.log().slice(since).filter(wanted);
    return lines.length >= least ? lines : null;
  });
}

test.each(['agent', 'central'])('a bad configuration of the %s is named with line and column', async (program) => {
  const config = system.write(`bad-${program}.yaml`, 'log:\n  level: loud\n');
  const command = [process.execPath, join(root, program, 'main.ts'), 'run', '--config', config];
  const { code, stdout, stderr } = await run(program, [...command, '--data', system.path(`bad-${program}`)]);
  expect(code).toBe(CONFIG_INVALID);
  expect(stdout).toBe('');
  expect(stderr).toContain(`${config}:2:10`);
  expect(stderr).toContain('loud');
  expect(stderr).not.toMatch(/^\s+at /m);
});

test('a wrong token', async () => {
  const agent = system.agent('stranger');
  const { code, stderr } = await agent.enrol(central.url, '--token', 'not-a-token');
  expect(code).toBe(NOT_ALLOWED);
  expect(stderr).toContain('The token is unknown.');
  const used = await central.token();
  await central.post('/enrol', { token: used, name: 'first' });
  const again = await agent.enrol(central.url, '--token', used);
  expect(again.code).toBe(NOT_ALLOWED);
  expect(again.stderr).toContain('used up');
  await goesOn();
});

test('a wrong password, and the identity of another', async () => {
  const mine = await central.enrol('mine');
  const yours = await central.enrol('yours');
  const since = central.program.log().length;
  const wrong = { ...mine, password: `${mine.password}x` };
  await expect(ScriptedAgent.connect(wrong)).rejects.toMatchObject({ code: 4 });
  // Credentials of one, client id of another: it would take the other's place at the broker.
  const asOther = mqtt.connectAsync(mine.broker, {
    clientId: yours.agent,
    username: mine.username,
    password: mine.password,
    reconnectPeriod: 0,
  });
  await expect(asOther).rejects.toMatchObject({ code: 4 });
  const told = await warned(since, 2, ({ msg }) => msg === 'connection refused');
  expect(told.map(({ reason }) => reason)).toEqual([
    'unknown user name or wrong password',
    'the client id is not the agent id',
  ]);
  expect(JSON.stringify(told)).not.toContain(mine.password);
  await goesOn();
});

test('topics of others', async () => {
  const yours = await ScriptedAgent.connect(await central.enrol('yours'));
  const mine = await ScriptedAgent.connect(await central.enrol('mine'));
  const { prefix, agent } = yours.enrolment;
  const since = central.program.log().length;
  for (const topic of [
    downTopic(prefix, agent, 'desired'),
    `${prefix}/a/+/down/+`,
    '#',
    upTopic(prefix, agent, 'live'),
  ]) {
    const granted = await mine.client.subscribeAsync(topic, { qos: 1 }).catch((error: { packet?: unknown }) => error);
    expect(JSON.stringify(granted), topic).toContain('128');
  }
  await warned(since, 4, ({ msg }) => msg === 'subscription to a topic that is not its own; refused');

  const closed = new Promise((resolve) => mine.client.once('close', () => resolve(true)));
  mine.client.publish(upTopic(prefix, agent, 'records'), 'x', { qos: 1 });
  expect(await closed).toBe(true);
  const told = await warned(since, 1, ({ topic }) => topic === upTopic(prefix, agent, 'records'));
  expect(told).toMatchObject([{ client: mine.enrolment.agent }]);
  // Nothing of it came to the other, whose own connection stands.
  expect(yours.received).toEqual([]);
  await yours.send([yours.frame(yours.record('table', encodeTable([])))]);
  await yours.settled(1);
  await yours.close();
});

test('broken payloads: refused, not acknowledged, or quarantined', async () => {
  const agent = await ScriptedAgent.connect(await central.enrol('broken'));
  const { agent: id } = agent.enrolment;
  const since = central.program.log().length;
  await agent.publish('records', Buffer.from('no envelope at all'));
  await agent.publish('presence', Buffer.from('{"online":'));
  await agent.publish('reported', Buffer.from('[]'));
  await agent.publish('get', Buffer.from('{"sha256": 3}'));
  await agent.publish('live', Buffer.alloc(60_000, 0xff));

  const good = agent.frame(agent.record('table', encodeTable([])));
  const damaged = agent.frame(agent.record('table', encodeTable([])));
  damaged[damaged.length - 1]! ^= 1;
  const poison = agent.frame(agent.record('summary', Buffer.from('no summary')));
  const future = agent.frame(agent.record(4_000, Buffer.from('of a later version')));
  await agent.send([good, damaged, poison, future], [[1, 4]]);
  await agent.settled(1, 3, 4);
  const { totals } = await central.ledger(id);
  expect(totals).toMatchObject({ made: 4, committed: 2, quarantined: 1, pending: 1, lost: 0 });

  const told = await warned(since, 7, (line) => line.agent === id);
  expect(told.filter(({ msg }) => msg === 'envelope refused').length).toBe(1);
  expect(told.filter(({ msg }) => msg === 'damaged frame').length).toBe(1);
  expect(told.filter(({ msg }) => msg === 'record set aside')).toMatchObject([{ seq: 3 }]);
  const refused = told.filter(({ msg }) => msg === 'message refused').map(({ problem }) => String(problem));
  expect(refused.map((problem) => problem.split(':')[0]).sort()).toEqual([
    'up/get',
    'up/live',
    'up/presence',
    'up/reported',
  ]);
  await agent.close();
  await goesOn();
});

test('a packet of 200 MB before any login', async () => {
  const [host, port] = central.mqtt.split(':');
  const since = central.program.log().length;
  const socket = createConnection({ host: host!, port: Number(port) });
  // CONNECT with a remaining length of 209,715,200 (MQTT 3.1.1, 2.2.3).
  socket.write(Buffer.from([0x10, 0x80, 0x80, 0x80, 0x64]));
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('close', resolve));
  const told = await warned(since, 1, ({ msg }) => String(msg).includes('more bytes than are allowed'));
  expect(told.length).toBe(1);
  await goesOn();
});

test('manifests that are forged, altered, expired, misaddressed or old are refused, and the central sees why', async () => {
  const own = new System();
  try {
    // Whoever owns the broker can say anything on it; the central's user stands for such a one.
    const mosquitto = await Mosquitto.prepare(own);
    const real = await own.central({ config: mosquitto.config });
    await mosquitto.start();
    const agent = own.agent('agent', 'outbox: {commitInterval: 1s}\n');
    const { agent: id, prefix, broker } = await agent.enrolAt(real);
    mosquitto.reload();
    await agent.start();
    const state = (): Promise<AgentState> => real.state(id);
    await until(
      'the first manifest is taken',
      async () => ((await state()).reported?.manifestVersion ?? 0) >= 1,
      60_000,
    );
    // Expiry is judged by the central's time as the last acknowledgement brought it.
    // An agent that obeys a command has heard it; the records that it waits for come with its first minute at the latest.
    const values = `/agents/${id}/values?series=0123456789abcdef&from=${Date.now() - 60_000}&to=${Date.now()}`;
    await until('the agent obeys', async () => (await real.fetch(values)).status === 200, 80_000);

    const rollout = keyOf(join(real.data, 'keys', 'rollout.pem'));
    const manifest = (change: Partial<Manifest> = {}): Manifest => ({
      manifest: 1,
      agent: id,
      version: FORGED,
      madeMs: Date.now() - 2_000,
      notAfterMs: Date.now() + 60_000,
      cohorts: [],
      releases: [],
      ...change,
    });
    const signed = (document: Manifest, key = rollout): Uint8Array =>
      encodeEnvelope(sign(payloadTypes.manifest, encodeJson(document), key));
    const altered = JSON.parse(new TextDecoder().decode(signed(manifest()))) as { payload: string };
    altered.payload = Buffer.from(encodeJson(manifest({ version: FORGED + 1 }))).toString('base64');

    const list = (document: Partial<KeyList>, key: SigningKey) =>
      sign(payloadTypes.keys, encodeJson({ version: 1, madeMs: 1, keys: [], ...document }), key);
    const root = keyOf(join(real.data, 'keys', 'root.pem'));

    const client = await mqtt.connectAsync(broker, { username: 'picket-central', password: 'of-the-central' });
    const say = (bytes: Uint8Array) =>
      client.publishAsync(downTopic(prefix, id, 'desired'), Buffer.from(bytes), { qos: 1 });
    const stranger = generateKeyPairSync('ed25519').privateKey;
    const bad: readonly (readonly [code: string, bytes: Uint8Array])[] = [
      ['signature.invalid', signed(manifest(), keyWith(stranger))],
      ['signature.invalid', signed(manifest(), keyOf(join(real.data, 'keys', 'model.pem')))],
      ['signature.invalid', encodeJson(altered)],
      ['manifest.expired', signed(manifest({ madeMs: Date.now() - 7_200_000, notAfterMs: Date.now() - 3_600_000 }))],
      ['manifest.misaddressed', signed(manifest({ agent: 'another' }))],
      ['manifest.not_newer', signed(manifest({ version: 1 }))],
      ['payload.invalid', Buffer.from('no manifest')],
      ['payload.too_large', Buffer.alloc(limits.controlBytes + 1, ' ')],
      // Lists: forged, and with other content under the version in force.
      ['signature.invalid', signed(manifest({ keys: list({ version: 9 }, keyWith(stranger)) }))],
      ['manifest.not_newer', signed(manifest({ keys: list({}, root) }))],
    ];
    for (const [, bytes] of bad) await say(bytes);
    const codes = bad.map(([code]) => code);
    const refused = await until(
      'all refusals',
      async () => {
        const { reported } = await state();
        const seen = reported?.refusals.map(({ code }) => code) ?? [];
        return codes.every((code) => seen.includes(code)) && seen.length >= codes.length ? reported : null;
      },
      15_000,
      () => agent.program.stderr.slice(-2000),
    );
    // None was taken; the central itself may have gone one above what its agent calls old.
    expect(refused.manifestVersion).toBeLessThan(FORGED);
    expect(refused.keyList).toMatchObject({ version: 1 });
    const lists = refused.refusals.filter(({ what }) => what === 'keys').map(({ code }) => code);
    expect(lists.sort()).toEqual(['manifest.not_newer', 'signature.invalid']);
    // The central is shown the list that its agent goes by; it is its own.
    expect((await real.get<KeysState>('/keys')).version).toBe(1);
    for (const { message } of refused.refusals) expect(message.length).toBeGreaterThan(20);

    await say(signed(manifest()));
    await until('the good one', async () => (await state()).reported!.manifestVersion >= FORGED);
    await client.endAsync(true);
  } finally {
    await own.close();
  }
});

function keyOf(file: string): SigningKey {
  return keyWith(createPrivateKey(readFileSync(file)));
}

function keyWith(privateKey: SigningKey['privateKey']): SigningKey {
  return { keyid: keyIdOf(publicKeyText(privateKey)), privateKey };
}
