/**
 * Records that were set aside, with their bytes. They are for a person to look at, so that they are kept for a while and
 * bounded in size, the newest first; that there were some, and how many, stays in the ledger for ever.
 */
import { DAY_MS } from '../../shared/limits.ts';
import { contains, unite } from '../../shared/wire/ranges.ts';
import { type Agents, readLedger } from './agents.ts';
import type { Database, Operation, Reader } from './database.ts';
import { epochBytes, keyOf, startingWith } from './keys.ts';
import { rangesOf, settledOf } from './ledger.ts';
import { encodeLedger } from './ledger-row.ts';
import type { EpochId, QuarantinedRecord } from './store.ts';
import { decodeQuarantined } from './values.ts';

/** Age, and bytes and records of one agent, of what is kept. */
const KEPT_MS = 90 * DAY_MS;
const KEPT_BYTES = 16 * 1024 * 1024;
const KEPT_RECORDS = 10_000;

export async function readQuarantine(reader: Reader, agent: number): Promise<QuarantinedRecord[]> {
  const out: QuarantinedRecord[] = [];
  for await (const [key, value] of reader.entries(startingWith('quarantine', agent))) {
    out.push({ ...placeOf(key), ...decodeQuarantined(value) });
  }
  return out;
}

function placeOf(key: Buffer): { epoch: EpochId; seq: number; crc: number } {
  return { epoch: key.toString('hex', 5, 21), seq: key.readUIntBE(21, 6), crc: key.readUInt32BE(27) };
}

interface Kept {
  readonly timeMs: number;
  readonly sizeBytes: number;
}

/** Of these the ones that must go: too old, or beyond what is kept of the newest. */
export function overdue<T extends Kept>(records: readonly T[], nowMs: number): T[] {
  let bytes = 0;
  let count = 0;
  return [...records]
    .sort((a, b) => b.timeMs - a.timeMs)
    .filter(({ timeMs, sizeBytes }) => {
      bytes += sizeBytes;
      count++;
      return timeMs < nowMs - KEPT_MS || bytes > KEPT_BYTES || count > KEPT_RECORDS;
    });
}

/** Deletes what is overdue of an agent. Runs alone. */
export async function pruneQuarantine(database: Database, agents: Agents, agent: number, nowMs: number): Promise<void> {
  const records: { key: Buffer; timeMs: number; sizeBytes: number }[] = [];
  for await (const [key, value] of database.entries(startingWith('quarantine', agent))) {
    records.push({ key: Buffer.from(key), timeMs: decodeQuarantined(value).timeMs, sizeBytes: value.length });
  }
  const gone = overdue(records, nowMs);
  if (gone.length === 0) return;
  const operations: Operation[] = gone.map(({ key }) => ({ type: 'del', key }));
  const byEpoch = Map.groupBy(gone, ({ key }) => placeOf(key).epoch);
  for (const [epoch, some] of byEpoch) {
    const ledger = await readLedger(database, agent, epoch);
    if (ledger !== null) {
      const seqs = rangesOf(some.map(({ key }) => placeOf(key).seq).filter((seq) => contains(settledOf(ledger), seq)));
      const after = { ...ledger, thinned: unite(ledger.thinned, seqs) };
      operations.push({ type: 'put', key: keyOf('epoch', agent, epochBytes(epoch)), value: encodeLedger(after) });
    }
  }
  await database.write(operations, true);
  for (const epoch of byEpoch.keys()) agents.forgetLedger(agent, epoch);
}
