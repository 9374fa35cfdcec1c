/**
 * The embedded broker: aedes behind a guard of packet sizes, with the identities of the fleet and the ACL of the
 * design: an agent writes below its own `up/`, reads its own `down/`, and no more. It speaks MQTT 3.1.1.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, Server as TlsServer } from 'node:tls';
import { Aedes, type AuthenticateError, type Client } from 'aedes';
import { messageOf, PicketError } from '../shared/errors.ts';
import { limits } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import { allDownTopics, allUpTopics, downChannels, downTopic, parseUpTopic } from '../shared/wire/topics.ts';
import type { CentralLink, CentralLinkHandlers } from './link.ts';
import { GuardedConnection } from './packet-guard.ts';

/** A CONNECT with a will and a password fits; nothing else is due before. */
const BEFORE_LOGIN_BYTES = 4 * 1024;
/** A payload, its topic and the fixed fields. */
const PACKET_BYTES = limits.payloadBytes + 1024;
/** A client that does not take what it is sent holds nobody else up for longer (its default is a minute). */
const DRAIN_TIMEOUT_MS = 5_000;
const HANDSHAKE_TIMEOUT_MS = 15_000;
/** MQTT 3.1.1, 3.2.2.3: 4 = bad user name or password. */
const BAD_CREDENTIALS = 4;

export interface BrokerOptions {
  readonly host: string;
  readonly port: number;
  readonly prefix: string;
  readonly tls: { readonly key: string; readonly cert: string } | null;
  /** The agent that these credentials are of, or null. */
  readonly authenticate: (username: string, password: string) => string | null;
  readonly log: Log;
}

export interface Broker extends CentralLink {
  /** Where it listens. */
  readonly port: number;
  /** Ends the connection of an agent (retired, replaced). */
  drop(agent: string): void;
  readonly connections: () => number;
  /** New connections are encrypted with this from now on. */
  renew(tls: { readonly key: string; readonly cert: string }): void;
}

export async function startBroker(options: BrokerOptions, handlers: CentralLinkHandlers): Promise<Broker> {
  const { prefix, log } = options;
  const clients = new Map<string, Client>();
  const refuse = (reason: string): AuthenticateError =>
    Object.assign(new Error(reason), { returnCode: BAD_CREDENTIALS as AuthenticateError['returnCode'] });

  const aedes = await Aedes.createBroker({
    drainTimeout: DRAIN_TIMEOUT_MS,
    maxClientsIdLength: 64,
    authenticate(client, username, password, done) {
      const agent = options.authenticate(username ?? '', password?.toString('utf8') ?? '');
      if (agent === null || client.id !== agent) {
        const reason = agent === null ? 'unknown user name or wrong password' : 'the client id is not the agent id';
        log.warn({ client: client.id, remote: remoteOf(client), reason }, 'connection refused');
        done(refuse(reason), false);
        return;
      }
      if (client.conn instanceof GuardedConnection) client.conn.guard.limitBytes = PACKET_BYTES;
      // From here on, not from when aedes is ready with it: who is retired meanwhile must be found.
      clients.set(agent, client);
      client.conn.once('close', () => {
        if (clients.get(agent) === client) clients.delete(agent);
      });
      done(null, true);
    },
    authorizePublish(client, packet, done) {
      const target = parseUpTopic(prefix, packet.topic);
      if (client !== null && target?.agent !== client.id) {
        log.warn({ client: client.id, topic: packet.topic }, 'publish to a topic that is not its own; disconnected');
        done(new Error('not allowed to publish there'));
        return;
      }
      // Only presence is retained: anything else that stayed on the broker would come again without being sent.
      packet.retain &&= target?.channel === 'presence';
      done(null);
    },
    authorizeSubscribe(client, subscription, done) {
      const own = [allDownTopics(prefix, client.id), ...downChannels.map((name) => downTopic(prefix, client.id, name))];
      if (own.includes(subscription.topic)) {
        done(null, subscription);
        return;
      }
      log.warn(
        { client: client.id, topic: subscription.topic },
        'subscription to a topic that is not its own; refused',
      );
      // MQTT 3.1.1, 3.9.3: a null subscription is answered with 0x80, failure.
      done(null, null);
    },
  });
  aedes.on('clientError', (client, error) =>
    log.debug({ client: client.id, problem: messageOf(error) }, 'client error'),
  );
  aedes.on('connectionError', (_client, error) => log.debug({ problem: messageOf(error) }, 'connection error'));

  aedes.subscribe(
    allUpTopics(prefix),
    (packet, done) => {
      handlers.message(packet.topic, typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload);
      done();
    },
    () => handlers.connected(),
  );

  const accept = (socket: Socket): void => {
    socket.setNoDelay(true);
    const connection = new GuardedConnection(socket, BEFORE_LOGIN_BYTES, ({ remote, guard }) => {
      log.warn({ remote, limitBytes: guard.limitBytes }, 'a packet states more bytes than are allowed; disconnected');
    });
    connection.on('error', () => {});
    aedes.handle(connection);
  };
  const server =
    options.tls === null
      ? createServer(accept)
      : createTlsServer({ ...options.tls, handshakeTimeout: HANDSHAKE_TIMEOUT_MS }, accept);
  // Those that have not ended their handshake count too: the server does not close before them.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', (error: Error) => log.debug({ problem: messageOf(error) }, 'TLS handshake failed'));
  const port = await listen(server, options.host, options.port);
  server.on('error', (error) => log.error({ problem: messageOf(error) }, 'the broker cannot accept a connection'));

  return {
    port,
    connections: () => aedes.connectedClients,
    renew(tls) {
      if (server instanceof TlsServer) server.setSecureContext(tls);
    },
    drop(agent) {
      clients.get(agent)?.close();
    },
    publish(topic, payload, { qos, retain = false }) {
      return new Promise((resolve, reject) => {
        const packet = { cmd: 'publish' as const, topic, payload: Buffer.from(payload), qos, retain, dup: false };
        aedes.publish(packet, (error) => (error ? reject(error) : resolve()));
      });
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function remoteOf(client: Client): string {
  return client.conn instanceof GuardedConnection ? client.conn.remote : '?';
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new PicketError('listen.failed', `mqtt.listen: ${host}:${port}: ${error.code ?? messageOf(error)}`, {}, error),
      );
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}
