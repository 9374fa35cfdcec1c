/** Bad data in words. English; pure. */
import { describeSeries, describeSpan, formatRange, formatValue } from '../../shared/detect/wording.ts';
import type { SeriesKey } from '../../shared/series.ts';

/** `boiler.temperature (boiler): -127 °C is an error value of the sensor and no measurement, usual is 58–64 °C` */
export function impossibleWords(
  key: SeriesKey,
  seen: number,
  bounds: { readonly min: number; readonly max: number },
  usual: { readonly low: number; readonly high: number } | null,
): string {
  const value = `${describeSeries(key)}: ${formatValue(seen, key.unit)}`;
  const range = usual === null ? '' : `, usual is ${formatRange(usual.low, usual.high, key.unit)}`;
  if (seen < bounds.min)
    return `${value} cannot be, the least possible is ${formatValue(bounds.min, key.unit)}${range}`;
  if (seen > bounds.max) return `${value} cannot be, the most possible is ${formatValue(bounds.max, key.unit)}${range}`;
  return `${value} is an error value of the sensor and no measurement${range}`;
}

export function frozenWords(key: SeriesKey, seen: number, forMs: number): string {
  return `${describeSeries(key)} stuck at ${formatValue(seen, key.unit)} for ${describeSpan(forMs)} while its peers moved`;
}

export interface Reading {
  readonly key: SeriesKey;
  readonly seen: number;
}

export function disagreeWords(a: Reading, b: Reading, within: number): string {
  const one = ({ key, seen }: Reading): string => `${describeSeries(key)} ${formatValue(seen, key.unit)}`;
  return `two sensors disagree: ${one(a)} and ${one(b)}, usually within ${formatValue(within, a.key.unit)}`;
}

export function lateWords(source: string, words: string): string {
  return `the data of ${source} ${words}`;
}

export function silentWords(source: string, forMs: number): string {
  return `no data from ${source} for ${describeSpan(forMs)}`;
}

export function goneWords(key: SeriesKey, hereMs: number): string {
  return `${describeSeries(key)} is gone: it had been here for ${describeSpan(hereMs)} and did not come back`;
}

export function jumpWords(byMs: number): string {
  return `the clock was set ${byMs > 0 ? 'forward' : 'back'} by ${formatValue(Math.abs(byMs) / 1000, 's')}`;
}

export function wrongClockWords(byMs: number): string {
  return `the clock is ${formatValue(Math.abs(byMs) / 1000, 's')} ${byMs > 0 ? 'ahead of' : 'behind'} the central's`;
}
