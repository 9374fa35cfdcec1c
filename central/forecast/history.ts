/** Windows of the store as columns of even steps: hours, and days with the highest hour (peaks) or the last (stocks). */
import { offsetAt, type ZoneOffsets } from '../../shared/detect/civil.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import type { SeriesColumns, TimeRange } from '../store/store.ts';
import type { Target } from './targets.ts';

export interface Column {
  readonly values: Float64Array;
  /** End of the last step. */
  readonly toMs: number;
}

/** A day of which fewer hours are known tells neither its peak nor its end. */
const LEAST_HOURS = 18;
/** An hour is left out where more of it than this is. */
const MOST_LEFT_MS = 10 * MINUTE_MS;

/**
 * Mean of each hour of the site's clock from `fromMs` to `toMs`, both full hours; NaN where there is none, as in the hour
 * that a change of clocks leaves out. Of the hour that comes twice it is the mean of both.
 */
export function hoursOf(
  windows: Pick<SeriesColumns, 'timesMs' | 'mean'> | undefined,
  target: Pick<Target, 'invert' | 'whole'>,
  { fromMs, toMs }: TimeRange,
  zone: ZoneOffsets,
): Column {
  const values = new Float64Array((toMs - fromMs) / HOUR_MS).fill(Number.NaN);
  const startMs = localEnd(zone, toMs) - values.length * HOUR_MS;
  for (let i = 0; i < (windows?.timesMs.length ?? 0); i++) {
    const at = Math.ceil((localEnd(zone, windows!.timesMs[i]!) - startMs) / HOUR_MS) - 1;
    if (!(at >= 0 && at < values.length)) continue;
    const share = windows!.mean[i]! / target.whole;
    const value = target.invert ? 1 - share : share;
    values[at] = Number.isNaN(values[at]!) ? value : (values[at]! + value) / 2;
  }
  return { values, toMs };
}

/** Local time of a window's end, by the clock that held within it. */
function localEnd(zone: ZoneOffsets, endMs: number): number {
  return endMs + offsetAt(zone, endMs - 1);
}

/** The windows outside of time that says nothing of how the series goes. */
export function without(
  windows: SeriesColumns | undefined,
  left: readonly TimeRange[],
): Pick<SeriesColumns, 'timesMs' | 'mean'> | undefined {
  if (windows === undefined || left.length === 0) return windows;
  const rows: number[] = [];
  for (const [i, endMs] of windows.timesMs.entries()) {
    const startMs = endMs - HOUR_MS;
    const lostMs = left.reduce(
      (sum, { fromMs, toMs }) => sum + Math.max(0, Math.min(endMs, toMs) - Math.max(startMs, fromMs)),
      0,
    );
    if (lostMs < MOST_LEFT_MS) rows.push(i);
  }
  const pick = (from: Float64Array): Float64Array => Float64Array.from(rows, (i) => from[i]!);
  return { timesMs: pick(windows.timesMs), mean: pick(windows.mean) };
}

/** Days of the site, up to its last midnight. */
export function daysOf({ values, toMs: endMs }: Column, peaks: boolean, zone: ZoneOffsets): Column {
  const perDay = DAY_MS / HOUR_MS;
  const local = localEnd(zone, endMs);
  const sinceMidnight = Math.floor((local - Math.floor(local / DAY_MS) * DAY_MS) / HOUR_MS);
  const toMs = endMs - sinceMidnight * HOUR_MS;
  const last = values.length - sinceMidnight;
  const days = new Float64Array(Math.max(0, Math.floor(last / perDay))).fill(Number.NaN);
  for (let day = 0; day < days.length; day++) {
    const end = last - (days.length - 1 - day) * perDay;
    let hours = 0;
    let latest = Number.NaN;
    let highest = Number.NEGATIVE_INFINITY;
    for (let i = end - perDay; i < end; i++) {
      if (!Number.isFinite(values[i]!)) continue;
      hours++;
      latest = values[i]!;
      highest = Math.max(highest, latest);
    }
    if (hours >= LEAST_HOURS) days[day] = peaks ? highest : latest;
  }
  return { values: days, toMs };
}
