/** What an opening costs where it fails, and is tried again every few seconds. */
import { type FileHandle, mkdir, mkdtemp, open as openFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LevelFiles } from '../../agent/outbox/level-files.ts';
import { openLevelShelf } from '../../agent/outbox/level-shelf.ts';
import { silent } from './outbox.harness.ts';

const LIMIT_BYTES = 64_000_000;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'picket-opening-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

it('reads all of a database once, however often it does not open afterwards', async () => {
  const files = new LevelFiles(root, LIMIT_BYTES, silent);
  const opened = () =>
    openLevelShelf(join(root, 'format-1'), files, { limitBytes: LIMIT_BYTES, repair: undefined, suspect: false });
  const first = await opened();
  await first.write([{ type: 'put', key: Uint8Array.of(0x64), value: new Uint8Array(100_000) }]);
  await first.compact(Uint8Array.of(0), Uint8Array.of(255));
  await first.close();
  const any = await openFile(root, 'r');
  const read = vi.spyOn(Object.getPrototypeOf(any) as FileHandle, 'read');
  await any.close();
  // Whatever it is that keeps it from opening.
  await rm(join(root, 'journal'));
  await mkdir(join(root, 'journal'));
  const reads: number[] = [];
  for (let i = 0; i < 3; i++) {
    read.mockClear();
    await expect(opened()).rejects.toThrow('EISDIR');
    reads.push(read.mock.calls.length);
  }
  read.mockRestore();
  expect(reads[0]).toBeGreaterThan(0);
  expect(reads.slice(1)).toEqual([0, 0]);
});
