/** Bounds of an export: how large it gets, in which order what fits is taken, and that it says what it left out. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '../../shared/limits.ts';
import { unpackPayload } from '../../shared/transport/compress.ts';
import { EXCHANGE_OVERHEAD_BYTES, type ExchangeMessage } from '../../shared/trust/exchange.ts';
import { decodeEnvelope } from '../../shared/wire/envelope.ts';
import { readFrame } from '../../shared/wire/frame.ts';
import { decodeRecord, encodeRecord } from '../../shared/wire/record.ts';
import { ManualTimers, silentLog } from '../../test/support/timers.ts';
import { openMemoryOutbox } from '../outbox/memory.ts';
import type { Outbox, RecordClass } from '../outbox/outbox.ts';
import { type ExportTotals, outgoing } from './outgoing.ts';

const bootId = 'b0'.repeat(16);
const clock = { monotonicMs: () => 1000, wallMs: () => 1_700_000_000_000 };

async function outboxOf(records: readonly { recordClass: RecordClass; sizeBytes: number }[]): Promise<Outbox> {
  const outbox = await openMemoryOutbox({
    limitBytes: 50_000_000,
    keepAcknowledgedMs: 0,
    commitIntervalMs: 1000,
    commitBytes: 1e9,
    clock,
    timers: new ManualTimers(),
    random: (bytes) => new Uint8Array(bytes).fill(7),
    bootId,
    log: silentLog,
    wall: () => ({ wallMs: clock.wallMs(), wallTrusted: 'yes' }),
  });
  const appended = records.map(({ recordClass, sizeBytes }, i) => {
    // Bytes that do not compress: a size is a size.
    const body = Uint8Array.from({ length: sizeBytes }, (_, at) => (Math.imul(at + i * 7919, 2654435761) >>> 13) & 255);
    const record = encodeRecord({ kind: 'top', bootId, monotonicMs: 1, wallMs: 1, wallTrusted: 'yes', body });
    return outbox.append(record, recordClass);
  });
  await outbox.flush();
  await Promise.all(appended);
  return outbox;
}

async function exported(outbox: Outbox, roomBytes: number, need: readonly string[] = []): Promise<ExchangeMessage[]> {
  const messages: ExchangeMessage[] = [];
  const options = { agent: 'm1', bootId, version: '0', outbox, clock, incarnation: null, series: 'ab'.repeat(16) };
  for await (const message of outgoing({ ...options, number: 1, reported: null, need, roomBytes })) {
    messages.push(message);
  }
  return messages;
}

const seqsOf = (messages: readonly ExchangeMessage[]): number[] =>
  messages
    .filter(({ kind }) => kind === 'records')
    .flatMap(({ bytes }) => {
      const { epoch, frames } = decodeEnvelope(unpackPayload(bytes, limits.inflatedBytes));
      return frames.map((frame) => readFrame(epoch, frame).seq);
    });

const totalsOf = (messages: readonly ExchangeMessage[]): ExportTotals =>
  JSON.parse(Buffer.from(messages.at(-1)!.bytes).toString()) as ExportTotals;

test('never larger than it may be, whole envelopes, and it says whether something was left out', async () => {
  const classes = ['detail', 'incident', 'rollup', 'table'] as const;
  const record = fc.record({
    recordClass: fc.constantFrom<RecordClass>(...classes),
    sizeBytes: fc.integer({ min: 1, max: 40_000 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { maxLength: 20 }),
      fc.integer({ min: 2_000, max: 400_000 }),
      async (records, roomBytes) => {
        const outbox = await outboxOf(records);
        const messages = await exported(outbox, roomBytes);
        const sizeBytes = messages.reduce((sum, { bytes }) => sum + bytes.length + EXCHANGE_OVERHEAD_BYTES, 0);
        expect(sizeBytes).toBeLessThanOrEqual(roomBytes);
        for (const { bytes } of messages) expect(bytes.length).toBeLessThanOrEqual(limits.payloadBytes);
        const seqs = seqsOf(messages);
        const totals = totalsOf(messages);
        expect(messages[0]!.kind).toBe('about');
        expect(messages.at(-1)!.kind).toBe('end');
        expect(new Set(seqs).size).toBe(seqs.length);
        expect(totals.records).toBe(seqs.length);
        // The epoch's own first record is one more.
        expect(totals.complete).toBe(seqs.length === (records.length === 0 ? 0 : records.length + 1));
      },
    ),
    { numRuns: 60 },
  );
});

test('incidents before tables, rollups and detail; what was acknowledged is not among them', async () => {
  const classes = ['detail', 'rollup', 'incident', 'table', 'detail'] as const;
  const outbox = await outboxOf(classes.map((recordClass) => ({ recordClass, sizeBytes: 10 })));
  // Seq 1 is the epoch's own record.
  expect(seqsOf(await exported(outbox, 1e6))).toEqual([1, 4, 5, 3, 2, 6]);
  await outbox.ack(outbox.epoch(), [[1, 4]]);
  expect(seqsOf(await exported(outbox, 1e6))).toEqual([5, 6]);
});

test('it comes to an end though records are made meanwhile, and envelopes are not live', async () => {
  const outbox = await outboxOf([{ recordClass: 'detail', sizeBytes: 10 }]);
  const options = { agent: 'm1', bootId, version: '0', outbox, clock, incarnation: null, series: 'ab'.repeat(16) };
  const messages: ExchangeMessage[] = [];
  for await (const message of outgoing({ ...options, number: 1, reported: null, need: [], roomBytes: 1e6 })) {
    messages.push(message);
    const record = {
      kind: 'top',
      bootId,
      monotonicMs: 1,
      wallMs: 1,
      wallTrusted: 'yes',
      body: Uint8Array.of(1),
    } as const;
    const appended = outbox.append(encodeRecord(record), 'detail');
    await outbox.flush();
    await appended;
  }
  expect(seqsOf(messages)).toEqual([1, 2]);
  for (const { kind, bytes } of messages) {
    if (kind !== 'records') continue;
    const { live, epoch, frames, held } = decodeEnvelope(unpackPayload(bytes, limits.inflatedBytes));
    expect(live).toBe(false);
    expect(held[0]![0]).toBe(1);
    for (const frame of frames) decodeRecord(readFrame(epoch, frame).record);
  }
});

test('a table that the central asked for comes again, though it was acknowledged', async () => {
  const outbox = await outboxOf([]);
  const hash = '00112233aabbccdd';
  const record = {
    kind: 'table',
    bootId,
    monotonicMs: 1,
    wallMs: 1,
    wallTrusted: 'yes',
    body: Uint8Array.of(1),
  } as const;
  const appended = outbox.append(encodeRecord(record), 'table', { table: hash });
  await outbox.flush();
  const { seq } = await appended;
  await outbox.ack(outbox.epoch(), [[1, seq]]);
  expect(seqsOf(await exported(outbox, 1e6))).toEqual([]);
  expect(seqsOf(await exported(outbox, 1e6, [hash, 'ffffffffffffffff']))).toEqual([seq]);
});
