/**
 * Rolling-origin backtest (Tashman 2000): forecasts are made from several places in the past and held against what came.
 * The older origins choose the model; the newer ones judge it against the naive seasonal forecast, which takes its place
 * unless it is beaten. The scale of the intervals is conformal: the errors of all origins, in parts of what the model
 * said of its own error, say how wide 90 % is (Lei et al. 2018; by thirds of the horizon, as errors grow with it).
 */
import { quantileOf, sorted } from '../train/robust.ts';
import type { Ahead, ForecastModel } from './models.ts';
import type { Prepared } from './prepared.ts';

const MOST_ORIGINS = 8;
const LEAST_ORIGINS = 4;
const COVERAGE = 0.9;
/** Errors of one origin hang together: they count as so many. */
const ERRORS_OF_AN_ORIGIN = 3;
/** A slow model whose first trial is worse than the best one's by this is not tried further. */
const SLOW_MARGIN = 0.95;
/** Better than the naive forecast by less than this is no better. */
const MARGIN = 0.02;
const PARTS = 3;
/** Of a deviation that a model denies. */
const LEAST_DEVIATION_SHARE = 0.01;

interface Trial {
  readonly errors: Float64Array;
  readonly deviations: Float64Array;
}

export interface Verdict {
  readonly model: ForecastModel;
  readonly naive: boolean;
  /** Mean absolute error on the judging origins, in parts of the naive one-season error within the history. */
  readonly mase: number;
  readonly naiveMase: number;
  /** Share of what came that lay in the interval, each origin held against the scale of the others. */
  readonly coverage90: number;
  readonly origins: number;
  /** Half the width of the interval in deviations, at a step ahead. */
  readonly scaleAt: (step: number) => number;
  /** The least deviation that is believed. */
  readonly leastDeviation: number;
}

export interface BacktestOptions {
  readonly season: number;
  /** Steps ahead that are tested. */
  readonly reach: number;
  /** Fewest steps of history before an origin. */
  readonly least: number;
}

/** Null where the history is too short to judge anything. */
export function backtest(
  { values, measured }: Prepared,
  naive: ForecastModel,
  others: readonly ForecastModel[],
  { season, reach, least }: BacktestOptions,
): Verdict | null {
  const origins = originsOf(values.length, reach, least);
  if (origins.length < LEAST_ORIGINS) return null;
  const scale = seasonalError(values, season);
  const leastDeviation = Math.max(LEAST_DEVIATION_SHARE * scale, Number.MIN_VALUE);
  const half = origins.length >> 1;
  const choosing = origins.slice(0, half);
  const judging = origins.slice(half);
  const run = (model: ForecastModel, at: readonly number[]): Trial[] | null => {
    const trials: Trial[] = [];
    for (const origin of at) {
      const ahead = model.fit(values.subarray(0, origin), reach);
      if (ahead === null) return null;
      trials.push(trialOf(ahead, values, measured, origin, leastDeviation));
    }
    return trials;
  };
  const naiveTrials = run(naive, origins);
  if (naiveTrials === null) return null;
  let best: { model: ForecastModel; trials: Trial[]; error: number } | null = null;
  for (const model of others) {
    if (model.slow === true && best !== null) {
      const first = run(model, choosing.slice(0, 1));
      if (first === null || meanError(first) > SLOW_MARGIN * meanError(best.trials.slice(0, 1))) continue;
    }
    const trials = run(model, choosing);
    if (trials === null) continue;
    const error = meanError(trials);
    if (best === null || error < best.error) best = { model, trials, error };
  }
  const judged = best === null ? null : run(best.model, judging);
  const naiveError = meanError(naiveTrials.slice(half));
  const wins = judged !== null && meanError(judged) < (1 - MARGIN) * naiveError;
  const trials = wins ? [...best!.trials, ...judged] : naiveTrials;
  return {
    model: wins ? best!.model : naive,
    naive: !wins,
    mase: inScale(wins ? meanError(judged) : naiveError, scale),
    naiveMase: inScale(naiveError, scale),
    coverage90: heldOutCoverage(trials, reach),
    origins: origins.length,
    scaleAt: scalesOf(trials, reach),
    leastDeviation,
  };
}

/** The oldest first. */
function originsOf(length: number, reach: number, least: number): number[] {
  const step = Math.max(1, Math.floor(reach / 2));
  const origins: number[] = [];
  for (let at = length - reach; at >= least && origins.length < MOST_ORIGINS; at -= step) origins.unshift(at);
  return origins;
}

function trialOf(
  ahead: Ahead,
  values: Float64Array,
  measured: Uint8Array,
  origin: number,
  leastDeviation: number,
): Trial {
  const errors = new Float64Array(ahead.mean.length);
  const deviations = new Float64Array(ahead.mean.length);
  for (let h = 0; h < errors.length; h++) {
    errors[h] = measured[origin + h] === 1 ? Math.abs(values[origin + h]! - ahead.mean[h]!) : Number.NaN;
    deviations[h] = Math.max(ahead.deviation[h]!, leastDeviation);
  }
  return { errors, deviations };
}

function meanError(trials: readonly Trial[]): number {
  let sum = 0;
  let count = 0;
  for (const { errors } of trials) {
    for (const error of errors) {
      if (Number.isNaN(error)) continue;
      sum += error;
      count++;
    }
  }
  return count === 0 ? Number.POSITIVE_INFINITY : sum / count;
}

function seasonalError(values: Float64Array, season: number): number {
  let sum = 0;
  for (let i = season; i < values.length; i++) sum += Math.abs(values[i]! - values[i - season]!);
  return sum / Math.max(1, values.length - season);
}

function inScale(error: number, scale: number): number {
  if (scale > 0) return error / scale;
  return error === 0 ? 0 : Number.MAX_VALUE;
}

function partOf(step: number, reach: number): number {
  return Math.min(PARTS - 1, Math.floor((PARTS * step) / reach));
}

function scalesOf(trials: readonly Trial[], reach: number): (step: number) => number {
  const found: number[][] = Array.from({ length: PARTS }, () => []);
  for (const { errors, deviations } of trials) {
    for (let h = 0; h < errors.length; h++) {
      if (!Number.isNaN(errors[h]!)) found[partOf(h, reach)]!.push(errors[h]! / deviations[h]!);
    }
  }
  const effective = ERRORS_OF_AN_ORIGIN * trials.length;
  const level = Math.min(1, (COVERAGE * (effective + 1)) / effective);
  const scales = found.map((scores) => quantileOf(sorted(scores), level));
  for (let part = 0; part < PARTS; part++)
    if (Number.isNaN(scales[part]!)) scales[part] = Math.max(...scales.filter(Number.isFinite), 0);
  return (step) => scales[partOf(step, reach)]!;
}

function heldOutCoverage(trials: readonly Trial[], reach: number): number {
  let held = 0;
  let count = 0;
  for (const [i, { errors, deviations }] of trials.entries()) {
    const scaleAt = scalesOf(
      trials.filter((_, other) => other !== i),
      reach,
    );
    for (let h = 0; h < errors.length; h++) {
      if (Number.isNaN(errors[h]!)) continue;
      count++;
      if (errors[h]! <= scaleAt(h) * deviations[h]!) held++;
    }
  }
  return count === 0 ? Number.NaN : held / count;
}
