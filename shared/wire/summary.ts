/**
 * Window features of many series, as columns: what an agent's minute is, before it is coded (`columns.ts`) and after.
 * Index i of every array is one series; all arrays have the same length.
 */
export interface WindowColumns {
  readonly length: number;
  /** Samples of good quality in the window; 0: the series had none and its other columns are NaN. */
  readonly count: Uint32Array;
  readonly mean: Float64Array;
  /** Population standard deviation. */
  readonly deviation: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly last: Float64Array;
  /** Share of the samples that a full-rate detector called findings, 0…1. */
  readonly anomalyShare: Float64Array;
  /** Highest surprise, bits. */
  readonly highestScore: Float64Array;
  /** Samples that were expected and did not come, or were of bad quality. */
  readonly bad: Uint32Array;
  /** Mergeable log-bucket sketch of each series; null where it travels without one. */
  readonly sketches: readonly (SketchColumns | null)[];
}

/**
 * Counts of log buckets with 1 % relative error (DDSketch, Masson et al., VLDB 2019): key k > 0 holds values in
 * (γ^(k-1), γ^k], negative values have their own side, zeros their own count.
 */
export interface SketchColumns {
  readonly zeros: number;
  /** Sorted keys and counts of positive values, then of negative ones. */
  readonly positiveKeys: Int32Array;
  readonly positiveCounts: Uint32Array;
  readonly negativeKeys: Int32Array;
  readonly negativeCounts: Uint32Array;
}

/** When a window was, as its record says it. */
export interface WindowSpan {
  /** 60,000, 600,000 or 3,600,000. */
  readonly nominalMs: number;
  /** Real length. */
  readonly lengthMs: number;
  readonly endMonotonicMs: number;
  /** Best estimate of UTC at its end. */
  readonly endWallMs: number;
}

/** Columns whose sketches may be set one by one. */
export interface MutableColumns extends WindowColumns {
  readonly sketches: (SketchColumns | null)[];
}

/** Columns of so many series that had no samples. */
export function emptyColumns(length: number): MutableColumns {
  const missing = () => new Float64Array(length).fill(Number.NaN);
  return {
    length,
    count: new Uint32Array(length),
    mean: missing(),
    deviation: missing(),
    min: missing(),
    max: missing(),
    last: missing(),
    anomalyShare: missing(),
    highestScore: missing(),
    bad: new Uint32Array(length),
    sketches: new Array<SketchColumns | null>(length).fill(null),
  };
}

/** Columns of the series from `from` up to and without `to`; views, not copies. */
export function sliceColumns(columns: WindowColumns, from: number, to: number): WindowColumns {
  return {
    length: to - from,
    count: columns.count.subarray(from, to),
    mean: columns.mean.subarray(from, to),
    deviation: columns.deviation.subarray(from, to),
    min: columns.min.subarray(from, to),
    max: columns.max.subarray(from, to),
    last: columns.last.subarray(from, to),
    anomalyShare: columns.anomalyShare.subarray(from, to),
    highestScore: columns.highestScore.subarray(from, to),
    bad: columns.bad.subarray(from, to),
    sketches: columns.sketches.slice(from, to),
  };
}
