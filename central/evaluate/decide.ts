/**
 * Whether a challenger is to run: a pure function of the figures, with its reason in words. What is not better by a
 * stated margin does not run.
 */
import { DAY_MS } from '../../shared/limits.ts';
import type { Evaluation } from '../api.ts';

/** Share of held-out windows in the band below which it is not calibrated. */
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
