/**
 * Whether a challenger is to run: a pure function of the figures, with its reason in words. What is not better by a
 * stated margin does not run; what no longer finds faults that the champion finds, does not run however good its band.
 */
import { DAY_MS } from '../../shared/limits.ts';
import type { FaultKind, Judgement, Recall } from './api.ts';
import { misfitOf } from './calibration.ts';

/** Share of held-out windows in the band below which it is not calibrated. */
const LEAST_COVERAGE = 0.9;
/** By how much it may be missed where a single window was held out: the series of one minute are alike. */
const CHANCE_COVERAGE = 0.1;
/** Share by which a challenger's loss must be lower. */
const MARGIN = 0.02;
/**
 * By how much it may be higher where operators have judged incidents since: a band that is wider at the times of their false
 * alarms costs loss at all other days. What it no longer finds is held against it all the same.
 */
const TAUGHT_MARGIN = 0.1;
/** Share of series more that makes a champion stale. */
const MORE_SERIES = 0.05;
/** Findings beyond the budget that chance may make on little held-out time. */
const CHANCE_FINDINGS = 3;
const BUDGET_FACTOR = 5;

/** A faithful champion's faults that a challenger may lose, net of what it gains: of all, and of one kind. */
const INJECTED_MARGIN = 0.05;
const KIND_MARGIN = 0.2;
/** What chance may do between series is no loss; that much is one even in a single series. */
const CHANCE_DEVIATIONS = 2;
const MOST_INJECTED = 0.25;
const MOST_OF_KIND = 0.5;
/** Of more kinds it is said that it is less sensitive. */
const MOST_BLIND = 2;
/** Of incidents that operators called real: hardly any. */
const LABELLED_MARGIN = 0.1;
/** Share by which its loss may be higher over all origins, though it is lower on the held-out time. */
const ORIGINS_MARGIN = 0.05;

/** What is looked at. */
export type Evidence = Pick<
  Judgement,
  'heldOutFromMs' | 'heldOutToMs' | 'windows' | 'challenger' | 'champion' | 'recall' | 'labelled' | 'origins'
>;

interface Decision {
  readonly accepted: boolean;
  readonly reason: string;
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
export function decide(evidence: Evidence, standing: Standing): Decision {
  const { challenger, champion } = evidence;
  const spanMs = evidence.heldOutToMs - evidence.heldOutFromMs;
  const days = spanMs / DAY_MS;
  const seen = `${percent(challenger.coverage)} of ${evidence.windows} held-out windows lie in its band`;
  if (evidence.windows === 0) return refuse('There were no held-out windows to judge it on.');
  const misfit = misfitOf(challenger.pit);
  const band = misfit === null ? '' : ` Its band ${misfit}.`;
  const least = LEAST_COVERAGE - CHANCE_COVERAGE / Math.sqrt(Math.max(1, spanMs / standing.windowMs));
  // What is better than what runs need not be good.
  if (challenger.coverage < Math.min(least, champion?.coverage ?? 1)) {
    return refuse(`Not calibrated: ${seen}; ${percent(least)} are the least.${band}`);
  }
  const findings = challenger.findingsPerDay * days;
  const allowed = standing.findingsPerDay * days * BUDGET_FACTOR + CHANCE_FINDINGS;
  if (findings > Math.max(allowed, (champion?.findingsPerDay ?? 0) * days)) {
    const found = `${Math.round(findings)} findings on held-out time; the budget allows ${Math.round(allowed)}.`;
    return refuse(`Too loud: ${found}${band}`);
  }
  if (champion === null || standing.champion === null) return accept(`The first model, and calibrated: ${seen}.`);
  const name = `model ${standing.champion.version}`;
  if (standing.champion.outdated) return accept(`Calibrated, and ${name} is for features that are no longer made.`);
  const calibrated = champion.coverage >= least;
  // A champion that cries at everything finds every fault.
  if (calibrated && champion.findingsPerDay * days <= allowed) {
    const missed = lossOfRecall(evidence, name);
    if (missed !== null) return refuse(`${missed}${band}`);
  }
  const better = gainOf(challenger.pinball, champion.pinball) >= MARGIN;
  if (!better && !calibrated && challenger.coverage >= least) {
    return accept(
      `Calibrated (${percent(challenger.coverage)}), which ${name} no longer is (${percent(champion.coverage)}).`,
    );
  }
  return byLoss(evidence, standing, band);
}

function byLoss({ challenger, champion, origins }: Evidence, standing: Standing, band: string): Decision {
  const theirs = champion!.pinball;
  const gain = gainOf(challenger.pinball, theirs);
  const name = `model ${standing.champion!.version}`;
  const { taught = false } = standing.champion!;
  const loss = `its loss is ${challenger.pinball.toPrecision(3)} against ${theirs.toPrecision(3)} of ${name}`;
  if (gain < -(taught ? TAUGHT_MARGIN : MARGIN)) return refuse(`Not better by ${percent(MARGIN)}: ${loss}.${band}`);
  const worse = worseAtOrigins(origins);
  if (worse !== null) return refuse(`Not better from every place in time: ${worse}, though here ${loss}.${band}`);
  if (gain >= MARGIN) return accept(`Better: ${loss} (${percent(gain)} less).`);
  const { challengerSeries, challengerWindows } = standing;
  const { series, windows, incomplete } = standing.champion!;
  if (challengerSeries > series * (1 + MORE_SERIES)) {
    return accept(`No worse, and knows ${challengerSeries} series; ${name} knows ${series}.`);
  }
  if (taught) {
    const little = gain < -MARGIN ? `Little worse (${percent(-gain)})` : 'No worse';
    return accept(`${little}, and knows what operators said since ${name} learned.`);
  }
  if (incomplete) return accept(`No worse, and ${name} was trained on an incomplete window.`);
  if (challengerWindows >= 2 * windows) return accept(`No worse, and learned from twice the history of ${name}.`);
  return refuse(`Not better by ${percent(MARGIN)}: ${loss}.${band}`);
}

function gainOf(ours: number, theirs: number): number {
  return theirs > 0 ? 1 - ours / theirs : 0;
}

/** Null where it finds what the champion finds. */
function lossOfRecall({ recall, labelled }: Evidence, name: string): string | null {
  if (labelled.lost - labelled.gained > LABELLED_MARGIN * labelled.cases) {
    const counts = `it finds ${labelled.challenger.found}, ${name} ${labelled.champion?.found ?? 0}`;
    return `Misses what operators called real: of ${labelled.cases} incidents ${counts}.`;
  }
  const blind = recall.filter((of) => of.kind !== null && isLoss(of, KIND_MARGIN, MOST_OF_KIND));
  const less = recall.filter((of) => of.kind === null && isLoss(of, INJECTED_MARGIN, MOST_INJECTED));
  // Where it misses much of most kinds, it is not these kinds that it is blind to.
  const [worst] = blind.length > 0 && blind.length <= MOST_BLIND ? blind : less;
  if (worst === undefined) return null;
  const { kind, cases, challenger, champion } = worst;
  const what = kind === null ? 'Less sensitive' : `Blind to ${faultWords[kind]}`;
  const margin = kind === null ? INJECTED_MARGIN : KIND_MARGIN;
  const found = `of ${cases} injected faults it finds ${challenger.found}, ${name} ${champion?.found ?? 0}`;
  return `${what}: ${found}; ${percent(margin)} fewer are the most that may be.`;
}

const faultWords: Readonly<Record<FaultKind, string>> = {
  spike: 'spikes',
  shift: 'level shifts',
  drift: 'drift',
  stuck: 'values that are stuck',
  variance: 'changes of variance',
  season: 'broken seasons',
};

function isLoss({ cases, lost, gained, deviation }: Recall, margin: number, most: number): boolean {
  const net = lost - gained;
  return net > most * cases || (net > margin * cases && net > CHANCE_DEVIATIONS * deviation);
}

/** In words, where over all origins its loss is higher; null where it is not, or there is but one. */
function worseAtOrigins(origins: Evidence['origins']): string | null {
  const compared = origins.filter(({ champion }) => champion !== null && champion.pinball > 0);
  if (compared.length < 2) return null;
  // Each origin counts the same, however long it is judged.
  const ratio =
    compared.reduce((sum, { challenger, champion }) => sum + challenger.pinball / champion!.pinball, 0) /
    compared.length;
  if (ratio <= 1 + ORIGINS_MARGIN) return null;
  return `over ${compared.length} origins its loss is ${percent(ratio - 1)} higher`;
}

function accept(reason: string): Decision {
  return { accepted: true, reason };
}

function refuse(reason: string): Decision {
  return { accepted: false, reason };
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
