/** The running agent's side of `export`, `import` and what else it is asked: a socket in its data directory, for its own user alone. */
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { messageOf, PicketError } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { encodeJson, integerOf, type JsonObject, objectOf, parseJson } from '../../shared/trust/strict.ts';
import type { Desk } from './desk.ts';
import { readMessages, SILENCE_MS, sendMessage, sendProblem, socketAddress } from './messages.ts';

const CALLERS = 4;
const REQUEST_BYTES = 1024;

export interface Door {
  close(): Promise<void>;
}

/**
 * Listens until it is closed. Without it (a filesystem that has no sockets) the agent runs on, and exports are made while
 * it is stopped.
 * @param desk made for each caller; throws where the machine is not enrolled
 * @param ask answers whatever else is asked; undefined where it does not know what is meant
 */
export async function openDoor(
  dataDir: string,
  desk: () => Promise<Desk>,
  log: Log,
  ask: (request: JsonObject) => unknown = () => undefined,
): Promise<Door> {
  const address = socketAddress(dataDir);
  const callers = new Set<Socket>();
  const server = createServer((socket) => {
    callers.add(socket);
    socket.setTimeout(SILENCE_MS, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => callers.delete(socket));
    serve(socket, desk, log, ask)
      .catch(async (error: unknown) => {
        log.warn({ problem: messageOf(error) }, 'what was asked by hand failed');
        await sendProblem(socket, error);
      })
      .catch(() => {})
      .finally(() => socket.end());
  });
  server.maxConnections = CALLERS;
  try {
    // One that was killed leaves its own behind.
    await rm(address.path, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(address.path, resolve);
    });
    await chmod(address.path, 0o600);
    server.on('error', (error) => log.warn({ problem: messageOf(error) }, 'the socket for export and import fails'));
  } catch (error) {
    log.warn({ problem: messageOf(error) }, 'no socket for export and import: they work while the agent is stopped');
  }
  return {
    async close() {
      for (const socket of callers) socket.destroy();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
      address.close();
    },
  };
}

async function serve(
  socket: Socket,
  desk: () => Promise<Desk>,
  log: Log,
  ask: (request: JsonObject) => unknown,
): Promise<void> {
  const messages = readMessages(socket);
  const first = await messages.next();
  if (first.done) return;
  const request = objectOf(parseJson(first.value.bytes, REQUEST_BYTES, 'request'), 'request');
  if (request.do === 'export') {
    const roomBytes = integerOf(request.roomBytes, 'request.roomBytes');
    for await (const message of (await desk()).export(roomBytes)) await sendMessage(socket, message);
    log.info({}, 'exported by hand');
  } else if (request.do === 'import') {
    const result = await (await desk()).import(messages);
    await sendMessage(socket, { kind: 'end', bytes: encodeJson(result) });
    const { pendingBefore, pendingAfter, manifestVersion, outdated } = result;
    log.info({ pendingBefore, pendingAfter, manifestVersion, outdated }, 'a reply by hand was taken in');
  } else {
    const answer = ask(request);
    if (answer === undefined) {
      throw new PicketError('usage.invalid', 'the running agent is of another version than this command');
    }
    await sendMessage(socket, { kind: 'end', bytes: encodeJson(answer) });
  }
}
