/** What a report says of one version: whether the agent will not run it, and what it found beside the other. */
import type { Reported } from '../../shared/trust/messages.ts';
import type { ModelVersion, RolloutFigures } from '../api.ts';

/** Refusals that pass by themselves: the agent tries again. */
const passing: readonly string[] = ['blob.mismatch', 'disk.full', 'store.failed'];

/** Why the agent does not run the version, for good; null where it does, or may yet. */
export function lostOf({ reverted = [], refusals, beside = [] }: Reported, model: ModelVersion): string | null {
  const { releaseSha256 } = model;
  const taken = reverted.find((each) => each.releaseSha256 === releaseSha256);
  if (taken !== undefined) return `taken back: ${taken.reason}`;
  const names = [`release:${releaseSha256}`, `content:${model.contentSha256}`];
  const refused = refusals.find(({ what, code }) => names.includes(what) && !passing.includes(code));
  if (refused !== undefined) return `${refused.code}: ${refused.message}`;
  const dropped = beside.find((each) => each.besideSha256 === releaseSha256)?.dropped;
  return dropped === undefined ? null : `dropped in the shadow: ${dropped}`;
}

/** The comparison, whichever of the two is new; null where there is none. */
export function besideOf({ beside = [] }: Reported, { releaseSha256 }: ModelVersion): RolloutFigures | null {
  for (const each of beside) {
    const { windows, agreed } = each;
    if (each.besideSha256 === releaseSha256) {
      return {
        windows,
        agreed,
        newFindings: each.besideFindings,
        oldFindings: each.mainFindings,
        newOutside: each.besideOutside,
        oldOutside: each.mainOutside,
        newMs: each.besideMs,
        oldMs: each.mainMs,
      };
    }
    if (each.mainSha256 === releaseSha256) {
      return {
        windows,
        agreed,
        newFindings: each.mainFindings,
        oldFindings: each.besideFindings,
        newOutside: each.mainOutside,
        oldOutside: each.besideOutside,
        newMs: each.mainMs,
        oldMs: each.besideMs,
      };
    }
  }
  return null;
}
