/**
 * What a connection, an envelope with its acknowledgement, a ping and a message take of the line: the agent's own link
 * and meter on the embedded broker over loopback, plain or with TLS, with messages of the sizes that they have.
 */
import { randomBytes } from 'node:crypto';
import { openLink } from '../../agent/link.ts';
import { LineMeter } from '../../agent/uplink/meter.ts';
import { startBroker } from '../../central/broker.ts';
import { issueCertificate, makeCa } from '../../central/certificates.ts';
import { encodeAck } from '../../shared/wire/envelope.ts';
import { allDownTopics, downTopic, upTopic } from '../../shared/wire/topics.ts';
import { silentLog } from '../../test/support/timers.ts';

const PREFIX = 'picket/1';
const AGENT = 'machine-0001';
/** As an agent and a central say them: JSON of what is applied, with health; a manifest with its list of keys. */
const REPORTED_BYTES = 1_600;
const MANIFEST_BYTES = 3_200;
const ENVELOPES = 20;
const QUIET_MS = 400;
const PINGS = 3;

class CountingMeter extends LineMeter {
  packets = 0;
  override packet(): void {
    this.packets++;
    super.packet();
  }
}

export interface LineCosts {
  readonly connectionBytes: number;
  /** Of an envelope beside its records. */
  readonly envelopeBytes: number;
  readonly pingBytes: number;
  readonly reportBytes: number;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function lineCosts(withTls: boolean): Promise<LineCosts> {
  const nowMs = Date.now();
  const ca = withTls ? await makeCa(nowMs) : null;
  const tls = ca === null ? null : await issueCertificate(ca, ['localhost', '127.0.0.1'], nowMs);
  let answered: () => void = () => {};
  let n = 0;
  const broker = await startBroker(
    { host: '127.0.0.1', port: 0, prefix: PREFIX, tls, authenticate: (username) => username, log: silentLog },
    {
      connected: () => {},
      message: (topic: string) => {
        if (topic !== upTopic(PREFIX, AGENT, 'records')) return;
        const ack = {
          incarnation: 'a'.repeat(32),
          epoch: 'b'.repeat(32),
          n: 1e9 + n++,
          sentMonotonicMs: 1e9,
          centralMs: nowMs,
          contiguous: 40_000 + n,
          settled: [],
          full: false,
          need: [],
          renewEpoch: false,
        };
        void broker.publish(downTopic(PREFIX, AGENT, 'ack'), encodeAck(ack), { qos: 1, retain: false });
      },
    },
  );
  const open = (meter: LineMeter, keepaliveS: number) => {
    const ready = Promise.withResolvers<void>();
    const link = openLink(
      {
        url: `${withTls ? 'mqtts' : 'mqtt'}://127.0.0.1:${broker.port}`,
        clientId: AGENT,
        username: AGENT,
        password: 'a secret of an enrolment, as long as one',
        ca: ca?.cert ?? null,
        subscribe: allDownTopics(PREFIX, AGENT),
        will: { topic: upTopic(PREFIX, AGENT, 'presence'), payload: () => randomBytes(110) },
        log: silentLog,
        keepaliveS,
        meter,
      },
      { connected: () => ready.resolve(), disconnected: () => {}, message: () => answered() },
    );
    return { link, ready: ready.promise };
  };
  try {
    const meter = new CountingMeter();
    const { link, ready } = open(meter, 600);
    await ready;
    await link.publish(upTopic(PREFIX, AGENT, 'presence'), randomBytes(110), { qos: 1, retain: true });
    await link.publish(upTopic(PREFIX, AGENT, 'reported'), randomBytes(REPORTED_BYTES), { qos: 1 });
    await broker.publish(downTopic(PREFIX, AGENT, 'desired'), randomBytes(MANIFEST_BYTES), { qos: 1, retain: true });
    await pause(QUIET_MS);
    const connectionBytes = meter.bytes;
    let recordsBytes = 0;
    for (let i = 0; i < ENVELOPES; i++) {
      const sizeBytes = i % 2 === 0 ? 400 : 4_000;
      const answer = new Promise<void>((resolve) => {
        answered = resolve;
      });
      await link.publish(upTopic(PREFIX, AGENT, 'records'), randomBytes(sizeBytes), { qos: 1 });
      await answer;
      recordsBytes += sizeBytes;
    }
    await pause(QUIET_MS);
    const enveloped = meter.bytes;
    await link.publish(upTopic(PREFIX, AGENT, 'reported'), randomBytes(REPORTED_BYTES), { qos: 1 });
    await pause(QUIET_MS);
    const reportBytes = meter.bytes - enveloped;
    await link.close();

    const pinging = new CountingMeter();
    const second = open(pinging, 1);
    await second.ready;
    await pause(QUIET_MS);
    const [before, packets] = [pinging.bytes, pinging.packets];
    while (pinging.packets < packets + 2 * PINGS) await pause(50);
    const pingBytes = (pinging.bytes - before) / ((pinging.packets - packets) / 2);
    await second.link.close();
    return {
      connectionBytes,
      envelopeBytes: (enveloped - connectionBytes - recordsBytes) / ENVELOPES,
      pingBytes,
      reportBytes,
    };
  } finally {
    await broker.close();
  }
}
