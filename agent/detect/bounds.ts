/** What can be expected of a series at all, by what it is. */
import type { SeriesDefinition } from '../../shared/series.ts';

/** A utilisation is measured with some slack, but nobody expects 108 % of it. */
export function boundsOf(definition: SeriesDefinition | null): { min: number; max: number } {
  const min = definition?.min ?? Number.NEGATIVE_INFINITY;
  const max = definition?.max ?? Number.POSITIVE_INFINITY;
  return { min, max: definition?.name.endsWith('.utilization') === true ? Math.min(1, max) : max };
}
