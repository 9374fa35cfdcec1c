import { constants, deflateRawSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PicketError } from '../errors.ts';
import { packPayload, unpackPayload } from './compress.ts';

const tooLarge = expect.objectContaining({ code: 'payload.too_large' });
const invalid = expect.objectContaining({ code: 'payload.invalid' });
const prefixed = (coding: number, bytes: Uint8Array) => new Uint8Array([coding, ...bytes]);

test('a payload comes back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), fc.integer({ min: 1, max: 40 }), (part, times) => {
      const bytes = new Uint8Array(Array.from({ length: times }, () => [...part]).flat());
      const packed = packPayload(bytes);
      expect(packed.length).toBeLessThanOrEqual(bytes.length + 1);
      expect(new Uint8Array(unpackPayload(packed, 20_000))).toEqual(bytes);
    }),
  );
});

test('what compresses is compressed, what does not is left as it is', () => {
  expect(packPayload(new Uint8Array(10_000)).length).toBeLessThan(100);
  const noise = Uint8Array.from({ length: 200 }, (_, i) => (i * i * 31 + i * 7919) >> 3);
  expect(packPayload(noise.subarray(0, 60))[0]).toBe(0);
});

test('deflate is understood too', () => {
  const bytes = new Uint8Array(1000).fill(7);
  expect(new Uint8Array(unpackPayload(prefixed(1, deflateRawSync(bytes)), 1000))).toEqual(bytes);
});

test('a payload that grows beyond the bound is refused in every coding', () => {
  const bytes = new Uint8Array(100_000);
  for (const payload of [prefixed(0, bytes), prefixed(1, deflateRawSync(bytes)), packPayload(bytes)]) {
    expect(() => unpackPayload(payload, 99_999)).toThrow(tooLarge);
    expect(unpackPayload(payload, 100_000).length).toBe(100_000);
  }
});

test('a zstd frame that asks for a large window gets none', () => {
  const params = { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_contentSizeFlag]: 0 };
  const greedy = zstdCompressSync(new Uint8Array(10_000_000), { params, pledgedSrcSize: 10_000_000 });
  expect(() => unpackPayload(prefixed(2, greedy), 20_000_000)).toThrow(invalid);
});

test('anything else is invalid, never another error', () => {
  expect(() => unpackPayload(new Uint8Array(0), 10)).toThrow(invalid);
  expect(() => unpackPayload(prefixed(3, new Uint8Array(4)), 10)).toThrow(invalid);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        unpackPayload(bytes, 1000);
      } catch (error) {
        expect(error).toBeInstanceOf(PicketError);
      }
    }),
  );
});
