/**
 * The outbox on a disk of its own (disk.ts): how fast it takes records in, and how many bytes the device is given for each
 * byte of payload, beside a floor in the same run: the same records appended to a plain file with fdatasync. Days at
 * rest, an outage and a drain: outbox-wear.ts.
 */
import { randomBytes } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { openLevelOutbox } from '../../agent/outbox/level.ts';
import { beginning } from '../../agent/outbox/outbox.ts';
import { encodeRecord } from '../../shared/wire/record.ts';
import { type BenchDisk, openDisk } from './disk.ts';
import { measureWear } from './outbox-wear.ts';

/** A minute's summary of 300 series is about this long. */
const SUMMARY_BYTES = 4_000;
const SMALL_BYTES = 200;
const SMALL_RECORDS = 20_000;
const SUMMARIES = 4_000;
/** One commit a record, as at rest. */
const RESTING_SUMMARIES = 120;
const GROUP_BYTES = 64 * 1024;
const MB = 1024 * 1024;
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

const DISK_MB = 1024;

let disk: BenchDisk;

export async function run(): Promise<Record<string, number>> {
  disk = openDisk(DISK_MB);
  const directory = disk.path;
  try {
    return {
      ...(await measureOutbox(join(directory, 'small'), 'small', SMALL_RECORDS, SMALL_BYTES, false)),
      ...(await measureOutbox(join(directory, 'summary'), 'summary', SUMMARIES, SUMMARY_BYTES, false)),
      ...(await measureOutbox(join(directory, 'rest'), 'rest', RESTING_SUMMARIES, SUMMARY_BYTES, true)),
      ...(await measureFloor(join(directory, 'floor-small'), 'small', SMALL_RECORDS, SMALL_BYTES, false)),
      ...(await measureFloor(join(directory, 'floor-rest'), 'rest', RESTING_SUMMARIES, SUMMARY_BYTES, true)),
      ...(await measureWear()),
    };
  } finally {
    disk.dispose();
  }
}

async function measureOutbox(
  directory: string,
  name: string,
  count: number,
  bodyBytes: number,
  eachAlone: boolean,
): Promise<Record<string, number>> {
  const outbox = await openLevelOutbox({
    directory,
    limitBytes: 256 * MB,
    keepAcknowledgedMs: 0,
    commitIntervalMs: 5000,
    commitBytes: GROUP_BYTES,
    clock: { monotonicMs: () => performance.now(), wallMs: () => Date.now() },
    timers: {
      after: (delayMs, callback) => setTimeout(callback, delayMs),
      cancel: (timer) => clearTimeout(timer as NodeJS.Timeout),
    },
    random: (bytes) => randomBytes(bytes),
    bootId: 'b0'.repeat(16),
    log: quiet,
    wall: () => ({ wallMs: Date.now(), wallTrusted: 'yes' }),
  });
  const records = Array.from({ length: 64 }, () => recordOf(bodyBytes));
  const before = usage();
  let open: Promise<unknown>[] = [];
  for (let i = 0; i < count; i++) {
    open.push(outbox.append(records[i % records.length]!, 'detail', { urgent: eachAlone }));
    if (!eachAlone && open.length < GROUP_BYTES / bodyBytes) continue;
    await Promise.all(open);
    open = [];
  }
  await outbox.flush();
  await Promise.all(open);
  const appended = usage();
  const payloadBytes = count * records[0]!.length;
  const drainMs = await drain(outbox, outbox.epoch());
  const drained = usage();
  await outbox.close();
  const elapsedMs = appended.atMs - before.atMs;
  return {
    [`${name}_records_per_s`]: (count / elapsedMs) * 1000,
    [`${name}_us_per_record`]: (elapsedMs * 1000) / count,
    [`${name}_cpu_us_per_record`]: (appended.cpuUs - before.cpuUs) / count,
    [`${name}_written_per_payload`]: (appended.writtenBytes - before.writtenBytes) / payloadBytes,
    [`${name}_written_per_payload_drained`]: (drained.writtenBytes - before.writtenBytes) / payloadBytes,
    [`${name}_drained_records_per_s`]: (count / drainMs) * 1000,
  };
}

/** Reads and acknowledges everything, as a publisher does with a central that answers at once. */
async function drain(outbox: Awaited<ReturnType<typeof openLevelOutbox>>, epoch: string): Promise<number> {
  const startMs = performance.now();
  let after = beginning;
  for (;;) {
    const entries = await outbox.peek('detail', after, 56 * 1024);
    const last = entries.at(-1);
    if (last === undefined) break;
    after = last.cursor;
    await outbox.ack(epoch, [[entries[0]!.seq, last.seq]]);
  }
  await outbox.flush();
  return performance.now() - startMs;
}

async function measureFloor(
  path: string,
  name: string,
  count: number,
  bodyBytes: number,
  eachAlone: boolean,
): Promise<Record<string, number>> {
  const file: FileHandle = await open(path, 'w');
  const record = recordOf(bodyBytes);
  const perSync = eachAlone ? 1 : Math.ceil(GROUP_BYTES / bodyBytes);
  const group = Buffer.concat(Array.from({ length: perSync }, () => record));
  const before = usage();
  for (let i = 0; i < count; i += perSync) {
    await file.write(group);
    await file.datasync();
  }
  const after = usage();
  await file.close();
  return {
    [`floor_${name}_us_per_record`]: ((after.atMs - before.atMs) * 1000) / count,
    [`floor_${name}_written_per_payload`]: (after.writtenBytes - before.writtenBytes) / (count * record.length),
  };
}

/** Bytes that no compressor shortens. */
function recordOf(bodyBytes: number): Uint8Array {
  const body = randomBytes(bodyBytes);
  return encodeRecord({
    kind: 'summary',
    bootId: 'b0'.repeat(16),
    monotonicMs: 1,
    wallMs: 2,
    wallTrusted: 'yes',
    body,
  });
}

function usage(): { atMs: number; cpuUs: number; writtenBytes: number } {
  const atMs = performance.now();
  const { user, system } = process.cpuUsage();
  return { atMs, cpuUs: user + system, writtenBytes: disk.writtenBytes() };
}
