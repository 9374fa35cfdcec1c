/**
 * Of which series the central forecasts when they come to their end: stocks that fill (filesystems, memory), and the
 * daily peaks of what is used at a rate (CPU, a link against its speed). By the names of the host's series; of a device,
 * a share of which the agent itself tells when it will be full or empty.
 */
import { FORECAST_EDGE, TIME_TO_EMPTY, TIME_TO_FULL } from '../../shared/forecast.ts';
import type { SeriesKey } from '../../shared/series.ts';
import type { LatestSeries } from '../store/store.ts';
import type { CapacityForecast } from './api.ts';

/** Of one machine. */
const MOST_TARGETS = 32;
/** A peak is told before nothing is left: what waits grows without end near 1. */
const PEAK_BOUND = 0.9;
const METRIC = 'picket.forecast.metric';

export interface Target extends Pick<CapacityForecast, 'thing' | 'reaches' | 'bound' | 'invert' | 'whole'> {
  readonly series: LatestSeries;
}

interface Stock {
  readonly thing: string;
  readonly attribute?: string;
  /** Attributes that it must have. */
  readonly only?: Readonly<Record<string, string>>;
}

const mountpoint = 'system.filesystem.mountpoint';
const stocks: Readonly<Record<string, Stock>> = {
  'system.filesystem.utilization': { thing: 'File system', attribute: mountpoint },
  'system.filesystem.inodes.utilization': { thing: 'Inodes of', attribute: mountpoint },
  'system.memory.utilization': { thing: 'Memory', only: { 'system.memory.state': 'used' } },
  'system.paging.utilization': { thing: 'Swap space', only: { 'system.paging.state': 'used' } },
  'system.linux.file_handles.utilization': { thing: 'File handles' },
  'hw.physical_disk.endurance_utilization': { thing: 'Endurance of', attribute: 'hw.name' },
};

/** The same series give the same targets in the same order. */
export function targetsOf(latest: readonly LatestSeries[]): readonly Target[] {
  const told = latest.filter(({ name }) => name === TIME_TO_FULL || name === TIME_TO_EMPTY);
  const targets = latest.flatMap((series) => [
    ...stockOf(series),
    ...cpuOf(series),
    ...linkOf(series, latest),
    ...deviceOf(series, told),
  ]);
  return targets.slice(0, MOST_TARGETS);
}

function stockOf(series: LatestSeries): Target[] {
  const stock = stocks[series.name];
  if (stock === undefined) return [];
  const wanted = Object.entries(stock.only ?? {});
  if (wanted.some(([name, value]) => (series.attributes[name] ?? value) !== value)) return [];
  const own = stock.attribute === undefined ? undefined : series.attributes[stock.attribute];
  const thing = own === undefined ? stock.thing : `${stock.thing} ${own}`;
  return [{ series, thing, reaches: 'full', bound: 1, invert: false, whole: 1 }];
}

/** Of the whole machine: what is not idle. */
function cpuOf(series: LatestSeries): Target[] {
  const { name, attributes } = series;
  if (name !== 'system.cpu.utilization' || attributes['cpu.mode'] !== 'idle') return [];
  if ('cpu.logical_number' in attributes) return [];
  return [{ series, thing: 'CPU', reaches: 'peak', bound: PEAK_BOUND, invert: true, whole: 1 }];
}

function linkOf(series: LatestSeries, latest: readonly LatestSeries[]): Target[] {
  if (series.name !== 'system.network.io') return [];
  const device = series.attributes['network.interface.name'];
  const limit = latest.find(
    ({ name, attributes }) =>
      name === 'hw.network.bandwidth.limit' && attributes['network.interface.name'] === device && device !== undefined,
  );
  if (limit === undefined || !(limit.last > 0)) return [];
  const thing = `Network ${device}, ${series.attributes['network.io.direction'] ?? 'both ways'}`;
  return [{ series, thing, reaches: 'peak', bound: PEAK_BOUND, invert: false, whole: limit.last }];
}

function deviceOf(series: LatestSeries, told: readonly LatestSeries[]): Target[] {
  if (stocks[series.name] !== undefined || (series.unit !== '1' && series.unit !== '%')) return [];
  const own = agentsForecast(series, 'expected', told);
  if (own === undefined) return [];
  const whole = series.unit === '%' ? 100 : 1;
  const reaches = own.name === TIME_TO_FULL ? 'full' : 'empty';
  const { name: thing } = series;
  return [{ series, thing, reaches, bound: reaches === 'full' ? 1 : 0, invert: false, whole }];
}

/** The series in which the agent tells its own forecast of another. */
export function agentsForecast(
  of: SeriesKey,
  edge: 'expected' | 'earliest' | 'latest',
  latest: readonly LatestSeries[],
): LatestSeries | undefined {
  return latest.find(({ name, attributes }) => {
    if (name !== TIME_TO_FULL && name !== TIME_TO_EMPTY) return false;
    if (attributes[METRIC] !== of.name || attributes[FORECAST_EDGE] !== edge) return false;
    return (
      Object.entries(of.attributes).every(([key, value]) => attributes[key] === value) &&
      Object.keys(attributes).length === Object.keys(of.attributes).length + 2
    );
  });
}
