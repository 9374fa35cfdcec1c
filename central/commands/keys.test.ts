import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../test/support/timers.ts';
import { openKeys } from '../keys.ts';
import type { CentralContext } from './context.ts';
import { keysCommand } from './keys.ts';

let folder: string;
let said: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'picket-keys-command-'));
  said = '';
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(...args: string[]): Promise<number> {
  const tell = (text: string): void => {
    said += text;
  };
  const context: CentralContext = {
    args: [...args, '--data', join(folder, 'data')],
    env: {},
    stdout: tell,
    stderr: tell,
    usualConfig: join(folder, 'none.yaml'),
    signal: new AbortController().signal,
    nowMs: () => 0,
    createLog: () => silentLog,
    start: () => Promise.reject(new Error('not here')),
  };
  return keysCommand.run(context);
}

describe('keys make', () => {
  it('writes a private key for its user alone, and its public part beside it', async () => {
    const file = join(folder, 'model.pem');
    await run('make', 'model', file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const entry = JSON.parse(readFileSync(`${file}.pub`, 'utf8')) as { keyid: string };
    expect(entry).toMatchObject({ role: 'model', keyid: said.slice(0, 16) });
    expect(readFileSync(`${file}.pub`, 'utf8')).not.toContain('PRIVATE');
    await expect(run('make', 'model', file)).rejects.toMatchObject({ code: 'conflict' });
    await expect(run('make', 'rollout', join(folder, 'x'))).rejects.toMatchObject({ code: 'usage.invalid' });
  });
});

describe('keys offline', () => {
  it('moves a key also where no central runs', async () => {
    const directory = join(folder, 'data', 'keys');
    const before = await openKeys(directory);
    const key = readFileSync(join(directory, 'model.pem'), 'utf8');
    const file = join(folder, 'away.pem');
    await run('offline', 'model', file);
    expect(readFileSync(file, 'utf8')).toBe(key);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).not.toContain('model.pem');
    expect(said).toContain('no model is released before');
    const after = await openKeys(directory);
    expect([after.canSign('model'), after.rootKey]).toEqual([false, before.rootKey]);
    await expect(run('offline', 'model', join(folder, 'again.pem'))).rejects.toMatchObject({ code: 'conflict' });
    await expect(run('offline', 'rollout', join(folder, 'again.pem'))).rejects.toMatchObject({ code: 'usage.invalid' });
    await expect(run('offline', 'root', file)).rejects.toThrow(/never written over/);
  });
});

describe('keys sign', () => {
  it('says what is missing or no request', async () => {
    const request = join(folder, 'request.json');
    writeFileSync(request, '{"picketRequest": 1, "madeMs": 0, "items": []}');
    await expect(run('sign', request)).rejects.toMatchObject({ code: 'usage.invalid' });
    await expect(run('sign', request, '--key', join(folder, 'none.pem'))).rejects.toThrow(/none\.pem/);
    const key = join(folder, 'model.pem');
    await run('make', 'model', key);
    await expect(run('sign', request, '--key', key)).rejects.toThrow(/asks for no signature/);
    writeFileSync(request, '{}');
    await expect(run('sign', request, '--key', key)).rejects.toMatchObject({ code: 'payload.invalid' });
    await expect(run('sign', join(folder, 'gone'), '--key', key)).rejects.toMatchObject({ code: 'config.unreadable' });
    expect(readdirSync(folder).sort()).toEqual(['model.pem', 'model.pem.pub', 'request.json']);
  });
});

it('what there is not is named', async () => {
  await expect(run('turn')).rejects.toThrow(/no `keys turn`: list, make/);
  await expect(run('rotate', 'root')).rejects.toMatchObject({ code: 'usage.invalid' });
  await expect(run('rotate', 'model', '--expires', 'soon')).rejects.toThrow(/400d/);
});
