/** A rule as the stage runs it: its condition flat, so that a sample costs a few comparisons. */
import type { Limit, OwnLimit, Rule } from '../../shared/rules/rule.ts';
import type { SeriesKey } from '../../shared/series.ts';

export interface Compiled {
  readonly rule: Rule;
  readonly kind: Rule['condition']['kind'];
  /** True: too much is wrong; false: too little. */
  readonly above: boolean;
  /** NaN where it follows from another series, or where there is none. */
  readonly limit: number;
  readonly clear: number;
  readonly ownLimit: OwnLimit | null;
  readonly ownClear: OwnLimit | null;
  readonly is: ReadonlySet<string>;
  readonly was: ReadonlySet<string> | null;
  readonly overMs: number;
  readonly afterMs: number;
}

const nothing = { above: true, limit: Number.NaN, clear: Number.NaN, ownLimit: null, ownClear: null, overMs: 0 };
const noState = { is: new Set<string>(), was: null, afterMs: 0 };

export function compile(rule: Rule): Compiled {
  const { condition } = rule;
  const { kind } = condition;
  switch (kind) {
    case 'threshold':
      return {
        ...nothing,
        ...noState,
        rule,
        kind,
        above: condition.side === 'above',
        limit: numberOr(condition.limit),
        clear: numberOr(condition.clear),
        ownLimit: ownOr(condition.limit),
        ownClear: ownOr(condition.clear),
      };
    case 'rate':
      return {
        ...nothing,
        ...noState,
        rule,
        kind,
        above: condition.side === 'above',
        limit: condition.limit,
        clear: condition.clear,
        overMs: condition.overMs,
      };
    case 'timeToFull':
      return { ...nothing, ...noState, rule, kind, above: false, limit: condition.limit, clear: condition.clear };
    case 'absence':
      return { ...nothing, ...noState, rule, kind, afterMs: condition.afterMs };
    case 'state': {
      const { is, was } = condition;
      return { ...nothing, ...noState, rule, kind, is: new Set(is), was: was === null ? null : new Set(was) };
    }
  }
}

/** What a limit is where the other series has this value; NaN where that says nothing. */
export function limitFrom(own: OwnLimit, value: number): number {
  return value >= own.least ? Math.min(own.atMost, value * own.share + own.plus) : Number.NaN;
}

/** The other series that a limit follows from. */
export function ownKey(own: OwnLimit, key: SeriesKey): SeriesKey {
  const attributes = { ...key.attributes };
  for (const [name, value] of Object.entries(own.attributes)) {
    if (value === null) delete attributes[name];
    else attributes[name] = value;
  }
  return { name: own.metric, unit: own.unit, attributes };
}

function numberOr(limit: Limit): number {
  return typeof limit === 'number' ? limit : Number.NaN;
}

function ownOr(limit: Limit): OwnLimit | null {
  return typeof limit === 'number' ? null : limit;
}
