/** Which series are looked at more closely, where a machine has too many for all of them: by a hash, so that it is told. */
import type { SeriesId } from '../../shared/series.ts';
import { seedOf } from './seeded.ts';

/** One of so many, but never fewer or more than these: two trainings of it are a fifth of one of all. */
const ONE_OF = 10;
const FEWEST = 3;
const MOST = 48;

export function sampleOf(series: Iterable<SeriesId>, seed: string): ReadonlySet<SeriesId> {
  const all = [...series];
  const size = Math.min(MOST, Math.max(FEWEST, Math.ceil(all.length / ONE_OF)));
  const ranked = all.map((id) => ({ id, rank: seedOf(`${seed} ${id}`) }));
  ranked.sort((a, b) => a.rank - b.rank || (a.id < b.id ? -1 : 1));
  return new Set(ranked.slice(0, size).map(({ id }) => id));
}
