/** A configuration from the central to a real agent: applied with nothing lost, refused, taken back, with a secret. */
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AgentState } from '../../central/api.ts';
import type { AgentConfiguration, ConfigurationLayer } from '../../central/configuration/api.ts';
import { run, until } from '../support/processes.ts';
import { type Agent, type Central, drained, freePort, System } from '../support/system.ts';

const agentMain = join(import.meta.dirname, '..', '..', 'agent', 'main.ts');
const quick = 'configuration: { settle: 1s, back: 60s }\n';

let system: System;
beforeEach(() => {
  system = new System();
});
afterEach(() => system.close());

/** Writes a layer as a person does, and answers with it. */
async function set(central: Central, scope: string, text: string): Promise<ConfigurationLayer> {
  const { newest } = await central.get<ConfigurationLayer>(`/configuration/${scope}`);
  const headers = { 'content-type': 'application/json', 'if-match': `"${newest}"` };
  const body = JSON.stringify({ text });
  const answer = await central.fetch(`/configuration/${scope}`, { method: 'PUT', headers, body });
  expect(answer.status, await answer.clone().text()).toBe(200);
  return (await answer.json()) as ConfigurationLayer;
}

const of = (central: Central, id: string) => central.get<AgentConfiguration>(`/agents/${id}/configuration`);

async function inState(
  central: Central,
  agent: Agent,
  id: string,
  wanted: AgentConfiguration['state'],
  version: number,
) {
  let last: unknown;
  return await until(
    `configuration ${version} is ${wanted}`,
    async () => {
      const now = await of(central, id);
      last = now;
      return now.state === wanted && now.version === version ? now : null;
    },
    20_000,
    () => `${JSON.stringify(last)} ${agent.program.stderr.slice(-2000)}`,
  );
}

function cpuInterval(agent: Agent): Promise<string> {
  return run('status', [process.execPath, agentMain, 'status', '--data', agent.data, '--config', agent.config]).then(
    ({ stdout }) => stdout,
  );
}

test('an interval and a new input are applied with nothing lost; what does not work here is refused, a loop taken back', async () => {
  const central = await system.central({ config: quick });
  const agent = system.agent('agent', 'outbox: { commitInterval: 1s }\ninputs:\n  linux.load: { interval: 1s }\n');
  const { agent: id } = await agent.enrolAt(central);
  await agent.start();
  await until('it is online', async () => (await central.state(id)).presence === 'online');

  await set(central, 'all', 'inputs:\n  linux.load: { interval: 2s }\n  certificates: { interval: 1m, own: false }\n');
  const applied = await inState(central, agent, id, 'trial', 1);
  expect(applied.layers).toEqual({ all: 1 });
  expect(applied.origins).toContainEqual({ key: 'inputs.linux.load.interval', layer: 'all' });
  const status = await until('its status says it', async () => {
    const text = await cpuInterval(agent);
    return text.includes('by the central, version 1, on trial') ? text : null;
  });
  expect(status).toMatch(/^configured +by the central, version 1, on trial$/m);
  await until('the rollout is done', async () => {
    const { rollout, stable } = await central.get<ConfigurationLayer>('/configuration/all');
    return rollout?.stage === 'done' && stable === 1;
  });

  // Fits the schema, and the machine does not have it.
  const nobody = `inputs:\n  modbus: { name: boiler, host: 127.0.0.1, port: ${await freePort()}, registers: [{ name: t, address: 1 }] }\n`;
  await set(central, `agent:${id}`, nobody);
  const refused = await inState(central, agent, id, 'refused', 1);
  expect(refused.problem).toMatch(/^refused: inputs: modbus\/boiler does not work on this machine: /);
  const layer = await central.get<ConfigurationLayer>(`/configuration/agent:${id}`);
  expect(layer).toMatchObject({ newest: 1, stable: 0, wanted: null, rollout: { stage: 'reverted' } });

  // One that the agent dies of: three times in a row, and it comes back with the one before, without a central.
  await set(central, `agent:${id}`, 'limits: { series: 1000 }\n');
  await inState(central, agent, id, 'trial', 3);
  for (let death = 0; death < 2; death++) {
    await agent.program.end('SIGKILL');
    await agent.start();
    await until('it is up', () => agent.status<{ pid: number }>().pid === agent.program.pid);
  }
  let seen: unknown;
  const lost = await until(
    'it says what it took back',
    async () => {
      const now = await of(central, id);
      seen = now;
      return now.state === 'refused' && now.running === 1 ? now : null;
    },
    20_000,
    () => `${JSON.stringify(seen)} ${agent.program.stderr.slice(-1500)}`,
  );
  expect(lost.problem).toMatch(/^taken back: the agent started 3 times in a row/);

  await drained(central, id, 3);
  expect((await central.ledger(id)).totals).toMatchObject({ lost: 0, quarantined: 0 });
});

test('a secret is put in on the machine, from a file of its own, and is nowhere else', async () => {
  const central = await system.central({ config: quick });
  const secret = 'correct-horse-battery';
  const file = join(system.directory, 'secrets');
  writeFileSync(file, `site=${secret}\n`);
  chmodSync(file, 0o644);
  const agent = system.agent(
    'agent',
    `secrets: ${file}\nsite: { broker: mqtt://127.0.0.1:9, username: picket, password: "\${secret:site}" }\n`,
  );
  const { agent: id } = await agent.enrolAt(central);
  const refused = await run('run', [
    process.execPath,
    agentMain,
    'run',
    '--data',
    agent.data,
    '--config',
    agent.config,
  ]);
  expect(refused.code).toBe(78);
  expect(refused.stderr).toContain(`${file} may be read by others (mode 644): \`chmod 600 ${file}\``);

  chmodSync(file, 0o600);
  await agent.start();
  await until('it is online', async () => (await central.state(id)).presence === 'online');

  // Where a value is shown and told, no secret may be.
  const { problems } = await central.post<{ problems: unknown }>('/configuration/all/check', {
    text: `inputs:\n  modbus: { host: "\${secret:site}", registers: [{ name: t, address: 1 }] }\n`,
  });
  expect(problems).toMatchObject([{ line: 2, key: 'inputs.modbus.host' }]);
  await set(central, 'all', 'budget: { findingsPerDay: 2 }\n');
  await inState(central, agent, id, 'trial', 1);
  const state = await central.get<AgentState>(`/agents/${id}`);
  expect(JSON.stringify([state, await of(central, id)])).not.toContain(secret);
  expect(agent.program.stderr + central.program.stderr).not.toContain(secret);
  for (const name of readdirSync(agent.data)) {
    if (name.endsWith('.json')) expect(readFileSync(join(agent.data, name), 'utf8')).not.toContain(secret);
  }
});
