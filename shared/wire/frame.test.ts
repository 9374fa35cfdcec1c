import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '../limits.ts';
import { fromHex, toHex } from './bytes.ts';
import { crc32c } from './crc32c.ts';
import { frameRecord, readFrame } from './frame.ts';

const epoch = '000102030405060708090a0b0c0d0e0f';
const other = 'f00102030405060708090a0b0c0d0e0f';
const ascii = (text: string) => new TextEncoder().encode(text);
const corrupt = expect.objectContaining({ code: 'frame.corrupt' });

test('CRC-32C gives the check values of RFC 3720 B.4 and of the catalogue', () => {
  expect(crc32c(ascii('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i))).toBe(0x113fdb5c);
  expect(crc32c(new Uint8Array(0))).toBe(0);
});

test('CRC-32C of parts is the CRC of the whole', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), fc.uint8Array({ maxLength: 50 }), (a, b) => {
      expect(crc32c(b, crc32c(a))).toBe(crc32c(new Uint8Array([...a, ...b])));
    }),
  );
});

test('hex comes back, and nothing else is taken for hex', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(fromHex(toHex(bytes))).toEqual(bytes);
    }),
  );
  for (const bad of ['0', 'AB', 'zz', '0x']) expect(() => fromHex(bad)).toThrow('lower-case hex');
  expect(() => fromHex('00', 2)).toThrow('2 bytes');
});

test('the layout is the stated one', () => {
  const frame = frameRecord(epoch, 0x0102030405, ascii('abc'));
  expect(toHex(frame.subarray(0, 4))).toBe('03000000');
  expect(toHex(frame.subarray(8))).toBe(`0504030201000000${toHex(ascii('abc'))}`);
  const covered = fromHex(`${epoch}0504030201000000${toHex(ascii('abc'))}`);
  expect(new DataView(frame.buffer).getUint32(4, true)).toBe(crc32c(covered));
});

test('a frame comes back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), fc.uint8Array(), (seq, record) => {
      const frame = frameRecord(epoch, seq, record);
      const read = readFrame(epoch, frame);
      expect({ seq: read.seq, record: new Uint8Array(read.record) }).toEqual({ seq, record });
    }),
  );
});

test('any flipped bit, another epoch, a byte more or less: corrupt', () => {
  const frame = frameRecord(epoch, 7, ascii('some record'));
  for (let bit = 0; bit < frame.length * 8; bit++) {
    const damaged = frame.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    expect(() => readFrame(epoch, damaged), `bit ${bit}`).toThrow(corrupt);
  }
  expect(() => readFrame(other, frame)).toThrow(corrupt);
  for (let length = 0; length < frame.length; length++) {
    expect(() => readFrame(epoch, frame.subarray(0, length))).toThrow(corrupt);
  }
  expect(() => readFrame(epoch, new Uint8Array([...frame, 0]))).toThrow(corrupt);
});

test('a record over the limit is not framed, and seq 0 does not exist', () => {
  expect(() => frameRecord(epoch, 1, new Uint8Array(limits.recordBytes))).not.toThrow();
  expect(() => frameRecord(epoch, 1, new Uint8Array(limits.recordBytes + 1))).toThrow(
    expect.objectContaining({ code: 'payload.too_large' }),
  );
  expect(() => frameRecord(epoch, 0, ascii('x'))).toThrow();
});
