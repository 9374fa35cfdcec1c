/** Windows of the store as columns of even steps: hours, and days with the highest hour (peaks) or the last (stocks). */
import { DAY_MS, HOUR_MS } from '../../shared/limits.ts';
import type { SeriesColumns } from '../store/store.ts';
import type { Target } from './targets.ts';

export interface Column {
  readonly values: Float64Array;
  /** End of the last step. */
  readonly toMs: number;
}

/** A day of which fewer hours are known tells neither its peak nor its end. */
const LEAST_HOURS = 18;

/** Mean of each hour from `fromMs` to `toMs`, both full hours; NaN where there is none. */
export function hoursOf(
  windows: SeriesColumns | undefined,
  target: Pick<Target, 'invert' | 'whole'>,
  fromMs: number,
  toMs: number,
): Column {
  const values = new Float64Array((toMs - fromMs) / HOUR_MS).fill(Number.NaN);
  for (let i = 0; i < (windows?.timesMs.length ?? 0); i++) {
    const at = Math.ceil((windows!.timesMs[i]! - fromMs) / HOUR_MS) - 1;
    const value = windows!.mean[i]! / target.whole;
    if (at >= 0 && at < values.length) values[at] = target.invert ? 1 - value : value;
  }
  return { values, toMs };
}

/** Days that end with the column's end. */
export function daysOf({ values, toMs }: Column, peaks: boolean): Column {
  const perDay = DAY_MS / HOUR_MS;
  const days = new Float64Array(Math.floor(values.length / perDay)).fill(Number.NaN);
  for (let day = 0; day < days.length; day++) {
    const end = values.length - (days.length - 1 - day) * perDay;
    let hours = 0;
    let last = Number.NaN;
    let highest = Number.NEGATIVE_INFINITY;
    for (let i = end - perDay; i < end; i++) {
      if (!Number.isFinite(values[i]!)) continue;
      hours++;
      last = values[i]!;
      highest = Math.max(highest, last);
    }
    if (hours >= LEAST_HOURS) days[day] = peaks ? highest : last;
  }
  return { values: days, toMs };
}
