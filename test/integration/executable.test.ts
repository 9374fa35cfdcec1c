/** The built files, not the sources: each runs where there is nothing but itself and a C library. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ModelVersion } from '../../central/api.ts';
import { ForecastChild } from '../../central/forecast/child.ts';
import { executable } from '../../scripts/build/executables.ts';
import { version } from '../../shared/version.ts';
import { type BareRoot, bareRoot } from '../support/bare-root.ts';
import { seededNormal } from '../support/history.ts';
import { type Program, run, until } from '../support/processes.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';
import { tellHistory } from '../support/synthetic.ts';
import { Central, drained, freePort, System } from '../support/system.ts';

const BUILD_MS = 120_000;
/** Under emulation a start takes seconds. */
const EMULATED_MS = 120_000;
const emulator = '/usr/bin/qemu-aarch64-static';
/** Where Debian's cross packages put the C library of arm64. */
const emulatedRoot = { QEMU_LD_PREFIX: '/usr/aarch64-linux-gnu' };

let agentFile: string;
let centralFile: string;
let arm64File: string;
beforeAll(async () => {
  agentFile = await executable('picket-agent');
  centralFile = await executable('picket-central');
  arm64File = await executable('picket-agent', 'linux-arm64');
}, BUILD_MS);

let system: System;
beforeEach(() => {
  system = new System();
});
afterEach(() => system.close());

async function startCentral(): Promise<Central> {
  const data = system.path('central');
  const mqtt = `127.0.0.1:${await freePort()}`;
  const options = ['run', '--http', `127.0.0.1:${await freePort()}`, '--mqtt', mqtt, '--data', data];
  const central = new Central(system, 'central', data, ['/usr/bin/env', '-i', 'PATH=', centralFile, ...options], mqtt);
  await central.start();
  return central;
}

function statusOf(data: string): { readonly updatedMonotonicMs: number } | null {
  try {
    return JSON.parse(readFileSync(join(data, 'status.json'), 'utf8')) as { updatedMonotonicMs: number };
  } catch {
    return null;
  }
}

/**
 * Starts the agent so that it enrols itself, ends it, so that it closes its window, and starts it again, so that it
 * sends what it kept. All that it made must be at the central then.
 * @param data its data directory as the test sees it
 */
async function twoLives(
  central: Central,
  data: string,
  start: (env: Readonly<Record<string, string>>) => Program,
  deadlineMs: number,
): Promise<void> {
  const token = await central.token();
  const first = start({ PICKET_ENROL_URL: central.url, PICKET_TOKEN: token, PICKET_NAME: 'bare' });
  await first.said(/"msg":"connected"/, deadlineMs);
  const { agents } = await central.get<{ agents: readonly { id: string; name: string }[] }>('/agents');
  expect(agents.map(({ name }) => name)).toEqual(['bare']);
  const { id } = agents[0]!;
  await until('the central has records', async () => (await central.ledger(id)).totals.committed > 0, deadlineMs);
  // Its second status comes after ten seconds of measuring: the window that it closes is not empty.
  const started = statusOf(data)?.updatedMonotonicMs;
  await until('a later status', () => (statusOf(data)?.updatedMonotonicMs ?? 0) > (started ?? 0), deadlineMs);
  expect(await first.end('SIGTERM')).toBe(0);

  const second = start({});
  await second.said(/"msg":"connected"/, deadlineMs);
  const series = await until(
    'the central has a summary',
    async () => {
      const { series } = await central.get<{ series: readonly { name: string; last: number | null }[] }>(
        `/agents/${id}/series`,
      );
      // The table of the series comes before the values.
      return series.some(({ last }) => last !== null) ? series : null;
    },
    deadlineMs,
  );
  expect(series.length).toBeGreaterThan(50);
  const memory = series.find(({ name }) => name === 'system.memory.limit');
  const told = /^MemTotal:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'latin1'))!;
  expect(memory?.last).toBe(Number(told[1]) * 1024);

  const { rows, totals } = await drained(central, id, 2, deadlineMs);
  expect(rows.length).toBe(2);
  expect(totals).toMatchObject({ committed: totals.made, quarantined: 0, pending: 0, lost: 0 });
  expect(await second.end('SIGTERM')).toBe(0);
}

test('the agent runs in a root of its own without PATH, enrols, and sends all that it made', {
  timeout: 90_000,
}, async () => {
  const central = await startCentral();
  const root: BareRoot = bareRoot(system.path('root'), agentFile);
  const inside = await run('version', root.command({}, 'version'));
  expect(inside.stdout).toBe(`picket-agent ${version} (node 24.21.0, linux-${process.arch})\n`);
  await twoLives(
    central,
    root.dataHere,
    (env) => system.start('agent', root.command(env, 'run', '--data', root.data)),
    30_000,
  );
  expect(await central.program.end('SIGTERM')).toBe(0);
});

test('the central serves the pages that are inside of it', async () => {
  const central = await startCentral();
  const page = await fetch(`${central.url}/`);
  expect(page.status).toBe(200);
  const scripts = [...(await page.text()).matchAll(/<script[^>]+src="([^"]+)"/g)].map((match) => match[1]!);
  expect(scripts.length).toBeGreaterThan(0);
  for (const script of scripts) {
    const answer = await fetch(new URL(script, central.url));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^text\/javascript/);
  }
});

test('a library on disk that is not the one inside is replaced, not loaded', async () => {
  const data = system.path('agent');
  const start = () => system.start('agent', [agentFile, 'run', '--data', data]);
  const first = start();
  await first.said(/"msg":"started"/);
  expect(await first.end('SIGTERM')).toBe(0);
  const native = join(data, 'native');
  const [name] = readdirSync(native);
  const good = readFileSync(join(native, name!));
  await run('damage', [
    '/bin/sh',
    '-c',
    `chmod u+w "$1" && printf broken > "$1" && touch "$1.1.tmp"`,
    'sh',
    join(native, name!),
  ]);
  const second = start();
  await second.said(/"msg":"started"/);
  expect(await second.end('SIGTERM')).toBe(0);
  expect(readdirSync(native)).toEqual([name]);
  expect(readFileSync(join(native, name!)).equals(good)).toBe(true);
});

test('the child that repairs an outbox runs without a data directory of its own', async () => {
  const data = system.path('agent');
  const temporary = system.path('tmp');
  const agent = system.start('agent', [agentFile, 'run', '--data', data]);
  await agent.said(/"msg":"started"/);
  expect(await agent.end('SIGTERM')).toBe(0);
  const database = join(data, 'outbox', 'format-1');
  const env = ['PATH=', `TMPDIR=${temporary}`];
  const repaired = await run('repair', ['/usr/bin/env', '-i', ...env, agentFile, 'repair-outbox', database]);
  expect(repaired).toEqual({ code: 0, stdout: '', stderr: '' });
  // The library was loaded from there, and leaves nothing.
  expect(readdirSync(temporary)).toEqual([]);
});

test('the child that makes forecasts has its library inside', { timeout: 90_000 }, async () => {
  const child = new ForecastChild([centralFile, 'make-forecasts']);
  try {
    const column = Float64Array.from({ length: 120 }, (_, day) => 0.2 + 0.002 * day + 0.004 * Math.sin(day * day));
    const outlook = await child.outlook({ column, season: 7, horizon: 14, lowest: 0, highest: 1 });
    expect(outlook!.model).toMatch(/ARIMA/);
    expect(outlook!.value[0]).toBeCloseTo(0.44, 1);
  } finally {
    child.end();
  }
});

test('the thread that trains has its script inside', async () => {
  const central = await startCentral();
  const enrolment = await central.enrol('scripted');
  const scripted = await ScriptedAgent.connect(enrolment);
  const normal = seededNormal(7);
  await tellHistory(scripted, [{ name: 'test.level', unit: '1', attributes: {} }], 60, () => 10 + normal());
  await scripted.close();
  const { models } = await central.post<{ models: readonly ModelVersion[] }>('/models/train', {
    agent: enrolment.agent,
  });
  expect(models).toMatchObject([{ kind: 'model/seasonal', state: 'published', series: 1 }]);
  // It stops while its threads are still there.
  expect(await central.program.end('SIGTERM')).toBe(0);
});

test('arm64: version, check, and a life that the central has whole', { timeout: 2 * EMULATED_MS }, async () => {
  const emulated = (...args: readonly string[]): readonly string[] => [emulator, arm64File, ...args];
  const told = await run('version', emulated('version'), { env: emulatedRoot });
  expect(told.stdout).toBe(`picket-agent ${version} (node 24.21.0, linux-arm64)\n`);
  const data = system.path('arm64');
  const checked = await run('check', emulated('check', '--data', data), { env: emulatedRoot });
  expect(checked.stdout).toMatch(/^input {6}linux\.cpu +\d+ series/m);
  const central = await startCentral();
  const start = (env: Readonly<Record<string, string>>) =>
    system.start('agent', emulated('run', '--data', data), { env: { ...emulatedRoot, ...env } });
  await twoLives(central, data, start, EMULATED_MS);
});
