/**
 * `npm run bench:learn -- --data DIR [--quick] [--json FILE]`: what the learning loop is worth on a replayed fleet.
 * See README.md beside this file.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from '../detect/formats/files.ts';
import { fullPlan, quickPlan } from './plan.ts';
import { run } from './replayed.ts';
import { figuresOf, print } from './report.ts';
import { readTraces } from './traces.ts';

// Days are those of the traces; both processes go by it.
process.env.TZ = 'UTC';

const usage = 'usage: npm run bench:learn -- --data DIR [--quick] [--json FILE]';
/** Commits wait for the disk; where there is memory that looks like one, the bench measures learning and not the disk. */
const MEMORY = '/dev/shm';

function parsed() {
  try {
    const options = {
      data: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
    } as const;
    return parseArgs({ options, strict: true }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function main(): Promise<void> {
  const { data, quick, json } = parsed();
  if (data === undefined) {
    throw new UsageError(
      '--data DIR is missing: the folder that holds smd/ (the Server Machine Dataset, as bench:detect reads it)',
    );
  }
  const plan = quick ? quickPlan : fullPlan;
  const traces = readTraces(data, plan.metrics);
  const directory = await mkdtemp(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'picket-learn-'));
  const beganMs = performance.now();
  try {
    const result = await run({ plan, traces, directory, say: (line) => console.error(line) });
    print(result, plan);
    console.log(`\n(${Math.round((performance.now() - beganMs) / 1000)} s)`);
    if (json !== undefined) await writeFile(json, `${JSON.stringify(figuresOf(result), null, 2)}\n`);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

try {
  await main();
  // Sockets that linger are of nobody's use any more.
  process.exit();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n${usage}`);
  process.exitCode = 64;
}
