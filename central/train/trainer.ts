/** The contract of a trainer: one file per model kind. It sees summaries alone, never raw samples. */
import type { SeriesId } from '../../shared/series.ts';
import type { SummaryBlock } from '../store/store.ts';

/** When a false alarm came on another machine of the cohort, and how far off: in halves of the expected width. */
export interface UsualElsewhere {
  readonly fromMs: number;
  readonly toMs: number;
  readonly side: 'high' | 'low';
  readonly times: number;
}

/** Windows that a trainer may see (`preprocess.ts`). */
export interface TrainingBlock extends SummaryBlock {
  /** How much each window counts, 0 to 1; absent: all fully. */
  readonly trust?: Float64Array;
  /** 1: an operator said that what was found here is usual. */
  readonly usual?: Uint8Array;
  readonly elsewhere?: readonly UsualElsewhere[];
  /** When groups were found unusual in which this series had a great part, and an operator said that it is usual. */
  readonly together?: readonly UsualTogether[];
}

export interface UsualTogether {
  readonly fromMs: number;
  readonly toMs: number;
  readonly bits: number;
}

/** The first windows of one series of the machine: their ends and means. */
export interface FirstWindows {
  readonly timesMs: ArrayLike<number>;
  readonly mean: ArrayLike<number>;
}

export interface Fit<P> {
  /** Parameters for each series that had enough history. */
  readonly series: ReadonlyMap<SeriesId, P>;
  /** Series that were left out, with the reason, for the report. */
  readonly left: ReadonlyMap<SeriesId, string>;
}

export interface Trainer<P> {
  readonly kind: string;
  /** Version of the features (which window statistics, of which length) that the parameters are for. */
  readonly featureVersion: number;
  train(history: AsyncIterable<TrainingBlock>, random: () => number, signal: AbortSignal): Promise<Fit<P>>;
}
