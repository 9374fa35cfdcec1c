/**
 * Window features of every series: what becomes of a second's values when their minute is over. Nothing is allocated
 * per sample; columns are made when a window closes.
 *
 * The hour is accumulated by merging its windows exactly (moments by Chan et al., sketches by addition), never from
 * what was rounded for the wire. When windows end is not decided here (`windows.ts`).
 */
import { limits } from '../shared/limits.ts';
import { Moments } from '../shared/math/moments.ts';
import { SketchSet } from '../shared/math/sketch-set.ts';
import { Quality, type SeriesNumber } from '../shared/series.ts';
import { emptyColumns, type SketchColumns, type WindowColumns } from '../shared/wire/summary.ts';

/** What is kept of a window while it is open. */
class Features {
  readonly moments: Moments;
  readonly sketches: SketchSet;
  readonly findings: Uint32Array;
  readonly bad: Uint32Array;
  readonly highestScore: Float64Array;

  constructor(capacity: number) {
    this.moments = new Moments(capacity);
    this.sketches = new SketchSet(capacity);
    this.findings = new Uint32Array(capacity);
    this.bad = new Uint32Array(capacity);
    this.highestScore = new Float64Array(capacity);
  }

  clear(series: SeriesNumber): void {
    this.moments.clear(series);
    this.sketches.clear(series);
    this.findings[series] = 0;
    this.bad[series] = 0;
    this.highestScore[series] = 0;
  }

  /** Adds what a window has of a series. @param sketch null: without one */
  merge(series: SeriesNumber, window: Features, sketch: SketchColumns | null): void {
    this.bad[series] = this.bad[series]! + window.bad[series]!;
    if (window.moments.count[series] === 0) return;
    this.moments.merge(series, window.moments);
    this.findings[series] = this.findings[series]! + window.findings[series]!;
    this.highestScore[series] = Math.max(this.highestScore[series]!, window.highestScore[series]!);
    if (sketch !== null) this.sketches.merge(series, sketch);
  }

  reset(): void {
    this.moments.reset();
    this.sketches.reset();
    this.findings.fill(0);
    this.bad.fill(0);
    this.highestScore.fill(0);
  }
}

export class Summariser {
  readonly #capacity: number;
  readonly #withSketches: boolean;
  readonly #window: Features;
  readonly #hour: Features;
  /** Ten minutes, where both lengths are made; null else. */
  readonly #tens: Features | null;
  /** Series numbers in use are below this. */
  #used = 0;

  /**
   * @param capacity series numbers are below this
   * @param withSketches false where nobody has a use for them
   * @param withTens whether ten minutes are gathered from the windows, too
   */
  constructor(capacity: number = limits.seriesPerAgent, withSketches = true, withTens = false) {
    this.#capacity = capacity;
    this.#withSketches = withSketches;
    this.#window = new Features(capacity);
    this.#hour = new Features(capacity);
    this.#tens = withTens ? new Features(capacity) : null;
  }

  /**
   * A value of a series. One that is not of good quality, or no finite number, counts as bad and is not summarised.
   * @param bits surprise, 0 where no detector is ready
   * @param finding whether a detector calls it one
   */
  add(series: SeriesNumber, value: number, quality: Quality, bits: number, finding: boolean): void {
    if (series < 0 || series >= this.#capacity) return;
    if (quality !== Quality.good || !Number.isFinite(value)) {
      this.missing(series);
      return;
    }
    if (series >= this.#used) this.#used = series + 1;
    const window = this.#window;
    window.moments.add(series, value);
    if (this.#withSketches) window.sketches.add(series, value);
    if (finding) window.findings[series] = window.findings[series]! + 1;
    if (bits > window.highestScore[series]!) window.highestScore[series] = bits;
  }

  /** A sample was expected and did not come. */
  missing(series: SeriesNumber): void {
    if (series < 0 || series >= this.#capacity) return;
    if (series >= this.#used) this.#used = series + 1;
    this.#window.bad[series] = this.#window.bad[series]! + 1;
  }

  /** Drops what is held of a series, so that its number may be given to another; to be called between windows. */
  forget(series: SeriesNumber): void {
    if (series < 0 || series >= this.#capacity) return;
    this.#window.clear(series);
    this.#hour.clear(series);
    this.#tens?.clear(series);
  }

  /**
   * Ends the window: its columns, and everything begins anew.
   * @param numbers the series in the table's order; others go into the hour alone
   */
  close(numbers: readonly SeriesNumber[]): WindowColumns {
    const window = this.#window;
    const sketches: (SketchColumns | null)[] = new Array<SketchColumns | null>(this.#used).fill(null);
    for (let series = 0; series < this.#used; series++) {
      const empty = window.moments.count[series] === 0;
      if (!empty && this.#withSketches) sketches[series] = window.sketches.take(series);
      this.#hour.merge(series, window, sketches[series]!);
      this.#tens?.merge(series, window, sketches[series]!);
    }
    const columns = columnsOf(window, numbers, this.#used, sketches);
    window.reset();
    return columns;
  }

  /** Ends the hour: all windows closed since the last call, merged. */
  closeHour(numbers: readonly SeriesNumber[]): WindowColumns {
    return this.#closeMerged(this.#hour, numbers);
  }

  /** Ends ten minutes: all windows closed since the last call, merged. */
  closeTens(numbers: readonly SeriesNumber[]): WindowColumns {
    return this.#tens === null ? emptyColumns(numbers.length) : this.#closeMerged(this.#tens, numbers);
  }

  #closeMerged(merged: Features, numbers: readonly SeriesNumber[]): WindowColumns {
    const sketches = new Array<SketchColumns | null>(this.#used).fill(null);
    if (this.#withSketches) {
      for (let series = 0; series < this.#used; series++) {
        if (merged.moments.count[series]! > 0) sketches[series] = merged.sketches.take(series);
      }
    }
    const columns = columnsOf(merged, numbers, this.#used, sketches);
    merged.reset();
    return columns;
  }

  /** How often sketches of the open window and hour had to join buckets for want of room. */
  get collapsed(): number {
    return this.#window.sketches.collapsed + this.#hour.sketches.collapsed;
  }
}

function columnsOf(
  features: Features,
  numbers: readonly SeriesNumber[],
  used: number,
  sketches: readonly (SketchColumns | null)[],
): WindowColumns {
  const { moments } = features;
  const columns = emptyColumns(numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    const series = numbers[i]!;
    if (series < 0 || series >= used) continue;
    columns.bad[i] = features.bad[series]!;
    const count = moments.count[series]!;
    if (count === 0) continue;
    columns.count[i] = count;
    columns.mean[i] = moments.mean[series]!;
    columns.deviation[i] = moments.deviation(series);
    columns.min[i] = moments.min[series]!;
    columns.max[i] = moments.max[series]!;
    columns.last[i] = moments.last[series]!;
    columns.anomalyShare[i] = features.findings[series]! / count;
    columns.highestScore[i] = features.highestScore[series]!;
    columns.sketches[i] = sketches[series] ?? null;
  }
  return columns;
}
