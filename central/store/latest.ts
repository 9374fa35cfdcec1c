/** The latest window of every series of an agent: filled from the disk once, then kept up by each commit. */
import { limits } from '../../shared/limits.ts';
import { decodeColumns } from '../../shared/wire/columns.ts';
import { readTable } from './agents.ts';
import { decodeChunk } from './chunks.ts';
import type { FreshWindow } from './commit.ts';
import type { Reader } from './database.ts';
import { startingWith } from './keys.ts';
import { type Row, Rows } from './rows.ts';
import type { LatestSeries, TableSeries } from './store.ts';
import { decodeWindow } from './values.ts';

/** Windows that are looked through from the newest back; what is not in them is looked up in its last chunk. */
const WINDOWS_BACK = 16;

/** Latest windows by series number. The later one wins, whatever order they come in. */
export class Latest {
  readonly #rows = new Map<number, Row>();

  take(window: FreshWindow): void {
    const { columns, first, numbers, timeMs } = window;
    for (let i = 0; i < columns.length; i++) {
      const number = numbers[first + i];
      if (number === undefined || columns.count[i] === 0) continue;
      const before = this.#rows.get(number);
      if (before !== undefined && before.timeMs > timeMs) continue;
      const row = before ?? emptyRow();
      row.timeMs = timeMs;
      row.mean = columns.mean[i]!;
      row.min = columns.min[i]!;
      row.max = columns.max[i]!;
      row.last = columns.last[i]!;
      row.anomalyShare = columns.anomalyShare[i]!;
      row.highestScore = columns.highestScore[i]!;
      this.#rows.set(number, row);
    }
  }

  /** Fills in what commits have not brought since. */
  async fill(reader: Reader, agent: number, seriesCount: number): Promise<void> {
    for await (const [, value] of reader.entries(startingWith('window', agent), {
      reverse: true,
      limit: WINDOWS_BACK,
    })) {
      const { table, timeMs, first, columns } = decodeWindow(value);
      const numbers = (await readTable(reader, agent, table)) ?? [];
      this.take({
        agent: '',
        timeMs,
        series: [],
        numbers,
        first,
        columns: decodeColumns(columns, limits.seriesPerTable, false),
      });
    }
    for (let number = 0; number < seriesCount; number++) {
      if (this.#rows.has(number)) continue;
      for await (const [, value] of reader.entries(startingWith('chunk', agent, number), { reverse: true, limit: 1 })) {
        const rows = new Rows();
        decodeChunk(value, rows, false);
        rows.sort();
        for (let i = rows.length - 1; i >= 0 && !this.#rows.has(number); i--) {
          if (rows.row(i).count > 0) this.#rows.set(number, rows.row(i));
        }
      }
    }
  }

  /** A series whose windows are all gone has time 0 and NaN. */
  list(series: readonly TableSeries[]): LatestSeries[] {
    return series.map((one, number) => {
      const row = this.#rows.get(number) ?? emptyRow();
      const { timeMs, mean, min, max, last, anomalyShare, highestScore } = row;
      return { ...one, timeMs, mean, min, max, last, anomalyShare, highestScore };
    });
  }
}

function emptyRow(): Row {
  const nan = Number.NaN;
  return {
    timeMs: 0,
    lengthMs: 0,
    count: 0,
    mean: nan,
    deviation: nan,
    min: nan,
    max: nan,
    last: nan,
    anomalyShare: nan,
    highestScore: nan,
    bad: 0,
  };
}
