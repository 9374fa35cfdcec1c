/**
 * Rolling-origin backtest (Tashman 2000): forecasts are made from several places in the past and held against what came.
 * What is used is the mean of the few models that were best: the errors of one are not those of the others, and their
 * mean is better than the one that happened to be the best (Bates and Granger 1969). The naive seasonal forecast is one
 * of them. How good that is, is said by the newer origins, of means that the older ones chose. The scale of the intervals
 * is conformal: the errors of all origins, in parts of what the models said of their own error, say how wide 90 % is (Lei
 * et al. 2018; by thirds of the horizon, as errors grow with it).
 */
import { quantileOf, sorted } from '../train/robust.ts';
import { type Ahead, type ForecastModel, meanAhead, meanOf } from './models.ts';
import type { Prepared } from './prepared.ts';

const MOST_ORIGINS = 8;
const LEAST_ORIGINS = 4;
const COVERAGE = 0.9;
/** Errors of one origin hang together, and chose the models: they count as so many. */
const ERRORS_OF_AN_ORIGIN = 2;
/** A slow model whose first trial is worse than the best one's by this is not tried further. */
const SLOW_MARGIN = 0.95;
/** Models whose mean is taken, and which are near enough to the best one to be one of them. */
const MOST_TOGETHER = 3;
const NEAR = 1.15;
/** The best on the older origins are tried on the newer ones, too. */
const TRIED_ON = 4;
const PARTS = 3;
/** Of a deviation that a model denies. */
const LEAST_DEVIATION_SHARE = 0.01;

/** What a model said at an origin. */
type Said = readonly Ahead[];

/** What came of it. */
interface Trial {
  readonly errors: Float64Array;
  readonly deviations: Float64Array;
}

interface Tried {
  readonly model: ForecastModel;
  readonly said: Said;
  readonly error: number;
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
  const older = origins.slice(0, half);
  const newer = origins.slice(half);
  const run = (model: ForecastModel, at: readonly number[]): Said | null => {
    const said: Ahead[] = [];
    for (const origin of at) {
      const ahead = model.fit(values.subarray(0, origin), reach);
      if (ahead === null) return null;
      said.push(ahead);
    }
    return said;
  };
  const trials = (said: Said, at: readonly number[]): Trial[] =>
    said.map((ahead, i) => trialOf(ahead, values, measured, at[i]!, leastDeviation));
  const tried: Tried[] = [];
  for (const model of [naive, ...others]) {
    const best = tried.reduce<Tried | null>(
      (least, one) => (least !== null && least.error <= one.error ? least : one),
      null,
    );
    if (model.slow === true && best !== null) {
      const first = run(model, older.slice(0, 1));
      const bar = SLOW_MARGIN * meanError(trials(best.said.slice(0, 1), older));
      if (first === null || meanError(trials(first, older)) > bar) continue;
    }
    const said = run(model, older);
    if (said !== null) tried.push({ model, said, error: meanError(trials(said, older)) });
    else if (model === naive) return null;
  }
  const whole: Tried[] = [];
  for (const { model, said } of [tried[0]!, ...byError(tried).filter(({ model }) => model !== naive)].slice(
    0,
    1 + TRIED_ON,
  )) {
    const later = run(model, newer);
    if (later === null) continue;
    const all = [...said, ...later];
    whole.push({ model, said: all, error: meanError(trials(all, origins)) });
  }
  const naiveWhole = whole[0]!;
  const chosenBefore = together(tried.filter(({ model }) => whole.some((one) => one.model === model)));
  const judged = meanSaid(chosenBefore.map(({ model }) => whole.find((one) => one.model === model)!.said.slice(half)));
  const chosen = together(whole);
  const all = trials(meanSaid(chosen.map(({ said }) => said)), origins);
  return {
    model: meanOf(chosen.map(({ model }) => model)),
    naive: chosen.length === 1 && chosen[0] === naiveWhole,
    mase: inScale(meanError(trials(judged, newer)), scale),
    naiveMase: inScale(meanError(trials(naiveWhole.said.slice(half), newer)), scale),
    coverage90: heldOutCoverage(all, reach),
    origins: origins.length,
    scaleAt: scalesOf(all, reach),
    leastDeviation,
  };
}

function byError(tried: readonly Tried[]): Tried[] {
  return tried.toSorted((a, b) => a.error - b.error);
}

/** The best one, and those that are nearly as good. */
function together(tried: readonly Tried[]): Tried[] {
  const ranked = byError(tried);
  return ranked.filter(({ error }, i) => i === 0 || error < NEAR * ranked[0]!.error).slice(0, MOST_TOGETHER);
}

/** What their mean says at each origin. */
function meanSaid(said: readonly Said[]): Said {
  return said[0]!.map((_, i) => meanAhead(said.map((one) => one[i]!)));
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
