/**
 * An agent that a test leads by hand: connected with real credentials over real MQTT, speaking with the codecs of the
 * project, and saying whatever it is told to say.
 */
import { randomBytes } from 'node:crypto';
import mqtt, { type MqttClient } from 'mqtt';
import { DAY_MS } from '../../shared/limits.ts';
import { packPayload } from '../../shared/transport/compress.ts';
import type { Enrolment } from '../../shared/trust/enrolment.ts';
import { type Ack, decodeAck, encodeEnvelope, settledBy } from '../../shared/wire/envelope.ts';
import { frameRecord } from '../../shared/wire/frame.ts';
import { contains } from '../../shared/wire/ranges.ts';
import { type EdgeRecord, encodeRecord } from '../../shared/wire/record.ts';
import { allDownTopics, downTopic, upTopic } from '../../shared/wire/topics.ts';
import { until } from './processes.ts';

/** How long its machine has been up before the test began: history that it tells lies within one boot. */
const UPTIME_MS = 60 * DAY_MS;

/** Monotonic time of its machine. */
export function scriptedMonotonicMs(): number {
  return UPTIME_MS + Math.round(performance.now());
}

export class ScriptedAgent {
  readonly enrolment: Enrolment;
  readonly client: MqttClient;
  readonly epoch = randomBytes(16).toString('hex');
  readonly bootId = randomBytes(16).toString('hex');
  readonly acks: Ack[] = [];
  /** Payloads of down/, by channel. */
  readonly received: { readonly topic: string; readonly payload: Buffer }[] = [];
  #seq = 0;
  #n = 0;

  private constructor(enrolment: Enrolment, client: MqttClient) {
    this.enrolment = enrolment;
    this.client = client;
    client.on('message', (topic, payload) => {
      this.received.push({ topic, payload });
      if (topic === downTopic(enrolment.prefix, enrolment.agent, 'ack')) this.acks.push(decodeAck(payload));
    });
  }

  static async connect(enrolment: Enrolment): Promise<ScriptedAgent> {
    const client = await mqtt.connectAsync(enrolment.broker, {
      protocolVersion: 4,
      clientId: enrolment.agent,
      username: enrolment.username,
      password: enrolment.password,
      reconnectPeriod: 0,
      ...(enrolment.ca === null ? {} : { ca: enrolment.ca }),
    });
    const agent = new ScriptedAgent(enrolment, client);
    await client.subscribeAsync(allDownTopics(enrolment.prefix, enrolment.agent), { qos: 1 });
    return agent;
  }

  /** Bytes of a record, with the times of now unless they are told. */
  record(kind: EdgeRecord['kind'], body: Uint8Array, wallMs = Date.now()): Uint8Array {
    const monotonicMs = scriptedMonotonicMs() - (Date.now() - wallMs);
    return encodeRecord({ kind, bootId: this.bootId, monotonicMs, wallMs, wallTrusted: 'yes', body });
  }

  /** A frame with the next seq. */
  frame(record: Uint8Array): Uint8Array {
    return frameRecord(this.epoch, ++this.#seq, record);
  }

  get highestSeq(): number {
    return this.#seq;
  }

  publish(channel: Parameters<typeof upTopic>[2], payload: Uint8Array): Promise<unknown> {
    const { prefix, agent } = this.enrolment;
    return this.client.publishAsync(upTopic(prefix, agent, channel), Buffer.from(payload), { qos: 1 });
  }

  /** Sends frames in an envelope of their own. */
  async send(frames: readonly Uint8Array[], held: readonly (readonly [number, number])[] = []): Promise<void> {
    const envelope = encodeEnvelope({
      agent: this.enrolment.agent,
      epoch: this.epoch,
      n: ++this.#n,
      incarnation: null,
      bootId: this.bootId,
      sentMonotonicMs: scriptedMonotonicMs(),
      highestSeq: this.#seq,
      held,
      frames,
      live: false,
    });
    await this.publish('records', packPayload(envelope));
  }

  /** Resolves when the central has settled these seqs. */
  async settled(...seqs: readonly number[]): Promise<void> {
    await until(`seqs ${seqs.join(', ')} are settled`, () =>
      seqs.every((seq) => this.acks.some((ack) => ack.epoch === this.epoch && contains(settledBy(ack), seq))),
    );
  }

  async close(): Promise<void> {
    await this.client.endAsync(true);
  }
}
