/**
 * Which series are judged together: those of one device are one group, those of the machine itself another. Pure.
 *
 * Series of the machine that multiply (a core's, a process's), that tell of the agent and what only counts time are left
 * out. Where there are more than a group may have, the resources that everybody looks at first come first, then those
 * that move most; the rest by identity, so that the same series make the same group after each start.
 */
import { MOST_GROUP_SERIES } from '../../shared/detect/group-reference.ts';
import type { SeriesDefinition, SeriesId } from '../../shared/series.ts';

/** The group of the machine's own series. */
export const HOST_GROUP = '';

/** Attributes by which one thing becomes many. */
const multiplying: readonly string[] = ['cpu.logical_number', 'cpu.package', 'network.interface.queue'];
const leftOut: readonly string[] = ['picket.', 'process.', 'tlscheck.', 'system.uptime', 'system.cpu.logical.count'];

/** Begin of the names of the resources that come first, in this order. */
const keyResources: readonly string[] = [
  'system.cpu.utilization',
  'system.linux.pressure.stall',
  'system.memory.utilization',
  'system.linux.memory.available',
  'system.disk.operation_latency',
  'system.disk.io',
  'system.network.io',
  'system.network.errors',
  'system.linux.tcp.retransmits',
  'system.cpu.load_average.1m',
  'hw.temperature',
  'system.linux.context_switches',
  'system.paging',
  'system.process.count',
];

/** Name of the group that a series belongs to, or null. */
export function groupOf({ name, attributes }: SeriesDefinition): string | null {
  const { device } = attributes;
  if (device !== undefined && device !== '') return device;
  if (leftOut.some((begin) => name.startsWith(begin))) return null;
  return multiplying.some((attribute) => attribute in attributes) ? null : HOST_GROUP;
}

export interface Candidate {
  readonly id: SeriesId;
  readonly definition: SeriesDefinition;
  /** How often it has moved so far. */
  readonly moves: number;
}

/** The series that make the group, in the order of their places in it. */
export function chooseMembers(candidates: readonly Candidate[]): SeriesId[] {
  const ranked = candidates.map(({ id, definition, moves }) => {
    const place = keyResources.findIndex((begin) => definition.name.startsWith(begin));
    const key = place < 0 ? keyResources.length : place;
    // Of a resource that never moves there is nothing to learn, however important it is: it comes after those that do.
    return { id, moves, key, rank: moves === 0 ? keyResources.length : key };
  });
  ranked.sort((a, b) => a.rank - b.rank || b.moves - a.moves || a.key - b.key || (a.id < b.id ? -1 : 1));
  const members = ranked.slice(0, MOST_GROUP_SERIES).map(({ id }) => id);
  return members.sort((a, b) => (a < b ? -1 : 1));
}

/** Whether a group that was made of `members` still is one of these: no more than a quarter has gone or come. */
export function stillFits(members: readonly SeriesId[], candidates: ReadonlySet<SeriesId>): boolean {
  const here = members.filter((id) => candidates.has(id)).length;
  const gone = members.length - here;
  const room = Math.max(0, MOST_GROUP_SERIES - members.length);
  const come = Math.min(candidates.size - here, room);
  return Math.max(gone, come) <= members.length / 4;
}
