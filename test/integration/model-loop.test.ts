/**
 * An agent's process that ends again and again after a new model came: with the third start it takes the last good one
 * by itself, while no central is there, keeps it, and says so when there is one again.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ApplyState } from '../../agent/apply/state.ts';
import type { ModelVersion } from '../../central/api.ts';
import { GoldenMachine } from '../support/golden-machine.ts';
import { seededNormal } from '../support/history.ts';
import { until } from '../support/processes.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';
import { tellHistory } from '../support/synthetic.ts';
import { type Agent, type Central, System } from '../support/system.ts';

const SLOT = 'model/seasonal';
const pressure = { name: 'test.pressure', unit: '1', attributes: {} };

let system: System;
let central: Central;
let agent: Agent;
let id: string;

beforeEach(async () => {
  system = new System();
  // Without stages: what is new is in force at once.
  central = await system.central({ config: 'training: {firstAfter: 1d}\nrollout: {shadow: 0s, canary: 0s}\n' });
  agent = system.agent('agent', new GoldenMachine(system, 'vm').config);
  id = (await agent.enrolAt(central)).agent;
});
afterEach(() => system.close());

/** A model from history at this level. */
async function trained(level: number, windows: number, windowsAgo = 0): Promise<ModelVersion> {
  const normal = seededNormal(7);
  const scripted = await ScriptedAgent.connect(agent.enrolment());
  await tellHistory(scripted, [pressure], windows, () => level + normal(), windowsAgo);
  await scripted.close();
  const { models } = await central.post<{ models: readonly ModelVersion[] }>('/models/train', { agent: id });
  expect(models).toMatchObject([{ releaseSha256: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
  return models[0]!;
}

/** What the agent keeps. */
function kept(): ApplyState | null {
  const file = join(agent.data, 'models', 'state.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ApplyState) : null;
}

const said = (): string => agent.program.stderr.slice(-3000);

/** Resolves when this is what a start would run. */
function keeps({ releaseSha256 }: ModelVersion): Promise<unknown> {
  const current = (): boolean => kept()?.slots[SLOT]?.current.releaseSha256 === releaseSha256;
  return until(`the agent keeps ${releaseSha256}`, current, 20_000, said);
}

test('a process killed again and again goes back to its last good model, offline, and says so later', async () => {
  const good = await trained(10, 60, 300);
  await agent.start();
  await keeps(good);
  await agent.program.end('SIGKILL');
  const bad = await trained(50, 240);
  await agent.start();
  await keeps(bad);
  expect(kept()).toMatchObject({ trials: { [SLOT]: { releaseSha256: bad.releaseSha256, starts: 0 } } });

  await central.program.end('SIGTERM');
  await agent.program.end('SIGKILL');
  for (const starts of [1, 2]) {
    await agent.start();
    await until(`start ${starts} is counted`, () => kept()?.trials[SLOT]?.starts === starts, 20_000, said);
    await agent.program.end('SIGKILL');
  }
  await agent.start();
  await agent.program.said(/taken back: the agent started 3 times in a row/, 20_000);
  await keeps(good);
  expect(kept()).toMatchObject({ trials: {}, slots: { [SLOT]: { previous: null } } });
  await agent.program.end('SIGKILL');
  await agent.start();

  await central.start();
  const told = async (): Promise<ModelVersion | null> => {
    const model = await central.get<ModelVersion>(`/models/${bad.version}`).catch(() => null);
    return model?.state === 'reverted' ? model : null;
  };
  const { reason } = await until('the central knows', told, 20_000, said);
  expect(reason).toContain('the agent started 3 times in a row');
  const { reported } = await central.state(id);
  expect(reported).toMatchObject({ applied: [{ slot: SLOT, releaseSha256: good.releaseSha256 }] });
  expect(kept()?.reverted).toMatchObject([{ releaseSha256: bad.releaseSha256 }]);
});
