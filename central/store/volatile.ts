/**
 * Epochs in the memory of a process that is gone are brought to their end (`ledger.ts`, endsOfVolatile), by the marks
 * that commits leave for those that are open. Part of the hourly work, before settled epochs are folded.
 */
import { type Agents, readAgents, readLedgers } from './agents.ts';
import type { LedgerChange } from './commit.ts';
import type { Database, Operation } from './database.ts';
import { epochBytes, keyOf, startingWith } from './keys.ts';
import { endsOfVolatile, isOpenVolatile } from './ledger.ts';
import { encodeLedger } from './ledger-row.ts';

interface VolatileTurn {
  readonly agents: Agents;
  /** Runs while nothing else is written. */
  readonly exclusive: (run: () => Promise<void>) => Promise<void>;
  /** These rows are durable. */
  readonly changed: (changes: readonly LedgerChange[]) => void;
}

/** An agent's in one write: it may be stopped anywhere. */
export async function endVolatile(
  database: Database,
  { agents, exclusive, changed }: VolatileTurn,
  signal: AbortSignal,
): Promise<void> {
  const marked = new Set<number>();
  for await (const key of database.keys(startingWith('volatile'))) marked.add(key.readUInt32BE(1));
  if (marked.size === 0) return;
  for (const { id, number } of await readAgents(database)) {
    if (signal.aborted) return;
    if (!marked.has(number)) continue;
    await exclusive(async () => {
      const ledgers = await readLedgers(database, number);
      const ends = endsOfVolatile(ledgers);
      const ended = new Set(ends.map(({ before }) => before.epoch));
      const operations: Operation[] = ends.flatMap(({ after }) => [
        { type: 'put', key: keyOf('epoch', number, epochBytes(after.epoch)), value: encodeLedger(after) },
        { type: 'put', key: keyOf('settled', number, epochBytes(after.epoch)), value: Buffer.alloc(0) },
      ]);
      const open = new Set(
        ledgers.filter((one) => isOpenVolatile(one) && !ended.has(one.epoch)).map(({ epoch }) => epoch),
      );
      for await (const key of database.keys(startingWith('volatile', number))) {
        if (!open.has(key.toString('hex', 5))) operations.push({ type: 'del', key: Buffer.from(key) });
      }
      if (operations.length === 0) return;
      await database.write(operations, true);
      for (const { before } of ends) agents.forgetLedger(number, before.epoch);
      changed(ends.map((end) => ({ agent: id, ...end })));
    });
  }
}
