/** The coverage of time as the database has it: covered minutes by hour, and what is known of the others. */
import { readLedgers } from './agents.ts';
import { coverageOf, factsOf } from './coverage.ts';
import type { Reader } from './database.ts';
import { between } from './keys.ts';
import { firstMinuteMs, readGaps } from './level-ledger.ts';
import { neighboursFrom } from './runs.ts';
import type { CoverageDay, TimeRange } from './store.ts';
import { hoursOf } from './time.ts';
import { type CoveredMinutes, coversMinute, decodeCovered } from './values.ts';

export async function coverageFrom(
  reader: Reader,
  agent: number,
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
  const ledgers = await readLedgers(reader, agent);
  const neighbours = neighboursFrom(reader, agent, ledgers);
  const facts = await factsOf(ledgers, await readGaps(reader, agent), nowMs, neighbours);
  return coverageOf(range, covers, facts, await firstMinuteMs(reader, agent), nowMs);
}
