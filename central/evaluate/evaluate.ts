/**
 * Champion against challenger on time that neither has learned from: coverage of the expected band, pinball loss of its
 * ends (Koenker and Bassett 1978), probabilities, findings and false incidents, faults put into it, the worst series.
 */
import type { SeriesId } from '../../shared/series.ts';
import type { SummaryBlock } from '../store/store.ts';
import type { ModelKind } from '../train/kind.ts';
import type { InjectedFaults, Recall, ReportFigures, WorstSeries } from './api.ts';
import { coursesOf } from './course.ts';
import { Injections } from './injected.ts';
import { seedOf } from './seeded.ts';
import { daysOf, Tally } from './tally.ts';
import { Worst } from './worst.ts';

export interface Contest<P> {
  readonly kind: ModelKind<P>;
  readonly windowMs: number;
  readonly challenger: ReadonlyMap<SeriesId, P>;
  readonly champion: ReadonlyMap<SeriesId, P> | null;
  /** Chance is the same for the same words. */
  readonly seed: string;
  /** Where faults are put; default nowhere. */
  readonly injectInto?: ReadonlySet<SeriesId>;
}

export interface HeldOutFigures {
  readonly windows: number;
  readonly series: number;
  readonly challenger: ReportFigures;
  readonly champion: ReportFigures | null;
  readonly injected: readonly InjectedFaults[];
  readonly recall: readonly Recall[];
  readonly worst: readonly WorstSeries[];
}

/** Scores all held-out windows with both, by the code that agents run. Losses are compared on the series of both. */
export async function evaluate<P>(contest: Contest<P>, heldOut: AsyncIterable<SummaryBlock>): Promise<HeldOutFigures> {
  const { kind, windowMs, challenger, champion, seed, injectInto = new Set<SeriesId>() } = contest;
  const ours = new Tally(seedOf(seed));
  const theirs = new Tally(seedOf(seed));
  const injections = new Injections(kind, windowMs, seed, injectInto.size);
  const worst = new Worst();
  let windows = 0;
  let series = 0;
  let firstMs = Number.POSITIVE_INFINITY;
  let lastMs = Number.NEGATIVE_INFINITY;
  const models = champion === null ? [challenger] : [challenger, champion];
  for await (const course of coursesOf(kind, models, heldOut, windowMs)) {
    const mine = challenger.get(course.id);
    const other = champion?.get(course.id);
    const measure = other ?? mine;
    const rows = course.endsMs.length;
    if (measure === undefined || rows === 0) continue;
    windows += rows;
    series++;
    firstMs = Math.min(firstMs, course.endsMs[0]! - windowMs);
    lastMs = Math.max(lastMs, course.endsMs[rows - 1]!);
    const compared = champion === null || (mine !== undefined && other !== undefined);
    const scale = compared ? kind.scale(measure, 0) : null;
    const our = mine === undefined ? null : ours.add(kind, mine, course, scale);
    const their = other === undefined ? null : theirs.add(kind, other, course, scale);
    if (mine === undefined || our === null) continue;
    if (compared) worst.add(course, our, their);
    if (!compared || !injectInto.has(course.id)) continue;
    const contender = their === null ? null : { params: other!, tally: their };
    injections.add(course, { params: mine, tally: our }, contender);
  }
  const days = daysOf(firstMs, lastMs, windowMs);
  return {
    windows,
    series,
    challenger: ours.figures(days, windowMs),
    champion: champion === null ? null : theirs.figures(days, windowMs),
    injected: injections.cells(),
    recall: injections.recall(),
    worst: worst.list(),
  };
}
