/**
 * Levels by time of day, each bin's median drawn towards what stands above it in the hierarchy (one level → bins of the
 * day → the same bins of weekdays and weekends) by as much as the scatter within bins explains of the scatter between
 * them (empirical Bayes, Efron and Morris 1975). Bins are as fine as the days of history allow.
 */
import { isWeekend, localMs, timeOfDayMs, type ZoneOffsets } from '../../shared/detect/civil.ts';
import { DAY_MS } from '../../shared/limits.ts';
import { MAD_TO_DEVIATION, medianOf, weightedMedian } from './robust.ts';

/** Days of history from which on a profile has so many bins. */
const DAYS_FOR_HOURS = 2;
const DAYS_FOR_QUARTERS = 4;
const WEEKDAYS_FOR_WEEKS = 5;
const WEEKEND_DAYS_FOR_WEEKS = 3;

export interface Profile {
  readonly binsPerDay: number;
  readonly dayKinds: number;
  readonly levels: readonly number[];
}

export interface ProfileWindows {
  /** Rising. */
  readonly endsMs: Float64Array;
  readonly values: Float64Array;
  readonly weights: Float64Array;
  readonly windowMs: number;
  readonly zone: ZoneOffsets;
}

/** @param like a profile of longer history, whose bins are to be had however few days there are */
export function fitProfile(windows: ProfileWindows, like?: Profile): Profile {
  const level = medianOf(windows.values);
  const calendar = calendarOf(windows);
  const { binsPerDay, dayKinds } = like ?? sortOf(calendar);
  if (binsPerDay * dayKinds === 1) return { binsPerDay, dayKinds, levels: [level] };
  const { localMs: locals, weekend } = calendar;
  const places = new Uint16Array(locals.length);
  for (let i = 0; i < places.length; i++) places[i] = Math.floor((timeOfDayMs(locals[i]!) / DAY_MS) * binsPerDay);
  const daily = fitBins(windows, calendar, places, new Array<number>(binsPerDay).fill(level));
  if (dayKinds === 1) return { binsPerDay, dayKinds, levels: daily };
  for (let i = 0; i < places.length; i++) if (weekend[i] === 1) places[i]! += binsPerDay;
  return { binsPerDay, dayKinds, levels: fitBins(windows, calendar, places, [...daily, ...daily]) };
}

/** Of each window's middle. */
interface Calendar {
  readonly localMs: Float64Array;
  /** Local days since 1970-01-01; they rise. */
  readonly days: Int32Array;
  readonly weekend: Uint8Array;
}

function calendarOf({ endsMs, windowMs, zone }: ProfileWindows): Calendar {
  const calendar = {
    localMs: new Float64Array(endsMs.length),
    days: new Int32Array(endsMs.length),
    weekend: new Uint8Array(endsMs.length),
  };
  for (let i = 0; i < endsMs.length; i++) {
    const local = localMs(zone, endsMs[i]! - windowMs / 2);
    calendar.localMs[i] = local;
    calendar.days[i] = Math.floor(local / DAY_MS);
    calendar.weekend[i] = isWeekend(local) ? 1 : 0;
  }
  return calendar;
}

/** How fine a profile may be that these days are to fill. */
function sortOf({ days, weekend }: Calendar): Omit<Profile, 'levels'> {
  let all = 0;
  let weekendDays = 0;
  for (let i = 0; i < days.length; i++) {
    if (i > 0 && days[i] === days[i - 1]) continue;
    all++;
    weekendDays += weekend[i]!;
  }
  if (all < DAYS_FOR_HOURS) return { binsPerDay: 1, dayKinds: 1 };
  const binsPerDay = all < DAYS_FOR_QUARTERS ? 24 : 96;
  const hasWeeks = all - weekendDays >= WEEKDAYS_FOR_WEEKS && weekendDays >= WEEKEND_DAYS_FOR_WEEKS;
  return { binsPerDay, dayKinds: hasWeeks ? 2 : 1 };
}

/** @param places the bin of each window, below `above.length` */
function fitBins(
  { values, weights }: ProfileWindows,
  { days }: Calendar,
  places: Uint16Array,
  above: readonly number[],
): number[] {
  const bins = binned(places, days, above.length);
  const own = gathered(values, bins.order);
  const even = isEven(weights);
  const weighed = even ? own : gathered(weights, bins.order);
  const medians = new Float64Array(above.length);
  const distances = new Float64Array(own.length);
  for (let bin = 0; bin < medians.length; bin++) {
    const [from, to] = [bins.starts[bin]!, bins.starts[bin + 1]!];
    const median = even ? medianOf(own, from, to) : weightedMedian(own.subarray(from, to), weighed.subarray(from, to));
    medians[bin] = median;
    for (let i = from; i < to; i++) distances[i] = Math.abs(own[i]! - median);
  }
  // Scatter within bins; windows of one day are alike, so that a bin counts as many as it has days.
  const within = (MAD_TO_DEVIATION * medianOf(distances)) ** 2;
  let total = 0;
  let filled = 0;
  for (let bin = 0; bin < medians.length; bin++) {
    if (bins.days[bin] === 0) continue;
    filled++;
    total += (medians[bin]! - above[bin]!) ** 2 - within / bins.days[bin]!;
  }
  const between = Math.max(0, total / Math.max(1, filled));
  return above.map((parent, bin) => {
    const known = bins.days[bin]!;
    if (known === 0 || between === 0) return parent;
    const trust = between / (between + within / known);
    return parent + trust * (medians[bin]! - parent);
  });
}

interface Bins {
  /** Rows, bin after bin. */
  readonly order: Int32Array;
  /** Where each bin begins in it, and where the last one ends. */
  readonly starts: Int32Array;
  /** Days that have rows in each. */
  readonly days: Int32Array;
}

/** Counting sort: lists of lists were a quarter of a training. */
function binned(places: Uint16Array, daysOf: Int32Array, count: number): Bins {
  const starts = new Int32Array(count + 1);
  for (let i = 0; i < places.length; i++) starts[places[i]! + 1]!++;
  for (let bin = 0; bin < count; bin++) starts[bin + 1]! += starts[bin]!;
  const next = starts.slice(0, count);
  const order = new Int32Array(places.length);
  const days = new Int32Array(count);
  for (let i = 0; i < places.length; i++) {
    const bin = places[i]!;
    const at = next[bin]!++;
    order[at] = i;
    if (at === starts[bin] || daysOf[order[at - 1]!] !== daysOf[i]) days[bin]!++;
  }
  return { order, starts, days };
}

function gathered(values: ArrayLike<number>, order: Int32Array): Float64Array {
  const out = new Float64Array(order.length);
  for (let i = 0; i < order.length; i++) out[i] = values[order[i]!]!;
  return out;
}

function isEven(weights: ArrayLike<number>): boolean {
  for (let i = 1; i < weights.length; i++) if (weights[i] !== weights[0]) return false;
  return true;
}
