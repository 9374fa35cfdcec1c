/**
 * What can be at all, from the unit and the name: nothing is colder than absolute zero, no relative humidity is above
 * 100 %, no share outside of 0 to 1. What an operator or an input states goes before it; of what the kernel counts its
 * input knows best.
 */
import type { SeriesDefinition } from '../series.ts';
import { isMeasured } from './measured.ts';

export interface PhysicalBounds {
  readonly min: number;
  readonly max: number;
}

const unbounded: PhysicalBounds = { min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY };

/** By UCUM unit. */
const byUnit: Readonly<Record<string, PhysicalBounds>> = {
  Cel: { min: -273.15, max: Number.POSITIVE_INFINITY },
  K: { min: 0, max: Number.POSITIVE_INFINITY },
  '[degF]': { min: -459.67, max: Number.POSITIVE_INFINITY },
  '[pH]': { min: 0, max: 14 },
  By: { min: 0, max: Number.POSITIVE_INFINITY },
  'By/s': { min: 0, max: Number.POSITIVE_INFINITY },
  lx: { min: 0, max: Number.POSITIVE_INFINITY },
};

/** A sensor at saturation is rounded up; a share is of two readings that are not of one moment. */
const ROUNDED_PERCENT = 100.4;
const ROUNDED_SHARE = 1.05;

const humidity = /(^|[._-])(relative[._-])?(humidity|rh)$/i;
const share = /(^|[._-])(utili[sz]ation|share|fraction)$/i;
const count = /^\{[^{}]*\}(\/s)?$/;
/** A difference of two of its kind may be below 0. */
const difference = /(^|[._-])(difference|delta|change|offset|balance|error|deviation)($|[._-])/i;

/** The bounds of a series: the stated ones, else those of its unit and name. */
export function physicalBounds({ name, unit, min, max }: SeriesDefinition): PhysicalBounds {
  const natural = isMeasured({ name }) ? naturalBounds(name, unit) : unbounded;
  return { min: min ?? natural.min, max: max ?? natural.max };
}

function naturalBounds(name: string, unit: string): PhysicalBounds {
  if (difference.test(name)) return unbounded;
  if (humidity.test(name)) {
    if (unit === '%') return { min: 0, max: ROUNDED_PERCENT };
    if (unit === '1') return { min: 0, max: unbounded.max };
  }
  if (unit === '1' && share.test(name)) return { min: 0, max: ROUNDED_SHARE };
  if (count.test(unit)) return { min: 0, max: unbounded.max };
  return Object.hasOwn(byUnit, unit) ? byUnit[unit]! : unbounded;
}
