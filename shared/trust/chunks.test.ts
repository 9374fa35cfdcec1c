import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limits } from '../limits.ts';
import type { Chunk } from '../wire/live.ts';
import { ChunkAssembler, chunkCount, chunkOf } from './chunks.ts';
import { sha256Hex } from './hash.ts';

const blob = Uint8Array.from({ length: 2 * limits.chunkBytes + 5 }, (_, i) => i % 251);
const hash = sha256Hex(blob);
const pieces = Array.from({ length: chunkCount(blob.length) }, (_, index) => chunkOf(blob, hash, index)!);

describe('a blob in chunks', () => {
  it('comes together in any order and with repetitions', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([0, 1, 2, 0, 1, 2], { minLength: 6 }), (order) => {
        const assembler = new ChunkAssembler(hash, blob.length);
        for (const index of order) assembler.accept(pieces[index]!);
        expect(assembler.complete).toBe(true);
        expect(assembler.finish()).toEqual(blob);
      }),
      { numRuns: 20 },
    );
  });

  it('asks for what is missing, in order', () => {
    const assembler = new ChunkAssembler(hash, blob.length);
    assembler.accept(pieces[0]!);
    expect(assembler.next()).toBe(1);
    assembler.accept(pieces[2]!);
    expect(assembler.next()).toBe(1);
    assembler.accept(pieces[1]!);
    expect(assembler.next()).toBe(-1);
  });

  it('with one flipped bit is not handed out, and is fetched again from the start', () => {
    const assembler = new ChunkAssembler(hash, blob.length);
    const altered = pieces[1]!.data.slice();
    altered[9]! ^= 4;
    for (const piece of [pieces[0]!, { ...pieces[1]!, data: altered }, pieces[2]!]) assembler.accept(piece);
    expect(() => assembler.finish()).toThrow(expect.objectContaining({ code: 'blob.mismatch' }));
    expect(assembler.next()).toBe(0);
  });

  const strange: [string, Chunk][] = [
    ['another size than signed', { ...pieces[0]!, sizeBytes: 2 ** 40 }],
    ['an index past the end', { ...pieces[0]!, index: 3 }],
    ['a negative index', { ...pieces[0]!, index: -1 }],
    ['no index', { ...pieces[0]!, index: Number.NaN }],
    ['too few bytes', { ...pieces[0]!, data: new Uint8Array(3) }],
    ['the last one’s place and a full length', { ...pieces[0]!, index: 2 }],
  ];
  it.each(strange)('refuses a chunk with %s', (_, chunk) => {
    const assembler = new ChunkAssembler(hash, blob.length);
    expect(() => assembler.accept(chunk)).toThrow(expect.objectContaining({ code: 'blob.mismatch' }));
  });

  it('takes no memory for a blob beyond the limit', () => {
    expect(() => new ChunkAssembler(hash, 2 ** 40)).toThrow(expect.objectContaining({ code: 'payload.too_large' }));
  });

  it('has no chunk outside of it', () => {
    expect([-1, 0.5, 3, Number.NaN].map((index) => chunkOf(blob, hash, index))).toEqual([null, null, null, null]);
  });
});
