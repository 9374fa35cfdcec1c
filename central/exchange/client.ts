/** The running central as `picket-central import` speaks with it: over its API, with the admin token, one connection. */
import http from 'node:http';
import https from 'node:https';
import { PicketError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { ExchangeHeader } from '../../shared/trust/exchange.ts';
import { listOf, objectOf, textOf } from '../../shared/trust/strict.ts';
import { refusal, unreachable } from '../commands/api-client.ts';
import { type CentralState, readCentralState } from '../state-files.ts';
import type { ExportId, Handover } from './contract.ts';

/** A commit on a slow disk. */
const TIMEOUT_MS = 60_000;
const ANSWER_BYTES = 256 * 1024;
const CONNECTIONS = 4;
const RELEASES = 64;

interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: Uint8Array;
  readonly json?: unknown;
}

export class ExchangeClient {
  readonly #state: CentralState & { readonly adminToken: string };
  readonly #agent: http.Agent;

  private constructor(state: CentralState & { readonly adminToken: string }) {
    this.#state = state;
    const options = { keepAlive: true, maxSockets: CONNECTIONS };
    // The CA comes from a directory that only the central's user can read, so the name in the certificate proves no more.
    const trust = state.ca === null ? {} : { ca: state.ca, checkServerIdentity: () => undefined };
    this.#agent = state.url.startsWith('https:') ? new https.Agent({ ...options, ...trust }) : new http.Agent(options);
  }

  /** Throws `central.unreachable` where none runs with this data directory. */
  static async open(dataDir: string): Promise<ExchangeClient> {
    return new ExchangeClient(await readCentralState(dataDir));
  }

  close(): void {
    this.#agent.destroy();
  }

  async key({ agent, direction, salt }: Pick<ExchangeHeader, 'agent' | 'direction' | 'salt'>): Promise<Uint8Array> {
    const json = await this.#json({ method: 'POST', path: '/exchange/key', json: { agent, direction, salt } });
    return Buffer.from(textOf(objectOf(json, 'answer').key, 'answer.key', 64), 'base64');
  }

  records(agent: string, payload: Uint8Array): Promise<Uint8Array> {
    return this.#ask({ method: 'POST', path: `/agents/${agent}/exchange/records`, body: payload });
  }

  async reported(agent: string, { series, number }: ExportId, payload: Uint8Array): Promise<void> {
    const path = `/agents/${agent}/exchange/reported?series=${series}&number=${number}`;
    await this.#ask({ method: 'POST', path, body: payload });
  }

  async handover(agent: string): Promise<Handover> {
    const json = objectOf(await this.#json({ method: 'GET', path: `/agents/${agent}/exchange/desired` }), 'answer');
    return {
      manifest:
        json.manifest === null
          ? null
          : Buffer.from(textOf(json.manifest, 'answer.manifest', limits.payloadBytes * 2), 'base64'),
      releases: listOf(json.releases, 'answer.releases', RELEASES, (item, at) => {
        const { releaseSha256, contentSha256 } = objectOf(item, at);
        return {
          releaseSha256: textOf(releaseSha256, `${at}.releaseSha256`, 64),
          contentSha256: textOf(contentSha256, `${at}.contentSha256`, 64),
        };
      }),
    };
  }

  chunk(agent: string, sha256: string, index: number): Promise<Uint8Array> {
    return this.#ask({ method: 'GET', path: `/agents/${agent}/exchange/blobs/${sha256}/${index}` });
  }

  async #json(question: Question): Promise<unknown> {
    return parsed(await this.#ask(question), this.#state.url);
  }

  async #ask({ method, path, body, json }: Question): Promise<Uint8Array> {
    const { url, adminToken } = this.#state;
    const bytes = json === undefined ? body : Buffer.from(JSON.stringify(json));
    const type = json === undefined ? 'application/octet-stream' : 'application/json';
    const headers = {
      authorization: `Bearer ${adminToken}`,
      ...(bytes === undefined ? {} : { 'content-type': type, 'content-length': bytes.length }),
    };
    const options = { method, headers, agent: this.#agent, signal: AbortSignal.timeout(TIMEOUT_MS) };
    const target = new URL(`/api/v1${path}`, url);
    const answer = await new Promise<{ status: number; bytes: Buffer }>((resolve, reject) => {
      const fail = (error: unknown): void => reject(unreachable(url, error));
      const request = target.protocol === 'https:' ? https.request(target, options) : http.request(target, options);
      request.on('error', fail);
      request.on('response', (response) => {
        const parts: Buffer[] = [];
        let length = 0;
        response.on('error', fail);
        response.on('data', (part: Buffer) => {
          length += part.length;
          if (length > ANSWER_BYTES) request.destroy(new Error('the answer is too large'));
          else parts.push(part);
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, bytes: Buffer.concat(parts) }));
      });
      request.end(bytes);
    });
    if (answer.status < 200 || answer.status > 299) throw refusal(answer.status, parsed(answer.bytes, url));
    return answer.bytes;
  }
}

function parsed(bytes: Uint8Array, url: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw new PicketError(
      'payload.invalid',
      `${url} did not answer with JSON: another program has the port.`,
      {},
      error,
    );
  }
}
