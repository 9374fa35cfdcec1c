import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Log } from '../shared/log.ts';
import { DetectorFile } from './detector-file.ts';

describe('what detectors learned, as a file', () => {
  let directory: string;
  let path: string;
  let warnings: string[];
  const log: Log = { debug() {}, info() {}, warn: (_, text) => void warnings.push(text), error() {} };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'picket-learned-'));
    path = join(directory, 'learned.bin');
    warnings = [];
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  function holding(bytes: Uint8Array) {
    const loaded: Uint8Array[] = [];
    const stage = { saveState: () => bytes, loadState: (found: Uint8Array) => void loaded.push(found) };
    return { loaded, file: new DetectorFile(path, stage, log) };
  }

  it('comes back as it was saved, in bytes whose parts are copies, at every length', async () => {
    for (const length of [1, 8, 13, 1001]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i);
      const { file, loaded } = holding(bytes);
      await file.save();
      await file.load();
      const [found] = loaded;
      expect([...found!]).toEqual([...bytes]);
      // A `Buffer` would share its memory here: what takes the part's buffer for the part reads the file's first bytes.
      expect(found!.slice(0, 1).buffer.byteLength).toBe(1);
    }
    expect(warnings).toEqual([]);
  });

  it('is silent where nothing was saved, and says what cannot be read', async () => {
    await holding(Uint8Array.of(1)).file.load();
    expect(warnings).toEqual([]);
    await writeFile(path, 'no state');
    const stage = {
      saveState: () => Uint8Array.of(),
      loadState: () => {
        throw new Error('wrong');
      },
    };
    await new DetectorFile(path, stage, log).load();
    expect(warnings).toEqual(['what was learned cannot be read; it starts afresh']);
  });

  it('leaves the whole file of before, and nothing beside it, where saving fails half-way', async () => {
    await holding(Uint8Array.of(1, 2, 3)).file.save();
    const stage = {
      saveState: () => {
        throw new Error('out of memory');
      },
      loadState: () => {},
    };
    await new DetectorFile(path, stage, log).save();
    expect([...(await readFile(path))]).toEqual([1, 2, 3]);
    expect(await readdir(directory)).toEqual(['learned.bin']);
    expect(warnings).toEqual(['what was learned could not be written']);
  });
});
