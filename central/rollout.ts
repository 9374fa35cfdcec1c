/**
 * The life of a model version: a pure state machine. What does not fit its state changes nothing, so that reports may
 * come late, twice or in any order.
 *
 *   challenger ─┬─► rejected
 *               └─► published ─┬─► applied ◄─┐
 *                              └─► refused ──┘      published, applied, refused ──► superseded ──► applied (rolled back)
 */
import type { ModelVersion } from './api.ts';

export type ModelState = ModelVersion['state'];

export type RolloutEvent =
  | { readonly type: 'evaluated'; readonly accepted: boolean; readonly reason: string }
  /** The agent reports that it runs this version. */
  | { readonly type: 'applied' }
  /** The agent reports that it will not run it. */
  | { readonly type: 'refused'; readonly reason: string }
  /** The agent runs, or is told to run, another version. */
  | { readonly type: 'superseded'; readonly by: number };

export interface Transition {
  readonly state: ModelState;
  /** What is to be said of it; null: what was said before holds. */
  readonly reason: string | null;
}

/** The state after an event, or null where the event changes nothing. */
export function advance(state: ModelState, event: RolloutEvent): Transition | null {
  switch (event.type) {
    case 'evaluated':
      if (state !== 'challenger') return null;
      return { state: event.accepted ? 'published' : 'rejected', reason: event.reason };
    case 'applied':
      if (state === 'published' || state === 'refused') return { state: 'applied', reason: null };
      return state === 'superseded' ? { state: 'applied', reason: 'Runs again.' } : null;
    case 'refused':
      return state === 'published' ? { state: 'refused', reason: event.reason } : null;
    case 'superseded':
      if (state !== 'published' && state !== 'applied' && state !== 'refused') return null;
      return { state: 'superseded', reason: `Replaced by model ${event.by}.` };
  }
}
