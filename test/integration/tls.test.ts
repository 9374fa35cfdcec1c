/** Beyond loopback: only https and mqtts, under a CA that the agent pins by the fingerprint that came with its token. */
import { X509Certificate } from 'node:crypto';
import { createConnection } from 'node:net';
import { connect as connectTls } from 'node:tls';
import mqtt from 'mqtt';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ownAddress } from '../support/own-address.ts';
import { until } from '../support/processes.ts';
import { freePort, System } from '../support/system.ts';

let system: System;
beforeEach(() => {
  system = new System();
});
afterEach(() => system.close());

/** What a server answers to these bytes until it hangs up, or until it has been silent for as long. */
function answerTo(host: string, port: number, bytes: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port });
    let answer = '';
    socket.setTimeout(3_000, () => socket.destroy());
    socket.on('connect', () => socket.write(bytes));
    socket.on('data', (part) => {
      answer += part.toString('latin1');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.on('close', () => resolve(answer));
  });
}

test('only https and mqtts; the fingerprint decides whom an agent trusts', async () => {
  const address = ownAddress();
  const http = `${address}:${await freePort(address)}`;
  const mqttPort = await freePort(address);
  const central = await system.central({ http, mqtt: `${address}:${mqttPort}` });
  expect(central.url).toBe(`https://${http}`);
  const httpPort = Number(new URL(central.url).port);

  // In the clear neither says anything.
  const plainHttp = await answerTo(address, httpPort, Buffer.from('GET /api/v1/ca HTTP/1.1\r\nHost: x\r\n\r\n'));
  expect(plainHttp).not.toMatch(/HTTP\/1.1 200|CERTIFICATE/);
  const connectPacket = Buffer.from('101000044d515454040200000004' + '61626364', 'hex');
  const plainMqtt = await answerTo(address, mqttPort, connectPacket);
  // A CONNACK (0x20) would be an answer; an alert of TLS (0x15) is none.
  expect(plainMqtt.charCodeAt(0)).not.toBe(0x20);

  const { caFingerprint } = await central.get<{ caFingerprint: string }>('/status');
  const { command } = await central.post<{ command: string }>('/tokens', {});
  expect(command).toContain(`--ca-fingerprint ${caFingerprint}`);
  expect(command).toContain(`enrol ${central.url} `);

  const agent = system.agent('agent', 'outbox: {commitInterval: 1s}\n');
  const token = await central.token();
  const wrong = caFingerprint.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
  const refused = await agent.enrol(central.url, '--token', token, '--ca-fingerprint', wrong);
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain(wrong);
  expect(refused.stderr).toContain('the token was not sent');
  const blind = await agent.enrol(central.url, '--token', token);
  expect(blind.code).not.toBe(0);
  expect(blind.stderr).toContain('--ca-fingerprint');
  const clear = await agent.enrol(central.url.replace('https:', 'http:'), '--token', token);
  expect(clear.code).not.toBe(0);
  expect(clear.stderr).toContain('in the clear');

  // The same token is still good: nobody was told it.
  const right = await agent.enrol(central.url, '--token', token, '--ca-fingerprint', caFingerprint);
  expect(right, right.stderr).toMatchObject({ code: 0 });
  const enrolment = agent.enrolment();
  expect(enrolment.broker).toBe(`mqtts://${address}:${mqttPort}`);
  expect(new X509Certificate(enrolment.ca!).fingerprint256.replaceAll(':', '').toLowerCase()).toBe(caFingerprint);

  await agent.start();
  await until('records arrive', async () => (await central.ledger(enrolment.agent)).totals.committed > 0, 20_000);
  expect((await central.state(enrolment.agent)).presence).toBe('online');

  // Who does not know the CA is told nothing, and old TLS is not spoken.
  await expect(
    mqtt.connectAsync(enrolment.broker, {
      clientId: enrolment.agent,
      username: enrolment.username,
      password: enrolment.password,
      reconnectPeriod: 0,
    }),
  ).rejects.toThrow(/certificate/);
  await expect(handshake(address, httpPort, 'TLSv1.1')).rejects.toThrow();
  await expect(handshake(address, httpPort, 'TLSv1.3')).resolves.toBe('TLSv1.3');
});

function handshake(host: string, port: number, version: 'TLSv1.1' | 'TLSv1.3'): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const ciphers = 'DEFAULT@SECLEVEL=0';
    const options = {
      host,
      port,
      minVersion: version,
      maxVersion: version,
      ciphers,
      rejectUnauthorized: false,
    } as const;
    const socket = connectTls(options, () => {
      resolve(socket.getProtocol());
      socket.destroy();
    });
    socket.on('error', reject);
  });
}
