/** What came over the wire, in all and by the hour, and how long the disk will last at that rate. */
import { DAY_MS, HOUR_MS } from '../../shared/limits.ts';

const KEPT_HOURS = 25;
/** Shorter histories say nothing about a day. */
const LEAST_SPAN_MS = 10 * 60_000;
/** Bytes at rest for each byte of wire, until the store can tell from its own files. */
const ASSUMED_RATIO = 1.3;
/** Less than this on the wire, and files of fixed size hide the ratio. */
const TELLING_BYTES = 32 * 1024 * 1024;

export interface WireCount {
  readonly totalBytes: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** Bytes by hour since 1970, the latest ones. */
  readonly hours: Readonly<Record<string, number>>;
}

export const emptyWire: WireCount = { totalBytes: 0, firstMs: 0, lastMs: 0, hours: {} };

export function addWire(count: WireCount, atMs: number, sizeBytes: number): WireCount {
  const hour = Math.floor(atMs / HOUR_MS);
  const hours = { ...count.hours, [hour]: (count.hours[hour] ?? 0) + sizeBytes };
  const latest = Math.floor(Math.max(atMs, count.lastMs) / HOUR_MS);
  for (const name of Object.keys(hours)) if (Number(name) <= latest - KEPT_HOURS) delete hours[name as never];
  return {
    totalBytes: count.totalBytes + sizeBytes,
    firstMs: count.firstMs === 0 ? atMs : Math.min(count.firstMs, atMs),
    lastMs: Math.max(count.lastMs, atMs),
    hours,
  };
}

export function parseWire(value: Uint8Array | undefined): WireCount {
  return value === undefined ? emptyWire : (JSON.parse(Buffer.from(value).toString()) as WireCount);
}

/** Days that `freeBytes` will take more at the rate of the last day; null while there is no rate. */
export function daysLeft(count: WireCount, diskBytes: number, freeBytes: number): number | null {
  const spanMs = Math.min(DAY_MS, count.lastMs - count.firstMs);
  if (spanMs < LEAST_SPAN_MS) return null;
  const since = Math.floor((count.lastMs - spanMs) / HOUR_MS);
  const bytes = Object.entries(count.hours).reduce(
    (sum, [hour, size]) => (Number(hour) >= since ? sum + size : sum),
    0,
  );
  const coveredMs = count.lastMs - Math.max(count.firstMs, since * HOUR_MS);
  const ratio = count.totalBytes >= TELLING_BYTES ? diskBytes / count.totalBytes : ASSUMED_RATIO;
  const perDay = (bytes * ratio * DAY_MS) / coveredMs;
  return perDay > 0 ? freeBytes / perDay : null;
}
