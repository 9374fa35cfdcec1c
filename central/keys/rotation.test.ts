import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sign, verify } from '../../shared/trust/dsse.ts';
import { verifyKeyList } from '../../shared/trust/key-list.ts';
import { type KeyList, payloadTypes } from '../../shared/trust/messages.ts';
import { encodeJson } from '../../shared/trust/strict.ts';
import { TestAuthority } from '../../test/support/trust.ts';
import { type CentralKeys, openKeys } from '../keys.ts';
import type { WorkingRole } from './api.ts';
import { generateKey, type HeldKey, keyFile, loadKey, saveKey } from './files.ts';

let directory: string;
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'picket-rotation-')), 'keys');
});
afterEach(() => rm(join(directory, '..'), { recursive: true }));

const nowMs = (): number => 1_000_000;
const ids = (keys: CentralKeys, role: WorkingRole): string[] =>
  keys.list.keys.filter((key) => key.role === role).map(({ keyid }) => keyid);
const signers = (keys: CentralKeys, role: WorkingRole): string[] =>
  keys.sign(role, 't', Uint8Array.of(1)).signatures.map(({ keyid }) => keyid);
const held = (file: string): Promise<HeldKey> => loadKey(file).then((key) => key!);

describe('a rotation', () => {
  it('lets both keys sign until everybody has the list, and then deletes the old one', async () => {
    const keys = await openKeys(directory, nowMs);
    const [old] = ids(keys, 'rollout');
    const agents = keys.list;
    await keys.rotate('rollout');
    const both = ids(keys, 'rollout');
    expect(both).toEqual([old, expect.not.stringMatching(old!)]);
    expect(signers(keys, 'rollout')).toEqual(both.toReversed());
    // Agents with either list believe it.
    const bytes = Uint8Array.of(7);
    for (const list of [agents, keys.list]) {
      const entries = list.keys.filter(({ role }) => role === 'rollout').slice(-1);
      expect(verify(keys.sign('rollout', 't', bytes), 't', entries)).toEqual(bytes);
    }
    expect(await keys.settle(1)).toBe(false);
    expect(await keys.settle(2)).toBe(true);
    expect(ids(keys, 'rollout')).toEqual([both[1]]);
    expect(verifyKeyList(keys.rootKey, keys.keyList, 3).version).toBe(3);
    const names = await readdir(directory);
    expect(names.filter((name) => name.startsWith('rollout'))).toEqual(['rollout.pem']);
    expect(signers(await openKeys(directory), 'rollout')).toEqual([both[1]]);
  });

  it('goes on after a stop at any place', async () => {
    const keys = await openKeys(directory, nowMs);
    await keys.rotate('command');
    const both = ids(keys, 'command');
    // As a stop between the list and the files leaves them, or between the files.
    const places = ['current', 'old', 'next'] as const;
    const files = await Promise.all([held(keyFile(directory, 'command')), held(keyFile(directory, 'command', 'old'))]);
    for (const [first, second] of [
      [0, 1],
      [0, 2],
      [1, 2],
      [2, 0],
    ] as const) {
      for (const place of places) await rm(keyFile(directory, 'command', place), { force: true });
      await saveKey(keyFile(directory, 'command', places[first]), files[0]);
      await saveKey(keyFile(directory, 'command', places[second]), files[1]);
      const again = await openKeys(directory, nowMs);
      expect(signers(again, 'command')).toEqual(both.toReversed());
      await again.settle(2);
      expect(signers(again, 'command')).toEqual([both[1]]);
      // Back to before.
      await writeFile(join(directory, 'keys.json'), JSON.stringify(await savedAs(keys)));
    }
  });

  const savedAs = async (keys: CentralKeys) => ({
    rootKey: keys.rootKey,
    list: keys.keyList,
    joined: { [ids(keys, 'command')[1]!]: 2 },
  });

  it('with --now drops the old key with the same list, or ends a change that is under way', async () => {
    const keys = await openKeys(directory, nowMs);
    const [stolen] = ids(keys, 'model');
    await keys.rotate('model', { now: true });
    expect(ids(keys, 'model')).toEqual([expect.not.stringMatching(stolen!)]);
    await keys.rotate('command');
    await expect(keys.rotate('command')).rejects.toMatchObject({ code: 'conflict' });
    const [, next] = ids(keys, 'command');
    await keys.rotate('command', { now: true });
    expect(ids(keys, 'command')).toEqual([next]);
    expect(keys.list.version).toBe(4);
  });

  it('to a key that was made elsewhere leaves the role offline; the manifests’ key cannot be', async () => {
    const keys = await openKeys(directory, nowMs);
    const made = await generateKey();
    await keys.rotate('model', { publicKey: made.publicKey, notAfterMs: 5_000_000 });
    expect(keys.canSign('model')).toBe(false);
    expect(() => keys.sign('model', 't', Uint8Array.of(1))).toThrow(/kept elsewhere/);
    expect(keys.list.keys.at(-1)).toMatchObject({ keyid: made.keyid, notAfterMs: 5_000_000 });
    await expect(keys.rotate('model', { publicKey: made.publicKey })).rejects.toMatchObject({ code: 'conflict' });
    const other = await generateKey();
    await expect(keys.rotate('rollout', { publicKey: other.publicKey })).rejects.toThrow(/cannot be kept elsewhere/);
    expect((await openKeys(directory)).canSign('model')).toBe(false);
  });
});

describe('a root that is kept elsewhere', () => {
  let away: string;
  async function withoutRoot(): Promise<CentralKeys> {
    const keys = await openKeys(directory, nowMs);
    away = join(directory, '..', 'root.pem');
    await copyFile(keyFile(directory, 'root'), away);
    await keys.setOffline('root');
    expect(await readdir(directory)).not.toContain('root.pem');
    return keys;
  }
  const signedAway = async (keys: CentralKeys) =>
    sign(payloadTypes.keys, Buffer.from(keys.waiting!, 'base64'), await held(away));

  it('signs a change later, over a restart; until then all goes on as before', async () => {
    const keys = await withoutRoot();
    const [old] = ids(keys, 'rollout');
    await keys.rotate('rollout', { now: true });
    expect([keys.list.version, ids(keys, 'rollout'), signers(keys, 'rollout')]).toEqual([1, [old], [old]]);
    const again = await openKeys(directory, nowMs);
    expect(again.waiting).toBe(keys.waiting);
    const signature = await signedAway(again);
    expect(await again.take(signature)).toBe(true);
    expect(await again.take(signature)).toBe(false);
    expect(again.list.version).toBe(2);
    expect(signers(again, 'rollout')).toEqual(ids(again, 'rollout'));
    expect(ids(again, 'rollout')).not.toContain(old);
    expect(again.waiting).toBeNull();
    expect((await stat(keyFile(directory, 'rollout'))).mode & 0o777).toBe(0o600);
  });

  it('replaces a lost model key as well: until the root signed, that is offline as before', async () => {
    const keys = await withoutRoot();
    await keys.setOffline('model');
    await keys.rotate('model', { now: true });
    const again = await openKeys(directory, nowMs);
    expect(again.canSign('model')).toBe(false);
    await again.take(await signedAway(again));
    expect((await openKeys(directory)).canSign('model')).toBe(true);
  });

  it('is of no use for a list whose own key is gone meanwhile', async () => {
    const keys = await withoutRoot();
    await keys.rotate('rollout', { now: true });
    await rm(keyFile(directory, 'rollout', 'next'));
    const again = await openKeys(directory, nowMs);
    await expect(again.take(await signedAway(again))).rejects.toThrow(/rollout key of the new list is not here/);
    expect(again.canSign('rollout')).toBe(true);
    expect((await openKeys(directory)).list.version).toBe(1);
  });

  it('signs nothing that does not wait', async () => {
    const keys = await withoutRoot();
    await keys.rotate('rollout');
    const first = await signedAway(keys);
    await keys.rotate('command');
    const second = await signedAway(keys);
    await expect(keys.take(first)).rejects.toMatchObject({ code: 'conflict' });
    const stranger = new TestAuthority();
    await expect(keys.take(stranger.signedKeys(9))).rejects.toMatchObject({ code: 'signature.invalid' });
    expect(await keys.take(second)).toBe(true);
    // What was asked for first is in it.
    expect([ids(keys, 'rollout').length, ids(keys, 'command').length]).toEqual([2, 2]);
    await expect(keys.take(first)).rejects.toMatchObject({ code: 'manifest.not_newer' });
  });
});

describe('a key that was moved away', () => {
  it('is deleted with its role’s other files, and its lack is known after a restart', async () => {
    const keys = await openKeys(directory, nowMs);
    await keys.setOffline('model');
    expect(keys.canSign('model')).toBe(false);
    expect(await readdir(directory)).not.toContain('model.pem');
    expect((await openKeys(directory)).canSign('model')).toBe(false);
  });

  it('while its successor joins is refused', async () => {
    const keys = await openKeys(directory, nowMs);
    await keys.rotate('model');
    await expect(keys.setOffline('model')).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('a central that was restored', () => {
  it('goes on above the list of its agents, without what was dropped meanwhile', async () => {
    const keys = await openKeys(directory, nowMs);
    const backup = join(directory, '..', 'backup');
    await mkdir(backup);
    for (const name of await readdir(directory)) await copyFile(join(directory, name), join(backup, name));
    const [stolen] = ids(keys, 'command');
    const [kept] = ids(keys, 'rollout');
    await keys.rotate('command', { now: true });
    await keys.rotate('model');
    const shown = keys.keyList;
    await rm(directory, { recursive: true });
    await rename(backup, directory);
    const restored = await openKeys(directory, nowMs);
    expect(restored.list.version).toBe(1);
    const forged = sign(payloadTypes.keys, encodeJson({ ...restored.list, version: 1e9 }), await generateKey());
    await expect(restored.goAbove(forged)).rejects.toMatchObject({ code: 'signature.invalid' });
    expect(await restored.goAbove(shown)).toBe(true);
    expect(restored.list.version).toBe(4);
    expect(ids(restored, 'command')).not.toContain(stolen);
    expect(ids(restored, 'rollout')).toEqual([kept]);
    for (const role of ['model', 'configuration', 'rollout', 'command'] as const) {
      expect(restored.canSign(role), role).toBe(true);
    }
    expect(await restored.goAbove(shown)).toBe(false);
    expect((await openKeys(directory)).list).toEqual(restored.list);
  });
});

describe('a directory of a central that came before', () => {
  /** As version 0.1 made it: three roles, a list without times, keys.json without what waits. */
  async function legacy(withRoot: boolean): Promise<TestAuthority> {
    const authority = new TestAuthority();
    const roles = ['model', 'rollout', 'command'] as const;
    for (const role of roles) await saveKey(keyFile(directory, role), authority.keys[role]);
    if (withRoot) await saveKey(keyFile(directory, 'root'), authority.root);
    const keys = authority.keyList().keys.filter(({ role }) => role !== 'configuration');
    const list = sign(payloadTypes.keys, encodeJson({ version: 1, keys } satisfies KeyList), authority.root);
    await writeFile(join(directory, 'keys.json'), JSON.stringify({ rootKey: authority.root.publicKey, list }));
    return authority;
  }

  it('gets the key that it lacks; root and others stay', async () => {
    const authority = await legacy(true);
    const keys = await openKeys(directory, nowMs);
    expect(keys.rootKey).toBe(authority.root.publicKey);
    expect(keys.list).toMatchObject({ version: 2, madeMs: nowMs() });
    expect(keys.list.keys.map(({ role }) => role)).toEqual(['model', 'rollout', 'command', 'configuration']);
    expect(signers(keys, 'rollout')).toEqual([authority.keys.rollout.keyid]);
    expect(keys.canSign('configuration')).toBe(true);
  });

  it('without its root goes on as it is, and the new list waits', async () => {
    const authority = await legacy(false);
    const keys = await openKeys(directory, nowMs);
    expect(keys.list.version).toBe(1);
    expect(keys.canSign('configuration')).toBe(false);
    await keys.take(sign(payloadTypes.keys, Buffer.from(keys.waiting!, 'base64'), authority.root));
    expect(keys.canSign('configuration')).toBe(true);
    expect((await readFile(join(directory, 'keys.json'))).length).toBeGreaterThan(0);
  });
});
