/**
 * Seasonal profile, residual scale and tail of one series, for the mean of a window of stated length. Trained at the
 * central, scored on the agent and in the central's backtest by this very code; it learns nothing on the agent.
 *
 *   level(t)   by time of day (1, 4, 24 or 96 bins, linear between their middles), weekends apart where history allows
 *   z          = (mean - level) / scale
 *   P(Z ≥ z)   falls in log space from 1/2 at the level to `share` at the tail's threshold, and from there on like a
 *              generalized Pareto distribution (peaks over threshold), for each side on its own
 *   bits       = -log2 P(|Z| as unusual), never more than `capBits`, which the trainer takes from the length of the
 *              history: a model of four windows may not call anything rarer than once in some dozens
 *
 * At times of which operators said that more is usual, the scale is larger (`allowance.ts`).
 */
import type { Instant } from '../clock.ts';
import { DAY_MS } from '../limits.ts';
import { gpdBits } from '../math/tails.ts';
import { Quality } from '../series.ts';
import { booleanOf, integerOf, invalid, listOf, numberOf, objectOf } from '../trust/strict.ts';
import { ByteReader, ByteWriter } from '../wire/bytes.ts';
import { type Allowance, checkAllowances, MOST_ALLOWANCES, parseAllowance, widened } from './allowance.ts';
import { checkZone, isWeekend, localMs, parseZone, timeOfDayMs, utcZone, type ZoneOffsets } from './civil.ts';
import { clearVerdict, type DetectorKind, type Verdict } from './detector.ts';

/** Which statistics of a window the parameters are for: 1 = its mean. */
export const seasonalFeatureVersion = 1;
const STATE_VERSION = 1;
/** Bins of a day that a profile may have. */
export const binChoices = [1, 4, 24, 96] as const;

/** Whether a window is of the kind that the model is for: the mean of much less or much more scatters otherwise. */
export function isWholeWindow(lengthMs: number, windowMs: number): boolean {
  return lengthMs >= windowMs / 2 && lengthMs <= windowMs * 1.5;
}

/** One side of the residuals, in units of the scale. */
export interface SeasonalTail {
  /** ≥ 0 */
  readonly threshold: number;
  /** Share of the windows beyond the threshold, 0 < share ≤ 1/2. */
  readonly share: number;
  /** Scale of the excesses, > 0. */
  readonly scale: number;
  /** Shape of the excesses: 0 exponential, above 0 heavy. */
  readonly shape: number;
}

/** What is usual at which time. */
export interface SeasonalProfile {
  readonly windowMs: number;
  readonly zone: ZoneOffsets;
  /** One of `binChoices`. */
  readonly binsPerDay: number;
  /** 2: the levels of weekdays, then those of weekends. */
  readonly dayKinds: number;
  /** binsPerDay × dayKinds */
  readonly levels: readonly number[];
}

export interface SeasonalParams extends SeasonalProfile {
  /** Windows that it was trained on; 0: it is never ready. */
  readonly windows: number;
  readonly scale: number;
  readonly upper: SeasonalTail;
  readonly lower: SeasonalTail;
  /** Never seen below zero: the band is not drawn there either. */
  readonly nonNegative: boolean;
  /** Most that it may claim. */
  readonly capBits: number;
  /** Surprise at the ends of the expected band. */
  readonly bandBits: number;
  /** Surprise from which on a window is a finding; the trainer takes it from the budget. */
  readonly findingBits: number;
  /** Times at which more is usual; none where it is absent. */
  readonly allowances?: readonly Allowance[];
  /**
   * The same for findings of a group in which this series has a great part: `upper` times `TOGETHER_BITS` are usual then.
   * It is within its own range, as a rule; what was unusual is how it went with the others.
   */
  readonly together?: readonly Allowance[];
}

/** Freshness alone: how many windows it was shown, and when the last one ended. */
export interface SeasonalState {
  windows: number;
  lastMs: number;
}

const gaussLikeTail: SeasonalTail = { threshold: 1.645, share: 0.05, scale: 0.4, shape: 0.1 };

const untrained: SeasonalParams = {
  windowMs: 60_000,
  zone: utcZone,
  windows: 0,
  binsPerDay: 1,
  dayKinds: 1,
  levels: [0],
  scale: 1,
  upper: gaussLikeTail,
  lower: gaussLikeTail,
  nonNegative: false,
  capBits: 20,
  bandBits: 5.64,
  findingBits: 20,
};

/** What the profile expects of the window that ends then. */
export function seasonalLevel(params: SeasonalProfile, windowEndMs: number): number {
  const { levels, binsPerDay } = params;
  if (levels.length === 1) return levels[0]!;
  const local = localMs(params.zone, windowEndMs - params.windowMs / 2);
  const start = params.dayKinds === 2 && isWeekend(local) ? binsPerDay : 0;
  if (binsPerDay === 1) return levels[start]!;
  const place = (timeOfDayMs(local) / DAY_MS) * binsPerDay - 0.5;
  const floor = Math.floor(place);
  const share = place - floor;
  const before = levels[start + ((floor + binsPerDay) % binsPerDay)]!;
  const after = levels[start + ((floor + 1) % binsPerDay)]!;
  return before + (after - before) * share;
}

/** Surprise of a residual z ≥ 0 on one side, in bits: 0 at the level. */
export function tailSurprise(tail: SeasonalTail, z: number): number {
  const bitsAtThreshold = -Math.log2(tail.share);
  if (z > tail.threshold) return bitsAtThreshold - 1 + gpdBits(z - tail.threshold, tail.shape, tail.scale);
  return tail.threshold > 0 ? ((bitsAtThreshold - 1) * z) / tail.threshold : 0;
}

/** The residual that has this surprise: the inverse of `tailSurprise`. */
export function residualAt(tail: SeasonalTail, bits: number): number {
  const inner = -Math.log2(tail.share) - 1;
  const beyond = bits - inner;
  if (beyond <= 0) return inner > 0 ? (tail.threshold * bits) / inner : tail.threshold;
  const excess = Math.abs(tail.shape) < 1e-6 ? beyond / Math.LOG2E : (2 ** (tail.shape * beyond) - 1) / tail.shape;
  return tail.threshold + tail.scale * excess;
}

export const seasonal: DetectorKind<SeasonalParams, SeasonalState> = {
  name: 'seasonal',
  major: 1,
  doc: 'Mean of a window against a seasonal profile with scale and tail, trained at the central',
  defaults: untrained,
  parseParams,
  state: {
    version: STATE_VERSION,
    encode(state) {
      const writer = new ByteWriter(17);
      writer.byte(STATE_VERSION);
      writer.float64(state.windows);
      writer.float64(state.lastMs);
      return writer.finish();
    },
    decode(bytes) {
      const reader = new ByteReader(bytes, 'seasonal state');
      if (reader.byte() !== STATE_VERSION) reader.fail(`it is not of version ${STATE_VERSION}`);
      const state = { windows: reader.float64(), lastMs: reader.float64() };
      reader.end();
      if (!Number.isSafeInteger(state.windows) || state.windows < 0) reader.fail('a count of windows is not one');
      if (!Number.isFinite(state.lastMs)) reader.fail('a time is not one');
      return state;
    },
  },

  start: () => ({ windows: 0, lastMs: 0 }),

  /** `at.utcMs` is the window's end, x[0] its mean. */
  score(params: SeasonalParams, _state, x: Float64Array, quality: Uint8Array, at: Instant, out: Verdict): void {
    clearVerdict(out);
    const mean = x[0]!;
    if (params.windows === 0 || !Number.isFinite(mean) || quality[0] !== Quality.good) return;
    const level = seasonalLevel(params, at.utcMs);
    const { allowances, scale } = params;
    const local = allowances === undefined ? 0 : localMs(params.zone, at.utcMs - params.windowMs / 2);
    const scaleAbove = scale * widened(allowances, local, true);
    const scaleBelow = scale * widened(allowances, local, false);
    const z = (mean - level) / (mean >= level ? scaleAbove : scaleBelow);
    const surprise = z >= 0 ? tailSurprise(params.upper, z) : tailSurprise(params.lower, -z);
    const low = level - scaleBelow * residualAt(params.lower, params.bandBits);
    out.ready = true;
    out.bits = Math.max(0, Math.min(surprise, params.capBits));
    out.expectedLow = params.nonNegative ? Math.max(0, low) : low;
    out.expectedHigh = level + scaleAbove * residualAt(params.upper, params.bandBits);
    out.finding = out.bits >= params.findingBits;
  },

  learn(_params, state, x, _quality, at): void {
    if (!Number.isFinite(x[0]!)) return;
    state.windows++;
    state.lastMs = at.utcMs;
  },
};

/** Parameters from JSON. Throws `payload.invalid` naming the field. */
function parseParams(json: unknown): SeasonalParams {
  const from = objectOf(json, 'params');
  const tail = (value: unknown, where: string): SeasonalTail => {
    const side = objectOf(value, where);
    return {
      threshold: numberOf(side.threshold, `${where}.threshold`),
      share: numberOf(side.share, `${where}.share`),
      scale: numberOf(side.scale, `${where}.scale`),
      shape: numberOf(side.shape, `${where}.shape`),
    };
  };
  const params: SeasonalParams = {
    windowMs: integerOf(from.windowMs, 'params.windowMs', 1000, DAY_MS),
    zone: parseZone(from.zone, 'params.zone'),
    windows: integerOf(from.windows, 'params.windows'),
    binsPerDay: integerOf(from.binsPerDay, 'params.binsPerDay', 1, 96),
    dayKinds: integerOf(from.dayKinds, 'params.dayKinds', 1, 2),
    levels: listOf(from.levels, 'params.levels', 192, (item, at) => numberOf(item, at)),
    scale: numberOf(from.scale, 'params.scale'),
    upper: tail(from.upper, 'params.upper'),
    lower: tail(from.lower, 'params.lower'),
    nonNegative: booleanOf(from.nonNegative, 'params.nonNegative'),
    capBits: numberOf(from.capBits, 'params.capBits'),
    bandBits: numberOf(from.bandBits, 'params.bandBits'),
    findingBits: numberOf(from.findingBits, 'params.findingBits'),
    ...(from.allowances !== undefined && {
      allowances: listOf(from.allowances, 'params.allowances', MOST_ALLOWANCES, parseAllowance),
    }),
    ...(from.together !== undefined && {
      together: listOf(from.together, 'params.together', MOST_ALLOWANCES, parseAllowance),
    }),
  };
  checkSeasonal(params, 'params');
  return params;
}

/**
 * Bounds within which every verdict is a number. Throws `payload.invalid` naming the field: a model with NaN or a scale
 * of nothing never runs, whoever signed it.
 */
export function checkSeasonal(params: SeasonalParams, where: string): void {
  if (!(binChoices as readonly number[]).includes(params.binsPerDay)) invalid(`${where}.binsPerDay`, 'is not a choice');
  if (params.levels.length !== params.binsPerDay * params.dayKinds) {
    invalid(`${where}.levels`, `are ${params.levels.length}; ${params.binsPerDay} × ${params.dayKinds} are due`);
  }
  for (const level of params.levels) numberOf(level, `${where}.levels`, -1e300, 1e300);
  numberOf(params.scale, `${where}.scale`, 1e-300, 1e300);
  numberOf(params.capBits, `${where}.capBits`, 0, 60);
  numberOf(params.bandBits, `${where}.bandBits`, 1, 30);
  numberOf(params.findingBits, `${where}.findingBits`, 1, 60);
  checkZone(params.zone, `${where}.zone`);
  checkAllowances(params.allowances ?? [], `${where}.allowances`);
  checkAllowances(params.together ?? [], `${where}.together`);
  for (const [name, tail] of [
    ['upper', params.upper],
    ['lower', params.lower],
  ] as const) {
    numberOf(tail.threshold, `${where}.${name}.threshold`, 0, 1e6);
    numberOf(tail.share, `${where}.${name}.share`, 1e-6, 0.5);
    numberOf(tail.scale, `${where}.${name}.scale`, 1e-6, 1e6);
    numberOf(tail.shape, `${where}.${name}.shape`, -0.5, 1);
  }
}
