/**
 * A network between an agent and its central that can be broken: a network namespace of the agent's own with a pair of
 * virtual interfaces, rules of nft inside it, and a relay that takes its time (not every kernel has netem).
 */
import { execFileSync } from 'node:child_process';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { SoakContext } from './scenario.ts';

const TABLE = 'inet picket';

export class Wire {
  /** Of the central's side; the relay and the central listen here. */
  readonly host: string;
  /** What a command is to be started with to run on the agent's side. */
  readonly through: readonly string[];
  readonly #name: string;

  /** Wants root. Everything is taken away with the scenario. */
  constructor(context: SoakContext) {
    const tag = String(process.pid % 10_000);
    this.#name = `picket-${tag}`;
    const [near, far] = [`pkt${tag}a`, `pkt${tag}b`];
    const network = `10.213.${process.pid % 250}`;
    this.host = `${network}.1`;
    this.through = ['ip', 'netns', 'exec', this.#name];
    context.defer(() => void this.#ip('netns', 'del', this.#name));
    this.#ip('netns', 'add', this.#name);
    this.#ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', this.#name);
    this.#ip('addr', 'add', `${this.host}/24`, 'dev', near);
    this.#ip('link', 'set', near, 'up');
    this.#ip('-n', this.#name, 'addr', 'add', `${network}.2/24`, 'dev', far);
    this.#ip('-n', this.#name, 'link', 'set', far, 'up');
    this.#ip('-n', this.#name, 'link', 'set', 'lo', 'up');
    this.#nft(`add table ${TABLE}`);
    for (const hook of ['input', 'output']) {
      this.#nft(`add chain ${TABLE} ${hook} { type filter hook ${hook} priority 0; policy accept; }`);
    }
  }

  /** Nothing passes, and nobody is told. */
  cut(): void {
    for (const hook of ['input', 'output']) this.#nft(`add rule ${TABLE} ${hook} drop`);
  }

  /** So many of a hundred packets are lost, either way. */
  lose(percent: number): void {
    for (const hook of ['input', 'output'])
      this.#nft(`add rule ${TABLE} ${hook} numgen random mod 100 < ${percent} drop`);
  }

  heal(): void {
    this.#nft(`flush table ${TABLE}`);
  }

  #nft(rule: string): void {
    execFileSync(this.through[0]!, [...this.through.slice(1), 'nft', rule], { stdio: ['ignore', 'ignore', 'pipe'] });
  }

  #ip(...args: readonly string[]): void {
    execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  }
}

/** Passes everything on, `delayMs` later in either direction. */
export class SlowRelay {
  delayMs = 0;
  readonly #server: Server;

  private constructor(host: string, port: number) {
    const pass = (from: Socket, to: Socket): void => {
      from.on('data', (bytes) => setTimeout(() => to.writable && to.write(bytes), this.delayMs));
      from.on('error', () => to.destroy());
      from.on('close', () => setTimeout(() => to.destroy(), this.delayMs));
    };
    this.#server = createServer((near) => {
      const far = connect({ host, port });
      pass(near, far);
      pass(far, near);
    });
  }

  /** Listens on a free port of the same address. */
  static async start(context: SoakContext, host: string, port: number): Promise<{ relay: SlowRelay; port: number }> {
    const relay = new SlowRelay(host, port);
    await new Promise<void>((resolve) => relay.#server.listen(0, host, resolve));
    context.defer(() => void relay.#server.close());
    const address = relay.#server.address();
    return { relay, port: typeof address === 'object' && address !== null ? address.port : 0 };
  }
}
