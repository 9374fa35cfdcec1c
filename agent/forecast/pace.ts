/** How fast a stock fills, in the unit that people think in: a share of a disk says little, bytes an hour much. */
import { formatValue } from '../../shared/detect/wording.ts';
import type { SeriesKey } from '../../shared/series.ts';

/** Where the size of a whole is measured, by the metric that says which share of it is taken. */
const wholes: Readonly<Record<string, readonly [name: string, unit: string]>> = {
  'system.filesystem.utilization': ['system.filesystem.limit', 'By'],
  'system.memory.utilization': ['system.memory.limit', 'By'],
};

/** The series that says how much a share is a share of, or null. */
export function wholeOf({ name, attributes }: SeriesKey): SeriesKey | null {
  if (!Object.hasOwn(wholes, name)) return null;
  const [whole, unit] = wholes[name]!;
  const { 'system.memory.state': _state, ...others } = attributes;
  return { name: whole, unit, attributes: others };
}

/**
 * `1.2 GiB an hour`, `3 % a day`: by the hour what is fast, by the day what is not.
 * @param whole what the share is a share of, NaN where nobody knows
 */
export function paceOf(perDay: number, key: SeriesKey, whole: number): string {
  const known = whole > 0 && wholeOf(key) !== null;
  const unit = known ? wholeOf(key)!.unit : key.unit;
  const inDay = Math.abs(perDay) * (known ? whole : 1);
  // Where a tenth is taken in a day, hours matter.
  const byHour = Math.abs(perDay) >= FAST_PER_DAY || key.unit !== '1';
  return byHour ? `${formatValue(inDay / 24, unit)} an hour` : `${formatValue(inDay, unit)} a day`;
}

const FAST_PER_DAY = 0.1;
