/** What can be expected of a series at all, by what it is. */
import type { SeriesDefinition } from '../../shared/series.ts';

/** A utilisation is measured with some slack, but nobody expects 108 % of it. */
function boundsOf(definition: SeriesDefinition | null): { min: number; max: number } {
  const min = definition?.min ?? Number.NEGATIVE_INFINITY;
  const max = definition?.max ?? Number.POSITIVE_INFINITY;
  return { min, max: definition?.name.endsWith('.utilization') === true ? Math.min(1, max) : max };
}

export type Range = { readonly expectedLow: number | null; readonly expectedHigh: number | null };
export const noRange: Range = { expectedLow: null, expectedHigh: null };

/** A range, held to what can be at all; none where it has an end that is no number. */
export function rangeWithin(definition: SeriesDefinition | null, from: number, to: number): Range {
  const { min, max } = boundsOf(definition);
  const low = Math.max(min, from);
  const high = Math.min(max, to);
  const ranged = Number.isFinite(low) && Number.isFinite(high);
  return { expectedLow: ranged ? low : null, expectedHigh: ranged ? high : null };
}
