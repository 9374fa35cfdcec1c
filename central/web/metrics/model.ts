/** What the page of a machine draws: sections of charts, charts of lines. */

/** A series with its latest window, as the API answers (JSON has no NaN: null). */
export interface LatestSeries {
  readonly id: string;
  readonly name: string;
  readonly unit: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly timeMs: number;
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly last: number | null;
  readonly anomalyShare: number | null;
  readonly highestScore: number | null;
}

export interface Line {
  readonly id: string;
  readonly label: string;
  /** Drawn as one minus the value: busy from idle. */
  readonly invert: boolean;
  readonly series: LatestSeries;
}

export interface MetricChart {
  readonly id: string;
  /** Of the metric. */
  readonly name: string;
  readonly title: string;
  /** Which disk, interface, core; empty where there is one. */
  readonly instance: string;
  readonly unit: string;
  readonly stack: boolean;
  /** The axis need not begin at zero. */
  readonly floating: boolean;
  readonly minor: boolean;
  readonly rank: number;
  readonly lines: readonly Line[];
}

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly charts: readonly MetricChart[];
}
