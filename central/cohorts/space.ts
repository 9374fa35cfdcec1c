/**
 * How far machines are from each other: alike only where they are alike in each of three ways, so that the distance is
 * the largest of the three, each in units of what is tolerated (1: just not alike any more).
 *
 *   hardware   share of facts that differ, and sizes by their ratio
 *   series     Jaccard distance of the families of series that they have
 *   behaviour  root mean square, over families that both have, of level, spread and course of the day; logarithms,
 *              standardised by the fleet's own spread (at least a factor of two: a fleet of equals is one cohort)
 *
 * What one of two does not know (a young machine its days) is not compared. Pure and deterministic.
 */
import { MAD_TO_DEVIATION, medianDistance, medianOf } from '../train/robust.ts';
import { DAY_PARTS, type Features } from './features.ts';

/** What is tolerated. */
const HARDWARE = 0.5;
const SERIES = 0.5;
const BEHAVIOUR = 0.3;
/** Families that are compared: those that most machines have. */
const MOST_FAMILIES = 48;
/** Of the fleet's usual level: below it values are as good as zero. */
const NOTHING = 0.1;
/** A factor of two is a difference of one; three of them are all the difference there can be. */
const LEAST_SPREAD = 1;
const MOST_SPREADS = 3;
/** A family in which machines differ by less says nothing of who is like whom. */
const SAYS_NOTHING = 0.25;
/** Base-2 logarithm of the ratio at which sizes have nothing in common. */
const SIZE_RANGE = 2;
/** Level, spread, course. */
const NUMBERS = 2 + DAY_PARTS;

export interface Space {
  readonly distance: (a: number, b: number) => number;
  /** Families that were compared, with the fleet's median of the level and the spread of its logarithm. */
  readonly families: readonly { readonly family: string; readonly level: number; readonly spread: number }[];
  /** Standardised numbers of a machine by family: level, spread, course; NaN where it has none. */
  readonly numbers: readonly Float64Array[];
}

export function spaceOf(machines: readonly Features[]): Space {
  const { families, numbers } = standardised(machines);
  const sets = familySets(machines);
  const distance = (a: number, b: number): number => {
    const one = machines[a]!;
    const other = machines[b]!;
    return Math.max(
      hardwareDistance(one, other) / HARDWARE,
      jaccard(sets[a]!, sets[b]!) / SERIES,
      behaviourDistance(numbers[a]!, numbers[b]!) / BEHAVIOUR,
    );
  };
  return { distance, families, numbers };
}

function hardwareDistance(a: Features, b: Features): number {
  let sum = 0;
  let count = 0;
  for (const name in a.facts) {
    if (b.facts[name] === undefined) continue;
    sum += a.facts[name] === b.facts[name] ? 0 : 1;
    count++;
  }
  for (const name in a.sizes) {
    if (b.sizes[name] === undefined) continue;
    sum += Math.min(1, Math.abs(a.sizes[name]! - b.sizes[name]!) / SIZE_RANGE);
    count++;
  }
  return count === 0 ? 0 : sum / count;
}

/** Families by number, sorted. */
function familySets(machines: readonly Features[]): Int32Array[] {
  const numbers = new Map<string, number>();
  const numberOf = (family: string): number => {
    const known = numbers.get(family) ?? numbers.size;
    numbers.set(family, known);
    return known;
  };
  return machines.map(({ families }) => Int32Array.from(families, numberOf).sort());
}

function jaccard(a: Int32Array, b: Int32Array): number {
  if (a.length === 0 || b.length === 0) return 0;
  let common = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) common++;
    if (a[i]! <= b[j]!) i++;
    else j++;
  }
  return 1 - common / (a.length + b.length - common);
}

function behaviourDistance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  let count = 0;
  for (let at = 0; at < a.length; at += NUMBERS) {
    const level = a[at]! - b[at]!;
    if (Number.isNaN(level)) continue;
    const spread = a[at + 1]! - b[at + 1]!;
    let course = 0;
    for (let part = 2; part < NUMBERS; part++) course += (a[at + part]! - b[at + part]!) ** 2;
    // A young machine has no spread and no course yet.
    const shape = Number.isNaN(course) ? null : Math.min(1, Math.sqrt(course / DAY_PARTS));
    sum += Math.min(1, Math.abs(level)) ** 2;
    count++;
    if (!Number.isNaN(spread)) {
      sum += Math.min(1, Math.abs(spread)) ** 2;
      count++;
    }
    if (shape !== null) {
      sum += shape ** 2;
      count++;
    }
  }
  return count === 0 ? 0 : Math.sqrt(sum / count);
}

function standardised(machines: readonly Features[]): Pick<Space, 'families' | 'numbers'> {
  const numbers = machines.map(() => new Float64Array(0));
  const kept: { family: string; level: number; spread: number }[] = [];
  const columns: Float64Array[] = [];
  for (const family of commonFamilies(machines)) {
    const has = machines.map(({ behaviour }) => behaviour.get(family));
    const known = has.filter((one) => one !== undefined);
    const usual = medianOf(known.map(({ level, spread }) => Math.max(Math.abs(level), spread ?? 0)));
    // Where most say nothing at all, those that say something tell what is something.
    const most = known.reduce((max, { level, spread }) => Math.max(max, Math.abs(level), spread ?? 0), 0);
    const nothing = NOTHING * (usual > 0 ? usual : most);
    if (!(nothing > 0)) continue;
    const logarithm = (value: number): number => Math.sign(value) * Math.log2(1 + Math.abs(value) / nothing);
    const levels = has.map((one) => (one === undefined ? Number.NaN : logarithm(one.level)));
    const spreads = has.map((one) => (one?.spread == null ? Number.NaN : logarithm(one.spread)));
    const [level, spread] = [scaleOf(levels), scaleOf(spreads)];
    if (rangeOf(levels) < SAYS_NOTHING && rangeOf(spreads) < SAYS_NOTHING) continue;
    const column = new Float64Array(machines.length * NUMBERS).fill(Number.NaN);
    for (const [machine, one] of has.entries()) {
      if (one === undefined) continue;
      const at = machine * NUMBERS;
      column[at] = levels[machine]! / (MOST_SPREADS * level);
      column[at + 1] = spreads[machine]! / (MOST_SPREADS * spread);
      // The course in units of what this machine's values are about: its form, not its size.
      const size = Math.max(one.spread ?? 0, nothing, NOTHING * Math.abs(one.level));
      for (let part = 0; part < DAY_PARTS; part++) {
        if (one.course !== null) column[at + 2 + part] = one.course[part]! / (MOST_SPREADS * size);
      }
    }
    kept.push({ family, level: medianOf(known.map((one) => one.level)), spread: level });
    columns.push(column);
  }
  for (const machine of machines.keys()) {
    const own = new Float64Array(columns.length * NUMBERS);
    for (const [i, column] of columns.entries()) {
      own.set(column.subarray(machine * NUMBERS, (machine + 1) * NUMBERS), i * NUMBERS);
    }
    numbers[machine] = own;
  }
  return { families: kept, numbers };
}

/** Those that most machines have, the most common first, then by name. */
function commonFamilies(machines: readonly Features[]): string[] {
  const counts = new Map<string, number>();
  for (const { behaviour } of machines) {
    for (const family of behaviour.keys()) counts.set(family, (counts.get(family) ?? 0) + 1);
  }
  const order = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return order.slice(0, MOST_FAMILIES).map(([family]) => family);
}

function scaleOf(values: readonly number[]): number {
  return Math.max(LEAST_SPREAD, MAD_TO_DEVIATION * medianDistance(values, medianOf(values)) || 0);
}

function rangeOf(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.length === 0 ? 0 : Math.max(...known) - Math.min(...known);
}
