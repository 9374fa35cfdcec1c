/**
 * What is at stake with a series: a disk that fills beats a curious counter. Judged by the kind of resource that the
 * metric's name tells, not by the host: a device's own metrics count like any resource. Pure.
 */
import type { SeriesKey } from '../../shared/series.ts';

/** `own`: the agent's vitals, which show what is measured elsewhere. `curious`: counters that by themselves mean nothing. */
/** `lagging`: what stays when that which made it has ended: averages over many minutes, a total. */
export type Stake = 'own' | 'lagging' | 'curious' | 'usual' | 'vital';

/** By the longest prefix of the metric's name. */
const byPrefix: readonly (readonly [prefix: string, stake: Stake])[] = [
  ['picket.', 'own'],
  ['process.watched.restarts', 'lagging'],
  ['hw.', 'vital'],
  ['hw.fan', 'usual'],
  ['hw.power', 'usual'],
  ['system.cpu.frequency', 'curious'],
  ['system.cpu.load_average.15m', 'lagging'],
  ['system.cpu.load_average.5m', 'lagging'],
  ['system.disk.operation_latency', 'vital'],
  ['system.disk.io_time', 'vital'],
  ['system.disk.operations', 'curious'],
  ['system.disk.merged', 'curious'],
  ['system.filesystem', 'vital'],
  ['system.linux.context_switches', 'curious'],
  ['system.linux.file_handles', 'usual'],
  ['system.linux.interrupts', 'curious'],
  ['system.linux.memory.available', 'vital'],
  ['system.linux.memory.dirty', 'curious'],
  ['system.linux.pressure', 'vital'],
  ['system.linux.tcp.segments', 'curious'],
  ['system.linux.udp.datagrams', 'curious'],
  ['system.memory.utilization', 'vital'],
  ['system.network.errors', 'vital'],
  ['system.network.dropped', 'vital'],
  ['system.network.packets', 'curious'],
  ['system.network.connection', 'curious'],
  ['system.paging.faults', 'curious'],
  ['system.paging.utilization', 'vital'],
  ['system.process.created', 'curious'],
  ['system.clock', 'vital'],
];

export function stakeOf({ name, attributes }: SeriesKey): Stake {
  // Without saying whose, it is the agent's.
  if (name === 'process.cpu.utilization' && Object.keys(attributes).length === 0) return 'own';
  let found: Stake = 'usual';
  let longest = 0;
  for (const [prefix, stake] of byPrefix) {
    if (prefix.length > longest && name.startsWith(prefix)) {
      found = stake;
      longest = prefix.length;
    }
  }
  return found;
}

/** How much a finding on such a series tells of a cause, next to others of the same rarity. */
export const stakeWeight: Readonly<Record<Stake, number>> = {
  own: 0.02,
  lagging: 0.5,
  curious: 0.5,
  usual: 1,
  vital: 1.2,
};

const byDevice = [
  'device',
  'system.device',
  'system.filesystem.mountpoint',
  'network.interface.name',
  'hw.id',
  'container.name',
  'process.watched.name',
  'process.executable.name',
] as const;

/** What a series is about: the part of the machine, and which one. Findings on one resource belong together. */
export function resourceOf({ name, attributes }: SeriesKey): string {
  const [first = '', second = ''] = name.split('.', 2);
  const part = first === 'system' || first === 'hw' || first === 'picket' ? `${first}.${second}` : first;
  const device = byDevice.find((attribute) => attributes[attribute] !== undefined);
  return device === undefined ? part : `${part} ${attributes[device]}`;
}
