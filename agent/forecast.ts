/**
 * Forecasts: when stocks (disks, memory, batteries, tanks; certificates, wear) will be full, empty or over. Works on
 * closed windows, offline, and tells
 *
 *   - a series for each stock that has an end in sight (`shared/forecast.ts`), for charts and rules;
 *   - a finding once the end is nearer than the operator's horizon; told anew when it says something else, and ended when
 *     the end is out of sight for a while, the stock is emptied, or the horizon far enough away.
 *
 *   windows ── closed(columns) ─► followed stocks ─► findings → incidents
 *                                              └──► series   → intake
 *   (windows of ten minutes: the latest values, once a minute)
 *
 * What was learned, and what is told, survives a restart.
 *
 * Bounds: `MOST_STOCKS` stocks; as many that are gone are kept for their return.
 */
import type { Instant } from '../shared/clock.ts';
import { messageOf } from '../shared/errors.ts';
import type { Finding, Forecast } from '../shared/findings.ts';
import { forecastEdges, forecastKey } from '../shared/forecast.ts';
import { MINUTE_MS } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import type { SeriesDefinition, SeriesId, SeriesKey, SeriesNumber } from '../shared/series.ts';
import { seriesId } from '../shared/trust/hash.ts';
import type { WindowColumns } from '../shared/wire/summary.ts';
import { decodeStates, encodeStates, type SavedDetector } from './detect/saved-state.ts';
import { Followed } from './forecast/followed.ts';
import { paceOf, wholeOf } from './forecast/pace.ts';
import { type Horizons, stocksOf } from './forecast/stocks.ts';

const MOST_STOCKS = 512;
/** Out of sight for as long, or for this part of the time that was left, it is over. */
const SHORTEST_OUT_MS = 5 * MINUTE_MS;
const LONGEST_OUT_MS = 60 * MINUTE_MS;
const OUT_SHARE = 0.1;
/** Nearer than the horizon it is told; as many times as far away it is over. */
const LEAVE = 1.5;
/** A level that is lower by so much is another story. */
const EMPTIED = 0.05;
/** Nearer than this part of the horizon it is critical. */
const CRITICAL_SHARE = 1 / 7;
/** Told anew when its time moved by this part of what was left, or less than half of that is left. */
const MOVED_SHARE = 0.25;
/** Ticks come a little early or late. */
const SLACK_MS = 500;
const UNKNOWN: readonly Followed[] = [];

export interface ForecastOptions {
  /** Series numbers are below it. */
  readonly limit: number;
  /** Windows of this length are looked at. */
  readonly windowMs: number;
  readonly horizons: Horizons;
  readonly series: {
    definition(series: SeriesNumber): SeriesDefinition | null;
    id(series: SeriesNumber): SeriesId;
    numberOf(id: SeriesId): SeriesNumber;
  };
  /** Where the time ahead is told as series; NaN: nothing is in sight. */
  readonly sink: {
    series(definition: SeriesDefinition): SeriesNumber;
    putDerived(series: SeriesNumber, value: number, at: Instant): void;
    forget(series: SeriesNumber): void;
  };
  /** Latest clean value of a series, NaN where there is none. */
  readonly latest: (series: SeriesNumber) => number;
  /** Whether what is told as a date will be understood as one. */
  readonly dated: () => boolean;
  readonly onFinding: (finding: Finding, at: Instant) => void;
  readonly log: Log;
}

/** What is known of a window that ended. */
interface LookedWindow {
  readonly nominalMs: number;
}

export class ForecastStage {
  readonly #options: ForecastOptions;
  /** By series number; undefined: not looked at yet. */
  readonly #followed: (readonly Followed[] | undefined)[];
  readonly #parked = new Map<SeriesId, readonly SavedDetector[]>();
  /** What fills in twenty minutes would be full before the third window of ten. */
  readonly #everyMinute: boolean;
  #nextMs = Number.NEGATIVE_INFINITY;
  #stocks = 0;
  #warned = false;

  constructor(options: ForecastOptions) {
    this.#options = options;
    this.#everyMinute = options.windowMs > MINUTE_MS;
    this.#followed = new Array<readonly Followed[] | undefined>(options.limit).fill(undefined);
  }

  /** A window is over: column i is series `numbers[i]`. */
  closed(numbers: readonly SeriesNumber[], columns: WindowColumns, window: LookedWindow, at: Instant): void {
    if (window.nominalMs !== this.#options.windowMs) return;
    for (let i = 0; i < numbers.length; i++) {
      const series = numbers[i]!;
      const followed = this.#followed[series] ?? this.#begin(series);
      for (const each of followed) {
        const { bound, from } = each.stock;
        if (this.#everyMinute) continue;
        if (columns.count[i]! > 0) {
          const countdown = each.stock.countdown ? columns.last[i]! : null;
          each.learn(countdown ?? (bound > from ? columns.max[i]! : columns.min[i]!), at);
        }
        this.#judge(each, at);
      }
    }
  }

  /** Each second: where windows are longer than a minute, the latest values are looked at once a minute. */
  tick(at: Instant): void {
    if (!this.#everyMinute || at.monotonicMs < this.#nextMs) return;
    this.#nextMs = at.monotonicMs + MINUTE_MS - SLACK_MS;
    for (const [series, followed] of this.#followed.entries()) {
      if (followed === undefined || followed.length === 0) continue;
      const value = this.#options.latest(series);
      for (const each of followed) {
        if (!Number.isNaN(value)) each.learn(value, at);
        this.#judge(each, at);
      }
    }
  }

  /** The series is gone, and its number may be given to another; what was learned waits for its return. */
  forget(series: SeriesNumber, at: Instant): void {
    const followed = this.#followed[series];
    this.#followed[series] = undefined;
    if (followed === undefined || followed.length === 0) return;
    this.#stocks -= followed.length;
    for (const each of followed) {
      if (!Number.isNaN(each.sinceMs)) this.#end(each, at);
      for (const own of each.series) if (own >= 0) this.#options.sink.forget(own);
    }
    this.#park(
      followed[0]!.id,
      followed.flatMap((each) => each.saved()),
    );
  }

  /** The idea of UTC moved by as much. */
  moveTimes(byMs: number): void {
    for (const followed of this.#followed) for (const each of followed ?? UNKNOWN) each.sinceMs += byMs;
  }

  /** What was learned of all stocks, here or gone. */
  saveState(): Uint8Array {
    const all = new Map<SeriesId, readonly SavedDetector[]>(this.#parked);
    for (const followed of this.#followed) {
      if (followed === undefined || followed.length === 0) continue;
      all.set(
        followed[0]!.id,
        followed.flatMap((each) => each.saved()),
      );
    }
    return encodeStates(all);
  }

  /** Takes up what was saved, before the first window. What cannot be read is said once, and learning starts afresh. */
  loadState(bytes: Uint8Array): void {
    try {
      // A copy of each: what is never claimed must not keep the whole file in memory.
      for (const [id, saved] of decodeStates(bytes, 2 * MOST_STOCKS)) {
        this.#park(
          id,
          saved.map((one) => ({ ...one, state: one.state.slice() })),
        );
      }
    } catch (error) {
      this.#parked.clear();
      this.#warn(error);
    }
  }

  #begin(series: SeriesNumber): readonly Followed[] {
    const definition = this.#options.series.definition(series);
    if (definition === null) return UNKNOWN;
    const stocks = stocksOf(definition);
    if (stocks.length === 0 || this.#stocks + stocks.length > MOST_STOCKS) {
      if (stocks.length > 0 && !this.#warned) {
        this.#warned = true;
        this.#options.log.warn(
          { most: MOST_STOCKS },
          'There are more stocks than are followed: of some nothing is forecast',
        );
      }
      this.#followed[series] = UNKNOWN;
      return UNKNOWN;
    }
    const id = this.#options.series.id(series);
    const saved = this.#parked.get(id) ?? [];
    this.#parked.delete(id);
    const followed = stocks.map((stock) => {
      const horizonMs = this.#options.horizons[stock.horizon];
      try {
        return new Followed(id, definition, stock, horizonMs, saved);
      } catch (error) {
        this.#warn(error);
        return new Followed(id, definition, stock, horizonMs, []);
      }
    });
    this.#followed[series] = followed;
    this.#stocks += followed.length;
    return followed;
  }

  #judge(followed: Followed, at: Instant): void {
    const inSight = followed.look(at, followed.definition.intervalMs ?? this.#options.windowMs);
    if (!followed.stock.countdown) this.#tellSeries(followed, at);
    const horizonMs = this.#options.horizons[followed.stock.horizon];
    if (horizonMs === 0) return;
    const leadMs = followed.ahead.minutes * MINUTE_MS;
    const told = !Number.isNaN(followed.sinceMs);
    if (inSight && leadMs <= horizonMs) {
      followed.seenAtMs = at.monotonicMs;
      followed.told.level = Math.max(followed.told.level, followed.level);
      if (!told) followed.sinceMs = at.utcMs;
      if (!told || this.#isNews(followed, leadMs, horizonMs, at)) this.#tell(followed, leadMs, at);
      return;
    }
    if (!told) return;
    // After a restart nothing is known of when it was last in sight.
    if (Number.isNaN(followed.seenAtMs)) followed.seenAtMs = at.monotonicMs;
    const outMs = Math.max(SHORTEST_OUT_MS, Math.min(LONGEST_OUT_MS, followed.told.leadMs * OUT_SHARE));
    const emptied = followed.level < followed.told.level - EMPTIED;
    const far = inSight && leadMs > LEAVE * horizonMs;
    const out = !inSight && at.monotonicMs - followed.seenAtMs >= outMs;
    if (emptied || far || out) this.#end(followed, at);
  }

  #isNews({ told }: Followed, leadMs: number, horizonMs: number, at: Instant): boolean {
    if (told.critical !== leadMs < horizonMs * CRITICAL_SHARE) return true;
    const moved = Math.abs(at.monotonicMs + leadMs - told.endMs);
    return moved > Math.max(MINUTE_MS, MOVED_SHARE * told.leadMs) || leadMs < told.leadMs / 2;
  }

  #tell(followed: Followed, leadMs: number, at: Instant): void {
    const critical = leadMs < this.#options.horizons[followed.stock.horizon] * CRITICAL_SHARE;
    followed.told = {
      endMs: at.monotonicMs + leadMs,
      critical,
      level: Math.max(followed.level, followed.told.level),
      leadMs,
    };
    const { advice } = followed.stock;
    this.#options.onFinding(
      {
        ...this.#finding(followed, at),
        severity: critical ? 'critical' : 'warning',
        forecast: this.#forecast(followed, at),
        ...(advice === null ? {} : { advice }),
      },
      at,
    );
  }

  #end(followed: Followed, at: Instant): void {
    const forecast = Number.isNaN(followed.ahead.minutes) ? {} : { forecast: this.#forecast(followed, at) };
    this.#options.onFinding({ ...this.#finding(followed, at), ...forecast, ended: true }, at);
    followed.sinceMs = Number.NaN;
    followed.seenAtMs = Number.NaN;
    followed.told.level = Number.NEGATIVE_INFINITY;
  }

  #finding(followed: Followed, at: Instant): Finding {
    const { name, unit, attributes } = followed.definition;
    return {
      series: followed.id,
      key: { name, unit, attributes },
      detector: 'forecast',
      tier: 'window',
      sinceMs: followed.sinceMs,
      lastMs: at.utcMs,
      // Of a countdown the value is the forecast.
      seen: Number.isNaN(followed.value) || followed.stock.countdown ? null : followed.value,
      expectedLow: null,
      expectedHigh: null,
      bits: 0,
      returnPeriodMs: 0,
      ...(followed.stock.thing === null ? {} : { wrong: followed.stock.thing }),
      holds: true,
    };
  }

  #forecast({ definition, stock, ahead }: Followed, at: Instant): Forecast {
    const when = (minutes: number): number => Math.round(at.utcMs + minutes * MINUTE_MS);
    const undated = this.#options.dated() ? {} : { undated: true as const };
    const common = { reaches: stock.reaches, etaMs: when(ahead.minutes), ...undated };
    if (stock.countdown) {
      return { ...common, bound: null, earliestMs: null, latestMs: null, perDay: null };
    }
    const perDay = ahead.perDay * (stock.bound - stock.from);
    return {
      ...common,
      bound: stock.bound,
      earliestMs: when(ahead.earliestMinutes),
      latestMs: Number.isFinite(ahead.latestMinutes) ? when(ahead.latestMinutes) : null,
      perDay,
      pace: paceOf(perDay, definition, this.#wholeOf(definition)),
    };
  }

  #wholeOf(definition: SeriesKey): number {
    const key = wholeOf(definition);
    const number = key === null ? -1 : this.#options.series.numberOf(seriesId(key));
    return number < 0 ? Number.NaN : this.#options.latest(number);
  }

  /** The time ahead as series: none is made before the first forecast. */
  #tellSeries(followed: Followed, at: Instant): void {
    const { sink, windowMs } = this.#options;
    const { definition } = followed;
    const { minutes, earliestMinutes, latestMinutes } = followed.ahead;
    const reaches = followed.stock.reaches === 'full' ? 'full' : 'empty';
    if (followed.series[0] === -1) {
      if (Number.isNaN(minutes)) return;
      for (const [i, edge] of forecastEdges.entries()) {
        const key = forecastKey(definition, reaches, edge);
        const intervalMs = Math.max(windowMs, definition.intervalMs ?? 0);
        followed.series[i] = sink.series({ ...key, kind: 'gauge', min: 0, steady: true, derived: true, intervalMs });
      }
    }
    const ahead = [minutes, earliestMinutes, latestMinutes];
    for (const [i, value] of ahead.entries()) {
      const own = followed.series[i]!;
      if (own >= 0) sink.putDerived(own, Number.isFinite(value) ? value * 60 : Number.NaN, at);
    }
  }

  #park(id: SeriesId, saved: readonly SavedDetector[]): void {
    this.#parked.delete(id);
    this.#parked.set(id, saved);
    const oldest = this.#parked.size > MOST_STOCKS ? this.#parked.keys().next().value : undefined;
    if (oldest !== undefined) this.#parked.delete(oldest);
  }

  #warn(error: unknown): void {
    this.#options.log.warn(
      { error: messageOf(error) },
      'What forecasts had learned could not be read; they start afresh, and know the usual ups and downs after some days',
    );
  }
}
