import { afterEach, beforeEach, expect, test } from 'vitest';
import { limits } from '../shared/limits.ts';
import { unpackPayload } from '../shared/transport/compress.ts';
import { type Ack, decodeEnvelope, type Envelope, encodeAck } from '../shared/wire/envelope.ts';
import { readFrame } from '../shared/wire/frame.ts';
import { encodeRecord } from '../shared/wire/record.ts';
import { ManualTimers, settled, silentLog } from '../test/support/timers.ts';
import { openMemoryOutbox } from './outbox/memory.ts';
import type { Outbox, RecordClass } from './outbox/outbox.ts';
import { envelopePayload } from './publish/payload.ts';
import { Publisher } from './publish.ts';

const bootId = 'b'.repeat(32);
const centralA = 'a'.repeat(32);
const centralB = 'c'.repeat(32);

let timers: ManualTimers;
let outbox: Outbox;
let publisher: Publisher;
let sent: Envelope[];
let heard: number[];
let epochs = 0;
let hidden: string | null = null;
let duringLook: (recordClass: RecordClass, found: number) => void;
let puback: () => Promise<void>;
/** The time of the boot is not that of the first envelope. */
const clock = { monotonicMs: () => 1_000 + timers.nowMs, wallMs: () => timers.nowMs };

beforeEach(async () => {
  timers = new ManualTimers();
  sent = [];
  heard = [];
  hidden = null;
  duringLook = () => {};
  puback = async () => {};
  const queue = await openMemoryOutbox({
    limitBytes: 1_000_000,
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
  outbox = new Proxy(queue, {
    get(target, name) {
      if (name === 'peek') {
        return async (...args: Parameters<Outbox['peek']>) => {
          const entries = await target.peek(...args);
          duringLook(args[0], entries.length);
          return entries;
        };
      }
      if (name === 'epochs') return () => target.epochs().filter(({ epoch }) => epoch !== hidden);
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  publisher = new Publisher({
    agent: 'm1',
    bootId,
    outbox,
    clock,
    timers,
    log: silentLog,
    backlogBytesPerS: 0,
    send: (payload) => {
      sent.push(decodeEnvelope(unpackPayload(payload, limits.inflatedBytes)));
      return puback();
    },
    heard: (centralMs) => heard.push(centralMs),
    incarnation: null,
    believe: () => {},
  });
});

afterEach(() => outbox.close());

async function append(text: string): Promise<number> {
  const body = new TextEncoder().encode(JSON.stringify(text));
  const record = encodeRecord({ kind: 'top', bootId, monotonicMs: 0, wallMs: 0, wallTrusted: 'unknown', body });
  const { seq } = await outbox.append(record, 'detail', { urgent: true });
  publisher.wake();
  await settled();
  return seq;
}

const seqsOf = ({ epoch, frames }: Envelope): number[] => frames.map((frame) => readFrame(epoch, frame).seq);

const answer = (envelope: Envelope, fields: Partial<Ack> = {}): Promise<void> =>
  publisher.acknowledged(
    encodeAck({
      incarnation: centralA,
      epoch: envelope.epoch,
      n: envelope.n,
      sentMonotonicMs: envelope.sentMonotonicMs,
      centralMs: 5,
      contiguous: envelope.highestSeq,
      settled: [],
      full: false,
      need: [],
      renewEpoch: false,
      ...fields,
    }),
  );

test('a late answer of a central that is no more replaces nothing, and what it answered goes again', async () => {
  publisher.connected();
  await append('first');
  const late = sent.at(-1)!;
  await append('second');
  const newer = sent.at(-1)!;
  await answer(newer, { incarnation: centralB, contiguous: 0, settled: [[newer.highestSeq, newer.highestSeq]] });
  await settled();
  const before = sent.length;
  await answer(late, { incarnation: centralA });
  await settled();
  expect(publisher.incarnation).toBe(centralB);
  expect(sent.slice(before).flatMap(seqsOf)).toEqual(seqsOf(late));
});

test('two answers at once, of two centrals, do not mix what they believe', async () => {
  publisher.connected();
  await append('first');
  const first = sent.at(-1)!;
  outbox.renewEpoch();
  await append('second');
  const second = sent.at(-1)!;
  expect(second.epoch).not.toBe(first.epoch);
  await Promise.all([
    answer(first, { incarnation: centralA }),
    answer(second, { incarnation: centralB, contiguous: 0 }),
  ]);
  expect(publisher.incarnation).toBe(centralB);
  expect(outbox.epochs().map((state) => state.settled)).toEqual([[], []]);
});

test('an answer to another process says nothing of this one', async () => {
  publisher.connected();
  await append('first');
  const envelope = sent.at(-1)!;
  await answer(envelope, { n: envelope.n + 1_000_000 });
  await answer(envelope, { n: 1 });
  expect([publisher.incarnation, heard]).toEqual([null, []]);
  await answer(envelope);
  expect([publisher.incarnation, heard]).toEqual([centralA, [5]]);
});

test('what was to go again during a look at the outbox goes again', async () => {
  publisher.connected();
  const seq = await append('first');
  const before = sent.length;
  // The timeout comes while the publisher looks for what is new.
  let looks = 0;
  duringLook = (recordClass, found) => {
    if (recordClass === 'detail' && found > 0 && looks++ === 0) timers.advance(10_000);
  };
  await append('second');
  expect(sent.slice(before).flatMap(seqsOf)).toContain(seq);
});

test('a broker that never says that it has a message stops nobody', async () => {
  puback = () => new Promise(() => {});
  publisher.connected();
  const seq = await append('first');
  for (let second = 0; second < 30; second++) {
    timers.advance(1_000);
    await settled();
  }
  expect(sent.filter((envelope) => seqsOf(envelope).includes(seq)).length).toBeGreaterThan(1);
});

test('a table that nobody has is asked for again and again without a loop, and what names it is set aside', async () => {
  publisher.connected();
  const seq = await append('names a table');
  const need = ['0123456789abcdef'];
  let seconds = 0;
  for (; seconds < 600 && publisher.counts.refused === 0; seconds++) {
    const open = sent.splice(0);
    for (const envelope of open) {
      const settledHere = seqsOf(envelope).includes(seq) ? seq - 1 : envelope.highestSeq;
      await answer(envelope, { contiguous: Math.min(settledHere, seq - 1), need });
    }
    timers.advance(1_000);
    await settled();
  }
  expect(publisher.counts.refused).toBe(1);
  expect(seconds).toBeGreaterThan(60);
  expect(outbox.held(sent.at(-1)!.epoch).flat()).not.toContain(seq);
});

test('after the end of a connection nothing is left to do', async () => {
  publisher.connected();
  await append('first');
  timers.advance(1_000);
  await settled();
  publisher.disconnected();
  timers.advance(1_000);
  await settled();
  const { waiting } = timers;
  publisher.connected();
  await settled();
  expect(timers.waiting).toBeGreaterThan(waiting);
  publisher.disconnected();
  expect(timers.waiting).toBe(waiting);
});

test('an envelope with thousands of ranges beside frames that do not compress is no larger than allowed', () => {
  let state = 1;
  const noise = Uint8Array.from({ length: 48 * 1024 }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 24;
  });
  const held = Array.from({ length: 5_000 }, (_, i) => [1e9 + i * 3, 1e9 + i * 3 + 1] as const);
  const payload = envelopePayload({
    agent: 'm'.repeat(64),
    epoch: bootId,
    n: 2 ** 50,
    incarnation: centralA,
    bootId,
    sentMonotonicMs: 2 ** 40,
    highestSeq: 2e9,
    held,
    frames: [noise, noise.slice(0, 7 * 1024)],
    live: false,
  });
  expect(payload.length).toBeLessThanOrEqual(limits.payloadBytes);
  const read = decodeEnvelope(unpackPayload(payload, limits.inflatedBytes)).held;
  expect([read[0]![0], read.at(-1)![1]]).toEqual([1e9, 1e9 + 4_999 * 3 + 1]);
});

test('of an epoch that is named as parent and held no more, the central hears that nothing is to come', async () => {
  publisher.connected();
  await append('first');
  const parent = outbox.epochs().at(-1)!;
  outbox.renewEpoch();
  await append('second');
  const emptyOnes = () => sent.filter(({ frames }) => frames.length === 0);
  expect(emptyOnes()).toEqual([]);
  const [last, ...before] = [...sent].reverse();
  for (const envelope of before) await answer(envelope);

  // To another central it all goes again; meanwhile the first epoch gave way.
  hidden = parent.epoch;
  await answer(last!, { incarnation: centralB, contiguous: 0 });
  publisher.wake();
  await settled();
  expect(emptyOnes()).toMatchObject([{ epoch: parent.epoch, highestSeq: parent.highestSeq, held: [] }]);
});
