/**
 * Champion against challenger on time that neither has learned from: coverage of the expected band, pinball loss of its
 * ends (Koenker and Bassett 1978), findings a day. The verdict is a pure function of the figures, with its reason in
 * words; a challenger that is not better by a stated margin does not run.
 */

import { emptyVerdict } from '../shared/detect/detector.ts';
import { isWholeWindow } from '../shared/detect/seasonal.ts';
import { DAY_MS } from '../shared/limits.ts';
import type { SeriesId } from '../shared/series.ts';
import type { Evaluation, EvaluationFigures } from './api.ts';
import type { SummaryBlock } from './store/store.ts';
import type { ModelKind } from './train/kind.ts';

/** Share of held-out windows that the band is to hold, and below which it is not calibrated. */
const BAND_COVERAGE = 0.98;
const LEAST_COVERAGE = 0.9;
/** By how much it may be missed where a single window was held out: the series of one minute are alike. */
const CHANCE_COVERAGE = 0.1;
/** Share by which a challenger's loss must be lower. */
const MARGIN = 0.02;
/** Share of series more that makes a champion stale. */
const MORE_SERIES = 0.05;
/** Findings beyond the budget that chance may make on little held-out time. */
const CHANCE_FINDINGS = 3;
const BUDGET_FACTOR = 5;
/** One absurd window weighs no more than this many scales. */
const LARGEST_LOSS = 100;

interface Tally {
  windows: number;
  inside: number;
  loss: number;
  losses: number;
  findings: number;
}

export interface Contest<P> {
  readonly kind: ModelKind<P>;
  readonly windowMs: number;
  readonly challenger: ReadonlyMap<SeriesId, P>;
  readonly champion: ReadonlyMap<SeriesId, P> | null;
  readonly heldOutFromMs: number;
  readonly heldOutToMs: number;
}

/** Scores all held-out windows with both, by the code that agents run. Losses are compared on the series of both. */
export async function evaluate<P>(contest: Contest<P>, heldOut: AsyncIterable<SummaryBlock>): Promise<Evaluation> {
  const { challenger, champion, windowMs } = contest;
  const ours = emptyTally();
  const theirs = emptyTally();
  let windows = 0;
  let firstMs = Number.POSITIVE_INFINITY;
  let lastMs = Number.NEGATIVE_INFINITY;
  for await (const block of heldOut) {
    const mine = challenger.get(block.series);
    const other = champion?.get(block.series);
    const measure = other ?? mine;
    const rows = measure === undefined ? [] : wholeWindows(block, windowMs);
    if (measure === undefined || rows.length === 0) continue;
    windows += rows.length;
    firstMs = Math.min(firstMs, block.timesMs[rows[0]!]! - windowMs);
    lastMs = Math.max(lastMs, block.timesMs[rows.at(-1)!]!);
    const scale = contest.kind.scale(measure);
    const compared = champion === null || (mine !== undefined && other !== undefined);
    if (mine !== undefined) tally(contest.kind, mine, block, rows, compared ? scale : null, ours);
    if (other !== undefined) tally(contest.kind, other, block, rows, compared ? scale : null, theirs);
  }
  const days = Math.max(windowMs, lastMs - firstMs) / DAY_MS;
  return {
    heldOutFromMs: contest.heldOutFromMs,
    heldOutToMs: contest.heldOutToMs,
    windows,
    challenger: figures(ours, days),
    champion: champion === null ? null : figures(theirs, days),
  };
}

function emptyTally(): Tally {
  return { windows: 0, inside: 0, loss: 0, losses: 0, findings: 0 };
}

function wholeWindows(block: SummaryBlock, windowMs: number): number[] {
  const rows: number[] = [];
  for (let i = 0; i < block.timesMs.length; i++) {
    if (isWholeWindow(block.lengthsMs[i]!, windowMs) && Number.isFinite(block.mean[i]!)) rows.push(i);
  }
  return rows;
}

function tally<P>(
  kind: ModelKind<P>,
  params: P,
  block: SummaryBlock,
  rows: readonly number[],
  lossScale: number | null,
  into: Tally,
): void {
  const state = kind.detector.start(params);
  const x = new Float64Array(1);
  const quality = new Uint8Array(1);
  const out = emptyVerdict();
  let outside = false;
  for (const i of rows) {
    const value = block.mean[i]!;
    x[0] = value;
    kind.detector.score(params, state, x, quality, { monotonicMs: 0, utcMs: block.timesMs[i]! }, out);
    if (!out.ready) continue;
    into.windows++;
    if (value >= out.expectedLow && value <= out.expectedHigh) into.inside++;
    // A finding that lasts is one finding.
    if (out.finding && !outside) into.findings++;
    outside = out.finding;
    if (lossScale === null) continue;
    const ends =
      pinball(value, out.expectedLow, (1 - BAND_COVERAGE) / 2) +
      pinball(value, out.expectedHigh, (1 + BAND_COVERAGE) / 2);
    into.loss += Math.min(LARGEST_LOSS, ends / 2 / lossScale);
    into.losses++;
  }
}

/** Loss of saying that `quantile` is exceeded with probability 1 - share. */
function pinball(value: number, quantile: number, share: number): number {
  return value >= quantile ? share * (value - quantile) : (1 - share) * (quantile - value);
}

function figures(from: Tally, days: number): EvaluationFigures {
  return {
    coverage: from.windows === 0 ? 0 : from.inside / from.windows,
    pinball: from.losses === 0 ? 0 : from.loss / from.losses,
    findingsPerDay: from.findings / days,
  };
}

/** What of the two models the figures do not say. */
export interface Standing {
  readonly windowMs: number;
  readonly findingsPerDay: number;
  readonly challengerSeries: number;
  readonly challengerWindows: number;
  /** Null where there is no champion. */
  readonly champion: {
    readonly version: number;
    readonly series: number;
    readonly windows: number;
    /** Trained for other features or another major version than this central trains. */
    readonly outdated: boolean;
    /** Much of the time that it learned from came in after it was trained. */
    readonly incomplete?: boolean;
    /** Operators have judged incidents since it learned. */
    readonly taught?: boolean;
  } | null;
}

/** Whether the challenger is to run, and why, in a sentence. */
export function decide(evaluation: Evaluation, standing: Standing): { accepted: boolean; reason: string } {
  const { challenger, champion } = evaluation;
  const spanMs = evaluation.heldOutToMs - evaluation.heldOutFromMs;
  const days = spanMs / DAY_MS;
  const seen = `${percent(challenger.coverage)} of ${evaluation.windows} held-out windows lie in its band`;
  if (evaluation.windows === 0) return refuse('There were no held-out windows to judge it on.');
  const least = LEAST_COVERAGE - CHANCE_COVERAGE / Math.sqrt(Math.max(1, spanMs / standing.windowMs));
  // What is better than what runs need not be good.
  if (challenger.coverage < Math.min(least, champion?.coverage ?? 1)) {
    return refuse(`Not calibrated: ${seen}; ${percent(least)} are the least.`);
  }
  const findings = challenger.findingsPerDay * days;
  const allowed = standing.findingsPerDay * days * BUDGET_FACTOR + CHANCE_FINDINGS;
  if (findings > Math.max(allowed, (champion?.findingsPerDay ?? 0) * days)) {
    return refuse(
      `Too loud: ${Math.round(findings)} findings on held-out time; the budget allows ${Math.round(allowed)}.`,
    );
  }
  if (champion === null || standing.champion === null) return accept(`The first model, and calibrated: ${seen}.`);
  const name = `model ${standing.champion.version}`;
  if (standing.champion.outdated) return accept(`Calibrated, and ${name} is for features that are no longer made.`);
  const gain = champion.pinball > 0 ? 1 - challenger.pinball / champion.pinball : 0;
  const loss = `its loss is ${challenger.pinball.toPrecision(3)} against ${champion.pinball.toPrecision(3)} of ${name}`;
  if (gain >= MARGIN) return accept(`Better: ${loss} (${percent(gain)} less).`);
  if (champion.coverage < least && challenger.coverage >= least) {
    return accept(
      `Calibrated (${percent(challenger.coverage)}), which ${name} no longer is (${percent(champion.coverage)}).`,
    );
  }
  if (gain >= -MARGIN) {
    if (standing.challengerSeries > standing.champion.series * (1 + MORE_SERIES)) {
      return accept(
        `No worse, and knows ${standing.challengerSeries} series; ${name} knows ${standing.champion.series}.`,
      );
    }
    if (standing.champion.taught) return accept(`No worse, and knows what operators said since ${name} learned.`);
    if (standing.champion.incomplete) return accept(`No worse, and ${name} was trained on an incomplete window.`);
    if (standing.challengerWindows >= 2 * standing.champion.windows) {
      return accept(`No worse, and learned from twice the history of ${name}.`);
    }
  }
  return refuse(`Not better by ${percent(MARGIN)}: ${loss}.`);
}

function accept(reason: string): { accepted: boolean; reason: string } {
  return { accepted: true, reason };
}

function refuse(reason: string): { accepted: boolean; reason: string } {
  return { accepted: false, reason };
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
