/** Lanes: what goes before what after an outage, over several epochs, and what a budget holds back. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { limits } from '../../shared/limits.ts';
import { unpackPayload } from '../../shared/transport/compress.ts';
import { decodeEnvelope, type Envelope, encodeAck } from '../../shared/wire/envelope.ts';
import { readFrame } from '../../shared/wire/frame.ts';
import { decodeRecord, encodeRecord, type RecordKind } from '../../shared/wire/record.ts';
import { ManualTimers, settled, silentLog } from '../../test/support/timers.ts';
import { openMemoryOutbox } from '../outbox/memory.ts';
import type { Outbox, RecordClass } from '../outbox/outbox.ts';
import { Publisher } from '../publish.ts';

const bootId = 'b'.repeat(32);
const HOURS = 24;
/** So that an envelope holds few of them. */
const BODY_BYTES = 6_000;

let timers: ManualTimers;
let outbox: Outbox;
let publisher: Publisher;
/** Kinds in the order in which they arrived. */
let arrived: { kind: string; live: boolean; atMs: number }[];
let rate: () => number;
let allowed: (recordClass: RecordClass, lane: string) => boolean;
const clock = { monotonicMs: () => 1_000 + timers.nowMs, wallMs: () => timers.nowMs };

beforeEach(async () => {
  let epochs = 0;
  timers = new ManualTimers();
  arrived = [];
  rate = () => 20_000;
  allowed = () => true;
  outbox = await openMemoryOutbox({
    limitBytes: 50_000_000,
    keepAcknowledgedMs: 3_600_000,
    commitIntervalMs: 10,
    commitBytes: 64 * 1024,
    clock,
    timers,
    random: (bytes) => new Uint8Array(bytes).fill(++epochs),
    bootId,
    log: silentLog,
    wall: () => ({ wallMs: 0, wallTrusted: 'unknown' }),
  });
  publisher = new Publisher({
    agent: 'm1',
    bootId,
    outbox,
    clock,
    timers,
    log: silentLog,
    backlogBytesPerS: () => rate(),
    allows: (recordClass, lane) => allowed(recordClass, lane),
    send: async (payload) => {
      const envelope = decodeEnvelope(unpackPayload(payload, limits.inflatedBytes));
      // A line with some delay.
      timers.after(200, () => void answer(envelope));
    },
    heard: () => {},
    incarnation: null,
    believe: () => {},
  });
});

afterEach(() => outbox.close());

async function answer(envelope: Envelope): Promise<void> {
  const { epoch, n, sentMonotonicMs, live } = envelope;
  const seqs = envelope.frames.map((frame) => {
    const { seq, record } = readFrame(epoch, frame);
    arrived.push({ kind: String(decodeRecord(record).kind), live, atMs: timers.nowMs });
    return [seq, seq] as const;
  });
  const ack = { incarnation: 'a'.repeat(32), epoch, n, sentMonotonicMs, centralMs: 5, contiguous: 0, settled: seqs };
  await publisher.acknowledged(encodeAck({ ...ack, full: false, need: [], renewEpoch: false }));
}

async function append(kind: RecordKind, recordClass: RecordClass): Promise<void> {
  // Incompressible: the rate is of what is sent.
  const body = crypto.getRandomValues(new Uint8Array(BODY_BYTES));
  const record = encodeRecord({ kind, bootId, monotonicMs: 0, wallMs: 0, wallTrusted: 'unknown', body });
  await outbox.append(record, recordClass, { urgent: true });
  publisher.wake();
}

/** Lets time pass, with what it sets off. */
async function pass(ms: number): Promise<void> {
  for (const untilMs = timers.nowMs + ms; timers.nowMs < untilMs; ) {
    timers.advance(100);
    await settled();
  }
}

/** A day of outage in three starts of the process: six windows and a rollup an hour, an incident in each start. */
async function outage(): Promise<void> {
  for (let hour = 0; hour < HOURS; hour++) {
    if (hour % 8 === 0) outbox.renewEpoch();
    for (let window = 0; window < 6; window++) await append('summary', 'detail');
    await append('rollup', 'rollup');
    if (hour % 8 === 4) await append('incident', 'incident');
  }
}

const rank = (kind: string): number => ['epoch', 'incident', 'rollup', 'summary'].indexOf(kind);

test('the backlog goes coarse to fine over all epochs', async () => {
  await outage();
  publisher.connected();
  await pass(120_000);
  expect(outbox.stats().pendingRecords).toBe(0);
  const kinds = arrived.map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === 'rollup')).toHaveLength(HOURS);
  expect(kinds).toEqual(kinds.toSorted((a, b) => rank(a) - rank(b)));
});

test('what is made meanwhile is never behind the backlog', async () => {
  await outage();
  publisher.connected();
  const madeMs: number[] = [];
  for (let minute = 0; minute < 20; minute++) {
    await pass(1_500);
    madeMs.push(timers.nowMs);
    await append(minute % 3 === 0 ? 'incident' : 'summary', minute % 3 === 0 ? 'incident' : 'detail');
  }
  await pass(1_500);
  expect(outbox.stats().pendingRecords).toBeGreaterThan(0);
  const live = arrived.filter((each) => each.live);
  expect(live).toHaveLength(20);
  live.forEach(({ atMs }, i) => {
    expect(atMs - madeMs[i]!).toBeLessThan(1_500);
  });
});

test('the backlog keeps to its rate, also where that changes', async () => {
  await outage();
  rate = () => 3_000;
  publisher.connected();
  await pass(60_000);
  const slow = arrived.length * BODY_BYTES;
  // An envelope may go before it is paid for.
  expect(slow).toBeLessThan(60 * 3_000 + 60_000);
  expect(slow).toBeGreaterThan(60 * 3_000 * 0.5);
  rate = () => 0;
  await pass(30_000);
  const stopped = arrived.length;
  await pass(600_000);
  expect(arrived.length).toBe(stopped);
  rate = () => Number.POSITIVE_INFINITY;
  await pass(1_200_000);
  expect(outbox.stats().pendingRecords).toBe(0);
});

test('a class that is held back waits, and holds up no other', async () => {
  publisher.connected();
  allowed = (recordClass) => recordClass !== 'detail';
  await append('summary', 'detail');
  await append('incident', 'incident');
  await append('summary', 'detail');
  await pass(5_000);
  expect(arrived.map(({ kind }) => kind).filter((kind) => kind !== 'epoch')).toEqual(['incident']);
  allowed = () => true;
  publisher.wake();
  await pass(1_000);
  expect(arrived.map(({ kind }) => kind).slice(-2)).toEqual(['summary', 'summary']);
});
