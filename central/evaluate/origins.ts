/**
 * Rolling origin (Tashman 2000): the challenger trained anew up to several times, each judged on what came then, so that
 * one lucky stretch of time does not decide. The champion stays as it is, and no origin lies in what it learned from.
 * Trained and judged on a sample of the series, with their share of the budget: it costs less than the training itself.
 */
import type { SeriesId } from '../../shared/series.ts';
import type { SummaryBlock } from '../store/store.ts';
import type { ModelKind, TrainingOptions } from '../train/kind.ts';
import type { TrainingBlock } from '../train/trainer.ts';
import type { OriginFigures } from './api.ts';
import { evaluate } from './evaluate.ts';

/** Where the others lie, in parts of the held-out time from its beginning. */
const PLACES = [-1 / 2, 1 / 2];
/** Fewer windows to learn from or to be judged on say nothing. */
const LEAST_WINDOWS = 30;

export interface Origin {
  readonly trainedToMs: number;
  readonly judgedToMs: number;
}

/** Beside the one at which the held-out time begins. */
export function originsOf(
  span: { readonly fromMs: number; readonly heldOutFromMs: number; readonly toMs: number },
  windowMs: number,
  championToMs: number | null,
): Origin[] {
  const { fromMs, heldOutFromMs, toMs } = span;
  const heldOutMs = toMs - heldOutFromMs;
  // Where the champion has seen all, there is no time that is new to it: every place is as good.
  const seenToMs = championToMs === null || championToMs > heldOutFromMs ? fromMs : championToMs;
  const at = PLACES.map((place) => Math.round((heldOutFromMs + place * heldOutMs) / windowMs) * windowMs);
  // One before the held-out time is judged up to it, the others up to the next.
  const origins = at.map((trainedToMs, i) => ({
    trainedToMs,
    judgedToMs: trainedToMs < heldOutFromMs ? heldOutFromMs : (at[i + 1] ?? toMs),
  }));
  return origins.filter(
    ({ trainedToMs, judgedToMs }) =>
      trainedToMs >= seenToMs &&
      trainedToMs - fromMs >= LEAST_WINDOWS * windowMs &&
      judgedToMs - trainedToMs >= LEAST_WINDOWS * windowMs,
  );
}

export interface OriginContest<P> {
  readonly kind: ModelKind<P>;
  readonly training: TrainingOptions;
  readonly champion: ReadonlyMap<SeriesId, P> | null;
  readonly sampled: ReadonlySet<SeriesId>;
  /** Series that a whole model would have: the sample gets its share of their budget. */
  readonly series: number;
  readonly fromMs: number;
  readonly seed: string;
  readonly history: (fromMs: number, toMs: number, only: ReadonlySet<SeriesId>) => AsyncIterable<TrainingBlock>;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

export async function judgedAt<P>(contest: OriginContest<P>, origin: Origin): Promise<OriginFigures> {
  const { kind, training, champion, sampled, series, history, fromMs, seed } = contest;
  const { trainedToMs, judgedToMs } = origin;
  const share = Math.min(1, sampled.size / Math.max(1, series));
  const trainer = kind.trainer({ ...training, findingsPerDay: training.findingsPerDay * share });
  const past = await trainer.train(history(fromMs, trainedToMs, sampled), contest.random, contest.signal);
  const held: AsyncIterable<SummaryBlock> = history(trainedToMs, judgedToMs, sampled);
  const { windowMs } = training;
  const figures = await evaluate({ kind, windowMs, challenger: past.series, champion, seed }, held);
  return {
    trainedToMs,
    judgedToMs,
    series: figures.series,
    windows: figures.windows,
    challenger: figuresOf(figures.challenger),
    champion: figures.champion && figuresOf(figures.champion),
  };
}

export function figuresOf({ coverage, pinball }: { readonly coverage: number; readonly pinball: number }) {
  return { coverage, pinball };
}
