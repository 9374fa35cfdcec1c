/**
 * A machine's first hour in a fleet, over the real central and its command line: it is placed among those that are like
 * it, runs their models at once, is moved by hand and freed again, and can be held at a version.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ModelVersion } from '../../central/api.ts';
import type { CohortsState } from '../../central/cohorts/api.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { GoldenMachine } from '../support/golden-machine.ts';
import { seededNormal } from '../support/history.ts';
import { until } from '../support/processes.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';
import { tellHistory } from '../support/synthetic.ts';
import { type Agent, type Central, System } from '../support/system.ts';

const SLOT = 'model/seasonal';
/** A day and an hour: who has learned for less is not asked. */
const LEARNED = 25 * 60;
const key = (name: string) => ({ name, unit: '1', attributes: {} });
const pumps = [key('test.pressure'), key('test.flow')];
const ovens = [key('test.heat'), key('test.draught'), key('test.doors')];

let system: System;
let central: Central;
beforeEach(async () => {
  system = new System();
  central = await system.central({ config: 'training: {firstAfter: 10d}\nrollout: {shadow: 0s, canary: 0s}\n' });
});
afterEach(() => system.close());

/** What the machine is, and so many minutes of its series. */
async function tells(scripted: ScriptedAgent, series: typeof pumps, minutes: number, seed: number): Promise<void> {
  const normal = seededNormal(seed);
  const inventory = { resource: { 'host.arch': series === pumps ? 'arm64' : 'amd64' } };
  await scripted.send([scripted.frame(scripted.record('inventory', Buffer.from(JSON.stringify(inventory))))]);
  await tellHistory(scripted, series, minutes, (i) => 10 * (i + 1) + normal());
  await scripted.close();
}

async function oldMachine(name: string, series: typeof pumps, seed: number): Promise<string> {
  const enrolment = await central.enrol(name);
  await tells(await ScriptedAgent.connect(enrolment), series, LEARNED, seed);
  await central.post('/models/train', { agent: enrolment.agent });
  return enrolment.agent;
}

async function cohorts(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await central.command(['cohorts', ...args]);
  expect(code, stderr).toBe(0);
  return stdout;
}

const cohortOf = async (agent: string): Promise<string | null> => {
  const state = await central.get<CohortsState>('/cohorts');
  return state.cohorts.find(({ members }) => members.some((member) => member.agent === agent))?.name ?? null;
};

const runs = (agent: Agent, id: string, { releaseSha256 }: ModelVersion): Promise<unknown> =>
  until(
    `${id} runs ${releaseSha256}`,
    async () => (await central.state(id)).reported?.applied.some((one) => one.releaseSha256 === releaseSha256),
    20_000,
    () => agent.program.stderr.slice(-3000),
  );

test('a new machine is placed within its first hour, runs what its cohort knows, and is where an operator puts it', async () => {
  const old = [
    await oldMachine('pump-1', pumps, 1),
    await oldMachine('pump-2', pumps, 2),
    await oldMachine('oven-1', ovens, 3),
    await oldMachine('oven-2', ovens, 4),
  ];
  await cohorts('round');
  const [pumpCohort, , ovenCohort] = await Promise.all(old.map(cohortOf));
  expect(pumpCohort).not.toBeNull();
  expect(ovenCohort).not.toBeNull();
  expect(ovenCohort).not.toBe(pumpCohort);

  const agent = system.agent('pump-3', new GoldenMachine(system, 'vm').config);
  const { agent: id } = await agent.enrolAt(central);
  await tells(await ScriptedAgent.connect(agent.enrolment()), pumps, (HOUR_MS + 5 * MINUTE_MS) / MINUTE_MS, 5);
  const dayOne = await until('it is given a model', async () => {
    const models = await central.get<{ models: readonly ModelVersion[] }>(`/models?agent=${id}`);
    return models.models.find(({ reason }) => reason?.startsWith('Day one: cohort '));
  });
  expect(dayOne.reason).toBe(`Day one: cohort ${pumpCohort}, from 2 machines that are like it.`);
  expect(await cohortOf(id)).toBe(pumpCohort);
  await agent.start();
  await runs(agent, id, dayOne);

  expect(await cohorts('show', pumpCohort!)).toContain(id);
  await cohorts('rename', pumpCohort!, 'pumps');
  expect(await cohorts('set', id, 'guests')).toMatch(/guests[\s\S]*pump-3|pump-3[\s\S]*guests/);
  await cohorts('round');
  expect(await cohortOf(id)).toBe('guests');
  await cohorts('free', id);
  expect(await cohorts()).toContain('pumps');
  const { code, stderr } = await central.command(['cohorts', 'show', 'nobody']);
  expect({ code, stderr }).toMatchObject({
    code: expect.not.stringMatching(/^0$/),
    stderr: expect.stringContaining('There is no cohort nobody'),
  });
});

test('a machine that is pinned runs its version, whatever is trained, until it is let go', async () => {
  const agent = system.agent('agent', new GoldenMachine(system, 'vm').config);
  const { agent: id } = await agent.enrolAt(central);
  const trained = async (level: number, windows: number, windowsAgo: number): Promise<ModelVersion> => {
    const normal = seededNormal(7);
    const scripted = await ScriptedAgent.connect(agent.enrolment());
    await tellHistory(scripted, [key('test.pressure')], windows, () => level + normal(), windowsAgo);
    await scripted.close();
    return (await central.post<{ models: readonly ModelVersion[] }>('/models/train', { agent: id })).models[0]!;
  };
  const models = async (...args: string[]) => {
    const { code, stdout, stderr } = await central.command(['models', ...args]);
    expect(code, stderr).toBe(0);
    return stdout;
  };
  const first = await trained(10, 60, 700);
  await agent.start();
  await runs(agent, id, first);
  await agent.stop();
  const second = await trained(50, 240, 300);
  await agent.start();
  await runs(agent, id, second);

  await models('pin', id, SLOT, String(first.version));
  await runs(agent, id, first);
  expect(await models('rollouts')).toContain(id);
  await agent.stop();
  const third = await trained(90, 240, 0);
  expect(third.version).toBeGreaterThan(second.version);
  await agent.start();
  await runs(agent, id, first);
  await models('unpin', id, SLOT);
  await runs(agent, id, third);
  expect(await models('rollouts')).not.toContain(id);
});
