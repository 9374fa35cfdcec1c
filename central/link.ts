/**
 * The central's connection to its broker: the embedded one in this process (`broker.ts`), or any MQTT 3.1.1 broker by
 * configuration.
 */
import mqtt from 'mqtt';
import { brokerServer } from '../shared/address.ts';
import { messageOf } from '../shared/errors.ts';
import { limits } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import { allUpTopics } from '../shared/wire/topics.ts';

export interface CentralLink {
  /** Resolves when the broker has it; rejects when it can't be sent now. */
  publish(topic: string, payload: Uint8Array, options: { qos: 0 | 1; retain?: boolean }): Promise<void>;
  close(): Promise<void>;
}

export interface CentralLinkHandlers {
  /** Subscribed; retained messages follow. */
  connected(): void;
  /** The connection ended, or could not be made; it is tried again. */
  lost?(): void;
  message(topic: string, payload: Uint8Array): void;
}

export interface ExternalBroker {
  readonly url: string;
  readonly clientId: string;
  readonly username: string | null;
  readonly password: string | null;
  /** PEM; null for the system's own trust. */
  readonly ca: string | null;
  readonly prefix: string;
  readonly log: Log;
}

export function connectExternal(broker: ExternalBroker, handlers: CentralLinkHandlers): CentralLink {
  const client = mqtt.connect({
    ...brokerServer(broker.url),
    protocolVersion: 4,
    clientId: broker.clientId,
    clean: true,
    keepalive: 20,
    reconnectPeriod: 1_000,
    resubscribe: false,
    queueQoSZero: false,
    ...(broker.username === null ? {} : { username: broker.username }),
    ...(broker.password === null ? {} : { password: broker.password }),
    ...(broker.ca === null ? {} : { ca: broker.ca }),
  });
  let lastProblem = '';
  client.on('connect', () => {
    client.subscribe(allUpTopics(broker.prefix), { qos: 1 }, (error) => {
      if (error) {
        broker.log.warn({ problem: messageOf(error) }, 'the broker refused the subscription');
        // Its end makes the client connect again after its pause.
        client.stream.destroy();
        return;
      }
      lastProblem = '';
      broker.log.info({ broker: broker.url }, 'connected to the broker');
      handlers.connected();
    });
  });
  client.on('close', () => handlers.lost?.());
  client.on('error', (error) => {
    const problem = messageOf(error);
    if (problem === lastProblem) return;
    lastProblem = problem;
    broker.log.warn({ broker: broker.url, problem }, 'no connection to the broker; it is tried again');
  });
  client.on('message', (topic, payload) => {
    if (payload.length <= limits.payloadBytes) handlers.message(topic, payload);
    else broker.log.warn({ topic, sizeBytes: payload.length }, 'message is over the limit; ignored');
  });
  return {
    publish(topic, payload, { qos, retain = false }) {
      if (!client.connected) return Promise.reject(new Error('not connected to the broker'));
      return new Promise((resolve, reject) => {
        client.publish(topic, Buffer.from(payload), { qos, retain }, (error) => (error ? reject(error) : resolve()));
      });
    },
    async close() {
      await client.endAsync(true);
    },
  };
}
