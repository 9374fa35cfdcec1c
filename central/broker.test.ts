import { once } from 'node:events';
import net from 'node:net';
import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { limits } from '../shared/limits.ts';
import { allDownTopics, downTopic, defaultPrefix as prefix, upTopic } from '../shared/wire/topics.ts';
import { type Broker, startBroker } from './broker.ts';

let broker: Broker;
let received: { topic: string; payload: string }[];
let warnings: string[];
const clients: MqttClient[] = [];

beforeEach(async () => {
  received = [];
  warnings = [];
  const quiet = (): void => {};
  broker = await startBroker(
    {
      host: '127.0.0.1',
      port: 0,
      prefix,
      tls: null,
      authenticate: (username, password) => (password === `secret of ${username}` ? username : null),
      log: { debug: quiet, info: quiet, warn: (_fields, message) => warnings.push(message), error: quiet },
    },
    {
      connected: quiet,
      message: (topic, payload) => received.push({ topic, payload: Buffer.from(payload).toString() }),
    },
  );
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
  await broker.close();
});

interface Identity {
  readonly clientId?: string;
  readonly password?: string;
  readonly will?: string;
}

function client(agent: string, { clientId = agent, password = `secret of ${agent}`, will }: Identity = {}): MqttClient {
  const made = mqtt.connect({
    host: '127.0.0.1',
    port: broker.port,
    protocolVersion: 4,
    clientId,
    username: agent,
    password,
    reconnectPeriod: 0,
    ...(will === undefined
      ? {}
      : { will: { topic: upTopic(prefix, agent, 'presence'), payload: Buffer.from(will), qos: 1, retain: true } }),
  });
  made.on('error', () => {});
  clients.push(made);
  return made;
}

async function connected(agent: string, identity: Identity = {}): Promise<MqttClient> {
  const made = client(agent, identity);
  await new Promise<void>((resolve) => made.once('connect', () => resolve()));
  return made;
}

const ending = (made: MqttClient): Promise<void> => new Promise((resolve) => made.once('close', () => resolve()));

const nextMessage = (made: MqttClient): Promise<[string, Buffer]> =>
  new Promise((resolve) => made.once('message', (topic, payload) => resolve([topic, payload])));

const payloadsOf = (topic: string): string[] =>
  received.filter((message) => message.topic === topic).map(({ payload }) => payload);

test('an agent writes below its own up/, and what is published below its down/ reaches it', async () => {
  const agent = await connected('m1');
  await agent.subscribeAsync(allDownTopics(prefix, 'm1'), { qos: 1 });
  const message = nextMessage(agent);
  await agent.publishAsync(upTopic(prefix, 'm1', 'records'), 'envelope', { qos: 1 });
  await broker.publish(downTopic(prefix, 'm1', 'ack'), Buffer.from('answer'), { qos: 1 });
  const [topic, payload] = await message;
  expect([topic, String(payload)]).toEqual([downTopic(prefix, 'm1', 'ack'), 'answer']);
  expect(payloadsOf(upTopic(prefix, 'm1', 'records'))).toEqual(['envelope']);
});

test.each([
  ['a wrong password', 'm1', { password: 'guess' }],
  ["another's client id", 'm1', { clientId: 'm2' }],
])('%s is refused with the code of bad credentials', async (_case, agent, identity) => {
  const made = client(agent, identity);
  const error = await new Promise((resolve) => made.once('error', resolve));
  expect(error).toMatchObject({ code: 4 });
});

test.each([upTopic(prefix, 'm2', 'records'), downTopic(prefix, 'm1', 'ack'), `${prefix}/a/m1/up/other`, 'elsewhere'])(
  'a publish to %s ends the connection and reaches nobody',
  async (topic) => {
    const agent = await connected('m1');
    const closed = ending(agent);
    agent.publish(topic, 'x', { qos: 1 });
    await closed;
    expect(received).toEqual([]);
    expect(warnings).toHaveLength(1);
  },
);

test.each([allDownTopics(prefix, 'm2'), '#', `${prefix}/a/+/down/+`, upTopic(prefix, 'm1', 'records'), '$SYS/#'])(
  'a subscription to %s is refused, and the connection stays',
  async (topic) => {
    const agent = await connected('m1');
    await expect(agent.subscribeAsync(topic, { qos: 1 })).rejects.toThrow();
    expect(agent.connected).toBe(true);
  },
);

test('the will of a connection that breaks is published', async () => {
  const agent = await connected('m1', { will: 'gone' });
  await agent.publishAsync(upTopic(prefix, 'm1', 'presence'), 'here', { qos: 1, retain: true });
  agent.stream.destroy();
  await vi.waitFor(() => expect(payloadsOf(upTopic(prefix, 'm1', 'presence'))).toEqual(['here', 'gone']));
});

test('what is retained for an agent comes when it subscribes, and an empty message deletes it', async () => {
  const topic = downTopic(prefix, 'm1', 'desired');
  await broker.publish(topic, Buffer.from('manifest'), { qos: 1, retain: true });
  const first = await connected('m1');
  const message = nextMessage(first);
  await first.subscribeAsync(allDownTopics(prefix, 'm1'), { qos: 1 });
  expect(String((await message)[1])).toBe('manifest');
  await first.endAsync();
  await broker.publish(topic, new Uint8Array(0), { qos: 1, retain: true });
  const second = await connected('m1');
  const came: string[] = [];
  second.on('message', (of, payload) => came.push(`${of} ${payload}`));
  await second.subscribeAsync(allDownTopics(prefix, 'm1'), { qos: 1 });
  await broker.publish(downTopic(prefix, 'm1', 'ack'), Buffer.from('last'), { qos: 1 });
  await vi.waitFor(() => expect(came).toEqual([`${downTopic(prefix, 'm1', 'ack')} last`]));
});

test('a second connection of an identity ends the first, and its greeting comes after the will of that', async () => {
  const topic = upTopic(prefix, 'm1', 'presence');
  const first = await connected('m1', { will: 'first gone' });
  const closed = ending(first);
  const second = await connected('m1', { will: 'second gone' });
  await second.publishAsync(topic, 'second here', { qos: 1, retain: true });
  await closed;
  expect(payloadsOf(topic)).toEqual(['first gone', 'second here']);
  expect(broker.connections()).toBe(1);
  const dropped = ending(second);
  broker.drop('m1');
  await dropped;
});

test('an agent that is dropped is gone; one that is not there is no error', async () => {
  const agent = await connected('m1');
  const closed = ending(agent);
  broker.drop('m2');
  broker.drop('m1');
  await closed;
  expect(agent.connected).toBe(false);
});

test('before the login a large packet ends the connection at its header', async () => {
  const socket = net.connect(broker.port, '127.0.0.1');
  const closed = once(socket, 'close');
  // A CONNECT that states 200 MB (MQTT 3.1.1, 2.2.3).
  socket.write(Buffer.from([0x10, 0x80, 0x80, 0xa0, 0x5f]));
  await closed;
  expect(warnings).toHaveLength(1);
});

test('after the login a payload may be as large as the limit, and a packet not larger than that and its topic', async () => {
  const agent = await connected('m1');
  await agent.publishAsync(upTopic(prefix, 'm1', 'records'), Buffer.alloc(limits.payloadBytes), { qos: 1 });
  expect(payloadsOf(upTopic(prefix, 'm1', 'records')).map(({ length }) => length)).toEqual([limits.payloadBytes]);
  const closed = ending(agent);
  agent.publish(upTopic(prefix, 'm1', 'records'), Buffer.alloc(limits.payloadBytes + 2048), { qos: 1 });
  await closed;
  expect(received).toHaveLength(1);
});

test('what is no MQTT ends its own connection alone', async () => {
  const agent = await connected('m1');
  const socket = net.connect(broker.port, '127.0.0.1');
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  socket.write('GET / HTTP/1.1\r\nHost: picket\r\n\r\n');
  await closed;
  await agent.publishAsync(upTopic(prefix, 'm1', 'records'), 'still here', { qos: 1 });
  expect(received).toHaveLength(1);
});

test('it closes while connections are open, silent ones too', async () => {
  const agent = await connected('m1');
  const silent = net.connect(broker.port, '127.0.0.1');
  await once(silent, 'connect');
  const gone = [ending(agent), once(silent, 'close')];
  await broker.close();
  await Promise.all(gone);
  await expect(
    startBroker(
      {
        host: '127.0.0.1',
        port: 0,
        prefix,
        tls: null,
        authenticate: () => null,
        log: { debug() {}, info() {}, warn() {}, error() {} },
      },
      { connected() {}, message() {} },
    ).then((next) => next.close()),
  ).resolves.toBeUndefined();
});

test('a port that is taken is told with its address', async () => {
  const { port } = broker;
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const options = { host: '127.0.0.1', port, prefix, tls: null, authenticate: () => null, log };
  await expect(startBroker(options, { connected() {}, message() {} })).rejects.toMatchObject({
    code: 'listen.failed',
    message: expect.stringContaining(`127.0.0.1:${port}`),
  });
});
