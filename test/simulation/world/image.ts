/** What lies on a simulated disk: keys in byte order with their values, cheap to copy. */
import type { ChainLink } from '../../../agent/outbox/chain.ts';
import { parseIndexKey, parseRecordKey } from '../../../agent/outbox/layout.ts';
import type { Op } from '../../../agent/outbox/shelf.ts';

/** Keys are held as Latin-1 strings, whose order is that of the bytes. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

/** Control records are never thinned: in a disk that is as small as here they must not count. */
function isControl(key: string): boolean {
  const place = parseRecordKey(bytesOf(key)) ?? parseIndexKey(bytesOf(key));
  return place?.recordClass === 'control' || key.startsWith('s');
}

/** What an entry takes beside its bytes, as LevelDB does in log and table. */
const OVERHEAD_BYTES = 40;

export class Image {
  keys: string[] = [];
  values: Uint8Array[] = [];
  /** Bytes of what is there; and of deleted records that no compaction has given back. */
  liveBytes = 0;
  garbageBytes = 0;
  /** The file beside the database (agent/outbox/chain.ts). */
  note: readonly ChainLink[] = [];

  clone(): Image {
    const copy = new Image();
    copy.keys = this.keys.slice();
    copy.values = this.values.slice();
    copy.liveBytes = this.liveBytes;
    copy.garbageBytes = this.garbageBytes;
    copy.note = this.note;
    return copy;
  }

  /** Index of the first key that is not before this one. */
  lowerBound(key: string): number {
    let low = 0;
    let high = this.keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.keys[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  get(key: string): Uint8Array | undefined {
    const at = this.lowerBound(key);
    return this.keys[at] === key ? this.values[at] : undefined;
  }

  delete(key: string): void {
    const at = this.lowerBound(key);
    if (this.keys[at] !== key) return;
    const sizeBytes = OVERHEAD_BYTES + key.length + this.values[at]!.length;
    this.liveBytes -= sizeBytes;
    if (!isControl(key)) this.garbageBytes += sizeBytes;
    this.keys.splice(at, 1);
    this.values.splice(at, 1);
  }

  put(key: string, value: Uint8Array): void {
    const at = this.lowerBound(key);
    if (this.keys[at] === key) {
      this.liveBytes += value.length - this.values[at]!.length;
      this.values[at] = value;
      return;
    }
    this.liveBytes += OVERHEAD_BYTES + key.length + value.length;
    this.keys.splice(at, 0, key);
    this.values.splice(at, 0, value);
  }

  apply(ops: readonly Op[]): void {
    for (const op of ops) {
      if (op.type === 'put') this.put(textOf(op.key), op.value);
      else this.delete(textOf(op.key));
    }
  }

  get sizeBytes(): number {
    return this.liveBytes + this.garbageBytes;
  }

  /** Of control records, their index rows, and the rows of epochs. */
  controlBytes(): number {
    let bytes = 0;
    this.keys.forEach((key, i) => {
      if (isControl(key)) bytes += OVERHEAD_BYTES + key.length + this.values[i]!.length;
    });
    return bytes;
  }

  /** Keys that begin so. */
  keysWith(prefix: string): string[] {
    return this.keys.slice(this.lowerBound(prefix), this.lowerBound(`${prefix}\u00ff`));
  }
}
