/** Tells whether an executable is that of the sources as they are, so that tests and benches build only then. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Program } from './programs.ts';
import type { Target } from './targets.ts';

/** Beside the program's own sources. */
const always = ['scripts/build', 'package-lock.json', 'scripts/runtimes/package-lock.json'];

export async function fingerprintOf(root: string, { sources }: Program, target: Target): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(target));
  for (const path of [...always, ...sources]) {
    const names = (await stat(join(root, path))).isFile() ? [''] : await readdir(join(root, path), { recursive: true });
    for (const name of names.sort()) {
      const file = join(root, path, name);
      if (/\.test\.tsx?$/.test(name) || !(await stat(file)).isFile()) continue;
      hash.update(JSON.stringify([path, name])).update(await readFile(file));
    }
  }
  return hash.digest('hex');
}

export async function isFresh(output: string, fingerprint: string, scratch: string): Promise<boolean> {
  const path = stampPath(output, scratch);
  const known = await readFile(path, 'utf8').catch(() => null);
  return known !== null && known === (await stampOf(output, fingerprint).catch(() => null));
}

export async function writeStamp(output: string, fingerprint: string, scratch: string): Promise<void> {
  await mkdir(join(scratch, 'stamps'), { recursive: true });
  await writeFile(stampPath(output, scratch), await stampOf(output, fingerprint));
}

/** With size and time of the file, which another build may have replaced. */
async function stampOf(output: string, fingerprint: string): Promise<string> {
  const { size, mtimeMs } = await stat(output);
  return JSON.stringify({ fingerprint, size, mtimeMs });
}

function stampPath(output: string, scratch: string): string {
  return join(scratch, 'stamps', createHash('sha256').update(output).digest('hex').slice(0, 32));
}
