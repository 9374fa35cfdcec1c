/**
 * The keys of settled epochs, put together: a small epoch's into its row, so that a start that made little costs that
 * row and no more; a large one's into longer runs. Done in the hourly work, by the marks that commits leave.
 */
import { type Agents, readLedger } from './agents.ts';
import type { Database, Operation, Reader } from './database.ts';
import { filedRow } from './filed.ts';
import { epochBytes, keyOf, startingWith } from './keys.ts';
import { type EpochLedger, isSettled } from './ledger.ts';
import { encodeLedger } from './ledger-row.ts';
import { keysOf, putRuns, runStart, runsOf } from './runs.ts';
import { decodeRun, decodeRuns, encodeRuns } from './values.ts';

/** Seqs of an epoch whose keys go into its row; about nine bytes each. */
const FOLDED_SEQS = 64;
/** Seqs of a run of a settled epoch. */
const LONG_RUN_SEQS = 512;
/** Marks that are looked at in one turn of the writer. */
const FOLDED_AT_ONCE = 64;

/**
 * Puts the keys of epochs together that were settled since the last time, a few in each turn of the writer. May be
 * stopped anywhere: an epoch's change is one write.
 */
export async function foldSettled(
  database: Database,
  { agents, exclusive }: { readonly agents: Agents; readonly exclusive: (run: () => Promise<void>) => Promise<void> },
  signal: AbortSignal,
): Promise<void> {
  const marks: Buffer[] = [];
  for await (const key of database.keys(startingWith('settled'))) marks.push(Buffer.from(key));
  for (let from = 0; from < marks.length && !signal.aborted; from += FOLDED_AT_ONCE) {
    await exclusive(async () => {
      const operations: Operation[] = [];
      for (const mark of marks.slice(from, from + FOLDED_AT_ONCE)) {
        const agent = mark.readUInt32BE(1);
        const epoch = mark.subarray(5).toString('hex');
        const ledger = await readLedger(database, agent, epoch);
        if (ledger !== null && isSettled(ledger)) {
          operations.push(...(await fold(database, agent, ledger)));
          agents.forgetLedger(agent, epoch);
        }
        operations.push({ type: 'del', key: mark });
      }
      await database.write(operations, true);
    });
  }
}

async function fold(reader: Reader, agent: number, ledger: EpochLedger): Promise<Operation[]> {
  const { epoch } = ledger;
  const folded = ledger.folded === null ? [] : decodeRuns(ledger.folded);
  const operations: Operation[] = [];
  const keys = folded.flatMap(keysOf);
  let rows = 0;
  for await (const [key, value] of reader.entries(startingWith('run', agent, epochBytes(epoch)))) {
    const run = decodeRun(runStart(key), value);
    // Keys of format 1 have no places and cannot be joined with others.
    if (run.places.length === 0) return [];
    keys.push(...keysOf(run));
    operations.push({ type: 'del', key: Buffer.from(key) });
    rows++;
  }
  if (rows === 0) return [];
  const small = keys.length <= FOLDED_SEQS;
  const runs = runsOf(keys, LONG_RUN_SEQS);
  if (!small && runs.length >= rows && folded.length === 0) return [];
  if (small) operations.push(...(await spentRows(reader, agent, ledger)));
  const after = { ...ledger, heardMs: 0, folded: small ? encodeRuns(runs) : null };
  operations.push({ type: 'put', key: keyOf('epoch', agent, epochBytes(epoch)), value: encodeLedger(after) });
  return small ? operations : [...operations, ...putRuns(agent, epoch, runs)];
}

/**
 * Rows by which records could be filed anew: of an epoch that made nothing that has a place in time, and whose times are
 * certain, there is nothing to file.
 */
async function spentRows(reader: Reader, agent: number, { epoch, boot, undated }: EpochLedger): Promise<Operation[]> {
  if (boot === null || undated > 0) return [];
  const operations: Operation[] = [];
  const rows = startingWith('filed', agent, Buffer.from(boot, 'hex'), epochBytes(epoch));
  for await (const [key, value] of reader.entries(rows)) {
    if (filedRow(key, value).records.some(({ place }) => place !== 'none')) return [];
    operations.push({ type: 'del', key: Buffer.from(key) });
  }
  return operations;
}
