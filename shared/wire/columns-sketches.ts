/**
 * How sketches travel inside columns. Buckets go from the largest magnitude down; each is one token:
 *
 *     byte    gap to the next bucket - 1 (high four bits), count - 1 (low four bits); 15 says that a varint follows
 *     varint  gap - 16, if so
 *     varint  count - 16, if so
 *
 * The last bucket of a side has no gap; its high bits are 0.
 *
 * *Implied* (the rule): minimum and maximum are known exactly, and so are the buckets that they lie in, and the number
 * of all values. Hence the first key of a side is left out. A side that ends at a known key (the positive side of an
 * all-positive window, the negative side of an all-negative one) ends there, and its last bucket has what is left of
 * the count and no token. Else the number of its buckets - 1 stands before it, as a varint; zeros are what is left.
 *
 * *Explicit* (after buckets were joined, or where the count is another): zeros as a varint, then for the positive and
 * the negative side: the number of buckets as a varint, the first key (zigzag varint), tokens.
 */
import { PicketError } from '../errors.ts';
import { limits } from '../limits.ts';
import { KEY_BOUND, keyOf, sketchCount } from '../math/sketch.ts';
import { type ByteReader, type ByteWriter, unzigzag, zigzag } from './bytes.ts';
import type { SketchColumns } from './summary.ts';

const NIBBLE = 15;

/** Whether the sketch is what minimum, maximum and count leave open. */
export function isImplied(sketch: SketchColumns, count: number, min: number, max: number): boolean {
  const { positiveKeys, negativeKeys, zeros } = sketch;
  if (sketchCount(sketch) !== count) return false;
  if (max > 0 ? positiveKeys.at(-1) !== keyOf(max) : positiveKeys.length > 0) return false;
  if (min < 0 ? negativeKeys.at(-1) !== keyOf(-min) : negativeKeys.length > 0) return false;
  if (min > 0) return zeros === 0 && positiveKeys[0] === keyOf(min);
  if (max < 0) return zeros === 0 && negativeKeys[0] === keyOf(-max);
  return zeros > 0 || (min !== 0 && max !== 0);
}

export function writeImplied(out: ByteWriter, sketch: SketchColumns, min: number, max: number): void {
  writeSide(out, sketch.positiveKeys, sketch.positiveCounts, min > 0);
  writeSide(out, sketch.negativeKeys, sketch.negativeCounts, max < 0);
}

/** @param count of all values */
export function readImplied(input: ByteReader, count: number, min: number, max: number): SketchColumns {
  const positive = max > 0 ? readSide(input, keyOf(max), min > 0 ? keyOf(min) : null, count) : noSide;
  const negative =
    min < 0 ? readSide(input, keyOf(-min), max < 0 ? keyOf(-max) : null, count - positive.total) : noSide;
  const zeros = count - positive.total - negative.total;
  if (zeros < (min === 0 || max === 0 ? 1 : 0)) input.fail('a sketch counts more than there is');
  return sketchOfSides(zeros, positive, negative);
}

export function writeExplicit(out: ByteWriter, sketch: SketchColumns): void {
  out.varint(sketch.zeros);
  for (const [keys, counts] of [
    [sketch.positiveKeys, sketch.positiveCounts],
    [sketch.negativeKeys, sketch.negativeCounts],
  ] as const) {
    checkBuckets(keys.length);
    out.varint(keys.length);
    if (keys.length === 0) continue;
    out.varint(zigzag(keys.at(-1)!));
    writeTokens(out, keys, counts, 0);
  }
}

export function readExplicit(input: ByteReader): SketchColumns {
  const zeros = input.varint(0xffffffff);
  const sides = [noSide, noSide];
  for (let i = 0; i < 2; i++) {
    const buckets = input.varint(Math.min(limits.sketchBuckets, input.left));
    if (buckets === 0) continue;
    const first = unzigzag(input.varint(2 * KEY_BOUND));
    sides[i] = readBuckets(input, first, buckets, 0xffffffff);
  }
  return sketchOfSides(zeros, sides[0]!, sides[1]!);
}

interface Side {
  readonly keys: Int32Array;
  readonly counts: Uint32Array;
  readonly total: number;
}

const noSide: Side = { keys: new Int32Array(0), counts: new Uint32Array(0), total: 0 };

function sketchOfSides(zeros: number, positive: Side, negative: Side): SketchColumns {
  return {
    zeros,
    positiveKeys: positive.keys,
    positiveCounts: positive.counts,
    negativeKeys: negative.keys,
    negativeCounts: negative.counts,
  };
}

function writeSide(out: ByteWriter, keys: Int32Array, counts: Uint32Array, endKnown: boolean): void {
  checkBuckets(keys.length);
  if (keys.length === 0) return;
  if (!endKnown) out.varint(keys.length - 1);
  writeTokens(out, keys, counts, endKnown ? 1 : 0);
}

/** Tokens from the largest key down to the one at `end`. */
function writeTokens(out: ByteWriter, keys: Int32Array, counts: Uint32Array, end: number): void {
  for (let i = keys.length - 1; i >= end; i--) {
    const gap = i === 0 ? 0 : keys[i]! - keys[i - 1]! - 1;
    const count = counts[i]! - 1;
    out.byte(Math.min(gap, NIBBLE) * 16 + Math.min(count, NIBBLE));
    if (gap >= NIBBLE) out.varint(gap - NIBBLE);
    if (count >= NIBBLE) out.varint(count - NIBBLE);
  }
}

/** A side whose largest key is known. @param lastKey its smallest, where that is known too */
function readSide(input: ByteReader, firstKey: number, lastKey: number | null, left: number): Side {
  if (lastKey === null) {
    return readBuckets(input, firstKey, 1 + input.varint(Math.min(limits.sketchBuckets - 1, input.left)), left);
  }
  scratch.begin(firstKey, left);
  while (scratch.key > lastKey) {
    scratch.readToken(input);
    if (scratch.key < lastKey || scratch.left < 1) input.fail('a sketch does not end at its minimum');
  }
  if (scratch.left < 1) input.fail('a sketch counts more than there is');
  scratch.put(input, scratch.left);
  return scratch.finish();
}

function readBuckets(input: ByteReader, firstKey: number, buckets: number, left: number): Side {
  scratch.begin(firstKey, left);
  for (let i = 0; i < buckets; i++) {
    const before = scratch.key;
    scratch.readToken(input);
    if (i === buckets - 1 && scratch.key !== before - 1) input.fail('the last bucket of a sketch has a gap');
  }
  return scratch.finish();
}

/** Reads the buckets of one side from the largest key down, into buffers that are used again. */
class SideReader {
  key = 0;
  /** How many values are not in a bucket yet. */
  left = 0;
  #total = 0;
  #length = 0;
  readonly #keys = new Int32Array(limits.sketchBuckets);
  readonly #counts = new Uint32Array(limits.sketchBuckets);

  begin(firstKey: number, left: number): void {
    this.key = firstKey;
    this.left = left;
    this.#total = 0;
    this.#length = 0;
  }

  /** One bucket at `key`; `key` is then the next one's. */
  readToken(input: ByteReader): void {
    const token = input.byte();
    let gap = token >>> 4;
    let count = token & NIBBLE;
    if (gap === NIBBLE) gap += input.varint(2 * KEY_BOUND);
    if (count === NIBBLE) count += input.varint(0xffffffff);
    this.put(input, count + 1);
    this.key -= gap + 1;
  }

  put(input: ByteReader, count: number): void {
    if (this.#length === this.#keys.length) input.fail(`a sketch has more than ${this.#keys.length} buckets`);
    if (count > this.left) input.fail('a sketch counts more than there is');
    if (Math.abs(this.key) > KEY_BOUND) input.fail(`a sketch has the key ${this.key}`);
    this.#keys[this.#length] = this.key;
    this.#counts[this.#length++] = count;
    this.#total += count;
    this.left -= count;
  }

  finish(): Side {
    return {
      keys: this.#keys.slice(0, this.#length).reverse(),
      counts: this.#counts.slice(0, this.#length).reverse(),
      total: this.#total,
    };
  }
}

const scratch = new SideReader();

function checkBuckets(buckets: number): void {
  if (buckets <= limits.sketchBuckets) return;
  throw new PicketError('payload.too_large', `columns: a sketch of ${buckets} buckets, over ${limits.sketchBuckets}`);
}
