/** What the child process of a repair does: `repairInChild` starts it, so that an abort of LevelDB ends only the child. */
import { ClassicLevel } from 'classic-level';

/** Makes a database that opens again of what is left in this directory; rejects where that can't be done. */
export function repairDatabase(directory: string): Promise<void> {
  return ClassicLevel.repair(directory);
}
