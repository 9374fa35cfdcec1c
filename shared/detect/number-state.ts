/**
 * States that are a handful of numbers, as bytes: u8 version, u8[7] zero, then float64 LE each, or float32 LE where that
 * is what the detector keeps. Decoding takes that length alone and lets `check` refuse what the detector could not live
 * with.
 */
import { PicketError } from '../errors.ts';
import type { StateCodec } from './detector.ts';

const HEADER_BYTES = 8;

/** A codec for states of `size` numbers, all finite; `check` says whether they make sense together. */
export function numbersCodec(
  name: string,
  version: number,
  size: number,
  check: (state: Float64Array) => boolean,
): StateCodec<Float64Array> {
  return codecOf(name, version, () => new Float64Array(size), check);
}

/** The same for numbers of single precision. */
export function floatsCodec(
  name: string,
  version: number,
  size: number,
  check: (state: Float32Array) => boolean,
): StateCodec<Float32Array> {
  return codecOf(name, version, () => new Float32Array(size), check);
}

function codecOf<A extends Float64Array | Float32Array>(
  name: string,
  version: number,
  start: () => A,
  check: (state: A) => boolean,
): StateCodec<A> {
  const { length: size, byteLength, BYTES_PER_ELEMENT: width } = start();
  const bytesInAll = HEADER_BYTES + byteLength;
  return {
    version,
    encode(state) {
      const out = new Uint8Array(bytesInAll);
      const view = new DataView(out.buffer);
      view.setUint8(0, version);
      for (let i = 0, at = HEADER_BYTES; i < size; i++, at += width) {
        if (width === 8) view.setFloat64(at, state[i]!, true);
        else view.setFloat32(at, state[i]!, true);
      }
      return out;
    },
    decode(bytes) {
      const head = bytes.length === bytesInAll && bytes[0] === version && bytes.subarray(1, 8).every((b) => b === 0);
      if (!head)
        throw new PicketError('payload.invalid', `state of ${name}: ${bytes.length} bytes, version ${bytes[0]}`);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const state = start();
      for (let i = 0, at = HEADER_BYTES; i < size; i++, at += width) {
        state[i] = width === 8 ? view.getFloat64(at, true) : view.getFloat32(at, true);
        if (!Number.isFinite(state[i]!)) throw new PicketError('payload.invalid', `state of ${name}: number ${i}`);
      }
      if (!check(state))
        throw new PicketError('payload.invalid', `state of ${name}: its numbers contradict each other`);
      return state;
    },
  };
}
