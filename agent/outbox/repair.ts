/** Repairing a database that does not open: in a child process, as LevelDB was seen to abort over it. */
import { spawn } from 'node:child_process';
import { ClassicLevel } from 'classic-level';

const REPAIR_DEADLINE_MS = 120_000;

/** Repairs the database in this directory; true when it is worth opening again. */
export type Repair = (database: string) => Promise<boolean>;

/** @param command program and arguments of a child that calls `repairDatabase`; the database's directory is added */
export function repairInChild(command: readonly [string, ...string[]]): Repair {
  return (database) => {
    return new Promise((resolve) => {
      const [program, ...args] = command;
      const child = spawn(program, [...args, database], { stdio: 'ignore', timeout: REPAIR_DEADLINE_MS });
      child.on('error', () => resolve(false));
      child.on('exit', (code) => resolve(code === 0));
    });
  };
}

/** What the child does: makes a database that opens of what is left. Rejects where that can't be done. */
export function repairDatabase(database: string): Promise<void> {
  return ClassicLevel.repair(database);
}
