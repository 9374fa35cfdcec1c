/** One stock that is followed: what it learns of its windows, and when it will be full. */
import type { Instant } from '../../shared/clock.ts';
import { emptyTimeToFull, resumeTimeToFull, timeToFull, timeToFullOf } from '../../shared/detect/time-to-full.ts';
import { Quality, type SeriesDefinition, type SeriesId } from '../../shared/series.ts';
import type { SavedDetector } from '../detect/saved-state.ts';
import { toldEntry, toldSince } from './saved.ts';
import type { Stock } from './stocks.ts';

const MINUTE_MS = 60_000;
/** A countdown of which nothing was heard for as many of its intervals is not told any more. */
const HEARD_INTERVALS = 3;

/** Reused: a window's value on its way to the detector. */
const x = new Float64Array(1);
const quality = Uint8Array.of(Quality.good);

export class Followed {
  /** Of its series, kept here: when it is gone, its number is nobody's. */
  readonly id: SeriesId;
  readonly definition: SeriesDefinition;
  readonly stock: Stock;
  /** Minutes from the last judgement on, and how much of the stock is taken a day. */
  readonly ahead = emptyTimeToFull();
  /** Share of the stock that is taken, as of the last window that had a value; NaN before. */
  level = Number.NaN;
  /** The value itself, and when it was, monotonic. */
  value = Number.NaN;
  valueAtMs = Number.NaN;
  /** Since when it is told, Unix ms; NaN: it is not. */
  sinceMs = Number.NaN;
  /** As it was told: when it ends (monotonic), how grave, how far ahead; and the highest level since. */
  told = { endMs: 0, critical: false, level: Number.NEGATIVE_INFINITY, leadMs: 0 };
  /** When its end was last in sight, monotonic. */
  seenAtMs = Number.NaN;
  /** Numbers of the series that tell it, by edge; -1 before the first. */
  readonly series = Int32Array.of(-1, -1, -1);
  readonly #params: { readonly horizonMinutes: number; readonly reach: number; readonly leastMinutes: number };
  readonly #state: Float64Array | null;

  /** @throws PicketError where what was saved is none of it */
  constructor(
    id: SeriesId,
    definition: SeriesDefinition,
    stock: Stock,
    horizonMs: number,
    saved: readonly SavedDetector[],
  ) {
    this.id = id;
    this.definition = definition;
    this.stock = stock;
    this.#params = {
      horizonMinutes: Math.max(1, horizonMs / MINUTE_MS),
      reach: stock.reach,
      leastMinutes: stock.leastMinutes,
    };
    this.sinceMs = toldSince(saved, stock.reaches);
    if (stock.countdown) {
      this.#state = null;
      return;
    }
    const own = saved.find(({ name, major }) => name === this.#name && major === timeToFull.major);
    this.#state = own === undefined ? timeToFull.start(this.#params) : timeToFull.state.decode(own.state);
    resumeTimeToFull(this.#state);
  }

  get #name(): string {
    return `${timeToFull.name}.${this.stock.reaches}`;
  }

  /** Takes a window's value: the highest of what fills, the lowest of what empties. */
  learn(value: number, at: Instant): void {
    const { bound, from } = this.stock;
    this.value = value;
    this.valueAtMs = at.monotonicMs;
    this.level = (value - from) / (bound - from);
    if (this.#state === null) return;
    x[0] = this.level;
    timeToFull.learn(this.#params, this.#state, x, quality, at);
  }

  /** Looks ahead. @returns whether an end is in sight */
  look(at: Instant, intervalMs: number): boolean {
    if (this.#state !== null) {
      return !Number.isNaN(this.level) && timeToFullOf(this.#params, this.#state, this.level, at, this.ahead);
    }
    const sinceMs = at.monotonicMs - this.valueAtMs;
    const left = this.value * 1000 - sinceMs;
    const heard = sinceMs >= 0 && sinceMs <= HEARD_INTERVALS * intervalMs;
    const minutes = heard ? Math.max(0, left / MINUTE_MS) : Number.NaN;
    this.ahead.minutes = this.ahead.earliestMinutes = this.ahead.latestMinutes = minutes;
    return heard;
  }

  saved(): SavedDetector[] {
    const told = Number.isNaN(this.sinceMs) ? [] : [toldEntry(this.stock.reaches, this.sinceMs)];
    if (this.#state === null) return told;
    return [{ name: this.#name, major: timeToFull.major, state: timeToFull.state.encode(this.#state) }, ...told];
  }
}
