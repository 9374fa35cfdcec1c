/**
 * What forecasts are called as series of their own, for charts and rules. There is a value each window while there is a
 * forecast, and none while there is none (nothing rises, the history is too short, the usual ups and downs): a rule
 * takes no value for "not in sight".
 *
 *   picket.forecast.time_to_full    s   until the resource is full; 0 when it is
 *   picket.forecast.time_to_empty   s   until nothing of it is left; 0 when nothing is
 *
 * Attributes: all of the resource, and `picket.forecast.metric`, its metric's name, and `picket.forecast.edge`: the time
 * that is `expected`, or the `earliest` or `latest` end of the interval that holds it in nine of ten cases. An open end
 * has no value. A rule for "less than 24 hours left" takes `expected`.
 */
import type { SeriesKey } from './series.ts';

export const TIME_TO_FULL = 'picket.forecast.time_to_full';
export const TIME_TO_EMPTY = 'picket.forecast.time_to_empty';
const FORECAST_METRIC = 'picket.forecast.metric';
export const FORECAST_EDGE = 'picket.forecast.edge';

export const forecastEdges = ['expected', 'earliest', 'latest'] as const;
export type ForecastEdge = (typeof forecastEdges)[number];

/** The series in which the time until a resource is full or empty is told. */
export function forecastKey(of: SeriesKey, reaches: 'full' | 'empty', edge: ForecastEdge): SeriesKey {
  return {
    name: reaches === 'full' ? TIME_TO_FULL : TIME_TO_EMPTY,
    unit: 's',
    attributes: { ...of.attributes, [FORECAST_METRIC]: of.name, [FORECAST_EDGE]: edge },
  };
}
