/**
 * Damage at random places of an outbox's files, by seed: bytes flipped, files cut, overwritten with zeros, or deleted.
 * It opens each time, shows no bad payload, and names by gaps all that was made and is neither held nor acknowledged.
 */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openLevelOutbox } from '../../agent/outbox/level.ts';
import { beginning } from '../../agent/outbox/outbox.ts';
import { repairInChild } from '../../agent/outbox/repair.ts';
import { readFrame } from '../../shared/wire/frame.ts';
import { contains, noRanges, type SeqRanges, subtract, unite, upTo } from '../../shared/wire/ranges.ts';
import {
  baseOptions,
  countingRandom,
  everything,
  gapsIn,
  ManualTime,
  named,
  record,
  seqsOf,
} from './outbox.harness.ts';

const SEEDS = 48;
const STARTS = 4;
const RECORDS = 120;
/** Small enough that each start thins what the one before it left. */
const LIMIT_BYTES = 1_200_000;
const repair = repairInChild([
  process.execPath,
  fileURLToPath(new URL('../support/repair-outbox.ts', import.meta.url)),
]);

interface Made {
  readonly records: Map<number, Uint8Array>;
  highestSeq: number;
  acknowledged: SeqRanges;
}

let root: string;
let original: string;
const made = new Map<string, Made>();
const highestOf = (epoch: string): number => made.get(epoch)?.highestSeq ?? 0;

function open(directory: string, time: ManualTime, seed: number) {
  const random = countingRandom();
  const base = baseOptions(time, (bytes) => random(bytes).map((byte) => byte ^ seed));
  return openLevelOutbox({ ...base, limitBytes: LIMIT_BYTES, directory, repair });
}

function dice(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 97;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'picket-fuzz-'));
  original = join(root, 'original');
  const classes = ['detail', 'detail', 'rollup', 'detail', 'incident'] as const;
  for (let start = 1; start <= STARTS; start++) {
    const outbox = await open(original, new ManualTime(), 100 + start);
    for (let i = 0; i < RECORDS; i++) {
      const bytes = record(classes[i % classes.length]!, i, 4000);
      const { epoch, seq } = await outbox.append(bytes, classes[i % classes.length]!, { urgent: true });
      const of = made.get(epoch) ?? { records: new Map(), highestSeq: 0, acknowledged: noRanges };
      made.set(epoch, of);
      of.records.set(seq, bytes);
      if (i % 10 === 9) {
        const ranges = [[seq - 3, seq - 2]] as const;
        // A GAP among them has told its central what it names.
        const control = await outbox.peek('control', beginning, 1e6);
        for (const gap of gapsIn(control.filter((entry) => entry.epoch === epoch && contains(ranges, entry.seq)))) {
          const about = made.get(gap.epoch)!;
          about.acknowledged = unite(about.acknowledged, gap.ranges);
        }
        of.acknowledged = unite(of.acknowledged, ranges);
        await outbox.ack(epoch, ranges);
      }
    }
    for (const { epoch, highestSeq } of outbox.epochs()) {
      const of = made.get(epoch);
      if (of !== undefined) of.highestSeq = highestSeq;
    }
    await outbox.close();
  }
}, 60_000);

afterAll(() => rm(root, { recursive: true, force: true }));

/** Damages one to three files of a copy; says what it did. */
async function damage(directory: string, roll: (below: number) => number): Promise<string> {
  const database = join(directory, 'format-1');
  const done: string[] = [];
  for (let n = 1 + roll(3); n > 0; n--) {
    const names = (await readdir(database)).filter((name) => !/^(LOCK|LOG|LOG.old)$/.test(name)).sort();
    const name = names[roll(names.length)]!;
    const path = join(database, name);
    const bytes = await readFile(path);
    const how = roll(10);
    if (how < 5) {
      for (let i = 1 + roll(8); i > 0 && bytes.length > 0; i--) bytes[roll(bytes.length)]! ^= 1 << roll(8);
      await writeFile(path, bytes);
    } else if (how < 8) await writeFile(path, bytes.subarray(0, roll(bytes.length + 1)));
    else if (how < 9) await writeFile(path, bytes.fill(0, roll(bytes.length + 1)));
    else await rm(path);
    done.push(`${how} ${name}`);
  }
  return done.join(', ');
}

it.each(Array.from({ length: SEEDS }, (_, i) => i + 1))('an outbox with damage %i', async (seed) => {
  const roll = dice(seed);
  const copy = join(root, `copy-${seed}`);
  await cp(original, copy, { recursive: true });
  await cp(`${original}.chain`, `${copy}.chain`);
  const what = await damage(copy, roll);

  const time = new ManualTime();
  const outbox = await open(copy, time, seed);
  await time.until(outbox.audited());
  // What the keys don't show, reading finds; reading again shows the gaps for it.
  await everything(outbox);
  await outbox.flush();
  await everything(outbox);
  await outbox.append(record('detail', 9999), 'detail', { urgent: true });
  const entries = await everything(outbox);
  for (const entry of entries) {
    const bytes = made.get(entry.epoch)?.records.get(entry.seq);
    if (bytes === undefined || entry.recordClass === 'control') continue;
    const shown = readFrame(entry.epoch, entry.frame).record;
    expect(Buffer.compare(shown, bytes), `${what}: seq ${entry.seq}`).toBe(0);
  }
  const gaps = gapsIn(entries);
  for (const [epoch, { acknowledged }] of made) {
    const accounted = unite(unite(seqsOf(entries, epoch), named(gaps, epoch)), acknowledged);
    expect(subtract(upTo(highestOf(epoch)), accounted), `${what}: ${epoch}`).toEqual([]);
  }
  await outbox.close();
  await rm(copy, { recursive: true });
});
