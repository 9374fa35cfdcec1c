/** The coverage of time as the database has it: covered minutes by hour, and where pending records may lie. */
import { HOUR_MS } from '../../shared/limits.ts';
import { coverageOf, pendingSpans, type Span } from './coverage.ts';
import type { Reader } from './database.ts';
import { between, epochBytes, keyOf, startingWith } from './keys.ts';
import type { EpochLedger } from './ledger.ts';
import type { CoverageDay, EpochId, TimeRange } from './store.ts';
import { hoursOf } from './time.ts';
import { type CoveredMinutes, coversMinute, decodeCovered, decodeRun } from './values.ts';

export async function coverageFrom(
  reader: Reader,
  agent: number,
  ledgers: readonly EpochLedger[],
  range: TimeRange,
  nowMs: number,
): Promise<CoverageDay[]> {
  const [first, last] = hoursOf(range.fromMs, range.toMs);
  const hours = new Map<number, CoveredMinutes>();
  for await (const [key, value] of reader.entries(between('coverage', [agent], first, last + 1))) {
    hours.set(key.readUInt32BE(5), decodeCovered(value));
  }
  const covers = (minute: number): boolean => {
    const minutes = hours.get(Math.floor(minute / 60));
    return minutes !== undefined && coversMinute(minutes, minute % 60);
  };
  const spans: Span[] = await pendingSpans(ledgers, nowMs, {
    before: (epoch, seq) => timeNear(reader, agent, epoch, seq, true),
    after: (epoch, seq) => timeNear(reader, agent, epoch, seq, false),
  });
  return coverageOf(range, covers, spans, await firstMinuteMs(reader, agent), nowMs);
}

/** Time of the nearest settled seq before or after this one, or null. */
async function timeNear(
  reader: Reader,
  agent: number,
  epoch: EpochId,
  seq: number,
  before: boolean,
): Promise<number | null> {
  const all = startingWith('run', agent, epochBytes(epoch));
  const range = before
    ? { gte: all.gte, lt: keyOf('run', agent, epochBytes(epoch), { u48: seq }) }
    : { gte: keyOf('run', agent, epochBytes(epoch), { u48: seq + 1 }), lt: all.lt };
  for await (const [key, value] of reader.entries(range, { reverse: before, limit: 1 })) {
    const run = decodeRun(key.readUIntBE(key.length - 6, 6), value);
    return (before ? run.timesMs[Math.min(run.timesMs.length, seq - run.fromSeq) - 1] : run.timesMs[0]) ?? null;
  }
  return null;
}

async function firstMinuteMs(reader: Reader, agent: number): Promise<number | null> {
  for await (const [key, value] of reader.entries(startingWith('coverage', agent))) {
    const minutes = decodeCovered(value);
    for (let minute = 0; minute < 60; minute++) {
      if (coversMinute(minutes, minute)) return key.readUInt32BE(5) * HOUR_MS + minute * 60_000;
    }
  }
  return null;
}
