/** The command line's side: asks the running agent where one listens. */
import { connect, type Socket } from 'node:net';
import { messageOf, PicketError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { ExchangeMessage } from '../../shared/trust/exchange.ts';
import { encodeJson, integerOf, listOf, objectOf, parseJson, textOf } from '../../shared/trust/strict.ts';
import type { Desk } from './desk.ts';
import type { ImportResult } from './incoming.ts';
import { readMessages, SILENCE_MS, sendMessage, socketAddress } from './messages.ts';

/** What says that nobody listens: no socket, or one that was left behind. */
const nobody = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTSOCK']);

/** The running agent's desk; null where none runs with this data directory. */
export async function callAgent(dataDir: string): Promise<Desk | null> {
  const first = await connected(dataDir);
  if (first === null) return null;
  let socket: Socket | null = first;
  const line = async (): Promise<Socket> => {
    const open = socket ?? (await connected(dataDir));
    socket = null;
    if (open === null) throw new PicketError('agent.offline', 'the agent was stopped; try again');
    return open;
  };
  return {
    async *export(roomBytes) {
      const open = await line();
      try {
        await sendMessage(open, { kind: 'about', bytes: encodeJson({ do: 'export', roomBytes }) });
        yield* readMessages(open);
      } finally {
        open.destroy();
      }
    },
    async import(messages) {
      const open = await line();
      try {
        const answer = readMessages(open).next();
        // Said below; while it is sent nobody waits for it.
        answer.catch(() => {});
        let unreadable: unknown = null;
        const watched = ended(messages, (error) => {
          unreadable = error;
        });
        try {
          await sendMessage(open, { kind: 'about', bytes: encodeJson({ do: 'import' }) });
          for await (const message of watched) await sendMessage(open, message);
        } catch (error) {
          // The agent's own word on it says more than a socket that is gone.
          if (unreadable === null) await answer;
          throw error;
        }
        const said = await answer;
        if (said.done) throw new PicketError('agent.offline', 'the agent did not answer');
        return readResult(said.value.bytes);
      } finally {
        open.destroy();
      }
    },
  };
}

/** What the running agent answers to a question; null where none runs with this data directory. */
export async function askAgent(dataDir: string, request: object): Promise<unknown> {
  const socket = await connected(dataDir);
  if (socket === null) return null;
  try {
    await sendMessage(socket, { kind: 'about', bytes: encodeJson(request) });
    const said = await readMessages(socket).next();
    if (said.done) throw new PicketError('agent.offline', 'the agent did not answer');
    return parseJson(said.value.bytes, limits.controlBytes, 'answer');
  } finally {
    socket.destroy();
  }
}

/** The messages with an end, also where the file has none; `failed` hears why they cannot be read. */
async function* ended(
  messages: AsyncIterable<ExchangeMessage>,
  failed: (error: unknown) => void,
): AsyncGenerator<ExchangeMessage> {
  try {
    for await (const message of messages) {
      yield message;
      if (message.kind === 'end') return;
    }
  } catch (error) {
    failed(error);
    throw error;
  }
  yield { kind: 'end', bytes: encodeJson({}) };
}

async function connected(dataDir: string): Promise<Socket | null> {
  const address = await addressOf(dataDir);
  if (address === null) return null;
  const socket = connect(address.path);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
  } catch (error) {
    if (nobody.has((error as NodeJS.ErrnoException).code ?? '')) return null;
    const problem = `the running agent cannot be asked: ${messageOf(error)}; run this as its user or as root`;
    throw new PicketError('config.unreadable', problem, {}, error);
  } finally {
    address.close();
  }
  socket.on('error', () => {});
  socket.setTimeout(SILENCE_MS, () => socket.destroy());
  return socket;
}

async function addressOf(dataDir: string): Promise<ReturnType<typeof socketAddress> | null> {
  try {
    return socketAddress(dataDir);
  } catch (error) {
    if (nobody.has((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw new PicketError('config.unreadable', `cannot open ${dataDir}: ${messageOf(error)}`, {}, error);
  }
}

function readResult(bytes: Uint8Array): ImportResult {
  const json = objectOf(parseJson(bytes, limits.controlBytes, 'answer'), 'answer');
  return {
    outdated: json.outdated === true,
    pendingBefore: integerOf(json.pendingBefore, 'answer.pendingBefore'),
    pendingAfter: integerOf(json.pendingAfter, 'answer.pendingAfter'),
    blobs: integerOf(json.blobs, 'answer.blobs'),
    manifestVersion: integerOf(json.manifestVersion, 'answer.manifestVersion'),
    waiting: json.waiting === true,
    applied: listOf(json.applied, 'answer.applied', 64, (item, at) => {
      const { slot, releaseSha256, appliedMs } = objectOf(item, at);
      return {
        slot: textOf(slot, `${at}.slot`, 65),
        releaseSha256: textOf(releaseSha256, `${at}.releaseSha256`, 64),
        appliedMs: typeof appliedMs === 'number' ? appliedMs : 0,
      };
    }),
    refusals: listOf(json.refusals, 'answer.refusals', 64, (item, at) => textOf(item, at, 1000)),
  };
}
