/**
 * What groups have learned as one file: by the group's name, with its members by identity, because series numbers change
 * from run to run.
 *
 *   u32 magic "PkG1"   u32 CRC-32C of all that follows   u16 groups
 *   group   u16 length of name, name (UTF-8)   u8 members   8 bytes each   u32 length, state
 *
 * Numbers are little-endian. A file that is not exactly this is refused as a whole.
 */
import { MOST_GROUP_SERIES } from '../../shared/detect/group-reference.ts';
import { PicketError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { SeriesId } from '../../shared/series.ts';
import { fromHex, toHex } from '../../shared/wire/bytes.ts';
import { crc32c } from '../../shared/wire/crc32c.ts';

export interface SavedGroup {
  readonly name: string;
  readonly members: readonly SeriesId[];
  readonly state: Uint8Array;
}

const MAGIC = 0x31476b50;
const HEADER_BYTES = 10;
const ID_BYTES = 8;
const GROUP_BYTES = 7;
const MOST_STATE_BYTES = 64 * 1024;

export function encodeGroups(groups: readonly SavedGroup[]): Uint8Array {
  const names = groups.map(({ name }) => new TextEncoder().encode(name));
  const size = groups.reduce(
    (sum, { members, state }, g) => sum + GROUP_BYTES + names[g]!.length + members.length * ID_BYTES + state.length,
    HEADER_BYTES,
  );
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(8, groups.length, true);
  let at = HEADER_BYTES;
  for (const [g, { members, state }] of groups.entries()) {
    view.setUint16(at, names[g]!.length, true);
    bytes.set(names[g]!, at + 2);
    at += 2 + names[g]!.length;
    bytes[at++] = members.length;
    for (const id of members) {
      bytes.set(fromHex(id, ID_BYTES), at);
      at += ID_BYTES;
    }
    view.setUint32(at, state.length, true);
    bytes.set(state, at + 4);
    at += 4 + state.length;
  }
  view.setUint32(4, crc32c(bytes.subarray(8)), true);
  return bytes;
}

/**
 * Reads such a file; at most `most` groups. Throws `frame.corrupt` where magic or CRC are wrong, `payload.invalid` where
 * the content is no such file. The states are copies: what is never claimed must not keep the whole file in memory.
 */
export function decodeGroups(bytes: Uint8Array, most: number): SavedGroup[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES || view.getUint32(0, true) !== MAGIC) {
    throw new PicketError('frame.corrupt', `groups: ${bytes.length} bytes that do not begin like a file of groups`);
  }
  if (view.getUint32(4, true) !== crc32c(bytes.subarray(8))) {
    throw new PicketError('frame.corrupt', 'groups: the checksum does not fit');
  }
  const count = view.getUint16(8, true);
  if (count > most) throw new PicketError('payload.invalid', `groups: ${count} of them, at most ${most}`);
  let at = HEADER_BYTES;
  const take = (size: number): number => {
    const from = at;
    at += size;
    if (at > bytes.length) throw new PicketError('payload.invalid', `groups: cut off at byte ${from}`);
    return from;
  };
  const groups: SavedGroup[] = [];
  for (let g = 0; g < count; g++) {
    const nameLength = view.getUint16(take(2), true);
    if (nameLength > limits.seriesTextBytes) {
      throw new PicketError('payload.invalid', `groups: a name of ${nameLength} bytes`);
    }
    const nameAt = take(nameLength);
    const name = new TextDecoder().decode(bytes.subarray(nameAt, nameAt + nameLength));
    const of = bytes[take(1)]!;
    if (of < 1 || of > MOST_GROUP_SERIES) throw new PicketError('payload.invalid', `groups: ${of} series in one`);
    const members: SeriesId[] = [];
    for (let m = 0; m < of; m++) {
      const from = take(ID_BYTES);
      members.push(toHex(bytes.subarray(from, from + ID_BYTES)));
    }
    const length = view.getUint32(take(4), true);
    if (length > MOST_STATE_BYTES) throw new PicketError('payload.invalid', `groups: a state of ${length} bytes`);
    const stateAt = take(length);
    groups.push({ name, members, state: bytes.slice(stateAt, stateAt + length) });
  }
  if (at !== bytes.length) throw new PicketError('payload.invalid', `groups: ${bytes.length - at} bytes too many`);
  return groups;
}
