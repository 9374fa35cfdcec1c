/** The built executables, for the tests and benches that run them: built when the sources have changed. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Program } from './programs.ts';
import { hostTarget } from './targets.ts';

const root = join(import.meta.dirname, '..', '..');

/** Path of the executable of the sources as they are. */
export async function executable(program: Program['name'], target = hostTarget): Promise<string> {
  const script = join(import.meta.dirname, 'build.ts');
  const args = [script, '--if-stale', '--program', program, '--target', target];
  // A process of its own: the packer wants the environment for itself.
  const child = spawn(process.execPath, args, { stdio: ['ignore', 2, 2] });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', resolve);
  });
  if (code !== 0) throw new Error(`building ${program} failed: see above`);
  return join(root, 'dist', ...(target === hostTarget ? [] : [target]), program);
}
