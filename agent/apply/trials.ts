/**
 * A new model is on trial: it is noted on the disk before it runs for the first time, and so is each start of the
 * process after that. Three starts without ten quiet minutes between them are a loop: the last good one is taken again,
 * and the refused hash is remembered. All are changes of the apply stage's state, without a clock of the wall: a machine
 * without one, and without a central, comes back all the same.
 */
import { MINUTE_MS } from '../../shared/limits.ts';
import { REPORTED_REVERTED, REVERTED_TEXT } from '../../shared/trust/reported.ts';
import type { ApplyState } from './state.ts';

/** Starts without a quiet time between them that are a loop. */
const LOOP_STARTS = 3;
/** A process that ran for so long does not loop. */
export const QUIET_MS = 10 * MINUTE_MS;
/** After so long a trial is over. */
export const TRIAL_MS = 24 * 60 * MINUTE_MS;

type Change = Partial<ApplyState>;

/** The release is about to run in the slot for the first time; so much memory was in use before it (null: unknown). */
export function trialOf(
  state: ApplyState,
  slot: string,
  releaseSha256: string,
  beforeBytes: number | null = null,
): Change {
  return { trials: { ...state.trials, [slot]: { releaseSha256, starts: 0, beforeBytes } } };
}

/** The trial of the slot, if it is of this release, has ended. */
export function withoutTrial(state: ApplyState, slot: string): Change {
  const { [slot]: _, ...trials } = state.trials;
  return { trials };
}

/** Nothing runs in the shadow of the slot any more; what came into force from there stays on trial. */
export function withoutShadow(state: ApplyState, slot: string): Change {
  const { [slot]: shadow, ...shadows } = state.shadows;
  const ofShadow = state.trials[slot]?.releaseSha256 === shadow?.releaseSha256;
  const isMain = state.slots[slot]?.current.releaseSha256 === shadow?.releaseSha256;
  return { shadows, ...(ofShadow && !isMain ? withoutTrial(state, slot) : {}) };
}

/** The process has started once more: counted for the slots that `isCounted` names. */
export function startCounted({ trials }: ApplyState, isCounted: (slot: string) => boolean = () => true): Change {
  const counted = Object.entries(trials).map(([slot, trial]) => [
    slot,
    isCounted(slot) ? { ...trial, starts: trial.starts + 1 } : trial,
  ]);
  return { trials: Object.fromEntries(counted) };
}

/** It ran for long enough, or was stopped as it should be. */
export function quiet({ trials }: ApplyState): Change {
  const counted = Object.entries(trials).map(([slot, trial]) => [slot, { ...trial, starts: 0 }]);
  return { trials: Object.fromEntries(counted) };
}

/** Slots the trial of which made the process loop. */
export function loopsOf({ trials }: ApplyState): { slot: string; releaseSha256: string; reason: string }[] {
  return Object.entries(trials)
    .filter(([, { starts }]) => starts >= LOOP_STARTS)
    .map(([slot, { releaseSha256, starts }]) => ({
      slot,
      releaseSha256,
      reason: `the agent started ${starts} times in a row, never for ${QUIET_MS / MINUTE_MS} min, since it came`,
    }));
}

/** The release is taken back: what ran before it runs again, and it never does. */
export function takenBack(
  state: ApplyState,
  slot: string,
  releaseSha256: string,
  reason: string,
  atMs: number,
): Change {
  const { [slot]: held, ...others } = state.slots;
  const { [slot]: shadow, ...otherShadows } = state.shadows;
  const before = held?.current.releaseSha256 === releaseSha256 ? held.previous : (held?.current ?? null);
  const one = { slot, releaseSha256, reason: reason.slice(0, REVERTED_TEXT), atMs };
  const earlier = state.reverted.filter((each) => each.releaseSha256 !== releaseSha256);
  return {
    ...withoutTrial(state, slot),
    shadows: shadow === undefined || shadow.releaseSha256 === releaseSha256 ? otherShadows : state.shadows,
    slots: before === null ? others : { ...others, [slot]: { current: before, previous: null } },
    reverted: [one, ...earlier].slice(0, REPORTED_REVERTED),
  };
}
