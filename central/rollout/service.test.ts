import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { HOUR_MS } from '../../shared/limits.ts';
import type { BesideReport, Reported } from '../../shared/trust/messages.ts';
import { history, seededNormal } from '../../test/support/history.ts';
import { HistoryStore, LearningCentral } from '../../test/support/learning.ts';
import { settled } from '../../test/support/timers.ts';
import type { AuditEntry } from '../api.ts';
import { createAudit } from '../audit.ts';

const slot = 'model/seasonal';
const agents = ['m1', 'm2', 'm3', 'm4'];
const fromMs = Date.UTC(2026, 0, 5);
const times = { shadowMs: HOUR_MS, canaryMs: HOUR_MS, share: 0.25 };

let directory: string;
let central: LearningCentral;
let entries: () => Promise<readonly AuditEntry[]>;
const store = () => central.store;

/** Four machines that run their first models, and a second that waits in the shadow. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'picket-rollout-'));
  const histories = new HistoryStore();
  const audit = createAudit(histories.documents, () => central.nowMs);
  entries = () => audit.list(100);
  central = await LearningCentral.start(directory, histories, { rollout: { times, audit } });
  learn(240);
  for (const agent of agents) {
    await central.models.onReported(agent, report());
    await central.models.trainNow(agent);
    await central.models.onReported(agent, applied(agent));
  }
  learn(1000);
  for (const agent of agents) await central.models.trainNow(agent);
});
afterEach(async () => {
  await central.models.close();
  await rm(directory, { recursive: true });
});

function learn(windows: number): void {
  for (const agent of agents) {
    const normal = seededNormal(1);
    store().blocks.set(agent, [history({ windows, fromMs, spread: 1 }, () => 10 + normal())]);
  }
}

function report(change: Partial<Reported> = {}): Reported {
  const none = { applied: [], supports: [], refusals: [], commandsDone: [], warnings: [], beside: [] };
  return { agentVersion: '0.1.0', manifestVersion: 0, ...none, health: {}, ...change };
}

const named = (agent: string): { main: string; shadow: string | undefined } => {
  const { releases, shadows = [] } = central.manifest(agent) as ReturnType<LearningCentral['manifest']> & {
    shadows?: { releaseSha256: string }[];
  };
  return { main: releases[0]!.releaseSha256, shadow: shadows[0]?.releaseSha256 };
};
/** The agent does what its manifest says. */
const applied = (agent: string, change: Partial<Reported> = {}): Reported =>
  report({ applied: [{ slot, releaseSha256: named(agent).main, appliedMs: 5 }], ...change });
const beside = (agent: string, change: Partial<BesideReport> = {}): BesideReport => ({
  slot,
  mainSha256: named(agent).main,
  besideSha256: named(agent).shadow ?? 'f'.repeat(64),
  windows: 500,
  agreed: 500,
  mainFindings: 0,
  besideFindings: 0,
  mainOutside: 0,
  besideOutside: 0,
  mainBits: 4,
  besideBits: 4,
  mainMs: 3,
  besideMs: 3,
  ...change,
});

async function heard(change: (agent: string) => Partial<BesideReport> = () => ({})): Promise<void> {
  for (const agent of agents) {
    await central.models.onReported(agent, applied(agent, { beside: [beside(agent, change(agent))] }));
  }
}

/** Time goes by, and it is looked at. */
async function later(ms: number): Promise<void> {
  central.nowMs += ms;
  central.timers.advance(60_000);
  for (let i = 0; i < 20; i++) await settled();
}

const stage = () => central.models.rollouts.list()[0]!.stage;
/** Machines whose manifest names another release than their first. */
async function reached(): Promise<string[]> {
  const found: string[] = [];
  for (const agent of agents) {
    const versions = await central.models.list(agent);
    if (named(agent).main !== versions.at(-1)!.releaseSha256) found.push(agent);
  }
  return found;
}

it('goes from the shadow over the canary to all, and is in the audit log', async () => {
  expect([stage(), await reached()]).toEqual(['shadow', []]);
  expect(agents.every((agent) => named(agent).shadow !== undefined)).toBe(true);
  await heard();
  await later(HOUR_MS);
  expect(stage()).toBe('canary');
  expect(await reached()).toHaveLength(1);
  await heard();
  await later(HOUR_MS);
  expect(stage()).toBe('all');
  expect(await reached()).toEqual(agents);
  await heard();
  expect(stage()).toBe('done');
  const said = (await entries()).map(({ detail }) => detail.split(':')[0]);
  expect(said).toEqual(['done', 'all', 'canary', 'shadow']);
});

it('is reverted in the shadow when it is loud there', async () => {
  await heard(() => ({ besideFindings: 50 }));
  expect([stage(), await reached()]).toEqual(['reverted', []]);
  expect(agents.some((agent) => named(agent).shadow !== undefined)).toBe(false);
  const [latest] = await central.models.list('m1');
  expect(latest).toMatchObject({ state: 'reverted' });
});

it('never reaches more than the canary when the canary takes it back', async () => {
  await heard();
  await later(HOUR_MS);
  const [canary] = await reached();
  const taken = { slot, releaseSha256: named(canary!).main, reason: 'it throws', atMs: 5 };
  await central.models.onReported(canary!, report({ reverted: [taken] }));
  expect([stage(), await reached()]).toEqual(['reverted', []]);
});

it('leaves a pinned machine alone', async () => {
  const first = (await central.models.list('m2')).at(-1)!;
  await central.models.rollouts.pin(first.version, 'ann');
  expect(named('m2').shadow).toBeUndefined();
  await heard();
  await later(HOUR_MS);
  await heard();
  await later(HOUR_MS);
  expect(await reached()).toEqual(['m1', 'm3', 'm4']);
});

it('is paused, goes on, and is rolled back by hand', async () => {
  const { rollouts } = central.models;
  await rollouts.order(1, 'pause', 'ann');
  await heard();
  await later(3 * HOUR_MS);
  expect(stage()).toBe('shadow');
  await rollouts.order(1, 'resume', 'ann');
  await rollouts.order(1, 'promote', 'ann');
  expect(await reached()).toHaveLength(1);
  await rollouts.order(1, 'rollback', 'ann');
  expect(await reached()).toEqual([]);
  await expect(rollouts.order(1, 'rollback', 'ann')).rejects.toMatchObject({ code: 'conflict' });
  await expect(rollouts.order(9, 'pause', 'ann')).rejects.toMatchObject({ code: 'not_found' });
});
