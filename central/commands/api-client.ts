/** Asks the running central on this machine, with its admin token. */
import http from 'node:http';
import https from 'node:https';
import { type ErrorCode, errorTable, messageOf, PicketError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { readCentralState } from '../state-files.ts';

const timeoutMs = 15_000;

/** Posts to the API of the central that runs with this data directory; throws what the central answers. */
export async function postToCentral(dataDir: string, path: string, body: unknown): Promise<unknown> {
  const { url, ca, adminToken } = await readCentralState(dataDir);
  const text = JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${adminToken}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  };
  const common = { method: 'POST', headers, agent: false as const, signal: AbortSignal.timeout(timeoutMs) };
  const target = new URL(path, url);
  const answer = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const fail = (error: unknown): void =>
      reject(
        new PicketError(
          'central.unreachable',
          `the central at ${url} does not answer: ${messageOf(error)}.`,
          {},
          error,
        ),
      );
    // The CA comes from a directory that only the central's user can read, so the name in the certificate proves no more.
    const trust = ca === null ? {} : { ca, checkServerIdentity: () => undefined };
    const request =
      target.protocol === 'https:' ? https.request(target, { ...common, ...trust }) : http.request(target, common);
    request.on('error', fail);
    request.on('response', (response) => {
      const parts: Buffer[] = [];
      let length = 0;
      response.on('error', fail);
      response.on('data', (part: Buffer) => {
        length += part.length;
        if (length > limits.payloadBytes) request.destroy(new Error('the answer is too large'));
        else parts.push(part);
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }),
      );
    });
    request.end(text);
  });
  const json = parseJson(answer.text, url);
  if (answer.status < 200 || answer.status > 299) throw refusal(answer.status, json);
  return json;
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

function refusal(status: number, json: unknown): PicketError {
  const problem = (typeof json === 'object' && json !== null ? json : {}) as { code?: unknown; detail?: unknown };
  const known = typeof problem.code === 'string' && Object.hasOwn(errorTable, problem.code);
  const code = known ? (problem.code as ErrorCode) : 'payload.invalid';
  return new PicketError(code, typeof problem.detail === 'string' ? problem.detail : `the central answered ${status}.`);
}
