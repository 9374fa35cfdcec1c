/**
 * `npm run bench:detect -- --data DIR [--set NAME]…`: what the agent's own detection finds in public data sets.
 * See README.md beside this file.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { shippedBudget } from './engine.ts';
import { UsageError } from './formats/files.ts';
import { runClean } from './sets/clean.ts';
import { runNab } from './sets/nab.ts';
import type { SetOptions, SetResult } from './sets/set.ts';
import { runSkab } from './sets/skab.ts';
import { runSmd } from './sets/smd.ts';
import { type Figures, printTable } from './table.ts';

/** In the order in which they run. */
const sets: Readonly<Record<string, (options: SetOptions) => SetResult | Promise<SetResult>>> = {
  nab: runNab,
  smd: runSmd,
  skab: runSkab,
  clean: runClean,
};

const usage = `usage: npm run bench:detect -- --data DIR [--set ${Object.keys(sets).join('|')}]… [--files TEXT] [--budget N] [--json FILE]`;

function parsed() {
  try {
    const options = {
      data: { type: 'string' },
      set: { type: 'string', multiple: true },
      files: { type: 'string', default: '' },
      budget: { type: 'string', default: String(shippedBudget) },
      json: { type: 'string' },
    } as const;
    return parseArgs({ options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function main(): Promise<void> {
  const { data, set = Object.keys(sets), files, budget, json } = parsed();
  if (data === undefined) throw new UsageError('--data DIR is missing');
  const perDay = Number(budget);
  if (!(perDay > 0)) throw new UsageError(`--budget ${budget}: a number above 0 is wanted`);
  const results: Record<string, Figures> = {};
  for (const name of set) {
    const run = sets[name];
    if (run === undefined) throw new UsageError(`there is no set ${name}`);
    const started = performance.now();
    const { tables, figures } = await run({ dir: data, filter: files, budget: perDay });
    for (const [title, rows] of Object.entries(tables)) printTable(title, rows);
    console.log(`(${name}: ${((performance.now() - started) / 1000).toFixed(1)} s)`);
    results[name] = figures;
    // Written as it grows: a set that fails late takes nothing with it.
    if (json !== undefined) writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n${usage}`);
  process.exitCode = 64;
}
