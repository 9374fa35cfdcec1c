/**
 * Times of the day at which more is usual than at others, as operators said of false alarms that came then: the scale
 * of a seasonal model is so many times as large. At all other times the model is as sharp as before. Pure.
 */
import { DAY_MS } from '../limits.ts';
import { integerOf, invalid, type JsonObject, numberOf, objectOf } from '../trust/strict.ts';
import { isWeekend, timeOfDayMs } from './civil.ts';

/** Steps of a day in which they are said: quarters of an hour. */
export const ALLOWANCE_STEPS = 96;
/** Of one series. */
export const MOST_ALLOWANCES = 8;
/** The scale is never larger than this many times. */
export const WIDEST = 50;
/** Of findings of groups it is bits that are allowed: so many times these. */
export const TOGETHER_BITS = 8;

export interface Allowance {
  /** Quarter-hour of the local day in which it begins, and how many it lasts; it may go over midnight. */
  readonly from: number;
  readonly steps: number;
  /** 0: all days; 1: Monday to Friday; 2: weekends. Of the day that the time itself lies in. */
  readonly days: number;
  /** How many times as large the scale is above and below what is expected; 1: as always. */
  readonly upper: number;
  readonly lower: number;
}

/** How many times as large the scale is on one side, at a local time. */
export function widened(allowances: readonly Allowance[] | undefined, local: number, above: boolean): number {
  let times = 1;
  if (allowances === undefined) return times;
  for (const allowance of allowances) {
    const side = above ? allowance.upper : allowance.lower;
    if (side > times && isWithin(allowance, local)) times = side;
  }
  return times;
}

function isWithin({ from, steps, days }: Allowance, local: number): boolean {
  if (days !== 0 && (days === 2) !== isWeekend(local)) return false;
  const step = Math.floor((timeOfDayMs(local) / DAY_MS) * ALLOWANCE_STEPS);
  return (step - from + ALLOWANCE_STEPS) % ALLOWANCE_STEPS < steps;
}

/** From JSON. Throws `payload.invalid` naming the field. */
export function parseAllowance(json: unknown, at: string): Allowance {
  const { from, steps, days, upper, lower }: JsonObject = objectOf(json, at);
  return {
    from: integerOf(from, `${at}.from`, 0, ALLOWANCE_STEPS - 1),
    steps: integerOf(steps, `${at}.steps`, 1, ALLOWANCE_STEPS),
    days: integerOf(days, `${at}.days`, 0, 2),
    upper: numberOf(upper, `${at}.upper`, 1, WIDEST),
    lower: numberOf(lower, `${at}.lower`, 1, WIDEST),
  };
}

/** Throws `payload.invalid` naming what is out of bounds. */
export function checkAllowances(allowances: readonly Allowance[], at: string): void {
  if (allowances.length > MOST_ALLOWANCES) invalid(at, `are ${allowances.length}; ${MOST_ALLOWANCES} at most`);
  allowances.forEach((allowance, i) => void parseAllowance(allowance, `${at}[${i}]`));
}
