/** The few values that the fleet page shows of each machine, from the latest windows of its series. */
import { MINUTE_MS } from '../shared/limits.ts';
import type { AgentState } from './api.ts';
import type { LatestSeries } from './store/store.ts';

/**
 * Series that ended longer before the newest one are not of now: a core or a disk that is gone. Under a budget of its
 * uplink an agent tells what does not change once an hour.
 */
const CURRENT_MS = 75 * MINUTE_MS;
const IDLE_MODES = new Set(['idle', 'iowait']);

/** CPU and memory as shares, the share that is used of the root (else the fullest) filesystem, and the load. */
export function vitalsOf(latest: readonly LatestSeries[]): AgentState['vitals'] {
  const newestMs = latest.reduce((newest, { timeMs }) => Math.max(newest, timeMs), 0);
  const current = latest.filter(({ timeMs }) => newestMs - timeMs <= CURRENT_MS);
  const named = (name: string): readonly LatestSeries[] => current.filter((series) => series.name === name);
  const used = named('system.memory.utilization').find(
    ({ attributes }) => (attributes['system.memory.state'] ?? 'used') === 'used',
  );
  const disks = named('system.filesystem.utilization').filter(({ last }) => Number.isFinite(last));
  const root = disks.find(({ attributes }) => attributes['system.filesystem.mountpoint'] === '/');
  const fullest = disks.reduce<LatestSeries | undefined>(
    (a, b) => (a !== undefined && a.last >= b.last ? a : b),
    undefined,
  );
  return {
    cpu: busyShare(named('system.cpu.utilization')),
    memory: plain(used?.last),
    disk: plain((root ?? fullest)?.last),
    load1: plain(named('system.cpu.load_average.1m')[0]?.last),
  };
}

/** Of the whole machine, without its single cores: what is not idle. */
function busyShare(series: readonly LatestSeries[]): number | null {
  let sum = 0;
  let found = false;
  for (const { attributes, mean } of series) {
    if ('cpu.logical_number' in attributes || IDLE_MODES.has(attributes['cpu.mode'] ?? '')) continue;
    if (!Number.isFinite(mean)) continue;
    sum += mean;
    found = true;
  }
  return found ? Math.min(1, sum) : null;
}

function plain(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
