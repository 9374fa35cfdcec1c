/**
 * A machine that has no network: what it made reaches the central on a stick, and acknowledgements, a model and the
 * manifest come back on it. Twice, late and in the wrong order nothing changes; and when it is connected one day,
 * nothing is there twice.
 */
import { chmodSync, chownSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ModelVersion } from '../../central/api.ts';
import { GoldenMachine } from '../support/golden-machine.ts';
import { seededNormal } from '../support/history.ts';
import { run, until } from '../support/processes.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';
import { tellHistory } from '../support/synthetic.ts';
import { type Agent, type Central, drained, freePort, System } from '../support/system.ts';

const root = join(import.meta.dirname, '..', '..');
const SLOT = 'model/seasonal';
/** So many that an unlucky one does not decide whether the model is taken, and that its content needs several chunks. */
const SERIES = 700;

let system: System;
beforeEach(() => {
  system = new System();
});
afterEach(() => system.close());

test('records go out and answers come back on a stick, in any order and any number of times', async () => {
  const central = await system.central({ config: 'training: {firstAfter: 1d}' });
  const machine = new GoldenMachine(system, 'vm');
  const usual = `${machine.config}outbox: {commitInterval: 1s}\n`;
  const agent = system.agent('agent', `${usual}connection: {broker: 'mqtt://127.0.0.1:${await freePort()}'}\n`);
  const { agent: id } = await agent.enrolAt(central);
  const model = await trainedModel(central, agent);
  const stick = system.path('stick');

  // Two lives: the first one's end closes a window, so that there are tables and summaries.
  await agent.start();
  const running = await moreThan(agent, stick, 2);
  await agent.stop();
  await agent.start();
  const first = await moreThan(agent, stick, running.records + 1);
  expect(statSync(first.path).mode & 0o777).toBe(0o600);
  const reply1 = join(stick, 'one.picket-reply');
  await importedByCentral(central, first.path, '--reply', reply1);
  const { totals } = await central.ledger(id);
  const { series } = await central.get<{ series: readonly { name: string }[] }>(`/agents/${id}/series`);
  expect(series.some(({ name }) => name.startsWith('system.'))).toBe(true);
  // What the running agent made while it exported is known of, and comes with the next stick.
  expect(totals).toMatchObject({ lost: 0, quarantined: 0, made: totals.committed + totals.pending });
  expect(totals.committed).toBeGreaterThanOrEqual(first.records);

  const settled = await importedByAgent(agent, reply1);
  expect(settled).toContain(`runs ${SLOT} ${model.releaseSha256.slice(0, 12)}`);
  expect(existsSync(join(agent.data, 'models', model.contentSha256))).toBe(true);
  // What it made since is all that the next one brings.
  const second = await exported(agent, stick);
  expect(second.records).toBeLessThan(first.records);

  // Stopped, the command line opens the outbox itself. The later stick arrives before the earlier one.
  await agent.stop();
  const third = await exported(agent, stick);
  const fourth = await exported(agent, stick);
  expect(fourth.records).toBe(third.records);
  await central.program.end('SIGTERM');
  await central.start();
  const reply4 = join(stick, 'four.picket-reply');
  const reply3 = join(stick, 'three.picket-reply');
  await importedByCentral(central, fourth.path, '--reply', reply4);
  await importedByCentral(central, third.path, '--reply', reply3);
  // All that lies on the stick, much of it there long ago, changes nothing but the count of duplicates.
  const before = await central.ledger(id);
  await importedByCentral(central, stick, '--reply', stick);
  const after = await central.ledger(id);
  expect(after.totals.committed).toBe(before.totals.committed);
  expect(after.totals.duplicates).toBeGreaterThan(before.totals.duplicates);
  expect(await importedByAgent(agent, reply4)).toContain(`${fourth.records} records settled, 0 pending`);
  // Of an older incarnation than the one that is believed in now.
  expect(await importedByAgent(agent, reply1)).toContain('older than what is known');
  expect(await importedByAgent(agent, reply3)).toContain('0 records settled, 0 pending');
  expect(await importedByAgent(agent, stick)).toContain(`${id}-${fourth.number}.picket-reply: 0 records settled`);
  expect((await exported(agent, stick)).records).toBe(0);
  const offline = await central.ledger(id);
  expect(offline.totals).toMatchObject({ lost: 0, quarantined: 0, pending: 0, committed: offline.totals.made });

  // A network after all.
  writeFileSync(agent.config, usual);
  await agent.start();
  await agent.connected();
  const online = await drained(central, id, offline.rows.length + 1);
  expect(online.totals).toMatchObject({ lost: 0, quarantined: 0, committed: online.totals.made });
  const earlier = online.rows.filter(({ epoch }) => offline.rows.some((row) => row.epoch === epoch));
  expect(earlier.map(({ epoch, committed }) => [epoch, committed])).toEqual(
    offline.rows.map(({ epoch, committed }) => [epoch, committed]),
  );
  const { reported } = await until('what runs', async () => {
    const state = await central.state(id);
    return state.presence === 'online' && state.modelVersion === model.version ? state : null;
  });
  expect(reported).toMatchObject({ applied: [{ slot: SLOT, releaseSha256: model.releaseSha256 }], refusals: [] });
});

test('a damaged stick gives what is whole; one of a retired agent, or that was altered, is refused by name', async () => {
  const central = await system.central();
  const machine = new GoldenMachine(system, 'vm');
  const agent = system.agent('agent', `${machine.config}outbox: {commitInterval: 1s}\n`);
  const stick = system.path('stick');
  expect((await byHand(agent, 'export', stick)).stderr).toContain('no enrolment');
  // Not even the enrolment needs a network.
  const identity = join(stick, 'identity');
  const made = await atCentral(central, 'enroll', '--name', 'far away', '--file', identity);
  const id = made.stdout.trim();
  expect(statSync(identity).mode & 0o777).toBe(0o600);
  expect((await agent.enrol('--file', identity)).stdout).toContain(`enrolled as ${id} (far away)`);
  expect(agent.enrolment()).toMatchObject({ agent: id, broker: `mqtt://${central.mqtt}` });
  writeFileSync(
    agent.config,
    `${readFileSync(agent.config, 'utf8')}connection: {broker: 'mqtt://127.0.0.1:${await freePort()}'}\n`,
  );
  await agent.start();
  await agent.stop();
  // As root, where the agent's files are a service's, they stay so; the stick may be root's alone.
  const service = process.getuid?.() === 0 ? 65_534 : process.getuid!();
  if (service === 65_534) ownedBy(service, agent.data);
  chmodSync(system.directory, 0o755);
  chmodSync(stick, 0o700);
  const { path, records } = await exported(agent, stick);
  const outbox = join(agent.data, 'outbox');
  for (const name of readdirSync(outbox, { recursive: true, encoding: 'utf8' })) {
    expect([name, statSync(join(outbox, name)).uid]).toEqual([name, service]);
  }

  const bytes = readFileSync(path);
  const damaged = join(stick, 'damaged');
  writeFileSync(damaged, bytes.subarray(0, bytes.length - 40));
  const cut = await byCentral(central, damaged);
  expect([cut.code, cut.stderr]).toEqual([65, expect.stringContaining('cut off')]);
  expect(cut.stdout).toContain(`${records} records`);
  bytes[40] = bytes[40]! ^ 1;
  writeFileSync(damaged, bytes);
  expect((await byCentral(central, damaged)).stderr).toContain('cannot be opened');
  await central.post(`/agents/${id}/retire`, {});
  expect((await byCentral(central, path)).stderr).toContain('retired');
});

function ownedBy(user: number, path: string): void {
  chownSync(path, user, user);
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) chownSync(join(path, name), user, user);
}

/** A model for this agent that the central trained from history, signed and wants it to run. */
async function trainedModel(central: Central, agent: Agent): Promise<ModelVersion> {
  const normal = seededNormal(7);
  const scripted = await ScriptedAgent.connect(agent.enrolment());
  const series = Array.from({ length: SERIES }, (_, i) => ({ name: `test.${i}`, unit: '1', attributes: {} }));
  await tellHistory(scripted, series, 60, (i) => 10 * i + normal());
  await scripted.close();
  const body = { agent: agent.enrolment().agent };
  const { models } = await central.post<{ models: readonly ModelVersion[] }>('/models/train', body);
  expect([models[0]?.state, models[0]?.reason]).toEqual(['published', models[0]?.reason]);
  return models[0]!;
}

function byHand(agent: Agent, command: 'export' | 'import', path: string) {
  const main = join(root, 'agent', 'main.ts');
  return run(command, [process.execPath, main, command, path, '--data', agent.data, '--config', agent.config]);
}

function atCentral(central: Central, command: string, ...args: readonly string[]) {
  const main = join(root, 'central', 'main.ts');
  return run(command, [process.execPath, main, command, ...args, '--data', central.data]);
}

function byCentral(central: Central, ...args: readonly string[]) {
  return atCentral(central, 'import', ...args);
}

interface Export {
  readonly path: string;
  readonly number: number;
  readonly records: number;
}

async function exported(agent: Agent, directory: string): Promise<Export> {
  const said = await byHand(agent, 'export', directory);
  const found = /^(\S+-(\d+)\.picket): (\d+) records$/m.exec(said.stdout);
  if (said.code !== 0 || found === null) throw new Error(`export: ${said.code} ${said.stdout}${said.stderr}`);
  return { path: found[1]!, number: Number(found[2]), records: Number(found[3]) };
}

/** An export with more records than these. */
function moreThan(agent: Agent, directory: string, records: number): Promise<Export> {
  return until(`an export of more than ${records} records`, async () => {
    const made = await exported(agent, directory);
    return made.records > records ? made : null;
  });
}

async function importedByAgent(agent: Agent, path: string): Promise<string> {
  const said = await byHand(agent, 'import', path);
  if (said.code !== 0) throw new Error(`import: ${said.code} ${said.stdout}${said.stderr}`);
  return said.stdout;
}

async function importedByCentral(central: Central, ...args: readonly string[]): Promise<void> {
  const said = await byCentral(central, ...args);
  if (said.code !== 0) throw new Error(`import: ${said.code} ${said.stdout}${said.stderr}`);
}
