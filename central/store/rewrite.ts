/**
 * The hourly rewriting: windows of a closed hour become chunks by series, the hour is rolled up from all that there is
 * of it, and a closed day from its hours. Each agent and hour (or day) is one atomic write, so that it may be stopped
 * anywhere: what was not written is as before, and its mark is still there.
 */
import { MINUTE_MS } from '../../shared/limits.ts';
import { unite } from '../../shared/wire/ranges.ts';
import { countSeries } from './catalogue.ts';
import { decodeChunk, decodeRolled, encodeChunk, encodeRolled } from './chunks.ts';
import type { Database, Operation, Reader } from './database.ts';
import { chooseHour, History, mergeRows } from './history.ts';
import { between, epochBytes, keyOf, startingWith } from './keys.ts';
import { rangesOf } from './ledger.ts';
import { decodeRanges, encodeRanges } from './ledger-row.ts';
import { type Row, Rows } from './rows.ts';
import type { EpochId } from './store.ts';
import { DAYS_PER_BLOCK, dayEndMs, dayOfHour, hourEndMs, hourOf } from './time.ts';

/** An hour is closed when late windows of a connected agent have come. */
const GRACE_MS = 2 * MINUTE_MS;
/** Series whose days are written at once. */
const SERIES_PER_STEP = 256;

export interface Due {
  readonly agent: number;
  /** Hours or days since 1970. */
  readonly at: number;
}

export function isClosed(endMs: number, nowMs: number): boolean {
  return endMs + GRACE_MS <= nowMs;
}

/** Closed hours that have data which is not in chunks, oldest first by agent. */
export async function dueHours(reader: Reader, nowMs: number): Promise<Due[]> {
  return (await marks(reader, 'dirty')).filter(({ at }) => isClosed(hourEndMs(at), nowMs));
}

/** Closed days with hours that changed. */
export async function dueDays(reader: Reader, nowMs: number): Promise<Due[]> {
  return (await marks(reader, 'dirtyDay')).filter(({ at }) => isClosed(dayEndMs(at), nowMs));
}

async function marks(reader: Reader, space: 'dirty' | 'dirtyDay'): Promise<Due[]> {
  const out: Due[] = [];
  for await (const key of reader.keys(startingWith(space))) {
    out.push({ agent: key.readUInt32BE(1), at: key.readUInt32BE(5) });
  }
  return out;
}

/** Call it while nothing else writes. */
export async function rewriteHour(database: Database, { agent, at: hour }: Due): Promise<void> {
  const history = new History(database, agent);
  const operations: Operation[] = [];
  const proofs = new Map<EpochId, number[]>();
  for await (const key of database.keys(between('window', [agent], hour * 60, (hour + 1) * 60))) {
    operations.push({ type: 'del', key });
    const epoch = key.toString('hex', 9, 25);
    const seqs = proofs.get(epoch) ?? [];
    proofs.set(epoch, seqs);
    seqs.push(key.readUIntBE(25, 6));
  }
  // Chunks know no seqs: what says that a window is in them, for the recount.
  for (const [epoch, seqs] of proofs) {
    const key = keyOf('proof', agent, hour, epochBytes(epoch));
    const before = await database.get(key);
    const ranges = unite(before === undefined ? [] : decodeRanges(before), rangesOf(seqs));
    operations.push({ type: 'put', key, value: encodeRanges(ranges) });
  }
  const fresh = await history.windows(hour, hour, null, true);
  const rollups = await history.rollups(hour, null);
  // Where windows were taken away, series may have lost all that they had.
  const wholly = (await database.get(keyOf('rebuild', agent, hour))) !== undefined;
  const all = wholly ? Array.from({ length: await countSeries(database, agent) }, (_, i) => i) : [];
  const series = [...new Set([...fresh.keys(), ...rollups.keys(), ...all])].sort((a, b) => a - b);
  const chunks = await database.getMany(series.map((number) => keyOf('chunk', agent, number, hour)));
  const kept = await history.keptHours(hour, series);
  const rolled = new Map<number, Row | null>();
  series.forEach((number, i) => {
    const added = fresh.get(number);
    const rows = added ?? new Rows();
    const stored = chunks[i];
    if (stored !== undefined) decodeChunk(stored, rows, added !== undefined);
    if (added !== undefined) {
      operations.push({ type: 'put', key: keyOf('chunk', agent, number, hour), value: encodeChunk(rows) });
    }
    const row = chooseHour(hour, rows, rollups.get(number), kept.get(number));
    rolled.set(number, row);
  });
  const day = dayOfHour(hour);
  await replaceRows(
    database,
    rolled,
    (number) => keyOf('hour', agent, number, day),
    (row) => hourOf(row.timeMs) === hour,
    operations,
  );
  operations.push({ type: 'put', key: keyOf('dirtyDay', agent, day), value: Buffer.alloc(0) });
  operations.push({ type: 'del', key: keyOf('dirty', agent, hour) });
  if (wholly) operations.push({ type: 'del', key: keyOf('rebuild', agent, hour) });
  await database.write(operations, true);
}

/** Call it while nothing else writes. */
export async function rewriteDay(database: Database, { agent, at: day }: Due, seriesCount: number): Promise<void> {
  const operations: Operation[] = [];
  for (let first = 0; first < seriesCount; first += SERIES_PER_STEP) {
    const series = Array.from({ length: Math.min(SERIES_PER_STEP, seriesCount - first) }, (_, i) => first + i);
    const hours = await database.getMany(series.map((number) => keyOf('hour', agent, number, day)));
    const rolled = new Map<number, Row | null>();
    hours.forEach((value, i) => {
      rolled.set(series[i]!, value === undefined ? null : mergeRows(decodeRolled(value), dayEndMs(day)));
    });
    const block = Math.floor(day / DAYS_PER_BLOCK);
    const isDay = (row: Row): boolean => dayOfHour(hourOf(row.timeMs)) === day;
    await replaceRows(database, rolled, (number) => keyOf('day', agent, number, block), isDay, operations);
  }
  operations.push({ type: 'del', key: keyOf('dirtyDay', agent, day) });
  await database.write(operations, true);
}

/** Puts each series' row in the place of the one that it replaces, in order of time; null: there is none any more. */
async function replaceRows(
  reader: Reader,
  rows: ReadonlyMap<number, Row | null>,
  keyOfSeries: (series: number) => Buffer,
  replaces: (row: Row) => boolean,
  operations: Operation[],
): Promise<void> {
  const series = [...rows.keys()];
  const stored = await reader.getMany(series.map(keyOfSeries));
  series.forEach((number, i) => {
    const before = stored[i] === undefined ? [] : decodeRolled(stored[i]);
    const row = rows.get(number) ?? null;
    const after = before.filter((one) => !replaces(one));
    if (row === null && after.length === before.length) return;
    if (row !== null) after.push(row);
    after.sort((a, b) => a.timeMs - b.timeMs);
    if (after.length === 0) operations.push({ type: 'del', key: keyOfSeries(number) });
    else operations.push({ type: 'put', key: keyOfSeries(number), value: encodeRolled(after) });
  });
}
