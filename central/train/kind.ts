/** What the central needs to know of a kind of model to train, evaluate, encode and draw it: one object a kind. */
import type { ZoneOffsets } from '../../shared/detect/civil.ts';
import type { DetectorKind } from '../../shared/detect/detector.ts';
import type { SeriesId } from '../../shared/series.ts';
import type { Course } from '../evaluate/course.ts';
import type { SummaryBlock } from '../store/store.ts';
import type { RoundOptions, RoundResult } from './round.ts';
import type { FirstWindows, Trainer, TrainingBlock } from './trainer.ts';

export interface TrainingOptions {
  readonly windowMs: number;
  /** Of the site. */
  readonly zone: ZoneOffsets;
  /** Findings a machine-day that the model may make. */
  readonly findingsPerDay: number;
  /** The fleet is so large that it learns from hours; default false. */
  readonly manyMachines?: boolean;
  /** Windows that each row of the history stands for; default 1. */
  readonly windowsEach?: number;
  /** Fewest windows of a series that a model is made from; default 3. */
  readonly minimumWindows?: number;
  /** Share of the history, the newest, that a first model is judged on and not trained on; default a quarter. */
  readonly holdOut?: number;
}

/** What a release says of its kind. */
export interface TrainedKind {
  /** The agent's slot and the release's kind: `model/seasonal`, for ten minutes `model/seasonal-10m`. */
  readonly slot: string;
  readonly major: number;
  readonly featureVersion: number;
}

/** A kind that learns from something else than single series, and is judged by its own rows. */
export interface OwnRoundKind<P> extends TrainedKind {
  /** What an agent makes of the content. Throws `payload.invalid`. */
  decode(content: Uint8Array): ReadonlyMap<string, P>;
  round(options: Omit<RoundOptions<P>, 'kind'>): Promise<RoundResult | null>;
}

export interface ModelKind<P> extends TrainedKind {
  /** Length of the windows that it scores. */
  readonly windowMs: number;
  /** Scores on both sides. */
  readonly detector: DetectorKind<P, unknown>;
  trainer(options: TrainingOptions): Trainer<P>;
  /** The content of a release. */
  encode(series: ReadonlyMap<SeriesId, P>, options: TrainingOptions): Uint8Array;
  /** What an agent makes of the content. Throws `payload.invalid`. */
  decode(content: Uint8Array): ReadonlyMap<SeriesId, P>;
  /** The size of usual deviations of the series (of a group: of a member), in its unit: what losses are measured in. */
  scale(params: P, member: number): number;
  /** Windows that the parameters were learned from. */
  windows(params: P): number;
  /** P(X ≤ value) for the window that ends then, where the model says it. */
  below?(params: P, value: number, windowEndMs: number): number;
  /** How series are joined to what the detector takes; absent: each series for itself. */
  courses?(
    models: readonly ReadonlyMap<SeriesId, P>[],
    blocks: AsyncIterable<SummaryBlock>,
    windowMs: number,
  ): AsyncIterable<Course>;
  /** Parameters that were learned before, with what operators said since and nothing else new; absent: it takes no labels. */
  taught?(params: P, block: TrainingBlock): P;
  /** What the models of machines that are alike make of another's first windows; absent: nothing. */
  merge?(
    peers: readonly ReadonlyMap<SeriesId, P>[],
    own: ReadonlyMap<SeriesId, FirstWindows>,
    options: TrainingOptions,
  ): ReadonlyMap<SeriesId, P>;
}
