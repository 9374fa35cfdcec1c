/**
 * An incident in words: ranks what was found by when and how much it left the expected, and says it with numbers, units
 * and times in the site's zone. Pure.
 */
import { describeRarity, describeSeries, describeSpan, formatRange, formatValue } from '../../shared/detect/wording.ts';
import type { Finding, RankedFinding, Severity } from '../../shared/findings.ts';

/** Findings that an incident lists; see `Incident.findings`. */
const MOST_LISTED = 20;

/** Each so much later, a finding tells half as much of the cause. */
const HALF_LATER_MS = 30_000;
/** What was rare enough to be told only beside other findings tells less of the cause. */
const BESIDE_WEIGHT = 0.25;
/** Bits above the bar from which on, and (for the gravest) how long it must have lasted. */
const WARNING_BITS = 5;
const CRITICAL_BITS = 12;
const CRITICAL_AFTER_MS = 120_000;

export interface Words {
  /** Time of day, in the site's zone. */
  readonly timeOfDay: (ms: number) => string;
}

/** Times in the zone (IANA name; not known: UTC), or in this machine's own, which costs no tables. */
export function wordsFor(zone: string | null): Words {
  if (zone === null) return { timeOfDay: ownTimeOfDay };
  const format = formatFor(zone) ?? formatFor('UTC')!;
  return { timeOfDay: (ms) => format.format(ms) };
}

function ownTimeOfDay(ms: number): string {
  const time = new Date(ms);
  const parts = [time.getHours(), time.getMinutes(), time.getSeconds()];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

function formatFor(timeZone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    });
  } catch {
    return null;
  }
}

/** Whether it was rare enough to be told only because of other findings. */
export function isBeside({ detector, bits }: Finding, barBits: number): boolean {
  return detector === 'surprise' && bits < barBits;
}

/** The most telling first, with shares that sum to 1 over all that were given; `more` were left out of the list. */
export function rank(
  findings: readonly Finding[],
  words: Words,
  barBits = 0,
): { listed: RankedFinding[]; more: number } {
  const first = findings.reduce((least, { sinceMs }) => Math.min(least, sinceMs), Number.POSITIVE_INFINITY);
  const weighed = findings
    .map((finding) => {
      const later = 0.5 ** ((finding.sinceMs - first) / HALF_LATER_MS);
      return { finding, weight: (1 + finding.bits) * later * (isBeside(finding, barBits) ? BESIDE_WEIGHT : 1) };
    })
    .sort((a, b) => b.weight - a.weight || a.finding.sinceMs - b.finding.sinceMs);
  const sum = weighed.reduce((total, { weight }) => total + weight, 0);
  const listed = weighed.slice(0, MOST_LISTED).map(({ finding, weight }) => ({
    ...finding,
    contribution: weight / sum,
    text: describeFinding(finding, words),
  }));
  return { listed, more: weighed.length - listed.length };
}

/** `CPU utilisation (user) 98 %, expected 1–12 %; rarer than once in 30 days; since 14:02:10` */
export function describeFinding(finding: Finding, words: Words): string {
  const { key, seen, expectedLow, expectedHigh, detector } = finding;
  const name = describeSeries(key);
  const since = `since ${words.timeOfDay(finding.sinceMs)}`;
  if (finding.wrong !== undefined) return `${finding.wrong}; ${since}`;
  if (detector === 'missing')
    return `${name}: no value for ${describeSpan(finding.lastMs - finding.sinceMs)}; ${since}`;
  const value = seen === null ? '' : ` ${formatValue(seen, key.unit)}`;
  if (detector === 'stuck') {
    return `${name} stuck at${value} for ${describeSpan(finding.lastMs - finding.sinceMs)}; ${since}`;
  }
  if (detector === 'saturated') {
    const left =
      seen !== null && expectedLow !== null && expectedHigh !== null && !within(seen, expectedLow, expectedHigh);
    const expected = left ? `, expected ${formatRange(expectedLow, expectedHigh, key.unit)}` : '';
    const span = describeSpan(finding.lastMs - finding.sinceMs);
    return `${name}${value}${expected}: at its limit for ${span}, longer than ever before; ${since}`;
  }
  const rarity = describeRarity(finding.returnPeriodMs);
  if (expectedLow === null || expectedHigh === null || seen === null) return `${name}${value}; ${rarity}; ${since}`;
  const range = `expected ${formatRange(expectedLow, expectedHigh, key.unit)}`;
  if (within(seen, expectedLow, expectedHigh))
    return `${name}${value}, unusually unsteady (${range}); ${rarity}; ${since}`;
  return `${name}${value}, ${range}; ${rarity}; ${since}`;
}

function within(value: number, low: number, high: number): boolean {
  return value >= low && value <= high;
}

/** One sentence for the whole: the most telling finding, and how many more series took part. */
export function titleOf(listed: readonly RankedFinding[], more: number): string {
  const first = listed[0];
  if (first === undefined) return 'Something unusual';
  const others = listed.length - 1 + more;
  return others === 0 ? first.text : `${first.text}; and ${others} more series`;
}

/** Severity follows rarity: how far above the bar, and for the gravest, how long. */
export function severityOf(findings: readonly Finding[], barBits: number, lastedMs: number): Severity {
  let above = 0;
  for (const { bits, detector } of findings) {
    above = Math.max(above, detector === 'stuck' || detector === 'missing' ? WARNING_BITS : bits - barBits);
  }
  if (above >= CRITICAL_BITS && lastedMs >= CRITICAL_AFTER_MS) return 'critical';
  return above >= WARNING_BITS ? 'warning' : 'info';
}
