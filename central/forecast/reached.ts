/** From an outlook to a date: when its middle and the ends of its interval come to a bound. */
import { HOUR_MS } from '../../shared/limits.ts';
import type { CapacityForecast, Reached, SteppedOutlook } from './api.ts';

/** In units of the share: a disk is full before its last block. */
const TOUCH = 1e-6;
/** Further apart than this part of the time that is left, two forecasts whose intervals do not meet say different things. */
const DISAGREE_SHARE = 0.25;

type Bound = Pick<CapacityForecast, 'reaches' | 'bound'>;

/** Null where not even the unlikely end of the interval comes there. */
export function reachedIn(
  outlook: SteppedOutlook | null,
  { reaches, bound }: Bound,
  by: Reached['by'],
): Reached | null {
  if (outlook === null) return null;
  const down = reaches === 'empty';
  const first = down ? outlook.low : outlook.high;
  const last = down ? outlook.high : outlook.low;
  const at = (line: readonly number[]): number | null => crossing(line, bound, down, outlook);
  const earliestMs = at(first);
  if (earliestMs === null) return null;
  return { expectedMs: at(outlook.value), earliestMs, latestMs: at(last), by };
}

/** Hours see better what is near; what they do not see, days may. What only might come is not told. */
export function soonerOf(hours: Reached | null, days: Reached | null): Reached | null {
  if (hours !== null && hours.expectedMs !== null) return hours;
  if (days !== null && days.expectedMs !== null) return days;
  return null;
}

function crossing(
  line: readonly number[],
  bound: number,
  down: boolean,
  { firstMs, stepMs }: SteppedOutlook,
): number | null {
  const over = (value: number): boolean => (down ? value <= bound + TOUCH : value >= bound - TOUCH);
  const i = line.findIndex(over);
  if (i < 0) return null;
  const to = line[i]!;
  const from = line[i - 1];
  if (from === undefined || to === from) return firstMs + i * stepMs;
  const share = Math.min(1, Math.max(0, (bound - from) / (to - from)));
  return firstMs + (i - 1 + share) * stepMs;
}

/** In words; null where they agree or where one of them has nothing to say. */
export function disagreementOf(
  central: Reached | null,
  agent: CapacityForecast['agent'],
  horizonMs: number,
  nowMs: number,
): string | null {
  if (agent === null) return null;
  if (central === null || central.expectedMs === null) {
    const within = agent.expectedMs - nowMs < horizonMs / 2;
    return within ? 'The machine itself sees an end that its history here does not show: something is new.' : null;
  }
  const apart =
    agent.latestMs !== null && agent.latestMs < central.earliestMs
      ? 'sooner'
      : agent.earliestMs !== null && central.latestMs !== null && agent.earliestMs > central.latestMs
        ? 'later'
        : null;
  const distance = Math.abs(agent.expectedMs - central.expectedMs);
  const leftMs = Math.max(HOUR_MS, Math.min(agent.expectedMs, central.expectedMs) - nowMs);
  if (apart === null || distance < DISAGREE_SHARE * leftMs) return null;
  return apart === 'sooner'
    ? 'The machine itself expects it sooner, from its last hours; this looks at weeks.'
    : 'The machine itself expects it later, from its last hours; this looks at weeks.';
}
