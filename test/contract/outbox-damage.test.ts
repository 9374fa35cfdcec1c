/** Files of the outbox that a failing card or a person changed: it always opens, and what is missing is named. */
import { cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLevelOutbox } from '../../agent/outbox/level.ts';
import { repairInChild } from '../../agent/outbox/repair.ts';
import { readFrame } from '../../shared/wire/frame.ts';
import { countSeqs, intersect, unite } from '../../shared/wire/ranges.ts';
import {
  baseOptions,
  countingRandom,
  everything,
  gapsIn,
  ManualTime,
  named,
  record,
  seqsOf,
  startsIn,
} from './outbox.harness.ts';

const RECORDS = 60;
const repair = repairInChild([
  process.execPath,
  fileURLToPath(new URL('../support/repair-outbox.ts', import.meta.url)),
]);
const classes = ['detail', 'detail', 'rollup', 'incident'] as const;

let root: string;
let original: string;
/** What was made, by epoch and seq. */
const made = new Map<string, Map<number, Uint8Array>>();
let random: () => number;

const open = (directory: string, time: ManualTime, seed: number) => {
  const options = {
    ...baseOptions(time, (bytes) => countingRandom()(bytes).map((byte) => byte ^ seed)),
    directory,
    repair,
  };
  return openLevelOutbox(options);
};

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'picket-damage-'));
  original = join(root, 'original');
  let state = 12345;
  random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  // Two starts: the second turns the first one's log into a table file and begins a log of its own.
  for (let start = 1; start <= 2; start++) {
    const outbox = await open(original, new ManualTime(), start);
    const records = new Map<number, Uint8Array>();
    made.set(outbox.epoch(), records);
    for (let i = 0; i < RECORDS / 2; i++) {
      const recordClass = classes[i % classes.length]!;
      const bytes = record(recordClass, i, 9000);
      records.set((await outbox.append(bytes, recordClass, { urgent: true })).seq, bytes);
    }
    await outbox.close();
  }
});

afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

async function filesOf(directory: string, pattern: RegExp): Promise<string[]> {
  const database = join(directory, 'format-1');
  return (await readdir(database)).filter((name) => pattern.test(name)).map((name) => join(database, name));
}

/** Opens what was damaged and checks all that must hold whatever the damage was. */
async function check(directory: string, seed: number): Promise<number> {
  const time = new ManualTime();
  const outbox = await open(directory, time, seed);
  await time.until(outbox.audited());
  // Reading finds what the keys don't show; reading again shows the gaps for it.
  await everything(outbox);
  await outbox.flush();
  await outbox.append(record('detail', 1000), 'detail', { urgent: true });
  const entries = await everything(outbox);
  for (const entry of entries) {
    const bytes = made.get(entry.epoch)?.get(entry.seq);
    if (entry.recordClass === 'control' || bytes === undefined) continue;
    expect(Buffer.from(readFrame(entry.epoch, entry.frame).record).equals(Buffer.from(bytes))).toBe(true);
  }
  let lostRecords = 0;
  for (const epoch of made.keys()) {
    const kept = seqsOf(entries, epoch);
    const lost = named(gapsIn(entries), epoch);
    expect(intersect(kept, lost)).toEqual([]);
    lostRecords += countSeqs(lost);
    const child = startsIn(entries).find(({ parent }) => parent === epoch);
    // Where nothing of the chain was left, the central knows what it has not got.
    if (child !== undefined) expect(unite(kept, lost)).toEqual([[1, child.parentFinalSeq]]);
  }
  await outbox.close();
  return lostRecords;
}

describe('an outbox whose files are damaged', () => {
  it.each([
    ['.ldb', /\.ldb$/],
    ['.log', /\.log$/],
    ['MANIFEST', /^MANIFEST/],
    ['CURRENT', /^CURRENT$/],
  ])(
    'opens after flipped bytes in %s and shows no bad record',
    async (name, pattern) => {
      let lost = 0;
      for (let round = 0; round < 8; round++) {
        const copy = join(root, `flip-${name}-${round}`);
        await cp(original, copy, { recursive: true });
        const files = await filesOf(copy, pattern);
        const file = files[Math.floor(random() * files.length)]!;
        const bytes = await readFile(file);
        for (let i = 0; i < 5; i++) {
          const at = Math.floor(random() * bytes.length);
          bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8));
        }
        await writeFile(file, bytes);
        lost += await check(copy, round + 3);
      }
      // Damage of the two small files is repaired without a loss; what lies in the log is LevelDB's own affair.
      if (name === '.ldb') expect(lost).toBeGreaterThan(0);
      else if (name !== '.log') expect(lost).toBe(0);
    },
    60_000,
  );

  it('opens after cut files and names what is gone', async () => {
    let lost = 0;
    for (let round = 0; round < 8; round++) {
      const copy = join(root, `cut-${round}`);
      await cp(original, copy, { recursive: true });
      const files = await filesOf(copy, /\.(ldb|log)$/);
      const file = files[round % files.length]!;
      await truncate(file, Math.floor(random() * (await stat(file)).size));
      lost += await check(copy, round + 3);
    }
    expect(lost).toBeGreaterThan(0);
  }, 60_000);

  it('opens when a file is gone, and moves aside what can not be repaired, keeping two', async () => {
    const copy = join(root, 'gone');
    await cp(original, copy, { recursive: true });
    for (let round = 0; round < 4; round++) {
      await writeFile(join(copy, 'format-1', 'CURRENT'), 'nonsense');
      const time = new ManualTime();
      const outbox = await openLevelOutbox({ ...baseOptions(time, countingRandom()), directory: copy });
      await outbox.append(record('detail', round), 'detail', { urgent: true });
      await outbox.close();
    }
    expect((await readdir(copy)).filter((name) => name.startsWith('aside-'))).toEqual(['aside-3', 'aside-4']);
  });

  it('takes over a database of format 1, which had no journal', async () => {
    const copy = join(root, 'older');
    await cp(original, copy, { recursive: true });
    // A smaller journal is begun when all of the larger one is in the database.
    const options = { ...baseOptions(new ManualTime(), countingRandom()), directory: copy };
    const before = await openLevelOutbox({ ...options, limitBytes: 8 * 1024 * 1024 });
    const held = await everything(before);
    await before.close();
    await rm(join(copy, 'journal'));
    const { ClassicLevel } = await import('classic-level');
    const format = async (put?: string) => {
      const db = new ClassicLevel(join(copy, 'format-1'));
      if (put !== undefined) await db.put('mformat', put);
      const found = await db.get('mformat');
      await db.del('mjournal');
      await db.close();
      return found;
    };
    expect(await format('1')).toBe('1');
    const outbox = await openLevelOutbox(options);
    expect((await everything(outbox)).map(({ cursor }) => cursor)).toEqual(held.map(({ cursor }) => cursor));
    expect(held.length).toBeGreaterThan(RECORDS);
    await outbox.close();
    expect(await format()).toBe('2');
  });

  it('refuses what a newer version wrote, with words', async () => {
    const copy = join(root, 'newer');
    await cp(original, copy, { recursive: true });
    const { ClassicLevel } = await import('classic-level');
    const db = new ClassicLevel(join(copy, 'format-1'));
    await db.put('mformat', '3');
    await db.close();
    await expect(open(copy, new ManualTime(), 1)).rejects.toMatchObject({ code: 'store.newer_format' });
  });
});
