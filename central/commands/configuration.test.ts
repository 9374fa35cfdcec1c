import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommand as runOne } from '../../shared/command-line.ts';
import { silentLog } from '../../test/support/timers.ts';
import type { ConfigurationChange, Configurations } from '../configuration/api.ts';
import { fakeConfigurations } from '../http/fake-configurations.ts';
import { START_MS } from '../http/fake-values.ts';
import { ADMIN_TOKEN, startTestServer } from '../http/fakes.ts';
import { writeCentralState } from '../state-files.ts';
import { configurationCommand } from './configuration.ts';
import type { CentralContext } from './context.ts';

let folder: string;
let close: () => Promise<unknown>;
const asked: unknown[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'picket-configuration-'));
  const fakes = fakeConfigurations();
  const configurations: Configurations = {
    ...fakes,
    change: (scope, change: ConfigurationChange, by) => {
      asked.push([scope, change]);
      return fakes.change(scope, change, by);
    },
    order: (scope, order, by) => {
      asked.push([scope, order]);
      return fakes.order(scope, order, by);
    },
  };
  const { app } = await startTestServer({ services: { configurations } });
  close = () => app.close();
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  writeFileSync(join(folder, 'admin.token'), `${ADMIN_TOKEN}\n`, { mode: 0o600 });
  await writeCentralState(folder, { url, mqtt: null, ca: null, pid: 1, version: '0' });
});
afterAll(async () => {
  await close();
  rmSync(folder, { recursive: true });
});

async function call(args: readonly string[], env: Record<string, string> = {}) {
  let stdout = '';
  let stderr = '';
  const context: CentralContext = {
    args: ['configuration', ...args, '--data', folder],
    env,
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    usualConfig: join(folder, 'none.yaml'),
    signal: new AbortController().signal,
    nowMs: () => START_MS,
    createLog: () => silentLog,
    start: () => Promise.reject(new Error('not here')),
  };
  const code = await runOne('picket-central', new Map([['configuration', configurationCommand]]), context);
  return { code, stdout, stderr };
}

it('shows what is said for a machine, and what the machine goes by', async () => {
  const { stdout, code } = await call(['show', 'pump-7']);
  expect(code).toBe(0);
  expect(stdout).toContain('agent:pump-7: version 1 is in force, 2 is the newest');
  expect(stdout).toContain('raw: incident');
  expect(stdout).toContain('machine     trial, version 3 of all 2');
  expect(stdout).toContain('  raw  (all)');
});

it('sets the whole text above the version that it saw', async () => {
  const file = join(folder, 'new.yaml');
  writeFileSync(file, 'raw: never\n');
  expect((await call(['set', 'all', file, '--comment', 'privacy'])).code).toBe(0);
  expect(asked.at(-1)).toEqual(['all', { text: 'raw: never\n', comment: 'privacy', seen: 2 }]);
});

it('opens an editor, and keeps what it leaves', async () => {
  const { code, stderr } = await call(['edit', 'cohort:pumps'], { EDITOR: 'echo "window: 10m" >>' });
  expect(stderr).toBe('');
  expect(code).toBe(0);
  expect(asked.at(-1)).toEqual(['cohort:pumps', { text: 'raw: incident\nwindow: 10m\n', comment: '', seen: 2 }]);
  expect((await call(['edit', 'all'], { EDITOR: 'true' })).stdout).toBe('nothing was changed\n');
});

it('moves a rollout, and says what a version changed', async () => {
  expect((await call(['pause', 'all'])).code).toBe(0);
  expect(asked.at(-1)).toEqual(['all', 'pause']);
  expect((await call(['diff', 'all', '2'])).stdout).toBe('+ raw: incident\n');
  expect((await call(['history', 'all'])).stdout).toContain('ada: less leaves the site');
});

it('says what it does not know', async () => {
  expect((await call(['drop', 'all'])).stderr).toContain('there is no `configuration drop`');
  expect((await call(['show', 'a b'])).stderr).toContain('is none of all, cohort:NAME, the id of a machine');
});
