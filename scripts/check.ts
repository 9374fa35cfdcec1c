/** `npm run check`: format, lint, types, dead code, generated files. All of them run; all failures are shown. */
import { spawn } from 'node:child_process';

const checks: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['format and lint', 'biome', 'ci', '--error-on-warnings', '--colors=off', '.'],
  ['types', 'tsc', '-p', '.'],
  ['types of the pages', 'tsc', '-p', 'central/web'],
  ['dead files and exports', 'knip', '--no-progress'],
  ['generated files', 'node', 'scripts/generate.ts', '--check'],
];

function run(command: string, args: readonly string[]): Promise<{ status: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => resolve({ status: 1, output: `${error.message}\n` }));
    child.on('close', (status) => resolve({ status: status ?? 1, output }));
  });
}

let failed = 0;
for (const [name, command, ...args] of checks) {
  const { status, output } = await run(command, args);
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name}`);
  if (status !== 0) {
    failed++;
    console.log(output);
  }
}
process.exit(failed === 0 ? 0 : 1);
