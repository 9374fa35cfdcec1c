/** What a rule tells: what is wrong, the value, the limit, since when, what to do. */
import type { Instant } from '../../shared/clock.ts';
import { formatValue } from '../../shared/detect/wording.ts';
import type { Finding } from '../../shared/findings.ts';
import { sayRule } from '../../shared/rules/wording.ts';
import type { SeriesId, SeriesKey } from '../../shared/series.ts';
import type { Entries } from './entries.ts';

const noChance = { expectedLow: null, expectedHigh: null, bits: 0, returnPeriodMs: 0 };

/** What an entry that fires, or has just ended, has to say. */
export function findingOf(entries: Entries, entry: number, at: Instant): Finding {
  const { id, key, compiled } = entries.at(entry)!;
  const { rule } = compiled;
  const offsetMs = at.utcMs - at.monotonicMs;
  const seen = entries.seen[entry]!;
  const limit = entries.limits[entry]!;
  // A rate is in another unit than its series: it is told in words alone.
  const isRate = compiled.kind === 'rate';
  const perMinute = (rate: number): string => `${formatValue(60 * rate, key.unit)} a minute`;
  const rate = isRate && Number.isFinite(seen) ? `: ${perMinute(seen)}, limit ${perMinute(limit)}` : '';
  return {
    series: id,
    key,
    detector: 'rule',
    tier: 'full',
    sinceMs: Math.round(entries.table.sinceMs[entry]! + offsetMs),
    lastMs: Math.round(entries.table.lastMs[entry]! + offsetMs),
    seen: Number.isFinite(seen) && !isRate ? seen : null,
    ...noChance,
    rule: rule.id,
    ...(Number.isFinite(limit) && !isRate ? { limit } : {}),
    severity: rule.severity,
    wrong: `${sayRule(rule.text, key)}${rate}`,
    advice: rule.advice,
    holds: true,
  };
}

/** The last word on what a rule found that there is no more. */
export function lastWord(rule: string, series: SeriesId, key: SeriesKey, sinceMs: number, lastMs: number): Finding {
  const about = { series, key, detector: 'rule', tier: 'full', sinceMs, lastMs, seen: null } as const;
  return { ...about, ...noChance, rule, holds: true, ended: true };
}
