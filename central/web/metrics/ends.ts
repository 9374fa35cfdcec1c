/** When something comes to its end, in words: `full on Thursday 14:00 ± 5 h`. Pure. */
import type { CapacityForecast, Reached } from '../../forecast/api.ts';
import { DAY_MS, formatDay, formatMinute, formatSpan, HOUR_MS } from '../time.ts';

const verbs: Readonly<Record<CapacityForecast['reaches'], string>> = {
  full: 'full',
  empty: 'empty',
  peak: 'over 90 % at its peak',
};
/** Further away the hour says nothing. */
const HOURS_MATTER_MS = 7 * DAY_MS;

/** `Thursday 14:00` within a week, then `3 Jan`. */
export function formatEnd(ms: number, zone: string, nowMs: number): string {
  if (ms - nowMs >= HOURS_MATTER_MS - DAY_MS) return formatDay(ms, zone);
  const hour = Math.round(ms / HOUR_MS) * HOUR_MS;
  return `${new Intl.DateTimeFormat('en-GB', { weekday: 'long', timeZone: zone }).format(hour)} ${formatMinute(hour, zone)}`;
}

export function endText(reached: Reached, reaches: CapacityForecast['reaches'], zone: string, nowMs: number): string {
  const { expectedMs, earliestMs, latestMs } = reached;
  const verb = verbs[reaches];
  if (expectedMs === null) return `${verb} at the earliest on ${formatEnd(earliestMs, zone, nowMs)}`;
  if (expectedMs <= nowMs) return `${verb} now`;
  const text = `${verb} on ${formatEnd(expectedMs, zone, nowMs)}`;
  const early = expectedMs - earliestMs;
  if (latestMs === null) return `${text}, ${formatSpan(early)} sooner or much later`;
  return `${text} ± ${formatSpan(Math.max(HOUR_MS, early, latestMs - expectedMs))}`;
}

/** Nearer than this is told in the colour of warnings. */
export function isSoon({ expectedMs, earliestMs }: Reached, nowMs: number): boolean {
  return (expectedMs ?? earliestMs) - nowMs < HOURS_MATTER_MS;
}
