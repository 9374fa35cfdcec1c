/** Which minute, hour and day a window belongs to. A window that ends at 13:00:00 belongs to the hour before. */
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';

export const HOURS_PER_DAY = 24;
/** Days whose daily rows lie in one value. */
export const DAYS_PER_BLOCK = 32;

export function minuteOf(endMs: number): number {
  return Math.max(0, Math.ceil(endMs / MINUTE_MS) - 1);
}

export function hourOf(endMs: number): number {
  return Math.floor(minuteOf(endMs) / 60);
}

/** The hour in which most of a rollup lies: one that was made without an estimate of UTC does not end on the hour. */
export function hourOfRollup(endMs: number, lengthMs: number): number {
  return hourOf(Math.max(1, endMs - Math.min(lengthMs, HOUR_MS) / 2));
}

export function hourEndMs(hour: number): number {
  return (hour + 1) * HOUR_MS;
}

export function dayOfHour(hour: number): number {
  return Math.floor(hour / HOURS_PER_DAY);
}

export function dayEndMs(day: number): number {
  return (day + 1) * DAY_MS;
}

/** Hours of the windows whose end lies in (fromMs, toMs], first and last inclusive; bounded to what keys can hold. */
export function hoursOf(fromMs: number, toMs: number): readonly [first: number, last: number] {
  const latest = 2 ** 32 * 1000;
  const from = Math.min(Math.max(0, fromMs), latest);
  const to = Math.min(Math.max(0, toMs), latest);
  return [Math.floor(from / HOUR_MS), to <= 0 ? 0 : hourOf(to)];
}
