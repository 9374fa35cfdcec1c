/**
 * What the surprise detector keeps of one series: two arrays over one block of memory (about 1.8 KB), so that the
 * state is its bytes.
 *
 * Encoded: u8 version, u8[7] zero, scalars (float64 LE), bins (float32 LE). Decoding accepts that length alone and
 * checks what the code relies on: numbers finite, places within their rings, counts not negative.
 */
import { PicketError } from '../errors.ts';
import { TAIL_SIZE } from '../math/tails.ts';
import type { StateCodec } from './detector.ts';
import { HISTOGRAM_SIZE, type HistogramPlace } from './histogram.ts';
import { GATE_SCALARS, type GatePlace, RECORD_BLOCK_POINTS, RECORD_BLOCKS } from './records.ts';

export interface SurpriseState {
  readonly scalars: Float64Array;
  readonly bins: Float32Array;
}

/** Points whose standard deviation is watched. */
export const DEVIATION_POINTS = 48;

const COARSE_BINS = 24;
const FINE_BINS = 64;
const DEVIATION_BINS = 24;

/** Medians that are watched. */
const LASTING_COUNT = 1;
const LASTINGS = 17;
/** Mean and variance of a median that is watched. */
const LASTING_SCALARS = 2;
const HISTOGRAMS = LASTINGS + LASTING_COUNT * LASTING_SCALARS;
const TAILS = HISTOGRAMS + (3 + LASTING_COUNT) * HISTOGRAM_SIZE;
const GATES = TAILS + (3 + 2 * LASTING_COUNT) * TAIL_SIZE;

/** Offsets in the scalars. */
export const at = {
  /** Points that were learned. */
  count: 0,
  /** Of these, how many differed from the one before. */
  moves: 1,
  last: 2,
  mean: 3,
  variance: 4,
  /** Average of about the last nine points. */
  fast: 5,
  residualVariance: 6,
  /** Recent alarms, fading. */
  alarms: 7,
  ringPlace: 8,
  /** What the ring's sums are relative to. */
  origin: 9,
  sum: 10,
  squares: 11,
  /** Expected range, as it was 50 to 100 points ago; then as it was at most 50 points ago. */
  expectedLow: 12,
  expectedHigh: 13,
  nextLow: 14,
  nextHigh: 15,
  /** Lowest value ever seen. */
  lowest: 16,
  tailLevel: TAILS,
  tailResidual: TAILS + TAIL_SIZE,
  tailScore: TAILS + 2 * TAIL_SIZE,
  ring: GATES + (1 + LASTING_COUNT) * GATE_SCALARS,
} as const;

const GATE_BINS = COARSE_BINS + (1 + LASTING_COUNT) * FINE_BINS + DEVIATION_BINS;
const SCALARS = at.ring + DEVIATION_POINTS;
const BINS = GATE_BINS + (1 + LASTING_COUNT) * RECORD_BLOCKS;

/** Points after which the past counts half, in the histograms and tails: a day at 1 Hz. */
export const MEMORY_POINTS = 86_400;

function histogram(index: number, firstBin: number, bins: number): HistogramPlace {
  return { at: HISTOGRAMS + index * HISTOGRAM_SIZE, firstBin, bins, memory: MEMORY_POINTS };
}

/** Where the histograms and gates of a state lie. */
export const places = {
  coarse: histogram(0, 0, COARSE_BINS),
  fine: histogram(1, COARSE_BINS, FINE_BINS),
  deviation: histogram(2, COARSE_BINS + FINE_BINS, DEVIATION_BINS),
  gate: { at: GATES, firstBin: GATE_BINS },
} as const;

/**
 * What lasts is told from what flashes by a median: the one of nine points is blind to flashes of up to four. More of them
 * (31 points, each eighth) found no more and doubled the false alarms on quiet data.
 */
export interface LastingPlace {
  /** The median of so many points, */
  readonly points: number;
  /** looked at once in so many points. */
  readonly every: number;
  readonly mean: number;
  readonly variance: number;
  readonly histogram: HistogramPlace;
  readonly tail: number;
  readonly tailScore: number;
  readonly gate: GatePlace;
}

function lasting(index: number, points: number, every: number): LastingPlace {
  return {
    points,
    every,
    mean: LASTINGS + index * LASTING_SCALARS,
    variance: LASTINGS + index * LASTING_SCALARS + 1,
    histogram: histogram(3 + index, COARSE_BINS + FINE_BINS + DEVIATION_BINS + index * FINE_BINS, FINE_BINS),
    tail: TAILS + (3 + 2 * index) * TAIL_SIZE,
    tailScore: TAILS + (4 + 2 * index) * TAIL_SIZE,
    gate: { at: GATES + (1 + index) * GATE_SCALARS, firstBin: GATE_BINS + (1 + index) * RECORD_BLOCKS },
  };
}

export const lastings: readonly LastingPlace[] = [lasting(0, 9, 1)];

export function emptySurpriseState(): SurpriseState {
  const block = new ArrayBuffer(SCALARS * 8 + BINS * 4);
  return { scalars: new Float64Array(block, 0, SCALARS), bins: new Float32Array(block, SCALARS * 8, BINS) };
}

const NOT_NEGATIVE = [
  at.count,
  at.moves,
  at.variance,
  at.residualVariance,
  at.alarms,
  at.squares,
  ...lastings.map(({ variance }) => variance),
];

const HEADER_BYTES = 8;
const VERSION = 1;
const SURPRISE_STATE_BYTES = HEADER_BYTES + SCALARS * 8 + BINS * 4;

function encode(state: SurpriseState): Uint8Array {
  const out = new Uint8Array(SURPRISE_STATE_BYTES);
  const view = new DataView(out.buffer);
  view.setUint8(0, VERSION);
  for (let i = 0; i < SCALARS; i++) view.setFloat64(HEADER_BYTES + i * 8, state.scalars[i]!, true);
  for (let i = 0; i < BINS; i++) view.setFloat32(HEADER_BYTES + SCALARS * 8 + i * 4, state.bins[i]!, true);
  return out;
}

function decode(bytes: Uint8Array): SurpriseState {
  if (bytes.length !== SURPRISE_STATE_BYTES || bytes[0] !== VERSION) {
    throw new PicketError(
      'payload.invalid',
      `state of a surprise detector: ${bytes.length} bytes, version ${bytes[0]}`,
    );
  }
  for (let i = 1; i < HEADER_BYTES; i++) {
    if (bytes[i] !== 0) throw new PicketError('payload.invalid', `state of a surprise detector: byte ${i} is not 0`);
  }
  const state = emptySurpriseState();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < SCALARS; i++) state.scalars[i] = finite(view.getFloat64(HEADER_BYTES + i * 8, true), i);
  for (let i = 0; i < BINS; i++) {
    state.bins[i] = notNegative(view.getFloat32(HEADER_BYTES + SCALARS * 8 + i * 4, true), SCALARS + i);
  }
  const s = state.scalars;
  for (const i of NOT_NEGATIVE) notNegative(s[i]!, i);
  place(s[at.ringPlace]!, DEVIATION_POINTS, at.ringPlace);
  for (const gate of [places.gate.at, ...lastings.map((one) => one.gate.at)]) {
    place(s[gate]!, RECORD_BLOCK_POINTS, gate);
    place(s[gate + 1]!, RECORD_BLOCKS, gate + 1);
  }
  if (s[at.expectedLow]! > s[at.expectedHigh]! || s[at.nextLow]! > s[at.nextHigh]!) {
    throw new PicketError('payload.invalid', 'state of a surprise detector: expected range');
  }
  for (const { at: i } of [places.coarse, places.fine, places.deviation, ...lastings.map((one) => one.histogram)]) {
    if (s[i]! > s[i + 1]!) throw new PicketError('payload.invalid', `state of a surprise detector: range at ${i}`);
    notNegative(s[i + 2]!, i + 2);
    notNegative(s[i + 3]!, i + 3);
  }
  for (let i = TAILS; i < GATES; i++) if ((i - TAILS) % TAIL_SIZE !== 0) notNegative(s[i]!, i);
  return state;
}

function finite(value: number, i: number): number {
  if (!Number.isFinite(value)) throw new PicketError('payload.invalid', `state of a surprise detector: number ${i}`);
  return value;
}

function notNegative(value: number, i: number): number {
  if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) {
    throw new PicketError('payload.invalid', `state of a surprise detector: number ${i} is ${value}`);
  }
  return value;
}

function place(value: number, size: number, i: number): void {
  if (!Number.isInteger(value) || value < 0 || value >= size) {
    throw new PicketError('payload.invalid', `state of a surprise detector: place ${i} is ${value}`);
  }
}

export const surpriseCodec: StateCodec<SurpriseState> = { version: VERSION, encode, decode };
