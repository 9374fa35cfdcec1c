/**
 * The life of a model version: a pure state machine. What does not fit its state changes nothing, so that reports may
 * come late, twice or in any order.
 *
 *   challenger ─┬─► rejected
 *               └─► staged ─► published ─┬─► applied ◄─┐
 *                                        └─► refused ──┘
 *
 *   staged, published, applied, refused ──► superseded, reverted ──► published, applied (rolled back to)
 *
 * How many machines it reaches, and when, is decided by `rollout/stages.ts`.
 */
import type { ModelVersion } from './api.ts';

export type ModelState = ModelVersion['state'];

export type RolloutEvent =
  | { readonly type: 'evaluated'; readonly accepted: boolean; readonly reason: string }
  /** It is tried in a rollout before it is in force. */
  | { readonly type: 'staged'; readonly reason: string }
  /** It is to run from now on. */
  | { readonly type: 'placed'; readonly reason: string }
  /** It was tried, and is no good. */
  | { readonly type: 'reverted'; readonly reason: string }
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
    case 'staged':
      return state === 'challenger' ? { state: 'staged', reason: event.reason } : null;
    case 'placed':
      if (state !== 'staged' && state !== 'superseded' && state !== 'reverted') return null;
      return { state: 'published', reason: event.reason };
    case 'reverted':
      if (state === 'challenger' || state === 'rejected' || state === 'superseded' || state === 'reverted') return null;
      return { state: 'reverted', reason: event.reason };
    case 'applied':
      if (state === 'published' || state === 'refused') return { state: 'applied', reason: null };
      return state === 'superseded' ? { state: 'applied', reason: 'Runs again.' } : null;
    case 'refused':
      return state === 'published' ? { state: 'refused', reason: event.reason } : null;
    case 'superseded':
      if (state !== 'staged' && state !== 'published' && state !== 'applied' && state !== 'refused') return null;
      return { state: 'superseded', reason: `Replaced by model ${event.by}.` };
  }
}
