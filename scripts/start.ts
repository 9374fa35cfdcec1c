/**
 * `npm start`: the whole system on this machine. Central (with its embedded broker and the pages) and an agent run as
 * processes of their own, from the sources, and are started again when they die.
 *
 *   npm start -- --http 127.0.0.1:7070 --mqtt 127.0.0.1:1883 --data ./.picket
 *
 * Prints, once it serves, one line `ready http://HOST:PORT user admin`, at the first start with `password …`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { buildWeb } from './build/web.ts';

const root = join(import.meta.dirname, '..');
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A process that ran for this long was well. */
const WELL_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;

const usage = 'usage: npm start -- [--http HOST:PORT] [--mqtt HOST:PORT] [--data DIR] [--config FILE]';
const { values } = (() => {
  try {
    return parseArgs({
      options: {
        http: { type: 'string', default: '127.0.0.1:7070' },
        mqtt: { type: 'string', default: '127.0.0.1:1883' },
        data: { type: 'string', default: './.picket' },
        config: { type: 'string' },
      },
    });
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    process.exit(64);
  }
})();

const dataDir = resolve(values.data);
const centralDir = join(dataDir, 'central');
const agentDir = join(dataDir, 'agent');
const assetsDir = join(root, '.build', 'web');

let stopping = false;
const running = new Set<ChildProcess>();

interface Service {
  readonly name: string;
  /** Asked anew at each start: a port that was free the first time is kept. */
  readonly args: () => readonly string[];
  readonly onLine: (line: string) => void;
}

/** Runs a program until the whole system stops; one that dies is started again with growing pauses. */
function keepRunning(service: Service, pauseMs = FIRST_PAUSE_MS): void {
  const startedMs = Date.now();
  const child = spawn(process.execPath, [...nodeFlags(service.name), ...service.args()], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    // glibc gives each thread an arena of its own, of which little is ever given back.
    env: { MALLOC_ARENA_MAX: '1', ...process.env, PICKET_ASSETS: assetsDir },
  });
  running.add(child);
  createInterface({ input: child.stdout }).on('line', service.onLine);
  child.on('exit', (code, signal) => {
    running.delete(child);
    if (stopping) return;
    // What an operator must change is not healed by starting again.
    if (code === 64 || code === 78 || (code === 69 && !served)) stop(code);
    else {
      const nextMs = Date.now() - startedMs > WELL_MS ? FIRST_PAUSE_MS : Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      console.error(`${service.name} ended (${signal ?? code}); it is started again`);
      setTimeout(() => {
        if (!stopping) keepRunning(service, nextMs);
      }, pauseMs);
    }
  });
}

/** Each program's flags are those of its executable (scripts/build), so that it costs here what it costs there. */
function nodeFlags(name: string): readonly string[] {
  return name === 'agent'
    ? ['--max-semi-space-size=1', '--single-threaded-gc', '--max-old-space-size=64']
    : ['--max-semi-space-size=4'];
}

let served = false;
let http = values.http;
let mqtt = values.mqtt;

function centralLine(line: string): void {
  const match = /^ready (\S+) user (\S+)(?: password (\S+))?$/.exec(line);
  if (match === null) {
    console.log(line);
    return;
  }
  const address = new URL(match[1]!);
  http = address.host;
  const state = JSON.parse(readFileSync(join(centralDir, 'central.json'), 'utf8')) as { mqtt?: string };
  if (state.mqtt !== undefined) mqtt = state.mqtt;
  if (served) return;
  served = true;
  console.log(line);
  void startAgent(match[1]!).catch((error: unknown) => {
    console.error(`the agent could not be enrolled: ${(error as Error).message}`);
    stop(1);
  });
  const password = match[3] === undefined ? 'the password that was printed at the first start' : 'the password above';
  console.log(`
Open ${match[1]} and log in as admin with ${password}.
Then try: look at this machine; in another terminal load its processor for a minute and see the incident:
  timeout 60 sh -c 'while :; do :; done' & timeout 60 sh -c 'while :; do :; done'
The first model is trained after a few minutes. Stop with Ctrl-C.`);
}

async function startAgent(url: string): Promise<void> {
  const environment: Record<string, string> = {};
  if (!existsSync(join(agentDir, 'enrolment.json'))) {
    const admin = readFileSync(join(centralDir, 'admin.token'), 'utf8').trim();
    const response = await fetch(`${url}/api/v1/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${admin}` },
      body: JSON.stringify({ note: 'npm start', maxUses: 1, expiresMs: Date.now() + 600_000 }),
    });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    environment.PICKET_ENROL_URL = url;
    environment.PICKET_TOKEN = ((await response.json()) as { token: string }).token;
  }
  if (stopping) return;
  Object.assign(process.env, environment);
  keepRunning({
    name: 'agent',
    args: () => ['agent/main.ts', 'run', '--data', agentDir, '--config', agentConfig()],
    onLine: console.log,
  });
}

/** The agent's enrolment says where the broker was then; a free port that was taken is another each time. */
function agentConfig(): string {
  const file = join(dataDir, 'agent.yaml');
  const enrolment = join(agentDir, 'enrolment.json');
  let broker = '';
  if (existsSync(enrolment)) {
    const url = new URL((JSON.parse(readFileSync(enrolment, 'utf8')) as { broker: string }).broker);
    url.port = new URL(`mqtt://${mqtt}`).port;
    broker = `connection:\n  broker: ${url.href.replace(/\/$/, '')}\n`;
  }
  writeFileSync(file, `# Written at each start by npm start.\n${broker}`);
  return file;
}

function stop(code: number): void {
  if (stopping) return;
  stopping = true;
  // The agent first, so that its last records are still taken.
  const children = [...running].reverse();
  void (async () => {
    for (const child of children) await ended(child);
    process.exit(code);
  })();
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    child.once('exit', () => {
      clearTimeout(timer);
      done();
    });
    child.kill('SIGTERM');
  });
}

process.on('SIGTERM', () => stop(0));
process.on('SIGINT', () => stop(0));

mkdirSync(dataDir, { recursive: true, mode: 0o700 });
await buildWeb(assetsDir);
const config = values.config === undefined ? [] : ['--config', resolve(values.config)];
keepRunning({
  name: 'central',
  args: () => ['central/main.ts', 'run', '--http', http, '--mqtt', mqtt, '--data', centralDir, ...config],
  onLine: centralLine,
});
