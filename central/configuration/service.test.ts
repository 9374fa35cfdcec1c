import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { configurationForm, parseManaged } from '../../shared/config/managed.ts';
import { MINUTE_MS } from '../../shared/limits.ts';
import { parseEnvelope } from '../../shared/trust/dsse.ts';
import type { Reported } from '../../shared/trust/messages.ts';
import { verifyRelease } from '../../shared/trust/verify.ts';
import { ManualTimers, settled, silentLog } from '../../test/support/timers.ts';
import type { AgentState, AuditEntry } from '../api.ts';
import { createAudit } from '../audit.ts';
import { type CentralKeys, openKeys } from '../keys.ts';
import type { ConfigurationEntry } from '../manifests.ts';
import { MemoryDocuments } from '../store/memory-documents.ts';
import { ConfigurationService } from './service.ts';

const times = { settleMs: 10 * MINUTE_MS, backMs: 5 * MINUTE_MS, share: 0.1 };
const machines = Array.from({ length: 12 }, (_, i) => `m${i}`);

let directory: string;
let keys: CentralKeys;
let documents: MemoryDocuments;
let timers: ManualTimers;
let service: ConfigurationService;
let nowMs: number;
/** What each machine's manifest names. */
let named: Map<string, ConfigurationEntry | null>;
let reported: Map<string, Reported>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'picket-configurations-'));
  keys = await openKeys(directory);
  documents = new MemoryDocuments();
  named = new Map();
  reported = new Map();
  nowMs = Date.UTC(2026, 0, 1);
  await open();
});
afterEach(async () => {
  await service.close();
  await rm(directory, { recursive: true });
});

async function open(): Promise<void> {
  timers = new ManualTimers();
  service = new ConfigurationService({
    documents,
    keys,
    nowMs: () => nowMs,
    timers,
    log: silentLog,
    audit: createAudit(documents, () => nowMs),
    times,
    agents: () => machines.map((id) => ({ id, presence: 'online', reported: reported.get(id) ?? null }) as AgentState),
    cohortOf: (agent) => (Number(agent.slice(1)) < 4 ? 'pumps' : null),
    name: async (agent, entry) => {
      named.set(agent, entry);
      return true;
    },
  });
  await service.start();
}

async function change(scope: string, text: string) {
  const { newest } = await service.layer(scope);
  return await service.change(scope, { text, comment: '', seen: newest }, 'ada');
}

/** What a machine was sent, verified as it does. */
async function sent(agent: string) {
  const entry = named.get(agent);
  if (!entry) return null;
  const bytes = (await documents.getBlob(entry.releaseSha256))!;
  const about = { agent, cohorts: [], keys: keys.list, supports: [configurationForm], nowMs };
  const release = verifyRelease(parseEnvelope(bytes, 'release'), entry, about);
  return parseManaged((await documents.getBlob(release.contentSha256))!);
}

async function report(agent: string, what: Partial<Reported> = {}): Promise<void> {
  const releaseSha256 = named.get(agent)?.releaseSha256;
  const none = { manifestVersion: 1, supports: [configurationForm], refusals: [], commandsDone: [], warnings: [] };
  const applied = releaseSha256 ? [{ slot: configurationForm.kind, releaseSha256, appliedMs: 1 }] : [];
  const version = (await sent(agent))?.version ?? 0;
  const configuration = { managed: true, version, trial: true, left: [] };
  const said: Reported = { agentVersion: '0.1.0', ...none, applied, configuration, health: {}, ...what };
  reported.set(agent, said);
  await service.onReported(agent, said);
}

async function pass(ms: number): Promise<void> {
  nowMs += ms;
  timers.advance(MINUTE_MS);
  await settled();
}

const stage = async (scope: string) => (await service.layer(scope)).rollout!.stage;
const withIt = () => machines.filter((id) => named.get(id) != null);

it('one machine of twelve gets it first, signed for it alone; the others when that was well', async () => {
  await change('all', 'window: 10m\n');
  const [first] = withIt() as [string];
  expect(withIt()).toHaveLength(1);
  expect(await sent(first)).toMatchObject({ version: 1, layers: { all: 1 }, values: { window: '10m' } });
  await report(first);
  await pass(times.settleMs);
  expect(await stage('all')).toBe('all');
  expect(withIt()).toHaveLength(12);
  for (const id of machines) await report(id);
  expect(await service.layer('all')).toMatchObject({ stable: 1, rollout: { stage: 'done' } });
});

it('what its canary refuses comes to nobody else, and the canary is told what it had', async () => {
  await change('all', 'window: 10m\n');
  const [first] = withIt() as [string];
  for (const id of [first, ...machines]) await report(id);
  await pass(times.settleMs);
  for (const id of machines) await report(id);
  const before = await sent(first);
  await change('all', 'window: 1m\n');
  const refused = named.get(first)!.releaseSha256;
  await report(first, {
    applied: [],
    refusals: [{ what: `release:${refused}`, code: 'config.invalid', message: 'no such device', atMs: 1 }],
  });
  expect(await stage('all')).toBe('reverted');
  expect(await sent(first)).toEqual(before);
  for (const id of machines) expect((await sent(id))?.values).toEqual({ window: '10m' });
  expect(await service.agent(first)).toMatchObject({ state: 'refused', problem: 'refused: no such device' });
  const trail = await documents.list<AuditEntry>('audit', { limit: 50 });
  expect(trail.map(({ value }) => value.detail)).toContain(
    `version 2: reverted: 1 of the machines lost it; ${first}: refused: no such device`,
  );
});

it('layers go over each other, each machine with its own', async () => {
  for (const [scope, text] of [
    ['all', 'window: 10m\nraw: incident\n'],
    ['cohort:pumps', 'raw: never\n'],
    ['agent:m1', 'window: 1m\n'],
  ] as const) {
    await change(scope, text);
    await service.order(scope, 'promote', 'ada').catch(() => {});
  }
  expect((await sent('m0'))?.values).toEqual({ window: '10m', raw: 'never' });
  expect((await sent('m1'))?.values).toEqual({ window: '1m', raw: 'never' });
  expect((await sent('m9'))?.values).toEqual({ window: '10m', raw: 'incident' });
  expect((await service.agent('m1')).origins).toEqual([
    { key: 'window', layer: 'agent:m1' },
    { key: 'raw', layer: 'cohort:pumps' },
  ]);
});

it('survives a restart of the central where it stood', async () => {
  await change('all', 'window: 10m\n');
  const before = new Map(named);
  const { rollout } = await service.layer('all');
  await service.close();
  await open();
  expect((await service.layer('all')).rollout).toEqual(rollout);
  expect(named.get(withIt()[0]!)).toEqual(before.get(withIt()[0]!));
});

it('a change of what somebody else changed is refused, and so is what is wrong, by its line', async () => {
  await change('all', 'window: 10m\n');
  await expect(service.change('all', { text: '', comment: '', seen: 0 }, 'bob')).rejects.toThrow(/changed meanwhile/);
  await expect(change('all', 'raw: never\nwindow: 7m\n')).rejects.toThrow(/^all:2:9: window: "7m" is not allowed/);
  await expect(change('all', 'data: /elsewhere\n')).rejects.toThrow(/all:1:1: data: is local only/);
  await expect(change('everybody', '')).rejects.toThrow(/is none of all/);
});

it('going back makes a new version of an old text', async () => {
  await change('all', 'window: 10m\n');
  await change('all', 'window: 1m\n');
  const layer = await service.revert('all', 1, 'ada');
  expect(layer).toMatchObject({ newest: 3, wanted: { version: 3, text: 'window: 10m\n', comment: 'as version 1' } });
});

it('where the configuration key is elsewhere it waits for a signature', async () => {
  await keys.setOffline('configuration');
  await change('agent:m5', 'window: 10m\n');
  expect(withIt()).toEqual([]);
  expect(service.waiting()).toMatchObject([{ agent: 'm5', slot: 'config/agent', version: 1 }]);
  await report('m5');
  expect((await service.agent('m5')).state).toBe('waits for key');
});
