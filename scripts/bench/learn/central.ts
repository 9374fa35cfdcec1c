/** The parent's side of the bench's central: its time, its API, its memory. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { buildWeb } from '../../build/web.ts';
import type { CentralAsk, CentralSays, CentralStart } from './central-child.ts';

type At = Extract<CentralSays, { atMs: number }>;

export class BenchCentral {
  readonly url: string;
  readonly #token: string;
  readonly #child: ChildProcess;
  #waiting: ((at: At) => void) | null = null;

  private constructor(child: ChildProcess, url: string, token: string) {
    this.#child = child;
    this.url = url;
    this.#token = token;
    child.on('message', (says: CentralSays) => {
      if ('atMs' in says) this.#waiting?.(says);
    });
    child.on('exit', (code) => {
      if (code !== 0) throw new Error(`the central ended with ${code}`);
    });
  }

  static async start(start: CentralStart): Promise<BenchCentral> {
    const pages = join(start.data, '..', 'pages');
    await buildWeb(pages);
    const program = new URL('./central-child.ts', import.meta.url);
    const child = fork(program, [JSON.stringify(start)], { env: { ...process.env, PICKET_ASSETS: pages } });
    const [says] = (await once(child, 'message')) as [CentralSays];
    if (!('ready' in says)) throw new Error('the central did not start');
    return new BenchCentral(child, says.ready.url, says.ready.token);
  }

  /** Goes on to a time; resolves with what memory it takes, and took at most since the last time. */
  async advance(toMs: number): Promise<At> {
    const { promise, resolve } = Promise.withResolvers<At>();
    this.#waiting = resolve;
    this.#child.send({ toMs } satisfies CentralAsk);
    return promise;
  }

  async ask<T>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
    return (text === '' ? null : JSON.parse(text)) as T;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.send({ stop: true } satisfies CentralAsk);
    await ended;
  }
}
