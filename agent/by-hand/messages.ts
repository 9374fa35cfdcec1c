/**
 * How the command line and the running agent speak: messages as in the file (`shared/trust/exchange.ts`), unsealed, over
 * a socket in the data directory that only the agent's user can open.
 *
 *     → about {do: export, roomBytes}       ← about … end         | problem
 *     → about {do: import}, about … end     ← end (ImportResult)  | problem
 *     → about {do: mute | unmute, …}        ← end (its answer)    | problem
 */
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { codeOf, type ErrorCode, errorTable, messageOf, PicketError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { type ExchangeMessage, exchangeKinds } from '../../shared/trust/exchange.ts';
import { encodeJson, objectOf, parseJson, textOf } from '../../shared/trust/strict.ts';
import { encodePiece, PieceReader } from '../../shared/wire/pieces.ts';

/** Of a message: it went wrong, and how. Kinds of the file count from 0. */
const PROBLEM = 255;
/** Without a byte for so long the other side is gone. */
export const SILENCE_MS = 120_000;
/** sockaddr_un has 108 bytes. */
const PATH_BYTES = 100;

/** Where the running agent listens. A long path is reached through its directory; `close` then lets go of that. */
export function socketAddress(dataDir: string): { readonly path: string; close(): void } {
  const path = join(dataDir, 'agent.sock');
  if (Buffer.byteLength(path) <= PATH_BYTES) return { path, close() {} };
  const directory = openSync(dataDir, 'r');
  return { path: `/proc/self/fd/${directory}/agent.sock`, close: () => closeSync(directory) };
}

/** Resolves when there is room for more. Rejects when the other side is gone. */
export async function sendMessage(socket: Socket, { kind, bytes }: ExchangeMessage): Promise<void> {
  await write(socket, exchangeKinds.indexOf(kind), bytes);
}

export async function sendProblem(socket: Socket, error: unknown): Promise<void> {
  await write(socket, PROBLEM, encodeJson({ code: codeOf(error), message: messageOf(error) }));
}

async function write(socket: Socket, kind: number, bytes: Uint8Array): Promise<void> {
  const body = new Uint8Array(1 + bytes.length);
  body[0] = kind;
  body.set(bytes, 1);
  await new Promise<void>((resolve, reject) => {
    socket.write(encodePiece(body), (error) => (error ? reject(error) : resolve()));
  });
}

/** The messages that come, up to the one that is an end. Throws the other side's problem, `payload.invalid`. */
export async function* readMessages(socket: Socket): AsyncGenerator<ExchangeMessage> {
  const pieces = new PieceReader(1 + limits.payloadBytes);
  for await (const bytes of socket.iterator({ destroyOnReturn: false })) {
    pieces.push(bytes as Buffer);
    for (let piece = pieces.next(); piece !== null; piece = pieces.next()) {
      if (piece[0] === PROBLEM) throw problemIn(piece.subarray(1));
      const kind = exchangeKinds[piece[0]!];
      if (kind === undefined) continue;
      yield { kind, bytes: piece.subarray(1) };
      if (kind === 'end') return;
    }
  }
  throw new PicketError('agent.offline', 'the agent ended in the middle of it; try again');
}

function problemIn(bytes: Uint8Array): PicketError {
  const json = objectOf(parseJson(bytes, limits.controlBytes, 'problem'), 'problem');
  const code = textOf(json.code, 'problem.code', 64);
  const known = Object.hasOwn(errorTable, code) ? (code as ErrorCode) : 'internal';
  return new PicketError(known, textOf(json.message, 'problem.message', 1000));
}
