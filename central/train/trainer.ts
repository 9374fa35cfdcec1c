/** The contract of a trainer: one file per model kind. It sees summaries alone, never raw samples. */
import type { SeriesId } from '../../shared/series.ts';
import type { SummaryBlock } from '../store/store.ts';

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
  train(history: AsyncIterable<SummaryBlock>, random: () => number, signal: AbortSignal): Promise<Fit<P>>;
}
