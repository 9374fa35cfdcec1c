/** A rule that fires, and its silence: asked for on the machine and at the central, over restarts, on real programs. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AgentState, MuteOrder } from '../../central/api.ts';
import type { StoredIncident } from '../../central/store/store.ts';
import { run, until } from '../support/processes.ts';
import { type Agent, type Central, System } from '../support/system.ts';

const agentMain = join(import.meta.dirname, '..', '..', 'agent', 'main.ts');

let system: System;
let sleeper: ReturnType<typeof spawn> | null = null;
beforeEach(() => {
  system = new System();
});
afterEach(async () => {
  sleeper?.kill('SIGKILL');
  await system.close();
});

/** A process that only this test has; its end is found by the rule that is shipped for it. */
function startSleeper(): string {
  const seconds = `${86_000 + process.pid / 1e7}`;
  sleeper = spawn('sleep', [seconds], { stdio: 'ignore' });
  return seconds;
}

function onMachine(agent: Agent, ...args: readonly string[]) {
  return run(args[0]!, [process.execPath, agentMain, ...args, '--data', agent.data, '--config', agent.config]);
}

async function muted(central: Central, id: string): Promise<readonly string[]> {
  const { reported } = await central.get<AgentState>(`/agents/${id}`);
  return (reported?.mutes ?? []).map(({ rule, series, reason }) => [rule, series, reason].join('/'));
}

async function incident(central: Central, id: string): Promise<StoredIncident | undefined> {
  const { incidents } = await central.get<{ incidents: StoredIncident[] }>(`/agents/${id}/incidents`);
  return incidents.find(({ findings }) => findings.some(({ rule }) => rule === 'process-gone'));
}

test('a dead process is found in seconds; while it is muted it wakes nobody, and over a restart it stays one', async () => {
  const central = await system.central();
  const seconds = startSleeper();
  const agent = system.agent(
    'agent',
    [
      'inputs:',
      `  process: { interval: 1s, watch: [{ name: boiler, command: "sleep ${seconds}" }] }`,
      'outbox: { commitInterval: 1s }',
    ].join('\n'),
  );
  const { agent: id } = await agent.enrolAt(central);

  // The machine is not there yet: the order waits for it.
  const asked = await central.command(['mute', id, '2h', '--reason', 'a new boiler']);
  expect(asked.stdout).toMatch(new RegExp(`^${id} was asked to mute everything until .* UTC\n$`));
  await agent.start();
  await until('the machine is muted', async () => (await muted(central, id)).join() === '//a new boiler');
  const { orders } = await central.get<{ orders: MuteOrder[] }>(`/agents/${id}/mutes`);
  expect(orders.map(({ state }) => state)).toEqual(['done']);

  const killedMs = Date.now();
  sleeper!.kill('SIGKILL');
  const found = await until('the incident is there', async () => (await incident(central, id)) ?? null);
  expect(found.openedMs - killedMs).toBeLessThan(20_000);
  expect(found).toMatchObject({ state: 'open', severity: 'critical', notify: { wakes: false, reason: 'muted' } });
  expect(found.findings.find(({ rule }) => rule === 'process-gone')).toMatchObject({
    key: { name: 'process.watched.count', attributes: { 'process.watched.name': 'boiler' } },
    seen: 0,
    limit: 1,
    muted: true,
  });

  await agent.program.end('SIGKILL');
  await agent.start();
  await until('it reports again', async () => (await central.state(id)).presence === 'online');
  expect((await onMachine(agent, 'status')).stdout).toMatch(/^muted +everything until .*: a new boiler$/m);
  const listed = await onMachine(agent, 'mute', '30m', '--rule', 'oom-*');
  expect(listed.stdout.split('\n').filter((line) => line.startsWith('muted: '))).toHaveLength(2);
  await until('the central knows of both', async () => (await muted(central, id)).length === 2);

  expect((await onMachine(agent, 'unmute')).stdout).toBe('2 ended\nnothing is muted\n');
  await until('the central knows of that', async () => (await muted(central, id)).length === 0);
  const woken = await until('what still is so may wake somebody', async () => {
    const later = await incident(central, id);
    return later?.notify?.wakes === true ? later : null;
  });
  expect([woken.epoch, woken.seq]).toEqual([found.epoch, found.seq]);

  const { entries } = await central.get<{ entries: { action: string; actor: string; detail: string }[] }>('/audit');
  const trail = entries.filter(({ action }) => /^agent\.(un)?mute/.test(action)).map(({ action }) => action);
  expect(trail.filter((action) => action === 'agent.mute')).toHaveLength(1);
  await until('what was done on the machine is in the trail', async () => {
    const later = await central.get<{ entries: { actor: string; detail: string }[] }>('/audit');
    return later.entries.some(({ actor, detail }) => actor === `agent ${id}` && /: nothing is muted$/.test(detail));
  });
}, 120_000);

test('without an agent there is nothing to mute, and what is no duration is refused', async () => {
  const agent = system.agent();
  expect(await onMachine(agent, 'mute', '2h')).toMatchObject({ code: 69 });
  expect(await onMachine(agent, 'mute', 'soon')).toMatchObject({ code: 64 });
});
