/**
 * Co-moments of groups as the store keeps them: bodies as they came, an entry a record, filed by the hour in which most
 * of it lies. Value: float64 when the last window ended (LE), then the body.
 */
import { decodeCoMoments } from '../../shared/wire/co-moments.ts';
import { readAgent } from './agents.ts';
import type { Database, Operation, Reader } from './database.ts';
import { between, epochBytes, keyOf } from './keys.ts';
import type { Move } from './refile.ts';
import type { AgentId, EpochId, StoredCoMoments, TimeRange } from './store.ts';
import { hourOf, hourOfRollup, hoursOf } from './time.ts';

const TIME_BYTES = 8;

export function coMomentsKey(agent: number, hour: number, epoch: EpochId, seq: number): Buffer {
  return keyOf('coMoments', agent, hour, epochBytes(epoch), { u48: seq });
}

export function encodeStored(timeMs: number, body: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(TIME_BYTES + body.length);
  out.writeDoubleLE(timeMs, 0);
  out.set(body, TIME_BYTES);
  return out;
}

function decodeStored(value: Buffer): StoredCoMoments {
  return { ...decodeCoMoments(value.subarray(TIME_BYTES)), timeMs: value.readDoubleLE(0) };
}

/** In the order of hours, on one snapshot. */
export async function* storedCoMoments(
  database: Database,
  agent: AgentId,
  range: TimeRange,
): AsyncGenerator<StoredCoMoments> {
  const { reader, close } = await database.snapshot();
  try {
    const row = await readAgent(reader, agent);
    if (row === null) return;
    const [first, last] = hoursOf(range.fromMs, range.toMs);
    // One that ends in the first hour may lie, for the most part, in the one before.
    for await (const [, value] of reader.entries(
      between('coMoments', [row.number], Math.max(0, first - 1), last + 1),
    )) {
      const stored = decodeStored(value);
      if (stored.timeMs > range.fromMs && stored.timeMs <= range.toMs) yield stored;
    }
  } finally {
    await close();
  }
}

/** Operations that file them by their new time. */
export async function moveCoMoments(database: Reader, agent: number, moves: readonly Move[]): Promise<Operation[]> {
  const operations: Operation[] = [];
  for (const { epoch, seq, timeMs, toMs } of moves) {
    // By its length, which its value knows, it lies in this hour or in the one before.
    for (const hour of [hourOf(timeMs), hourOf(timeMs) - 1]) {
      const key = coMomentsKey(agent, Math.max(0, hour), epoch, seq);
      const value = await database.get(key);
      if (value === undefined) continue;
      const body = value.subarray(TIME_BYTES);
      const { lengthMs } = decodeCoMoments(body);
      operations.push({ type: 'del', key });
      operations.push({
        type: 'put',
        key: coMomentsKey(agent, hourOfRollup(toMs, lengthMs), epoch, seq),
        value: encodeStored(toMs, body),
      });
      break;
    }
  }
  return operations;
}

/** In memory: what a record brought. */
export interface KeptCoMoments {
  readonly timeMs: number;
  readonly lengthMs: number;
  readonly body: Uint8Array;
}

export async function* keptCoMoments(
  all: readonly KeptCoMoments[],
  { fromMs, toMs }: TimeRange,
): AsyncGenerator<StoredCoMoments> {
  const within = all.filter(({ timeMs }) => timeMs > fromMs && timeMs <= toMs);
  const hour = ({ timeMs, lengthMs }: KeptCoMoments): number => hourOfRollup(timeMs, lengthMs);
  for (const kept of within.toSorted((a, b) => hour(a) - hour(b))) {
    yield { ...decodeCoMoments(kept.body), timeMs: kept.timeMs };
  }
}
