/**
 * Rows of one series while they are gathered: columns that grow, are sorted by time and merged. Two windows of one
 * series are merged by Chan's formula (Chan, Golub and LeVeque 1983), so that the moments of the whole are those of
 * all samples; the rows are put into one order first, so that the result does not depend on how they arrived.
 */
import type { SeriesId } from '../../shared/series.ts';
import type { SketchColumns, WindowColumns } from '../../shared/wire/summary.ts';
import type { SeriesColumns } from './store.ts';

const FIRST_CAPACITY = 64;
/** Shorter windows are never held to tell what others do; nor what is longer than this share of another. */
const LONG_MS = 100_000;
const SHORT_SHARE = 0.75;
/** Ends of windows that belong together differ by less: they are dated to the millisecond, or snapped to the minute. */
const EDGE_MS = 5_000;
/** time, length, count, mean, deviation, min, max, last, share, score, bad */
const FIELDS = 11;

/** One window of one series. `timeMs` is its end. */
export interface Row {
  timeMs: number;
  lengthMs: number;
  count: number;
  mean: number;
  deviation: number;
  min: number;
  max: number;
  last: number;
  anomalyShare: number;
  highestScore: number;
  bad: number;
}

export class Rows {
  #length = 0;
  #cells = new Float64Array(FIRST_CAPACITY * FIELDS);
  #sketches: (SketchColumns | null)[] | null = null;
  #sorted = true;

  get length(): number {
    return this.#length;
  }

  /** Takes index `i` of a window's columns as a row; with its sketch, if `withSketch`. */
  pushWindow(timeMs: number, lengthMs: number, columns: WindowColumns, i: number, withSketch: boolean): void {
    const at = this.#next(timeMs);
    const cells = this.#cells;
    cells[at + 1] = lengthMs;
    cells[at + 2] = columns.count[i]!;
    cells[at + 3] = columns.mean[i]!;
    cells[at + 4] = columns.deviation[i]!;
    cells[at + 5] = columns.min[i]!;
    cells[at + 6] = columns.max[i]!;
    cells[at + 7] = columns.last[i]!;
    cells[at + 8] = columns.anomalyShare[i]!;
    cells[at + 9] = columns.highestScore[i]!;
    cells[at + 10] = columns.bad[i]!;
    if (withSketch) {
      this.#sketches ??= new Array(this.#length - 1).fill(null);
      this.#sketches.push(columns.sketches[i] ?? null);
    }
  }

  push(row: Row): void {
    const at = this.#next(row.timeMs);
    const cells = this.#cells;
    cells[at + 1] = row.lengthMs;
    cells[at + 2] = row.count;
    cells[at + 3] = row.mean;
    cells[at + 4] = row.deviation;
    cells[at + 5] = row.min;
    cells[at + 6] = row.max;
    cells[at + 7] = row.last;
    cells[at + 8] = row.anomalyShare;
    cells[at + 9] = row.highestScore;
    cells[at + 10] = row.bad;
  }

  row(i: number): Row {
    const c = this.#cells;
    const at = i * FIELDS;
    return {
      timeMs: c[at]!,
      lengthMs: c[at + 1]!,
      count: c[at + 2]!,
      mean: c[at + 3]!,
      deviation: c[at + 4]!,
      min: c[at + 5]!,
      max: c[at + 6]!,
      last: c[at + 7]!,
      anomalyShare: c[at + 8]!,
      highestScore: c[at + 9]!,
      bad: c[at + 10]!,
    };
  }

  timeMs(i: number): number {
    return this.#cells[i * FIELDS]!;
  }

  /** By time, and where two windows end together by what they hold: the same order however they came. */
  sort(): void {
    if (this.#sorted) return;
    const c = this.#cells;
    const order = Array.from({ length: this.#length }, (_, i) => i);
    order.sort((a, b) => {
      for (let field = 0; field < FIELDS; field++) {
        const difference = c[a * FIELDS + field]! - c[b * FIELDS + field]!;
        if (difference < 0 || difference > 0) return difference;
      }
      return a - b;
    });
    const sorted = new Float64Array(this.#length * FIELDS);
    order.forEach((from, to) => {
      sorted.set(c.subarray(from * FIELDS, (from + 1) * FIELDS), to * FIELDS);
    });
    const sketches = this.#sketches;
    if (sketches !== null) this.#sketches = order.map((from) => sketches[from] ?? null);
    this.#cells = sorted;
    this.#sorted = true;
  }

  /** Rows `from` (inclusive) to `to` (exclusive) as one that ends at `timeMs`; call `sort` first. */
  merged(from: number, to: number, timeMs: number): Row {
    const doubled = this.#doubled(from, to);
    let out: Row | null = null;
    for (let i = from; i < to; i++) {
      if (doubled?.has(i)) continue;
      if (out === null) out = this.row(i);
      else mergeInto(out, this.row(i));
    }
    // What is doubled is doubled by another row, which is not left out.
    out ??= this.row(from);
    out.timeMs = timeMs;
    return out;
  }

  /**
   * Rows that tell again what others do. An agent may tell a time in a long window, and later, because something
   * happened then, in minutes: either the long one counts or those that lie in it, whichever have more samples, never
   * their sum. Null where no long window has others in it.
   */
  #doubled(from: number, to: number): ReadonlySet<number> | null {
    let out: Set<number> | null = null;
    const c = this.#cells;
    for (let long = from; long < to; long++) {
      const endMs = c[long * FIELDS]!;
      const lengthMs = c[long * FIELDS + 1]!;
      if (lengthMs < LONG_MS) continue;
      const within: number[] = [];
      let count = 0;
      // Sorted by end, then by length: what lies in it stands before it.
      for (let i = long - 1; i >= from && c[i * FIELDS]! > endMs - lengthMs + EDGE_MS; i--) {
        const shortMs = c[i * FIELDS + 1]!;
        if (shortMs > lengthMs * SHORT_SHARE || c[i * FIELDS]! - shortMs < endMs - lengthMs - EDGE_MS) continue;
        within.push(i);
        count += c[i * FIELDS + 2]!;
      }
      if (within.length === 0) continue;
      out ??= new Set();
      if (count >= c[long * FIELDS + 2]!) out.add(long);
      else for (const i of within) out.add(i);
    }
    return out;
  }

  /** As columns for a chunk; the rows are sorted. */
  toWindowColumns(): { timesMs: Float64Array; lengthsMs: Float64Array; columns: WindowColumns } {
    this.sort();
    const column = (field: number): Float64Array => this.#column(field, 0, this.#length);
    return {
      timesMs: column(0),
      lengthsMs: column(1),
      columns: {
        length: this.#length,
        count: Uint32Array.from(column(2)),
        mean: column(3),
        deviation: column(4),
        min: column(5),
        max: column(6),
        last: column(7),
        anomalyShare: column(8),
        highestScore: column(9),
        bad: Uint32Array.from(column(10)),
        sketches: this.#sketches ?? new Array(this.#length).fill(null),
      },
    };
  }

  /**
   * The rows whose end lies in (fromMs, toMs], sorted; windows that end together are merged into one row, so that
   * times rise.
   */
  toSeries(series: SeriesId, fromMs: number, toMs: number): SeriesColumns {
    this.sort();
    const doubled = this.#doubled(0, this.#length);
    if (doubled !== null) {
      const distinct = new Rows();
      for (let i = 0; i < this.#length; i++) if (!doubled.has(i)) distinct.push(this.row(i));
      return distinct.toSeries(series, fromMs, toMs);
    }
    let rows: Rows = this;
    let repeats = false;
    for (let i = 1; i < this.#length && !repeats; i++) repeats = this.timeMs(i) === this.timeMs(i - 1);
    if (repeats) {
      rows = new Rows();
      for (let i = 0; i < this.#length; ) {
        let end = i + 1;
        while (end < this.#length && this.timeMs(end) === this.timeMs(i)) end++;
        const row = this.merged(i, end, this.timeMs(i));
        for (let k = i; k < end; k++)
          row.lengthMs = k === i ? this.row(k).lengthMs : Math.max(row.lengthMs, this.row(k).lengthMs);
        rows.push(row);
        i = end;
      }
    }
    let first = 0;
    while (first < rows.length && rows.timeMs(first) <= fromMs) first++;
    let end = rows.length;
    while (end > first && rows.timeMs(end - 1) > toMs) end--;
    return {
      series,
      timesMs: rows.#column(0, first, end),
      lengthsMs: rows.#column(1, first, end),
      count: rows.#column(2, first, end),
      mean: rows.#column(3, first, end),
      deviation: rows.#column(4, first, end),
      min: rows.#column(5, first, end),
      max: rows.#column(6, first, end),
      last: rows.#column(7, first, end),
      anomalyShare: rows.#column(8, first, end),
      highestScore: rows.#column(9, first, end),
    };
  }

  #column(field: number, first: number, end: number): Float64Array {
    const out = new Float64Array(end - first);
    for (let i = first; i < end; i++) out[i - first] = this.#cells[i * FIELDS + field]!;
    return out;
  }

  #next(timeMs: number): number {
    const at = this.#length * FIELDS;
    if (at + FIELDS > this.#cells.length) {
      const grown = new Float64Array(this.#cells.length * 2 + FIELDS);
      grown.set(this.#cells);
      this.#cells = grown;
    }
    if (this.#length > 0) this.#sorted &&= this.#cells[at - FIELDS]! < timeMs;
    this.#cells[at] = timeMs;
    this.#length++;
    return at;
  }
}

/** Adds a later window to `into`; counts and lengths add up. */
export function mergeInto(into: Row, row: Row): void {
  into.lengthMs += row.lengthMs;
  into.bad += row.bad;
  if (row.timeMs > into.timeMs) into.timeMs = row.timeMs;
  if (row.count === 0) return;
  if (into.count === 0) {
    const { lengthMs, bad, timeMs } = into;
    Object.assign(into, row, { lengthMs, bad, timeMs });
    return;
  }
  const count = into.count + row.count;
  const delta = row.mean - into.mean;
  const squares =
    into.deviation * into.deviation * into.count +
    row.deviation * row.deviation * row.count +
    (delta * delta * into.count * row.count) / count;
  into.mean += (delta * row.count) / count;
  into.deviation = Math.sqrt(squares / count);
  into.min = Math.min(into.min, row.min);
  into.max = Math.max(into.max, row.max);
  into.last = row.last;
  into.anomalyShare = known(
    (into.anomalyShare * into.count + row.anomalyShare * row.count) / count,
    into.anomalyShare,
    row.anomalyShare,
  );
  into.highestScore = known(Math.max(into.highestScore, row.highestScore), into.highestScore, row.highestScore);
  into.count = count;
}

/** A window whose detector was not ready has no score: then the other's holds. */
function known(both: number, a: number, b: number): number {
  return Number.isNaN(a) ? b : Number.isNaN(b) ? a : both;
}
