/**
 * By which time each record was filed, and the monotonic time of its boot that stood behind it: what is needed to file
 * it anew when that boot's offset is known better. One row for each batch and boot, some bytes a record; it goes with
 * the single keys, by age.
 *
 *   value   version u8, count varint, then of each record:
 *           seq (less the one before) varint, place u8 (+ 128: not dated), time and offset (less those before) zigzag
 */
import { ByteReader, ByteWriter, unzigzag, zigzag } from '../../shared/wire/bytes.ts';
import type { Database, Operation, Reader } from './database.ts';
import { epochBytes, keyOf, startingWith } from './keys.ts';
import { placeOf } from './runs.ts';
import type { EpochId, IncomingRecord, StoredBoot } from './store.ts';
import { type RecordPlace, recordPlaces } from './values.ts';

const VERSION = 1;
const UNDATED = 128;

export interface Filed {
  readonly seq: number;
  readonly place: RecordPlace;
  readonly timeMs: number;
  /** Monotonic, of its boot. */
  readonly monotonicMs: number;
  readonly dated: boolean;
}

export interface FiledRow {
  readonly key: Buffer;
  readonly epoch: EpochId;
  readonly records: readonly Filed[];
}

/** Operations that note how these records of one epoch are filed. */
export function planFiled(agent: number, epoch: EpochId, records: readonly IncomingRecord[]): Operation[] {
  const byBoot = Map.groupBy(records, ({ boot }) => boot);
  const operations: Operation[] = [];
  for (const [boot, some] of byBoot) {
    if (boot === undefined) continue;
    const filed = some.map(({ seq, timeMs, monotonicMs, dated, content }) => ({
      seq,
      place: placeOf(content),
      timeMs,
      monotonicMs: monotonicMs ?? 0,
      dated,
    }));
    filed.sort((a, b) => a.seq - b.seq);
    const key = keyOf('filed', agent, Buffer.from(boot, 'hex'), epochBytes(epoch), { u48: filed[0]!.seq });
    operations.push({ type: 'put', key, value: encodeFiled(filed) });
  }
  return operations;
}

/** Operations that write the rows of boots. */
export function bootRows(agent: number, boots: readonly StoredBoot[]): Operation[] {
  return boots.map((boot) => ({
    type: 'put',
    key: keyOf('boot', agent, Buffer.from(boot.id, 'hex')),
    value: Buffer.from(JSON.stringify(boot)),
  }));
}

export async function readBoots(reader: Reader, agent: number): Promise<StoredBoot[]> {
  const out: StoredBoot[] = [];
  for await (const [, value] of reader.entries(startingWith('boot', agent))) {
    out.push(JSON.parse(value.toString()) as StoredBoot);
  }
  return out;
}

export function encodeFiled(records: readonly Filed[]): Uint8Array {
  const writer = new ByteWriter(records.length * 8 + 16);
  writer.byte(VERSION);
  writer.varint(records.length);
  let seqBefore = 0;
  let timeBefore = 0;
  let offsetBefore = 0;
  for (const { seq, place, timeMs, monotonicMs, dated } of records) {
    const time = Math.round(timeMs);
    const offset = time - Math.round(monotonicMs);
    writer.varint(seq - seqBefore);
    writer.byte(recordPlaces.indexOf(place) + (dated ? 0 : UNDATED));
    writer.varint(zigzag(time - timeBefore));
    writer.varint(zigzag(offset - offsetBefore));
    [seqBefore, timeBefore, offsetBefore] = [seq, time, offset];
  }
  return writer.finish();
}

export function decodeFiled(bytes: Uint8Array): Filed[] {
  const reader = new ByteReader(bytes, 'filed records');
  const found = reader.byte();
  if (found !== VERSION) reader.fail(`layout ${found} is unknown`);
  const out: Filed[] = [];
  let [seq, timeMs, offset] = [0, 0, 0];
  for (let left = reader.varint(bytes.length); left > 0; left--) {
    seq += reader.varint();
    const place = reader.byte();
    timeMs += unzigzag(reader.varint());
    offset += unzigzag(reader.varint());
    const dated = place < UNDATED;
    out.push({ seq, place: recordPlaces[place % UNDATED] ?? 'none', timeMs, monotonicMs: timeMs - offset, dated });
  }
  return out;
}

export function filedRow(key: Buffer, value: Uint8Array): FiledRow {
  // space, agent u32, boot, epoch, seq
  return { key: Buffer.from(key), epoch: key.toString('hex', 21, 37), records: decodeFiled(value) };
}

/** What is too old to be moved: its minutes are gone. */
export async function dropFiled(database: Database, agent: number, beforeMs: number): Promise<void> {
  const old: Operation[] = [];
  for await (const [key, value] of database.entries(startingWith('filed', agent))) {
    if (decodeFiled(value).every(({ timeMs }) => timeMs < beforeMs)) old.push({ type: 'del', key: Buffer.from(key) });
  }
  if (old.length > 0) await database.write(old, false);
}
