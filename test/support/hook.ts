/** An HTTP endpoint that takes, refuses or hangs, as the test says. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import { until } from './processes.ts';

export interface Hooked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export class Hook {
  /** What was taken. */
  readonly got: Hooked[] = [];
  /** All requests, also those that were refused or hang. */
  tries = 0;
  /** Of all paths but `/alive`, which is always taken. */
  mode: 'take' | 'refuse' | 'hang' | 'redirect' | 'endless' = 'take';
  url = '';
  readonly #server: Server;
  readonly #hanging = new Set<ServerResponse>();

  constructor() {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const mode = url === '/alive' ? 'take' : this.mode;
        if (url !== '/alive') this.tries++;
        if (mode === 'hang') {
          this.#hanging.add(response);
          return;
        }
        if (mode === 'refuse') response.writeHead(503).end('not now');
        else if (mode === 'redirect') response.writeHead(307, { location: `${this.url}/elsewhere` }).end();
        else if (mode === 'endless') {
          this.#hanging.add(response);
          const more = (): void => {
            if (!response.destroyed) response.write('x'.repeat(65_536), () => setImmediate(more));
          };
          response.writeHead(200);
          more();
          this.got.push({ method, url, headers, body: Buffer.concat(parts).toString() });
        } else {
          this.got.push({ method, url, headers, body: Buffer.concat(parts).toString() });
          response.writeHead(200).end('thanks');
        }
      });
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    this.url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  }

  /** Waits until as many were taken at this path. */
  async received(path: string, count: number, deadlineMs = 60_000): Promise<Hooked[]> {
    const of = (): Hooked[] => this.got.filter(({ url }) => url === path);
    return until(
      `${count} requests at ${path}`,
      () => (of().length >= count ? of() : null),
      deadlineMs,
      () => of().map(({ body }) => body.slice(0, 200)),
    );
  }

  async close(): Promise<void> {
    for (const response of this.#hanging) response.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
