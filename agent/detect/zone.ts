/**
 * The site's civil time as a table of offsets (`shared/detect/civil.ts`), made on the agent: from the machine's own zone,
 * or from a zone that the configuration names (which costs some megabytes of tables of the runtime, once).
 *
 * A table covers some years about the moment that it was made for; a clock that jumps out of them (a first start in 1970)
 * has it made anew.
 */
import { utcZone, ZONE_ENTRIES, type ZoneOffsets } from '../../shared/detect/civil.ts';
import { DAY_MS, MINUTE_MS } from '../../shared/limits.ts';

const BEFORE_MS = 370 * DAY_MS;
const AFTER_MS = 3 * 366 * DAY_MS;
/** Offsets that change twice within less are found once. */
const STEP_MS = 7 * DAY_MS;

export interface SiteZone {
  readonly offsets: ZoneOffsets;
  /** The table holds between these. */
  readonly fromMs: number;
  readonly untilMs: number;
}

/** UTC, for ever. */
export const utcSite: SiteZone = {
  offsets: utcZone,
  fromMs: Number.NEGATIVE_INFINITY,
  untilMs: Number.POSITIVE_INFINITY,
};

/** Table of the zone (IANA name; not known: UTC; null: this machine's own) about that moment. */
export function siteZone(zone: string | null, utcMs: number): SiteZone {
  const offsetMs = zone === null ? ownOffsetMs : offsetsOf(zone);
  const first = Math.floor((utcMs - BEFORE_MS) / MINUTE_MS) * MINUTE_MS;
  const untilMs = utcMs + AFTER_MS;
  const table = { fromMs: [first], offsetMs: [offsetMs(first)] };
  let before = first;
  while (before < untilMs && table.fromMs.length < ZONE_ENTRIES) {
    const next = before + STEP_MS;
    const last = table.offsetMs.at(-1)!;
    if (offsetMs(next) !== last) {
      const change = changeBetween(before, next, last, offsetMs);
      table.fromMs.push(change);
      table.offsetMs.push(offsetMs(change));
    }
    before = next;
  }
  return { offsets: table, fromMs: utcMs - BEFORE_MS / 2, untilMs: utcMs + AFTER_MS / 2 };
}

/** The minute from which on the offset is no longer `before`. */
function changeBetween(from: number, to: number, before: number, offsetMs: (utcMs: number) => number): number {
  let low = from;
  let high = to;
  while (high - low > MINUTE_MS) {
    const middle = low + Math.floor((high - low) / 2 / MINUTE_MS) * MINUTE_MS;
    if (offsetMs(middle) === before) low = middle;
    else high = middle;
  }
  return high;
}

function ownOffsetMs(utcMs: number): number {
  const minutes = new Date(utcMs).getTimezoneOffset();
  return Number.isFinite(minutes) ? -minutes * MINUTE_MS : 0;
}

function offsetsOf(timeZone: string): (utcMs: number) => number {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
  } catch {
    return () => 0;
  }
  return (utcMs) => {
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(utcMs)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = parts;
    const local = Date.UTC(year, month - 1, day, hour, minute);
    return local - Math.floor(utcMs / MINUTE_MS) * MINUTE_MS;
  };
}
