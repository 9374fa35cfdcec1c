/**
 * Co-moments of groups as the store keeps them: bodies as they came, an entry a record, filed by the hour in which most
 * of it lies. Value: float64 when the last window ended (LE), then the body.
 */
import { DAY_MS, HOUR_MS } from '../../shared/limits.ts';
import { decodeCoMoments } from '../../shared/wire/co-moments.ts';
import { readAgent } from './agents.ts';
import type { Operation, Reader } from './database.ts';
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

/** What is read at once: of a machine with many groups some megabytes. */
const READ_MS = DAY_MS;

/** In the order of hours, a day at a time. @param read runs on one snapshot, in whatever thread that is */
export async function* coMomentsByDay(
  agent: AgentId,
  { fromMs, toMs }: TimeRange,
  read: (work: (reader: Reader) => Promise<StoredCoMoments[]>) => Promise<StoredCoMoments[]>,
): AsyncGenerator<StoredCoMoments> {
  const [first, last] = hoursOf(fromMs, toMs);
  // One that ends in the first hour may lie, for the most part, in the one before.
  let hour = Math.max(0, first - 1);
  while (hour <= last) {
    const [from, to] = [hour, Math.min(last + 1, hour + READ_MS / HOUR_MS)];
    const { found, next } = await readDay(read, agent, from, to, last + 1);
    for (const stored of found) if (stored.timeMs > fromMs && stored.timeMs <= toMs) yield stored;
    hour = next;
  }
}

/** Where there is nothing, goes on where there is something. */
async function readDay(
  read: (work: (reader: Reader) => Promise<StoredCoMoments[]>) => Promise<StoredCoMoments[]>,
  agent: AgentId,
  from: number,
  to: number,
  end: number,
): Promise<{ readonly found: readonly StoredCoMoments[]; readonly next: number }> {
  let next = to;
  const found = await read(async (reader) => {
    const row = await readAgent(reader, agent);
    const out: StoredCoMoments[] = [];
    next = row === null ? end : to;
    if (row === null) return out;
    for await (const [, value] of reader.entries(between('coMoments', [row.number], from, to))) {
      out.push(decodeStored(value));
    }
    if (out.length > 0) return out;
    next = end;
    for await (const key of reader.keys(between('coMoments', [row.number], to, end), { limit: 1 })) {
      // space, agent u32, hour u32
      next = key.readUInt32BE(5);
    }
    return out;
  });
  return { found, next };
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
