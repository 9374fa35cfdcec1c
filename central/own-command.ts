import { isSea } from 'node:sea';

/** How this very program is started as a child of itself: as the executable, or from the sources. */
export function ownCommand(command: string): readonly [string, ...string[]] {
  const entry = process.argv[1];
  return isSea() || entry === undefined ? [process.execPath, command] : [process.execPath, entry, command];
}
