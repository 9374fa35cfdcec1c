/**
 * `npm run bench:detect -- --data DIR [--set NAME]…`: what the agent's own detection finds in public data sets.
 * See README.md beside this file.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { shippedBudget } from './engine.ts';
import { UsageError } from './formats/files.ts';
import { runClean } from './sets/clean.ts';
import { runCost } from './sets/cost.ts';
import { runInjected } from './sets/injected.ts';
import { runNab } from './sets/nab.ts';
import { runOwnFile } from './sets/own-file.ts';
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
  injected: runInjected,
  cost: runCost,
};
/** What needs no data set. */
const alone: ReadonlySet<string> = new Set(['injected', 'cost']);

const names = Object.keys(sets).join('|');
const usage = `usage: npm run bench:detect -- --data DIR [--set ${names}]… [--files TEXT] [--budget N] [--json FILE] [--write-nab DIR]
       npm run bench:detect -- --csv FILE --column NAME [--time NAME] [--budget N] [--out FILE]`;

function parsed() {
  try {
    const options = {
      data: { type: 'string' },
      set: { type: 'string', multiple: true },
      files: { type: 'string', default: '' },
      budget: { type: 'string', default: String(shippedBudget) },
      json: { type: 'string' },
      'write-nab': { type: 'string' },
      csv: { type: 'string' },
      column: { type: 'string' },
      time: { type: 'string' },
      out: { type: 'string' },
    } as const;
    return parseArgs({ options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function main(): Promise<void> {
  const { data, set, files, budget: wanted, json, 'write-nab': writeNab, csv, column, time, out } = parsed();
  const budget = Number(wanted);
  if (!(budget > 0)) throw new UsageError(`--budget ${wanted}: a number above 0 is wanted`);
  if (csv !== undefined) {
    if (column === undefined) throw new UsageError('--csv FILE wants --column NAME, too');
    return runOwnFile({ path: csv, column, time, out: out ?? null, budget });
  }
  const chosen = set ?? (writeNab === undefined ? Object.keys(sets) : ['nab']);
  const unknown = chosen.find((name) => !Object.hasOwn(sets, name));
  if (unknown !== undefined) throw new UsageError(`there is no set ${unknown}`);
  if (data === undefined && chosen.some((name) => !alone.has(name))) throw new UsageError('--data DIR is missing');
  const results: Record<string, Figures> = {};
  for (const name of chosen) {
    const started = performance.now();
    const { tables, figures } = await sets[name]!({ dir: data ?? '', filter: files, budget, writeNab });
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
