/** What stands in every table beside the detector: a score that such a one reaches says nothing. */
import { seeded } from './random.ts';

export const baselines: Readonly<Record<string, (rows: number, seed: number) => Float64Array>> = {
  null: (rows) => new Float64Array(rows),
  random: (rows, seed) => {
    const random = seeded(seed);
    return new Float64Array(rows).map(random);
  },
  'always-alarm': (rows) => new Float64Array(rows).fill(1),
};
