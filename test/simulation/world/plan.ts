/**
 * What one seed has in store. Each seed has only some kinds of faults (swarm testing): a run in which everything fails
 * at once never gets far enough to show what a few faults together can do.
 */
import type { Simulated } from '../simulated.ts';
import type { MachineSettings } from './machine.ts';

/** Every kind of fault, with how often a seed has it. */
const kinds = {
  loss: 0.35,
  doubling: 0.35,
  delay: 0.4,
  damage: 0.1,
  silence: 0.15,
  noPuback: 0.15,
  brokerKills: 0.2,
  disconnects: 0.3,
  kills: 0.35,
  killsInTheMiddle: 0.3,
  powerCuts: 0.2,
  crashLoop: 0.08,
  slowDisk: 0.35,
  slowReads: 0.15,
  full: 0.2,
  gone: 0.2,
  writeErrors: 0.15,
  landedErrors: 0.2,
  readErrors: 0.1,
  openErrors: 0.1,
  movedAside: 0.08,
  flips: 0.15,
  drops: 0.12,
  wiped: 0.08,
  rolledBack: 0.12,
  clone: 0.1,
  twin: 0.06,
  smallDisk: 0.35,
  second: 0.15,
  centralKills: 0.3,
  centralKillsInTheMiddle: 0.25,
  slowCommits: 0.35,
  failingCommits: 0.15,
  restored: 0.22,
  emptied: 0.1,
  startsBlind: 0.1,
  tablesLost: 0.15,
  wallJumps: 0.25,
  badBodies: 0.2,
  unanswered: 0.1,
  keepsNothing: 0.35,
  slowBacklog: 0.15,
} as const;

export type FaultKind = keyof typeof kinds;

/** A twin says nothing of what was made before it: what takes records away would hide what it does. */
const notWithTwin: readonly FaultKind[] = [
  'full',
  'gone',
  'writeErrors',
  'landedErrors',
  'readErrors',
  'openErrors',
  'movedAside',
  'flips',
  'drops',
  'wiped',
  'rolledBack',
  'clone',
  'smallDisk',
  'startsBlind',
];

export interface Plan {
  readonly has: ReadonlySet<FaultKind>;
  readonly records: number;
  /** Records and faults fall into this time. */
  readonly makingMs: number;
  readonly settings: MachineSettings;
}

export function planOf(world: Simulated): Plan {
  // From quiet seeds to wild ones.
  const wild = 0.3 + world.next() * 1.2;
  const has = new Set<FaultKind>();
  for (const [kind, share] of Object.entries(kinds)) if (world.chance(share * wild)) has.add(kind as FaultKind);
  if (has.has('twin')) for (const kind of notWithTwin) has.delete(kind);
  const small = has.has('smallDisk');
  return {
    has,
    // Enough to fill a small disk.
    records: (small ? 60 : 20) + world.integer(100),
    makingMs: 10_000 + world.integer(110_000),
    settings: {
      limitBytes: small ? 12_000 + world.integer(20_000) : 10_000_000,
      volatileBytes: small ? 8_000 : 1_000_000,
      keepAcknowledgedMs: has.has('keepsNothing') ? 0 : world.chance(0.5) ? 20_000 : 36_000_000,
      commitIntervalMs: [20, 200, 1_000, 5_000][world.integer(4)]!,
      backlogBytesPerS: has.has('slowBacklog') ? 4_000 : 0,
      reconnectMs: [100, 2_000][world.integer(2)]!,
    },
  };
}
