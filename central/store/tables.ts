/**
 * Tables that nothing names any more: a table is wanted while a window or a rollup that is kept as it came, or
 * evidence, names it; chunks know their series themselves. Should one be wanted again, it is asked for (`need`), and
 * taken back though its seq is settled (`decide.ts`).
 */
import { decodeEvidence } from '../../shared/wire/bodies.ts';
import type { Agents } from './agents.ts';
import type { Database, Operation, Reader } from './database.ts';
import { startingWith } from './keys.ts';
import { decodeWindow } from './values.ts';

/** With so few there is nothing to gain. */
const KEPT_TABLES = 16;

/** Deletes an agent's tables that nothing names. Runs alone. */
export async function pruneTables(database: Database, agents: Agents, agent: number): Promise<void> {
  const tables: Buffer[] = [];
  for await (const key of database.keys(startingWith('table', agent))) tables.push(Buffer.from(key));
  if (tables.length <= KEPT_TABLES) return;
  const named = await namedTables(database, agent);
  const gone = tables.filter((key) => !named.has(hashOf(key)));
  if (gone.length === 0) return;
  await database.write(
    gone.map((key): Operation => ({ type: 'del', key })),
    true,
  );
  for (const key of gone) agents.forgetTable(agent, hashOf(key));
}

function hashOf(key: Buffer): string {
  return key.toString('hex', 5);
}

async function namedTables(reader: Reader, agent: number): Promise<Set<string>> {
  const named = new Set<string>();
  for (const space of ['window', 'rollup'] as const) {
    for await (const [, value] of reader.entries(startingWith(space, agent))) named.add(decodeWindow(value).table);
  }
  for await (const [, value] of reader.entries(startingWith('evidence', agent))) {
    try {
      named.add(decodeEvidence(value).table);
    } catch {
      // Evidence that cannot be read names nothing.
    }
  }
  return named;
}
