import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseEnvelope, verify } from '../shared/trust/dsse.ts';
import { verifyKeyList } from '../shared/trust/key-list.ts';
import { verifyCommand } from '../shared/trust/verify.ts';
import { openKeys, signCommand } from './keys.ts';

let directory: string;
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'picket-keys-')), 'keys');
});
afterEach(() => rm(join(directory, '..'), { recursive: true }));

describe('the central’s keys', () => {
  it('are made once, listed under the root, and sign what the list lets them', async () => {
    const keys = await openKeys(directory);
    const list = verifyKeyList(keys.rootKey, keys.keyList, 0);
    for (const role of ['model', 'configuration', 'rollout', 'command'] as const) {
      const entries = list.keys.filter((entry) => entry.role === role);
      expect(verify(keys.sign(role, 't', Uint8Array.of(1)), 't', entries)).toEqual(Uint8Array.of(1));
    }
    const again = await openKeys(directory);
    expect(again.rootKey).toBe(keys.rootKey);
    expect(again.keyList).toEqual(keys.keyList);
  });

  it('sign commands that an agent believes', async () => {
    const keys = await openKeys(directory);
    const list = verifyKeyList(keys.rootKey, keys.keyList, 0);
    const command = { command: 1, id: 'c1', agent: 'a1', madeMs: 5, expiresMs: 60_000, what: { watch: [] } } as const;
    const envelope = parseEnvelope(signCommand(keys, command), 'command');
    expect(verifyCommand(envelope, { agent: 'a1', keys: list, nowMs: 6 })).toEqual(command);
  });

  it('are readable by their user alone', async () => {
    await openKeys(directory);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    const files = await readdir(directory);
    expect(files.sort()).toEqual([
      'command.pem',
      'configuration.pem',
      'keys.json',
      'model.pem',
      'rollout.pem',
      'root.pem',
    ]);
    for (const file of files) expect((await stat(join(directory, file))).mode & 0o777).toBe(0o600);
  });

  it('are finished after a first start that was cut short, with the root that was made', async () => {
    const before = await openKeys(directory);
    await rm(join(directory, 'keys.json'));
    await rm(join(directory, 'command.pem'));
    const after = await openKeys(directory);
    expect(after.rootKey).toBe(before.rootKey);
    const modelKey = ({ list }: typeof before) => list.keys.find(({ role }) => role === 'model');
    expect(modelKey(after)).toEqual(modelKey(before));
  });

  it('do without the root’s private key, and never make another', async () => {
    const before = await openKeys(directory);
    await rm(join(directory, 'root.pem'));
    expect((await openKeys(directory)).rootKey).toBe(before.rootKey);
    expect(await readdir(directory)).not.toContain('root.pem');
  });

  it('that are missing, foreign or broken are named', async () => {
    await openKeys(directory);
    await rm(join(directory, 'model.pem'));
    await expect(openKeys(directory)).rejects.toMatchObject({
      code: 'config.unreadable',
      message: expect.stringMatching(/model\.pem/),
    });
    await writeFile(join(directory, 'model.pem'), 'hello');
    await expect(openKeys(directory)).rejects.toMatchObject({
      code: 'config.invalid',
      message: expect.stringMatching(/model\.pem/),
    });
  });
});
