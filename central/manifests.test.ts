import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Manifest } from '../shared/trust/messages.ts';
import { silentLog } from '../test/support/timers.ts';
import { openKeys } from './keys.ts';
import { Manifests } from './manifests.ts';
import { MemoryDocuments } from './store/memory-documents.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'picket-manifests-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function opened() {
  const keys = await openKeys(directory);
  const published: Manifest[] = [];
  const manifests = new Manifests({
    documents: new MemoryDocuments(),
    keys,
    nowMs: () => Date.UTC(2026, 0, 1),
    log: silentLog,
    publishDesired: async (_agent, bytes) => {
      const { payload } = JSON.parse(new TextDecoder().decode(bytes)) as { payload: string };
      published.push(JSON.parse(Buffer.from(payload, 'base64').toString()) as Manifest);
    },
  });
  await manifests.load();
  return { manifests, published };
}

test('an agent without a manifest gets one that brings the keys, once', async () => {
  const { manifests, published } = await opened();
  await manifests.reported('a1', { manifestVersion: 0, refusals: [] });
  await manifests.reported('a1', { manifestVersion: 0, refusals: [] });
  await manifests.reported('a1', { manifestVersion: 1, refusals: [] });
  expect(published.map(({ agent, version, releases }) => ({ agent, version, releases }))).toEqual([
    { agent: 'a1', version: 1, releases: [] },
  ]);
  expect(published[0]!.keys).toBeDefined();
});

test('an agent that obeyed another central before is told nothing that would end its models', async () => {
  const { manifests, published } = await opened();
  await manifests.reported('a1', { manifestVersion: 7, refusals: [] });
  await manifests.reported('a1', { manifestVersion: 0, refusals: [] });
  expect(published).toEqual([]);
  await manifests.publish('a1', []);
  expect(published.map(({ version }) => version)).toEqual([8]);
});

test('a share of the notifications is told once there is a manifest, and in every later one', async () => {
  const { manifests, published } = await opened();
  expect(await manifests.share('a1', 0.5)).toBe(0);
  expect(published).toEqual([]);
  await manifests.reported('a1', { manifestVersion: 0, refusals: [] });
  expect(await manifests.share('a1', 0.5)).toBe(2);
  const releases = [{ slot: 'model/seasonal', releaseSha256: 'a'.repeat(64), releaseBytes: 7 }];
  await manifests.publish('a1', releases);
  expect(await manifests.share('a1', 0.2)).toBe(4);
  expect(published.map(({ version, notificationsPerWeek }) => [version, notificationsPerWeek])).toEqual([
    [1, undefined],
    [2, 0.5],
    [3, 0.5],
    [4, 0.2],
  ]);
  // What runs goes on running.
  expect(published.at(-1)!.releases).toEqual(releases);
});
