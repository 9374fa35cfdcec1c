/**
 * State of the group detector: what was learned, the reference that is in use, and the running scores.
 *
 *   u8 version, u8 series, u8[6] zero, then float64 LE: scalars, vectors, co-moments; float32 LE: loadings
 */
import { PicketError } from '../errors.ts';
import { type CoMoments, startCoMoments, triangle } from '../math/comoments.ts';
import type { StateCodec } from './detector.ts';
import {
  LIMIT_SIZE,
  limitProblem,
  STANDARD_SIZE,
  standardProblem,
  startLimit,
  startStandard,
  type Usual,
} from './group-limit.ts';
import { type GroupReference, MOST_GROUP_SERIES, scaleOf } from './group-reference.ts';

/** Places in `scalars`. */
export const at = {
  /** Rows that were learned. */
  rows: 0,
  /** Rows at which the reference was frozen; 0: there is none. One that was given has 1. */
  frozenAt: 1,
  /** Rows that the reference was made of. */
  made: 2,
  /** Mean of each statistic over the reference, from its eigenvalues. */
  broadMean: 3,
  tightMean: 4,
  /** Averages: of the broad statistic over some 5 and 20 rows, of the tight one, of the deviations from the recent past. */
  fast: 5,
  slow: 6,
  tight: 7,
  recent: 8,
  /** What is usual of each statistic, and the limit of the greatest. */
  onset: 9,
  lasting: 9 + STANDARD_SIZE,
  apart: 9 + 2 * STANDARD_SIZE,
  limit: 9 + 3 * STANDARD_SIZE,
} as const;
export const SCALARS = at.limit + LIMIT_SIZE;

const standards = ['onset', 'lasting', 'apart'] as const;
/** Of servers and test beds, before a group was watched itself. */
const usual: Readonly<Record<(typeof standards)[number], Usual>> = {
  onset: { mean: -0.8, deviation: 1.2 },
  lasting: { mean: -0.3, deviation: 0.7 },
  apart: { mean: -0.3, deviation: 0.7 },
};

export interface GroupState {
  readonly series: number;
  readonly scalars: Float64Array;
  /** The reference in use; loadings row by row. */
  readonly mean: Float64Array;
  readonly scale: Float64Array;
  readonly eigenvalues: Float64Array;
  readonly loadings: Float32Array;
  /** The adaptive mean and variance of each series. */
  readonly recentMean: Float64Array;
  readonly recentVariance: Float64Array;
  /** Rows in which each series had a value; fades with the co-moments. */
  readonly seen: Float64Array;
  /** Its value before; how often it moved, and how much more often up than down: fading with the co-moments. */
  readonly last: Float64Array;
  readonly moves: Float64Array;
  readonly rises: Float64Array;
  /** Of what the next reference is made. */
  readonly coMoments: CoMoments;
}

export function startGroupState(series: number): GroupState {
  const scalars = new Float64Array(SCALARS);
  scalars.fill(1, at.broadMean, at.recent + 1);
  for (const place of standards) startStandard(scalars, at[place], usual[place]);
  startLimit(scalars, at.limit);
  return emptyState(series, scalars);
}

function emptyState(series: number, scalars: Float64Array): GroupState {
  return {
    series,
    scalars,
    mean: new Float64Array(series),
    scale: new Float64Array(series).fill(1),
    eigenvalues: new Float64Array(series),
    loadings: new Float32Array(series * series),
    recentMean: new Float64Array(series),
    recentVariance: new Float64Array(series),
    seen: new Float64Array(series),
    last: new Float64Array(series),
    moves: new Float64Array(series),
    rises: new Float64Array(series),
    coMoments: startCoMoments(series),
  };
}

/** Takes a reference into use, from the next row on. */
export function freeze(
  state: Pick<GroupState, 'series' | 'scalars' | 'mean' | 'scale' | 'eigenvalues' | 'loadings'>,
  reference: GroupReference,
  frozenAt: number,
): void {
  const { series, scalars } = state;
  state.mean.set(reference.mean);
  state.scale.set(reference.scale);
  state.eigenvalues.set(reference.eigenvalues);
  for (const [r, row] of reference.loadings.entries()) state.loadings.set(row, r * series);
  scalars[at.broadMean] = meanOf(reference, BROAD_FLOOR);
  scalars[at.tightMean] = meanOf(reference, TIGHT_FLOOR);
  scalars[at.frozenAt] = frozenAt;
  scalars[at.made] = reference.rows;
}

/** What is added to the eigenvalues; see `group-reference.ts`. */
export const BROAD_FLOOR = 1;
export const TIGHT_FLOOR = 0.03;
/** A group that never moved expects this little, and not nothing. */
const LEAST_MEAN = 0.1;

function meanOf({ eigenvalues }: GroupReference, floor: number): number {
  return Math.max(
    LEAST_MEAN,
    eigenvalues.reduce((sum, value) => sum + value / (value + floor), 0),
  );
}

/** Numbers of a state in float64, in the order in which they are kept. */
function columns(state: GroupState): readonly Float64Array[] {
  const { scalars, mean, scale, eigenvalues, recentMean, recentVariance, seen, last, moves, rises, coMoments } = state;
  return [
    scalars,
    Float64Array.of(coMoments.count),
    mean,
    scale,
    eigenvalues,
    recentMean,
    recentVariance,
    seen,
    last,
    moves,
    rises,
    coMoments.mean,
    coMoments.products,
  ];
}

const VERSION = 1;
const HEADER_BYTES = 8;

function sizeBytes(series: number): number {
  return HEADER_BYTES + 8 * (SCALARS + 1 + 10 * series + triangle(series)) + 4 * series * series;
}

export const groupCodec: StateCodec<GroupState> = {
  version: VERSION,
  encode(state) {
    const out = new Uint8Array(sizeBytes(state.series));
    const view = new DataView(out.buffer);
    out[0] = VERSION;
    out[1] = state.series;
    let offset = HEADER_BYTES;
    for (const column of columns(state)) {
      for (const value of column) {
        view.setFloat64(offset, value, true);
        offset += 8;
      }
    }
    for (const value of state.loadings) {
      view.setFloat32(offset, value, true);
      offset += 4;
    }
    return out;
  },

  decode(bytes) {
    const series = bytes[1] ?? 0;
    if (bytes[0] !== VERSION || series < 1 || series > MOST_GROUP_SERIES || bytes.length !== sizeBytes(series)) {
      throw invalid(`${bytes.length} bytes, version ${bytes[0]}, ${series} series`);
    }
    if (bytes.subarray(2, HEADER_BYTES).some((byte) => byte !== 0)) throw invalid('its header is not zero');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const state = emptyState(series, new Float64Array(SCALARS));
    let offset = HEADER_BYTES;
    for (const [c, column] of columns(state).entries()) {
      for (let i = 0; i < column.length; i++) {
        column[i] = view.getFloat64(offset, true);
        offset += 8;
        if (!Number.isFinite(column[i]!)) throw invalid(`a number is ${column[i]}`);
      }
      if (c === 1) state.coMoments.count = column[0]!;
    }
    for (let i = 0; i < state.loadings.length; i++) {
      state.loadings[i] = view.getFloat32(offset, true);
      offset += 4;
    }
    const problem = contradiction(state);
    if (problem !== null) throw invalid(problem);
    return state;
  },
};

/** Values are held within this, so that products of two stay finite however many there are. */
export const LARGEST = 1e140;
const MOST_ROWS = 1e15;
/** Averages of statistics that are clipped. */
const MOST_SCORE = 1e6;

/** What the detector could not live with, or null. */
function contradiction(state: GroupState): string | null {
  const { scalars: s, series, coMoments } = state;
  const counts = [at.rows, at.frozenAt, at.made];
  if (counts.some((place) => !(s[place]! >= 0 && s[place]! <= MOST_ROWS))) return 'a count is out of bounds';
  if (s[at.frozenAt]! > s[at.rows]! + 1) return 'its reference is younger than itself';
  const means = [at.broadMean, at.tightMean];
  if (means.some((place) => !(s[place]! >= LEAST_MEAN && s[place]! <= series))) return 'a mean is out of bounds';
  const scores = [at.fast, at.slow, at.tight, at.recent];
  if (scores.some((place) => !(s[place]! >= 0 && s[place]! <= MOST_SCORE))) return 'a score is out of bounds';
  const problem =
    standards.reduce<string | null>((found, place) => found ?? standardProblem(s, at[place]), null) ??
    limitProblem(s, at.limit);
  if (problem !== null) return problem;
  if (!(coMoments.count >= 0 && coMoments.count <= MOST_ROWS)) return 'a count is out of bounds';
  for (let i = 0; i < series; i++) {
    if (!(state.scale[i]! >= scaleOf(0, 0) && state.scale[i]! <= LARGEST)) return 'a scale is out of bounds';
    if (!(state.eigenvalues[i]! >= 0 && state.eigenvalues[i]! <= series * 1.001))
      return 'an eigenvalue is out of bounds';
    if (!(state.recentVariance[i]! >= 0 && state.recentVariance[i]! <= LARGEST ** 2)) return 'a variance is none';
    if (!(state.seen[i]! >= 0 && state.seen[i]! <= coMoments.count + 1)) return 'a series was seen too often';
    if (!(state.moves[i]! >= 0 && state.moves[i]! <= state.seen[i]!)) return 'a series moved too often';
    if (!(Math.abs(state.rises[i]!) <= state.moves[i]!)) return 'a series rose more often than it moved';
    const centres = [state.mean[i]!, state.recentMean[i]!, coMoments.mean[i]!, state.last[i]!];
    if (centres.some((mean) => Math.abs(mean) > LARGEST)) return 'a mean is out of bounds';
    for (let j = 0; j <= i; j++) {
      const product = coMoments.products[triangle(i) + j]!;
      const most = Math.sqrt(coMoments.products[triangle(i) + i]! * coMoments.products[triangle(j) + j]!);
      if (!(Math.abs(product) <= most * 1.001 + 1e-6)) return 'its co-moments are none';
    }
  }
  // Each finite, and by the square of its length no more than a unit vector, whatever its first bytes say.
  for (let r = 0; r < series; r++) {
    let length = 0;
    for (let i = 0; i < series; i++) length += state.loadings[r * series + i]! ** 2;
    if (!(length <= 1.01)) return 'a loading is no unit vector';
  }
  return null;
}

function invalid(what: string): PicketError {
  return new PicketError('payload.invalid', `state of a group: ${what}`);
}
