/** Times in the chosen zone, spans in words, and the ranges that charts show. Pure but for `Intl`. */

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Either the last so many milliseconds, which moves with the time, or a fixed piece of the past. Unix ms. */
export type TimeRange =
  | { readonly kind: 'last'; readonly spanMs: number }
  | { readonly kind: 'fixed'; readonly fromMs: number; readonly toMs: number };

export const spans: readonly { readonly label: string; readonly spanMs: number }[] = [
  { label: '15 min', spanMs: 15 * MINUTE_MS },
  { label: '1 h', spanMs: HOUR_MS },
  { label: '6 h', spanMs: 6 * HOUR_MS },
  { label: '24 h', spanMs: DAY_MS },
  { label: '7 d', spanMs: 7 * DAY_MS },
];

export const SHORTEST_SPAN_MS = 10_000;
const LONGEST_SPAN_MS = 800 * DAY_MS;
const DEFAULT_SPAN_MS = 15 * MINUTE_MS;

export function bounds(range: TimeRange, nowMs: number): { fromMs: number; toMs: number } {
  if (range.kind === 'fixed') return range;
  return { fromMs: nowMs - range.spanMs, toMs: nowMs };
}

export function spanOf(range: TimeRange): number {
  return range.kind === 'last' ? range.spanMs : range.toMs - range.fromMs;
}

/** The range of an address; what makes no sense there becomes the default. */
export function rangeFrom(query: URLSearchParams): TimeRange {
  const fromMs = Number(query.get('from') ?? Number.NaN);
  const toMs = Number(query.get('to') ?? Number.NaN);
  if (Number.isFinite(fromMs) && Number.isFinite(toMs)) {
    const fixed = fixedRange(fromMs, toMs);
    if (fixed !== null) return fixed;
  }
  const seconds = Number(query.get('last') ?? Number.NaN);
  const spanMs = seconds * 1000;
  if (Number.isFinite(spanMs) && spanMs >= SHORTEST_SPAN_MS && spanMs <= LONGEST_SPAN_MS)
    return { kind: 'last', spanMs };
  return { kind: 'last', spanMs: DEFAULT_SPAN_MS };
}

/** Null where the ends are upside down or too far apart; a range too short to show is widened around its middle. */
export function fixedRange(fromMs: number, toMs: number): TimeRange | null {
  if (!(toMs > fromMs) || fromMs < 0 || toMs - fromMs > LONGEST_SPAN_MS) return null;
  const missing = Math.max(0, SHORTEST_SPAN_MS - (toMs - fromMs)) / 2;
  return { kind: 'fixed', fromMs: Math.round(fromMs - missing), toMs: Math.round(toMs + missing) };
}

/** What the address says of a range, in `refine`'s terms. */
export function rangeQuery(range: TimeRange): Record<'from' | 'to' | 'last', string | null> {
  if (range.kind === 'fixed') return { from: String(range.fromMs), to: String(range.toMs), last: null };
  return { from: null, to: null, last: range.spanMs === DEFAULT_SPAN_MS ? null : String(range.spanMs / 1000) };
}

/** A range around something that happened, wide enough to see what was before and after it. */
export function rangeAround(fromMs: number, toMs: number, nowMs: number): TimeRange {
  const margin = Math.max(5 * MINUTE_MS, (toMs - fromMs) * 0.5);
  return fixedRange(fromMs - margin, Math.min(toMs + margin, Math.max(nowMs, toMs)))!;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatter(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = zone + JSON.stringify(options);
  let found = formats.get(key);
  if (found === undefined) {
    found = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', ...options });
    formats.set(key, found);
  }
  return found;
}

const hourMinute = { hour: '2-digit', minute: '2-digit' } as const;
const toSecond = { ...hourMinute, second: '2-digit' } as const;
const dayMonth = { day: 'numeric', month: 'short' } as const;

/** Whether `Intl` knows an IANA zone. */
export function isZone(zone: string): boolean {
  try {
    formatter(zone, hourMinute);
    return true;
  } catch {
    return false;
  }
}

/** `14:02:10` */
export function formatTime(ms: number, zone: string): string {
  return formatter(zone, toSecond).format(ms);
}

/** `14:02` */
export function formatMinute(ms: number, zone: string): string {
  return formatter(zone, hourMinute).format(ms);
}

/** `3 Jan` */
export function formatDay(ms: number, zone: string): string {
  return formatter(zone, dayMonth).format(ms);
}

/** `3 Jan, 14:02:10`; with the year when it is not this one. */
export function formatMoment(ms: number, zone: string, nowMs: number): string {
  const year = formatter(zone, { year: 'numeric' });
  const time = formatTime(ms, zone);
  if (year.format(ms) !== year.format(nowMs)) {
    return `${formatter(zone, { ...dayMonth, year: 'numeric' }).format(ms)}, ${time}`;
  }
  return formatDay(ms, zone) === formatDay(nowMs, zone) ? time : `${formatDay(ms, zone)}, ${time}`;
}

/** A tick of an axis whose ticks are `stepS` seconds apart; midnight is told by its date. */
export function formatTick(seconds: number, stepS: number, zone: string): string {
  const ms = seconds * 1000;
  if (stepS >= 86_400) return formatDay(ms, zone);
  if (stepS < 60) return formatTime(ms, zone);
  const text = formatMinute(ms, zone);
  return text === '00:00' ? formatDay(ms, zone) : text;
}

/** `45 s`, `12 min`, `3 h`, `5 days` */
export function formatSpan(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 2 * MINUTE_MS) return `${Math.round(ms / 1000)} s`;
  if (ms < 2 * HOUR_MS) return `${Math.round(ms / MINUTE_MS)} min`;
  if (ms < 2 * DAY_MS) return `${Math.round(ms / HOUR_MS)} h`;
  return `${Math.round(ms / DAY_MS)} days`;
}

/** `just now`, `12 min ago`; what lies ahead is `in 3 h`. */
export function formatAgo(ms: number, nowMs: number): string {
  const difference = nowMs - ms;
  if (Math.abs(difference) < 5_000) return 'just now';
  return difference < 0 ? `in ${formatSpan(-difference)}` : `${formatSpan(difference)} ago`;
}

const longestClaimYears = 10;
const rarities = [
  [365 * DAY_MS, 'year'],
  [DAY_MS, 'day'],
  [HOUR_MS, 'hour'],
  [MINUTE_MS, 'minute'],
  [1_000, 'second'],
] as const;

/** `rarer than once in 30 days`; nobody has watched for more than ten years, so no more is claimed. */
export function formatRarity(returnPeriodMs: number | null): string {
  if (returnPeriodMs === null) return '';
  const found = rarities.find(([ms]) => returnPeriodMs >= ms);
  if (found === undefined) return 'not rare';
  const count = Math.floor(returnPeriodMs / found[0]);
  if (found[1] === 'year' && count >= longestClaimYears) return `rarer than once in ${longestClaimYears} years`;
  if (count === 1) return `rarer than once in ${found[1] === 'hour' ? 'an' : 'a'} ${found[1]}`;
  return `rarer than once in ${count} ${found[1]}s`;
}
