/**
 * Everything that is found out about a challenger before it may run, in one bounded pass over held-out time:
 *
 *   held-out time, all series      coverage, loss, probabilities, findings, the worst series
 *   the same, sampled series       faults put into it
 *   other origins, sampled series  trained anew, judged on what came then
 *   labelled incidents             found or not, and after how long
 */
import type { SeriesId } from '../../shared/series.ts';
import type { Evaluation, EvaluationFigures } from '../api.ts';
import type { SummaryBlock } from '../store/store.ts';
import type { ModelKind, TrainingOptions } from '../train/kind.ts';
import type { Knowledge } from '../train/knowledge.ts';
import type { TrainingBlock } from '../train/trainer.ts';
import type { Judgement, OriginFigures, ReportFigures } from './api.ts';
import { evaluate } from './evaluate.ts';
import { labelledFaults } from './labelled.ts';
import { figuresOf, judgedAt, originsOf } from './origins.ts';
import { sampleOf } from './sample.ts';
import { BAND_LEVEL } from './tally.ts';

type Only = ReadonlySet<SeriesId> | null;

export interface Trial<P> {
  readonly kind: ModelKind<P>;
  readonly training: TrainingOptions;
  readonly challenger: ReadonlyMap<SeriesId, P>;
  readonly champion: {
    readonly version: number;
    readonly toMs: number;
    readonly series: ReadonlyMap<SeriesId, P>;
  } | null;
  readonly fromMs: number;
  readonly heldOutFromMs: number;
  readonly toMs: number;
  readonly knowledge: Knowledge;
  /** Chance is the same for the same words. */
  readonly seed: string;
  /** Windows that a trainer may see; null: of all series. */
  readonly history: (fromMs: number, toMs: number, only: Only) => AsyncIterable<TrainingBlock>;
  /** All windows. */
  readonly raw: (fromMs: number, toMs: number, only: Only) => AsyncIterable<SummaryBlock>;
  /** False: the challenger was not trained on this history, so that there is nothing to train anew. Default true. */
  readonly origins?: boolean;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

export async function judge<P>(trial: Trial<P>): Promise<Judgement> {
  const { kind, training, challenger, champion, fromMs, heldOutFromMs, toMs, knowledge, history } = trial;
  const { windowMs } = training;
  const series = champion?.series ?? null;
  const seed = `${trial.seed} ${kind.slot} ${heldOutFromMs}`;
  // Groups take all of their series: they are few.
  const joined = kind.courses !== undefined;
  const both = [...challenger.keys()].filter((id) => series?.has(id) ?? true);
  const sampled = joined ? new Set(both) : sampleOf(both, seed);
  const injectInto = new Set([...sampled].filter((id) => !isTaught(knowledge, id)));
  const contest = { kind, windowMs, challenger, champion: series, seed };
  const heldOut = await evaluate({ ...contest, injectInto }, history(heldOutFromMs, toMs, null));
  const labelled = await labelledFaults({
    ...contest,
    incidents: knowledge.incidents,
    read: (from, to, only) => trial.raw(from, to, only),
  });
  const origins: OriginFigures[] = [];
  for (const origin of originsOf({ fromMs, heldOutFromMs, toMs }, windowMs, champion?.toMs ?? null)) {
    if (sampled.size === 0 || trial.origins === false) break;
    const others = {
      ...trial,
      champion: series,
      sampled,
      series: challenger.size,
      seed,
      history: (from: number, to: number, only: ReadonlySet<SeriesId>) => history(from, to, joined ? null : only),
    };
    origins.push(await judgedAt(others, origin));
  }
  if (heldOut.windows > 0) {
    origins.push({
      trainedToMs: heldOutFromMs,
      judgedToMs: toMs,
      series: heldOut.series,
      windows: heldOut.windows,
      challenger: figuresOf(heldOut.challenger),
      champion: heldOut.champion && figuresOf(heldOut.champion),
    });
  }
  origins.sort((a, b) => a.trainedToMs - b.trainedToMs);
  return {
    windowMs,
    heldOutFromMs,
    heldOutToMs: toMs,
    championVersion: champion?.version ?? null,
    bandLevel: BAND_LEVEL,
    findingsPerDay: training.findingsPerDay,
    windows: heldOut.windows,
    series: heldOut.series,
    sampled: sampled.size,
    challenger: heldOut.challenger,
    champion: heldOut.champion,
    injected: heldOut.injected,
    recall: heldOut.recall,
    labelled,
    origins,
    worst: heldOut.worst,
  };
}

/** The figures that are kept with the version itself. */
export function evaluationOf(judged: Judgement): Evaluation {
  return {
    heldOutFromMs: judged.heldOutFromMs,
    heldOutToMs: judged.heldOutToMs,
    windows: judged.windows,
    challenger: summaryOf(judged.challenger),
    champion: judged.champion && summaryOf(judged.champion),
  };
}

function summaryOf({ coverage, pinball, findingsPerDay }: ReportFigures): EvaluationFigures {
  return { coverage, pinball, findingsPerDay };
}

/** Operators said that what is found in it is usual: that less is found there is what they asked for. */
function isTaught({ incidents, elsewhere }: Knowledge, id: SeriesId): boolean {
  return elsewhere.has(id) || incidents.some(({ verdict, series }) => verdict === 'false_alarm' && series.has(id));
}
