/**
 * From raw readings to clean values: counters become rates, units are scaled, and what cannot be believed becomes NaN
 * with a cause. State lies in typed arrays by series number; `accept` allocates nothing.
 *
 * What is decided here, once for all series:
 * - A rate is over the time that really passed, not over the interval. It is rounded to single precision (7 digits):
 *   that time is not measured more exactly, and the digits that mean nothing would cost 0.8 bytes a metric and minute.
 * - A counter that stepped back has wrapped when it was in the top quarter of its range and the step through zero is at
 *   most half the range; else it was reset (a restart, a device plugged anew) and there is no rate for this sample. A
 *   32-bit wrap is looked for only in series that say so: a 64-bit one never wraps in practice.
 * - A counter's step over a gap (more than five intervals: suspend, a stopped agent, a failing input) is dropped, cause
 *   `gap`. Its mean is not the value of any second, and as a minimum or maximum of a window it would be a lie.
 * - A second reading at the same time is dropped and the first one stands.
 * - NaN from a good source means "there is no value": it is counted as `empty`, which is not a bad value.
 *
 * Every value that is dropped is counted by series and cause; `report` makes series of the totals.
 */
import { Quality, type SeriesDefinition, type SeriesNumber } from '../shared/series.ts';

/** Why there is no clean value. The first two are no faults: nothing to measure a rate from yet, nothing to say. */
export const causes = [
  'first',
  'empty',
  'not_finite',
  'out_of_bounds',
  'reset',
  'gap',
  'duplicate',
  'backwards',
  'stale',
  'source',
] as const;
export type Cause = (typeof causes)[number];

const FIRST = 0;
const EMPTY = 1;
const NOT_FINITE = 2;
const OUT_OF_BOUNDS = 3;
const RESET = 4;
const GAP = 5;
const DUPLICATE = 6;
const BACKWARDS = 7;
const STALE = 8;
const SOURCE = 9;
/** Causes from here on are counted as bad. */
const firstBad = NOT_FINITE;

/** Intervals after which a counter's step is over a gap. */
const gapIntervals = 5;
const defaultIntervalMs = 1000;

export interface BadValues {
  readonly series: SeriesNumber;
  /** How often each cause was seen; causes that were not are left out. `first` is never counted. */
  readonly causes: Readonly<Partial<Record<Cause, number>>>;
}

/** The part of a sink that `report` needs. */
export interface ReportSink {
  series(definition: SeriesDefinition): SeriesNumber;
  put(series: SeriesNumber, value: number): void;
}

export class Preprocess {
  /** Quality of the value that `accept` returned last. */
  quality: Quality = Quality.good;
  /** Why that value is NaN; null where it is none. */
  cause: Cause | null = null;
  /** The value that was out of bounds, where that is the cause. */
  refused = Number.NaN;

  readonly #capacity: number;
  readonly #defined: Uint8Array;
  readonly #isCounter: Uint8Array;
  readonly #scale: Float64Array;
  /** 2^32 or 2^64: where a counter wraps. */
  readonly #range: Float64Array;
  readonly #min: Float64Array;
  readonly #max: Float64Array;
  readonly #gapMs: Float64Array;
  /** Raw reading and time of the reading before; NaN where there is none. */
  readonly #previous: Float64Array;
  readonly #previousMs: Float64Array;
  readonly #counts: Uint32Array;
  readonly #totals = new Float64Array(causes.length);
  #reported: Int32Array | null = null;

  /** @param capacity most series; numbers are below it */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#defined = new Uint8Array(capacity);
    this.#isCounter = new Uint8Array(capacity);
    this.#scale = new Float64Array(capacity);
    this.#range = new Float64Array(capacity);
    this.#min = new Float64Array(capacity);
    this.#max = new Float64Array(capacity);
    this.#gapMs = new Float64Array(capacity);
    this.#previous = new Float64Array(capacity).fill(Number.NaN);
    this.#previousMs = new Float64Array(capacity).fill(Number.NaN);
    this.#counts = new Uint32Array(capacity * causes.length);
  }

  /**
   * How a series is treated from now on. The same treatment again changes nothing; another one (a new scale) begins
   * anew, so that no rate is taken across the change.
   */
  define(series: SeriesNumber, definition: SeriesDefinition): void {
    if (!this.#holds(series)) return;
    const isCounter = definition.kind === 'counter' ? 1 : 0;
    const scale = definition.scale ?? 1;
    const range = 2 ** (definition.wrapBits ?? 64);
    const min = definition.min ?? Number.NEGATIVE_INFINITY;
    const max = definition.max ?? Number.POSITIVE_INFINITY;
    const gapMs = gapIntervals * (definition.intervalMs ?? defaultIntervalMs);
    const same =
      this.#defined[series] === 1 &&
      this.#isCounter[series] === isCounter &&
      this.#scale[series] === scale &&
      this.#range[series] === range &&
      this.#min[series] === min &&
      this.#max[series] === max &&
      this.#gapMs[series] === gapMs;
    if (same) return;
    this.#defined[series] = 1;
    this.#isCounter[series] = isCounter;
    this.#scale[series] = scale;
    this.#range[series] = range;
    this.#min[series] = min;
    this.#max[series] = max;
    this.#gapMs[series] = gapMs;
    this.#begin(series);
  }

  /** Forgets what a series was: it is gone, and its number may be given to another. Totals by cause stay. */
  clear(series: SeriesNumber): void {
    if (!this.#holds(series)) return;
    this.#defined[series] = 0;
    this.#counts.fill(0, series * causes.length, (series + 1) * causes.length);
    this.#begin(series);
  }

  /** The series ends for now: when it comes back, no rate is taken across its absence. */
  interrupt(series: SeriesNumber): void {
    if (this.#holds(series)) this.#begin(series);
  }

  /**
   * Takes a raw reading at a monotonic time and returns the clean value, or NaN; `quality` and `cause` then say how it
   * is. Where `cause` is `duplicate` the value before still stands.
   */
  accept(series: SeriesNumber, raw: number, quality: Quality, monotonicMs: number): number {
    this.quality = quality;
    this.cause = null;
    if (!this.#holds(series) || this.#defined[series] === 0) return Number.NaN;
    if (quality === Quality.bad) return this.#drop(series, SOURCE, Quality.bad);
    if (Number.isNaN(raw)) return this.#drop(series, EMPTY, quality);
    if (!Number.isFinite(raw)) return this.#drop(series, NOT_FINITE, Quality.bad);
    const previousMs = this.#previousMs[series]!;
    if (monotonicMs === previousMs) return this.#drop(series, DUPLICATE, quality);
    if (monotonicMs < previousMs) return this.#drop(series, BACKWARDS, Quality.bad);
    return this.#isCounter[series] === 1
      ? this.#rate(series, raw, quality, monotonicMs)
      : this.#gauge(series, raw, quality, monotonicMs);
  }

  /** Series of which values were dropped, with the causes; for health and for people. */
  counts(): readonly BadValues[] {
    const found: BadValues[] = [];
    for (let series = 0; series < this.#capacity; series++) {
      const seen: Partial<Record<Cause, number>> = {};
      let any = false;
      for (let cause = EMPTY; cause < causes.length; cause++) {
        const count = this.#counts[series * causes.length + cause]!;
        if (count === 0) continue;
        seen[causes[cause]!] = count;
        any = true;
      }
      if (any) found.push({ series, causes: seen });
    }
    return found;
  }

  /** Dropped values of all series since the start, by cause; series that are gone included. */
  total(cause: Cause): number {
    return this.#totals[causes.indexOf(cause)]!;
  }

  /** Puts how many values went bad a second, by cause: `picket.values.bad`. */
  report(sink: ReportSink): void {
    this.#reported ??= Int32Array.from(causes.slice(firstBad), (cause) =>
      sink.series({
        name: 'picket.values.bad',
        unit: '{value}/s',
        attributes: { cause },
        kind: 'counter',
        min: 0,
        steady: true,
      }),
    );
    for (let i = 0; i < this.#reported.length; i++) sink.put(this.#reported[i]!, this.#totals[firstBad + i]!);
  }

  #gauge(series: SeriesNumber, raw: number, quality: Quality, monotonicMs: number): number {
    this.#previousMs[series] = monotonicMs;
    const value = raw * this.#scale[series]!;
    return this.#bounded(series, value) ? this.#counted(series, value, quality) : this.#outOfBounds(series, value);
  }

  #rate(series: SeriesNumber, raw: number, quality: Quality, monotonicMs: number): number {
    // A source that repeats an old reading tells nothing about how much was counted since.
    if (quality === Quality.stale) return this.#drop(series, STALE, quality);
    const previous = this.#previous[series]!;
    const elapsedMs = monotonicMs - this.#previousMs[series]!;
    this.#previous[series] = raw;
    this.#previousMs[series] = monotonicMs;
    if (Number.isNaN(previous)) return this.#drop(series, FIRST, quality);
    if (elapsedMs > this.#gapMs[series]!) return this.#drop(series, GAP, Quality.bad);
    const scalePerSecond = (this.#scale[series]! * 1000) / elapsedMs;
    if (raw >= previous) {
      const value = Math.fround((raw - previous) * scalePerSecond);
      return this.#bounded(series, value) ? value : this.#outOfBounds(series, value);
    }
    const range = this.#range[series]!;
    const throughZero = range - previous + raw;
    const value = Math.fround(throughZero * scalePerSecond);
    const wrapped = previous < range && previous >= 0.75 * range && raw >= 0 && throughZero <= range / 2;
    // A wrap that would mean an impossible rate was a reset.
    return wrapped && this.#bounded(series, value) ? value : this.#drop(series, RESET, Quality.bad);
  }

  #bounded(series: SeriesNumber, value: number): boolean {
    return value >= this.#min[series]! && value <= this.#max[series]!;
  }

  #outOfBounds(series: SeriesNumber, value: number): number {
    this.refused = value;
    return this.#drop(series, OUT_OF_BOUNDS, Quality.bad);
  }

  /** A stale value is a value: it is handed on, and counted so that somebody sees it. */
  #counted(series: SeriesNumber, value: number, quality: Quality): number {
    if (quality === Quality.stale) this.#count(series, STALE);
    return value;
  }

  #drop(series: SeriesNumber, cause: number, quality: Quality): number {
    this.quality = quality;
    this.cause = causes[cause]!;
    if (cause !== FIRST) this.#count(series, cause);
    return Number.NaN;
  }

  #count(series: SeriesNumber, cause: number): void {
    this.#counts[series * causes.length + cause]!++;
    this.#totals[cause]!++;
  }

  #begin(series: SeriesNumber): void {
    this.#previous[series] = Number.NaN;
    this.#previousMs[series] = Number.NaN;
  }

  #holds(series: SeriesNumber): boolean {
    return series >= 0 && series < this.#capacity;
  }
}
