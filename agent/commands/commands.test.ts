import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Command } from '../../shared/command-line.ts';
import { runCommand as runOne } from '../../shared/command-line.ts';
import { integer, object, optional, string } from '../../shared/config/types.ts';
import { PicketError } from '../../shared/errors.ts';
import { openBootClock, readBootId } from '../boot.ts';
import type { Input, InputKind } from '../inputs/input.ts';
import { type AgentReport, type AgentStatus, readStatus, statusPath, writeStatus } from '../status.ts';
import { checkCommand } from './check.ts';
import type { AgentContext, StartOptions } from './context.ts';
import { enrolCommand } from './enrol.ts';
import { inputsCommand } from './inputs.ts';
import { installCommand } from './install.ts';
import { runCommand } from './run.ts';
import { statusCommand } from './status.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'picket-agent-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const clock = openBootClock();
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** An input that makes `series` series, or does what `read` does. */
function kindOf(options: {
  automatic?: boolean;
  series?: number;
  missing?: string[];
  read?: Input['read'];
  deadlineMs?: number;
}): InputKind<unknown> {
  const config = object({
    doc: 'A device.',
    keys: {
      port: integer({ doc: 'Its port.', default: 502, max: 65_535 }),
      name: optional(string({ doc: 'Its name.' })),
    },
  });
  const read: Input['read'] = (_now, sink) => {
    for (let i = 0; i < (options.series ?? 1); i++) {
      sink.put(sink.series({ name: 'm', unit: '1', attributes: { i: String(i) }, kind: 'gauge' }), 1);
    }
  };
  return {
    doc: 'A device for tests.',
    config,
    automatic: () => options.automatic ?? true,
    timing: () => ({ intervalMs: 1000, deadlineMs: options.deadlineMs ?? 1000 }),
    missingRights: () => options.missing ?? [],
    open: async () => ({ read: options.read ?? read, close: async () => {} }),
  } as InputKind<unknown>;
}

const report: AgentReport = {
  agent: 'pump-7',
  connection: {
    state: 'connected',
    broker: 'mqtt://127.0.0.1:1883',
    sinceMonotonicMs: 1,
    lastAckMonotonicMs: null,
    problem: null,
  },
  outbox: {
    pendingRecords: 12,
    pendingBytes: 34_500,
    diskBytes: 1_000_000,
    limitBytes: 64_000_000,
    gapRecords: 1,
    lostRecords: 2,
    failing: null,
  },
  incidents: [{ severity: 'warning', title: 'CPU is busy\u001b[2J', openedMs: 5 }],
  models: [],
  inputs: [{ label: 'modbus/boiler', series: 0, failures: 3, failing: 'connection refused' }],
  series: 264,
  warnings: [],
};

async function call(command: Command<AgentContext>, args: string[], over: Partial<AgentContext> = {}) {
  let stdout = '';
  let stderr = '';
  const context: AgentContext = {
    args: ['x', ...args],
    env: {},
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    kinds: new Map([['linux.cpu', kindOf({})]]),
    host: { procRoot: '/proc', sysRoot: '/sys', root: '/', platform: 'linux', clock, log: silent },
    usualConfig: join(folder, 'none.yaml'),
    signal: new AbortController().signal,
    start: () => Promise.reject(new Error('not here')),
    ...over,
  };
  return { code: await runOne('picket-agent', new Map([['x', command]]), context), stdout, stderr };
}

function file(text: string): string {
  const path = join(folder, 'agent.yaml');
  writeFileSync(path, text);
  return path;
}

describe('check', () => {
  const data = () => ['--data', folder];

  test('says that all is well, and how many series there are', async () => {
    const { code, stdout, stderr } = await call(checkCommand, data(), {
      kinds: new Map([
        ['a', kindOf({ series: 3 })],
        ['b', kindOf({ automatic: false })],
      ]),
    });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toMatch(/config {5}none at .*none\.yaml: the defaults/);
    expect(stdout).toContain(`${folder} can be written`);
    expect(stdout).toMatch(/input {6}a {6}3 series/);
    expect(stdout).not.toMatch(/input {6}b/);
    expect(stdout).toContain('series     3 of at most 2000');
  });

  test('points at every mistake of the configuration', async () => {
    const path = file('outbox:\n  size: 64\nlinux: 3\n');
    const { code, stderr } = await call(checkCommand, ['--config', path]);
    expect(code).toBe(78);
    expect(stderr).toContain(`${path}:2:9: outbox.size: 64 is not allowed`);
    expect(stderr).toContain(`${path}:3:1: linux: "linux" is not a key`);
    expect(stderr).not.toContain('at parse');
  });

  test('a file that is named must be there, and be no larger than a configuration', async () => {
    expect(await call(checkCommand, ['--config', join(folder, 'gone.yaml')])).toMatchObject({ code: 66 });
    expect(await call(checkCommand, ['--config', folder])).toMatchObject({ code: 66 });
    expect(await call(checkCommand, ['--config', '/dev/zero'])).toMatchObject({ code: 65 });
  });

  test('names missing rights, and fails for a configured input alone', async () => {
    const broken = kindOf({
      missing: ['CAP_X, for y'],
      read: () => {
        throw new PicketError('input.failed', 'no answer from\nthe device');
      },
    });
    const kinds = new Map([['a', broken]]);
    const automatic = await call(checkCommand, data(), { kinds });
    expect(automatic.code).toBe(0);
    expect(automatic.stdout).toContain('failed: no answer from the device');
    expect(automatic.stdout).toContain('missing: CAP_X, for y');
    expect((await call(checkCommand, [...data(), '--config', file('inputs: {a: {}}')], { kinds })).code).toBe(69);
  });

  test('an input that hangs is given up at its deadline and told to stop', async () => {
    let told = false;
    const hanging = kindOf({
      deadlineMs: 20,
      read: (_now, _sink, signal) =>
        new Promise(() => {
          signal.addEventListener('abort', () => {
            told = true;
          });
        }),
    });
    const { stdout } = await call(checkCommand, data(), { kinds: new Map([['a', hanging]]) });
    expect(stdout).toContain('failed: reading it took longer than 20 ms');
    expect(told).toBe(true);
  });

  test('more series than are allowed are an error', async () => {
    const path = file('limits: {series: 16}');
    const { code, stdout } = await call(checkCommand, [...data(), '--config', path], {
      kinds: new Map([['a', kindOf({ series: 17 })]]),
    });
    expect(code).toBe(78);
    expect(stdout).toContain('17 of at most 16: more than');
  });

  test('a data directory that is a file is an error', async () => {
    const path = file('');
    const { code, stdout } = await call(checkCommand, ['--data', path]);
    expect(code).toBe(74);
    expect(stdout).toContain(`${path} cannot be written`);
  });

  test('a damaged enrolment is an error', async () => {
    writeFileSync(join(folder, 'enrolment.json'), '{"agent": "a/b"}');
    expect(await call(checkCommand, data())).toMatchObject({
      code: 65,
      stdout: expect.stringContaining('no enrolment'),
    });
  });
});

describe('status', () => {
  const own = (): AgentStatus => ({
    ...report,
    status: 1,
    version: '1.2.3',
    pid: process.pid,
    boot: readBootId(),
    startedMonotonicMs: clock.monotonicMs() - 300_000,
    updatedMonotonicMs: clock.monotonicMs(),
    memory: { rssBytes: 64_000_000, heapBytes: 9_000_000 },
  });

  test('tells what the running agent does', async () => {
    await writeStatus(folder, own());
    const { code, stdout } = await call(statusCommand, ['--data', folder]);
    expect(code).toBe(0);
    expect(stdout).toContain(`running    1.2.3, process ${process.pid}, for 5 min`);
    expect(stdout).toContain('outbox     12 records pending (34.5 kB), 1.0 MB of 64.0 MB on disk');
    expect(stdout).toContain('modbus/boiler: connection refused (3 times)');
    expect(stdout).toContain('warning: CPU is busy');
    expect(stdout).not.toContain('\u001b');
  });

  test.each<[string, Partial<AgentStatus>, RegExp]>([
    ['of a process that ended', { pid: 2 ** 22 + 5 }, /process \d+ has ended/],
    ['of another boot', { boot: 'f'.repeat(32) }, /before the machine started/],
    ['that is not replaced', { updatedMonotonicMs: 0 }, /has written no status for/],
    ['of no process', { pid: -1 }, /has ended/],
  ])('a status %s is not that of a running agent', async (_what, change, message) => {
    await writeStatus(folder, { ...own(), ...change });
    const { code, stdout } = await call(statusCommand, ['--data', folder]);
    expect(code).toBe(69);
    expect(stdout).toMatch(/^not running/);
    expect(stdout).toMatch(message);
  });

  test('says that none has run here', async () => {
    expect(await call(statusCommand, ['--data', folder])).toMatchObject({
      code: 69,
      stdout: `not running: no agent has run with ${folder}\n`,
    });
    const { stdout } = await call(statusCommand, ['--data', folder, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ running: false });
  });

  test.each([['{'], ['{}'], ['null'], ['{"status": 1}'], ['[]']])('%s is no status', async (text) => {
    writeFileSync(statusPath(folder), text);
    expect(await call(statusCommand, ['--data', folder])).toMatchObject({ code: 65 });
  });
});

describe('run', () => {
  /** Stops once it has run. */
  function starter() {
    const stopping = new AbortController();
    const events: string[] = [];
    const start = async ({ dataDir, config }: StartOptions) => {
      events.push(`start ${config.log.level}`);
      const wait = setInterval(() => {
        if (existsSync(statusPath(dataDir))) {
          clearInterval(wait);
          stopping.abort();
        }
      }, 5);
      return {
        stop: async () => {
          events.push('stop');
        },
        report: () => report,
      };
    };
    return { events, over: { start, signal: stopping.signal } };
  }

  test('starts, writes its status, and stops when it is told to', async () => {
    const { events, over } = starter();
    const data = join(folder, 'deep', 'data');
    const { code, stderr } = await call(runCommand, ['--data', data, '--config', file('log: {level: error}')], over);
    expect({ code, stderr, events }).toEqual({ code: 0, stderr: '', events: ['start error', 'stop'] });
    expect(statSync(data).mode & 0o777).toBe(0o700);
    expect(await readStatus(data)).toMatchObject({ pid: process.pid, agent: 'pump-7', boot: readBootId() });
  });

  test('a configuration that is wrong starts nothing', async () => {
    const { events, over } = starter();
    expect(await call(runCommand, ['--config', file('nonsense: 1')], over)).toMatchObject({ code: 78 });
    expect(await call(runCommand, ['--nonsense'], over)).toMatchObject({ code: 64 });
    expect(await call(runCommand, ['one', 'two'], over)).toMatchObject({ code: 64 });
    expect(events).toEqual([]);
  });

  test('enrols itself with what the environment says, once', async () => {
    const central = await enrolling();
    const env = { PICKET_ENROL_URL: central.address, PICKET_TOKEN: 'let-me-in', PICKET_SITE: 'roof' };
    for (let i = 0; i < 2; i++) {
      const { over } = starter();
      expect(await call(runCommand, ['--data', folder], { ...over, env })).toMatchObject({ code: 0 });
      rmSync(statusPath(folder));
    }
    expect(central.bodies).toEqual([{ token: 'let-me-in', name: hostname(), site: 'roof' }]);
    central.close();
  });

  test('a token that is refused is told at once', async () => {
    const central = await enrolling(403);
    const { events, over } = starter();
    const env = { PICKET_ENROL_URL: central.address, PICKET_TOKEN: 'wrong' };
    expect(await call(runCommand, ['--data', folder], { ...over, env })).toMatchObject({ code: 77 });
    expect(events).toEqual([]);
    central.close();
  });
});

async function enrolling(status = 200) {
  const bodies: unknown[] = [];
  const answer = {
    agent: 'pump-7',
    name: 'n',
    broker: 'mqtt://127.0.0.1:1883',
    prefix: 'p',
    username: 'u',
    password: 'w',
    ca: null,
    rootKey: `${'A'.repeat(43)}=`,
  };
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      bodies.push(JSON.parse(body));
      response
        .writeHead(status)
        .end(JSON.stringify(status === 200 ? answer : { code: 'token.invalid', detail: 'used up' }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, bodies, close: () => server.close() };
}

describe('enrol', () => {
  test('writes what only the owner may read, and replaces it only when told to', async () => {
    const central = await enrolling();
    const args = [
      central.address,
      '--token',
      't',
      '--name',
      'pump 7',
      '--site',
      'roof',
      '--tag',
      'line=4',
      '--data',
      folder,
    ];
    expect(await call(enrolCommand, args)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('enrolled as pump-7'),
    });
    expect(central.bodies).toEqual([{ token: 't', name: 'pump 7', site: 'roof', tags: { line: '4' } }]);
    expect(statSync(join(folder, 'enrolment.json')).mode & 0o777).toBe(0o600);
    expect(await call(enrolCommand, args)).toMatchObject({ code: 75, stderr: expect.stringContaining('--again') });
    expect(await call(enrolCommand, [...args, '--again'])).toMatchObject({ code: 0 });
    central.close();
  });

  test.each([
    [[], /address of the central is missing/],
    [['127.0.0.1:1'], /--token is missing/],
    [['127.0.0.1:1', 'x', '--token', 't'], /one argument too many/],
    [['127.0.0.1:1', '--token', 't', '--tag', 'x'], /not `key=value`/],
    [['127.0.0.1:1', '--token'], /token/],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await call(enrolCommand, [...args, '--data', folder]);
    expect(code).toBe(64);
    expect(stderr).toMatch(message);
  });
});

describe('install', () => {
  test('writes and enables the unit below another root', async () => {
    const path = join(folder, 'etc/systemd/system/picket-agent.service');
    const wants = join(folder, 'etc/systemd/system/multi-user.target.wants/picket-agent.service');
    for (let i = 0; i < 2; i++) {
      expect(await call(installCommand, ['--root', folder, '--config', '/etc/picket/a.yaml'])).toMatchObject({
        code: 0,
      });
    }
    expect(readFileSync(path, 'utf8')).toContain('run --config /etc/picket/a.yaml\n');
    expect(lstatSync(wants).isSymbolicLink()).toBe(true);
    expect(readlinkSync(wants)).toBe('/etc/systemd/system/picket-agent.service');
  });

  test('prints the unit and does nothing', async () => {
    const { code, stdout } = await call(installCommand, ['--root', folder, '--print']);
    expect(code).toBe(0);
    expect(stdout).toContain('[Service]');
    expect(existsSync(join(folder, 'etc'))).toBe(false);
  });

  test('a root that is a file is one clear message', async () => {
    chmodSync(file(''), 0o600);
    expect(await call(installCommand, ['--root', join(folder, 'agent.yaml')])).toMatchObject({
      code: 73,
      stderr: expect.stringContaining('cannot install'),
    });
  });
});

test('inputs lists each kind with its settings, for people and programs', async () => {
  const kinds = new Map([
    ['linux.cpu', kindOf({})],
    ['modbus', kindOf({ automatic: false })],
  ]);
  const { stdout } = await call(inputsCommand, [], { kinds });
  expect(stdout).toContain(
    'linux.cpu  (automatic here)\n  A device for tests.\n    port: Its port. (a whole number of at most 65535, default 502)\n',
  );
  expect(stdout).toContain('modbus  (only when configured)');
  const json = JSON.parse((await call(inputsCommand, ['--json'], { kinds })).stdout);
  expect(json[1]).toMatchObject({
    name: 'modbus',
    automatic: false,
    settings: [
      { key: 'port', default: 502 },
      { key: 'name', default: null },
    ],
  });
});
