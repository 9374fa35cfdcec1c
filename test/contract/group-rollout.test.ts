/** A group's model goes the way of all models: signed, published, reported, and a better one by shadow, canary, all. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ModelVersion } from '../../central/api.ts';
import { HOUR_MS } from '../../shared/limits.ts';
import type { BesideReport, Reported } from '../../shared/trust/messages.ts';
import { GROUP_SLOT } from '../../shared/wire/group-model.ts';
import { type Fault, GroupedMachine, HEAT } from '../support/grouped-machine.ts';
import { HistoryStore, LearningCentral } from '../support/learning.ts';

const HOURS = 60;
let directory: string;
let central: LearningCentral;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'picket-groups-'));
  const times = { shadowMs: HOUR_MS, canaryMs: HOUR_MS, share: 1 };
  central = await LearningCentral.start(directory, new HistoryStore(), { rollout: { times } });
});

afterEach(async () => {
  await central.models.close();
  await rm(directory, { recursive: true, force: true });
});

const ofGroups = (models: readonly ModelVersion[]) => models.filter(({ kind }) => kind === GROUP_SLOT);

async function report(running: readonly ModelVersion[], beside: readonly BesideReport[] = []): Promise<void> {
  const reported: Reported = {
    agentVersion: '1',
    manifestVersion: central.manifest('a1').version,
    applied: running.map(({ kind, releaseSha256 }) => ({ slot: kind, releaseSha256, appliedMs: central.nowMs })),
    supports: [],
    refusals: [],
    commandsDone: [],
    health: {},
    warnings: [],
    beside,
    reverted: [],
  };
  await central.models.onReported('a1', reported);
}

test('the first is in force at once, a better one is tried in its shadow, and is then in force', async () => {
  const machine = new GroupedMachine(11, central.nowMs);
  machine.live(central.store, 'a1', HOURS * 60);
  const [first] = ofGroups(await central.models.trainNow('a1'));
  expect(first).toMatchObject({ kind: GROUP_SLOT, agent: 'a1', state: 'published', series: 6 });
  expect(first!.reason).toMatch(/^The first model/);
  expect(central.manifest('a1').releases).toContainEqual(
    expect.objectContaining({ slot: GROUP_SLOT, releaseSha256: first!.releaseSha256 }),
  );
  expect(await central.models.chunk('a1', first!.contentSha256, 0)).not.toBeNull();
  expect(await central.models.report(first!.version)).toMatchObject({
    kind: GROUP_SLOT,
    accepted: true,
    injected: [{ kind: 'shift', size: 4, champion: null }],
  });
  await report([first!]);
  expect(await central.models.get(first!.version)).toMatchObject({ state: 'applied' });

  const worn: Fault = (values) => {
    values[HEAT] = values[HEAT]! + 12;
  };
  machine.live(central.store, 'a1', HOURS * 60, worn, HOURS * 60);
  const [second] = ofGroups(await central.models.trainNow('a1'));
  expect(second).toMatchObject({ state: 'staged', reason: expect.stringMatching(/^Better/) });
  const rollout = () => central.models.rollouts.list().find(({ slot }) => slot === GROUP_SLOT)!;
  expect(rollout()).toMatchObject({ stage: 'shadow', slot: GROUP_SLOT });
  const beside: BesideReport = {
    ...{ slot: GROUP_SLOT, mainSha256: first!.releaseSha256, besideSha256: second!.releaseSha256 },
    ...{ windows: 60, agreed: 60, mainFindings: 1, besideFindings: 0, mainOutside: 1, besideOutside: 0 },
    ...{ mainBits: 9, besideBits: 3, mainMs: 2, besideMs: 2 },
  };
  for (const stage of ['canary', 'all', 'done']) {
    central.nowMs += 2 * HOUR_MS;
    const runs = stage === 'canary' ? first! : second!;
    await report([runs], [beside]);
    central.timers.advance(2 * HOUR_MS);
    await expect.poll(() => rollout().stage, { timeout: 10_000 }).not.toBe(stage === 'canary' ? 'shadow' : 'canary');
    if (rollout().stage === 'done') break;
  }
  expect(rollout().stage).toBe('done');
  expect(await central.models.get(second!.version)).toMatchObject({ state: 'applied' });
  expect(await central.models.get(first!.version)).toMatchObject({ state: 'superseded' });
});
