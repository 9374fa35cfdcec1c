/**
 * What lies in a central's database, read past the central's own code for asking: the CRCs of what it settled, the
 * records of an unknown kind byte for byte, and what it set aside. The central must not run.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { spaces } from '../../central/store/keys.ts';
import { decodeLedger } from '../../central/store/ledger-row.ts';
import { decodeRun, decodeRuns } from '../../central/store/values.ts';
import { frameRecord } from '../../shared/wire/frame.ts';

export interface StoredAgent {
  /** CRC of each settled seq, by epoch. */
  readonly settled: ReadonlyMap<string, ReadonlyMap<number, number>>;
  /** CRC, computed here, of each record that lies there as it came. */
  readonly records: ReadonlyMap<string, ReadonlyMap<number, number>>;
  readonly quarantined: number;
  /** Records that lie there more than once, `EPOCH SEQ`. */
  readonly doubled: readonly string[];
}

/** Reads a copy, so that looking changes nothing. */
export async function readStored(data: string, agent: string): Promise<StoredAgent> {
  const copy = join(data, '..', 'stored-copy');
  rmSync(copy, { recursive: true, force: true });
  cpSync(join(data, 'store'), copy, { recursive: true });
  const db = new ClassicLevel<Buffer, Buffer>(copy, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
  try {
    const known = await db.get(Buffer.from(spaces.agent + agent));
    if (known === undefined) return { settled: new Map(), records: new Map(), quarantined: 0, doubled: [] };
    const { number } = JSON.parse(known.toString()) as { number: number };
    const settled = new Map<string, Map<number, number>>();
    const records = new Map<string, Map<number, number>>();
    const doubled: string[] = [];
    let quarantined = 0;
    for await (const [key, value] of db.iterator(rangeOf(spaces.run, number))) {
      const epoch = key.toString('hex', 5, 21);
      const { fromSeq, crcs } = decodeRun(key.readUIntBE(21, 6), value);
      for (const [i, crc] of crcs.entries()) mapIn(settled, epoch).set(fromSeq + i, crc);
    }
    // A settled epoch's may lie in its row.
    for await (const [key, value] of db.iterator(rangeOf(spaces.epoch, number))) {
      const { folded } = decodeLedger(key.toString('hex', 5, 21), value);
      for (const { fromSeq, crcs } of folded === null ? [] : decodeRuns(folded)) {
        for (const [i, crc] of crcs.entries()) mapIn(settled, key.toString('hex', 5, 21)).set(fromSeq + i, crc);
      }
    }
    for await (const [key, value] of db.iterator(rangeOf(spaces.unknown, number))) {
      const epoch = key.toString('hex', 9, 25);
      const seq = key.readUIntBE(25, 6);
      if (records.get(epoch)?.has(seq)) doubled.push(`${epoch} ${seq}`);
      mapIn(records, epoch).set(seq, new DataView(frameRecord(epoch, seq, value).buffer).getUint32(4, true));
    }
    for await (const _ of db.keys(rangeOf(spaces.quarantine, number))) quarantined++;
    return { settled, records, quarantined, doubled };
  } finally {
    await db.close();
    rmSync(copy, { recursive: true, force: true });
  }
}

function rangeOf(space: string, agent: number): { gte: Buffer; lt: Buffer } {
  const gte = Buffer.alloc(5);
  gte.write(space, 'latin1');
  gte.writeUInt32BE(agent, 1);
  const lt = Buffer.from(gte);
  lt.writeUInt32BE(agent + 1, 1);
  return { gte, lt };
}

function mapIn(maps: Map<string, Map<number, number>>, epoch: string): Map<number, number> {
  let map = maps.get(epoch);
  if (map === undefined) {
    map = new Map();
    maps.set(epoch, map);
  }
  return map;
}
