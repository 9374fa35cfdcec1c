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
  readonly endsMs: ArrayLike<number>;
  readonly values: ArrayLike<number>;
  readonly weights: ArrayLike<number>;
  readonly windowMs: number;
  readonly zone: ZoneOffsets;
}

/** @param like a profile of longer history, whose bins are to be had however few days there are */
export function fitProfile(windows: ProfileWindows, like?: Profile): Profile {
  const level = medianOf(windows.values);
  const { binsPerDay, dayKinds } = like ?? sortOf(windows);
  if (binsPerDay * dayKinds === 1) return { binsPerDay, dayKinds, levels: [level] };
  const daily = fitBins(windows, binsPerDay, (_, bin) => bin, new Array<number>(binsPerDay).fill(level));
  if (dayKinds === 1) return { binsPerDay, dayKinds, levels: daily };
  const place = (weekend: boolean, bin: number): number => (weekend ? binsPerDay + bin : bin);
  return { binsPerDay, dayKinds, levels: fitBins(windows, binsPerDay, place, [...daily, ...daily]) };
}

/** How fine a profile may be that these days are to fill. */
function sortOf(windows: ProfileWindows): Omit<Profile, 'levels'> {
  const days = new Set<number>();
  const weekendDays = new Set<number>();
  for (let i = 0; i < windows.values.length; i++) {
    const local = middleOf(windows, i);
    const day = Math.floor(local / DAY_MS);
    days.add(day);
    if (isWeekend(local)) weekendDays.add(day);
  }
  if (days.size < DAYS_FOR_HOURS) return { binsPerDay: 1, dayKinds: 1 };
  const binsPerDay = days.size < DAYS_FOR_QUARTERS ? 24 : 96;
  const weekdays = days.size - weekendDays.size;
  const hasWeeks = weekdays >= WEEKDAYS_FOR_WEEKS && weekendDays.size >= WEEKEND_DAYS_FOR_WEEKS;
  return { binsPerDay, dayKinds: hasWeeks ? 2 : 1 };
}

/** Local time of a window's middle. */
function middleOf(windows: ProfileWindows, i: number): number {
  return localMs(windows.zone, windows.endsMs[i]! - windows.windowMs / 2);
}

function fitBins(
  windows: ProfileWindows,
  binsPerDay: number,
  placeOf: (weekend: boolean, bin: number) => number,
  above: readonly number[],
): number[] {
  const bins = above.map(() => ({ values: [] as number[], weights: [] as number[], days: new Set<number>() }));
  for (let i = 0; i < windows.values.length; i++) {
    const local = middleOf(windows, i);
    const bin = bins[placeOf(isWeekend(local), Math.floor((timeOfDayMs(local) / DAY_MS) * binsPerDay))]!;
    bin.values.push(windows.values[i]!);
    bin.weights.push(windows.weights[i]!);
    bin.days.add(Math.floor(local / DAY_MS));
  }
  const medians = bins.map((bin) => weightedMedian(bin.values, bin.weights));
  // Scatter within bins; windows of one day are alike, so that a bin counts as many as it has days.
  const within =
    (MAD_TO_DEVIATION * medianOf(bins.flatMap((bin, i) => bin.values.map((v) => Math.abs(v - medians[i]!))))) ** 2;
  let total = 0;
  let filled = 0;
  for (const [i, bin] of bins.entries()) {
    if (bin.days.size === 0) continue;
    filled++;
    total += (medians[i]! - above[i]!) ** 2 - within / bin.days.size;
  }
  const between = Math.max(0, total / Math.max(1, filled));
  return above.map((parent, i) => {
    const days = bins[i]!.days.size;
    if (days === 0 || between === 0) return parent;
    const trust = between / (between + within / days);
    return parent + trust * (medians[i]! - parent);
  });
}
