/**
 * An outage that is longer than the outbox has room for: minute after minute is made and nothing acknowledged. Looks at
 * the bytes on disk all the while, and at the end at what is held and what gaps name.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beginning, recordClasses } from '../../agent/outbox/outbox.ts';
import { decodeGap } from '../../shared/wire/bodies.ts';
import { readFrame } from '../../shared/wire/frame.ts';
import { countSeqs, intersect, noRanges, type SeqRanges, subtract, unite, upTo } from '../../shared/wire/ranges.ts';
import { decodeRecord } from '../../shared/wire/record.ts';
import { type Made, OutboxLife } from './outbox-life.ts';

const PEEK_BYTES = 256 * 1024;
/** Between two looks at the disk; a compaction takes longer. */
const LOOK_MS = 3;

export interface Outage {
  readonly made: Made;
  readonly held: Made;
  /** The most that lay on the disk at any look, and how often it was looked at. */
  readonly highestBytes: number;
  readonly looks: number;
  readonly gapRecords: number;
  /** Seqs that were made, are not held and that no gap names; seqs that are both held and named. */
  readonly unaccounted: number;
  readonly twice: number;
  /** When the first record was lost; null for never. */
  readonly firstLossMinute: number | null;
}

export async function runOutage(directory: string, limitBytes: number, minutes: number): Promise<Outage> {
  const life = await OutboxLife.open(directory, limitBytes, 0);
  let highestBytes = 0;
  let looks = 0;
  const look = (): void => {
    highestBytes = Math.max(highestBytes, bytesUnder(directory));
    looks++;
  };
  const watching = setInterval(look, LOOK_MS);
  try {
    let firstLossMinute: number | null = null;
    for (let minute = 0; minute < minutes; minute++) {
      await life.minute();
      if (firstLossMinute === null && life.outbox.stats().lostRecords > 0) firstLossMinute = minute;
      if (minute % 20 === 0) look();
    }
    return { made: life.made, highestBytes, looks, firstLossMinute, ...(await reckon(life)) };
  } finally {
    clearInterval(watching);
    await life.outbox.close();
  }
}

async function reckon({ outbox }: OutboxLife) {
  const held: Made = { detail: 0, rollup: 0, incident: 0 };
  let there: SeqRanges = noRanges;
  let named: SeqRanges = noRanges;
  let gapRecords = 0;
  for (const recordClass of recordClasses) {
    for (let after = beginning; ; ) {
      const entries = await outbox.peek(recordClass, after, PEEK_BYTES);
      const last = entries.at(-1);
      if (last === undefined) break;
      after = last.cursor;
      for (const { epoch, seq, frame } of entries) {
        there = unite(there, [[seq, seq]]);
        if (recordClass === 'detail' || recordClass === 'rollup' || recordClass === 'incident') held[recordClass]++;
        const { kind, body } = decodeRecord(readFrame(epoch, frame).record);
        if (kind !== 'gap') continue;
        gapRecords++;
        named = unite(named, decodeGap(body).ranges);
      }
    }
  }
  const all = upTo(outbox.position().seq);
  const unaccounted = countSeqs(subtract(all, unite(there, named)));
  return { held, gapRecords, unaccounted, twice: countSeqs(intersect(there, named)) };
}

function bytesUnder(path: string): number {
  let sum = 0;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) sum += bytesUnder(child);
    else {
      const found = statSync(child, { throwIfNoEntry: false });
      if (found !== undefined) sum += Math.max(found.size, found.blocks * 512);
    }
  }
  return sum;
}
