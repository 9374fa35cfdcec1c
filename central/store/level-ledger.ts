/** What the ledger's readers ask of the database: the recount, the gaps, who the agent is. */
import { HOUR_MS } from '../../shared/limits.ts';
import { type AgentRow, readLedger, readLedgers } from './agents.ts';
import type { StoredGap } from './coverage.ts';
import type { Database, Reader } from './database.ts';
import { epochsOf, findings, firstCertainMs, newestRootMs } from './identity.ts';
import { startingWith } from './keys.ts';
import { emptyLedger } from './ledger.ts';
import { decodeRanges } from './ledger-row.ts';
import { readNotes } from './plan-ledgers.ts';
import { Finder, recount } from './recount.ts';
import { thinnedBeforeHour } from './retention.ts';
import { runStart } from './runs.ts';
import type { EpochId, IdentityFinding, LedgerCheck } from './store.ts';
import { coversMinute, decodeCovered, decodeGapRow, decodeRun, decodeRuns, type Run } from './values.ts';

const EPOCH_BYTES = 16;

export async function readGaps(reader: Reader, agent: number): Promise<StoredGap[]> {
  const out: StoredGap[] = [];
  for await (const [, value] of reader.entries(startingWith('gap', agent))) out.push(decodeGapRow(value));
  return out;
}

export async function identityFrom(reader: Reader, agent: number): Promise<IdentityFinding[]> {
  const notes = await readNotes(reader, agent);
  const ledgers = new Map(
    await Promise.all(
      epochsOf(notes).map(
        async (epoch) => [epoch, (await readLedger(reader, agent, epoch)) ?? emptyLedger(epoch)] as const,
      ),
    ),
  );
  const ledgerOf = (epoch: EpochId) => ledgers.get(epoch) ?? emptyLedger(epoch);
  const rootMs = newestRootMs(notes, ledgerOf);
  const minuteMs = rootMs === null ? null : await firstMinuteMs(reader, agent);
  // All rows are read only of an agent that covered something earlier, if by a guess: what they say holds.
  const isEarlier = rootMs !== null && minuteMs !== null && minuteMs < rootMs;
  return findings(notes, ledgerOf, isEarlier ? firstCertainMs(await readLedgers(reader, agent)) : null);
}

/** Counts an agent's records again; on one snapshot, so that it may run beside commits. */
export async function recountFrom(database: Database, agent: AgentRow): Promise<LedgerCheck> {
  return database.read(async (reader) => {
    const thinnedMs = (await thinnedBeforeHour(reader)) * HOUR_MS;
    const { number } = agent;
    const finder = new Finder();
    const ledgers = await readLedgers(reader, number);
    const keys = (epoch: EpochId, { fromSeq, places, timesMs }: Run): void => {
      places.forEach((place, i) => {
        finder.key(epoch, place, fromSeq + i, timesMs[i]! <= thinnedMs);
      });
    };
    for (const { epoch, folded } of ledgers) {
      if (folded !== null) for (const run of decodeRuns(folded)) keys(epoch, run);
    }
    for await (const [key, value] of reader.entries(startingWith('run', number))) {
      keys(epochAt(key, 5), decodeRun(runStart(key), value));
    }
    // agent u32, minute or hour u32, epoch, seq
    for (const place of ['window', 'rollup', 'unknown', 'coMoments'] as const) {
      for await (const key of reader.keys(startingWith(place, number))) {
        finder.data(epochAt(key, 9), place, runStart(key));
      }
    }
    for await (const [key, value] of reader.entries(startingWith('proof', number))) {
      for (const [from, to] of decodeRanges(value)) finder.data(epochAt(key, 9), 'window', from, to);
    }
    // agent u32, time u48, epoch, seq, index u32
    for await (const key of reader.keys(startingWith('event', number))) {
      finder.data(epochAt(key, 11), 'event', key.readUIntBE(27, 6));
    }
    // agent u32, incident's epoch and seq, day u32, epoch, seq
    for await (const key of reader.keys(startingWith('evidence', number))) {
      finder.data(epochAt(key, 31), 'evidence', runStart(key));
    }
    for await (const key of reader.keys(startingWith('quarantine', number))) {
      finder.data(epochAt(key, 5), 'quarantine', key.readUIntBE(21, 6));
    }
    for await (const key of reader.keys(startingWith('gap', number))) {
      finder.data(epochAt(key, 5), 'gap', runStart(key));
    }
    return recount(ledgers, finder.finish(), await readGaps(reader, number));
  });
}

function epochAt(key: Buffer, at: number): EpochId {
  return key.toString('hex', at, at + EPOCH_BYTES);
}

/** When the first minute began that the agent ever covered; null while there is none. */
export async function firstMinuteMs(reader: Reader, agent: number): Promise<number | null> {
  for await (const [key, value] of reader.entries(startingWith('coverage', agent))) {
    const minutes = decodeCovered(value);
    for (let minute = 0; minute < 60; minute++) {
      if (coversMinute(minutes, minute)) return key.readUInt32BE(5) * HOUR_MS + minute * 60_000;
    }
  }
  return null;
}
