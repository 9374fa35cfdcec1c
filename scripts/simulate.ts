/**
 * `npm run simulate -- [--seeds N] [--from N] [--mutants] [--only NAME] [--json FILE]`: the real agent and central under
 * a simulated clock, disk and broker, one world for each seed; and the same with planted bugs, each of which must be
 * found. Without `--seeds` and `--mutants` it does both.
 * `npm run simulate -- --seed N [--only NAME]` prints what happened in one.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Mutant, mutants } from './simulate/mutants.ts';
import { checkChanges, leftOut, plant } from './simulate/plant.ts';
import type { Done, Violation, Work } from './simulate/worker.ts';

const SEEDS = 20_000;
const SEEDS_AT_ONCE = 50;
/** A planted bug must be found within as many. */
const SEEDS_A_MUTANT = 500;
/** A range of seeds that takes longer hangs: some seeds are slow, none takes a second. */
const LONGEST_MS = 10 * 60_000;
/** Seeds with violations that are printed, and violations of each; `--seed` tells all. */
const PRINTED = 10;

const usage =
  'usage: npm run simulate -- [--seeds N] [--from N] [--mutants] [--only NAME] [--json FILE], or --seed N [--only NAME]';

function fail(problem: string): never {
  console.error(`${problem}\n${usage}`);
  process.exit(64);
}

function parsed() {
  const options = {
    seeds: { type: 'string' },
    from: { type: 'string' },
    seed: { type: 'string' },
    mutants: { type: 'boolean' },
    only: { type: 'string' },
    json: { type: 'string' },
  } as const;
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return fail((error as Error).message);
  }
}

function whole(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= 0 ? value : fail(`--${name} ${text} is no number`);
}

/** A child that runs ranges of seeds, one after the other. */
class Worker {
  readonly #child: ChildProcess;

  constructor(mutant?: string) {
    const args = mutant === undefined ? [] : [mutant];
    this.#child = fork(join(import.meta.dirname, 'simulate/worker.ts'), args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
  }

  /** Null where it ended, or did not come to an end. */
  run(work: Work): Promise<Done | null> {
    const child = this.#child;
    return new Promise((resolve) => {
      const timer = setTimeout(() => over(null), LONGEST_MS);
      const ended = (): void => over(null);
      const done = (result: unknown): void => over(result as Done);
      const over = (result: Done | null): void => {
        clearTimeout(timer);
        child.off('message', done).off('exit', ended);
        resolve(result);
      };
      child.on('message', done).on('exit', ended);
      child.send(work);
    });
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}

interface Totals {
  seeds: number;
  steps: number;
  records: number;
  duplicates: number;
  violations: number;
  seeds_per_s: number;
}

async function runSeeds(from: number, count: number): Promise<Totals> {
  const totals: Totals = { seeds: 0, steps: 0, records: 0, duplicates: 0, violations: 0, seeds_per_s: 0 };
  const startMs = performance.now();
  let next = from;
  const work = async (): Promise<void> => {
    const worker = new Worker();
    while (next < from + count) {
      const range = { from: next, count: Math.min(SEEDS_AT_ONCE, from + count - next), untilFirst: false };
      next += range.count;
      const done = await worker.run(range);
      if (done === null) throw new Error(`seeds ${range.from} to ${next - 1} did not come to an end`);
      totals.seeds += done.seeds;
      totals.steps += done.steps;
      totals.records += done.records;
      totals.duplicates += done.duplicates;
      for (const violation of done.violations) if (totals.violations++ < PRINTED) print(violation);
    }
    worker.end();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  const seconds = (performance.now() - startMs) / 1000;
  totals.seeds_per_s = Math.round((totals.seeds / seconds) * 10) / 10;
  const figure = (value: number): string => value.toLocaleString('en');
  console.log(
    `${figure(totals.seeds)} seeds, ${totals.violations} with violations; ${figure(totals.steps)} steps, ` +
      `${figure(totals.records)} records, ${figure(totals.duplicates)} duplicates absorbed, ` +
      `${totals.seeds_per_s} seeds a second`,
  );
  return totals;
}

function print({ seed, problems }: Violation): void {
  console.log(`seed ${seed} (npm run simulate -- --seed ${seed}):`);
  for (const problem of problems.slice(0, PRINTED)) console.log(`  ${problem}`);
}

/** Seeds that it took to find each; null where it was not found. */
async function runMutants(list: readonly Mutant[], from: number): Promise<ReadonlyMap<string, number | null>> {
  for (const { changes } of list) checkChanges([...leftOut, ...changes]);
  const found = new Map<string, number | null>();
  const waiting = [...list];
  const work = async (): Promise<void> => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      const worker = new Worker(one.name);
      const done = await worker.run({ from, count: SEEDS_A_MUTANT, untilFirst: true });
      worker.end();
      // One that makes the run hang or crash is found as well.
      const took = done === null ? 1 : done.violations.length > 0 ? done.seeds : null;
      found.set(one.name, took);
      const problem = done?.violations[0]?.problems[0] ?? 'the run ended or hung';
      const what = took === null ? `NOT FOUND in ${SEEDS_A_MUTANT} seeds` : `found by seed ${took}: ${problem}`;
      console.log(`${one.name}: ${what.split('\n')[0]!.slice(0, 200)}`);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  const killed = [...found.values()].filter((took) => took !== null).length;
  console.log(`${killed} of ${list.length} planted bugs found`);
  return found;
}

async function traceOf(seed: number, list: readonly Mutant[]): Promise<boolean> {
  plant([...leftOut, ...list.flatMap(({ changes }) => changes)]);
  const { simulate } = await import('../test/simulation/world/world.ts');
  const { trace, problems, digest } = await simulate(seed, true);
  for (const line of trace) console.log(line);
  for (const problem of problems) console.log(`VIOLATION: ${problem}`);
  console.log(`seed ${seed}: ${problems.length} violations, digest ${digest}`);
  return problems.length === 0;
}

async function main(): Promise<boolean> {
  const values = parsed();
  const { only, json } = values;
  const list = only === undefined ? mutants : mutants.filter(({ name }) => name === only);
  if (list.length === 0) fail(`there is no mutant "${only}"; there are: ${mutants.map(({ name }) => name).join('; ')}`);
  const seed = whole(values.seed, 'seed');
  if (seed !== undefined) return await traceOf(seed, only === undefined ? [] : list);
  const from = whole(values.from, 'from') ?? 1;
  const both = values.seeds === undefined && values.mutants !== true;
  const seeds = both ? SEEDS : (whole(values.seeds, 'seeds') ?? 0);
  const none: Totals = { seeds: 0, steps: 0, records: 0, duplicates: 0, violations: 0, seeds_per_s: 0 };
  const totals = seeds > 0 ? await runSeeds(from, seeds) : none;
  const found = both || values.mutants === true ? await runMutants(list, from) : new Map<string, number | null>();
  const killed = [...found.values()].filter((took) => took !== null);
  if (json !== undefined) {
    const figures = {
      ...totals,
      mutants: found.size,
      killed: killed.length,
      max_seeds_to_kill: Math.max(0, ...killed),
      seeds_to_kill: Object.fromEntries(found),
    };
    writeFileSync(json, `${JSON.stringify(figures, null, 2)}\n`);
  }
  return totals.violations === 0 && killed.length === found.size;
}

process.exit((await main()) ? 0 : 1);
