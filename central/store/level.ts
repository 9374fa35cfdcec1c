/**
 * The central's store on LevelDB.
 *
 * Constraints:
 * - a batch's data and the ranges that say so are one atomic, synced write; it alone decides what is new.
 * - after any write error the handle is closed and opened anew (`database.ts`); nothing half-done is believed.
 * - each rewriting (an agent's hour or day) is one atomic write and may be stopped anywhere.
 * - what is read is read on one snapshot.
 * - `meta/format` names the layout: a newer one is refused, an older one is migrated step by step after a copy.
 *
 * On-disk format 2. Keys begin with a byte for the space; numbers are big-endian; A is the agent's number (u32), E an
 * epoch (16 bytes), S a seq (u48), N a series' number of that agent (u32); hours and days count from 1970, UTC.
 *
 *     a  agent id                   → JSON {number}
 *     s  A N                        → JSON id, name, unit, attributes
 *     t  A table hash (8 bytes)     → series numbers, or that it was refused (values.ts)
 *     e  A E                        → ledger (ledger-row.ts); all that remains of a small settled epoch
 *     l  A E                        → nothing: the epoch is settled and its keys are not folded yet (runs.ts)
 *     V  A E                        → nothing: an epoch in a process's memory, whose end is still to come (volatile.ts)
 *     q  A E S                      → CRCs, times and places of consecutive seqs from S on (values.ts)
 *     m  A E S                      → a gap record: what it names (values.ts)
 *     f  A                          → JSON notes of who the agent is (identity.ts)
 *     w  A minute u32 E S           → a window as it came: table, first series, the wire's columns (values.ts)
 *     r  A hour u32 E S             → an agent's own rollup of an hour, likewise
 *     c  A N hour u32               → chunk: the windows of one series over an hour (chunks.ts)
 *     p  A hour u32 E               → seqs of the windows that are in that hour's chunks
 *     h  A N day u32                → rows: hours of a day (chunks.ts)
 *     d  A N block u32              → rows: days of a block of 32
 *     g  A hour u32                 → minutes of the hour that windows cover, 2 × 30 bits
 *     y  A hour u32                 → nothing: the hour has data that is not rewritten and rolled up
 *     k  A day u32                  → nothing: the day has hours that it is not rolled up from
 *     v  A time u48 E S index u32   → JSON event
 *     i  A E S                      → JSON incident, highest revision (incidents.ts)
 *     j  opened u48 A E S           → state and end of that incident
 *     x  A E S day u32 E S          → evidence of that incident, by the record that brought it
 *     o  A name                     → JSON the latest document of that name
 *     C  A hour u32 E S             → co-moments of a group, or a part of an hour of them (co-moments.ts)
 *     u  A minute u32 E S           → a record of an unknown kind as it came
 *     z  A E S crc u32              → a quarantined record with its reason (values.ts)
 *     B  A boot (16 bytes)          → JSON what dates that boot's records (dating/row.ts)
 *     F  A boot E S                 → by which time a batch's records of that boot are filed (filed.ts)
 *     R  A hour u32                 → nothing: the hour lost windows to another; all its series are rolled up anew
 *     n  namespace 0 key            → JSON document of the central
 *     b  SHA-256                    → blob
 *     meta/format, meta/wire (usage.ts), meta/thinned (the hour before which minutes may be gone)
 */
import { mkdir } from 'node:fs/promises';
import type { StateEvent } from '../../shared/findings.ts';
import type { SeriesId } from '../../shared/series.ts';
import { noRanges, type SeqRanges } from '../../shared/wire/ranges.ts';
import { readAgent, readAgents, readLedger, readLedgers, readTable } from './agents.ts';
import { Catalogue, countSeries, SeriesInterner } from './catalogue.ts';
import { coMomentsByDay } from './co-moments.ts';
import type { FreshWindow, LedgerChange, StoredDocument } from './commit.ts';
import { Database } from './database.ts';
import { isEpoch } from './decide.ts';
import { LevelDocuments } from './documents.ts';
import { bootRows, readBoots } from './filed.ts';
import { foldSettled } from './fold.ts';
import { checkFormat, FORMAT } from './format.ts';
import { findIncidents } from './incidents.ts';
import { agentKey, agentSpaces, between, epochBytes, incidentTimeKey, keyOf, startingWith } from './keys.ts';
import { Latest } from './latest.ts';
import { compareLedgers, ledgerRow, settledOf } from './ledger.ts';
import { LedgerSums } from './ledger-sums.ts';
import { coverageFrom } from './level-coverage.ts';
import { identityFrom, recountFrom } from './level-ledger.ts';
import { readQuarantine } from './quarantine.ts';
import { querySeries, summaryBlocks } from './query.ts';
import { refileBoot } from './refile.ts';
import { ReadServer } from './remote.ts';
import { defaultRetention, type RetentionOptions, retainByAge, retainBySize } from './retention.ts';
import { dueDays, dueHours, rewriteDay, rewriteHour } from './rewrite.ts';
import { statsOf } from './stats.ts';
import type {
  AgentId,
  Batch,
  CommitResult,
  CoverageDay,
  Documents,
  EpochId,
  IdentityFinding,
  LatestSeries,
  LedgerCheck,
  LedgerRow,
  LedgerTotals,
  QuarantinedRecord,
  Refiling,
  Resolution,
  SeriesColumns,
  Store,
  StoredBoot,
  StoredCoMoments,
  StoredIncident,
  StoreStats,
  SummaryBlock,
  SummaryQuery,
  TableSeries,
  TimeRange,
} from './store.ts';
import { endVolatile } from './volatile.ts';
import { Writer } from './writer.ts';

const wholeDatabase = { gte: Buffer.of(0), lt: Buffer.of(255) };
/** Later times than a u48 of milliseconds holds are not asked for. */
const LAST_MS = 2 ** 48 - 1;

export interface LevelStoreOptions {
  readonly retention?: Partial<RetentionOptions>;
  /** Called before each write; what it throws is an error of the disk (tests). */
  readonly beforeWrite?: () => void;
}

/** Opens or creates the store in a directory. Throws `store.newer_format`, `store.failed`, `disk.full`. */
export async function openLevelStore(directory: string, options: LevelStoreOptions = {}): Promise<LevelStore> {
  await mkdir(directory, { recursive: true });
  const database = await Database.open(directory, options.beforeWrite);
  try {
    await checkFormat(database);
  } catch (error) {
    await database.close();
    throw error;
  }
  return new LevelStore(database, { ...defaultRetention, ...options.retention });
}

export class LevelStore implements Store {
  readonly documents: Documents;
  readonly #database: Database;
  readonly #retention: RetentionOptions;
  readonly #writer: Writer;
  readonly #catalogue: Catalogue;
  readonly #sums = new LedgerSums();
  readonly #latest = new Map<AgentId, { readonly latest: Latest; filled: Promise<void> }>();

  constructor(database: Database, retention: RetentionOptions) {
    this.#database = database;
    this.#retention = retention;
    const interner = new SeriesInterner();
    this.#catalogue = new Catalogue(interner);
    this.#writer = new Writer(
      database,
      interner,
      ({ fresh, ledgers }) => {
        this.#takeFresh(fresh);
        this.#sums.take(ledgers);
      },
      () => {
        this.#latest.clear();
        this.#sums.forget();
      },
    );
    this.documents = new LevelDocuments(database, (operations) => this.#writer.write(operations));
  }

  commit(batch: Batch): Promise<CommitResult> {
    return this.#writer.commit(batch);
  }

  async settled(agent: AgentId, epoch: EpochId): Promise<SeqRanges> {
    const row = await readAgent(this.#database, agent);
    const ledger = row === null || !isEpoch(epoch) ? null : await readLedger(this.#database, row.number, epoch);
    return ledger === null ? noRanges : settledOf(ledger);
  }

  async latest(agent: AgentId): Promise<readonly LatestSeries[]> {
    const row = await readAgent(this.#database, agent);
    if (row === null) return [];
    const { series } = await this.#catalogue.of(this.#database, row.number);
    let kept = this.#latest.get(agent);
    if (kept === undefined) {
      const latest = new Latest();
      // Commits add to it from now on; what it has already is never replaced by something older.
      const filled = this.#database.read((reader) => latest.fill(reader, row.number, series.length));
      kept = { latest, filled };
      this.#latest.set(agent, kept);
      filled.catch(() => this.#latest.delete(agent));
    }
    await kept.filled;
    return kept.latest.list(series);
  }

  async query(
    agent: AgentId,
    series: readonly SeriesId[],
    range: TimeRange,
    resolution: Resolution,
  ): Promise<readonly SeriesColumns[]> {
    return this.#database.read(async (reader) => {
      const row = await readAgent(reader, agent);
      const known = row === null ? null : await this.#catalogue.of(reader, row.number);
      return querySeries(reader, row?.number ?? null, known, series, range, resolution);
    });
  }

  summaries(query: SummaryQuery): AsyncIterable<SummaryBlock> {
    return summaryBlocks(this.#database, this.#catalogue, query);
  }

  async incidents(
    query: TimeRange & { agent?: AgentId; state?: 'open' | 'closed'; limit?: number },
  ): Promise<readonly StoredIncident[]> {
    return this.#database.read(async (reader) => {
      const names = new Map((await readAgents(reader)).map(({ id, number }) => [number, id]));
      const wanted = query.agent === undefined ? null : await readAgent(reader, query.agent);
      if (query.agent !== undefined && wanted === null) return [];
      const found = await findIncidents(reader, query, wanted?.number ?? null);
      return found.map(({ agent, incident }) => ({ ...incident, agent: names.get(agent) ?? '' }));
    });
  }

  async events(agent: AgentId, range: TimeRange, limit: number): Promise<readonly StateEvent[]> {
    const row = await readAgent(this.#database, agent);
    if (row === null) return [];
    const [from, to] = [range.fromMs, range.toMs].map((ms) => Math.min(Math.max(0, Math.floor(ms)), LAST_MS - 1));
    const out: StateEvent[] = [];
    const keys = between('event', [row.number], { u48: from! }, { u48: to! + 1 });
    for await (const [, value] of this.#database.entries(keys, { reverse: true, limit })) {
      out.push(JSON.parse(value.toString()) as StateEvent);
    }
    return out.reverse();
  }

  async document(
    agent: AgentId,
    name: 'inventory' | 'top' | 'applied',
  ): Promise<{ timeMs: number; json: unknown } | null> {
    const row = await readAgent(this.#database, agent);
    const value = row === null ? undefined : await this.#database.get(keyOf('latest', row.number, Buffer.from(name)));
    if (value === undefined) return null;
    const { timeMs, json } = JSON.parse(value.toString()) as StoredDocument;
    return { timeMs, json };
  }

  coMoments(agent: AgentId, range: TimeRange): AsyncIterable<StoredCoMoments> {
    return coMomentsByDay(agent, range, (work) => this.#database.read(work));
  }

  async evidence(agent: AgentId, epoch: EpochId, seq: number): Promise<readonly Uint8Array[]> {
    const row = await readAgent(this.#database, agent);
    if (row === null || !isEpoch(epoch)) return [];
    const out: Uint8Array[] = [];
    const keys = startingWith('evidence', row.number, epochBytes(epoch), { u48: seq });
    for await (const [, value] of this.#database.entries(keys)) out.push(value);
    return out;
  }

  async table(agent: AgentId, hash: string): Promise<readonly TableSeries[] | null> {
    const row = /^[0-9a-f]{16}$/.test(hash) ? await readAgent(this.#database, agent) : null;
    const numbers = row === null ? null : await readTable(this.#database, row.number, hash);
    if (row === null || !numbers) return null;
    const { series } = await this.#catalogue.of(this.#database, row.number);
    return numbers.flatMap((number) => series[number] ?? []);
  }

  async ledger(agent: AgentId): Promise<readonly LedgerRow[]> {
    const row = await readAgent(this.#database, agent);
    const ledgers = row === null ? [] : await readLedgers(this.#database, row.number);
    return ledgers.sort(compareLedgers).map(ledgerRow);
  }

  ledgerTotals(agent: AgentId): Promise<LedgerTotals> {
    return this.#sums.of(this.#database, agent, (run) => this.#writer.exclusive(run));
  }

  async verifyLedger(agent: AgentId): Promise<LedgerCheck> {
    const row = await readAgent(this.#database, agent);
    if (row === null) return { epochs: 0, records: 0, thinned: 0, problems: [] };
    return recountFrom(this.#database, row);
  }

  async coverage(agent: AgentId, range: TimeRange): Promise<readonly CoverageDay[]> {
    const { lastMs } = await this.#writer.wire();
    return this.#database.read(async (reader) => {
      const row = await readAgent(reader, agent);
      return row === null ? [] : coverageFrom(reader, row.number, range, lastMs);
    });
  }

  async identity(agent: AgentId): Promise<readonly IdentityFinding[]> {
    const row = await readAgent(this.#database, agent);
    return row === null ? [] : this.#database.read((reader) => identityFrom(reader, row.number));
  }

  async quarantine(agent: AgentId): Promise<readonly QuarantinedRecord[]> {
    const row = await readAgent(this.#database, agent);
    return row === null ? [] : readQuarantine(this.#database, row.number);
  }

  async boots(agent: AgentId): Promise<readonly StoredBoot[]> {
    const row = await readAgent(this.#database, agent);
    return row === null ? [] : readBoots(this.#database, row.number);
  }

  async saveBoots(agent: AgentId, rows: readonly StoredBoot[]): Promise<void> {
    const row = await readAgent(this.#database, agent);
    if (row !== null && rows.length > 0) await this.#writer.write(bootRows(row.number, rows));
  }

  async refile(agent: AgentId, boot: string, refiling: Refiling, signal: AbortSignal): Promise<number> {
    const row = await readAgent(this.#database, agent);
    if (row === null) return 0;
    const exclusive = (run: () => Promise<void>): Promise<void> => this.#writer.exclusive(run);
    const turn = { exclusive, agents: this.#writer.agents };
    const moved = await refileBoot(this.#database, row, boot, refiling, turn, signal);
    if (moved > 0) this.#latest.delete(agent);
    return moved;
  }

  async maintain(nowMs: number, signal: AbortSignal): Promise<void> {
    const hours = await dueHours(this.#database, nowMs);
    for (const due of hours) {
      if (signal.aborted) return;
      await this.#writer.exclusive(() => rewriteHour(this.#database, due));
    }
    for (const due of await dueDays(this.#database, nowMs)) {
      if (signal.aborted) return;
      await this.#writer.exclusive(async () =>
        rewriteDay(this.#database, due, await countSeries(this.#database, due.agent)),
      );
    }
    if (signal.aborted) return;
    // What was rewritten is only marked as deleted until then.
    if (hours.length > 0) await this.#database.compact(startingWith('window'));
    const state = {
      seriesOf: (number: number) => countSeries(this.#database, number),
      exclusive: (run: () => Promise<void>) => this.#writer.exclusive(run),
      agents: this.#writer.agents,
    };
    const changed = (rows: readonly LedgerChange[]): void => this.#sums.take(rows);
    await endVolatile(this.#database, { ...state, changed }, signal);
    await foldSettled(this.#database, state, signal);
    await retainByAge(this.#database, this.#retention, state, nowMs, signal);
    await retainBySize(this.#database, this.#retention, state, nowMs, signal);
  }

  async purge(agent: AgentId): Promise<void> {
    await this.#writer.exclusive(async () => {
      const row = await readAgent(this.#database, agent);
      if (row === null) return;
      this.#writer.agents.forget(agent);
      this.#latest.delete(agent);
      this.#sums.forget(agent);
      for await (const [key, value] of this.#database.entries(startingWith('incident', row.number))) {
        const { openedMs } = JSON.parse(value.toString()) as { openedMs: number };
        const epoch = key.subarray(5, 21).toString('hex');
        const index = incidentTimeKey(openedMs, row.number, epoch, key.readUIntBE(21, 6));
        await this.#database.write([{ type: 'del', key: index }], false);
      }
      for (const space of agentSpaces) await this.#database.clear(startingWith(space, row.number));
      this.#catalogue.forget(row.number);
      // Last: until then a purge that was stopped can be asked for again.
      await this.#database.write([{ type: 'del', key: agentKey(agent) }], true);
    });
  }

  async stats(): Promise<StoreStats> {
    return statsOf(this.#database, await this.#writer.wire(), this.#retention);
  }

  /** All that is stored, as it is at this moment, in the order of keys: for a backup. To be closed. */
  async everything(): Promise<{
    readonly format: number;
    readonly pairs: AsyncIterable<[Buffer, Buffer]>;
    readonly close: () => Promise<void>;
  }> {
    const { reader, close } = await this.#database.snapshot();
    return { format: FORMAT, pairs: reader.entries(wholeDatabase), close };
  }

  /** For another thread, which reads history by itself. */
  readServer(): ReadServer {
    return new ReadServer(this.#database);
  }

  /** Gives back at once what was deleted or written over; LevelDB does it by and by. */
  async compact(): Promise<void> {
    await this.#database.compact(wholeDatabase);
  }

  async close(): Promise<void> {
    await this.#writer.idle();
    await this.#database.close();
  }

  #takeFresh(windows: readonly FreshWindow[]): void {
    for (const window of windows) this.#latest.get(window.agent)?.latest.take(window);
  }
}
