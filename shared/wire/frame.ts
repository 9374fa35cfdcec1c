/**
 * A frame carries one record, on disk and on the wire, byte for byte the same:
 *
 *     u32  length of the record: of what follows the 16-byte header
 *     u32  CRC-32C over the epoch (16 bytes), the seq (u64), the record
 *     u64  seq
 *     …    record (edge.proto, Record)
 *
 * All little-endian. The CRC covers epoch and seq, so that a record that strayed into another epoch's place (a mixed-up
 * key, a stale block) is found. A damaged frame is not acknowledged; the record's own content is not looked at here.
 */
import { PicketError } from '../errors.ts';
import { limits } from '../limits.ts';
import { fromHex } from './bytes.ts';
import { crc32c } from './crc32c.ts';

export interface Frame {
  readonly seq: number;
  readonly crc: number;
  /** A view into the frame's bytes, not a copy. */
  readonly record: Uint8Array;
}

/**
 * @param epoch 32 hex digits
 * @param seq from 1
 * @param record a Record message, at most `limits.recordBytes`; larger throws `payload.too_large`
 */
export function frameRecord(epoch: string, seq: number, record: Uint8Array): Uint8Array {
  if (!Number.isSafeInteger(seq) || seq < 1) throw new PicketError('internal', `frame: ${seq} is no seq`);
  if (record.length > limits.recordBytes) {
    throw new PicketError('payload.too_large', `frame: a record of ${record.length} bytes, over ${limits.recordBytes}`);
  }
  const frame = new Uint8Array(limits.frameHeaderBytes + record.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, record.length, true);
  setSeq(view, 8, seq);
  frame.set(record, limits.frameHeaderBytes);
  view.setUint32(4, checksum(epoch, frame), true);
  return frame;
}

/** Throws `frame.corrupt` unless these bytes are exactly one undamaged frame of this epoch. */
export function readFrame(epoch: string, bytes: Uint8Array): Frame {
  const headerBytes = limits.frameHeaderBytes;
  if (bytes.length < headerBytes) corrupt(`${bytes.length} bytes are less than a header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  if (length !== bytes.length - headerBytes) corrupt(`${bytes.length - headerBytes} bytes of record, ${length} stated`);
  if (length > limits.recordBytes) corrupt(`${length} bytes are more than a record may have`);
  const seq = view.getUint32(8, true) + view.getUint32(12, true) * 2 ** 32;
  if (!Number.isSafeInteger(seq) || seq < 1) corrupt(`${seq} is no seq`);
  const crc = view.getUint32(4, true);
  const found = checksum(epoch, bytes);
  if (crc !== found) corrupt(`record ${seq} has CRC ${found.toString(16)}, ${crc.toString(16)} stated`);
  return { seq, crc, record: bytes.subarray(headerBytes) };
}

function checksum(epoch: string, frame: Uint8Array): number {
  return crc32c(frame.subarray(8), crc32c(fromHex(epoch, 16)));
}

function setSeq(view: DataView, at: number, seq: number): void {
  view.setUint32(at, seq % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(seq / 2 ** 32), true);
}

function corrupt(problem: string): never {
  throw new PicketError('frame.corrupt', `frame: ${problem}`);
}
