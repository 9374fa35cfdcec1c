/**
 * Learning from hourly rollups, where minutes are gone, or the fleet is so large that reading all its minutes would take
 * longer than they stay true. Agents score minutes (or ten of them), so that a model is always one of these windows: an
 * hour stands for a few of them, which have its mean and the deviation that its windows must have had.
 *
 * An hour's deviation is that of its samples. How much of it lies between windows, and not within them, each series shows
 * in its newest windows; where none are left, all of it is taken for the windows': such a model is less sharp, never too
 * sharp. Of every eighth hour the two windows reach as far as its samples did, so that bursts which an hour's
 * deviation hides are in the tails. How rare something may be called goes by the windows that they stand for, as nothing
 * of them is unknown that a tail goes by: their extremes are. Where windows of one hour fall on both sides of a cut, both sides know its mean.
 */
import { isWholeWindow } from '../../shared/detect/seasonal.ts';
import { DAY_MS, HOUR_MS } from '../../shared/limits.ts';
import type { SeriesId } from '../../shared/series.ts';
import type { SeriesColumns, Store, TimeRange } from '../store/store.ts';
import type { Knowledge } from './knowledge.ts';
import type { RoundOptions } from './round.ts';

/** Machines from which on a fleet learns from hours. */
export const FLEET_OF_HOURS = 200;
/** Four weekends. */
const HISTORY_MS = 30 * DAY_MS;
/** Fewer hours are no better than the minutes that there are. */
const LEAST_HOURS_MS = 2 * DAY_MS;
/** Minutes are gone where they tell less than this part of what the hours do. */
const GONE_SHARE = 0.25;
/** Series that are asked how far back they go. */
const PROBED_SERIES = 8;
/** Newest time whose windows show how a deviation divides; and the fewest windows that do. */
const SHOWN_MS = 6 * HOUR_MS;
const LEAST_SHOWN = 30;
/** An hour is two windows, one deviation below its mean and one above. */
const PARTS = 2;
/** Hours of which one shows its extremes: one window in sixteen is then at each end. */
const EXTREME_EVERY = 8;
/** An hour of which less is known is left out. */
const LEAST_LENGTH_MS = HOUR_MS / 2;
/** Rows of all series together that are kept for the next look at them: 40 MB. */
const KEPT_ROWS = 500_000;

/** The round as it was given, or over hours: then its store answers with windows that stand for them. */
export async function withHours<P>(options: RoundOptions<P>): Promise<RoundOptions<P>> {
  const { store, agent, training } = options;
  const latest = await store.latest(agent);
  const newestMs = latest.reduce((newest, { timeMs }) => Math.max(newest, timeMs), 0);
  const toMs = Math.floor(newestMs / HOUR_MS) * HOUR_MS;
  const ids = latest.slice(0, PROBED_SERIES).map(({ id }) => id);
  const told = (columns: readonly SeriesColumns[]): number =>
    Math.max(0, ...columns.map(({ lengthsMs }) => lengthsMs.reduce((sum, lengthMs) => sum + lengthMs, 0)));
  const ask = (fromMs: number, untilMs: number, resolution: 'minute' | 'hour') =>
    store.query(agent, ids, { fromMs, toMs: untilMs }, resolution);
  const many = training.manyMachines === true;
  // The usual case is found out at little cost.
  if (!many && told(await ask(toMs - 3 * DAY_MS, toMs - 2 * DAY_MS, 'minute')) > 0) return options;
  const hoursMs = told(await ask(toMs - HISTORY_MS, toMs, 'hour'));
  if (hoursMs < LEAST_HOURS_MS) return options;
  if (!many && told(await ask(toMs - HISTORY_MS, toMs, 'minute')) >= GONE_SHARE * hoursMs) return options;
  const hours = new HourHistory(options, latest.length, toMs);
  return {
    ...options,
    historyMs: HISTORY_MS,
    training: { ...training, windowsEach: HOUR_MS / training.windowMs / PARTS },
    store: {
      coverage: (one, range) => store.coverage(one, range),
      coMoments: (one, range) => store.coMoments(one, range),
      latest: async () => latest.map((one) => ({ ...one, timeMs: Math.min(one.timeMs, toMs) })),
      query: (_, series, range) => hours.windows(series, range),
    },
    ...(options.knowledge && {
      knowledge: async (one, range) => inWholeHours(await options.knowledge!(one, range)),
    }),
  };
}

interface Hours {
  readonly columns: SeriesColumns;
  /** How much of their deviation lies between windows. */
  readonly share: number;
}

class HourHistory {
  readonly #store: Pick<Store, 'query'>;
  readonly #agent: string;
  readonly #windowMs: number;
  readonly #toMs: number;
  readonly #keeps: boolean;
  readonly #kept = new Map<SeriesId, Hours>();

  constructor({ store, agent, training }: RoundOptions<unknown>, series: number, toMs: number) {
    this.#store = store;
    this.#agent = agent;
    this.#windowMs = training.windowMs;
    this.#toMs = toMs;
    this.#keeps = series * (HISTORY_MS / HOUR_MS) <= KEPT_ROWS;
  }

  async windows(series: readonly SeriesId[], { fromMs, toMs }: TimeRange): Promise<readonly SeriesColumns[]> {
    const missing = series.filter((id) => !this.#kept.has(id));
    const shares = new Map<SeriesId, number>();
    const read = new Map<SeriesId, Hours>();
    if (missing.length > 0) {
      const newest = { fromMs: this.#toMs - SHOWN_MS, toMs: this.#toMs };
      for (const columns of await this.#store.query(this.#agent, missing, newest, 'minute')) {
        shares.set(columns.series, shareBetween(columns, this.#windowMs));
      }
      const all = { fromMs: this.#toMs - HISTORY_MS, toMs: this.#toMs };
      for (const columns of await this.#store.query(this.#agent, missing, all, 'hour')) {
        const known = { columns, share: shares.get(columns.series) ?? 1 };
        read.set(columns.series, known);
        if (this.#keeps) this.#kept.set(columns.series, known);
      }
    }
    return series.flatMap((id) => {
      const hours = this.#kept.get(id) ?? read.get(id);
      return hours === undefined ? [] : [windowsOf(hours, this.#windowMs, { fromMs, toMs })];
    });
  }
}

/** How much of an hour's deviation lies between its windows, by those that there are: 0 to 1; 1 where too few are. */
export function shareBetween(columns: SeriesColumns, windowMs: number): number {
  const { timesMs, lengthsMs, count, mean, deviation } = columns;
  let windows = 0;
  let between = 0;
  let within = 0;
  let hour = Number.NaN;
  let inHour = 0;
  let about = 0;
  for (let i = 0; i < mean.length; i++) {
    if (!isWholeWindow(lengthsMs[i]!, windowMs) || !(count[i]! > 0)) continue;
    const own = Math.ceil(timesMs[i]! / HOUR_MS);
    if (own !== hour) {
      hour = own;
      inHour = 0;
      about = 0;
    }
    // Welford's sum of squares about the mean of its hour, so that what goes on for hours is none of it.
    const off = mean[i]! - about;
    about += off / ++inHour;
    between += off * (mean[i]! - about);
    within += deviation[i]! ** 2;
    windows++;
  }
  if (windows < LEAST_SHOWN) return 1;
  return between + within > 0 ? Math.sqrt(between / (between + within)) : 1;
}

/** The windows that stand for hours, as far as they end in (fromMs, toMs]. */
export function windowsOf(
  { columns: hours, share }: Hours,
  windowMs: number,
  { fromMs, toMs }: TimeRange,
): SeriesColumns {
  const { timesMs, lengthsMs, mean, deviation, min, max } = hours;
  // What never varies is told by one.
  const parts = deviation.some((one) => one !== 0) ? PARTS : 1;
  const of = new Int32Array(timesMs.length * parts);
  const endsMs = new Float64Array(of.length);
  const values = new Float64Array(of.length);
  let rows = 0;
  for (let hour = 0; hour < timesMs.length; hour++) {
    const endMs = timesMs[hour]!;
    if (endMs <= fromMs || endMs - HOUR_MS > toMs || lengthsMs[hour]! < LEAST_LENGTH_MS) continue;
    const number = Math.round(endMs / HOUR_MS);
    const day = Math.floor(number / 24);
    // Turned from day to day, so that no time of the day is always the one with extremes, or the high one.
    const extreme = (number + day) % EXTREME_EVERY === 0;
    for (let part = 0; part < parts; part++) {
      // The quarters of an hour take turns as well: a profile may have so many bins.
      const quarter = 2 * part + (day % 2);
      const timeMs = endMs - HOUR_MS + ((quarter + 0.5) * HOUR_MS) / 4 + windowMs / 2;
      if (timeMs <= fromMs || timeMs > toMs) continue;
      const side = (part + (day >> 1)) % 2 === 0 ? -1 : 1;
      const furthest = side < 0 ? mean[hour]! - min[hour]! : max[hour]! - mean[hour]!;
      const off = extreme ? furthest : Math.min(furthest, deviation[hour]!);
      of[rows] = hour;
      endsMs[rows] = timeMs;
      values[rows++] = parts === 1 ? mean[hour]! : mean[hour]! + side * share * off;
    }
  }
  const column = (from: Float64Array): Float64Array => {
    const out = new Float64Array(rows);
    for (let i = 0; i < rows; i++) out[i] = from[of[i]!]!;
    return out;
  };
  const within = Math.sqrt(1 - share * share);
  const means = values.subarray(0, rows);
  return {
    series: hours.series,
    timesMs: endsMs.subarray(0, rows),
    lengthsMs: new Float64Array(rows).fill(windowMs),
    count: column(hours.count.map((count, hour) => (count * windowMs) / lengthsMs[hour]!)),
    mean: means,
    deviation: column(deviation.map((one) => within * one)),
    min: column(min),
    max: column(max),
    last: means,
    anomalyShare: column(hours.anomalyShare),
    highestScore: column(hours.highestScore),
  };
}

/** What is left out of an hour leaves out all of it: its mean and deviation are of the whole. */
function inWholeHours(knowledge: Knowledge): Knowledge {
  const whole = <T extends TimeRange>(range: T): T => ({
    ...range,
    fromMs: Math.floor(range.fromMs / HOUR_MS) * HOUR_MS,
    toMs: Math.ceil(range.toMs / HOUR_MS) * HOUR_MS,
  });
  return {
    ...knowledge,
    incidents: knowledge.incidents.map((incident) => ({
      ...whole(incident),
      series: new Map([...incident.series].map(([id, range]) => [id, whole(range)])),
    })),
    planned: knowledge.planned.map(whole),
    uncertain: knowledge.uncertain.map(whole),
  };
}
