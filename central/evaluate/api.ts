/**
 * What is told of how a version was judged: kept beside it as a document of its own, answered by the API, drawn by the
 * page. Its size is bounded, whatever the machine has.
 */
import type { SeriesId, SeriesKey } from '../../shared/series.ts';
import type { AgentId } from '../store/store.ts';

export type FaultKind = 'spike' | 'shift' | 'drift' | 'stuck' | 'variance' | 'season';

/** Probability integral transform (Dawid 1984): where in what the model expected the values came to lie. */
export interface PitHistogram {
  /** Shares of the values in equal parts of 0 to 1; all alike where the model is right. */
  readonly shares: readonly number[];
  /** Largest difference between these, summed up, and even shares: 0 none, 1 all. */
  readonly distance: number;
  readonly windows: number;
}

/** One model on the held-out time. */
export interface ReportFigures {
  readonly windows: number;
  /** Share of them in the expected band. */
  readonly coverage: number;
  /** Mean pinball loss of the band's ends, in scales of each series, on the series that both know. */
  readonly pinball: number;
  /** Findings of single series a machine-day. */
  readonly findingsPerDay: number;
  /** Times a machine-week at which any series had findings; what was labelled a real incident is no part of that time. */
  readonly falseIncidentsPerWeek: number;
  /** Null where the model says no probabilities. */
  readonly pit: PitHistogram | null;
  /** Share of the windows in the interval that is to hold `level` of them. */
  readonly levels: readonly { readonly level: number; readonly coverage: number }[];
}

export interface Caught {
  readonly found: number;
  /** Median time from the fault's beginning to the first finding; null where none was found. */
  readonly delayMs: number | null;
}

/** Faults of one kind and size. */
export interface InjectedFaults {
  readonly kind: FaultKind;
  /** In scales of the series; null of kinds that have no size of their own. */
  readonly size: number | null;
  readonly cases: number;
  readonly challenger: Caught;
  readonly champion: Caught | null;
}

/** Faults of one kind, or of all. */
export interface Recall extends Omit<InjectedFaults, 'kind' | 'size'> {
  readonly kind: FaultKind | null;
  /** Cases that only the champion found, and that only the challenger did. */
  readonly lost: number;
  readonly gained: number;
  /** Of their difference, as chance makes it: what is put into one series is found or not for the same reason. */
  readonly deviation: number;
}

/** Incidents that operators called real. */
export interface LabelledFaults {
  readonly cases: number;
  readonly challenger: Caught;
  readonly champion: Caught | null;
  readonly lost: number;
  readonly gained: number;
}

/** The challenger trained anew up to an earlier or later time, and both judged on what came then. */
export interface OriginFigures {
  /** What it was trained to; it is judged from here. */
  readonly trainedToMs: number;
  readonly judgedToMs: number;
  readonly series: number;
  readonly windows: number;
  readonly challenger: { readonly coverage: number; readonly pinball: number };
  readonly champion: { readonly coverage: number; readonly pinball: number } | null;
}

export interface WorstSeries {
  readonly series: SeriesId;
  readonly key: SeriesKey;
  readonly windows: number;
  readonly coverage: number;
  readonly pinball: number;
  readonly findings: number;
  readonly champion: { readonly coverage: number; readonly pinball: number; readonly findings: number } | null;
}

/** What a round says of its challenger. */
export interface Judgement {
  readonly windowMs: number;
  readonly heldOutFromMs: number;
  readonly heldOutToMs: number;
  readonly championVersion: number | null;
  /** Share of the windows that the expected band is to hold. */
  readonly bandLevel: number;
  /** Findings a machine-day that the budget allows. */
  readonly findingsPerDay: number;
  /** Held-out windows of all series. */
  readonly windows: number;
  /** Series that were judged, and those of them into which faults were put and of which models were trained anew. */
  readonly series: number;
  readonly sampled: number;
  readonly challenger: ReportFigures;
  readonly champion: ReportFigures | null;
  readonly injected: readonly InjectedFaults[];
  readonly recall: readonly Recall[];
  readonly labelled: LabelledFaults;
  /** By time. */
  readonly origins: readonly OriginFigures[];
  /** The challenger's highest losses. */
  readonly worst: readonly WorstSeries[];
}

export interface EvaluationReport extends Judgement {
  readonly version: number;
  readonly kind: string;
  readonly agent: AgentId;
  readonly madeMs: number;
  readonly accepted: boolean;
  /** Why, in words. */
  readonly reason: string;
}
