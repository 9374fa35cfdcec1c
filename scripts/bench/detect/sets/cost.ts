/** What detection costs for each point and series, by the bench of the whole project: `npm run bench -- detect`. */
import { run } from '../../detect.ts';
import type { SetResult } from './set.ts';

export async function runCost(): Promise<SetResult> {
  const figures = await run();
  return {
    tables: {
      'Cost of all that judges single series (CPU ns a point), beside an exponentially weighted z-score in the same run':
        {
          Picket: {
            ns_per_point: figures.stage_ns_per_point!,
            bytes_per_series: figures.bytes_per_series!,
            saved_bytes_per_series: figures.saved_bytes_per_series!,
          },
          'floor (z-score)': { ns_per_point: figures.floor_ns_per_point!, bytes_per_series: 16 },
        },
    },
    figures: {
      ns_per_point: figures.stage_ns_per_point!,
      bytes_per_series: figures.bytes_per_series!,
      floor_ns_per_point: figures.floor_ns_per_point!,
    },
  };
}
