/**
 * How the fleet's budget of notifications is shared out: pure.
 *
 * Half of it is everybody's alike, so that no machine is without a voice; half goes by need: what a machine's incidents
 * have lately paid or would have paid. A tenth is kept back for machines that come. What an agent holds, or may come to
 * hold because it was published to it and not confirmed, counts as held until the agent confirms another: an agent that
 * is offline goes on with its last share, so what it holds cannot be given to others. The sum of all that is held
 * therefore never passes the budget, whoever is offline, as far as it did not before.
 */

/** Shares of the budget: everybody's alike, by need, and kept back. */
const ALIKE = 0.45;
const BY_NEED = 0.45;
/** Nobody is told another share for less of a change than this. */
const WORTH_TELLING = 0.1;
/** What one that holds nothing yet gets of what is free at the least. */
const NEWCOMER = 0.5;
/** Needs weigh against this much of need that all have together. */
const COMMON_NEED = 1;

export interface Sharer {
  readonly id: string;
  /** Notifications that it paid or was refused lately; older ones count less. */
  readonly need: number;
  /** The most that it may be acting on now, a week; 0 before its first share. */
  readonly held: number;
}

/** What each would get if nobody were offline. */
export function targetsOf(sharers: readonly Sharer[], perWeek: number): Map<string, number> {
  const needed = sharers.reduce((sum, { need }) => sum + need, 0) + COMMON_NEED;
  return new Map(
    sharers.map(({ id, need }) => {
      const alike = (perWeek * ALIKE) / sharers.length;
      const byNeed = (perWeek * BY_NEED * (need + COMMON_NEED / sharers.length)) / needed;
      return [id, alike + byNeed] as const;
    }),
  );
}

/** Who is to be told which share now: those that give at once, those that get as far as something is free. */
export function changesOf(sharers: readonly Sharer[], perWeek: number): Map<string, number> {
  const targets = targetsOf(sharers, perWeek);
  const changes = new Map<string, number>();
  let free = perWeek - sharers.reduce((sum, { held }) => sum + held, 0);
  const wanting: (Sharer & { readonly target: number })[] = [];
  for (const sharer of sharers) {
    const target = targets.get(sharer.id)!;
    if (sharer.held === 0 || target > sharer.held * (1 + WORTH_TELLING)) wanting.push({ ...sharer, target });
    else if (target < sharer.held * (1 - WORTH_TELLING)) changes.set(sharer.id, target);
  }
  // Those without a voice first, then those that lack most.
  wanting.sort((a, b) => Number(a.held > 0) - Number(b.held > 0) || b.target - b.held - (a.target - a.held));
  for (const { id, held, target } of wanting) {
    if (free <= 0) break;
    const most = held === 0 ? free * NEWCOMER : free;
    const granted = Math.min(target - held, most);
    if (held > 0 && granted < held * WORTH_TELLING) continue;
    changes.set(id, held + granted);
    free -= granted;
  }
  return changes;
}
