/**
 * A whole Picket for one test: a central, agents and brokers as processes from the sources, on free ports and below one
 * temporary directory. `close` ends them all and deletes it, whatever the test came to.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentState } from '../../central/api.ts';
import type { LedgerRow } from '../../central/store/store.ts';
import { programs } from '../../scripts/build/programs.ts';
import type { Enrolment } from '../../shared/trust/enrolment.ts';
import { Program, type RunOptions, run, until } from './processes.ts';

const root = join(import.meta.dirname, '..', '..');
const agentMain = join(root, 'agent', 'main.ts');
const centralMain = join(root, 'central', 'main.ts');
/** As the executable has them. */
const centralFlags = programs.find(({ name }) => name === 'picket-central')!.flags;

/** A port that is free now; for what must come back on the same one. */
export function freePort(host = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

export class System {
  readonly directory = mkdtempSync(join(tmpdir(), 'picket-system-'));
  readonly #programs = new Set<Program>();

  /** A directory of its own below the test's; made if need be. */
  path(...parts: readonly string[]): string {
    const path = join(this.directory, ...parts);
    mkdirSync(path, { recursive: true });
    return path;
  }

  write(name: string, text: string): string {
    const path = join(this.directory, name);
    writeFileSync(path, text);
    return path;
  }

  start(name: string, command: readonly string[], options: RunOptions = {}): Program {
    const program = new Program(name, command, options);
    this.#programs.add(program);
    void program.exited.then(() => this.#programs.delete(program));
    return program;
  }

  /** Starts a central and waits until it serves. `config` is YAML; the data directory is `name`'s. */
  async central(options: CentralOptions = {}): Promise<Central> {
    const name = options.name ?? 'central';
    const data = options.data ?? this.path(name);
    const { httpHost = '127.0.0.1', mqttHost = httpHost } = options;
    const http = options.http ?? `${httpHost}:${await freePort(httpHost)}`;
    const mqtt = options.mqtt ?? `${mqttHost}:${await freePort(mqttHost)}`;
    const config = this.write(`${name}.yaml`, options.config ?? '');
    const command = ['run', '--config', config, '--http', http, '--mqtt', mqtt, '--data', data];
    const central = new Central(this, name, data, [process.execPath, ...centralFlags, centralMain, ...command], mqtt);
    await central.start();
    return central;
  }

  /** `picket-central` with these arguments, while none runs. */
  offline(args: readonly string[]) {
    return run(args[0]!, [process.execPath, centralMain, ...args, '--data', this.path('offline')]);
  }

  /** An agent of a machine that is not enrolled yet; `config` is YAML. */
  agent(name = 'agent', config = ''): Agent {
    return new Agent(this, name, this.path(name), this.write(`${name}.yaml`, config));
  }

  /** Ends everything. */
  async end(): Promise<void> {
    await Promise.all([...this.#programs].map((program) => program.end('SIGKILL')));
  }

  /** Ends everything and deletes the directory. */
  async close(): Promise<void> {
    await this.end();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export interface CentralOptions {
  readonly name?: string;
  readonly config?: string;
  readonly data?: string;
  readonly http?: string;
  readonly mqtt?: string;
  /** Where a free port is taken. */
  readonly httpHost?: string;
  readonly mqttHost?: string;
}

export interface LedgerAnswer {
  readonly rows: readonly LedgerRow[];
  readonly totals: Omit<LedgerRow, 'epoch' | 'parent' | 'start' | 'volatile' | 'firstMs' | 'lastMs'>;
}

export class Central {
  readonly data: string;
  /** `host:port` of the embedded broker. */
  readonly mqtt: string;
  url = '';
  program!: Program;
  readonly #system: System;
  readonly #name: string;
  readonly #command: readonly string[];

  constructor(system: System, name: string, data: string, command: readonly string[], mqtt: string) {
    this.#system = system;
    this.#name = name;
    this.#command = command;
    this.data = data;
    this.mqtt = mqtt;
  }

  /** (Again) with the same command. */
  async start(): Promise<void> {
    // Pages that are not built are no reason to fail: what is asked for here is the API.
    const pages = this.#system.path('pages');
    writeFileSync(join(pages, 'index.html'), '<!doctype html><title>Picket</title>');
    const env = { PICKET_ASSETS: pages, MALLOC_ARENA_MAX: '1' };
    this.program = this.#system.start(this.#name, this.#command, { env });
    const [, url] = await this.program.said(/^ready (\S+) user admin/m, 30_000);
    this.url = url!;
  }

  /** `picket-central` with these arguments, for this data directory. */
  command(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const data = args.includes('--data') ? [] : ['--data', this.data];
    return run(args[0]!, [process.execPath, centralMain, ...args, ...data], { env });
  }

  /** A request with the admin token. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const token = readFileSync(join(this.data, 'admin.token'), 'utf8').trim();
    const headers = { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string> | undefined) };
    const url = `${this.url}/api/v1${path}`;
    if (url.startsWith('https:')) return await this.#fetchPinned(url, init, headers);
    return await fetch(url, { ...init, headers });
  }

  /** By the CA that the central tells those who may read its data directory. */
  #fetchPinned(url: string, { method = 'GET', body }: RequestInit, headers: Record<string, string>): Promise<Response> {
    const { ca } = JSON.parse(readFileSync(join(this.data, 'central.json'), 'utf8')) as { ca: string };
    return new Promise((resolve, reject) => {
      const request = https.request(url, { method, headers, ca, agent: false }, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () => resolve(new Response(Buffer.concat(parts), { status: answer.statusCode ?? 0 })));
      });
      request.on('error', reject);
      request.end(body as string | undefined);
    });
  }

  /** The JSON answer to a GET; throws on anything but 200. */
  async get<T>(path: string): Promise<T> {
    const answer = await this.fetch(path);
    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    const headers = { 'content-type': 'application/json' };
    const answer = await this.fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`POST ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  async token(maxUses = 1): Promise<string> {
    return (await this.post<{ token: string }>('/tokens', { maxUses })).token;
  }

  /** An identity without a machine, for who speaks with the broker by hand. */
  async enrol(name: string): Promise<Enrolment> {
    return await this.post<Enrolment>('/enrol', { token: await this.token(), name });
  }

  state(agent: string): Promise<AgentState> {
    return this.get(`/agents/${agent}`);
  }

  ledger(agent: string): Promise<LedgerAnswer> {
    return this.get(`/agents/${agent}/ledger`);
  }
}

export class Agent {
  readonly data: string;
  readonly config: string;
  program!: Program;
  readonly #system: System;
  readonly #name: string;

  constructor(system: System, name: string, data: string, config: string) {
    this.#system = system;
    this.#name = name;
    this.data = data;
    this.config = config;
  }

  /** As an operator does it: with the command line. */
  async enrolAt(central: Central, ...more: readonly string[]): Promise<Enrolment> {
    const said = await this.enrol(central.url, '--token', await central.token(), '--name', this.#name, ...more);
    if (said.code !== 0) throw new Error(`enrol: ${said.stdout}${said.stderr}`);
    return this.enrolment();
  }

  /** `picket-agent enrol` with these arguments. */
  enrol(...args: readonly string[]) {
    return run('enrol', [process.execPath, agentMain, 'enrol', ...args, '--data', this.data]);
  }

  enrolment(): Enrolment {
    return JSON.parse(readFileSync(join(this.data, 'enrolment.json'), 'utf8')) as Enrolment;
  }

  /** Starts it; resolves when it measures. */
  async start(options: RunOptions & { readonly command?: (usual: readonly string[]) => readonly string[] } = {}) {
    const usual = [process.execPath, agentMain, 'run', '--config', this.config, '--data', this.data];
    this.program = this.#system.start(this.#name, options.command?.(usual) ?? usual, options);
    await this.program.said(/"msg":"started"/);
  }

  /** Resolves when the program has connected to its broker. */
  async connected(deadlineMs = 30_000): Promise<void> {
    await this.program.said(/"msg":"connected"/, deadlineMs);
  }

  /** Stops it cleanly. */
  async stop(): Promise<void> {
    const code = await this.program.end('SIGTERM');
    if (code !== 0) throw new Error(`the agent ended with ${code}: ${this.program.stderr.slice(-2000)}`);
  }

  /** What `run` keeps in `status.json`. */
  status<T>(): T {
    return JSON.parse(readFileSync(join(this.data, 'status.json'), 'utf8')) as T;
  }
}

/** Waits until the central has everything that this agent made in so many starts. */
export async function drained(central: Central, agent: string, starts = 1, deadlineMs = 30_000) {
  let last: LedgerAnswer | null = null;
  return await until(
    `${agent} has nothing pending`,
    async () => {
      last = await central.ledger(agent).catch(() => null);
      return last !== null && last.rows.length >= starts && last.totals.pending === 0 ? last : null;
    },
    deadlineMs,
    () => last,
  );
}
