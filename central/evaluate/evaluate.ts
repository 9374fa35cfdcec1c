/**
 * Champion against challenger on time that neither has learned from: coverage of the expected band, pinball loss of its
 * ends (Koenker and Bassett 1978), findings a day.
 */

import { emptyVerdict } from '../../shared/detect/detector.ts';
import { isWholeWindow } from '../../shared/detect/seasonal.ts';
import { DAY_MS } from '../../shared/limits.ts';
import type { SeriesId } from '../../shared/series.ts';
import type { Evaluation, EvaluationFigures } from '../api.ts';
import type { SummaryBlock } from '../store/store.ts';
import type { ModelKind } from '../train/kind.ts';

/** Share of held-out windows that the band is to hold. */
const BAND_COVERAGE = 0.98;
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
