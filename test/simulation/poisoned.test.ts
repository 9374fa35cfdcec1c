/**
 * Models that a trainer with a fault made, and signed, given to a fleet of thirty machines: never more than the canary's
 * share runs one, each is gone again without a person, also where the central stops, and it is kept why.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { seasonal } from '../../shared/detect/seasonal.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { Fleet } from './fleet/fleet.ts';
import { nowScoring } from './fleet/machine.ts';
import { faults, modelOf, type Poison, poisons } from './fleet/poisons.ts';

const MACHINES = 30;
const times = { shadowMs: 2 * HOUR_MS, canaryMs: 2 * HOUR_MS, share: 0.1 };
const CANARIES = 3;
/** Findings that a bad model may raise on one machine before it is gone. */
const MOST_FINDINGS = 11;

let directory: string;
let fleet: Fleet;
/** Most machines at once, and all, that ran what was given. */
let most: number;
let ever: Set<string>;
let given: Map<string, number>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'picket-poison-'));
  const { score } = seasonal;
  vi.spyOn(seasonal, 'score').mockImplementation((params, ...rest) => {
    if (params.capBits === faults.throws) throw new Error('planted');
    if (params.capBits === faults.diesOf) nowScoring.machine!.dies = true;
    if (params.capBits === faults.hoards) nowScoring.machine!.hoards = true;
    score(params, ...rest);
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await fleet.stopCentral();
  await rm(directory, { recursive: true });
});

async function fleetWith(change: Partial<typeof times> = {}): Promise<void> {
  const options = { machines: MACHINES, seed: 7, directory, times: { ...times, ...change }, firstModel: modelOf };
  fleet = await Fleet.start(options);
  expect(await fleet.run(10 * MINUTE_MS, () => fleet.machines.every(({ running }) => running !== null))).toBe(true);
  most = 0;
  ever = new Set();
}

async function give({ content, bytes }: Pick<Poison, 'content' | 'bytes'>): Promise<void> {
  given = await fleet.give(content, bytes);
  fleet.watch = () => {
    const now = withGiven();
    most = Math.max(most, now.length);
    for (const id of now) ever.add(id);
  };
}

/** The central gives it, hears nothing of it, and stops. */
async function giveUnheard(poison: Poison): Promise<void> {
  fleet.hears = false;
  await give(poison);
  await fleet.run(MINUTE_MS);
  await fleet.stopCentral();
  fleet.hears = true;
  await fleet.run(40 * MINUTE_MS);
}

/** Machines on which what was given is in force. */
function withGiven(): string[] {
  const releases = new Set([...given.values()].map((version) => fleet.releases.get(version)));
  return fleet.machines.filter(({ running }) => releases.has(running ?? '')).map(({ id }) => id);
}

const isOver = (): boolean => fleet.rollouts().every(({ stage }) => stage === 'reverted');

/** All run what they ran before, and it is kept why. */
async function isTakenBack(poison: Poison): Promise<void> {
  expect(withGiven()).toEqual([]);
  for (const machine of fleet.machines) expect(machine.running, machine.id).not.toBeNull();
  expect(most).toBeLessThanOrEqual(CANARIES);
  expect(ever.size).toBeLessThanOrEqual(CANARIES);
  const [rollout] = fleet.rollouts();
  expect(rollout).toMatchObject({ stage: 'reverted' });
  expect(rollout!.reason).toMatch(poison.reason);
  const entries = (await fleet.audit.list(1000)).filter(({ action }) => action === 'rollout');
  expect(entries[0]).toMatchObject({ actor: 'central', detail: `reverted: ${rollout!.reason}` });
  expect(entries.every(({ actor }) => actor === 'central')).toBe(true);
  for (const [agent, version] of given) {
    const model = await fleet.central!.models.get(version);
    const reached = rollout!.members[agent] !== undefined;
    if (reached) expect(model, agent).toMatchObject({ state: 'reverted', reason: expect.stringMatching(/\S/) });
  }
  for (const { id, findings } of fleet.machines) {
    expect(findings, id).toBeLessThanOrEqual(ever.has(id) ? MOST_FINDINGS : 3);
  }
}

describe.each(poisons)('a model with $name', (poison) => {
  it('does not leave the shadow', async () => {
    await fleetWith();
    await give(poison);
    expect(await fleet.run(DAY_MS, isOver)).toBe(true);
    await fleet.run(10 * MINUTE_MS);
    expect(ever.size).toBe(0);
    await isTakenBack(poison);
  });

  it('does not leave the shadow either where the central stops, and machines start anew', async () => {
    await fleetWith();
    await giveUnheard(poison);
    await fleet.restartMachines();
    await fleet.run(20 * MINUTE_MS);
    await fleet.startCentral();
    expect(await fleet.run(3 * HOUR_MS, isOver)).toBe(true);
    await fleet.run(10 * MINUTE_MS);
    expect(ever.size).toBe(0);
    await isTakenBack(poison);
  });

  it('is taken back by the canaries', async () => {
    await fleetWith({ shadowMs: 0 });
    await give(poison);
    // One machine was told first, and is a rollout of its own.
    expect(await fleet.run(DAY_MS, () => isOver() && fleet.rollouts().length === 2)).toBe(true);
    await fleet.run(10 * MINUTE_MS);
    await isTakenBack(poison);
  });

  it('is taken back by the canaries with the central stopped, and stays so when they start anew', async () => {
    await fleetWith({ shadowMs: 0 });
    await giveUnheard(poison);
    expect(withGiven()).toEqual([]);
    await fleet.restartMachines();
    await fleet.run(20 * MINUTE_MS);
    expect(withGiven()).toEqual([]);
    await fleet.startCentral();
    expect(await fleet.run(3 * HOUR_MS, () => isOver() && fleet.rollouts().length === 2)).toBe(true);
    await fleet.run(10 * MINUTE_MS);
    await isTakenBack(poison);
  });
});

describe('a model that is wrong only at hours that its shadow did not see', () => {
  // The world begins at midnight.
  const late = (note: number) =>
    modelOf(note, ({ levels: [level] }) => ({
      binsPerDay: 24,
      levels: Array.from({ length: 24 }, (_, hour) => (hour >= 4 && hour < 20 ? level! * 1000 : level!)),
    }));
  const poison: Poison = { name: 'late', content: late, reason: /too loud|does not agree/i };

  it('is taken back by its three canaries', async () => {
    await fleetWith();
    await give(poison);
    expect(await fleet.run(DAY_MS, isOver)).toBe(true);
    await fleet.run(10 * MINUTE_MS);
    expect(ever.size).toBe(CANARIES);
    await isTakenBack(poison);
  });

  it('is taken back by its three canaries with the central stopped', async () => {
    await fleetWith();
    await give(poison);
    expect(await fleet.run(3 * HOUR_MS, () => withGiven().length === CANARIES)).toBe(true);
    await fleet.stopCentral();
    expect(await fleet.run(3 * HOUR_MS, () => withGiven().length === 0)).toBe(true);
    await fleet.restartMachines();
    await fleet.startCentral();
    expect(await fleet.run(3 * HOUR_MS, isOver)).toBe(true);
    await fleet.run(10 * MINUTE_MS);
    expect(ever.size).toBe(CANARIES);
    await isTakenBack(poison);
  });
});

it('a good model goes through shadow and canary to all thirty', async () => {
  await fleetWith();
  await give({ content: modelOf });
  expect(await fleet.run(DAY_MS, () => fleet.rollouts()[0]?.stage === 'canary')).toBe(true);
  await fleet.run(HOUR_MS);
  expect(withGiven()).toHaveLength(CANARIES);
  expect(await fleet.run(DAY_MS, () => fleet.rollouts()[0]?.stage === 'done')).toBe(true);
  expect(withGiven()).toHaveLength(MACHINES);
  for (const { id, findings } of fleet.machines) expect(findings, id).toBeLessThanOrEqual(3);
});

it('tells the same story each time', async () => {
  const stories: string[] = [];
  for (let i = 0; i < 2; i++) {
    await fleetWith({ shadowMs: 0 });
    await give(poisons[0]!);
    await fleet.run(3 * HOUR_MS);
    const about = fleet.machines.map(({ id, findings, deaths }) => `${id} ${findings} ${deaths}`);
    const said = (await fleet.audit.list(1000)).map(({ atMs, detail }) => `${atMs} ${detail}`);
    stories.push([...about, ...said].join('\n'));
    if (i === 0) await fleet.stopCentral();
  }
  expect(stories[0]).toBe(stories[1]);
});
