/** A group's window features as rows, from the minutes that the central has: for limits and for the backtest. */
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { isWholeWindow } from '../../../shared/detect/seasonal.ts';
import { DAY_MS, HOUR_MS } from '../../../shared/limits.ts';
import { Quality, type SeriesId } from '../../../shared/series.ts';
import type { AgentId, Store, TimeRange } from '../../store/store.ts';

/** Half a day of 64 series is 370 KB. */
const READ_MS = DAY_MS / 2;

export interface RowsOf {
  readonly store: Pick<Store, 'query'>;
  readonly agent: AgentId;
  readonly members: readonly SeriesId[];
  readonly windowMs: number;
  /** Hours of which rows are wanted. */
  readonly hours: ReadonlyMap<number, unknown>;
  readonly signal: AbortSignal;
}

/** Calls `visit` with each row in (fromMs, toMs], in the order of time; its arrays are used again. */
export async function eachRow(
  { store, agent, members, windowMs, hours, signal }: RowsOf,
  { fromMs, toMs }: TimeRange,
  visit: (x: Float64Array, quality: Uint8Array, timeMs: number) => void,
): Promise<void> {
  const x = new Float64Array(members.length);
  const quality = new Uint8Array(members.length);
  for (let from = fromMs; from < toMs; from += READ_MS) {
    signal.throwIfAborted();
    const to = Math.min(toMs, from + READ_MS);
    const columns = await store.query(agent, members, { fromMs: from, toMs: to + 1 }, 'minute');
    await yieldToOthers();
    const rows = new Map<number, Float64Array>();
    for (const { series, timesMs, lengthsMs, count, mean } of columns) {
      const place = members.indexOf(series);
      for (let i = 0; i < timesMs.length; i++) {
        const timeMs = timesMs[i]!;
        if (timeMs <= from || timeMs > to || place < 0 || count[i] === 0) continue;
        if (!isWholeWindow(lengthsMs[i]!, windowMs) || !hours.has(hourOfWindow(timeMs, windowMs))) continue;
        const row = rows.get(timeMs) ?? new Float64Array(members.length).fill(Number.NaN);
        rows.set(timeMs, row);
        row[place] = mean[i]!;
      }
    }
    for (const [timeMs, row] of [...rows].sort(([a], [b]) => a - b)) {
      x.set(row);
      for (let i = 0; i < x.length; i++) quality[i] = Number.isFinite(x[i]!) ? Quality.good : Quality.bad;
      visit(x, quality, timeMs);
    }
  }
}

/** As agents cut hours. */
function hourOfWindow(endMs: number, windowMs: number): number {
  return Math.floor((endMs - windowMs / 2) / HOUR_MS);
}
