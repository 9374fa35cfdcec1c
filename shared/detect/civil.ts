/**
 * Civil time without a time zone database: a table of UTC offsets, made by the central from the site's IANA zone,
 * travels in the model, so that both sides read the same clock whatever their databases say.
 */
import { DAY_MS } from '../limits.ts';
import { invalid, listOf, numberOf, objectOf } from '../trust/strict.ts';

/** Offsets of local time from UTC; entry i holds from `fromMs[i]` (Unix ms, rising) on, the first one also before. */
export interface ZoneOffsets {
  readonly fromMs: readonly number[];
  readonly offsetMs: readonly number[];
}

export const utcZone: ZoneOffsets = { fromMs: [0], offsetMs: [0] };

/** Most entries of a table: 16 years of summer time. */
export const ZONE_ENTRIES = 32;

/** Milliseconds that local time is ahead of UTC at that moment. */
export function offsetAt(zone: ZoneOffsets, utcMs: number): number {
  let i = zone.fromMs.length - 1;
  while (i > 0 && zone.fromMs[i]! > utcMs) i--;
  return zone.offsetMs[i] ?? 0;
}

/** Local time as milliseconds since 1970-01-01 00:00 local: only for the two functions below. */
export function localMs(zone: ZoneOffsets, utcMs: number): number {
  return utcMs + offsetAt(zone, utcMs);
}

/** Milliseconds since local midnight. */
export function timeOfDayMs(local: number): number {
  return local - Math.floor(local / DAY_MS) * DAY_MS;
}

/** Saturday or Sunday. 1970-01-01 was a Thursday. */
export function isWeekend(local: number): boolean {
  const day = (((Math.floor(local / DAY_MS) + 4) % 7) + 7) % 7;
  return day === 0 || day === 6;
}

/** A table of offsets from JSON that nobody vouches for. Throws `payload.invalid` naming the field. */
export function parseZone(json: unknown, where: string): ZoneOffsets {
  const from = objectOf(json, where);
  const fromMs = listOf(from.fromMs, `${where}.fromMs`, ZONE_ENTRIES, (item, at) => numberOf(item, at));
  const offsetMs = listOf(from.offsetMs, `${where}.offsetMs`, ZONE_ENTRIES, (item, at) => numberOf(item, at));
  const zone = { fromMs, offsetMs };
  checkZone(zone, where);
  return zone;
}

/** Throws `payload.invalid` where a table is empty, does not rise or moves clocks by more than a day. */
export function checkZone(zone: ZoneOffsets, where: string): void {
  if (zone.fromMs.length === 0 || zone.fromMs.length !== zone.offsetMs.length) invalid(where, 'has no or odd entries');
  for (let i = 0; i < zone.fromMs.length; i++) {
    numberOf(zone.fromMs[i], `${where}.fromMs`, i === 0 ? -8.64e15 : zone.fromMs[i - 1]! + 1, 8.64e15);
    numberOf(zone.offsetMs[i], `${where}.offsetMs`, -DAY_MS, DAY_MS);
  }
}
