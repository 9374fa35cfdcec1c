/** Hours of a group added up: exact, by Chan's formula, in any order and split in any way. */
import { fadeCoMoments, mergeCoMoments, startCoMoments } from '../../../shared/math/comoments.ts';
import { type GroupCoMoments, sameSeries } from '../../../shared/wire/co-moments.ts';

/** A set of the same series in the same windows without rows, to add to. */
export function emptyLike({ group, members, windowMs, featureVersion }: GroupCoMoments): GroupCoMoments {
  return {
    group,
    members,
    windowMs,
    featureVersion,
    seen: new Float64Array(members.length),
    coMoments: startCoMoments(members.length),
    lengthMs: 0,
    endMonotonicMs: 0,
    endWallMs: 0,
  };
}

/**
 * Adds a set; false where it is of other series. Members that had no value in it keep the mean that they have: what
 * they are is not known, and nothing is to be learned of how they moved.
 *
 * @param trust its rows count so much, 0 to 1
 */
export function addSet(to: GroupCoMoments, set: GroupCoMoments, trust = 1): boolean {
  if (!sameSeries(to, set)) return false;
  const { count, mean, products } = set.coMoments;
  const part = { count, mean: mean.slice(), products: products.slice() };
  for (let i = 0; i < mean.length; i++) {
    if (set.seen[i] === 0) part.mean[i] = to.coMoments.mean[i]!;
    // A level that is only known now: it never moved before, so that nothing is changed but where it stands.
    else if (to.seen[i] === 0) to.coMoments.mean[i] = mean[i]!;
    to.seen[i] = to.seen[i]! + trust * set.seen[i]!;
  }
  if (trust !== 1) fadeCoMoments(part, trust);
  mergeCoMoments(to.coMoments, part);
  return true;
}
