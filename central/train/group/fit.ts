/**
 * Fits the model of a machine's groups: a PCA of the covariance that the hours add up to, and limits for T² and the
 * prediction error from the rows that the central has of these hours, by peaks over threshold.
 */
import type { Distances, GroupModelParams } from '../../../shared/detect/group-model.ts';
import { distances, startGroupModel } from '../../../shared/detect/group-model.ts';
import { trainReference } from '../../../shared/detect/group-reference.ts';
import { DAY_MS } from '../../../shared/limits.ts';
import type { AgentId, Store, TimeRange } from '../../store/store.ts';
import type { Knowledge } from '../knowledge.ts';
import { sorted } from '../robust.ts';
import { fitTail } from '../tail-fit.ts';
import { type GroupHistory, keptHours, sumHours } from './hours.ts';
import { principalAxes } from './principal.ts';
import { eachRow } from './rows.ts';

/** A day and its night, at least: a reference without a night calls each night unusual. */
const LEAST_HOURS = 24;
/** Rows for each series: with fewer, small eigenvalues say how few they were. */
const LEAST_ROWS_EACH = 10;
/** Rows that the limits are made of: with fewer, little is known of tails. */
const LEAST_LIMIT_ROWS = 500;
/** Two are the least that can be judged together. */
const LEAST_SERIES = 2;
/** Findings of groups are this share of what window models may make. */
const BUDGET_SHARE = 0.5;
/** Bits beyond what was seen that a tail may claim, and the rows after which it may claim half of them. */
const EXTRAPOLATION_BITS = 6;
const HALF_CLAIM_ROWS = 100;

export interface FitSource {
  readonly store: Pick<Store, 'coMoments' | 'query'>;
  readonly agent: AgentId;
  readonly findingsPerDay: number;
  readonly signal: AbortSignal;
}

export interface GroupFit {
  readonly groups: ReadonlyMap<string, GroupModelParams>;
  /** Groups without a model, and why. */
  readonly left: ReadonlyMap<string, string>;
}

export async function fitGroups(
  source: FitSource,
  groups: ReadonlyMap<string, GroupHistory>,
  knowledge: Knowledge,
  range: TimeRange,
): Promise<GroupFit> {
  const { store, agent, signal } = source;
  const kept = new Map([...groups].map(([name, group]) => [name, keptHours(agent, group, knowledge, range)]));
  const wanted = new Map([...groups].map(([name, { like }]) => [name, { like, trust: kept.get(name)!.trust }]));
  const sums = await sumHours(store, agent, range, wanted);
  const fitted = new Map<string, GroupModelParams>();
  const left = new Map<string, string>();
  for (const [name, { like }] of groups) {
    const { trust, isLeftOut } = kept.get(name)!;
    const sum = sums.get(name)!;
    const { members, windowMs } = like;
    const parts = members.filter((_, i) => !isLeftOut(i)).length;
    const problem = shortOf(trust.size, sum.count, parts);
    if (problem !== null) {
      left.set(name, problem);
      continue;
    }
    const reference = trainReference(sum, isLeftOut, principalAxes);
    const state = startGroupModel({ reference });
    const t2: number[] = [];
    const spe: number[] = [];
    const now: Distances = { t2: 0, spe: 0 };
    await eachRow({ store, agent, members, windowMs, hours: trust, signal }, range, (x, quality) => {
      if (!distances(state, x, quality, now)) return;
      t2.push(now.t2);
      spe.push(now.spe);
    });
    if (t2.length < LEAST_LIMIT_ROWS) {
      left.set(name, `${t2.length} windows of it are here; limits need ${LEAST_LIMIT_ROWS}`);
      continue;
    }
    const days = (t2.length * windowMs) / DAY_MS;
    fitted.set(name, {
      members,
      reference,
      t2: fitTail(sorted(t2), days),
      spe: fitTail(sorted(spe), days),
      capBits: Math.log2(t2.length + 1) + (EXTRAPOLATION_BITS * t2.length) / (t2.length + HALF_CLAIM_ROWS),
      findingBits: 60,
    });
  }
  return { groups: withBudget(source, groups, fitted), left };
}

/** Why there is too little to learn from, or null. */
function shortOf(hours: number, rows: number, parts: number): string | null {
  if (parts < LEAST_SERIES) return `${parts} of its series can be judged together; ${LEAST_SERIES} are the least`;
  if (hours < LEAST_HOURS) return `${hours} hours of it may be learned from; ${LEAST_HOURS} are the least`;
  const least = LEAST_ROWS_EACH * parts;
  return rows < least ? `${Math.round(rows)} windows of it may be learned from; ${least} are the least` : null;
}

function withBudget(
  { findingsPerDay }: FitSource,
  groups: ReadonlyMap<string, GroupHistory>,
  fitted: ReadonlyMap<string, GroupModelParams>,
): Map<string, GroupModelParams> {
  const perDay = [...fitted.keys()].reduce((sum, name) => sum + DAY_MS / groups.get(name)!.like.windowMs, 0);
  const findingBits = Math.min(60, Math.max(1, Math.log2(perDay / (BUDGET_SHARE * findingsPerDay))));
  return new Map([...fitted].map(([name, params]) => [name, { ...params, findingBits }]));
}
