/**
 * What is left of a window under a plan: coarser sketches or none, and without the series that have nothing to tell.
 * One that is left out is named as such (`Summary.leftOut`), is told all the same once an hour, in turn, so that what is
 * told is no choice of the unusual alone, and its hour is told as all others'.
 */
import { MINUTE_MS } from '../../shared/limits.ts';
import { coarseSketch } from '../../shared/math/coarse-sketch.ts';
import type { SeriesNumber } from '../../shared/series.ts';
import type { WindowColumns } from '../../shared/wire/summary.ts';
import type { SketchPercent, Told } from './plan.ts';

/** Windows in an hour: each tells its part of the quiet series. */
const HOUR_MINUTES = 60;

export interface ThinOptions {
  readonly sketchPercent: SketchPercent;
  readonly told: Told;
  readonly nominalMs: number;
  /** End of the window, by whatever time is known. */
  readonly endMs: number;
  /** Below this surprise, in bits, a window is within the usual range. */
  readonly usualBits: number;
  /** Whether it is sent, or only held for what may happen. */
  readonly sent: boolean;
}

export interface ThinWindow {
  readonly columns: WindowColumns;
  /** By index of the columns; null where all are told. */
  readonly leftOut: Uint8Array | null;
}

export class Thinner {
  /** Value that each constant series was last told with, by number; NaN for none. */
  readonly #told: Float64Array;

  /** @param limit series numbers are below this */
  constructor(limit: number) {
    this.#told = new Float64Array(limit).fill(Number.NaN);
  }

  /** The number belongs to another series from now on. */
  forget(series: SeriesNumber): void {
    this.#told[series] = Number.NaN;
  }

  /** Column i is series `numbers[i]`. */
  thin(numbers: readonly SeriesNumber[], columns: WindowColumns, options: ThinOptions): ThinWindow {
    const leftOut = options.told === 'all' ? null : this.#quiet(numbers, columns, options);
    if (options.sent) this.#remember(numbers, columns, leftOut);
    const sketches = columns.sketches.map((sketch, i) => {
      if (sketch === null || options.sketchPercent === 0 || leftOut?.[i] === 1) return null;
      return options.sketchPercent === 1 ? sketch : coarseSketch(sketch, options.sketchPercent);
    });
    if (leftOut === null) return { columns: { ...columns, sketches }, leftOut: null };
    return {
      columns: { ...columns, count: columns.count.map((count, i) => (leftOut[i] === 1 ? 0 : count)), sketches },
      leftOut,
    };
  }

  #quiet(
    numbers: readonly SeriesNumber[],
    columns: WindowColumns,
    { told, nominalMs, endMs, usualBits }: ThinOptions,
  ): Uint8Array {
    const turns = Math.max(1, Math.round((HOUR_MINUTES * MINUTE_MS) / nominalMs));
    const turn = Math.round(endMs / nominalMs) % turns;
    const leftOut = new Uint8Array(columns.length);
    for (let i = 0; i < columns.length; i++) {
      const number = numbers[i]!;
      if (columns.count[i] === 0 || columns.bad[i]! > 0 || number % turns === turn) continue;
      const unchanged = columns.min[i] === columns.max[i] && columns.last[i] === this.#told[number];
      const usual = columns.anomalyShare[i] === 0 && columns.highestScore[i]! < usualBits;
      if (usual && (unchanged || told === 'unusual')) leftOut[i] = 1;
    }
    return leftOut;
  }

  #remember(numbers: readonly SeriesNumber[], columns: WindowColumns, leftOut: Uint8Array | null): void {
    for (let i = 0; i < columns.length; i++) {
      if (leftOut?.[i] === 1 || columns.count[i] === 0) continue;
      this.#told[numbers[i]!] = columns.last[i]!;
    }
  }
}
