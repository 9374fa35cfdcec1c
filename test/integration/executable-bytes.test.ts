/** Two builds of the same sources, in two places, give the same bytes: who has the sources can prove a file theirs. */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { installRuntimes } from '../../scripts/build/runtimes.ts';
import { run } from '../support/processes.ts';

const root = join(import.meta.dirname, '..', '..');
const scratch = join(root, '.build');
const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** A checkout elsewhere: sources copied, packages hard-linked, so that each path is one of its own. */
async function checkout(from: string): Promise<string> {
  mkdirSync(scratch, { recursive: true });
  const directory = mkdtempSync(join(scratch, 'checkout-'));
  made.push(directory);
  const runtimes = join(root, 'scripts', 'runtimes', 'node_modules');
  for (const name of ['agent', 'central', 'shared', 'scripts', 'package.json', 'package-lock.json', 'tsconfig.json']) {
    cpSync(join(from, name), join(directory, name), {
      recursive: true,
      filter: (path) => !/runtimes\/(node_modules|\.installing-[^/]*)$/.test(path),
    });
  }
  symlinkSync(runtimes, join(directory, 'scripts', 'runtimes', 'node_modules'));
  const linked = await run('cp', ['cp', '-al', join(root, 'node_modules'), join(directory, 'node_modules')]);
  expect(linked.stderr).toBe('');
  return directory;
}

async function builtIn(directory: string): Promise<Readonly<Record<string, string>>> {
  const built = await run('build', [process.execPath, join(directory, 'scripts', 'build', 'build.ts')]);
  expect(built.code, built.stderr).toBe(0);
  const sha256 = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(join(directory, 'dist', name)))
      .digest('hex');
  return { agent: sha256('picket-agent'), central: sha256('picket-central') };
}

test('two builds give the same bytes', { timeout: 240_000 }, async () => {
  await installRuntimes();
  const first = await checkout(root);
  const second = await checkout(first);
  expect(await builtIn(second)).toEqual(await builtIn(first));
});
