/**
 * What the surprise detector keeps of one series: 2.4 KB in three typed arrays, which may lie in one block of memory with
 * the states of other detectors.
 *
 * Encoded: u8 version, u8[7] zero, scalars (float64 LE), floats (float32 LE), levels of the season
 * and pairs of usual hours (int16 LE). Decoding accepts that length and version alone (what an older version learned is
 * refused, and learning starts afresh) and checks what the code relies on: numbers finite, places within their rings,
 * counts not negative.
 */
import { PicketError } from '../errors.ts';
import { TAIL_SIZE } from '../math/tails.ts';
import { BLOCK_SCALARS, BLOCK_TAILS, type BlockPlace, isSoundBlock } from './blocks.ts';
import type { StateCodec } from './detector.ts';
import { HISTOGRAM_SIZE, type HistogramPlace } from './histogram.ts';
import { dayShape, isSoundProfile, PROFILE_SCALARS, type ProfilePlace } from './season-profile.ts';
import { isSoundUsual, USUAL_PAIRS, USUAL_SCALARS, type UsualPlace } from './usual-hours.ts';

export interface SurpriseState {
  readonly scalars: Float64Array;
  /** Tails, then bins of the histograms, then scales of the season, then the last points. */
  readonly floats: Float32Array;
  /** Levels of the season, then the usual hours in pairs. */
  readonly levels: Int16Array;
}

/** Points whose mean and standard deviation are watched. */
export const RECENT_POINTS = 48;
/** Points whose median is watched: blind to flashes of up to four. */
export const LASTING_POINTS = 9;
/** Points after which the past counts half, in the histograms and tails: a day at 1 Hz. */
export const MEMORY_POINTS = 86_400;

/** Bins of each histogram, in the order in which they lie; few of them are coarse enough as they are. */
const binsOf = { value: 64, recent: 64, deviation: 24, season: 16 } as const;
const unsmoothed: keyof typeof binsOf = 'deviation';
const HISTOGRAMS = 20;
const DAY = HISTOGRAMS + 4 * HISTOGRAM_SIZE;
const MINUTES = DAY + PROFILE_SCALARS;
const HOURS = MINUTES + BLOCK_SCALARS;
const USUAL = HOURS + BLOCK_SCALARS;
const SCALARS = USUAL + USUAL_SCALARS;

/** Offsets in the scalars. */
export const at = {
  /** Points that were learned. */
  count: 0,
  /** Of these, how many differed from the one before. */
  moves: 1,
  last: 2,
  /** Monotonic time of the last point. */
  lastMs: 3,
  mean: 4,
  variance: 5,
  /** Average of about the last nine points. */
  fast: 6,
  residualVariance: 7,
  /** Recent alarms, fading; and the bits that are to be beaten, fading. */
  alarms: 8,
  record: 9,
  ringPlace: 10,
  /** What the ring's sums are relative to. */
  origin: 11,
  sum: 12,
  squares: 13,
  /** Expected range, as it was 50 to 100 points ago; then as it was at most 50 points ago. */
  expectedLow: 14,
  expectedHigh: 15,
  nextLow: 16,
  nextHigh: 17,
  /** Lowest value ever seen. */
  lowest: 18,
  /** Variance of the median that is watched about the level. */
  lastingVariance: 19,
} as const;

/** Offsets in the tails. */
export const tailAt = {
  level: 0,
  residual: TAIL_SIZE,
  score: 2 * TAIL_SIZE,
  lasting: 3 * TAIL_SIZE,
  lastingScore: 4 * TAIL_SIZE,
  season: 5 * TAIL_SIZE,
  seasonScore: 6 * TAIL_SIZE,
} as const;
const MINUTE_TAILS = 7 * TAIL_SIZE;
const HOUR_TAILS = MINUTE_TAILS + BLOCK_TAILS * TAIL_SIZE;
const TAILS = HOUR_TAILS + BLOCK_TAILS * TAIL_SIZE;

function histograms(): Record<keyof typeof binsOf, HistogramPlace> {
  let firstBin = TAILS;
  const entries = Object.entries(binsOf).map(([name, bins], i) => {
    const place = {
      at: HISTOGRAMS + i * HISTOGRAM_SIZE,
      firstBin,
      bins,
      smoothed: name !== unsmoothed,
      memory: MEMORY_POINTS,
    };
    firstBin += bins;
    return [name, place];
  });
  return Object.fromEntries(entries) as Record<keyof typeof binsOf, HistogramPlace>;
}

/** Where the histograms of a state lie. */
export const places = histograms();
const BINS = Object.values(binsOf).reduce((sum, bins) => sum + bins, 0);

const FIRST_SCALE = TAILS + BINS;
const SEASON_LEVELS = dayShape.slots * dayShape.kinds;
const LEVELS = SEASON_LEVELS + USUAL_PAIRS;
export const day: ProfilePlace = { ...dayShape, at: DAY, firstSlot: 0, firstScale: FIRST_SCALE };
export const usual: UsualPlace = { at: USUAL, firstPair: SEASON_LEVELS };
/** The last points, relative to `at.origin`. */
export const RING = FIRST_SCALE + dayShape.slots / dayShape.slotsAScale;

/** The resolutions beside the points themselves. */
export const minutes: BlockPlace = { spanMs: 60_000, at: MINUTES, tail: MINUTE_TAILS };
export const hours: BlockPlace = { spanMs: 3_600_000, at: HOURS, tail: HOUR_TAILS };

const FLOATS = RING + RECENT_POINTS;
const SIZE = SCALARS * 8 + FLOATS * 4 + LEVELS * 2;

export function emptySurpriseState(): SurpriseState {
  return {
    scalars: new Float64Array(SCALARS),
    floats: new Float32Array(FLOATS),
    levels: new Int16Array(LEVELS),
  };
}

const HEADER_BYTES = 8;
const VERSION = 2;

function encode({ scalars, floats, levels }: SurpriseState): Uint8Array {
  const out = new Uint8Array(HEADER_BYTES + SIZE);
  const view = new DataView(out.buffer);
  view.setUint8(0, VERSION);
  let from = HEADER_BYTES;
  for (let i = 0; i < SCALARS; i++, from += 8) view.setFloat64(from, scalars[i]!, true);
  for (let i = 0; i < FLOATS; i++, from += 4) view.setFloat32(from, floats[i]!, true);
  for (let i = 0; i < LEVELS; i++, from += 2) view.setInt16(from, levels[i]!, true);
  return out;
}

function decode(bytes: Uint8Array): SurpriseState {
  if (bytes.length !== HEADER_BYTES + SIZE || bytes[0] !== VERSION) {
    refuse(`${bytes.length} bytes, version ${bytes[0]}; ${HEADER_BYTES + SIZE} bytes of version ${VERSION} are due`);
  }
  for (let i = 1; i < HEADER_BYTES; i++) if (bytes[i] !== 0) refuse(`byte ${i} is not 0`);
  const state = emptySurpriseState();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let from = HEADER_BYTES;
  for (let i = 0; i < SCALARS; i++, from += 8) state.scalars[i] = finite(view.getFloat64(from, true), i);
  for (let i = 0; i < FLOATS; i++, from += 4) state.floats[i] = finite(view.getFloat32(from, true), i);
  for (let i = 0; i < LEVELS; i++, from += 2) state.levels[i] = view.getInt16(from, true);
  check(state);
  return state;
}

const NOT_NEGATIVE = [
  at.count,
  at.moves,
  at.variance,
  at.residualVariance,
  at.alarms,
  at.record,
  at.squares,
  at.lastingVariance,
];

/** Far beyond what is ever learned, and so small that its square is a single-precision number. */
const LARGEST_FLOAT = 1e15;

function check(state: SurpriseState): void {
  const { scalars: s, floats } = state;
  for (const i of NOT_NEGATIVE) if (s[i]! < 0) refuse(`number ${i} is ${s[i]}`);
  if (!Number.isInteger(s[at.ringPlace]!) || s[at.ringPlace]! < 0 || s[at.ringPlace]! >= RECENT_POINTS) {
    refuse(`place in the ring ${s[at.ringPlace]}`);
  }
  if (s[at.expectedLow]! > s[at.expectedHigh]! || s[at.nextLow]! > s[at.nextHigh]!) refuse('expected range');
  for (const { at: i } of Object.values(places)) {
    if (s[i]! > s[i + 1]! || s[i + 2]! < 0 || s[i + 3]! < 0) refuse(`range at ${i}`);
  }
  for (let i = 0; i < FIRST_SCALE; i++) {
    const signed = i < TAILS && i % TAIL_SIZE === 0;
    if (Math.abs(floats[i]!) > LARGEST_FLOAT || (floats[i]! < 0 && !signed))
      refuse(`number ${SCALARS + i} is ${floats[i]}`);
  }
  if (!isSoundProfile(state, day)) refuse('season');
  for (const place of [minutes, hours]) if (!isSoundBlock(state, place)) refuse(`blocks of ${place.spanMs} ms`);
  if (!isSoundUsual(s, usual)) refuse('usual hours');
}

function refuse(what: string): never {
  throw new PicketError('payload.invalid', `state of a surprise detector: ${what}`);
}

function finite(value: number, i: number): number {
  if (!Number.isFinite(value)) refuse(`number ${i} is ${value}`);
  return value;
}

export const surpriseCodec: StateCodec<SurpriseState> = { version: VERSION, encode, decode };
