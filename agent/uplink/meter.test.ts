/** What the meter says against what a relay below TLS sees go by. */
import { randomBytes } from 'node:crypto';
import { connect, createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type Broker, startBroker } from '../../central/broker.ts';
import { issueCertificate, makeCa } from '../../central/certificates.ts';
import { allDownTopics, upTopic } from '../../shared/wire/topics.ts';
import { silentLog } from '../../test/support/timers.ts';
import { type Link, openLink } from '../link.ts';
import { LineMeter } from './meter.ts';

const PREFIX = 'picket/1';
const MESSAGES = 10;

let broker: Broker;
let relay: Server;
let link: Link;
afterEach(async () => {
  await link.close();
  relay.close();
  await broker.close();
});

function relayTo(port: number, seen: (sizeBytes: number) => void): Promise<number> {
  relay = createServer((agent) => {
    const central = connect({ port, host: '127.0.0.1' });
    for (const [from, to] of [
      [agent, central],
      [central, agent],
    ] as const) {
      from.on('data', (bytes) => {
        seen(bytes.length);
        to.write(bytes);
      });
      from.on('close', () => to.destroy());
      from.on('error', () => to.destroy());
    }
  });
  return new Promise((resolve) => {
    relay.listen(0, '127.0.0.1', () => resolve((relay.address() as { port: number }).port));
  });
}

test.each([false, true])('all bytes of the sockets, and headers besides; TLS: %s', async (withTls) => {
  const nowMs = Date.now();
  const ca = withTls ? await makeCa(nowMs) : null;
  const tls = ca === null ? null : await issueCertificate(ca, ['127.0.0.1'], nowMs);
  broker = await startBroker(
    { host: '127.0.0.1', port: 0, prefix: PREFIX, tls, authenticate: (username) => username, log: silentLog },
    { connected: () => {}, message: () => {} },
  );
  let seenBytes = 0;
  const port = await relayTo(broker.port, (sizeBytes) => {
    seenBytes += sizeBytes;
  });
  const meter = new LineMeter();
  let ready = Promise.withResolvers<void>();
  let may = true;
  link = openLink(
    {
      url: `${withTls ? 'mqtts' : 'mqtt'}://127.0.0.1:${port}`,
      clientId: 'm1',
      username: 'm1',
      password: 'secret',
      ca: ca?.cert ?? null,
      subscribe: allDownTopics(PREFIX, 'm1'),
      will: { topic: upTopic(PREFIX, 'm1', 'presence'), payload: () => randomBytes(50) },
      log: silentLog,
      mayConnect: () => may,
      meter,
    },
    { connected: () => ready.resolve(), disconnected: () => {}, message: () => {} },
  );
  await ready.promise;
  const once = async (): Promise<void> => {
    for (let i = 0; i < MESSAGES; i++) {
      await link.publish(upTopic(PREFIX, 'm1', 'records'), randomBytes(3_000), { qos: 1 });
    }
  };
  await once();
  // A second connection goes on where the first one ended; none is made while none may be.
  may = false;
  link.drop();
  await expect.poll(() => link.connected, { timeout: 10_000 }).toBe(false);
  const heldBytes = seenBytes;
  await expect(link.publish(upTopic(PREFIX, 'm1', 'records'), randomBytes(10), { qos: 1 })).rejects.toThrow();
  ready = Promise.withResolvers<void>();
  may = true;
  await ready.promise;
  expect(seenBytes).toBeGreaterThan(heldBytes);
  await once();
  expect(seenBytes).toBeGreaterThan(2 * MESSAGES * 3_000);
  expect(meter.bytes).toBeGreaterThan(seenBytes);
  const packets = 2 * (2 * MESSAGES + 6);
  const mostHeaders = (packets + 2 * 7 + seenBytes / 1448) * 104;
  expect(meter.bytes - seenBytes).toBeLessThanOrEqual(mostHeaders);
});
