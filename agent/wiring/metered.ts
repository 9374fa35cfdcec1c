/** What a budget of the uplink says to those who use the line beside the records. */
import type { Clock, Timers } from '../../shared/clock.ts';
import type { LiveShare } from '../live.ts';
import type { UplinkBudget } from '../uplink/budget.ts';

/** Between two values of a watch. */
const WATCH_EVERY_MS = 5_000;
/** Headers, TLS and TCP of a message at QoS 0. */
const MESSAGE_BYTES = 250;
/** A share is looked at again as often, at least. */
const LONGEST_WAIT_MS = 600_000;

export function backlogRate(budget: UplinkBudget | null, configured: number): number | (() => number) {
  return budget === null ? configured : () => Math.min(configured, budget.backlogBytesPerS);
}

/** Attempts to connect are spread out where each takes its part of a small budget: some at once, the others in time. */
export function mayConnect(budget: UplinkBudget, clock: Clock): () => boolean {
  return () => {
    const nowMs = clock.monotonicMs();
    if (budget.exhausted || budget.connections.waitMs(budget.connectionBytes, nowMs) > 0) return false;
    budget.connections.spend(budget.connectionBytes, nowMs);
    return true;
  };
}

export function liveShare(budget: UplinkBudget, clock: Clock): LiveShare {
  return {
    everyMs: WATCH_EVERY_MS,
    refusal() {
      if (!budget.exhausted && budget.watch.waitMs(1, clock.monotonicMs()) === 0) return null;
      return 'the part of the uplink budget that is for live values is used up; it grows again (uplink)';
    },
    spend: (sizeBytes) => budget.watch.spend(sizeBytes + MESSAGE_BYTES, clock.monotonicMs()),
  };
}

/** A model is fetched when all of it has room: half a model helps nobody. */
export function affordableModels(
  budget: UplinkBudget,
  clock: Clock,
  timers: Timers,
): (sizeBytes: number, signal: AbortSignal) => Promise<void> {
  return async (sizeBytes, signal) => {
    const wholeBytes = sizeBytes * 1.1 + 1_000;
    for (;;) {
      signal.throwIfAborted();
      const waitMs = budget.models.waitMs(wholeBytes, clock.monotonicMs());
      if (waitMs === 0) break;
      await waited(timers, Math.min(waitMs, LONGEST_WAIT_MS), signal);
    }
    budget.models.spend(wholeBytes, clock.monotonicMs());
  };
}

/** Resolves after the time, or when it is aborted. */
function waited(timers: Timers, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      timers.cancel(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = timers.after(ms, end);
    signal.addEventListener('abort', end, { once: true });
  });
}
