/**
 * What is too old, or too much, is deleted: minutes first, then hours. What was thinned is written down before it is
 * deleted, so that an hour of which minutes are gone is never rolled up again from what is left of it.
 */
import { DAY_MS, HOUR_MS } from '../../shared/limits.ts';
import { contains, type SeqRange, unite } from '../../shared/wire/ranges.ts';
import { type Agents, readAgents, readLedgers } from './agents.ts';
import type { Database, Operation, Reader } from './database.ts';
import { dropFiled } from './filed.ts';
import { between, epochBytes, incidentTimeKey, keyOf, startingWith, thinnedKey } from './keys.ts';
import { encodeLedger } from './ledger-row.ts';
import { pruneQuarantine } from './quarantine.ts';
import { runStart, thinKeys } from './runs.ts';
import type { EpochId } from './store.ts';
import { pruneTables } from './tables.ts';
import { DAYS_PER_BLOCK } from './time.ts';
import { decodeGapRow } from './values.ts';

export interface RetentionOptions {
  /** Age of minutes, Unix ms; default 14 days. */
  readonly minutesMs: number;
  /** Age of hours, events, incidents, evidence, co-moments, quarantine; default 400 days. */
  readonly hoursMs: number;
  /** Bytes of all files; null: no bound. */
  readonly maxBytes: number | null;
}

export const defaultRetention: RetentionOptions = { minutesMs: 14 * DAY_MS, hoursMs: 400 * DAY_MS, maxBytes: null };

/** Steps in which a store that is too large is thinned; each is measured after a compaction. */
const MOST_STEPS = 8;

export interface RetentionState {
  readonly seriesOf: (agent: number) => Promise<number>;
  /** Runs a deletion while nothing else writes. */
  readonly exclusive: (run: () => Promise<void>) => Promise<void>;
  /** What the writer keeps in memory; told of what changed beside it. */
  readonly agents: Agents;
}

/** Minutes before this hour may be gone. */
export async function thinnedBeforeHour(database: Reader): Promise<number> {
  const value = await database.get(thinnedKey);
  return value === undefined ? 0 : Number(value.toString());
}

/** Deletes by age in steps of a day, so that it costs nothing in most hours. */
export async function retainByAge(
  database: Database,
  options: RetentionOptions,
  state: RetentionState,
  nowMs: number,
  signal: AbortSignal,
): Promise<void> {
  const minutesDay = Math.floor((nowMs - options.minutesMs) / DAY_MS);
  if (minutesDay > 0 && minutesDay * 24 > (await thinnedBeforeHour(database))) {
    await dropMinutes(database, state, minutesDay * 24, signal);
  }
  const hoursDay = Math.floor((nowMs - options.hoursMs) / DAY_MS);
  if (hoursDay > 0) await dropHours(database, state, hoursDay, signal);
  for (const { number } of await readAgents(database)) {
    if (signal.aborted) return;
    await state.exclusive(() => pruneQuarantine(database, state.agents, number, nowMs));
  }
}

/** Deletes the oldest until the files fit. */
export async function retainBySize(
  database: Database,
  options: RetentionOptions,
  state: RetentionState,
  nowMs: number,
  signal: AbortSignal,
): Promise<void> {
  if (options.maxBytes === null) return;
  const today = Math.floor(nowMs / DAY_MS);
  for (let step = 0; step < MOST_STEPS && !signal.aborted; step++) {
    const bytes = await database.diskBytes();
    if (bytes <= options.maxBytes) return;
    const oldest = await oldestChunkHour(database);
    // Half of the days that there are, at least one, until only today is left; then the oldest hours.
    const oldestDay = oldest === null ? today : Math.floor(oldest / 24);
    const share = Math.min(0.5, (bytes - options.maxBytes) / bytes);
    const cut = oldestDay + Math.max(1, Math.ceil((today - oldestDay) * share));
    if (oldestDay < today) await dropMinutes(database, state, cut * 24, signal);
    else {
      const firstDay = await oldestHourDay(database);
      if (firstDay === null || firstDay >= today) return;
      await dropHours(database, state, firstDay + Math.max(1, Math.ceil((today - firstDay) * share)), signal);
    }
    for (const space of ['chunk', 'hour', 'rollup', 'run', 'event', 'evidence', 'coMoments', 'window'] as const) {
      await database.compact(startingWith(space));
    }
  }
}

async function dropMinutes(
  database: Database,
  state: RetentionState,
  hour: number,
  signal: AbortSignal,
): Promise<void> {
  await state.exclusive(async () => {
    // Never less than it was: of the hours between minutes are gone, though late data may lie before them.
    const value = Buffer.from(String(Math.max(hour, await thinnedBeforeHour(database))));
    await database.write([{ type: 'put', key: thinnedKey, value }], true);
  });
  for (const { number } of await readAgents(database)) {
    const count = await state.seriesOf(number);
    for (let series = 0; series < count && !signal.aborted; series++) {
      await database.clear(between('chunk', [number, series], 0, hour));
    }
    if (signal.aborted) return;
    await database.clear(between('rollup', [number], 0, hour));
    await database.clear(between('unknown', [number], 0, hour * 60));
    await database.clear(between('proof', [number], 0, hour));
    await thinKeys(database, state, number, hour * HOUR_MS, signal);
    await state.exclusive(() => dropFiled(database, number, hour * HOUR_MS));
    // Only now: what names a table is looked through, all windows and rollups of the agent.
    await state.exclusive(() => pruneTables(database, state.agents, number));
  }
}

async function dropHours(database: Database, state: RetentionState, day: number, signal: AbortSignal): Promise<void> {
  const beforeMs = day * DAY_MS;
  for (const { number } of await readAgents(database)) {
    const first = await firstKey(database, between('coverage', [number], 0, day * 24));
    if (first === null) continue;
    const count = await state.seriesOf(number);
    for (let series = 0; series < count && !signal.aborted; series++) {
      await database.clear(between('hour', [number, series], 0, day));
      await database.clear(between('day', [number, series], 0, Math.floor(day / DAYS_PER_BLOCK)));
    }
    if (signal.aborted) return;
    await database.clear(between('event', [number], { u48: 0 }, { u48: beforeMs }));
    await database.clear(between('coMoments', [number], 0, day * 24));
    for await (const key of database.keys(startingWith('evidence', number))) {
      // agent u32, epoch 16, seq u48, day u32, …
      if (key.readUInt32BE(27) < day) await database.write([{ type: 'del', key: Buffer.from(key) }], false);
    }
    await state.exclusive(() => dropGaps(database, state.agents, number, beforeMs));
    // Last, as it is what says that there is something to delete.
    await database.clear(between('coverage', [number], 0, day * 24));
  }
  await dropIncidents(database, beforeMs);
}

/**
 * Gap records of what was long ago, once their own keys are thinned. What they named is from then on known by its ranges,
 * like what was thinned. Runs alone.
 */
async function dropGaps(database: Database, agents: Agents, agent: number, beforeMs: number): Promise<void> {
  const ledgers = new Map((await readLedgers(database, agent)).map((ledger) => [ledger.epoch, ledger]));
  const operations: Operation[] = [];
  const named = new Map<EpochId, SeqRange[]>();
  for await (const [key, value] of database.entries(startingWith('gap', agent))) {
    const { epoch, ranges, toMs } = decodeGapRow(value);
    // space, agent u32, its own epoch, seq
    const own = ledgers.get(key.toString('hex', 5, 21));
    if (toMs >= beforeMs || (own !== undefined && !contains(own.thinned, runStart(key)))) continue;
    operations.push({ type: 'del', key: Buffer.from(key) });
    const list = named.get(epoch) ?? [];
    named.set(epoch, list);
    for (const range of ranges) list.push(range);
  }
  if (operations.length === 0) return;
  for (const [epoch, ranges] of named) {
    const ledger = ledgers.get(epoch);
    if (ledger === undefined) continue;
    const after = { ...ledger, thinned: unite(unite(ranges.slice(0, 1), ranges), ledger.thinned) };
    operations.push({ type: 'put', key: keyOf('epoch', agent, epochBytes(epoch)), value: encodeLedger(after) });
  }
  await database.write(operations, true);
  for (const epoch of named.keys()) agents.forgetLedger(agent, epoch);
}

async function dropIncidents(database: Database, beforeMs: number): Promise<void> {
  const range = { gte: startingWith('incidentTime').gte, lt: startingWith('incidentTime', { u48: beforeMs }).gte };
  for await (const [key, brief] of database.entries(range)) {
    const agent = key.readUInt32BE(7);
    const epoch = key.subarray(11, 27).toString('hex');
    const seq = key.readUIntBE(27, 6);
    if (brief[0] === 1) continue;
    await database.write(
      [
        { type: 'del', key: keyOf('incident', agent, epochBytes(epoch), { u48: seq }) },
        { type: 'del', key: incidentTimeKey(key.readUIntBE(1, 6), agent, epoch, seq) },
      ],
      false,
    );
  }
}

async function oldestChunkHour(database: Database): Promise<number | null> {
  let oldest: number | null = null;
  for (const { number } of await readAgents(database)) {
    // The first series stands for all: a table's first is among the oldest.
    const key = await firstKey(database, startingWith('chunk', number));
    if (key !== null) oldest = Math.min(oldest ?? Number.POSITIVE_INFINITY, key.readUInt32BE(9));
  }
  return oldest;
}

async function oldestHourDay(database: Database): Promise<number | null> {
  let oldest: number | null = null;
  for (const { number } of await readAgents(database)) {
    const key = await firstKey(database, startingWith('hour', number));
    if (key !== null) oldest = Math.min(oldest ?? Number.POSITIVE_INFINITY, key.readUInt32BE(9));
  }
  return oldest;
}

async function firstKey(database: Database, range: { gte: Buffer; lt: Buffer }): Promise<Buffer | null> {
  for await (const key of database.keys(range, { limit: 1 })) return key;
  return null;
}
