/** Repairing a database that does not open: in a child process, as LevelDB was seen to abort over it. */
import { spawn } from 'node:child_process';
import { ClassicLevel } from 'classic-level';

const REPAIR_DEADLINE_MS = 120_000;
/** How a process ends that did not expect what it found. */
const crashes: readonly (NodeJS.Signals | null)[] = ['SIGABRT', 'SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP'];

/**
 * Repairs the database in this directory; true when it is worth opening again. `check` only opens, reads and compacts
 * it: false where that ends a process.
 */
export type Repair = (database: string, task?: 'repair' | 'check') => Promise<boolean>;

/**
 * @param command program and arguments of a child that calls `repairDatabase` or, with `--check`, `checkDatabase`; the
 * database's directory is added
 */
export function repairInChild(command: readonly [string, ...string[]]): Repair {
  return (database, task = 'repair') => {
    return new Promise((resolve) => {
      const [program, ...args] = command;
      const all = [...args, ...(task === 'check' ? ['--check'] : []), database];
      const child = spawn(program, all, { stdio: 'ignore', timeout: REPAIR_DEADLINE_MS });
      child.on('error', () => resolve(task === 'check'));
      child.on('exit', (code, signal) => resolve(task === 'check' ? !crashes.includes(signal) : code === 0));
    });
  };
}

/** What the child does: makes a database that opens of what is left. Rejects where that can't be done. */
export function repairDatabase(database: string): Promise<void> {
  return ClassicLevel.repair(database);
}

/** What the child does for a check: all that the agent may do with a database, at once. */
export async function checkDatabase(database: string): Promise<void> {
  const db = new ClassicLevel<Uint8Array, Uint8Array>(database, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    compression: false,
    createIfMissing: false,
  });
  await db.open();
  for await (const entry of db.iterator()) void entry;
  // LevelDB merges only what overlaps: these lie around all that is there.
  const [first, last] = [Uint8Array.of(0), Uint8Array.of(255)];
  for (const type of ['put', 'del'] as const) {
    await db.batch([first, last].map((key) => (type === 'put' ? { type, key, value: key } : { type, key })));
    await db.compactRange(first, last);
  }
  for await (const entry of db.iterator()) void entry;
  await db.close();
}
