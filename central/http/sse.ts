/**
 * Server-sent events (WHATWG HTML, 9.2). A stream ends with its client, with its session, with the server, or when its
 * client reads too slowly: a browser then comes again by itself.
 */
import type { FastifyReply } from 'fastify';
import { PicketError } from '../../shared/errors.ts';

const HEARTBEAT_MS = 15_000;
const MAX_STREAMS = 200;
/** What may wait for one slow client. */
const MAX_WAITING_BYTES = 512 * 1024;
/** How long a browser waits before it comes again. */
const RETRY_MS = 2_000;

interface EventStream {
  /** Ends with the stream, from whichever side. */
  readonly signal: AbortSignal;
  send(event: string, data: unknown): void;
  close(): void;
}

export interface EventStreams {
  /** Takes a reply over as a stream. Throws `auth.throttled` when there are too many. */
  open(reply: FastifyReply, sessionId: string | null): EventStream;
  endSession(sessionId: string): void;
  closeAll(): void;
  count(): number;
}

export function createEventStreams(heartbeatMs = HEARTBEAT_MS, maxStreams = MAX_STREAMS): EventStreams {
  const streams = new Map<EventStream, string | null>();
  let closed = false;
  return {
    open(reply, sessionId) {
      if (closed || streams.size >= maxStreams) {
        throw new PicketError('auth.throttled', `There are ${streams.size} streams open, the most that are served.`, {
          retryAfterSeconds: 10,
        });
      }
      const stream = takeOver(reply, heartbeatMs, () => streams.delete(stream));
      streams.set(stream, sessionId);
      return stream;
    },
    endSession(sessionId) {
      for (const [stream, owner] of streams) if (owner === sessionId) stream.close();
    },
    closeAll() {
      closed = true;
      for (const stream of [...streams.keys()]) stream.close();
    },
    count: () => streams.size,
  };
}

function takeOver(reply: FastifyReply, heartbeatMs: number, onEnd: () => void): EventStream {
  const { raw } = reply;
  const headers = reply.getHeaders();
  reply.hijack();
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
  });
  raw.write(`retry: ${RETRY_MS}\n\n`);
  const ending = new AbortController();
  const heartbeat = setInterval(() => write(':\n\n'), heartbeatMs);
  const end = (): void => {
    if (ending.signal.aborted) return;
    clearInterval(heartbeat);
    onEnd();
    ending.abort();
  };
  function write(text: string): void {
    if (ending.signal.aborted) return;
    if (raw.writableLength > MAX_WAITING_BYTES) {
      end();
      raw.destroy();
      return;
    }
    raw.write(text);
  }
  raw.once('close', end);
  raw.once('error', end);
  return {
    signal: ending.signal,
    send: (event, data) => write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
    close() {
      end();
      raw.end();
      // A client that keeps the connection must not hold back the server's end.
      raw.socket?.end();
    },
  };
}
