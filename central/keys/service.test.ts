import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeEnvelope, parseEnvelope } from '../../shared/trust/dsse.ts';
import { sha256Hex } from '../../shared/trust/hash.ts';
import { payloadTypes, type Reported, type SignedEnvelope } from '../../shared/trust/messages.ts';
import { encodeJson } from '../../shared/trust/strict.ts';
import { history, seededNormal } from '../../test/support/history.ts';
import { HistoryStore, LearningCentral } from '../../test/support/learning.ts';
import { silentLog } from '../../test/support/timers.ts';
import { testKey } from '../../test/support/trust.ts';
import { type CentralKeys, openKeys } from '../keys.ts';
import { generateKey, type HeldKey, loadKey } from './files.ts';
import { encodeRequest, encodeSigned, parseRequest, parseSigned, signRequest } from './request.ts';
import { RunningKeys } from './service.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'picket-running-keys-'));
});
afterEach(() => rm(directory, { recursive: true }));

const fromMs = Date.UTC(2026, 0, 5);

function said(change: Partial<Reported> = {}): Reported {
  const empty = { applied: [], supports: [], refusals: [], commandsDone: [], warnings: [] };
  return { agentVersion: '0.1.0', manifestVersion: 0, health: {}, ...empty, ...change };
}

interface Running {
  readonly central: LearningCentral;
  readonly keys: CentralKeys;
  readonly service: RunningKeys;
  readonly agents: { id: string; reported: Reported | null }[];
  readonly notes: readonly string[];
  readonly modelKey: HeldKey;
}

/** A central with one machine that has enough history; its model key is elsewhere, unless `here`. */
async function withoutModelKey(here = false): Promise<Running> {
  const store = new HistoryStore();
  const normal = seededNormal(1);
  const series = '00000000000000aa';
  store.blocks.set('a1', [history({ series, windows: 240, fromMs, spread: 1 }, () => 10 + normal())]);
  const keys = await openKeys(directory);
  const modelKey = (await loadKey(join(directory, 'model.pem')))!;
  if (!here) await keys.setOffline('model');
  const central = await LearningCentral.start(directory, store, { keys });
  const { models } = central;
  const agents = [{ id: 'a1', reported: said() as Reported | null }];
  const notes: string[] = [];
  const service = new RunningKeys({
    keys,
    nowMs: () => central.nowMs,
    log: silentLog,
    agents: () => agents,
    acceptedList: (agent, reported) => models.manifests.acceptedList(agent, reported),
    waiting: () => models.signing.waiting(),
    signed: (envelope) => models.signed(envelope),
    note: async (action) => void notes.push(action),
    changed: () => models.relist(),
  });
  return { central, keys, service, agents, notes, modelKey };
}

const train = async ({ central }: Running) => (await central.models.trainNow('a1'))[0]!;

test('a model waits for a key that is elsewhere, and is released by its signature, once', async () => {
  const running = await withoutModelKey();
  const { central, service, modelKey } = running;
  const model = await train(running);
  expect(model).toMatchObject({ state: 'challenger', releaseSha256: '' });
  expect(model.reason).toMatch(/waits for the signature/);
  expect(central.published).toEqual([]);
  expect((await service.state()).waiting).toEqual({ list: false, releases: 1 });

  const carried = encodeRequest(await service.request(), 5);
  const signed = signRequest(parseRequest(carried, 'request'), [modelKey, await generateKey()]);
  expect(signed.map(({ about }) => about)).toEqual([expect.stringMatching(/^release of model\/seasonal for agent:a1/)]);
  const [envelope] = parseSigned(encodeSigned(signed), 'signed');
  expect(await service.take(envelope!)).toBe(true);
  expect(await service.take(envelope!)).toBe(false);
  const releaseSha256 = sha256Hex(encodeEnvelope(envelope!));
  expect(await central.models.get(model.version)).toMatchObject({ state: 'published', releaseSha256 });
  expect(central.manifest('a1').releases).toMatchObject([{ slot: 'model/seasonal', releaseSha256 }]);
  expect((await central.models.chunk('a1', model.contentSha256, 0))?.sizeBytes).toBe(model.contentBytes);
  expect((await service.state()).waiting.releases).toBe(0);
});

test('a newer model takes the place of one that waits', async () => {
  const running = await withoutModelKey();
  const first = await train(running);
  const { service, central, modelKey } = running;
  const [old] = signRequest(await service.request(), [modelKey]);
  const second = await train(running);
  expect(second.version).toBe(first.version + 1);
  expect(await service.take(old!.envelope)).toBe(false);
  expect(await central.models.get(first.version)).toMatchObject({ state: 'rejected' });
  const [item] = await service.request();
  expect(item!.about).toContain(`model ${second.version} `);
});

test('what is signed by another key, altered, or no such thing is refused', async () => {
  const running = await withoutModelKey();
  await train(running);
  const { service, central, modelKey } = running;
  const [item] = await service.request();
  const [right] = signRequest([item!], [modelKey]);
  const refused = async (envelope: SignedEnvelope) => {
    await expect(service.take(envelope)).rejects.toMatchObject({ code: expect.stringMatching(/invalid/) });
  };
  const stranger = testKey();
  const [foreign] = signRequest([{ ...item!, keyids: [stranger.keyid] }], [stranger]);
  await refused(foreign!.envelope);
  const rollout = (await loadKey(join(directory, 'rollout.pem')))!;
  await refused(signRequest([{ ...item!, keyids: [rollout.keyid] }], [rollout])[0]!.envelope);
  const text = Buffer.from(right!.envelope.payload, 'base64').toString().replace('agent:a1', 'agent:a2');
  await refused({ ...right!.envelope, payload: Buffer.from(text).toString('base64') });
  await refused({ ...right!.envelope, payloadType: payloadTypes.manifest });
  await refused({ ...right!.envelope, payload: '' });
  expect(central.published).toEqual([]);
  expect(() => signRequest([{ ...item!, payloadType: payloadTypes.command }], [modelKey])).toThrow(/neither/);
  expect(() => parseRequest(encodeJson({ picketRequest: 2, madeMs: 1, items: [] }), 'x')).toThrow(/picketRequest/);
  const many = Array.from({ length: 4098 }, () => item);
  expect(() => parseRequest(encodeJson({ picketRequest: 1, madeMs: 1, items: many }), 'x')).toThrow(/4097/);
});

test('a key is dropped when each machine that reported has its successor; who cannot say it shows it by its manifest', async () => {
  const running = await withoutModelKey();
  const { keys, service, agents, central } = running;
  const { models } = central;
  agents.push({ id: 'old', reported: said() }, { id: 'never', reported: null });
  for (const id of ['a1', 'old']) await models.onReported(id, said());
  await service.rotate('rollout', {});
  const states = async () => (await service.state()).keys.filter(({ role }) => role === 'rollout');
  expect((await states()).map(({ state }) => state)).toEqual(['leaving', 'joining']);
  const listed = { version: 2, sha256: 'a'.repeat(64) };
  agents[0]!.reported = said({ keyList: listed });
  await service.reported('a1', agents[0]!.reported);
  expect((await service.state()).behind).toEqual([{ agent: 'old', version: null }]);
  expect(keys.list.version).toBe(2);
  agents[1]!.reported = said({ manifestVersion: central.manifest('old').version });
  await service.reported('old', agents[1]!.reported);
  expect(keys.list.version).toBe(3);
  expect(running.notes).toEqual(['keys.settle']);
  expect((await states()).map(({ state }) => state)).toEqual(['joining']);
  // All manifests carry the new list.
  const carried = central.published.at(-1)!;
  const { keys: list } = JSON.parse(
    Buffer.from(parseEnvelope(carried.bytes, 'manifest').payload, 'base64').toString(),
  ) as { keys: SignedEnvelope };
  expect(list).toEqual(keys.keyList);
});

test('a list that nobody signed brings no change', async () => {
  const { keys, service } = await withoutModelKey();
  const before = await readFile(join(directory, 'keys.json'));
  const forged = { ...keys.keyList, payload: Buffer.from(encodeJson({ version: 9, keys: [] })).toString('base64') };
  await service.reported('a1', said({ keyList: { version: 9, sha256: 'a'.repeat(64), envelope: forged } }));
  expect(keys.list.version).toBe(1);
  expect(await readFile(join(directory, 'keys.json'))).toEqual(before);
});

test('what a dropped key had signed is signed anew, and is the same content', async () => {
  const running = await withoutModelKey(true);
  const { central, service, keys } = running;
  const model = await train(running);
  const [before] = central.manifest('a1').releases;
  await service.rotate('model', { now: true });
  const [after] = central.manifest('a1').releases;
  expect(after!.releaseSha256).not.toBe(before!.releaseSha256);
  expect(await central.models.get(model.version)).toMatchObject({
    releaseSha256: after!.releaseSha256,
    state: 'published',
    reason: model.reason,
  });
  const blob = (await central.store.documents.getBlob(after!.releaseSha256))!;
  const { signatures, payload } = parseEnvelope(blob, 'release');
  expect(keys.list.keys.map(({ keyid }) => keyid)).toContain(signatures[0]!.keyid);
  expect(JSON.parse(Buffer.from(payload, 'base64').toString())).toMatchObject({ contentSha256: model.contentSha256 });
});
