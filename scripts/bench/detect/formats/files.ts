/** Reads files of a data set; what is missing is said with its path and what to do. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** A mistake of whoever calls the bench: told without a stack. */
export class UsageError extends Error {}

/** The folder of a set below `dir`. Throws where it is not there. */
export function setFolder(dir: string, name: string): string {
  const path = `${dir}/${name}`;
  if (!existsSync(path)) {
    throw new UsageError(`${path} is not there: --data takes the folder that holds nab/, smd/ and skab/`);
  }
  return path;
}

/** Names in a folder, sorted; `skab/valve1/2.csv` before `10.csv`. */
export function namesIn(path: string): string[] {
  return existsSync(path) ? readdirSync(path).sort(new Intl.Collator('en', { numeric: true }).compare) : [];
}

/** Bytes of a file, unpacked where it ends in `.gz`. */
export function readBytes(path: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new UsageError(
      `${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`,
    );
  }
  return path.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

/** Lines of a text file, without the last, empty one. */
export function readLines(path: string): string[] {
  const lines = new TextDecoder().decode(readBytes(path)).split(/\r?\n/);
  while (lines.length > 0 && lines.at(-1) === '') lines.pop();
  return lines;
}
