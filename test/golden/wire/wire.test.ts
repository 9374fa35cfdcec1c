/**
 * What earlier versions wrote must be read for ever: agents keep records for weeks, stores for years. Each `.hex` file
 * here is a message as version 0.1 wrote it. Never change one; where the format grows, add files.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keyOf } from '../../../shared/math/sketch.ts';
import { readBlock } from '../../../shared/wire/block.ts';
import { fromHex, toHex } from '../../../shared/wire/bytes.ts';
import * as codec from '../../../shared/wire/codec.ts';
import { decodeColumns } from '../../../shared/wire/columns.ts';
import { frameRecord, readFrame } from '../../../shared/wire/frame.ts';

const read = (name: string) =>
  fromHex(readFileSync(join(import.meta.dirname, `${name}.hex`), 'latin1').replaceAll(/\s+/g, ''));
const bytes = (...list: number[]) => Uint8Array.from(list);

const epoch = '000102030405060708090a0b0c0d0e0f';
const parent = 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff';
const boot = 'a0a1a2a3a4a5a6a7a8a9aaabacadaeaf';
const incarnation = '101112131415161718191a1b1c1d1e1f';
const table = '0011223344556677';
const idle = { name: 'system.cpu.utilization', unit: '1', attributes: { 'cpu.mode': 'idle', cpu: '0' } };
const temperature = { name: 'température', unit: 'Cel', attributes: {} };

const record: codec.EdgeRecord = {
  kind: 'summary',
  bootId: boot,
  monotonicMs: 123_456_789,
  wallMs: 1_765_432_100_000,
  wallTrusted: 'yes',
  body: bytes(1, 2, 3),
};

/** Name of the file → its decoder, encoder and the value that it stands for. */
const messages: Record<string, readonly [(bytes: Uint8Array) => unknown, () => Uint8Array, unknown]> = {
  record: [codec.decodeRecord, () => codec.encodeRecord(record), record],
  'record-unknown-kind': [
    codec.decodeRecord,
    () => codec.encodeRecord({ ...record, kind: 99, wallMs: -5, wallTrusted: 'no' }),
    { ...record, kind: 99, wallMs: -5, wallTrusted: 'no' },
  ],
  ...message('envelope', codec.encodeEnvelope, codec.decodeEnvelope, {
    agent: 'pump-7',
    epoch,
    n: 42,
    incarnation,
    bootId: boot,
    sentMonotonicMs: 123_456_999,
    highestSeq: 70_000,
    held: [
      [1, 5],
      [8, 70_000],
    ],
    frames: [bytes(9, 9), bytes()],
    live: true,
  }),
  ...message('ack', codec.encodeAck, codec.decodeAck, {
    incarnation,
    epoch,
    n: 42,
    sentMonotonicMs: 123_456_999,
    centralMs: 1_765_432_100_123,
    contiguous: 5,
    settled: [
      [8, 9],
      [11, 11],
    ],
    full: true,
    need: [table, 'ffeeddccbbaa9988'],
    renewEpoch: false,
  }),
  ...message('table', codec.encodeTable, codec.decodeTable, [idle, temperature]),
  ...message('co-moments', codec.encodeCoMoments, codec.decodeCoMoments, {
    group: 'pump',
    members: ['0011223344556677', '8899aabbccddeeff', 'ffeeddccbbaa9988'],
    windowMs: 60_000,
    featureVersion: 1,
    seen: Float64Array.of(60, 59, 0),
    coMoments: {
      count: 60,
      mean: Float64Array.of(0.25, -7, 0),
      products: Float64Array.of(1.5, -2.25, 9.75, 0, 0, 0),
    },
    lengthMs: 3_600_000,
    endMonotonicMs: 123_400_000,
    endWallMs: 1_765_432_080_000,
  }),
  ...message('summary', codec.encodeSummary, codec.decodeSummary, {
    table,
    lengthMs: 59_999,
    nominalMs: 60_000,
    endMonotonicMs: 123_400_000,
    endWallMs: 1_765_432_080_000,
    first: 300,
    columns: bytes(1, 0),
  }),
  ...message('events', codec.encodeEvents, codec.decodeEvents, [
    { key: temperature, monotonicMs: 7, wallMs: 8, from: null, to: 'on', quality: 0 },
    { key: idle, monotonicMs: 9, wallMs: 10, from: '', to: 'öffnet', quality: 2 },
  ]),
  ...message('gap', codec.encodeGap, codec.decodeGap, {
    epoch: parent,
    ranges: [
      [2, 9],
      [20, 20],
    ],
    cause: 'disk_full',
    fromWallMs: 1_765_000_000_000,
    toWallMs: 1_765_000_600_000,
  }),
  ...message('epoch', codec.encodeEpochStart, codec.decodeEpochStart, {
    parent,
    parentFinalSeq: 987_654_321,
    start: 17,
    volatile: true,
  }),
  ...message('epoch-first', codec.encodeEpochStart, codec.decodeEpochStart, {
    parent: null,
    parentFinalSeq: 0,
    start: 1,
    volatile: false,
  }),
  ...message('evidence', codec.encodeEvidence, codec.decodeEvidence, {
    incidentEpoch: epoch,
    incidentSeq: 12,
    table,
    fromWallMs: 1_765_000_000_000,
    toWallMs: 1_765_000_900_000,
    blocks: [{ series: 3, data: bytes(1, 0, 0) }],
  }),
  ...message('live', codec.encodeLive, codec.decodeLive, {
    request: 'w1',
    wallMs: 1_765_432_100_000,
    series: [table, 'ffeeddccbbaa9988'],
    values: [0.5, Number.NaN],
    blocks: [{ series: '8000000000000001', timesMs: [1_765_432_100_000, 1_765_432_101_001], values: [1, -2.5] }],
    last: true,
    error: '',
  }),
  ...message('chunk', codec.encodeChunk, codec.decodeChunk, {
    hash: `${epoch}${parent}`,
    index: 1,
    count: 3,
    sizeBytes: 70_000,
    data: bytes(5, 6, 7),
  }),
};

function message<T>(name: string, encode: (value: T) => Uint8Array, decode: (bytes: Uint8Array) => unknown, value: T) {
  return { [name]: [decode, () => encode(value), value] as const };
}

const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
};

test.each(Object.entries(messages))('%s: is read as what it stands for, and written as it was', (name, parts) => {
  const [decode, encode, value] = parts;
  expect(plain(decode(read(name)))).toEqual(plain(value));
  expect(toHex(encode())).toBe(toHex(read(name)));
});

test('frame: seq 258 of the epoch, around the golden record', () => {
  const { seq, record: inner } = readFrame(epoch, read('frame'));
  expect(seq).toBe(258);
  expect(new Uint8Array(inner)).toEqual(read('record'));
  expect(toHex(frameRecord(epoch, 258, read('record')))).toBe(toHex(read('frame')));
});

test('columns version 1: of no samples, constant, integers, float32 from zero, float64 below zero', () => {
  const columns = decodeColumns(read('columns-1'), 5);
  expect([...columns.count]).toEqual([0, 60, 60, 59, 2]);
  expect([...columns.min]).toEqual([Number.NaN, 21.5, 1024, 0, -1.1000000000000003]);
  expect([...columns.max]).toEqual([Number.NaN, 21.5, 4096, 0.3330078125, -0.1]);
  expect([...columns.last]).toEqual([Number.NaN, 21.5, 2048, 0, -0.1]);
  expect([...columns.bad]).toEqual([60, 0, 0, 1, 0]);
  expect([...columns.anomalyShare]).toEqual([Number.NaN, 0, 0.05, 0, 0]);
  expect([...columns.highestScore]).toEqual([Number.NaN, 0, 12.5, 20, 100]);
  // the mean was written as 2000, 0.1 and -0.6, the deviation as 512, 0.125 and 0.5: half a step of range / 65535
  const near = (value: number, written: number, range: number) =>
    expect(Math.abs(value - written)).toBeLessThanOrEqual(range / 131_069);
  near(columns.mean[2]!, 2000, 3072);
  near(columns.mean[3]!, 0.1, 0.3330078125);
  near(columns.mean[4]!, -0.6, 1.0001);
  near(columns.deviation[2]!, 512, 3072);
  near(columns.deviation[3]!, 0.125, 0.3330078125);
  near(columns.deviation[4]!, 0.5, 1.0001);
  expect([columns.mean[1], columns.deviation[1]]).toEqual([21.5, 0]);
  const none = { zeros: 0, positiveKeys: new Int32Array(0), positiveCounts: new Uint32Array(0) };
  const noNegative = { negativeKeys: new Int32Array(0), negativeCounts: new Uint32Array(0) };
  expect(columns.sketches).toEqual([
    null,
    { zeros: 0, positiveKeys: Int32Array.of(keyOf(21.5)), positiveCounts: Uint32Array.of(60), ...noNegative },
    {
      zeros: 0,
      positiveKeys: Int32Array.of(keyOf(1024), keyOf(2048), keyOf(4096)),
      positiveCounts: Uint32Array.of(17, 42, 1),
      ...noNegative,
    },
    {
      zeros: 40,
      positiveKeys: Int32Array.of(keyOf(0.25), keyOf(0.3330078125)),
      positiveCounts: Uint32Array.of(18, 1),
      ...noNegative,
    },
    {
      ...none,
      negativeKeys: Int32Array.of(keyOf(0.1), keyOf(1.1000000000000003)),
      negativeCounts: Uint32Array.of(1, 1),
    },
  ]);
});

test('block version 1: steady, jittering, leaping times; repeated, small, wild values', () => {
  const block = readBlock(read('block-1'), 9);
  const start = 1_765_432_100_000;
  expect([...block.timesMs]).toEqual(
    [0, 1000, 2000, 3003, 4003, 9003, 900_000, 1e12, 1e12 + 1000].map((t) => start + t),
  );
  expect([...block.values]).toEqual([1, 1, 1, 2, -0.1, Math.PI, Number.NaN, 5e-324, 5e-324]);
});

test('every file here is held by a test', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.hex'));
  const held = [...Object.keys(messages), 'frame', 'columns-1', 'block-1'].map((name) => `${name}.hex`);
  expect(files.sort()).toEqual(held.sort());
});
