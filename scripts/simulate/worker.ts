/** A child of `simulate`: runs the ranges of seeds that it is given, with a planted bug where its argument names one. */
import { mutants } from './mutants.ts';
import { leftOut, plant } from './plant.ts';

/** From seed, count; up to which violation it goes on. */
export interface Work {
  readonly from: number;
  readonly count: number;
  readonly untilFirst: boolean;
}

export interface Violation {
  readonly seed: number;
  readonly problems: readonly string[];
}

export interface Done {
  readonly seeds: number;
  readonly steps: number;
  readonly records: number;
  readonly duplicates: number;
  readonly violations: readonly Violation[];
}

const name = process.argv[2];
const mutant = mutants.find((one) => one.name === name);
if (name !== undefined && mutant === undefined) throw new Error(`there is no mutant ${name}`);
plant(mutant === undefined ? leftOut : [...leftOut, ...mutant.changes]);
const { simulate } = await import('../../test/simulation/world/world.ts');

let current: string[] = [];
// What nobody waits for may fail, too.
process.on('unhandledRejection', (error) => current.push(`unhandled: ${String((error as Error).stack ?? error)}`));
process.on('message', ({ from, count, untilFirst }: Work) => {
  void (async () => {
    let [seeds, steps, records, duplicates] = [0, 0, 0, 0];
    const violations: Violation[] = [];
    for (let seed = from; seed < from + count; seed++) {
      current = [];
      const outcome = await simulate(seed).catch((error: unknown) => {
        current.push(`threw: ${String((error as Error).stack ?? error)}`);
        return null;
      });
      seeds++;
      steps += outcome?.steps ?? 0;
      records += outcome?.records ?? 0;
      duplicates += outcome?.duplicates ?? 0;
      const problems = [...current, ...(outcome?.problems ?? [])];
      if (problems.length === 0) continue;
      violations.push({ seed, problems });
      if (untilFirst) break;
    }
    process.send!({ seeds, steps, records, duplicates, violations } satisfies Done);
  })();
});
