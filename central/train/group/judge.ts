/**
 * Models of groups on hours that neither has learned from: the share of rows within the limits that hold 98 %, findings,
 * and how well the covariance was foreseen. That is the logarithmic score of a normal distribution (Dawid and Sebastiani
 * 1999) as a factor: by how much a series is off for each row, in the scales of the champion, or of the challenger where
 * there is none; 1 where all are independent and as wide as was said. Lower is better. Into every thirtieth row a
 * level shift is put, into one series after another, and it is counted who finds it.
 */

import { measured } from '../../../shared/detect/group-measure.ts';
import {
  emptyGroupVerdict,
  type GroupModelParams,
  type GroupModelState,
  hasPart,
  scoreGroup,
  startGroupModel,
} from '../../../shared/detect/group-model.ts';
import { TIGHT_FLOOR } from '../../../shared/detect/group-state.ts';
import { DAY_MS } from '../../../shared/limits.ts';
import type { Judgement, Recall, ReportFigures } from '../../evaluate/api.ts';
import type { TimeRange } from '../../store/store.ts';
import { BAND_COVERAGE } from '../seasonal.ts';
import type { FitSource } from './fit.ts';
import { eachRow } from './rows.ts';

const BAND_BITS = -Math.log2(1 - BAND_COVERAGE);
/** One absurd row weighs no more than this, for each series. */
const LARGEST_SCORE = 50;
/** A level shift is put into one row of so many, as many scales of the series high. */
const SHIFT_EVERY = 30;
const SHIFT_SCALES = 4;

interface Tally {
  windows: number;
  inside: number;
  score: number;
  scores: number;
  findings: number;
}

class Judged {
  readonly tally: Tally;
  readonly #params: GroupModelParams;
  readonly #state: GroupModelState;
  readonly #scales: readonly number[];
  readonly #verdict = emptyGroupVerdict();
  #outside = false;

  /** @param scales in which the score is told; null: it is not compared */
  constructor(params: GroupModelParams, scales: readonly number[] | null, tally: Tally) {
    this.#params = params;
    this.#state = startGroupModel(params);
    this.#scales = scales ?? [];
    this.tally = tally;
  }

  row(x: Float64Array, quality: Uint8Array): void {
    const verdict = this.#verdict;
    scoreGroup(this.#params, this.#state, x, quality, verdict);
    if (!verdict.ready) return;
    const { tally } = this;
    tally.windows++;
    if (verdict.bits < BAND_BITS) tally.inside++;
    // A finding that lasts is one finding.
    if (verdict.finding && !this.#outside) tally.findings++;
    this.#outside = verdict.finding;
    if (this.#scales.length === 0) return;
    tally.score += this.#score();
    tally.scores++;
  }

  /** Whether it would call this row a finding; it is counted nowhere. */
  finds(x: Float64Array, quality: Uint8Array): boolean {
    scoreGroup(this.#params, this.#state, x, quality, this.#verdict);
    return this.#verdict.finding;
  }

  /** Of the row that was just measured, for one series. */
  #score(): number {
    const { eigenvalues, loadings, series, scale } = this.#state;
    let parts = 0;
    let sum = 0;
    for (let i = 0; i < series; i++) {
      if (!hasPart(this.#state, i)) continue;
      parts++;
      sum += 2 * Math.log(scale[i]! / this.#scales[i]!);
    }
    for (let r = 0; r < series; r++) {
      let t = 0;
      for (let i = 0; i < series; i++) t += loadings[r * series + i]! * measured.z[i]!;
      const variance = eigenvalues[r]! + TIGHT_FLOOR;
      // What is left out has no variance, and none was expected of it.
      sum += eigenvalues[r] === 0 && t === 0 ? 0 : Math.log(variance) + (t * t) / variance;
    }
    return Math.min(LARGEST_SCORE, sum / (2 * Math.max(1, parts)));
  }
}

export interface GroupContest {
  readonly challenger: ReadonlyMap<string, GroupModelParams>;
  readonly champion: ReadonlyMap<string, GroupModelParams> | null;
  readonly windowMs: number;
  /** Hours of each group that may be judged on. */
  readonly hours: ReadonlyMap<string, ReadonlyMap<number, unknown>>;
}

/** Whether two models of a group are about the same series. */
export function sameGroup(a: GroupModelParams | undefined, b: GroupModelParams | undefined): boolean {
  return a !== undefined && b !== undefined && a.members.join() === b.members.join();
}

/** What of a judgement is not the figures. */
export type Judging = Pick<Judgement, 'championVersion' | 'findingsPerDay'>;

export async function judgeGroups(
  source: FitSource,
  contest: GroupContest,
  range: TimeRange,
  about: Judging,
): Promise<Judgement> {
  const { challenger, champion, windowMs, hours } = contest;
  const ours = emptyTally();
  const theirs = emptyTally();
  const shifts = { cases: 0, ours: 0, theirs: 0, lost: 0, gained: 0 };
  let rows = 0;
  let firstMs = Number.POSITIVE_INFINITY;
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const [name, params] of challenger) {
    const other = champion?.get(name);
    const both = sameGroup(params, other);
    const { scale } = (both ? other! : params).reference;
    const scales = champion === null || both ? scale : null;
    const mine = new Judged(params, scales, ours);
    const old = both ? new Judged(other!, scales, theirs) : null;
    const shown = { scale: Float64Array.from(scale) };
    const parts = scale.flatMap((_, i) => (hasPart(shown, i) ? [i] : []));
    const of = { ...source, members: params.members, windowMs, hours: hours.get(name) ?? new Map() };
    await eachRow(of, range, (x, quality, timeMs) => {
      rows++;
      firstMs = Math.min(firstMs, timeMs - windowMs);
      lastMs = Math.max(lastMs, timeMs);
      mine.row(x, quality);
      old?.row(x, quality);
      if (rows % SHIFT_EVERY !== 0 || (champion !== null && old === null)) return;
      const i = parts[(rows / SHIFT_EVERY) % parts.length]!;
      x[i] = x[i]! + SHIFT_SCALES * scale[i]!;
      const [we, they] = [mine.finds(x, quality), old?.finds(x, quality) ?? false];
      shifts.cases++;
      if (we) shifts.ours++;
      if (they) shifts.theirs++;
      if (they && !we) shifts.lost++;
      if (we && !they) shifts.gained++;
    });
  }
  const days = Math.max(windowMs, lastMs - firstMs) / DAY_MS;
  const { cases, lost, gained } = shifts;
  const found = {
    cases,
    challenger: { found: shifts.ours, delayMs: null },
    champion: champion === null ? null : { found: shifts.theirs, delayMs: null },
  };
  const recall: Recall = { kind: 'shift', ...found, lost, gained, deviation: Math.sqrt(lost + gained) };
  const none = { found: 0, delayMs: null };
  return {
    ...about,
    windowMs,
    heldOutFromMs: range.fromMs,
    heldOutToMs: range.toMs,
    bandLevel: BAND_COVERAGE,
    windows: rows,
    series: [...challenger.values()].reduce((sum, { members }) => sum + members.length, 0),
    sampled: 0,
    challenger: figures(ours, days),
    champion: champion === null ? null : figures(theirs, days),
    injected: cases === 0 ? [] : [{ kind: 'shift', size: SHIFT_SCALES, ...found }],
    recall: cases === 0 || champion === null ? [] : [recall],
    // Hours of these are not judged on at all.
    labelled: { cases: 0, challenger: none, champion: champion && none, lost: 0, gained: 0 },
    origins: [],
    worst: [],
  };
}

function emptyTally(): Tally {
  return { windows: 0, inside: 0, score: 0, scores: 0, findings: 0 };
}

function figures({ windows, inside, score, scores, findings }: Tally, days: number): ReportFigures {
  return {
    windows,
    coverage: windows === 0 ? 0 : inside / windows,
    pinball: scores === 0 ? 0 : Math.exp(score / scores),
    findingsPerDay: findings / days,
    falseIncidentsPerWeek: (7 * findings) / days,
    pit: null,
    levels: [],
  };
}
