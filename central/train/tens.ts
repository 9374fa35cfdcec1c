/**
 * Ten-minute windows of a history that has minutes, too: what an agent told in minutes (before its uplink became tight,
 * or around incidents) is merged exactly, so that a model for ten minutes learns from all of it.
 */
import { TEN_MINUTES_MS } from '../../shared/limits.ts';
import { mergeInto, type Row } from '../store/rows.ts';
import type { SeriesColumns } from '../store/store.ts';

/** Longer windows are tens already. */
const SHORT_MS = TEN_MINUTES_MS / 2;

/** Windows of ten minutes; the columns themselves where nothing is shorter. Ends are rising. */
export function inTens(columns: SeriesColumns): SeriesColumns {
  if (!columns.lengthsMs.some((lengthMs) => lengthMs < SHORT_MS)) return columns;
  const rows: Row[] = [];
  let open: Row | null = null;
  let openTen = -1;
  for (let i = 0; i < columns.timesMs.length; i++) {
    const row = rowOf(columns, i);
    const ten = Math.ceil((row.timeMs - 1) / TEN_MINUTES_MS);
    if (open !== null && row.lengthMs < SHORT_MS && ten === openTen) {
      mergeInto(open, row);
      continue;
    }
    if (open !== null) rows.push(open);
    open = row.lengthMs < SHORT_MS ? row : null;
    openTen = ten;
    if (open === null) rows.push(row);
  }
  if (open !== null) rows.push(open);
  const column = (field: keyof Row): Float64Array => Float64Array.from(rows, (row) => row[field]);
  return {
    series: columns.series,
    timesMs: column('timeMs'),
    lengthsMs: column('lengthMs'),
    count: column('count'),
    mean: column('mean'),
    deviation: column('deviation'),
    min: column('min'),
    max: column('max'),
    last: column('last'),
    anomalyShare: column('anomalyShare'),
    highestScore: column('highestScore'),
  };
}

function rowOf(columns: SeriesColumns, i: number): Row {
  return {
    timeMs: columns.timesMs[i]!,
    lengthMs: columns.lengthsMs[i]!,
    count: columns.count[i]!,
    mean: columns.mean[i]!,
    deviation: columns.deviation[i]!,
    min: columns.min[i]!,
    max: columns.max[i]!,
    last: columns.last[i]!,
    anomalyShare: columns.anomalyShare[i]!,
    highestScore: columns.highestScore[i]!,
    bad: 0,
  };
}
