/** Asks the running central on this machine, with its admin token. */
import http from 'node:http';
import https from 'node:https';
import { type ErrorCode, errorTable, messageOf, PicketError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { readCentralState } from '../state-files.ts';

const timeoutMs = 15_000;
/** A long answer may take as long as it needs; it must go on. */
const silenceMs = 120_000;

/** Posts to the API of the central that runs with this data directory; throws what the central answers. */
export async function postToCentral(dataDir: string, path: string, body: unknown): Promise<unknown> {
  const { url, response } = await ask(dataDir, path, body, { signal: AbortSignal.timeout(timeoutMs) });
  const text = await bounded(response, url);
  const json = parseJson(text, url);
  if (!isRight(response)) throw refusal(response.statusCode ?? 0, json);
  return json;
}

/** Puts what takes the place of the version that was seen; throws what the central answers. */
export async function putToCentral(dataDir: string, path: string, body: unknown, seen: number): Promise<unknown> {
  const options = { method: 'PUT', headers: { 'if-match': `"${seen}"` }, signal: AbortSignal.timeout(timeoutMs) };
  const { url, response } = await ask(dataDir, path, body, options);
  const json = parseJson(await bounded(response, url), url);
  if (!isRight(response)) throw refusal(response.statusCode ?? 0, json);
  return json;
}

/** Posts, and gives the answer's bytes as they come; throws what the central answers. */
export async function streamFromCentral(dataDir: string, path: string, body: unknown): Promise<AsyncIterable<Buffer>> {
  const { url, response } = await ask(dataDir, path, body, { timeout: silenceMs });
  if (isRight(response)) return response;
  throw refusal(response.statusCode ?? 0, parseJson(await bounded(response, url), url));
}

/** Largest answer that is read whole: a thousand rows of a ledger are some 400 KB. */
const mostReadBytes = 16 * 1024 * 1024;

/** What the central's API answers to a question; throws what the central answers. */
export async function getFromCentral(dataDir: string, path: string): Promise<unknown> {
  const { url, response } = await ask(dataDir, path, undefined, { timeout: silenceMs });
  const text = await bounded(response, url, mostReadBytes);
  const json = parseJson(text, url);
  if (!isRight(response)) throw refusal(response.statusCode ?? 0, json);
  return json;
}

/** @param body undefined: asked for with GET */
async function ask(
  dataDir: string,
  path: string,
  body: unknown,
  options: Omit<http.RequestOptions, 'headers'> & { readonly headers?: Readonly<Record<string, string>> },
): Promise<{ url: string; response: http.IncomingMessage }> {
  const { url, ca, adminToken } = await readCentralState(dataDir);
  const text = body === undefined ? '' : JSON.stringify(body);
  const about = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  const headers = {
    ...options.headers,
    authorization: `Bearer ${adminToken}`,
    ...(body === undefined ? {} : about),
  };
  const method = options.method ?? (body === undefined ? 'GET' : 'POST');
  const common = { ...options, method, headers, agent: false as const };
  const target = new URL(path, url);
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    // The CA comes from a directory that only the central's user can read, so the name in the certificate proves no more.
    const trust = ca === null ? {} : { ca, checkServerIdentity: () => undefined };
    const request =
      target.protocol === 'https:' ? https.request(target, { ...common, ...trust }) : http.request(target, common);
    request.on('error', (error) => reject(unreachable(url, error)));
    request.on('timeout', () => request.destroy(new Error(`it said nothing for ${silenceMs / 1000} s`)));
    request.on('response', resolve);
    request.end(text);
  });
  return { url, response };
}

export function unreachable(url: string, error: unknown): PicketError {
  return new PicketError(
    'central.unreachable',
    `the central at ${url} does not answer: ${messageOf(error)}.`,
    {},
    error,
  );
}

function isRight({ statusCode = 0 }: http.IncomingMessage): boolean {
  return statusCode >= 200 && statusCode <= 299;
}

async function bounded(
  response: http.IncomingMessage,
  url: string,
  most: number = limits.payloadBytes,
): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      length += part.length;
      // Bounded while it comes: the other side may never end.
      if (length > most) throw new Error('the answer is too large');
      parts.push(part);
    }
  } catch (error) {
    throw unreachable(url, error);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parseJson(text: string, url: string): unknown {
  // 204 says that it is done, and no more.
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PicketError(
      'payload.invalid',
      `${url} did not answer with JSON: another program has the port.`,
      {},
      error,
    );
  }
}

export function refusal(status: number, json: unknown): PicketError {
  const problem = (typeof json === 'object' && json !== null ? json : {}) as { code?: unknown; detail?: unknown };
  const known = typeof problem.code === 'string' && Object.hasOwn(errorTable, problem.code);
  const code = known ? (problem.code as ErrorCode) : 'payload.invalid';
  return new PicketError(code, typeof problem.detail === 'string' ? problem.detail : `the central answered ${status}.`);
}
