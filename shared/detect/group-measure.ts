/**
 * How far one row of a group is from its frozen reference and from its own recent past, by series and together. Pure;
 * allocates nothing: results are in `measured`, which belongs to whoever called last.
 *
 * What is missing is filled with what the others let expect (the conditional mean), so that it adds nothing of its own
 * and silences nobody.
 */
import { Quality } from '../series.ts';
import { MOST_GROUP_SERIES, scaleOf } from './group-reference.ts';
import { at, BROAD_FLOOR, type GroupState, LARGEST, TIGHT_FLOOR } from './group-state.ts';

/** What of a state a row is measured against. */
export type Measure = Pick<
  GroupState,
  'series' | 'scalars' | 'mean' | 'scale' | 'eigenvalues' | 'loadings' | 'recentMean' | 'recentVariance'
>;

/** Deviations beyond this many scales say no more: one absurd series must not hide the rest. */
const MOST_SCALES = 10;
const MOST_RECENT_SCALES = 30;
/** Rounds of the fill, where more than one value is missing. */
const FILL_ROUNDS = 3;
/** Rows from which on recent means and variances mean something. */
const RECENT_ROWS = 30;

/** Of the last row that was measured. */
export const measured = {
  /** Series that have a value. */
  present: 0,
  /** Against the reference, over what is expected: about 1 as a rule. 0 without a reference. */
  broad: 0,
  tight: 0,
  /** T² and Q alone, of the same row. */
  t2: 0,
  q: 0,
  /** Mean square of the deviations from the recent past: 1 as a rule. */
  recent: 0,
  /** Standardised values against the reference, missing ones filled. */
  z: new Float64Array(MOST_GROUP_SERIES),
  /** The same against the recent past; 0 where missing. */
  zRecent: new Float64Array(MOST_GROUP_SERIES),
};

/** Projections on the eigenvectors. */
const t = new Float64Array(MOST_GROUP_SERIES);

export function isPresent(x: Float64Array, quality: Uint8Array, i: number): boolean {
  return Number.isFinite(x[i]!) && quality[i] === Quality.good;
}

export function held(value: number): number {
  return Math.min(LARGEST, Math.max(-LARGEST, value));
}

/** Measures a row of as many values as the group has series. */
export function measure(state: Measure, x: Float64Array, quality: Uint8Array): void {
  const { series, scalars } = state;
  let present = 0;
  let squares = 0;
  for (let i = 0; i < series; i++) {
    measured.z[i] = 0;
    measured.zRecent[i] = 0;
    if (!isPresent(x, quality, i)) continue;
    present++;
    const value = held(x[i]!);
    measured.z[i] = clipped((value - state.mean[i]!) / state.scale[i]!, MOST_SCALES);
    const scale = scaleOf(state.recentMean[i]!, state.recentVariance[i]!);
    const recent = clipped((value - state.recentMean[i]!) / scale, MOST_RECENT_SCALES);
    measured.zRecent[i] = recent;
    squares += recent * recent;
  }
  measured.present = present;
  measured.recent = present > 0 && scalars[at.rows]! >= RECENT_ROWS ? squares / present : 1;
  measured.broad = 0;
  measured.tight = 0;
  measured.t2 = 0;
  measured.q = 0;
  if (scalars[at.frozenAt] === 0 || present === 0) return;
  project(state);
  for (let round = 0; present < series && round < FILL_ROUNDS; round++) fill(state, x, quality);
  let broad = 0;
  let tight = 0;
  for (let r = 0; r < series; r++) {
    const square = t[r]! * t[r]!;
    const eigenvalue = state.eigenvalues[r]!;
    broad += square / (eigenvalue + BROAD_FLOOR);
    tight += square / (eigenvalue + TIGHT_FLOOR);
    if (eigenvalue > 1) measured.t2 += square / eigenvalue;
    else measured.q += square;
  }
  measured.broad = broad / scalars[at.broadMean]!;
  measured.tight = tight / scalars[at.tightMean]!;
}

function clipped(z: number, most: number): number {
  return Math.min(most, Math.max(-most, z));
}

function project({ series, loadings }: Measure): void {
  const { z } = measured;
  for (let r = 0; r < series; r++) {
    const row = r * series;
    let sum = 0;
    for (let i = 0; i < series; i++) sum += loadings[row + i]! * z[i]!;
    t[r] = sum;
  }
}

/**
 * Puts what is missing where it adds least to the tight statistic, which is its conditional mean: each in turn, exactly
 * for one, in a few rounds for several.
 */
function fill({ series, loadings, eigenvalues }: Measure, x: Float64Array, quality: Uint8Array): void {
  for (let i = 0; i < series; i++) {
    if (isPresent(x, quality, i)) continue;
    let gradient = 0;
    let curvature = 0;
    for (let r = 0; r < series; r++) {
      const loading = loadings[r * series + i]!;
      gradient += (loading * t[r]!) / (eigenvalues[r]! + TIGHT_FLOOR);
      curvature += (loading * loading) / (eigenvalues[r]! + TIGHT_FLOOR);
    }
    if (curvature === 0) continue;
    const filled = clipped(measured.z[i]! - gradient / curvature, MOST_SCALES);
    const step = filled - measured.z[i]!;
    measured.z[i] = filled;
    for (let r = 0; r < series; r++) t[r] = t[r]! + step * loadings[r * series + i]!;
  }
}

/**
 * What each series has to do with how the measured row is: shares that sum to 1, or all 0. By reconstruction (Alcala and
 * Qin 2009): how much of the statistic would go if this series alone were put right, beside its own deviation from the
 * recent past. For a single series at fault it is the greatest, which plain contributions don't promise.
 *
 * @param floor of the statistic: `BROAD_FLOOR` or `TIGHT_FLOOR`
 */
export function contributions(
  { series, loadings, eigenvalues, scalars }: Measure,
  floor: number,
  out: Float64Array,
): void {
  const { zRecent } = measured;
  let sum = 0;
  let recentSum = 0;
  for (let i = 0; i < series; i++) {
    let gradient = 0;
    let curvature = 0;
    for (let r = 0; r < series; r++) {
      const loading = loadings[r * series + i]!;
      gradient += (loading * t[r]!) / (eigenvalues[r]! + floor);
      curvature += (loading * loading) / (eigenvalues[r]! + floor);
    }
    out[i] = scalars[at.frozenAt] === 0 || curvature === 0 ? 0 : (gradient * gradient) / curvature;
    sum += out[i]!;
    recentSum += zRecent[i]! * zRecent[i]!;
  }
  // What no longer moves together is in its range, as a rule: the recent past says nothing of it.
  const recentWeight = floor === BROAD_FLOOR && recentSum > 0 ? RECENT_WEIGHT / recentSum : 0;
  const weight = sum > 0 ? 1 / sum : 0;
  const all = weight * sum + recentWeight * recentSum;
  for (let i = 0; i < series; i++) {
    out[i] = all === 0 ? 0 : (weight * out[i]! + recentWeight * zRecent[i]! * zRecent[i]!) / all;
  }
}
/** Of the recent past beside the reference, about as in the score. */
const RECENT_WEIGHT = 0.5;

/** What the reference lets expect of a series, in its own unit; NaN for one that it leaves out. */
export function expectedOf({ mean, scale }: Measure, i: number): { readonly low: number; readonly high: number } {
  const width = scale[i]! < LARGEST ? USUAL_SCALES * scale[i]! : Number.NaN;
  return { low: mean[i]! - width, high: mean[i]! + width };
}

/** Nearly all values are within as many scales. */
const USUAL_SCALES = 3;
