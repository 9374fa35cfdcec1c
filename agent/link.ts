/**
 * The agent's connection to its broker: MQTT 3.1.1, client id = agent id, clean session, reconnecting with growing
 * pauses. QoS 1 is transport only: what a broker acknowledges is not yet anybody's (design, "The channel").
 */
import net from 'node:net';
import { MqttClient } from 'mqtt';
import { brokerServer } from '../shared/address.ts';
import { messageOf } from '../shared/errors.ts';
import { limits } from '../shared/limits.ts';
import type { Log } from './inputs/input.ts';
import { problemBesideDates } from './link/pinned.ts';
import type { LineMeter } from './uplink/meter.ts';

export interface LinkOptions {
  /** `mqtt://host:port` or `mqtts://host:port` */
  readonly url: string;
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM of the CA that is pinned; null where the connection is plain, or held against the system's trust. */
  readonly ca: string | null;
  /** The latest time ever heard from the central: what judges a certificate where this machine's clock is wrong. */
  readonly latestCentralMs?: () => number | null;
  /** Null: it only speaks. */
  readonly subscribe: string | null;
  readonly will: { readonly topic: string; readonly payload: () => Uint8Array };
  readonly log: Log;
  /** Where a budget of the uplink has its say. */
  readonly keepaliveS?: number;
  /** Whether an attempt to connect may be made now. */
  readonly mayConnect?: () => boolean;
  readonly meter?: LineMeter;
}

export interface LinkHandlers {
  /** Subscribed and ready; what is made from now on is live. */
  connected(): void;
  disconnected(): void;
  message(topic: string, payload: Uint8Array): void;
}

/** What stages need of a connection; the simulation has its own. */
export interface Link {
  readonly connected: boolean;
  /** Resolves when the broker has it (QoS 1) or when it is written (QoS 0); rejects when it can't be sent now. */
  publish(topic: string, payload: Uint8Array, options: { qos: 0 | 1; retain?: boolean }): Promise<void>;
  close(last?: { topic: string; payload: Uint8Array }): Promise<void>;
  /** Ends this connection; the next is made when it may be. */
  drop(): void;
}

const KEEPALIVE_S = 20;
const CONNECT_TIMEOUT_MS = 15_000;
const FIRST_PAUSE_MS = 1_000;
/** With its jitter and the attempt before it, an agent is back within half a minute of a line that has healed. */
const LONGEST_PAUSE_MS = 15_000;
const CLOSE_TIMEOUT_MS = 2_000;

export function openLink(options: LinkOptions, handlers: LinkHandlers): Link {
  // A fleet that lost its broker must not come back in one second: pauses grow, and each agent's differ.
  const jittered = (ms: number): number => Math.round(ms * (0.5 + 0.75 * Math.random()));
  let pauseMs = FIRST_PAUSE_MS;
  let ready = false;
  let attempts = 0;
  let lastProblem = '';
  const will = () => ({
    topic: options.will.topic,
    payload: Buffer.from(options.will.payload()),
    qos: 1 as const,
    retain: true,
  });
  const client = new MqttClient((connecting) => openStream(connecting, options, attempts++), {
    protocolVersion: 4,
    clientId: options.clientId,
    ...(options.username !== undefined && { username: options.username }),
    ...(options.password !== undefined && { password: options.password }),
    clean: true,
    keepalive: options.keepaliveS ?? KEEPALIVE_S,
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectPeriod: jittered(FIRST_PAUSE_MS),
    resubscribe: false,
    // What is not acknowledged by the central lies in the outbox; a second queue in memory would only double it.
    queueQoSZero: false,
    // Its cache of 65,536 small buffers is twelve of an agent's thirty megabytes.
    writeCache: false,
    will: will(),
  });

  const begin = (): void => {
    ready = true;
    pauseMs = FIRST_PAUSE_MS;
    client.options.reconnectPeriod = jittered(FIRST_PAUSE_MS);
    lastProblem = '';
    options.log.info({ broker: options.url }, 'connected');
    handlers.connected();
  };
  client.on('connect', () => {
    if (options.subscribe === null) {
      begin();
      return;
    }
    client.subscribe(options.subscribe, { qos: 1 }, (error, granted) => {
      if (error || granted?.some(({ qos }) => qos > 2)) {
        problem(error ? messageOf(error) : `the broker refused the subscription to ${options.subscribe}`);
        // Its end makes the client connect again, after its pause.
        client.stream.destroy();
        return;
      }
      begin();
    });
  });
  client.on('close', () => {
    // For the next time: this one's pause has begun.
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    client.options.reconnectPeriod = jittered(pauseMs);
    client.options.will = will();
    if (!ready) return;
    ready = false;
    options.log.info({ broker: options.url }, 'disconnected');
    handlers.disconnected();
  });
  if (options.meter !== undefined) {
    client.on('packetsend', () => options.meter!.packet());
    client.on('packetreceive', () => options.meter!.packet());
  }
  client.on('error', (error) => problem(messageOf(error)));
  client.on('message', (topic, payload) => {
    if (payload.length > limits.payloadBytes) {
      options.log.warn({ topic, sizeBytes: payload.length }, 'message is over the limit; ignored');
      return;
    }
    try {
      handlers.message(topic, payload);
    } catch (error) {
      options.log.error({ topic, problem: messageOf(error) }, 'message could not be dealt with');
    }
  });

  function problem(message: string): void {
    if (message === lastProblem) return;
    lastProblem = message;
    options.log.warn({ broker: options.url, problem: message }, 'no connection; it is tried again');
  }

  return {
    get connected() {
      return ready && client.connected;
    },
    publish(topic, payload, { qos, retain = false }) {
      if (!ready || !client.connected) return Promise.reject(new Error('not connected'));
      return new Promise((resolve, reject) => {
        client.publish(
          topic,
          Buffer.from(payload.buffer, payload.byteOffset, payload.length),
          { qos, retain },
          (error) => (error ? reject(error) : resolve()),
        );
      });
    },
    drop() {
      client.stream.destroy();
    },
    async close(last) {
      if (last !== undefined && ready && client.connected) {
        const sent = this.publish(last.topic, last.payload, { qos: 1, retain: true });
        await Promise.race([
          sent.catch(() => {}),
          new Promise((resolve) => setTimeout(resolve, CLOSE_TIMEOUT_MS).unref()),
        ]);
      }
      ready = false;
      await Promise.race([
        client.endAsync(true),
        new Promise((resolve) => setTimeout(resolve, CLOSE_TIMEOUT_MS).unref()),
      ]);
    },
  };
}

/**
 * The transport of one attempt to connect. Made here and not by `mqtt.connect`, which loads TLS for every connection:
 * its hundreds of root certificates, of which the pinned CA needs none, are two megabytes.
 */
function openStream(client: MqttClient, options: LinkOptions, attempt: number): net.Socket {
  const { url, ca, mayConnect, meter } = options;
  if (mayConnect?.() === false) return endedStream();
  const { protocol, host, port = protocol === 'mqtts' ? 8883 : 1883 } = brokerServer(url);
  const below = protocol === 'mqtt' || meter !== undefined ? openSocket(host, port, meter, attempt) : null;
  if (protocol === 'mqtt') return below!;
  const stream = process.getBuiltinModule('node:tls').connect({
    // Also beside a socket: the certificate is held against the host.
    host,
    port,
    ...(below === null ? {} : { socket: below }),
    // Without a pinned one the certificate is held against the system's: never plain where TLS was asked for.
    ...(ca === null ? {} : { ca }),
    // With a pinned one all but the dates is held against it below, in the same turn: nothing is sent before.
    rejectUnauthorized: ca === null,
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
  });
  // MQTT.js tells of a socket's own errors alone, not of a certificate that is not the pinned CA's.
  const refused = (error: Error): void => {
    client.emit('error', error);
    stream.end();
  };
  stream.on('error', refused);
  stream.once('secureConnect', () => {
    const { authorized } = stream;
    const latestMs = options.latestCentralMs?.() ?? null;
    const problem = authorized || ca === null ? null : problemBesideDates(stream, host, ca, latestMs);
    if (problem !== null) {
      stream.destroy(problem);
      return;
    }
    if (!authorized)
      options.log.info(
        {},
        "this machine's clock is wrong: the broker's certificate is held against the central's time",
      );
    stream.off('error', refused);
  });
  return stream;
}

/**
 * The TCP socket. A metered one lies below TLS, as only that counts what TLS adds; then Node may not try several
 * addresses at once, which would change the socket under TLS, and each second attempt is made by IPv4 alone.
 */
function openSocket(host: string, port: number, meter: LineMeter | undefined, attempt: number): net.Socket {
  if (meter === undefined) return net.connect({ host, port });
  const socket = net.connect({ host, port, autoSelectFamily: false, family: attempt % 2 === 0 ? 0 : 4 });
  meter.attach(socket);
  return socket;
}

/** No connection is made: for MQTT.js it has ended at once, and it tries again after its pause. */
function endedStream(): net.Socket {
  const socket = new net.Socket();
  setImmediate(() => socket.destroy());
  return socket;
}
