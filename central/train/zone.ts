/** The table of UTC offsets of an IANA zone, from the runtime's time zone database. */
import { ZONE_ENTRIES, type ZoneOffsets } from '../../shared/detect/civil.ts';
import { DAY_MS, MINUTE_MS } from '../../shared/limits.ts';

/** Offsets from `fromMs` to `toMs`, exact to the minute; transitions beyond `ZONE_ENTRIES` are left out. */
export function zoneOffsets(zone: string, fromMs: number, toMs: number): ZoneOffsets {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const offset = (utcMs: number): number => {
    const minute = Math.floor(utcMs / MINUTE_MS) * MINUTE_MS;
    const part = Object.fromEntries(format.formatToParts(minute).map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(part.year!, part.month! - 1, part.day!, part.hour!, part.minute!) - minute;
  };
  const starts = [fromMs];
  const offsets = [offset(fromMs)];
  for (let day = fromMs; day < toMs && starts.length < ZONE_ENTRIES; day += DAY_MS) {
    const next = offset(day + DAY_MS);
    if (next === offsets.at(-1)) continue;
    let before = day;
    let after = day + DAY_MS;
    while (after - before > MINUTE_MS) {
      const middle = Math.floor((before + after) / 2);
      if (offset(middle) === next) after = middle;
      else before = middle;
    }
    starts.push(Math.floor(after / MINUTE_MS) * MINUTE_MS);
    offsets.push(next);
  }
  return { fromMs: starts, offsetMs: offsets };
}

/** The machine's zone as its inventory says; UTC where it is none. */
export function zoneNamed(inventory: unknown): string {
  const time = (inventory as { time?: { zone?: unknown } } | null | undefined)?.time;
  const zone = typeof time === 'object' && time !== null ? time.zone : undefined;
  if (typeof zone !== 'string' || zone.length > 64) return 'UTC';
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return 'UTC';
  }
}
