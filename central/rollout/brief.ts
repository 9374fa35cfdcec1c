/** A rollout as a list has it: counted, and with the members that matter first; a cohort may have thousands. */
import type { ListedRollout, Rollout, RolloutMember } from '../api.ts';

/** With at most so many members: those that were lost first, then canaries, then by name. */
export function briefOf(rollout: Rollout, most: number): ListedRollout {
  const all = Object.values(rollout.members);
  const rank = ({ lost, canary, out }: RolloutMember): number => (lost ? 0 : canary ? 1 : out === null ? 2 : 3);
  const sorted = all.sort((a, b) => rank(a) - rank(b) || (a.agent < b.agent ? -1 : 1));
  const count = (is: (member: RolloutMember) => boolean): number => all.filter(is).length;
  return {
    ...rollout,
    members: Object.fromEntries(sorted.slice(0, most).map((member) => [member.agent, member])),
    counts: {
      machines: all.length,
      canary: count(({ canary, out }) => canary && out === null),
      applied: count(({ applied }) => applied),
      out: count(({ out }) => out !== null),
    },
  };
}
