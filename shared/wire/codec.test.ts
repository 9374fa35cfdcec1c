import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PicketError } from '../errors.ts';
import { limits } from '../limits.ts';
import { toHex } from './bytes.ts';
import * as codec from './codec.ts';
import { picket } from './gen/edge.js';
import { checkedRanges } from './ranges.ts';

const proto = picket.edge.v1;

const hex = (sizeBytes: number) => fc.uint8Array({ minLength: sizeBytes, maxLength: sizeBytes }).map(toHex);
const id = hex(16);
const hash = hex(8);
const safe = fc.maxSafeNat();
const counting = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const anyMs = fc.maxSafeInteger();
const bytes = fc.uint8Array({ maxLength: 40 });
const label = fc.string({ minLength: 1, maxLength: 30, unit: 'binary' }).filter((text) => text.isWellFormed());
const ranges = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.nat({ max: 1000 })), { maxLength: 8 })
  .map((steps) => {
    let at = 0;
    return steps.map(([gap, length]) => {
      const from = at + gap + 1;
      at = from + length;
      return [from, at] as const;
    });
  });
const key = fc.record({
  name: label,
  unit: fc.string({ maxLength: 10 }),
  attributes: fc.dictionary(label, fc.string({ maxLength: 10 }), { maxKeys: 5, noNullPrototype: true }),
});

const shapes = {
  Record: {
    encode: codec.encodeRecord,
    decode: codec.decodeRecord,
    values: fc.record({
      kind: fc.oneof(
        fc.constantFrom<codec.RecordKind>('table', 'summary', 'rollup', 'co_moments', 'event', 'incident', 'gap'),
        fc.constantFrom<codec.RecordKind>('inventory', 'top', 'applied', 'evidence', 'epoch'),
        fc.integer({ min: 13, max: 2 ** 31 - 1 }),
      ),
      bootId: id,
      monotonicMs: safe,
      wallMs: anyMs,
      wallTrusted: fc.constantFrom<codec.WallTrust>('unknown', 'yes', 'no'),
      body: bytes,
    }),
  },
  Envelope: {
    encode: codec.encodeEnvelope,
    decode: codec.decodeEnvelope,
    values: fc.record({
      agent: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
      epoch: id,
      n: safe,
      incarnation: fc.option(id),
      bootId: id,
      sentMonotonicMs: safe,
      highestSeq: fc.integer({ min: 20_000, max: Number.MAX_SAFE_INTEGER }),
      held: ranges,
      frames: fc.array(bytes, { maxLength: 5 }),
      live: fc.boolean(),
    }),
  },
  Ack: {
    encode: codec.encodeAck,
    decode: codec.decodeAck,
    values: fc.record({
      incarnation: id,
      epoch: id,
      n: safe,
      sentMonotonicMs: safe,
      centralMs: anyMs,
      contiguous: safe,
      settled: ranges,
      full: fc.boolean(),
      need: fc.array(hash, { maxLength: limits.needsPerAck }),
      renewEpoch: fc.boolean(),
    }),
  },
  SeriesTable: { encode: codec.encodeTable, decode: codec.decodeTable, values: fc.array(key, { maxLength: 5 }) },
  Summary: {
    encode: codec.encodeSummary,
    decode: codec.decodeSummary,
    values: fc.record({
      table: hash,
      lengthMs: counting,
      nominalMs: fc.constantFrom(60_000, 600_000, 3_600_000),
      endMonotonicMs: safe,
      endWallMs: anyMs,
      first: fc.nat({ max: limits.seriesPerTable - 1 }),
      columns: bytes,
    }),
  },
  Events: {
    encode: codec.encodeEvents,
    decode: codec.decodeEvents,
    values: fc.array(
      fc.record({
        key,
        monotonicMs: safe,
        wallMs: anyMs,
        from: fc.option(fc.string({ maxLength: 20 })),
        to: fc.string({ maxLength: 20 }),
        quality: fc.constantFrom<0 | 1 | 2>(0, 1, 2),
      }),
      { maxLength: 4 },
    ),
  },
  Gap: {
    encode: codec.encodeGap,
    decode: codec.decodeGap,
    values: fc.record({
      epoch: id,
      ranges,
      cause: fc.string({ maxLength: 15 }),
      fromWallMs: anyMs,
      toWallMs: anyMs,
    }),
  },
  EpochStart: {
    encode: codec.encodeEpochStart,
    decode: codec.decodeEpochStart,
    values: fc.record({ parent: fc.option(id), parentFinalSeq: safe, start: counting, volatile: fc.boolean() }),
  },
  Evidence: {
    encode: codec.encodeEvidence,
    decode: codec.decodeEvidence,
    values: fc.record({
      incidentEpoch: id,
      incidentSeq: counting,
      table: hash,
      fromWallMs: anyMs,
      toWallMs: anyMs,
      blocks: fc.array(fc.record({ series: fc.nat({ max: limits.seriesPerTable - 1 }), data: bytes }), {
        maxLength: 4,
      }),
    }),
  },
  Live: {
    encode: codec.encodeLive,
    decode: codec.decodeLive,
    values: fc
      .record({
        request: fc.string({ maxLength: 20 }),
        wallMs: anyMs,
        watched: fc.array(fc.tuple(hash, fc.double()), { maxLength: 5 }),
        blocks: fc.array(
          fc.tuple(hash, fc.array(fc.tuple(fc.nat(), fc.double()), { maxLength: 5 })).map(([series, samples]) => ({
            series,
            timesMs: samples.map((s) => s[0]),
            values: samples.map((s) => s[1]),
          })),
          { maxLength: 3 },
        ),
        last: fc.boolean(),
        error: fc.string({ maxLength: 20 }),
      })
      .map(({ watched, ...rest }) => ({ ...rest, series: watched.map((w) => w[0]), values: watched.map((w) => w[1]) })),
  },
  Chunk: {
    encode: codec.encodeChunk,
    decode: codec.decodeChunk,
    values: fc.record({
      hash: hex(32),
      index: fc.nat({ max: 99 }),
      count: fc.integer({ min: 100, max: 128 }),
      sizeBytes: fc.nat({ max: limits.blobBytes }),
      data: bytes,
    }),
  },
};

type Shape = {
  encode: (value: never) => Uint8Array;
  decode: (bytes: Uint8Array) => unknown;
  values: fc.Arbitrary<never>;
};
const all = Object.entries(shapes) as unknown as [string, Shape][];

/** Plain Uint8Arrays for Buffers, so that `toEqual` looks at bytes alone. */
const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
};

test.each(all)('%s comes back as it was', (_, { encode, decode, values }) => {
  fc.assert(
    fc.property(values, (value) => {
      expect(plain(decode(encode(value)))).toEqual(value);
      expect(plain(decode(Buffer.from(encode(value))))).toEqual(value);
    }),
  );
});

test.each(all)('%s: noise and damage give payload.invalid and nothing else', (_, { encode, decode, values }) => {
  const attempt = (input: Uint8Array) => {
    try {
      decode(input);
    } catch (error) {
      expect(error).toBeInstanceOf(PicketError);
      expect((error as PicketError).code).toBe('payload.invalid');
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), attempt));
  fc.assert(
    fc.property(
      values,
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }),
      fc.nat(),
      (value, flips, cut) => {
        const damaged = encode(value).slice();
        for (const [at, mask] of flips) if (damaged.length > 0) damaged[at % damaged.length]! ^= mask;
        attempt(damaged);
        attempt(damaged.subarray(0, cut % (damaged.length + 1)));
      },
    ),
  );
});

test.each(all)('%s: a field that a newer version added is skipped', (_, { encode, decode, values }) => {
  fc.assert(
    fc.property(values, (value) => {
      const encoded = encode(value);
      // field 200: length-delimited; field 201: varint
      const newer = new Uint8Array([...encoded, 0xc2, 0x0c, 2, 7, 7, 0xc8, 0x0c, 1]);
      expect(plain(decode(newer))).toEqual(value);
    }),
  );
});

const invalid = (message: string, field: string) =>
  expect.objectContaining({ code: 'payload.invalid', message: expect.stringMatching(`^${message}.${field}`) });
const b = (length: number) => new Uint8Array(length).fill(1);
const record = { bootId: b(16), kind: 1, monotonicMs: 1, wallMs: 1 };
const envelope = { agent: 'a', epoch: b(16), bootId: b(16), n: 1, highestSeq: 9 };
const ack = { incarnation: b(16), epoch: b(16) };
const summary = { table: b(8), lengthMs: 60_000, nominalMs: 60_000 };
const beyond = { low: 0, high: 0x200000, unsigned: true } as never;

test.each([
  ['Record', 'bootId', codec.decodeRecord, proto.Record.encode({ ...record, bootId: b(15) })],
  ['Record', 'monotonicMs', codec.decodeRecord, proto.Record.encode({ ...record, monotonicMs: beyond })],
  ['Envelope', 'agent', codec.decodeEnvelope, proto.Envelope.encode({ ...envelope, agent: 'a/b' })],
  ['Envelope', 'epoch', codec.decodeEnvelope, proto.Envelope.encode({ ...envelope, epoch: b(17) })],
  ['Envelope', 'incarnation', codec.decodeEnvelope, proto.Envelope.encode({ ...envelope, incarnation: b(1) })],
  ['Envelope', 'highestSeq', codec.decodeEnvelope, proto.Envelope.encode({ ...envelope, highestSeq: beyond })],
  ['Envelope', 'held', codec.decodeEnvelope, proto.Envelope.encode({ ...envelope, held: [{ from: 3, to: 2 }] })],
  ['Envelope', 'held', codec.decodeEnvelope, proto.Envelope.encode({ ...envelope, held: [{ from: 3, to: 10 }] })],
  [
    'Envelope',
    'frames',
    codec.decodeEnvelope,
    proto.Envelope.encode({ ...envelope, frames: Array.from({ length: limits.recordsPerEnvelope + 1 }, () => b(0)) }),
  ],
  ['Envelope', 'frames', codec.decodeEnvelope, proto.Envelope.encode({ ...envelope, frames: [b(50_000)] })],
  [
    'Ack',
    'need',
    codec.decodeAck,
    proto.Ack.encode({ ...ack, need: Array.from({ length: limits.needsPerAck + 1 }, () => b(8)) }),
  ],
  ['Ack', 'need', codec.decodeAck, proto.Ack.encode({ ...ack, need: [b(9)] })],
  ['SeriesTable', 'series.name', codec.decodeTable, proto.SeriesTable.encode({ series: [{ name: '' }] })],
  ['SeriesTable', 'series.name', codec.decodeTable, proto.SeriesTable.encode({ series: [{ name: 'ä'.repeat(128) }] })],
  [
    'SeriesTable',
    'series.attributes',
    codec.decodeTable,
    proto.SeriesTable.encode({ series: [{ name: 'm', attributes: ['a'] }] }),
  ],
  [
    'SeriesTable',
    'series.attributes',
    codec.decodeTable,
    proto.SeriesTable.encode({ series: [{ name: 'm', attributes: ['a', 'x', 'a', 'y'] }] }),
  ],
  ['Summary', 'nominalMs', codec.decodeSummary, proto.Summary.encode({ ...summary, nominalMs: 1 })],
  ['Summary', 'lengthMs', codec.decodeSummary, proto.Summary.encode({ ...summary, lengthMs: 0 })],
  ['Summary', 'first', codec.decodeSummary, proto.Summary.encode({ ...summary, first: limits.seriesPerTable })],
  [
    'Event',
    'to',
    codec.decodeEvents,
    proto.Events.encode({ events: [{ series: { name: 'm' }, to: 'x'.repeat(1025) }] }),
  ],
  ['Event', 'quality', codec.decodeEvents, proto.Events.encode({ events: [{ series: { name: 'm' }, quality: 3 }] })],
  ['Gap', 'cause', codec.decodeGap, proto.Gap.encode({ epoch: b(16), cause: 'x'.repeat(65) })],
  ['Live', 'values', codec.decodeLive, proto.Live.encode({ values: [1] })],
  ['Chunk', 'index', codec.decodeChunk, proto.Chunk.encode({ hash: b(32), index: 2, count: 2 })],
  ['Chunk', 'sizeBytes', codec.decodeChunk, proto.Chunk.encode({ hash: b(32), count: 1, sizeBytes: 5_000_000 })],
] as const)('%s.%s out of bounds is named', (message, field, decode, writer) => {
  expect(() => decode(writer.finish())).toThrow(invalid(message, field));
});

test('too many series are refused before they are decoded', () => {
  const many = new Uint8Array((limits.seriesPerTable + 1) * 2);
  for (let i = 0; i < many.length; i += 2) many[i] = 0x0a;
  expect(() => codec.decodeTable(many)).toThrow(invalid('SeriesTable', 'series: more than 4096'));
});

test('what is too large is refused on both ways', () => {
  const large = expect.objectContaining({ code: 'payload.too_large' });
  const body = new Uint8Array(limits.recordBytes);
  const bootId = '00'.repeat(16);
  const made = { kind: 'top', bootId, monotonicMs: 1, wallMs: 1, wallTrusted: 'yes', body } as const;
  expect(() => codec.encodeRecord(made)).toThrow(large);
  expect(() => codec.decodeRecord(new Uint8Array(limits.recordBytes + 1))).toThrow(large);
});

test('fractions of milliseconds are rounded, so that no clock makes a record that cannot be written', () => {
  const made = { kind: 'top', bootId: '00'.repeat(16), wallTrusted: 'yes', body: new Uint8Array(0) } as const;
  const back = codec.decodeRecord(codec.encodeRecord({ ...made, monotonicMs: 12.5, wallMs: -0.4 }));
  expect([back.monotonicMs, back.wallMs]).toEqual([13, 0]);
});

test('an attribute of any name is an own property', () => {
  const bytesOut = proto.SeriesTable.encode({ series: [{ name: 'm', attributes: ['__proto__', 'x'] }] }).finish();
  const [series] = codec.decodeTable(bytesOut);
  expect(Object.entries(series!.attributes)).toEqual([['__proto__', 'x']]);
  expect(Object.getPrototypeOf(series!.attributes)).toBe(Object.prototype);
});

test('an acknowledgement says the same set that it was made from', () => {
  fc.assert(
    fc.property(ranges, (settled) => {
      const fields = codec.settledFields(checkedRanges(settled)!);
      expect(codec.settledBy({ ...({} as codec.Ack), ...fields })).toEqual(settled);
      expect(fields.settled.every(([from]) => from > fields.contiguous + 1)).toBe(true);
    }),
  );
});
