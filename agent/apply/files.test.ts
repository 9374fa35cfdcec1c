import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../shared/limits.ts';
import { openApplyFiles } from './files.ts';

let directory: string;
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'picket-apply-')), 'models');
});
afterEach(() => rm(join(directory, '..'), { recursive: true }));
const a = 'a'.repeat(64);
const b = 'b'.repeat(64);

describe('the files of the apply stage', () => {
  it('come back after a start, for this user alone', async () => {
    const files = await openApplyFiles(directory);
    expect(await files.readState()).toBeNull();
    expect(await files.getBlob(a)).toBeNull();
    await files.writeState(Uint8Array.of(1));
    await files.writeState(Uint8Array.of(2, 3));
    await files.putBlob(a, Uint8Array.of(4));
    const again = await openApplyFiles(directory);
    expect([...(await again.readState())!]).toEqual([2, 3]);
    expect([...(await again.getBlob(a))!]).toEqual([4]);
    expect((await stat(join(directory, a))).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual([a, 'state.json']);
  });

  it('are deleted when nothing names them, with what a power cut left half written', async () => {
    const files = await openApplyFiles(directory);
    for (const hash of [a, b]) await files.putBlob(hash, Uint8Array.of(4));
    await files.writeState(Uint8Array.of(1));
    await writeFile(join(directory, `${a}.tmp`), 'half');
    await files.keepBlobs(new Set([a]));
    expect((await readdir(directory)).sort()).toEqual([a, 'state.json']);
  });

  it('have names that are hashes and sizes that are bounded', async () => {
    const files = await openApplyFiles(directory);
    await expect((async () => files.getBlob('../state'))()).rejects.toMatchObject({ code: 'internal' });
    await writeFile(join(directory, a), new Uint8Array(limits.blobBytes + 1));
    await expect(files.getBlob(a)).rejects.toMatchObject({ code: 'payload.too_large' });
  });

  it('that cannot be written say so with the disk’s code', async () => {
    const files = await openApplyFiles(directory);
    await rm(directory, { recursive: true });
    await expect(files.writeState(Uint8Array.of(1))).rejects.toMatchObject({ code: 'store.failed' });
  });
});
