/**
 * What an outbox costs a flash card: bytes that the device is given for each byte of payload, at rest (each minute a
 * summary, acknowledged at once, kept for a day), during an outage, and while the backlog drains and leaves the disk.
 * The floors in the same run append the same commits, synced, to a file that grows and to one that is there already.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { beginning, recordClasses } from '../../agent/outbox/outbox.ts';
import type { SeqRange } from '../../shared/wire/ranges.ts';
import { MINUTE_MS, OutboxLife } from '../../test/support/outbox-life.ts';
import { type BenchDisk, openDisk } from './disk.ts';

const MB = 1024 * 1024;
const LIMIT_BYTES = 64 * MB;
const DISK_MB = 512;
const DAY = 1440;
/** The first day fills what is kept; the second one pays for what leaves, too. */
const RESTING_MINUTES = DAY;
const OUTAGE_MINUTES = 2 * DAY;
const KEEP_MS = DAY * MINUTE_MS;
const PEEK_BYTES = 48 * 1024;
/** Live windows beside a backlog that drains. */
const PEEKS_PER_MINUTE = 80;
const FLOOR_COMMITS = 1000;
const FLOOR_BYTES = 4_650;

export async function measureWear(): Promise<Record<string, number>> {
  const disk = openDisk(DISK_MB);
  const life = await OutboxLife.open(join(disk.path, 'outbox'), LIMIT_BYTES, KEEP_MS);
  try {
    const phase = phases(disk, life);
    const live = async (minutes: number): Promise<void> => {
      for (let i = 0; i < minutes; i++) {
        const { epoch, seq } = await life.minute();
        await life.outbox.ack(epoch, [[1, seq]]);
      }
    };
    await live(RESTING_MINUTES);
    phase();
    await live(RESTING_MINUTES);
    const rest = phase();
    for (let i = 0; i < OUTAGE_MINUTES; i++) await life.minute();
    const outage = phase();
    await drain(life);
    // A day later it is no more kept, and a little after that no more there.
    life.time.advance(KEEP_MS);
    for (let hour = 0; hour < 4; hour++) {
      await live(1);
      life.time.advance(60 * MINUTE_MS);
    }
    const drained = phase();
    const floors = measureFloors(disk);
    const perPayload = rest.written / rest.payload;
    return {
      wear_counts_device_sectors: disk.ofDevice ? 1 : 0,
      wear_rest_written_per_payload: perPayload,
      wear_outage_written_per_payload: outage.written / outage.payload,
      wear_draining_written_per_payload: drained.written / outage.payload,
      wear_backlog_whole_life_written_per_payload: (outage.written + drained.written) / outage.payload,
      ...floors,
      wear_rest_to_floor_growing: perPayload / floors.wear_floor_growing_written_per_payload!,
      wear_rest_to_floor_preallocated: perPayload / floors.wear_floor_preallocated_written_per_payload!,
      wear_rest_mb_a_day: (rest.written / MB / RESTING_MINUTES) * DAY,
    };
  } finally {
    await life.outbox.close();
    disk.dispose();
  }
}

/** What the device was given and what was appended since the last call. */
function phases(disk: BenchDisk, life: OutboxLife): () => { readonly written: number; readonly payload: number } {
  let written = disk.writtenBytes();
  let payload = life.payloadBytes;
  return () => {
    const since = { written: disk.writtenBytes() - written, payload: life.payloadBytes - payload };
    written += since.written;
    payload += since.payload;
    return since;
  };
}

/** Reads and acknowledges everything, as a publisher does, with the live windows beside it. */
async function drain({ outbox, time }: OutboxLife): Promise<void> {
  let peeks = 0;
  for (const recordClass of recordClasses) {
    let after = beginning;
    for (;;) {
      const entries = await outbox.peek(recordClass, after, PEEK_BYTES);
      const last = entries.at(-1);
      if (last === undefined) break;
      after = last.cursor;
      const ranges: SeqRange[] = entries.map(({ seq }) => [seq, seq]);
      await outbox.ack(last.epoch, ranges);
      if (++peeks % PEEKS_PER_MINUTE === 0) {
        await outbox.flush();
        time.advance(MINUTE_MS);
      }
    }
  }
}

function measureFloors(disk: BenchDisk): Record<string, number> {
  const commit = Buffer.alloc(FLOOR_BYTES, 7);
  const floor = (name: string, preallocated: boolean): number => {
    const file = openSync(join(disk.path, name), 'w');
    if (preallocated) {
      writeSync(file, Buffer.alloc(FLOOR_COMMITS * FLOOR_BYTES));
      fdatasyncSync(file);
    }
    const before = disk.writtenBytes();
    for (let i = 0; i < FLOOR_COMMITS; i++) {
      writeSync(file, commit, 0, commit.length, i * commit.length);
      fdatasyncSync(file);
    }
    const written = disk.writtenBytes() - before;
    closeSync(file);
    return written / (FLOOR_COMMITS * FLOOR_BYTES);
  };
  return {
    wear_floor_growing_written_per_payload: floor('growing', false),
    wear_floor_preallocated_written_per_payload: floor('preallocated', true),
  };
}
