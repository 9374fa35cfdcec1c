/**
 * The models among which a backtest chooses. Each says for every step ahead what it expects and how sure it is (a
 * standard deviation, which the backtest scales); null where it cannot be fitted.
 *
 * ARIMA stands on what is left after the season's phases and the drift are taken off (a dynamic regression with ARIMA
 * errors, Hyndman and Athanasopoulos, Forecasting, ch. 10); SARIMA has the season in itself.
 */
import { medianOf } from '../train/robust.ts';
import { type ArimaOrder, fitArima } from './arima.ts';
import { phasesOf } from './prepared.ts';

/** Its time grows with the history; more seasons than these change little. */
const SARIMA_SEASONS = 14;

export interface Ahead {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

export interface ForecastModel {
  /** As people write it: `ARIMA(1,1,1) + season of 24`. */
  readonly name: string;
  /** Tried only where a first trial shows that it may be the best. */
  readonly slow?: true;
  fit(values: Float64Array, horizon: number): Ahead | null;
}

/** What was one season ago. */
export function naiveSeasonal(season: number): ForecastModel {
  return {
    name: 'naive seasonal',
    fit(values, horizon) {
      const { length } = values;
      if (length < season + 1) return null;
      const scale = Math.sqrt(meanSquare(values, season));
      const mean = new Float64Array(horizon);
      const deviation = new Float64Array(horizon);
      for (let h = 0; h < horizon; h++) {
        mean[h] = values[length - season + (h % season)]!;
        deviation[h] = scale * Math.sqrt(Math.floor(h / season) + 1);
      }
      return { mean, deviation };
    },
  };
}

/** The mean of what several say; as sure as they are on average. */
export function meanAhead(several: readonly Ahead[]): Ahead {
  const mean = (of: (ahead: Ahead) => Float64Array): Float64Array =>
    of(several[0]!).map((_, h) => several.reduce((sum, ahead) => sum + of(ahead)[h]! / several.length, 0));
  return { mean: mean((ahead) => ahead.mean), deviation: mean((ahead) => ahead.deviation) };
}

/** The mean of these, as one; what one of them cannot fit the others say. */
export function meanOf(models: readonly ForecastModel[]): ForecastModel {
  if (models.length === 1) return models[0]!;
  return {
    name: `mean of ${models.map(({ name }) => name).join('; ')}`,
    fit(values, horizon) {
      const fitted = models.map((model) => model.fit(values, horizon)).filter((ahead) => ahead !== null);
      return fitted.length === 0 ? null : meanAhead(fitted);
    },
  };
}

/** ARIMA beside phases of a season, with or without a drift. */
function arimaBeside(season: number, order: readonly [number, number, number], drifts: boolean): ForecastModel {
  const [p, d, q] = order;
  const beside = `${drifts ? ' + drift' : ''}${season > 1 ? ` + season of ${season}` : ''}`;
  return {
    name: `ARIMA(${p},${d},${q})${beside}`,
    fit(values, horizon) {
      const { length } = values;
      const phases = season > 1 ? phasesOf(values, season) : new Float64Array(1);
      const drift = drifts ? driftOf(values, season, phases) : { slope: 0, deviation: 0 };
      const rest = values.map((value, i) => value - phases[i % phases.length]! - drift.slope * i);
      const level = d === 0 ? rest.reduce((sum, value) => sum + value, 0) / length : 0;
      const ahead = estimate(
        rest.map((value) => value - level),
        { p, d, q, P: 0, D: 0, Q: 0, s: 0 },
        horizon,
      );
      if (ahead === null) return null;
      for (let h = 0; h < horizon; h++) {
        const at = length + h;
        ahead.mean[h]! += level + phases[at % phases.length]! + drift.slope * at;
        ahead.deviation[h] = Math.hypot(ahead.deviation[h]!, drift.deviation * (h + 1));
      }
      return ahead;
    },
  };
}

function sarima(season: number, order: readonly [number, number, number]): ForecastModel {
  const [p, d, q] = order;
  return {
    name: `SARIMA(${p},${d},${q})(0,1,1)${season}`,
    slow: true,
    fit(values, horizon) {
      const part = values.subarray(Math.max(0, values.length - SARIMA_SEASONS * season));
      return estimate(part, { p, d, q, P: 0, D: 1, Q: 1, s: season }, horizon);
    },
  };
}

/** All that are tried on a series with this season (1: none), the naive one apart. */
export function candidates(season: number): readonly ForecastModel[] {
  const plain = [
    arimaBeside(season, [1, 0, 1], false),
    arimaBeside(season, [2, 0, 1], false),
    arimaBeside(season, [0, 1, 1], false),
    arimaBeside(season, [1, 1, 1], false),
    arimaBeside(season, [0, 1, 1], true),
    arimaBeside(season, [1, 1, 1], true),
    arimaBeside(season, [1, 0, 1], true),
    arimaBeside(season, [0, 2, 2], false),
  ];
  return season < 2 ? plain : [...plain, sarima(season, [1, 0, 1]), sarima(season, [0, 1, 1])];
}

/** ARIMA on values of unit size: the library stops its search at absolute differences. */
function estimate(values: Float64Array, order: ArimaOrder, horizon: number): Ahead | null {
  const centre = medianOf(values);
  let size = 0;
  for (const value of values) size += Math.abs(value - centre);
  size /= values.length;
  if (!(size > 0) || !Number.isFinite(size)) {
    if (size !== 0) return null;
    return { mean: new Float64Array(horizon).fill(centre), deviation: new Float64Array(horizon) };
  }
  // A part of order 0 without differences has no mean of its own in the library.
  const fitted = fitArima(
    values.map((value) => (value - centre) / size),
    order,
    horizon,
  );
  if (fitted === null) return null;
  return {
    mean: fitted.mean.map((value) => centre + value * size),
    deviation: fitted.deviation.map((value) => value * size),
  };
}

/** Slope a step, from seasons' means (they hold no season), and how sure it is. */
function driftOf(
  values: Float64Array,
  season: number,
  phases: Float64Array,
): { readonly slope: number; readonly deviation: number } {
  const { length } = values;
  const slopes: number[] = [];
  const part = Math.max(1, season);
  for (let i = part; i < length; i += part) {
    const later = values[i]! - phases[i % phases.length]!;
    const earlier = values[i - part]! - phases[(i - part) % phases.length]!;
    slopes.push((later - earlier) / part);
  }
  const slope = (values[length - 1]! - phases[(length - 1) % phases.length]! - values[0]! + phases[0]!) / (length - 1);
  let square = 0;
  for (const each of slopes) square += (each - slope) ** 2;
  return { slope, deviation: Math.sqrt(square / Math.max(1, slopes.length - 1) / slopes.length) };
}

function meanSquare(values: Float64Array, season: number): number {
  let sum = 0;
  for (let i = season; i < values.length; i++) sum += (values[i]! - values[i - season]!) ** 2;
  return sum / (values.length - season);
}
