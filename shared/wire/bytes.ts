/**
 * Bytes by hand: hex, and the reader and writer of everything that is coded without protobuf (`columns.ts`).
 * Varints are LEB128 as in protobuf. Numbers are little-endian.
 */
import { PicketError } from '../errors.ts';

const hexOf = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  let out = '';
  for (let i = 0; i < bytes.length; i++) out += hexOf[bytes[i]!]!;
  return out;
}

/** Bytes of lower-case hex. Throws `payload.invalid` on anything else, and unless there are `sizeBytes` of them. */
export function fromHex(hex: string, sizeBytes = hex.length >>> 1): Uint8Array {
  if (hex.length !== sizeBytes * 2 || !/^[0-9a-f]*$/.test(hex)) {
    throw new PicketError('payload.invalid', `"${hex.slice(0, 70)}" is not ${sizeBytes} bytes in lower-case hex`);
  }
  const out = new Uint8Array(sizeBytes);
  for (let i = 0; i < sizeBytes; i++) out[i] = Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16);
  return out;
}

/** Maps signed integers to unsigned ones with small ones first: 0, -1, 1, -2, … → 0, 1, 2, 3, … */
export function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

export function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

const FIRST_CAPACITY_BYTES = 1024;

/** Writes into a buffer that grows; used again after `reset`. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacityBytes = FIRST_CAPACITY_BYTES) {
    this.#bytes = new Uint8Array(capacityBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  reset(): void {
    this.#length = 0;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  uint16(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.#length, value, true);
    this.#length += 2;
  }

  float32(value: number): void {
    this.#reserve(4);
    this.#view.setFloat32(this.#length, value, true);
    this.#length += 4;
  }

  float64(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** A safe integer ≥ 0. */
  varint(value: number): void {
    this.#reserve(8);
    while (value >= 128) {
      this.#bytes[this.#length++] = (value % 128) | 128;
      value = Math.floor(value / 128);
    }
    this.#bytes[this.#length++] = value;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Reads bytes from outside: whatever they are, it throws nothing but `payload.invalid`, and reads nothing twice. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  #at = 0;

  /** @param what name of the thing read, for messages */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  fail(problem: string): never {
    throw new PicketError('payload.invalid', `${this.#what}: ${problem} at byte ${this.#at}`);
  }

  byte(): number {
    this.#need(1);
    return this.#bytes[this.#at++]!;
  }

  uint16(): number {
    this.#need(2);
    this.#at += 2;
    return this.#view.getUint16(this.#at - 2, true);
  }

  float32(): number {
    this.#need(4);
    this.#at += 4;
    return this.#view.getFloat32(this.#at - 4, true);
  }

  float64(): number {
    this.#need(8);
    this.#at += 8;
    return this.#view.getFloat64(this.#at - 8, true);
  }

  /** A safe integer from 0 to `max`. */
  varint(max: number = Number.MAX_SAFE_INTEGER): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (value > max) this.fail(`${value} is more than ${max}`);
        return value;
      }
      scale *= 128;
    }
    return this.fail('a number does not end');
  }

  /** A view, not a copy. */
  raw(length: number): Uint8Array {
    this.#need(length);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Nothing may follow. */
  end(): void {
    if (this.left !== 0) this.fail(`${this.left} bytes too many`);
  }

  #need(length: number): void {
    if (length > this.left) this.fail(`ends ${length - this.left} bytes early`);
  }
}
