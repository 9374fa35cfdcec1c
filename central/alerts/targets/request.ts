/**
 * One HTTP request to an address of the operator's: bounded in time and in what is read of the answer, its certificate
 * verified, redirects not followed (a receiver must not send the central, and what it sends, somewhere else).
 *
 * The address itself is trusted: it is the configuration's, and may well be one of a network of the operator's own.
 * Nothing that an agent or a page says ever becomes a part of it.
 */
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { HOUR_MS } from '../../../shared/limits.ts';
import { oneLine } from '../message.ts';
import { Undelivered } from './target.ts';

const ANSWER_BYTES = 4 * 1024;
const SHOWN_CHARACTERS = 200;

export interface OutgoingRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly timeoutMs: number;
  /** PEM; null: what the system trusts. */
  readonly ca: string | null;
  readonly nowMs: () => number;
}

/** Resolves with status and the beginning of the answer where that is a 2xx; throws `Undelivered` else. */
export async function sendRequest(outgoing: OutgoingRequest, signal: AbortSignal): Promise<string> {
  const { url, method, headers, body, timeoutMs, ca } = outgoing;
  const whole = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const send = url.startsWith('https:') ? secureRequest : plainRequest;
  const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const answer = await new Promise<{ status: number; retryAfter: string | undefined; text: string }>(
    (resolve, reject) => {
      const request = send(
        url,
        // A connection of its own: between two messages lie days.
        { method, headers: { ...headers, ...length }, signal: whole, agent: false, ...(ca !== null && { ca }) },
        (response) => {
          beginningOf(response).then((text) => {
            request.destroy();
            const retryAfter = response.headers['retry-after'];
            resolve({ status: response.statusCode ?? 0, retryAfter, text });
          }, reject);
        },
      );
      request.on('error', reject);
      request.end(body ?? undefined);
    },
  ).catch((error: unknown) => {
    if (signal.aborted) throw new Undelivered('the central is ending');
    if (whole.aborted) throw new Undelivered(`no answer within ${Math.round(timeoutMs / 1000)} s`);
    throw error;
  });
  const { status, retryAfter, text } = answer;
  const said = `${status}${text === '' ? '' : ` ${text}`}`;
  if (status >= 200 && status < 300) return said;
  if (status >= 300 && status < 400)
    throw new Undelivered(`answered ${status}: redirects are not followed; configure where it leads to`);
  throw new Undelivered(`answered ${said}`, retryAfterOf(retryAfter, outgoing.nowMs()));
}

/** No more than is shown of it; the rest is never read. */
async function beginningOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part);
    sizeBytes += part.length;
    if (sizeBytes >= ANSWER_BYTES) break;
  }
  const text = Buffer.concat(parts).subarray(0, ANSWER_BYTES).toString('utf8');
  return oneLine(text, SHOWN_CHARACTERS);
}

/** RFC 9110, 10.2.3: seconds or a date; no more than an hour is believed. */
export function retryAfterOf(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null;
  const waitMs = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isFinite(waitMs) && waitMs > 0 ? Math.min(waitMs, HOUR_MS) : null;
}
