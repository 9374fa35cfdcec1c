/**
 * What the writer keeps in memory of each agent: its number, its series, its tables, the ledgers and hours that it
 * writes to now. All of it is on the disk; after a failed write it is thrown away and read again.
 */
import type { SeriesInterner } from './catalogue.ts';
import type { Operation, Reader } from './database.ts';
import type { ContentOf } from './decide.ts';
import { agentKey, epochBytes, keyOf, startingWith } from './keys.ts';
import { type EpochLedger, emptyLedger } from './ledger.ts';
import { decodeLedger, encodeLedger } from './ledger-row.ts';
import type { AgentId, EpochId, TableSeries } from './store.ts';
import { type CoveredMinutes, decodeCovered, decodeTable, encodeTable } from './values.ts';

/** Ledgers of epochs, and hours, that an agent keeps in memory. */
const KEPT_LEDGERS = 16;
const KEPT_HOURS = 48;
const KEPT_TABLES = 32;

export interface AgentRow {
  readonly id: AgentId;
  readonly number: number;
}

export interface AgentCache extends AgentRow {
  readonly series: TableSeries[];
  readonly numbers: Map<string, number>;
  readonly ledgers: Map<EpochId, EpochLedger>;
  readonly hours: Map<number, CoveredMinutes>;
  /** null: quarantined. Absent: not looked up. */
  readonly tables: Map<string, readonly number[] | null>;
}

export class Agents {
  readonly #byId = new Map<AgentId, AgentCache>();
  readonly #interner: SeriesInterner;
  #nextNumber: number | null = null;

  constructor(interner: SeriesInterner) {
    this.#interner = interner;
  }

  /** Forgets all; what follows is read from the disk. */
  reset(): void {
    this.#byId.clear();
    this.#nextNumber = null;
  }

  forget(id: AgentId): void {
    this.#byId.delete(id);
  }

  /** The agent's cache; a new agent gets a number, which `operations` then write. */
  async ensure(reader: Reader, id: AgentId, operations: Operation[]): Promise<AgentCache> {
    const cached = this.#byId.get(id) ?? (await this.#find(reader, id));
    if (cached !== null) return cached;
    this.#nextNumber ??= 1 + Math.max(0, ...(await readAgents(reader)).map(({ number }) => number));
    const cache = this.#empty(id, this.#nextNumber++);
    operations.push({ type: 'put', key: agentKey(id), value: Buffer.from(JSON.stringify({ number: cache.number })) });
    return cache;
  }

  async #find(reader: Reader, id: AgentId): Promise<AgentCache | null> {
    const row = await readAgent(reader, id);
    if (row === null) return null;
    const cache = this.#empty(id, row.number);
    for (const one of await readSeries(reader, row.number)) {
      cache.numbers.set(one.id, cache.series.length);
      cache.series.push(this.#interner.take(one));
    }
    return cache;
  }

  /** Bounds the cache; only after a write, as what is not yet written can't be read again. */
  trim(agent: AgentCache): void {
    dropOldest(agent.ledgers, KEPT_LEDGERS);
    dropOldest(agent.hours, KEPT_HOURS);
    dropOldest(agent.tables, KEPT_TABLES);
  }

  async ledger(reader: Reader, agent: AgentCache, epoch: EpochId): Promise<EpochLedger> {
    const cached = agent.ledgers.get(epoch);
    if (cached !== undefined) return cached;
    const ledger = (await readLedger(reader, agent.number, epoch)) ?? emptyLedger(epoch);
    keep(agent.ledgers, epoch, ledger);
    return ledger;
  }

  putLedger(agent: AgentCache, ledger: EpochLedger, operations: Operation[]): void {
    keep(agent.ledgers, ledger.epoch, ledger);
    const key = keyOf('epoch', agent.number, epochBytes(ledger.epoch));
    operations.push({ type: 'put', key, value: encodeLedger(ledger) });
  }

  /** Its row was written by somebody else. */
  forgetLedger(agent: number, epoch: EpochId): void {
    for (const cache of this.#byId.values()) if (cache.number === agent) cache.ledgers.delete(epoch);
  }

  forgetTable(agent: number, hash: string): void {
    for (const cache of this.#byId.values()) if (cache.number === agent) cache.tables.delete(hash);
  }

  async covered(reader: Reader, agent: AgentCache, hour: number): Promise<CoveredMinutes> {
    const cached = agent.hours.get(hour);
    if (cached !== undefined) return cached;
    const stored = await reader.get(keyOf('coverage', agent.number, hour));
    const minutes = stored === undefined ? { low: 0, high: 0 } : decodeCovered(stored);
    keep(agent.hours, hour, minutes);
    return minutes;
  }

  /** Series numbers of a table; null: quarantined; undefined: unknown. */
  async table(reader: Reader, agent: AgentCache, hash: string): Promise<readonly number[] | null | undefined> {
    const cached = agent.tables.get(hash);
    if (cached !== undefined) return cached;
    const table = await readTable(reader, agent.number, hash);
    if (table !== undefined) keep(agent.tables, hash, table);
    return table;
  }

  /** Takes a table in; its new series get numbers. */
  addTable(agent: AgentCache, content: ContentOf<'table'>, operations: Operation[]): void {
    const numbers = content.series.map((series) => {
      const known = agent.numbers.get(series.id);
      if (known !== undefined) return known;
      const number = agent.series.length;
      agent.numbers.set(series.id, number);
      const { id, name, unit, attributes } = series;
      agent.series.push(this.#interner.take({ id, name, unit, attributes }));
      const value = Buffer.from(JSON.stringify({ id, name, unit, attributes }));
      operations.push({ type: 'put', key: keyOf('series', agent.number, number), value });
      return number;
    });
    this.#putTable(agent, content.hash, numbers, operations);
  }

  refuseTable(agent: AgentCache, hash: string, operations: Operation[]): void {
    this.#putTable(agent, hash, null, operations);
  }

  #putTable(agent: AgentCache, hash: string, numbers: readonly number[] | null, operations: Operation[]): void {
    keep(agent.tables, hash, numbers);
    const key = keyOf('table', agent.number, Buffer.from(hash, 'hex'));
    operations.push({ type: 'put', key, value: encodeTable(numbers) });
  }

  #empty(id: AgentId, number: number): AgentCache {
    const cache: AgentCache = {
      id,
      number,
      series: [],
      numbers: new Map(),
      ledgers: new Map(),
      hours: new Map(),
      tables: new Map(),
    };
    this.#byId.set(id, cache);
    return cache;
  }
}

export async function readAgent(reader: Reader, id: AgentId): Promise<AgentRow | null> {
  const value = await reader.get(agentKey(id));
  return value === undefined ? null : { id, number: (JSON.parse(value.toString()) as { number: number }).number };
}

export async function readAgents(reader: Reader): Promise<AgentRow[]> {
  const out: AgentRow[] = [];
  for await (const [key, value] of reader.entries(startingWith('agent'))) {
    out.push({ id: key.subarray(1).toString(), number: (JSON.parse(value.toString()) as { number: number }).number });
  }
  return out;
}

/** All series that an agent ever had; the index is the series' number. */
async function readSeries(reader: Reader, agent: number): Promise<TableSeries[]> {
  const out: TableSeries[] = [];
  for await (const [, value] of reader.entries(startingWith('series', agent))) {
    out.push(JSON.parse(value.toString()) as TableSeries);
  }
  return out;
}

export async function readLedger(reader: Reader, agent: number, epoch: EpochId): Promise<EpochLedger | null> {
  const value = await reader.get(keyOf('epoch', agent, epochBytes(epoch)));
  return value === undefined ? null : decodeLedger(epoch, value);
}

/** All epochs of an agent, in no order that means anything. */
export async function readLedgers(reader: Reader, agent: number): Promise<EpochLedger[]> {
  const out: EpochLedger[] = [];
  for await (const [key, value] of reader.entries(startingWith('epoch', agent))) {
    out.push(decodeLedger(key.subarray(5).toString('hex'), value));
  }
  return out;
}

export async function readTable(
  reader: Reader,
  agent: number,
  hash: string,
): Promise<readonly number[] | null | undefined> {
  const value = await reader.get(keyOf('table', agent, Buffer.from(hash, 'hex')));
  return value === undefined ? undefined : decodeTable(value);
}

/** Puts last, so that `dropOldest` finds first what was put longest ago. */
function keep<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key);
  map.set(key, value);
}

function dropOldest<K>(map: Map<K, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
}
