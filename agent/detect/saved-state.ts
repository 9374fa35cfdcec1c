/**
 * Detector states as one file: what the detectors have learned survives a restart, by series identity, because series
 * numbers change from run to run.
 *
 *   u32 magic "PkD1"   u32 CRC-32C of all that follows   u32 entries
 *   entry   8 bytes series id   u8 detectors   detector…
 *   detector   u8 length of name, name (ASCII)   u8 major version   u16 length, state
 *
 * Numbers are little-endian. A file that is not exactly this is refused as a whole; a state in it that its detector does
 * not know (of another version, or damaged) is dropped, and what the others have learned is taken up.
 */
import type { AnyDetectorKind } from '../../shared/detect/registry.ts';
import { messageOf, PicketError } from '../../shared/errors.ts';
import type { SeriesId } from '../../shared/series.ts';
import { fromHex, toHex } from '../../shared/wire/bytes.ts';
import { crc32c } from '../../shared/wire/crc32c.ts';

/** One detector's state of one series. */
export interface SavedDetector {
  readonly name: string;
  readonly major: number;
  readonly state: Uint8Array;
}

export type SavedStates = ReadonlyMap<SeriesId, readonly SavedDetector[]>;

const MAGIC = 0x31446b50;
const HEADER_BYTES = 12;
const ID_BYTES = 8;
const MOST_DETECTORS = 16;

export function encodeStates(states: SavedStates): Uint8Array {
  let size = HEADER_BYTES;
  for (const detectors of states.values()) {
    size += ID_BYTES + 1;
    for (const { name, state } of detectors) size += 4 + name.length + state.length;
  }
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(8, states.size, true);
  let at = HEADER_BYTES;
  for (const [id, detectors] of states) {
    bytes.set(fromHex(id, ID_BYTES), at);
    bytes[at + ID_BYTES] = detectors.length;
    at += ID_BYTES + 1;
    for (const { name, major, state } of detectors) {
      bytes[at] = name.length;
      for (let i = 0; i < name.length; i++) bytes[at + 1 + i] = name.charCodeAt(i);
      at += 1 + name.length;
      bytes[at] = major;
      view.setUint16(at + 1, state.length, true);
      bytes.set(state, at + 3);
      at += 3 + state.length;
    }
  }
  view.setUint32(4, crc32c(bytes.subarray(8)), true);
  return bytes;
}

/**
 * Reads such a file; at most `limit` series. Throws `frame.corrupt` where magic or CRC are wrong, `payload.invalid` where
 * the content is no such file. The states are parts of `bytes`, not copies.
 */
export function decodeStates(bytes: Uint8Array, limit: number): SavedStates {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES || view.getUint32(0, true) !== MAGIC) {
    throw new PicketError(
      'frame.corrupt',
      `detector states: ${bytes.length} bytes that do not begin like a state file`,
    );
  }
  if (view.getUint32(4, true) !== crc32c(bytes.subarray(8))) {
    throw new PicketError('frame.corrupt', 'detector states: the checksum does not fit');
  }
  const count = view.getUint32(8, true);
  if (count > limit) throw new PicketError('payload.invalid', `detector states: ${count} series, at most ${limit}`);
  const states = new Map<SeriesId, SavedDetector[]>();
  let at = HEADER_BYTES;
  const take = (size: number): number => {
    const from = at;
    at += size;
    if (at > bytes.length) throw new PicketError('payload.invalid', `detector states: cut off at byte ${from}`);
    return from;
  };
  for (let i = 0; i < count; i++) {
    const from = take(ID_BYTES + 1);
    const id = toHex(bytes.subarray(from, from + ID_BYTES));
    const detectors: SavedDetector[] = [];
    const of = bytes[from + ID_BYTES]!;
    if (of > MOST_DETECTORS) throw new PicketError('payload.invalid', `detector states: ${of} detectors of ${id}`);
    for (let k = 0; k < of; k++) {
      const nameLength = bytes[take(1)]!;
      const nameAt = take(nameLength);
      const name = String.fromCharCode(...bytes.subarray(nameAt, nameAt + nameLength));
      const head = take(3);
      const length = view.getUint16(head + 1, true);
      const stateAt = take(length);
      detectors.push({ name, major: bytes[head]!, state: bytes.subarray(stateAt, stateAt + length) });
    }
    states.set(id, detectors);
  }
  if (at !== bytes.length)
    throw new PicketError('payload.invalid', `detector states: ${bytes.length - at} bytes too many`);
  return states;
}

export interface TakenUp {
  readonly states: SavedStates;
  /** Detectors that begin anew, for some series or all, each with the first reason. */
  readonly anew: ReadonlyMap<string, string>;
}

/** What `kinds` can go on with, of such a file; throws as `decodeStates` does. The states are copies. */
export function takeUpStates(bytes: Uint8Array, limit: number, kinds: readonly AnyDetectorKind[]): TakenUp {
  const states = new Map<SeriesId, SavedDetector[]>();
  const anew = new Map<string, string>();
  for (const [id, saved] of decodeStates(bytes, limit)) {
    const known = saved.filter((one) => {
      const reason = refusal(one, kinds);
      if (reason !== null && !anew.has(one.name)) anew.set(one.name, reason);
      return reason === null;
    });
    // A copy of each: what is never claimed must not keep the whole file in memory.
    states.set(
      id,
      known.map((one) => ({ ...one, state: one.state.slice() })),
    );
  }
  return { states, anew };
}

/** Why a state cannot be gone on with; null where it can. */
function refusal({ name, major, state }: SavedDetector, kinds: readonly AnyDetectorKind[]): string | null {
  const kind = kinds.find((one) => one.name === name);
  if (kind === undefined) return 'there is no such detector here';
  if (kind.major !== major) return `version ${major}, and this is version ${kind.major}`;
  try {
    kind.state.decode(state);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
