/**
 * The group detector on window features, as the central trained it: a frozen reference, and limits for Hotelling's T²
 * (over all directions, each in the scale of what it strays, with a floor so that nobody divides by rounding: what no
 * longer moves together shows there first) and for the squared prediction error (over the directions in which the series
 * hardly move together, as far as they are: what is beyond all). Measured by the code of the group's own detector, scored
 * on the agent and in the central's backtest by this very code; it learns nothing.
 *
 *   d     = square root of the statistic over its mean in the reference, so that 1 is usual
 *   bits  = the rarer of the two by its tail, less one bit for looking twice, and never more than the history vouches for
 *
 * Constraints: no allocation in `scoreGroup`; some 15 µs for 64 series.
 */

import type { SeriesId } from '../series.ts';
import { invalid, numberOf } from '../trust/strict.ts';
import { type Measure, measure, measured } from './group-measure.ts';
import { type GroupReference, scaleOf } from './group-reference.ts';
import { freeze, SCALARS } from './group-state.ts';
import { type SeasonalTail, tailSurprise } from './seasonal.ts';

/** Which features the parameters are for: 1 = means of windows. */
export const groupFeatureVersion = 1;
export const groupMajor = 1;
/** Of the machine's groups in one model, as many as an agent watches. */
export const MOST_MODEL_GROUPS = 32;

export interface GroupModelParams {
  readonly members: readonly SeriesId[];
  readonly reference: GroupReference;
  readonly t2: SeasonalTail;
  readonly spe: SeasonalTail;
  readonly capBits: number;
  /** From how many bits on a window is a finding. */
  readonly findingBits: number;
}

/** Parameters made ready to be scored with. */
export interface GroupModelState extends Measure {
  /** Mean of the prediction error in the reference. */
  readonly speMean: number;
}

/** A series of which nothing is expected has at least this scale: see `trainReference`. */
const BEYOND_ALL = 1e139;
/** Below this share of the members that have a part in it nothing can be said of the group. */
const LEAST_PRESENT = 0.75;
/** Without directions in which little happens a statistic would be made of nothing. */
const LEAST_MEAN = 0.01;

export function startGroupModel({ reference }: Pick<GroupModelParams, 'reference'>): GroupModelState {
  const series = reference.mean.length;
  const state = {
    series,
    scalars: new Float64Array(SCALARS),
    mean: new Float64Array(series),
    scale: new Float64Array(series),
    eigenvalues: new Float64Array(series),
    loadings: new Float32Array(series * series),
    // There is no recent past here: the reference takes its place.
    recentMean: Float64Array.from(reference.mean),
    recentVariance: Float64Array.from(reference.scale, (scale) => scale * scale),
  };
  freeze(state, reference, 1);
  const spe = reference.eigenvalues.reduce((sum, value) => sum + (value > 1 ? 0 : value), 0);
  return { ...state, speMean: Math.max(LEAST_MEAN, spe) };
}

/** Whether the reference expects something of the series at all. */
export function hasPart({ scale }: Pick<Measure, 'scale'>, i: number): boolean {
  return scale[i]! < BEYOND_ALL;
}

/** The two distances of a row, of which 1 is usual; false where too little of it is there. The row is then measured. */
export function distances(state: GroupModelState, x: Float64Array, quality: Uint8Array, out: Distances): boolean {
  let parts = 0;
  let present = 0;
  for (let i = 0; i < state.series; i++) {
    if (!hasPart(state, i)) continue;
    parts++;
    if (Number.isFinite(x[i]!)) present++;
  }
  if (present === 0 || present < LEAST_PRESENT * parts) return false;
  measure(state, x, quality);
  out.t2 = Math.sqrt(measured.tight);
  out.spe = Math.sqrt(measured.q / state.speMean);
  return true;
}

export interface Distances {
  t2: number;
  spe: number;
}

export interface GroupVerdict extends Distances {
  ready: boolean;
  bits: number;
  finding: boolean;
  /** Whether T² says more than the prediction error: rather that series no longer move together. */
  apart: boolean;
}

export function emptyGroupVerdict(): GroupVerdict {
  return { ready: false, bits: 0, finding: false, apart: false, t2: 0, spe: 0 };
}

/** Judges a row; `quality` says which values are good. */
export function scoreGroup(
  params: GroupModelParams,
  state: GroupModelState,
  x: Float64Array,
  quality: Uint8Array,
  out: GroupVerdict,
): void {
  out.ready = distances(state, x, quality, out);
  out.bits = 0;
  out.finding = false;
  if (!out.ready) return;
  const t2 = tailSurprise(params.t2, out.t2);
  const spe = tailSurprise(params.spe, out.spe);
  out.apart = t2 >= spe;
  out.bits = Math.max(0, Math.min(params.capBits, Math.max(t2, spe) - 1));
  out.finding = out.bits >= params.findingBits;
}

/** Bounds within which every verdict is a number; the reference was read by `parseGroupReference`. */
export function checkGroupModel(params: GroupModelParams, where: string): void {
  const { members, reference, t2, spe, capBits, findingBits } = params;
  if (members.length !== reference.mean.length) {
    invalid(`${where}.members`, `are ${members.length}; the reference has ${reference.mean.length}`);
  }
  for (const [i, id] of members.entries()) {
    if (i > 0 && id <= members[i - 1]!) invalid(`${where}.members`, `are out of order at ${id}`);
    // Squares of what is standardised by it stay finite.
    numberOf(reference.scale[i], `${where}.scale`, scaleOf(0, 0));
  }
  numberOf(capBits, `${where}.capBits`, 0, 60);
  numberOf(findingBits, `${where}.findingBits`, 1, 60);
  for (const [name, tail] of [
    ['t2', t2],
    ['spe', spe],
  ] as const) {
    numberOf(tail.threshold, `${where}.${name}.threshold`, 0, 1e6);
    numberOf(tail.share, `${where}.${name}.share`, 1e-6, 0.5);
    numberOf(tail.scale, `${where}.${name}.scale`, 1e-6, 1e6);
    numberOf(tail.shape, `${where}.${name}.shape`, -0.5, 1);
  }
}
