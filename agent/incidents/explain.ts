/**
 * An incident in words: ranks what was found by when and how much it left the expected, and says it with numbers, units
 * and times in the site's zone. Pure.
 */
import { describeRarity, describeSeries, describeSpan, formatRange, formatValue } from '../../shared/detect/wording.ts';
import {
  categoryOf,
  type Finding,
  findingLimits,
  type RankedFinding,
  type Severity,
  type Shape,
} from '../../shared/findings.ts';
import { resourceOf, stakeOf, stakeWeight } from './stakes.ts';

/** Each so much later, a finding tells half as much of the cause. */
const HALF_LATER_MS = 30_000;
/** What was rare enough to be told only beside other findings tells less of the cause. */
const BESIDE_WEIGHT = 0.25;
/** What stands outside of chance counts like so many bits, by how grave it says it is. */
const factBits: Readonly<Record<Severity, number>> = { info: 10, warning: 25, critical: 50 };
/** Another series that began so much later is told as what followed. */
const FOLLOWED_MS = 2_000;

export interface Words {
  /** Time of day, in the site's zone. */
  readonly timeOfDay: (ms: number) => string;
  /** Day and time of day, for what is far. */
  readonly day: (ms: number) => string;
}

/** Times in the zone (IANA name; not known: UTC), or in this machine's own, which costs no tables. */
export function wordsFor(zone: string | null): Words {
  if (zone === null) return { timeOfDay: ownTimeOfDay, day: ownDay };
  const time = formatFor(zone, timeOptions) ?? formatFor('UTC', timeOptions)!;
  const day = formatFor(zone, dayOptions) ?? formatFor('UTC', dayOptions)!;
  return { timeOfDay: (ms) => time.format(held(ms)), day: (ms) => day.format(held(ms)) };
}

const timeOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
const dayOptions = { weekday: 'short', day: 'numeric', month: 'short' } as const;
const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
/** The last time that a Date can hold. */
const LAST_MS = 8.64e15;

function held(ms: number): number {
  return Math.max(-LAST_MS, Math.min(LAST_MS, ms));
}

function ownTimeOfDay(ms: number): string {
  const time = new Date(held(ms));
  const parts = [time.getHours(), time.getMinutes(), time.getSeconds()];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

function ownDay(ms: number): string {
  const time = new Date(held(ms));
  return `${weekdays[time.getDay()]} ${time.getDate()} ${months[time.getMonth()]}`;
}

function formatFor(timeZone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone, ...options });
  } catch {
    return null;
  }
}

/** Whether it was rare enough to be told only because of other findings. */
export function isBeside({ detector, bits }: Finding, barBits: number): boolean {
  return detector === 'surprise' && bits < barBits;
}

/** Whether it tells by chance of the agent itself, which feels what else goes on: no cause. */
function isOwn({ key, detector }: Finding): boolean {
  return stakeOf(key) === 'own' && categoryOf(detector) === 'statistical';
}

/** Whether it only shows what others show better and sooner: it neither opens an incident nor holds one open. */
export function isEcho(finding: Finding): boolean {
  return isOwn(finding) || (stakeOf(finding.key) === 'lagging' && categoryOf(finding.detector) === 'statistical');
}

/** When the first of them began; of echoes only where there is nothing else. */
export function firstOf(findings: Iterable<Finding>): number {
  let first = Number.POSITIVE_INFINITY;
  let echo = Number.POSITIVE_INFINITY;
  for (const finding of findings) {
    if (isEcho(finding)) echo = Math.min(echo, finding.sinceMs);
    else first = Math.min(first, finding.sinceMs);
  }
  return first === Number.POSITIVE_INFINITY ? echo : first;
}

/** How much a finding tells of the cause: by when and how much it left the expected, and by what is at stake. */
function weightOf(finding: Finding, firstMs: number, barBits: number): number {
  const later = 0.5 ** (Math.max(0, finding.sinceMs - firstMs) / HALF_LATER_MS);
  const fact = categoryOf(finding.detector) !== 'statistical';
  const bits = fact ? Math.max(finding.bits, factBits[finding.severity ?? 'warning']) : finding.bits;
  const beside = isBeside(finding, barBits) ? BESIDE_WEIGHT : 1;
  return (1 + bits) * later * beside * stakeWeight[stakeOf(finding.key)];
}

/** The most telling first, what the agent feels itself behind all else, with shares that sum to 1 over all that were given; `more` were left out of the list. */
export function rank(
  findings: readonly Finding[],
  words: Words,
  barBits = 0,
): { listed: RankedFinding[]; more: number } {
  const first = firstOf(findings);
  const weighed = findings
    .map((finding) => ({ finding, weight: weightOf(finding, first, barBits), own: Number(isOwn(finding)) }))
    .sort((a, b) => a.own - b.own || b.weight - a.weight || a.finding.sinceMs - b.finding.sinceMs);
  const sum = weighed.reduce((total, { weight }) => total + weight, 0);
  const listed = weighed.slice(0, findingLimits.listed).map(({ finding, weight }) => ({
    ...finding,
    contribution: weight / sum,
    text: describeFinding(finding, words),
  }));
  return { listed, more: weighed.length - listed.length };
}

/** `CPU utilisation (user) 98 %, expected 1–12 %; rarer than once in 30 days; since 14:02:10` */
export function describeFinding(finding: Finding, words: Words): string {
  const { key, seen, wrong, forecast, members, limit, detector } = finding;
  const name = describeSeries(key);
  const since = `since ${words.timeOfDay(finding.sinceMs)}`;
  const value = seen === null ? '' : ` ${formatValue(seen, key.unit)}`;
  if (forecast !== undefined) return `${wrong ?? name}${value}: ${describeForecast(finding, words)}`;
  if (wrong !== undefined) {
    // Its words name the thing; of a rule the value and what it was held against are told behind them.
    const held = limit === undefined || seen === null ? '' : `:${value}, limit ${formatValue(limit, key.unit)}`;
    return `${wrong[0]?.toUpperCase() ?? ''}${wrong.slice(1)}${held}; ${since}`;
  }
  const span = describeSpan(finding.lastMs - finding.sinceMs);
  if (detector === 'missing') return `${name}: no value for ${span}; ${since}`;
  if (detector === 'stuck') return `${name} stuck at${value} for ${span}; ${since}`;
  if (detector === 'saturated') {
    return `${name}${value}${expectedOutside(finding)}: at its limit for ${span}, longer than ever before; ${since}`;
  }
  if (members !== undefined && members.length > 0) {
    const others = members.filter(({ series }) => series !== finding.series).slice(0, MEMBERS_TOLD);
    const parts = others.map((member) => `${describeSeries(member.key)} ${Math.round(member.share * 100)} %`);
    const beside = parts.length === 0 ? '' : ` with ${parts.join(', ')}`;
    return `${name}${value}${expectedOutside(finding)}: unlike before together${beside}; ${rarityOf(finding)}${since}`;
  }
  return `${name}${value}${expectedPart(finding)}; ${rarityOf(finding)}${since}`;
}

/** Series of a group that the text names. */
const MEMBERS_TOLD = 3;

const shapeWords: Readonly<Record<Shape, string>> = {
  spike: 'a spike',
  shift: 'moved to another level',
  drift: 'drifting away',
  variance: 'unusually unsteady',
  season: 'unusual for this time',
};

function expectedPart({ seen, expectedLow, expectedHigh, key, shape }: Finding): string {
  const said = shape === undefined ? '' : `, ${shapeWords[shape]}`;
  if (expectedLow === null || expectedHigh === null || seen === null) return said;
  const range = `expected ${formatRange(expectedLow, expectedHigh, key.unit)}${shape === 'season' ? ' at this hour' : ''}`;
  if (within(seen, expectedLow, expectedHigh)) return `${said === '' ? `, ${shapeWords.variance}` : said} (${range})`;
  return shape === undefined || shape === 'season' ? `, ${range}` : `, ${range}${said}`;
}

function expectedOutside({ seen, expectedLow, expectedHigh, key }: Finding): string {
  if (seen === null || expectedLow === null || expectedHigh === null || within(seen, expectedLow, expectedHigh))
    return '';
  return `, expected ${formatRange(expectedLow, expectedHigh, key.unit)}`;
}

/** What is no matter of chance has no rarity. */
function rarityOf({ bits, returnPeriodMs }: Finding): string {
  return bits > 0 ? `${describeRarity(returnPeriodMs)}; ` : '';
}

const reachWords = { full: 'full', empty: 'empty', expired: 'ends', worn: 'worn out' } as const;

/** `full in 3 days (Sat 4 Jul; 2 days to 6 days), at 1.2 GiB an hour` */
function describeForecast({ forecast, lastMs }: Finding, words: Words): string {
  const { reaches, etaMs, earliestMs, latestMs, pace, undated } = forecast!;
  const from = (ms: number): string => describeAhead(Math.max(0, ms - lastMs));
  const late = latestMs === null ? 'or later' : `to ${from(latestMs)}`;
  const about = [
    // Nobody vouches for the clock: the date would be wrong.
    ...(undated === true ? [] : [dateOf(etaMs, lastMs, words)]),
    ...(earliestMs === null ? [] : [`${from(earliestMs)} ${late}`]),
  ];
  const more = about.length === 0 ? '' : ` (${about.join('; ')})`;
  return `${reachWords[reaches]} in ${from(etaMs)}${more}${pace === undefined ? '' : `, at ${pace}`}`;
}

/** `Thu 26 Nov 14:05`; of what is further ahead than two days the time of day would claim too much. */
function dateOf(etaMs: number, nowMs: number, words: Words): string {
  const day = words.day(etaMs);
  return etaMs - nowMs < 2 * DAY_MS ? `${day} ${words.timeOfDay(etaMs).slice(0, 5)}` : day;
}

const DAY_MS = 86_400_000;
const LONGEST_DAYS = 3650;

function describeAhead(ms: number): string {
  if (ms < 2 * DAY_MS) return describeSpan(ms);
  const days = Math.round(ms / DAY_MS);
  return days > LONGEST_DAYS ? 'more than 10 years' : `${days} days`;
}

function within(value: number, low: number, high: number): boolean {
  return value >= low && value <= high;
}

/** One sentence for the whole: the most telling finding, what followed it, and how many more series took part. */
export function titleOf(listed: readonly RankedFinding[], more: number): string {
  const first = listed[0];
  if (first === undefined) return 'Something unusual';
  const others = listed.length - 1 + more;
  if (others === 0) return first.text;
  return `${first.text}${followedBy(first, listed)}; and ${others} more series`;
}

/** `, 8 s before load average (1 min)`: the first of the others that is about something else and began later. */
function followedBy(first: RankedFinding, listed: readonly RankedFinding[]): string {
  const next = listed.find(
    (finding) =>
      finding.sinceMs - first.sinceMs >= FOLLOWED_MS &&
      stakeOf(finding.key) !== 'own' &&
      resourceOf(finding.key) !== resourceOf(first.key),
  );
  if (next === undefined) return '';
  return `, ${describeSpan(next.sinceMs - first.sinceMs)} before ${describeSeries(next.key)}`;
}
