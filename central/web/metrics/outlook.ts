/**
 * What the agents' forecasts say of a series: `full in 3 days (2–5 days)`. From the latest values of the series in which
 * they are told (`shared/forecast.ts` names them). Pure.
 */
import { formatSpan } from '../time.ts';
import type { LatestSeries } from './model.ts';

const NAME = /^picket\.forecast\.time_to_(full|empty)$/;
const METRIC = 'picket.forecast.metric';
const EDGE = 'picket.forecast.edge';
/** A forecast is told with each window; one that is older than the newest of what it is about is over. */
const STALE_MS = 150_000;
/** Nearer than this is told in the colour of warnings. */
const SOON_MS = 86_400_000;

export interface Outlook {
  readonly text: string;
  readonly soon: boolean;
}

/** The metric that a series of a forecast is about; null where it is none. */
export function forecastOf({ name, attributes }: Pick<LatestSeries, 'name' | 'attributes'>): string | null {
  return NAME.test(name) ? (attributes[METRIC] ?? null) : null;
}

/** By the id of the series that they are about. */
export function outlooks(series: readonly LatestSeries[]): ReadonlyMap<string, Outlook> {
  const edges = new Map<string, Partial<Record<string, LatestSeries>>>();
  for (const one of series) {
    if (forecastOf(one) === null) continue;
    const key = `${NAME.exec(one.name)![1]} ${identity(one.attributes[METRIC]!, one.attributes)}`;
    edges.set(key, { ...edges.get(key), [one.attributes[EDGE] ?? '']: one });
  }
  const found = new Map<string, Outlook>();
  if (edges.size === 0) return found;
  for (const one of series) {
    for (const reaches of ['full', 'empty'] as const) {
      const told = edges.get(`${reaches} ${identity(one.name, one.attributes)}`);
      const fresh = (edge: string): number | null => {
        const value = told?.[edge];
        return value === undefined || value.timeMs < one.timeMs - STALE_MS ? null : value.last;
      };
      const expected = fresh('expected');
      if (expected === null) continue;
      const ms = expected * 1000;
      const text = ms <= 0 ? reaches : `${reaches} in ${formatSpan(ms)}${between(fresh('earliest'), fresh('latest'))}`;
      found.set(one.id, { text, soon: ms < SOON_MS });
    }
  }
  return found;
}

function between(earliest: number | null, latest: number | null): string {
  if (earliest === null) return '';
  const from = formatSpan(earliest * 1000);
  if (latest === null) return ` (${from} or later)`;
  const to = formatSpan(latest * 1000);
  if (from === to) return '';
  const unit = (text: string): string => text.slice(text.indexOf(' '));
  return ` (${unit(from) === unit(to) ? from.slice(0, from.indexOf(' ')) : from}–${to})`;
}

function identity(name: string, attributes: Readonly<Record<string, string>>): string {
  const own = Object.entries(attributes).filter(([key]) => key !== METRIC && key !== EDGE);
  return JSON.stringify([name, own.sort()]);
}
