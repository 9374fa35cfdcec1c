/**
 * Files what came of a boot anew, when its time is known better than when it came: windows go to their minute, in
 * their blobs or out of the chunks of one hour into those of another; rollups, events, incidents and what else has a
 * time go with them; hours that lost or gained something are marked to be rebuilt from what they cover, and their
 * coverage is made anew.
 *
 * An hour of the old time at a time, each one atomic write which also notes the new times: it may be stopped anywhere,
 * and what was moved is not moved again. Nothing is written where nothing is off by more than a second.
 */
import type { Incident, StateEvent } from '../../shared/findings.ts';
import { MINUTE_MS } from '../../shared/limits.ts';
import { type AgentRow, type Agents, readLedger } from './agents.ts';
import { moveCoMoments } from './co-moments.ts';
import { json, type StoredDocument } from './commit.ts';
import type { Database, Operation } from './database.ts';
import { encodeFiled, type Filed, type FiledRow, filedRow } from './filed.ts';
import { type FiledIncident, incidentBrief } from './incidents.ts';
import { epochBytes, incidentTimeKey, keyOf, startingWith } from './keys.ts';
import { encodeLedger } from './ledger-row.ts';
import { moveWindows } from './refile-windows.ts';
import { retimeRuns } from './runs.ts';
import type { EpochId, Refiling } from './store.ts';
import { hourOf } from './time.ts';
import { movedEvent, movedIncident, snapped } from './times.ts';

/** Less is not worth a move. */
const MATERIAL_MS = 1_000;
/** Events of a record were before it was made, by no more than this; and not after it, but for rounding. */
const EVENTS_BEFORE_MS = 10 * MINUTE_MS;
const EVENTS_AFTER_MS = MINUTE_MS;

/** A record that moves. */
export interface Move extends Filed {
  readonly epoch: EpochId;
  readonly toMs: number;
}

export interface RefileTurn {
  /** Runs while nothing else writes. */
  readonly exclusive: (run: () => Promise<void>) => Promise<void>;
  readonly agents: Agents;
}

/** Resolves with the number of records that were moved. */
export async function refileBoot(
  database: Database,
  agent: AgentRow,
  boot: string,
  refiling: Refiling,
  { exclusive, agents }: RefileTurn,
  signal: AbortSignal,
): Promise<number> {
  const bootBytes = Buffer.from(boot, 'hex');
  const byHour = new Map<number, Set<string>>();
  const epochs = new Set<EpochId>();
  let directionMs = 0;
  for await (const [key, value] of database.entries(startingWith('filed', agent.number, bootBytes))) {
    const row = filedRow(key, value);
    epochs.add(row.epoch);
    for (const move of movesOf(row, refiling)) {
      const rows = byHour.get(hourOf(move.timeMs)) ?? new Set<string>();
      byHour.set(hourOf(move.timeMs), rows);
      rows.add(row.key.toString('hex'));
      directionMs += move.toMs - move.timeMs;
    }
  }
  let moved = 0;
  // Away from where they go: what was moved into an hour is not there when that hour's own windows are taken out.
  const sign = directionMs > 0 ? -1 : 1;
  for (const [hour, rows] of [...byHour].sort(([a], [b]) => sign * (a - b))) {
    if (signal.aborted) return moved;
    await exclusive(async () => {
      moved += await refileHour(database, agent, hour, rows, refiling);
      agents.forget(agent.id);
    });
  }
  await exclusive(async () => {
    const operations = await incidentsOf(database, agent.number, boot, refiling);
    for (const epoch of epochs) operations.push(...(await ledgerOf(database, agent.number, boot, epoch)));
    if (operations.length > 0) await database.write(operations, true);
    agents.forget(agent.id);
  });
  return moved;
}

function movesOf(row: FiledRow, { utcMs, dated }: Refiling): Move[] {
  const out: Move[] = [];
  for (const filed of row.records) {
    const utc = Math.max(0, utcMs(filed.monotonicMs));
    const toMs = dated && (filed.place === 'window' || filed.place === 'rollup') ? snapped(utc) : utc;
    if (Math.abs(toMs - filed.timeMs) <= MATERIAL_MS && filed.dated === dated) continue;
    out.push({ ...filed, epoch: row.epoch, toMs });
  }
  return out;
}

async function refileHour(
  database: Database,
  agent: AgentRow,
  hour: number,
  keys: ReadonlySet<string>,
  refiling: Refiling,
): Promise<number> {
  const operations: Operation[] = [];
  const moves: Move[] = [];
  for (const hex of keys) {
    const key = Buffer.from(hex, 'hex');
    const value = await database.get(key);
    if (value === undefined) continue;
    const row = filedRow(key, value);
    const now = new Map(
      movesOf(row, refiling)
        .filter(({ timeMs }) => hourOf(timeMs) === hour)
        .map((move) => [move.seq, move]),
    );
    if (now.size === 0) continue;
    moves.push(...now.values());
    const records = row.records.map((filed) => {
      const move = now.get(filed.seq);
      return move === undefined ? filed : { ...filed, timeMs: move.toMs, dated: refiling.dated };
    });
    operations.push({ type: 'put', key, value: encodeFiled(records) });
  }
  if (moves.length === 0) return 0;
  const { number } = agent;
  const at = (place: Filed['place']): Move[] => moves.filter((move) => move.place === place);
  operations.push(...(await moveWindows(database, number, hour, at('window'), at('rollup'))));
  operations.push(...(await moveEvents(database, number, at('event'), refiling.dated)));
  operations.push(...(await moveUnknown(database, number, at('unknown'))));
  operations.push(...(await moveCoMoments(database, number, at('coMoments'))));
  operations.push(...(await moveDocuments(database, number, moves)));
  for (const [epoch, some] of Map.groupBy(moves, ({ epoch }) => epoch)) {
    operations.push(...(await retimeRuns(database, number, epoch, new Map(some.map(({ seq, toMs }) => [seq, toMs])))));
  }
  await database.write(operations, true);
  return moves.length;
}

async function moveEvents(
  database: Database,
  agent: number,
  moves: readonly Move[],
  dated: boolean,
): Promise<Operation[]> {
  if (moves.length === 0) return [];
  const bySeq = new Map(moves.map((move) => [`${move.epoch}/${move.seq}`, move]));
  const times = moves.map(({ timeMs }) => timeMs);
  const operations: Operation[] = [];
  const from = Math.max(0, Math.floor(Math.min(...times) - EVENTS_BEFORE_MS));
  const range = {
    gte: keyOf('event', agent, { u48: from }),
    lt: keyOf('event', agent, { u48: Math.floor(Math.max(...times) + EVENTS_AFTER_MS) }),
  };
  for await (const [key, value] of database.entries(range)) {
    // space, agent u32, time u48, epoch, seq u48, index u32
    const epoch = key.toString('hex', 11, 27);
    const seq = key.readUIntBE(27, 6);
    const move = bySeq.get(`${epoch}/${seq}`);
    if (move === undefined) continue;
    const event = movedEvent(JSON.parse(value.toString()) as StateEvent, move.toMs - move.timeMs, dated);
    const index = key.readUInt32BE(33);
    operations.push({ type: 'del', key: Buffer.from(key) });
    operations.push({
      type: 'put',
      key: keyOf('event', agent, { u48: Math.floor(event.atMs) }, epochBytes(epoch), { u48: seq }, index),
      value: json(event),
    });
  }
  return operations;
}

async function moveUnknown(database: Database, agent: number, moves: readonly Move[]): Promise<Operation[]> {
  const operations: Operation[] = [];
  for (const { epoch, seq, timeMs, toMs } of moves) {
    const key = (ms: number): Buffer =>
      keyOf('unknown', agent, Math.max(0, Math.ceil(ms / MINUTE_MS) - 1), epochBytes(epoch), { u48: seq });
    const value = await database.get(key(timeMs));
    if (value === undefined) continue;
    operations.push({ type: 'del', key: key(timeMs) }, { type: 'put', key: key(toMs), value });
  }
  return operations;
}

async function moveDocuments(database: Database, agent: number, moves: readonly Move[]): Promise<Operation[]> {
  const operations: Operation[] = [];
  for await (const [key, value] of database.entries(startingWith('latest', agent))) {
    const document = JSON.parse(value.toString()) as StoredDocument;
    const move = moves.find(({ epoch, seq }) => epoch === document.epoch && seq === document.seq);
    if (move === undefined) continue;
    operations.push({ type: 'put', key: Buffer.from(key), value: json({ ...document, timeMs: move.toMs }) });
  }
  return operations;
}

/** Incidents of which the latest revision was made in this boot. */
async function incidentsOf(
  database: Database,
  agent: number,
  boot: string,
  { utcMs, dated }: Refiling,
): Promise<Operation[]> {
  const operations: Operation[] = [];
  for await (const [key, value] of database.entries(startingWith('incident', agent))) {
    const { filed, ...incident } = JSON.parse(value.toString()) as FiledIncident;
    if (filed === undefined || filed.boot !== boot) continue;
    const toMs = Math.max(0, utcMs(filed.monotonicMs));
    const byMs = toMs - filed.timeMs;
    const certain = incident.uncertain !== true;
    if (Math.abs(byMs) <= MATERIAL_MS && certain === dated) continue;
    const after: Incident = movedIncident(incident, byMs, dated);
    const { epoch, seq } = incident;
    operations.push({
      type: 'put',
      key: Buffer.from(key),
      value: json({ ...after, filed: { ...filed, timeMs: toMs } }),
    });
    operations.push({ type: 'del', key: incidentTimeKey(incident.openedMs, agent, epoch, seq) });
    const index = incidentTimeKey(after.openedMs, agent, epoch, seq);
    operations.push({ type: 'put', key: index, value: incidentBrief(after) });
  }
  return operations;
}

/** The epoch's row: between when its records were made, and how many of them have no certain time. */
async function ledgerOf(database: Database, agent: number, boot: string, epoch: EpochId): Promise<Operation[]> {
  const ledger = await readLedger(database, agent, epoch);
  if (ledger === null) return [];
  let [firstMs, lastMs, undated] = [Number.POSITIVE_INFINITY, 0, 0];
  const rows = startingWith('filed', agent, Buffer.from(boot, 'hex'), epochBytes(epoch));
  for await (const [key, value] of database.entries(rows)) {
    for (const { timeMs, dated } of filedRow(key, value).records) {
      firstMs = Math.min(firstMs, timeMs);
      lastMs = Math.max(lastMs, timeMs);
      if (!dated) undated++;
    }
  }
  if (lastMs === 0) return [];
  // Of what went by age nothing is known any more but that it was earlier.
  if (ledger.thinned.length > 0) firstMs = Math.min(firstMs, ledger.firstMs);
  if (ledger.firstMs === firstMs && ledger.lastMs === lastMs && ledger.undated === undated) return [];
  const after = { ...ledger, firstMs, lastMs, undated };
  return [{ type: 'put', key: keyOf('epoch', agent, epochBytes(epoch)), value: encodeLedger(after) }];
}
