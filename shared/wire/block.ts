/**
 * Full-rate values of one series, compressed and exact: times in whole milliseconds, values to the last bit. After
 * Gorilla (Pelkonen et al., VLDB 2015), with one bit for the commonest sample of all: the same value again, as long
 * after the one before as that after its own.
 *
 *     byte   version
 *     u16    samples (little-endian)
 *     f64    first time, f64 first value (bits from here on, the highest of a byte first)
 *     …      a sample each:
 *            0                     the same value, the same step of time
 *            1, time, value
 *     time   0                     the same step
 *            10    + 4 bits        the step differs by ±1…±8 ms
 *            110   + 9 bits        by up to 264 ms
 *            1110  + 20 bits       by up to about 8 minutes
 *            1111  + f64           the time itself
 *     value  0                     the same
 *            10    + bits          XOR with the one before, in the place of the last XOR that stated one
 *            11    + 5 + 6 + bits  XOR: leading zero bits (at most 31), meaningful bits − 1, these bits
 *
 * A constant at a steady 1 Hz costs a bit a sample. The writer allocates nothing per sample.
 */
import { PicketError } from '../errors.ts';

const VERSION = 1;
const HEADER_BYTES = 3;
const FIRST_SAMPLE_BITS = 128;
/** 1 + 4 + 64 for a time, 2 + 5 + 6 + 64 for a value. */
const WORST_SAMPLE_BITS = 146;
const MAX_SAMPLES = 0xffff;

const SHORT_STEPS = 16;
const MIDDLE_STEPS = 512;
const LONG_STEPS = 2 ** 20;

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
const HIGH = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 1 : 0;
const LOW = 1 - HIGH;

export class BlockWriter {
  /** Samples since the last reset. */
  count = 0;
  firstMs = Number.NaN;
  lastMs = Number.NaN;
  readonly #bytes: Uint8Array;
  readonly #bits: number;
  #at = HEADER_BYTES * 8;
  #stepMs = 0;
  #high = 0;
  #low = 0;
  #leading = 0;
  #trailing = 0;
  #windowKnown = false;

  /** @param buffer where the block is written; at least 19 bytes */
  constructor(buffer: Uint8Array) {
    this.#bytes = buffer;
    this.#bits = buffer.length * 8;
    this.reset();
  }

  /** Bytes of the block so far. */
  get sizeBytes(): number {
    return Math.ceil(this.#at / 8);
  }

  /**
   * Adds a sample; false where the block is full, and the sample is not in it.
   * @param timeMs rounded to whole milliseconds
   */
  append(timeMs: number, value: number): boolean {
    const left = this.#bits - this.#at;
    if (left < (this.count === 0 ? FIRST_SAMPLE_BITS : WORST_SAMPLE_BITS) || this.count === MAX_SAMPLES) return false;
    const time = Math.round(timeMs);
    if (this.count === 0) {
      this.firstMs = time;
      this.#putFloat(time);
      this.#putFloat(value);
      this.#high = words[HIGH]!;
      this.#low = words[LOW]!;
    } else {
      const stepMs = time - this.lastMs;
      const change = stepMs - this.#stepMs;
      float[0] = value;
      const high = words[HIGH]! ^ this.#high;
      const low = words[LOW]! ^ this.#low;
      if (change === 0 && high === 0 && low === 0) this.#put(0, 1);
      else {
        this.#high = words[HIGH]!;
        this.#low = words[LOW]!;
        this.#put(1, 1);
        this.#putTime(time, change);
        this.#putXor(high, low);
      }
      this.#stepMs = stepMs;
    }
    this.lastMs = time;
    this.count++;
    return true;
  }

  /** The block as it is now, a copy; more may be appended afterwards. */
  finish(): Uint8Array {
    this.#bytes[1] = this.count & 255;
    this.#bytes[2] = this.count >> 8;
    return this.#bytes.slice(0, this.sizeBytes);
  }

  /** Begins anew in the same buffer. */
  reset(): void {
    this.#bytes.fill(0, 0, this.sizeBytes);
    this.#bytes[0] = VERSION;
    this.count = 0;
    this.firstMs = Number.NaN;
    this.lastMs = Number.NaN;
    this.#at = HEADER_BYTES * 8;
    this.#stepMs = 0;
    this.#windowKnown = false;
  }

  #putTime(time: number, change: number): void {
    const size = change > 0 ? change * 2 : -change * 2 + 1;
    // ±1 → 2, 3: the codes begin there.
    const code = size - 2;
    if (change === 0) this.#put(0, 1);
    else if (code < SHORT_STEPS) this.#put((0b10 << 4) | code, 6);
    else if (code < SHORT_STEPS + MIDDLE_STEPS) this.#put((0b110 << 9) | (code - SHORT_STEPS), 12);
    else if (code < SHORT_STEPS + MIDDLE_STEPS + LONG_STEPS) {
      this.#put((0b1110 << 20) | (code - SHORT_STEPS - MIDDLE_STEPS), 24);
    } else {
      this.#put(0b1111, 4);
      this.#putFloat(time);
    }
  }

  #putXor(high: number, low: number): void {
    if (high === 0 && low === 0) {
      this.#put(0, 1);
      return;
    }
    const leading = Math.min(31, high === 0 ? 32 + Math.clz32(low) : Math.clz32(high));
    const trailing = low === 0 ? 32 + trailingZeros(high) : trailingZeros(low);
    const reusable = this.#windowKnown && leading >= this.#leading && trailing >= this.#trailing;
    const reusedBits = 64 - this.#leading - this.#trailing;
    if (reusable && reusedBits <= 64 - leading - trailing + 11) this.#put(0b10, 2);
    else {
      this.#leading = leading;
      this.#trailing = trailing;
      this.#windowKnown = true;
      this.#put((0b11 << 11) | (leading << 6) | (63 - leading - trailing), 13);
    }
    const shift = this.#trailing;
    const length = 64 - this.#leading - shift;
    if (shift >= 32) this.#put(high >>> (shift - 32), length);
    else {
      if (length > 32) this.#put(high >>> shift, length - 32);
      this.#put(shift === 0 ? low : (low >>> shift) | (high << (32 - shift)), Math.min(32, length));
    }
  }

  #putFloat(value: number): void {
    float[0] = value;
    const low = words[LOW]!;
    this.#put(words[HIGH]!, 32);
    this.#put(low, 32);
  }

  /** The lowest `bits` (1…32) of a number, the highest first. */
  #put(value: number, bits: number): void {
    let left = bits;
    while (left > 0) {
      const room = 8 - (this.#at & 7);
      const taken = Math.min(room, left);
      const part = (value >>> (left - taken)) & ((1 << taken) - 1);
      this.#bytes[this.#at >> 3] = this.#bytes[this.#at >> 3]! | (part << (room - taken));
      this.#at += taken;
      left -= taken;
    }
  }
}

export interface Block {
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
}

/**
 * Throws `payload.invalid` on bytes that are no block.
 * @param maxSamples more are refused before memory is taken
 */
export function readBlock(bytes: Uint8Array, maxSamples: number): Block {
  if (bytes.length < HEADER_BYTES) fail('ends in its header');
  if (bytes[0] !== VERSION) fail(`version ${bytes[0]} is unknown`);
  const count = bytes[1]! | (bytes[2]! << 8);
  if (count > maxSamples) fail(`${count} samples are more than ${maxSamples}`);
  const needed = count === 0 ? 0 : FIRST_SAMPLE_BITS + count - 1;
  if ((bytes.length - HEADER_BYTES) * 8 < needed) fail(`${bytes.length} bytes cannot hold ${count} samples`);
  const timesMs = new Float64Array(count);
  const values = new Float64Array(count);
  const input = new BitReader(bytes, HEADER_BYTES * 8);
  let stepMs = 0;
  for (let i = 0; i < count; i++) {
    if (i === 0) {
      timesMs[0] = input.float();
      values[0] = input.float();
      input.keepBits(values[0]!);
    } else if (input.bits(1) === 0) {
      timesMs[i] = timesMs[i - 1]! + stepMs;
      values[i] = values[i - 1]!;
    } else {
      timesMs[i] = input.time(timesMs[i - 1]!, stepMs);
      values[i] = input.value(values[i - 1]!);
      stepMs = timesMs[i]! - timesMs[i - 1]!;
    }
    if (!Number.isSafeInteger(timesMs[i]!)) fail(`${timesMs[i]} is no time`);
  }
  if (bytes.length > Math.ceil(input.at / 8)) fail('has bytes after its last sample');
  return { timesMs, values };
}

class BitReader {
  at: number;
  readonly #bytes: Uint8Array;
  #high = 0;
  #low = 0;
  #leading = 0;
  #length = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  keepBits(value: number): void {
    float[0] = value;
    this.#high = words[HIGH]!;
    this.#low = words[LOW]!;
  }

  /** An unsigned number of 0…32 bits. */
  bits(count: number): number {
    if (this.at + count > this.#bytes.length * 8) fail('ends in a sample');
    let value = 0;
    let left = count;
    while (left > 0) {
      const room = 8 - (this.at & 7);
      const taken = Math.min(room, left);
      const part = (this.#bytes[this.at >> 3]! >> (room - taken)) & ((1 << taken) - 1);
      value = value * 2 ** taken + part;
      this.at += taken;
      left -= taken;
    }
    return value;
  }

  float(): number {
    const high = this.bits(32);
    const low = this.bits(32);
    words[HIGH] = high;
    words[LOW] = low;
    return float[0]!;
  }

  time(beforeMs: number, stepMs: number): number {
    let ones = 0;
    while (ones < 4 && this.bits(1) === 1) ones++;
    if (ones === 0) return beforeMs + stepMs;
    if (ones === 4) return this.float();
    const code =
      ones === 1 ? this.bits(4) : ones === 2 ? SHORT_STEPS + this.bits(9) : SHORT_STEPS + MIDDLE_STEPS + this.bits(20);
    const size = code + 2;
    return beforeMs + stepMs + (size % 2 === 0 ? size / 2 : -(size - 1) / 2);
  }

  value(before: number): number {
    if (this.bits(1) === 0) return before;
    if (this.bits(1) === 1) {
      this.#leading = this.bits(5);
      this.#length = this.bits(6) + 1;
    }
    const trailing = 64 - this.#leading - this.#length;
    if (this.#length === 0 || trailing < 0) fail('has a value of no possible width');
    const upper = this.bits(Math.max(0, this.#length - 32));
    const lower = this.bits(Math.min(32, this.#length));
    if (trailing >= 32) this.#high = (this.#high ^ (lower << (trailing - 32))) >>> 0;
    else {
      // `upper` and `lower` together are moved up by the trailing zeros.
      const carried = trailing === 0 ? 0 : lower >>> (32 - trailing);
      this.#high = (this.#high ^ ((upper << trailing) | carried)) >>> 0;
      this.#low = (this.#low ^ (lower << trailing)) >>> 0;
    }
    words[HIGH] = this.#high;
    words[LOW] = this.#low;
    return float[0]!;
  }
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

function fail(problem: string): never {
  throw new PicketError('payload.invalid', `block: ${problem}`);
}
