/**
 * Reading an agent's history: chunks of closed hours, and over them what has come since (windows not yet rewritten,
 * hours not yet rolled up again). Everything is read on one snapshot, so that a rewriting meanwhile neither hides nor
 * doubles a window.
 */
import { limits } from '../../shared/limits.ts';
import { decodeColumns } from '../../shared/wire/columns.ts';
import { readTable } from './agents.ts';
import { decodeChunk, decodeRolled } from './chunks.ts';
import type { Reader } from './database.ts';
import { between, keyOf, thinnedKey } from './keys.ts';
import { mergeInto, type Row, Rows } from './rows.ts';
import type { TimeRange } from './store.ts';
import { DAYS_PER_BLOCK, dayEndMs, dayOfHour, HOURS_PER_DAY, hourEndMs, hourOf, hoursOf } from './time.ts';
import { decodeWindow } from './values.ts';

/** Rows by series number. */
export type SeriesRows = Map<number, Rows>;

export class History {
  readonly #reader: Reader;
  readonly #agent: number;
  readonly #tables = new Map<string, readonly number[]>();
  #thinnedHour: number | null = null;

  constructor(reader: Reader, agent: number) {
    this.#reader = reader;
    this.#agent = agent;
  }

  /**
   * Windows that are not in chunks yet, of hours `first` to `last`.
   * @param wanted series numbers; null for all
   */
  async windows(
    first: number,
    last: number,
    wanted: ReadonlySet<number> | null,
    withSketches: boolean,
  ): Promise<SeriesRows> {
    const range = between('window', [this.#agent], first * 60, (last + 1) * 60);
    return this.#gather(range, wanted, withSketches);
  }

  /** The agent's own rollups of one hour. */
  async rollups(hour: number, wanted: ReadonlySet<number> | null): Promise<SeriesRows> {
    return this.#gather(between('rollup', [this.#agent], hour, hour + 1), wanted, false);
  }

  /** Minutes of one series in the range's hours: chunks, and what `recent` has beside them. */
  async minutes(series: number, range: TimeRange, recent: SeriesRows): Promise<Rows> {
    const rows = recent.get(series) ?? new Rows();
    const [first, last] = hoursOf(range.fromMs, range.toMs);
    const chunks = between('chunk', [this.#agent, series], first, last + 1);
    for await (const [, value] of this.#reader.entries(chunks)) decodeChunk(value, rows, false);
    return rows;
  }

  /** Hours of one series, stored ones replaced by what `live` says. */
  async hours(series: number, first: number, last: number, live: LiveHours): Promise<Map<number, Row>> {
    const out = new Map<number, Row>();
    const days = between('hour', [this.#agent, series], dayOfHour(first), dayOfHour(last) + 1);
    for await (const [, value] of this.#reader.entries(days)) {
      for (const row of decodeRolled(value)) {
        const hour = hourOf(row.timeMs);
        if (hour >= first && hour <= last) out.set(hour, row);
      }
    }
    for (const [hour, rows] of live) {
      if (hour < first || hour > last) continue;
      const row = rows.get(series);
      // All that was in it turned out to be of another time.
      if (row === undefined) out.delete(hour);
      else out.set(hour, row);
    }
    return out;
  }

  /** Days of one series; days that are open or have an hour in `live` are made from their hours. */
  async days(series: number, first: number, last: number, live: LiveHours): Promise<Map<number, Row>> {
    const out = new Map<number, Row>();
    const blocks = between(
      'day',
      [this.#agent, series],
      Math.floor(first / DAYS_PER_BLOCK),
      Math.floor(last / DAYS_PER_BLOCK) + 1,
    );
    for await (const [, value] of this.#reader.entries(blocks)) {
      for (const row of decodeRolled(value)) {
        const day = dayOfHour(hourOf(row.timeMs));
        if (day >= first && day <= last) out.set(day, row);
      }
    }
    const changed = new Set([...live.keys()].map(dayOfHour).filter((day) => day >= first && day <= last));
    for await (const key of this.#reader.keys(between('dirtyDay', [this.#agent], first, last + 1))) {
      changed.add(key.readUInt32BE(key.length - 4));
    }
    for (const day of changed) {
      const hours = await this.hours(series, day * HOURS_PER_DAY, day * HOURS_PER_DAY + HOURS_PER_DAY - 1, live);
      const row = mergeRows(
        [...hours].sort(([a], [b]) => a - b).map(([, hour]) => hour),
        dayEndMs(day),
      );
      if (row === null) out.delete(day);
      else out.set(day, row);
    }
    return out;
  }

  /** Hours `first` to `last` that have data which is not rolled up yet, rolled up now. */
  async liveHours(first: number, last: number, wanted: readonly number[]): Promise<LiveHours> {
    const out: LiveHours = new Map();
    for await (const key of this.#reader.keys(between('dirty', [this.#agent], first, last + 1))) {
      const hour = key.readUInt32BE(key.length - 4);
      out.set(hour, await this.rollHour(hour, wanted));
    }
    return out;
  }

  /** What one hour of each series comes to, from all that there is of it. */
  async rollHour(hour: number, wanted: readonly number[]): Promise<Map<number, Row>> {
    const set = new Set(wanted);
    const minutes = await this.windows(hour, hour, set, false);
    const chunks = await this.#reader.getMany(wanted.map((series) => keyOf('chunk', this.#agent, series, hour)));
    chunks.forEach((value, i) => {
      if (value === undefined) return;
      const rows = minutes.get(wanted[i]!) ?? new Rows();
      minutes.set(wanted[i]!, rows);
      decodeChunk(value, rows, false);
    });
    const rollups = await this.rollups(hour, set);
    const before = await this.keptHours(hour, wanted);
    const out = new Map<number, Row>();
    for (const series of wanted) {
      const row = chooseHour(hour, minutes.get(series), rollups.get(series), before.get(series));
      if (row !== null) out.set(series, row);
    }
    return out;
  }

  /**
   * Rows of an hour of which minutes were deleted: then what was rolled up before may count more than what is left.
   * Empty for an hour of which everything is still there.
   */
  async keptHours(hour: number, wanted: readonly number[]): Promise<Map<number, Row>> {
    const out = new Map<number, Row>();
    if (hour >= (await this.#thinnedBeforeHour())) return out;
    const keys = wanted.map((series) => keyOf('hour', this.#agent, series, dayOfHour(hour)));
    (await this.#reader.getMany(keys)).forEach((value, i) => {
      const row = value && decodeRolled(value).find(({ timeMs }) => hourOf(timeMs) === hour);
      if (row !== undefined) out.set(wanted[i]!, row);
    });
    return out;
  }

  async #thinnedBeforeHour(): Promise<number> {
    if (this.#thinnedHour === null) {
      const value = await this.#reader.get(thinnedKey);
      this.#thinnedHour = value === undefined ? 0 : Number(value.toString());
    }
    return this.#thinnedHour;
  }

  async #gather(
    range: { gte: Buffer; lt: Buffer },
    wanted: ReadonlySet<number> | null,
    withSketches: boolean,
  ): Promise<SeriesRows> {
    const out: SeriesRows = new Map();
    for await (const [, value] of this.#reader.entries(range)) {
      const window = decodeWindow(value);
      const numbers = await this.#table(window.table);
      const columns = decodeColumns(window.columns, limits.seriesPerTable, withSketches);
      for (let i = 0; i < columns.length; i++) {
        const series = numbers[window.first + i];
        if (series === undefined || (wanted !== null && !wanted.has(series))) continue;
        let rows = out.get(series);
        if (rows === undefined) {
          rows = new Rows();
          out.set(series, rows);
        }
        rows.pushWindow(window.timeMs, window.lengthMs, columns, i, withSketches);
      }
    }
    return out;
  }

  async #table(hash: string): Promise<readonly number[]> {
    const known = this.#tables.get(hash);
    if (known !== undefined) return known;
    const numbers = (await readTable(this.#reader, this.#agent, hash)) ?? [];
    this.#tables.set(hash, numbers);
    return numbers;
  }
}

/** Hours rolled up now, by hour and series number. */
export type LiveHours = Map<number, Map<number, Row>>;

/** The merged minutes, the merged rollups or what was kept, whichever counts more; never their sum. */
export function chooseHour(
  hour: number,
  minutes: Rows | undefined,
  rollups: Rows | undefined,
  before: Row | undefined,
): Row | null {
  let best: Row | null = null;
  for (const rows of [minutes, rollups]) {
    if (rows === undefined || rows.length === 0) continue;
    rows.sort();
    const row = rows.merged(0, rows.length, hourEndMs(hour));
    if (best === null || row.count > best.count) best = row;
  }
  return before !== undefined && (best === null || before.count > best.count) ? before : best;
}

/** Rows in order of time as one; null of none. */
export function mergeRows(rows: readonly Row[], timeMs: number): Row | null {
  const [first, ...rest] = rows;
  if (first === undefined) return null;
  const out = { ...first };
  for (const row of rest) mergeInto(out, row);
  out.timeMs = timeMs;
  return out;
}
