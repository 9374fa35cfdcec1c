/**
 * What a block of a LevelDB table says (LevelDB's doc/table_format.md), without LevelDB: that takes the bytes of a block
 * on trust, and ends the process over keys that are too short or out of their order. A checksum that fits is no proof:
 * a compaction that read damaged blocks gives what it writes a new one.
 *
 * Integers are varints, low bits first. A block has entries of: bytes shared with the key before, further bytes of the
 * key, bytes of the value, those bytes; then the places of some entries (4 bytes each) and their number. A key ends with
 * 8 bytes: type of the entry, then its sequence. The later sequence comes first.
 */

/** Of a key; see above. */
const TAG_BYTES = 8;
/** A deletion is 0, a value 1. */
const HIGHEST_TYPE = 1;
const UNCOMPRESSED = 0;
const SNAPPY = 1;
/** A key of ours has some twenty bytes. */
const LONGEST_KEY_BYTES = 1024;

/** What lies behind the type of compression; null where that is none that LevelDB knows, or its content is damaged. */
export function uncompressed(bytes: Uint8Array, type: number, largestBytes: number): Uint8Array | null {
  if (type === UNCOMPRESSED) return bytes;
  return type === SNAPPY ? unsnapped(bytes, largestBytes) : null;
}

/** A key that is written over as a reader goes on. */
export class Key {
  readonly bytes = new Uint8Array(LONGEST_KEY_BYTES);
  length = 0;

  copyFrom(other: Key): void {
    // No view of either: tables have many keys, and the agent lets garbage stand for long.
    for (let i = 0; i < other.length; i++) this.bytes[i] = other.bytes[i]!;
    this.length = other.length;
  }

  /** Whether it can be a key of LevelDB's own. */
  get hasTag(): boolean {
    return this.length >= TAG_BYTES && this.bytes[this.length - TAG_BYTES]! <= HIGHEST_TYPE;
  }

  /** LevelDB's order of its own keys. Both have a tag. */
  isBefore(other: Key): boolean {
    return this.compare(other.bytes, other.length) < 0;
  }

  /** Below 0 where this comes first. */
  compare(other: Uint8Array, length: number): number {
    const [a, b] = [this.length - TAG_BYTES, length - TAG_BYTES];
    for (let i = 0; i < a && i < b; i++) {
      const difference = this.bytes[i]! - other[i]!;
      if (difference !== 0) return difference;
    }
    if (a !== b) return a - b;
    for (let i = TAG_BYTES - 1; i >= 0; i--) {
      const difference = other[b + i]! - this.bytes[a + i]!;
      if (difference !== 0) return difference;
    }
    return 0;
  }
}

/**
 * Visits the entries of a block, in order, as far as they make sense: `key` is the entry's, its value lies in the block
 * from `from` to `to`. False where one makes no sense, or the visitor says so.
 */
export function visitEntries(block: Uint8Array, key: Key, visit: (from: number, to: number) => boolean): boolean {
  if (block.length < 4) return false;
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  const restarts = view.getUint32(block.length - 4, true);
  const end = block.length - 4 - 4 * restarts;
  if (restarts === 0 || end < 0) return false;
  // A search begins at these: in the middle of an entry it would take anything for a key.
  let restart = 0;
  const restartAt = (): number => (restart < restarts ? view.getUint32(end + 4 * restart, true) : -1);
  const head = new Varints(block, end);
  key.length = 0;
  while (head.at < end) {
    const isRestart = head.at === restartAt();
    const shared = head.next();
    const rest = head.next();
    const valueBytes = head.next();
    const keyEnd = head.at + rest;
    const valueEnd = keyEnd + valueBytes;
    if (head.bad || shared > key.length || shared + rest > LONGEST_KEY_BYTES || valueEnd > end) return false;
    if (isRestart) {
      if (shared !== 0) return false;
      restart++;
    }
    for (let i = 0; i < rest; i++) key.bytes[shared + i] = block[head.at + i]!;
    key.length = shared + rest;
    head.at = valueEnd;
    if (!visit(keyEnd, valueEnd)) return false;
  }
  return restart === restarts || (end === 0 && restarts === 1 && restartAt() === 0);
}

/** Reads varints one after the other, up to an end. */
export class Varints {
  at = 0;
  /** One was cut off, or is larger than any length may be. */
  bad = false;
  readonly #bytes: Uint8Array;
  readonly #end: number;

  constructor(bytes: Uint8Array, end = bytes.length) {
    this.#bytes = bytes;
    this.#end = end;
  }

  next(): number {
    let value = 0;
    for (let factor = 1; this.at < this.#end && factor <= 2 ** 42; factor *= 128) {
      const byte = this.#bytes[this.at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    this.bad = true;
    return 0;
  }
}

/** @returns where it ends */
export function putVarint(out: Uint8Array, at: number, value: number): number {
  while (value >= 128) {
    out[at++] = (value % 128) | 128;
    value = Math.floor(value / 128);
  }
  out[at++] = value;
  return at;
}

/** Snappy's own format (snappy's format_description.txt). Only what LevelDB's repair wrote is compressed. */
function unsnapped(bytes: Uint8Array, largestBytes: number): Uint8Array | null {
  const head = new Varints(bytes);
  const size = head.next();
  if (head.bad || size > largestBytes) return null;
  const out = new Uint8Array(size);
  let from = head.at;
  let to = 0;
  const little = (count: number): number => {
    let value = 0;
    for (let i = 0; i < count; i++) value += (bytes[from + i] ?? 0) * 2 ** (8 * i);
    from += count;
    return value;
  };
  while (from < bytes.length) {
    const tag = bytes[from++]!;
    let length = (tag >> 2) + 1;
    if ((tag & 3) === 0) {
      if (length > 60) length = little(length - 60) + 1;
      if (from + length > bytes.length || to + length > size) return null;
      out.set(bytes.subarray(from, from + length), to);
      from += length;
      to += length;
      continue;
    }
    let distance: number;
    if ((tag & 3) === 1) {
      length = ((tag >> 2) & 7) + 4;
      distance = (tag >> 5) * 256 + little(1);
    } else distance = little((tag & 3) === 2 ? 2 : 4);
    if (from > bytes.length || distance === 0 || distance > to || to + length > size) return null;
    // What is copied may overlap with where it goes.
    for (const end = to + length; to < end; to++) out[to] = out[to - distance]!;
  }
  return to === size ? out : null;
}
