/** Keys over a real connection: replaced while an agent runs, kept elsewhere, signed without the central, restored. */
import { copyFileSync, cpSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { KeysState } from '../../central/keys/api.ts';
import { until } from '../support/processes.ts';
import { type Central, System } from '../support/system.ts';

let system: System;
beforeEach(() => {
  system = new System();
});
afterEach(() => system.close());

const keysOf = (central: Central) => central.get<KeysState>('/keys');
const only = (state: KeysState, role: string) => state.keys.filter((key) => key.role === role);

async function done(central: Central, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await central.command(['keys', ...args]);
  expect(code, `${args.join(' ')}: ${stderr}`).toBe(0);
  return `${stdout}${stderr}`;
}

test('keys are replaced, carried away, signed with elsewhere, and outlive a restore', {
  timeout: 120_000,
}, async () => {
  const central = await system.central();
  const agent = system.agent('agent', 'outbox: {commitInterval: 1s}\n');
  const { agent: id, keys: enrolled } = await agent.enrolAt(central);
  expect(enrolled?.payloadType).toBe('application/vnd.picket.keys+json');
  await agent.start();
  const knows = (version: number) =>
    until(
      `the agent has list ${version}`,
      async () => {
        const state = await keysOf(central);
        const told = (await central.state(id)).reported?.keyList?.version ?? 0;
        return state.version >= version && told >= version && state.behind.length === 0 ? state : null;
      },
      30_000,
      () => agent.program.stderr.slice(-2000),
    );
  const first = await knows(1);
  const backup = system.path('copy-of-keys');
  cpSync(join(central.data, 'keys'), backup, { recursive: true });

  // Online: the new key joins (2), and when the agent has it the old one goes (3).
  expect(await done(central, 'rotate', 'rollout')).toMatch(/rollout +[0-9a-f]{16} +leaving/);
  const third = await knows(3);
  expect(only(third, 'rollout')).toMatchObject([{ state: 'in force', here: true, acceptedBy: 1 }]);
  expect(only(third, 'rollout')[0]!.keyid).not.toBe(only(first, 'rollout')[0]!.keyid);

  // The root goes elsewhere; what it is to sign waits, is carried there and back, twice.
  const away = system.path('away');
  const root = join(away, 'root.pem');
  expect(await done(central, 'offline', 'root', root)).toContain('no key can be added');
  expect(statSync(root).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(central.data, 'keys'))).not.toContain('root.pem');
  expect((await central.command(['keys', 'offline', 'root', join(away, 'again.pem')])).code).not.toBe(0);
  expect(await done(central, 'rotate', 'command', '--now')).toContain('waits for the root');
  const request = join(away, 'request.json');
  expect(await done(central, 'request', request)).toContain('key list 4');
  const { code: unsigned } = await central.command(['keys', 'sign', request, '--key', join(backup, 'model.pem')]);
  expect(unsigned).not.toBe(0);
  await done(central, 'sign', request, '--key', root, '--data', system.path('nowhere'));
  expect(await done(central, 'take', `${request}.signed`)).toContain('1 taken');
  expect(await done(central, 'take', `${request}.signed`)).toContain('0 taken, 1 that nothing waits for');
  const fourth = await knows(4);
  expect(only(fourth, 'command')).toHaveLength(1);
  // The agent obeys the new key.
  const values = `/agents/${id}/values?series=0123456789abcdef&from=${Date.now() - 60_000}&to=${Date.now()}`;
  await until('the agent obeys', async () => (await central.fetch(values)).status === 200, 80_000);
  await done(central, 'export', join(away, 'public.json'));
  expect(readFileSync(join(away, 'public.json'), 'utf8')).not.toContain('PRIVATE');

  // An older state of the central comes back: it goes on above what its agent has, without the key that was dropped.
  await central.program.end('SIGTERM');
  rmSync(join(central.data, 'keys'), { recursive: true });
  renameSync(backup, join(central.data, 'keys'));
  copyFileSync(root, join(central.data, 'keys', 'root.pem'));
  await central.start();
  const restored = await knows(5);
  expect(only(restored, 'command')[0]!.keyid).not.toBe(only(first, 'command')[0]!.keyid);
  expect(central.program.stderr).toContain('this central was restored, and goes on above it');
});
