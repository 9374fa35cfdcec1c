/**
 * Plants a bug: text of the real code is replaced when its module is loaded, before its types are stripped. A text that
 * does not stand there exactly once ends the process, so that a refactoring is noticed.
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '../..');

export interface Change {
  /** From the project's root. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/**
 * What a simulated run leaves out: compression takes half of its time and decides nothing; it has its own tests, and the
 * payloads say that they are plain (shared/transport/compress.ts).
 */
export const leftOut: readonly Change[] = [
  {
    file: 'shared/transport/compress.ts',
    find: 'const WORTHWHILE_BYTES = 64;',
    replace: 'const WORTHWHILE_BYTES = Number.POSITIVE_INFINITY;',
  },
];

/** The text with its changes. Throws where one does not fit. */
export function changed(text: string, changes: readonly Change[]): string {
  let out = text;
  for (const { file, find, replace } of changes) {
    const count = out.split(find).length - 1;
    if (count !== 1) throw new Error(`${file}: ${JSON.stringify(find)} stands there ${count} times, not once`);
    out = out.replace(find, () => replace);
  }
  return out;
}

/** Looks whether every change fits, without loading anything. */
export function checkChanges(changes: readonly Change[]): void {
  for (const [file, list] of Map.groupBy(changes, (change) => change.file)) {
    changed(readFileSync(join(root, file), 'utf8'), list);
  }
}

/** To be called before the modules are imported. */
export function plant(changes: readonly Change[]): void {
  checkChanges(changes);
  const byUrl = Map.groupBy(changes, ({ file }) => pathToFileURL(join(root, file)).href);
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const list = byUrl.get(url);
      if (list === undefined) return loaded;
      return { ...loaded, source: changed(readFileSync(fileURLToPath(url), 'utf8'), list) };
    },
  });
}
