/**
 * The seasonal model of a machine that has minutes or an hour of data of its own, from the models of machines that are
 * like it: their course of the day, their scale and their tails, around the level at which this machine is.
 *
 *   level    where the others differ by more than they scatter (bytes that are in use, a rate that grows with the
 *            machine) this machine's own, else theirs: between the two by empirical Bayes
 *   course   the median of theirs, in proportion to the level where it is a matter of size
 *   scale    the median of theirs, widened by what is not known of the level
 *   tails    of each side the heavier ones of theirs
 *
 * It must not be worse than silence: a series of which the machine's own first windows do not fit in the band is left out.
 */

import { residualAt, type SeasonalParams, type SeasonalTail, seasonalLevel } from '../../shared/detect/seasonal.ts';
import { DAY_MS } from '../../shared/limits.ts';
import type { SeriesId } from '../../shared/series.ts';
import type { TrainingOptions } from './kind.ts';
import { MAD_TO_DEVIATION, medianDistance, medianOf, quantileOf, sorted } from './robust.ts';
import type { FirstWindows } from './trainer.ts';

/** Others that know a series: fewer are no cohort. */
const LEAST_PEERS = 2;
/** Own windows of a series, below which nobody knows where it is. */
const LEAST_WINDOWS = 5;
/** A cohort's scale is worth this much less on a machine that was not part of it. */
const WIDER = 1.25;
/** A machine that is so many times as large as the others is none of them. */
const LARGEST = 4;
/** Share of the usual level: where less is expected at the time, no size can be told from it. */
const NO_SEASON = 0.05;
/** Which of the others' tails is taken: one that three quarters of them do not reach beyond. */
const TAIL_RANK = 0.75;
/** Bits at which tails are compared: about those of a finding. */
const TAIL_BITS = 16;
/** Share of the first windows that must lie in the band. */
const LEAST_INSIDE = 0.9;
/** A course is told by hours: finer is what a machine has for itself. */
const COURSE_BINS = 24;

export function mergeSeasonal(
  peers: readonly ReadonlyMap<SeriesId, SeasonalParams>[],
  own: ReadonlyMap<SeriesId, FirstWindows>,
  options: Pick<TrainingOptions, 'windowMs' | 'zone' | 'findingsPerDay'>,
): Map<SeriesId, SeasonalParams> {
  const merged = new Map<SeriesId, SeasonalParams>();
  for (const [series, windows] of own) {
    // Each one's day goes by its own clock: noon of one is held against noon of the other, wherever they stand.
    const theirs = peers.flatMap((peer) => peer.get(series) ?? []).map((peer) => ({ ...peer, zone: options.zone }));
    const params = mergeSeries(theirs, windows, options);
    if (params !== null) merged.set(series, params);
  }
  const perDay = (DAY_MS / options.windowMs) * Math.max(1, merged.size);
  const findingBits = Math.max(1, Math.log2(perDay / options.findingsPerDay));
  return new Map([...merged].map(([series, params]) => [series, { ...params, findingBits }]));
}

/** Null where too little is known, or where the machine is not like the others in this series. */
function mergeSeries(
  theirs: readonly SeasonalParams[],
  own: FirstWindows,
  { windowMs, zone }: Pick<TrainingOptions, 'windowMs' | 'zone'>,
): SeasonalParams | null {
  const windows = Array.from(own.mean, (_, i) => i).filter((i) => Number.isFinite(own.mean[i]!));
  if (theirs.length < LEAST_PEERS || windows.length < LEAST_WINDOWS) return null;
  const centres = theirs.map(({ levels }) => medianOf(levels));
  const centre = medianOf(centres);
  const within = medianOf(theirs.map(({ scale }) => scale));
  const between = MAD_TO_DEVIATION * medianDistance(centres, centre);
  const means = windows.map((i) => own.mean[i]!);
  const trust = between === 0 && within === 0 ? 1 : between ** 2 / (between ** 2 + within ** 2);
  const ends = windows.map((i) => own.timesMs[i]!);
  // Where machines differ by their size, what they do is told in shares of it.
  const bySize =
    trust > 0.5 &&
    theirs.every(({ nonNegative }, p) => nonNegative && centres[p]! > 0) &&
    ends.every((end) => theirs.every((peer, p) => seasonalLevel(peer, end) > NO_SEASON * centres[p]!));
  const units = centres.map((one) => (bySize ? one : 1));
  // A season that the others have at this time of the day is no difference of level.
  const seasons = ends.map((end) =>
    medianOf(theirs.map((peer, p) => (seasonalLevel(peer, end) - centres[p]!) / units[p]!)),
  );
  const level = medianOf(means.map((mean, k) => (bySize ? mean / (1 + seasons[k]!) : mean - seasons[k]!)));
  if (bySize && (level > LARGEST * centre || level < centre / LARGEST)) return null;
  const spread = MAD_TO_DEVIATION * medianDistance(means, medianOf(means));
  const middle = trust * level + (1 - trust) * centre;
  const size = bySize ? middle : 1;
  // Of a level that was seen for an hour nobody knows where it is on other days.
  const unknown = Math.sqrt(trust * (1 - trust)) * between;
  const usual = size * medianOf(theirs.map((peer, p) => peer.scale / units[p]!));
  const scale = Math.max(WIDER * Math.hypot(usual, unknown), spread, floorOf(middle));
  const params: SeasonalParams = {
    windowMs,
    zone,
    ...courseOf(theirs, centres, units, { middle, size, scale }),
    // Own windows alone: a model that learned from twice as many, and is no worse, takes its place.
    windows: windows.length,
    scale,
    upper: tailOf(theirs.map(({ upper }) => upper)),
    lower: tailOf(theirs.map(({ lower }) => lower)),
    nonNegative: theirs.every(({ nonNegative }) => nonNegative) && means.every((mean) => mean >= 0),
    capBits: medianOf(theirs.map(({ capBits }) => capBits)),
    bandBits: theirs[0]!.bandBits,
    findingBits: 60,
  };
  const inside = windows.filter((i) => isInside(params, own.mean[i]!, own.timesMs[i]!)).length;
  return inside >= LEAST_INSIDE * windows.length ? params : null;
}

/** Hills by the hour; one level where they are small beside the scatter. */
function courseOf(
  theirs: readonly SeasonalParams[],
  centres: readonly number[],
  units: readonly number[],
  { middle, size, scale }: { readonly middle: number; readonly size: number; readonly scale: number },
): Pick<SeasonalParams, 'levels' | 'binsPerDay' | 'dayKinds'> {
  const hills = (bin: number, weekend: boolean): number =>
    medianOf(theirs.map((peer, p) => (binLevel(peer, bin, weekend) - centres[p]!) / units[p]!));
  const dayKinds = theirs.filter((peer) => peer.dayKinds === 2).length * 2 > theirs.length ? 2 : 1;
  const levels: number[] = [];
  for (const weekend of [false, true].slice(0, dayKinds)) {
    for (let bin = 0; bin < COURSE_BINS; bin++) levels.push(middle + size * hills(bin, weekend));
  }
  const flat = levels.every((level) => Math.abs(level - middle) <= 0.25 * scale);
  return flat ? { levels: [middle], binsPerDay: 1, dayKinds: 1 } : { levels, binsPerDay: COURSE_BINS, dayKinds };
}

/** A peer's level in the middle of an hour. */
function binLevel({ levels, binsPerDay, dayKinds }: SeasonalParams, bin: number, weekend: boolean): number {
  const start = dayKinds === 2 && weekend ? binsPerDay : 0;
  const place = ((bin + 0.5) / COURSE_BINS) * binsPerDay - 0.5;
  const floor = Math.floor(place);
  const before = levels[start + ((floor + binsPerDay) % binsPerDay)]!;
  const after = levels[start + ((floor + 1) % binsPerDay)]!;
  return before + (after - before) * (place - floor);
}

function tailOf(tails: readonly SeasonalTail[]): SeasonalTail {
  const reach = tails.map((tail) => residualAt(tail, TAIL_BITS));
  const wanted = quantileOf(sorted(reach), TAIL_RANK);
  const order = tails.map((_, i) => i).sort((a, b) => reach[a]! - reach[b]! || a - b);
  return tails[order.find((i) => reach[i]! >= wanted) ?? order.at(-1)!]!;
}

function isInside(params: SeasonalParams, mean: number, endMs: number): boolean {
  const level = seasonalLevel(params, endMs);
  const tail = mean >= level ? params.upper : params.lower;
  return Math.abs(mean - level) <= params.scale * residualAt(tail, params.bandBits);
}

function floorOf(level: number): number {
  return Math.max(1e-6, 1e-3 * Math.abs(level));
}
