import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCommand as runOne } from '../../shared/command-line.ts';
import { silentLog } from '../../test/support/timers.ts';
import type { Rollouts } from '../api.ts';
import { fakeRollouts } from '../http/fake-rollouts.ts';
import { START_MS, someModel } from '../http/fake-values.ts';
import { ADMIN_TOKEN, fakeServices, startTestServer } from '../http/fakes.ts';
import { writeCentralState } from '../state-files.ts';
import type { CentralContext } from './context.ts';
import { modelsCommand } from './models.ts';

let folder: string;
let close: () => Promise<unknown>;
/** What the rollouts were asked to do. */
let asked: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'picket-models-'));
  const fakes = fakeRollouts();
  const rollouts: Rollouts = {
    ...fakes,
    order: (id, order, by) => {
      asked.push(`${order} ${id}`);
      return fakes.order(id, order, by);
    },
    pin: (version, by) => {
      asked.push(`pin ${version}`);
      return fakes.pin(version, by);
    },
    unpin: async (agent, slot) => {
      asked.push(`unpin ${agent} ${slot}`);
    },
  };
  const { models } = fakeServices().services;
  const { app } = await startTestServer({ services: { models: { ...models, rollouts } } });
  close = () => app.close();
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  // The token of the test server is the one that the command finds.
  writeFileSync(join(folder, 'admin.token'), `${ADMIN_TOKEN}\n`, { mode: 0o600 });
  await writeCentralState(folder, { url, mqtt: null, ca: null, pid: 1, version: '0' });
});
beforeEach(() => {
  asked = [];
});
afterAll(async () => {
  await close();
  rmSync(folder, { recursive: true });
});

async function call(...args: string[]) {
  let stdout = '';
  let stderr = '';
  const context: CentralContext = {
    args: ['models', ...args, '--data', folder],
    env: {},
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
  const code = await runOne('picket-central', new Map([['models', modelsCommand]]), context);
  return { code, stdout, stderr };
}

describe('models', () => {
  it('lists versions, and one machine’s', async () => {
    for (const args of [[], ['list'], ['list', 'pump-7']]) {
      const { code, stdout } = await call(...args);
      expect([code, stdout]).toEqual([
        0,
        expect.stringMatching(/^v3 +pump-7 +seasonal +12 series .*applied +better\n$/),
      ]);
    }
    expect((await call('list', 'nobody')).stderr).toContain('nobody');
  });

  it('shows a version with its comparison, and as JSON', async () => {
    const { stdout } = await call('show', 'v3');
    expect(stdout).toMatch(/this one +99\.0 % within the band, 0\.50 findings a day/);
    expect(stdout).toContain(someModel.contentSha256);
    expect(JSON.parse((await call('show', '3', '--json')).stdout)).toEqual(someModel);
    expect((await call('show', '9')).stderr).toContain('There is no model version 9');
  });

  it('shows rollouts and pins', async () => {
    const { stdout } = await call('rollouts');
    expect(stdout).toMatch(/^1 {2}model\/seasonal {2}all {2}canary since .* on 1 of 1 machines {2}As good as/);
    expect(stdout).toMatch(/^pump-7 {2}model\/seasonal {2}pinned to v3 since .* by admin$/m);
  });

  it.each(['pause', 'resume', 'promote', 'rollback'])('%s is asked of the central', async (order) => {
    const { code, stdout } = await call(order, '1');
    expect([code, asked]).toEqual([0, [`${order} 1`]]);
    expect(stdout).toContain('model/seasonal');
  });

  it('pins a version to its own machine and slot alone, and unpins', async () => {
    expect((await call('pin', 'pump-7', 'seasonal', '3')).stdout).toContain('pinned to v3');
    expect((await call('pin', 'pump-8', 'seasonal', '3')).stderr).toContain('Version 3 is of pump-7 in seasonal');
    expect((await call('pin', 'pump-7', 'model/seasonal-10m', '3')).code).not.toBe(0);
    await call('unpin', 'pump-7', 'model/seasonal');
    expect(asked).toEqual(['pin 3', 'unpin pump-7 model/seasonal']);
  });

  it.each([
    ['nothing', 'there is no `models nothing`'],
    ['show', 'say which version'],
    ['show three', 'say which version'],
    ['pause', 'say which rollout'],
    ['pause 0', 'say which rollout'],
    ['pause 1 2', 'one argument too many'],
    ['pin pump-7', 'is no slot'],
    ['pin ../x model/seasonal 3', 'is not the id of an agent'],
    ['pin pump-7 model/seasonal', 'say to which version'],
    ['unpin pump-7 UPPER', 'is no slot'],
  ])('`%s` says what is wrong with it, and asks nothing', async (words, problem) => {
    const { code, stderr } = await call(...words.split(' '));
    expect([code, asked]).toEqual([64, []]);
    expect(stderr).toContain(problem);
  });
});
