/**
 * The entries of the rule stage, one for each rule and series: what is compared by name in objects, what a sample touches
 * in typed arrays by the entry's number. Numbers of entries that are gone are used again.
 */
import { HysteresisTable } from '../../shared/rules/hysteresis.ts';
import type { SeriesDefinition, SeriesId, SeriesKey, SeriesNumber } from '../../shared/series.ts';
import { seriesId } from '../../shared/trust/hash.ts';
import { type Compiled, ownKey } from './compiled.ts';
import { RateWindow } from './rate.ts';

/** Of all rules and series together. */
export const MOST_ENTRIES = 4096;
const FIRST_ENTRIES = 128;
/** No series, no entry. */
export const NONE = -1;

export interface Entry {
  readonly compiled: Compiled;
  readonly name: string;
  readonly id: SeriesId;
  readonly key: SeriesKey;
  readonly rate: RateWindow | null;
  readonly limitId: SeriesId;
  readonly clearId: SeriesId;
  timing: { readonly forMs: number; readonly clearForMs: number; readonly gapMs: number };
  /** -1: its series is not here; states have none. */
  series: SeriesNumber;
  /** Of the series that its limit and its clear follow from. */
  limitSeries: SeriesNumber;
  clearSeries: SeriesNumber;
  /** Since when its series is gone, monotonic, and how long it may be; NaN: it is here. */
  goneMs: number;
  graceMs: number;
  /** Of a state: whether it is wrong now, and whether it was well before. */
  wrong: boolean;
  well: boolean;
  /** It fired before a restart and was not heard of since. */
  resumed: boolean;
}

export class Entries {
  readonly table = new HysteresisTable(FIRST_ENTRIES);
  /** The worst value since it was crossed, and its limit then. */
  seen = new Float64Array(FIRST_ENTRIES);
  limits = new Float64Array(FIRST_ENTRIES);
  /** When a value came last. */
  valueMs = new Float64Array(FIRST_ENTRIES);
  /** The next entry of the same series. */
  next = new Int32Array(FIRST_ENTRIES);
  readonly #list: (Entry | null)[] = [];
  readonly #free: number[] = [];
  readonly #byName = new Map<string, number>();

  /** Numbers are below it. */
  get end(): number {
    return this.#list.length;
  }

  at(entry: number): Entry | null {
    return this.#list[entry] ?? null;
  }

  /** The entry of a rule on a series, or -1. */
  find(compiled: Compiled, id: SeriesId): number {
    return this.#byName.get(nameOf(compiled, id)) ?? NONE;
  }

  /** Whether a rule has any. */
  has(compiled: Compiled): boolean {
    return this.#list.some((entry) => entry?.compiled === compiled);
  }

  /** A new entry, calm; -1 where there is no room. */
  add(compiled: Compiled, id: SeriesId, key: SeriesKey, nowMs: number): number {
    const entry = this.#free.pop() ?? this.#list.length;
    if (entry >= MOST_ENTRIES) return NONE;
    if (entry >= this.table.capacity) this.#grow(2 * this.table.capacity);
    const { name, unit, attributes } = key;
    const { rule, ownLimit, ownClear, kind, overMs } = compiled;
    this.#list[entry] = {
      compiled,
      name: nameOf(compiled, id),
      id,
      key: { name, unit, attributes },
      rate: kind === 'rate' ? new RateWindow(overMs) : null,
      limitId: ownLimit === null ? '' : seriesId(ownKey(ownLimit, key)),
      clearId: ownClear === null ? '' : seriesId(ownKey(ownClear, key)),
      timing: { forMs: rule.forMs, clearForMs: rule.clearForMs, gapMs: Number.POSITIVE_INFINITY },
      series: NONE,
      limitSeries: NONE,
      clearSeries: NONE,
      goneMs: Number.NaN,
      graceMs: 0,
      wrong: false,
      well: false,
      resumed: false,
    };
    this.#byName.set(nameOf(compiled, id), entry);
    this.table.reset(entry);
    this.seen[entry] = Number.NaN;
    this.limits[entry] = Number.NaN;
    this.valueMs[entry] = nowMs;
    this.next[entry] = NONE;
    return entry;
  }

  remove(entry: number): void {
    this.#byName.delete(this.#list[entry]?.name ?? '');
    this.#list[entry] = null;
    this.#free.push(entry);
  }

  #grow(capacity: number): void {
    this.table.grow(capacity);
    const grown = <T extends Float64Array | Int32Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.seen = grown(this.seen, new Float64Array(capacity));
    this.limits = grown(this.limits, new Float64Array(capacity));
    this.valueMs = grown(this.valueMs, new Float64Array(capacity));
    this.next = grown(this.next, new Int32Array(capacity));
  }
}

/** A series of this rhythm says nothing about times between values that are further apart. */
export function timingOn(compiled: Compiled, { intervalMs }: SeriesDefinition): Entry['timing'] {
  const { forMs, clearForMs } = compiled.rule;
  return { forMs, clearForMs, gapMs: 10_000 + 5 * (intervalMs ?? 1000) };
}

function nameOf({ rule }: Compiled, id: SeriesId): string {
  return `${rule.id}/${id}`;
}
