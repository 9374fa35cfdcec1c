/**
 * States that are a handful of numbers, as bytes: u8 version, u8[7] zero, float64 LE each. Decoding takes that length
 * alone and lets `check` refuse what the detector could not live with.
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
  const bytesInAll = HEADER_BYTES + size * 8;
  return {
    version,
    encode(state) {
      const out = new Uint8Array(bytesInAll);
      const view = new DataView(out.buffer);
      view.setUint8(0, version);
      for (let i = 0; i < size; i++) view.setFloat64(HEADER_BYTES + i * 8, state[i]!, true);
      return out;
    },
    decode(bytes) {
      const head = bytes.length === bytesInAll && bytes[0] === version && bytes.subarray(1, 8).every((b) => b === 0);
      if (!head)
        throw new PicketError('payload.invalid', `state of ${name}: ${bytes.length} bytes, version ${bytes[0]}`);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const state = new Float64Array(size);
      for (let i = 0; i < size; i++) {
        state[i] = view.getFloat64(HEADER_BYTES + i * 8, true);
        if (!Number.isFinite(state[i]!)) throw new PicketError('payload.invalid', `state of ${name}: number ${i}`);
      }
      if (!check(state))
        throw new PicketError('payload.invalid', `state of ${name}: its numbers contradict each other`);
      return state;
    },
  };
}
