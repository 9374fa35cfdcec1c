/**
 * The store in memory, for the simulation and for tests: what `level.ts` keeps in keys lies here in maps, and what that
 * prepares (chunks, rollups) is worked out with each query. It decides by the same rules (`decide.ts`, `ledger.ts`).
 */

import type { Incident, StateEvent } from '../../shared/findings.ts';
import { DAY_MS, HOUR_MS } from '../../shared/limits.ts';
import type { SeriesId } from '../../shared/series.ts';
import { noRanges, type SeqRanges } from '../../shared/wire/ranges.ts';
import { keptCoMoments } from './co-moments.ts';
import { quarantinedMs } from './commit.ts';
import { coverageOf, factsOf } from './coverage.ts';
import { checkBatch, type Decision, decide, noteOthers } from './decide.ts';
import { findings, firstCertainMs, isNews } from './identity.ts';
import { INCIDENT_NEWS, newsOf } from './incident-news.ts';
import { matchesIncident } from './incidents.ts';
import { compareLedgers, type EpochLedger, emptyLedger, endsOfVolatile, ledgerRow, settledOf } from './ledger.ts';
import { totalsOf } from './ledger-sums.ts';
import {
  type AgentData,
  applyRecord,
  applyTable,
  emptyAgent,
  hoursOfSeries,
  minutesOfSeries,
  nearest,
  pruneQuarantined,
  recountOf,
  rowsAt,
  type Window,
} from './memory-agent.ts';
import { MemoryDocuments } from './memory-documents.ts';
import { refileInMemory } from './memory-refile.ts';
import { defaultRetention, type RetentionOptions } from './retention.ts';
import { isClosed } from './rewrite.ts';
import { type Row, Rows } from './rows.ts';
import { placeOf } from './runs.ts';
import type {
  AgentId,
  Batch,
  CommitResult,
  CoverageDay,
  EpochId,
  IdentityFinding,
  IncomingRecord,
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
import { hourEndMs, hourOf } from './time.ts';
import { addWire, emptyWire, type WireCount } from './usage.ts';
import type { RecordPlace } from './values.ts';

export interface MemoryStoreOptions {
  readonly retention?: Partial<RetentionOptions>;
  /** Called before each commit; what it throws is an error of the disk (tests). */
  readonly beforeWrite?: () => void;
}

export class MemoryStore implements Store {
  readonly documents = new MemoryDocuments();
  readonly #agents = new Map<AgentId, AgentData>();
  readonly #retention: RetentionOptions;
  readonly #beforeWrite: (() => void) | undefined;
  #wire: WireCount = emptyWire;

  constructor(options: MemoryStoreOptions = {}) {
    this.#retention = { ...defaultRetention, ...options.retention };
    this.#beforeWrite = options.beforeWrite;
  }

  async commit(batch: Batch): Promise<CommitResult> {
    checkBatch(batch);
    this.#beforeWrite?.();
    const agent = this.#agents.get(batch.agent) ?? emptyAgent();
    this.#agents.set(batch.agent, agent);
    this.#wire = addWire(this.#wire, batch.receivedMs, batch.sizeBytes);
    const decision = decide(batch, {
      ledger: agent.ledgers.get(batch.epoch) ?? emptyLedger(batch.epoch),
      crcs: new Map(
        batch.records.flatMap(({ seq }) => {
          const settled = agent.settled.get(`${batch.epoch}/${seq}`);
          return settled === undefined ? [] : [[seq, settled.crc]];
        }),
      ),
      isKnownConflict: (seq, crc) => agent.quarantine.has(`${batch.epoch}/${seq}/${crc}`),
      table: (hash) => {
        const table = agent.tables.get(hash);
        return table === undefined ? null : (table ?? 'refused');
      },
      seriesAfter: ({ series }) => new Set([...agent.series.keys(), ...series.map(({ id }) => id)]).size,
    });
    return this.#apply(agent, batch, decision);
  }

  async settled(agent: AgentId, epoch: EpochId): Promise<SeqRanges> {
    const ledger = this.#agents.get(agent)?.ledgers.get(epoch);
    return ledger === undefined ? noRanges : settledOf(ledger);
  }

  async latest(agent: AgentId): Promise<readonly LatestSeries[]> {
    const data = this.#agents.get(agent);
    if (data === undefined) return [];
    const all = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
    return [...data.series.values()].map((series) => {
      const columns = minutesOfSeries(data, series.id).toSeries(series.id, all.fromMs, all.toMs);
      let i = columns.timesMs.length - 1;
      while (i >= 0 && columns.count[i] === 0) i--;
      const at = (column: Float64Array): number => column[i] ?? Number.NaN;
      return {
        ...series,
        timeMs: columns.timesMs[i] ?? 0,
        mean: at(columns.mean),
        min: at(columns.min),
        max: at(columns.max),
        last: at(columns.last),
        anomalyShare: at(columns.anomalyShare),
        highestScore: at(columns.highestScore),
      };
    });
  }

  async query(
    agent: AgentId,
    series: readonly SeriesId[],
    range: TimeRange,
    resolution: Resolution,
  ): Promise<readonly SeriesColumns[]> {
    const data = this.#agents.get(agent);
    return series.map((id) => {
      const rows = data === undefined ? new Rows() : rowsAt(data, id, resolution);
      return rows.toSeries(id, range.fromMs, range.toMs);
    });
  }

  async *summaries(query: SummaryQuery): AsyncGenerator<SummaryBlock> {
    for (const agent of query.agents ?? [...this.#agents.keys()]) {
      for (const { id, name, unit, attributes } of [...(this.#agents.get(agent)?.series.values() ?? [])]) {
        if (query.series !== undefined && !query.series.includes(id)) continue;
        const [columns] = await this.query(agent, [id], query, query.resolution);
        if (columns !== undefined && columns.timesMs.length > 0)
          yield { ...columns, agent, key: { name, unit, attributes } };
      }
    }
  }

  async incidents(
    query: TimeRange & { agent?: AgentId; state?: 'open' | 'closed'; limit?: number },
  ): Promise<readonly StoredIncident[]> {
    const out: StoredIncident[] = [];
    for (const [agent, data] of this.#agents) {
      if (query.agent !== undefined && query.agent !== agent) continue;
      for (const incident of data.incidents.values())
        if (matchesIncident(incident, query)) out.push({ ...incident, agent });
    }
    return out.sort((a, b) => b.openedMs - a.openedMs || b.seq - a.seq).slice(0, query.limit);
  }

  async events(agent: AgentId, range: TimeRange, limit: number): Promise<readonly StateEvent[]> {
    const events = (this.#agents.get(agent)?.events ?? [])
      .filter(({ event }) => event.atMs >= range.fromMs && event.atMs <= range.toMs)
      .sort((a, b) => (a.order < b.order ? -1 : 1))
      .map(({ event }) => event);
    return events.slice(Math.max(0, events.length - limit));
  }

  async document(agent: AgentId, name: string): Promise<{ timeMs: number; json: unknown } | null> {
    const found = this.#agents.get(agent)?.documents.get(name);
    return found === undefined ? null : { timeMs: found.timeMs, json: structuredClone(found.json) };
  }

  coMoments(agent: AgentId, range: TimeRange): AsyncIterable<StoredCoMoments> {
    return keptCoMoments([...(this.#agents.get(agent)?.coMoments.values() ?? [])], range);
  }

  async evidence(agent: AgentId, epoch: EpochId, seq: number): Promise<readonly Uint8Array[]> {
    const parts = this.#agents.get(agent)?.evidence.get(`${epoch}/${seq}`) ?? [];
    return [...parts].sort((a, b) => (a.order < b.order ? -1 : 1)).map(({ body }) => body);
  }

  async table(agent: AgentId, hash: string): Promise<readonly TableSeries[] | null> {
    return this.#agents.get(agent)?.tables.get(hash) ?? null;
  }

  async ledger(agent: AgentId): Promise<readonly LedgerRow[]> {
    return this.#ledgers(agent).sort(compareLedgers).map(ledgerRow);
  }

  async ledgerTotals(agent: AgentId): Promise<LedgerTotals> {
    return totalsOf(this.#ledgers(agent));
  }

  async verifyLedger(agent: AgentId): Promise<LedgerCheck> {
    const data = this.#agents.get(agent);
    return data === undefined ? { epochs: 0, records: 0, thinned: 0, problems: [] } : recountOf(data);
  }

  async identity(agent: AgentId): Promise<readonly IdentityFinding[]> {
    const data = this.#agents.get(agent);
    if (data === undefined) return [];
    const ledgerOf = (epoch: EpochId) => data.ledgers.get(epoch) ?? emptyLedger(epoch);
    return findings(data.identity, ledgerOf, firstCertainMs(data.ledgers.values()));
  }

  async coverage(agent: AgentId, range: TimeRange): Promise<readonly CoverageDay[]> {
    const data = this.#agents.get(agent);
    if (data === undefined) return [];
    const facts = await factsOf(this.#ledgers(agent), [...data.gaps.values()], this.#wire.lastMs, {
      before: async (epoch, seq) => nearest(data, epoch, seq, -1, 1),
      after: async (epoch, seq) => nearest(data, epoch, seq, 1, data.ledgers.get(epoch)?.made ?? 0),
    });
    let first = Number.POSITIVE_INFINITY;
    for (const minute of data.minutes) first = Math.min(first, minute);
    return coverageOf(
      range,
      (minute) => data.minutes.has(minute),
      facts,
      data.minutes.size === 0 ? null : first * 60_000,
      this.#wire.lastMs,
    );
  }

  async quarantine(agent: AgentId): Promise<readonly QuarantinedRecord[]> {
    const all = [...(this.#agents.get(agent)?.quarantine.values() ?? [])];
    return all.sort((a, b) => (a.epoch < b.epoch ? -1 : a.epoch > b.epoch ? 1 : a.seq - b.seq || a.crc - b.crc));
  }

  async boots(agent: AgentId): Promise<readonly StoredBoot[]> {
    return [...(this.#agents.get(agent)?.boots.values() ?? [])].map((boot) => structuredClone(boot));
  }

  async saveBoots(agent: AgentId, rows: readonly StoredBoot[]): Promise<void> {
    for (const row of rows) this.#agents.get(agent)?.boots.set(row.id, structuredClone(row));
  }

  async refile(agent: AgentId, boot: string, refiling: Refiling): Promise<number> {
    const data = this.#agents.get(agent);
    return data === undefined ? 0 : refileInMemory(data, boot, refiling);
  }

  async maintain(nowMs: number, signal: AbortSignal): Promise<void> {
    const minutesBefore = Math.floor((nowMs - this.#retention.minutesMs) / DAY_MS) * DAY_MS;
    for (const data of this.#agents.values()) {
      if (signal.aborted) return;
      const isOld = ({ timeMs }: Window): boolean => timeMs <= minutesBefore && isClosed(timeMs, nowMs);
      for (const id of data.windows.some(isOld) || data.rollups.some(isOld) ? data.series.keys() : []) {
        const kept = data.kept.get(id) ?? new Map<number, Row>();
        data.kept.set(id, kept);
        for (const [hour, row] of hoursOfSeries(data, id)) if (hourEndMs(hour) <= minutesBefore) kept.set(hour, row);
      }
      data.windows = data.windows.filter((window) => !isOld(window));
      data.rollups = data.rollups.filter((window) => !isOld(window));
      for (const { after } of endsOfVolatile([...data.ledgers.values()])) data.ledgers.set(after.epoch, after);
      pruneQuarantined(data, nowMs);
    }
  }

  async purge(agent: AgentId): Promise<void> {
    this.#agents.delete(agent);
  }

  async stats(): Promise<StoreStats> {
    let series = 0;
    let oldestMs: number | null = null;
    for (const data of this.#agents.values()) {
      series += data.series.size;
      for (const { timeMs } of [...data.windows, ...data.rollups]) {
        const startMs = hourEndMs(hourOf(timeMs)) - HOUR_MS;
        oldestMs = Math.min(oldestMs ?? startMs, startMs);
      }
    }
    const wireBytes = this.#wire.totalBytes;
    return { diskBytes: 0, wireBytes, freeBytes: 0, daysLeft: null, agents: this.#agents.size, series, oldestMs };
  }

  async close(): Promise<void> {}

  #ledgers(agent: AgentId): EpochLedger[] {
    return [...(this.#agents.get(agent)?.ledgers.values() ?? [])];
  }

  #apply(agent: AgentData, batch: Batch, decision: Decision): CommitResult {
    for (const hash of decision.refusedTables) agent.tables.set(hash, null);
    for (const table of decision.restoredTables) applyTable(agent, table);
    const news = (incident: Incident): void => {
      const { key, value } = newsOf(batch.agent, incident);
      // Written before it answers: nothing in it waits.
      void this.documents.put(INCIDENT_NEWS, key, value);
    };
    for (const one of decision.accepted) applyRecord(agent, batch, one, news);
    for (const { record, reason } of decision.refused) {
      const { seq, crc } = record;
      const timeMs = quarantinedMs(batch, record);
      const value = { epoch: batch.epoch, seq, crc, reason, record: record.record.slice(), timeMs };
      agent.quarantine.set(`${batch.epoch}/${seq}/${crc}`, value);
    }
    for (const boot of batch.boots ?? []) agent.boots.set(boot.id, structuredClone(boot));
    const quarantined = decision.refused.filter(({ conflict }) => !conflict);
    const note = ({ seq, crc, timeMs }: IncomingRecord, place: RecordPlace): void => {
      agent.settled.set(`${batch.epoch}/${seq}`, { crc, timeMs, epoch: batch.epoch, seq, place });
    };
    for (const { record } of decision.accepted) note(record, placeOf(record.content));
    for (const { record } of quarantined) note(record, 'quarantine');
    agent.ledgers.set(batch.epoch, decision.ledger);
    const notesBefore = agent.identity;
    noteOthers(batch, decision, {
      get: (epoch) => agent.ledgers.get(epoch) ?? emptyLedger(epoch),
      put: (ledger) => agent.ledgers.set(ledger.epoch, ledger),
      notes: () => agent.identity,
      putNotes: (notes) => {
        agent.identity = notes;
      },
    });
    const { conflicts, needTables, duplicates } = decision;
    return {
      settled: settledOf(decision.ledger),
      stored: decision.accepted.length + quarantined.length,
      duplicates,
      conflicts,
      needTables,
      ...(isNews(notesBefore, agent.identity) && { identityChanged: true as const }),
    };
  }
}
