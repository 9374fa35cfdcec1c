/** What is kept of each boot of an agent: one small row, durable, from which its records are dated. */
import { type Knots, offsetAt } from './fit.ts';

export interface BootRow {
  /** 32 hex digits. */
  readonly id: string;
  /** Disks of this agent, counted: a wiped or replaced one begins a new chain of epochs. */
  readonly chain: number;
  /** Start counters of its first and its last epoch; 0 while no epoch record was seen. */
  readonly firstStart: number;
  readonly lastStart: number;
  readonly lastEpoch: string;
  /** When it was first heard of. */
  readonly seenMs: number;
  /** Monotonic times of its records, lowest and highest; `lastMs` -1 while there is none. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Least of received minus monotonic time. */
  readonly ceilingMs: number;
  /** Fitted from live envelopes. */
  readonly live: Knots;
  /** By wall time that the agent had compared with the central's. */
  readonly trusted: Knots;
  /** Its wall clock's offset at the highest monotonic time; null for none. */
  readonly wallMs: number | null;
  /** Offset that the chain of boots gave it. */
  readonly placedMs: number | null;
  /** By this its records are filed. */
  readonly filed: Knots;
  readonly filedDated: boolean;
  /** Its records are to be filed anew. */
  readonly due: boolean;
}

export function emptyRow(id: string, chain: number, seenMs: number): BootRow {
  return {
    id,
    chain,
    firstStart: 0,
    lastStart: 0,
    lastEpoch: '',
    seenMs,
    firstMs: 0,
    lastMs: -1,
    ceilingMs: Number.MAX_SAFE_INTEGER,
    live: [],
    trusted: [],
    wallMs: null,
    placedMs: null,
    filed: [],
    filedDated: false,
    due: false,
  };
}

/** Whether its offset is known, and not only its place between others. */
export function isDated(row: BootRow): boolean {
  return row.live.length > 0 || row.trusted.length > 0;
}

/** What its records are dated by now: live offset, trusted wall time, place in the chain. */
export function knotsOf(row: BootRow): Knots {
  if (row.live.length > 0) return row.live;
  if (row.trusted.length > 0) return row.trusted;
  return row.placedMs === null ? [] : [[0, row.placedMs]];
}

/** UTC by these knots; null without any. */
export function utcAt(knots: Knots, monotonicMs: number): number | null {
  const offsetMs = offsetAt(knots, monotonicMs);
  return offsetMs === null ? null : Math.max(0, Math.round(monotonicMs + offsetMs));
}

/** Order in which boots ran; one of which no start is known yet is heard of because it runs now. */
export function compareBoots(a: BootRow, b: BootRow): number {
  return a.chain - b.chain || startOf(a) - startOf(b) || a.seenMs - b.seenMs || (a.id < b.id ? -1 : 1);
}

function startOf(row: BootRow): number {
  return row.firstStart === 0 ? Number.MAX_SAFE_INTEGER : row.firstStart;
}
