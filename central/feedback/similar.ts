/**
 * What an incident looks like, from those that operators judged: nearest neighbours on contribution vectors. Pure.
 *
 * An incident is a vector of what its surprise came from: each series' share, and each metric's share whatever its
 * attributes, so that another pump's bearing is near to this one's. Near is judged by the cosine of two vectors. The
 * answer is "unknown" where nothing near was judged, or where those that are near disagree.
 */
import type { Incident } from '../../shared/findings.ts';
import type { Suggestion, Verdict } from './api.ts';

/** Share of the surprise by `s:` series or `n:` name of a metric. */
export type ContributionVector = Readonly<Record<string, number>>;

export interface Judged {
  readonly verdict: Verdict;
  readonly class: string | null;
  readonly vector: ContributionVector;
  readonly atMs: number;
}

/** Neighbours that are asked. */
const NEIGHBOURS = 4;
/** Cosine from which on a neighbour is near: about two thirds of the surprise came from the same. */
const NEAR = 0.65;
/** Share of the neighbours that must agree: three of four, two of three, not one of two. */
const AGREE = 0.6;
/** A metric counts more than which of its series: all of the same metrics, and none of the same series, is 0.72. */
const NAME_WEIGHT = 1.6;
/** Parts of a vector; the greatest are kept. */
const MOST_PARTS = 64;

type Explained = Pick<Incident, 'findings'>;

/** Of length 1; empty where nothing took part. */
export function contributionsOf({ findings }: Explained): ContributionVector {
  const parts = new Map<string, number>();
  const add = (name: string, weight: number): void => {
    if (weight > 0 && Number.isFinite(weight)) parts.set(name, (parts.get(name) ?? 0) + weight);
  };
  for (const { series, key, contribution, members = [] } of findings) {
    let left = 1;
    for (const member of members) {
      add(`s:${member.series}`, contribution * member.share);
      add(`n:${member.key.name}`, NAME_WEIGHT * contribution * member.share);
      left -= member.share;
    }
    add(`s:${series}`, contribution * Math.max(0, left));
    add(`n:${key.name}`, NAME_WEIGHT * contribution * Math.max(0, left));
  }
  const kept = [...parts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, MOST_PARTS);
  const length = Math.sqrt(kept.reduce((sum, [, weight]) => sum + weight * weight, 0));
  return length > 0 ? Object.fromEntries(kept.map(([name, weight]) => [name, weight / length])) : {};
}

/** Both of length 1. */
function cosine(a: ContributionVector, b: ContributionVector): number {
  let sum = 0;
  for (const [name, weight] of Object.entries(a)) sum += weight * (b[name] ?? 0);
  return sum;
}

/** Null where nobody has judged anything yet. */
export function suggest(vector: ContributionVector, judged: readonly Judged[]): Suggestion | null {
  if (judged.length === 0) return null;
  const near = judged
    .map((one) => ({ one, nearness: cosine(vector, one.vector) }))
    .filter(({ nearness }) => nearness >= NEAR)
    .sort((a, b) => b.nearness - a.nearness || b.one.atMs - a.one.atMs)
    .slice(0, NEIGHBOURS);
  const unknown = { verdict: 'unknown', class: null, agreeing: 0, similar: near.length } as const;
  const votes = new Map<string, number>();
  for (const { one } of near) votes.set(answerOf(one), (votes.get(answerOf(one)) ?? 0) + 1);
  const [first] = [...votes].sort(([, a], [, b]) => b - a);
  if (first === undefined || first[1] < AGREE * near.length) return unknown;
  const { one } = near.find((neighbour) => answerOf(neighbour.one) === first[0])!;
  return { verdict: one.verdict, class: one.class, agreeing: first[1], similar: near.length };
}

/** What a neighbour votes for: false alarms have no class, real ones of no class are one of their own. */
function answerOf({ verdict, class: name }: Judged): string {
  return `${verdict} ${name ?? ''}`;
}
