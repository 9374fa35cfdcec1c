/** The windows and rollups of one hour that turned out to be of another time: where they go, and what covers an hour. */
import { contains, subtract, unite } from '../../shared/wire/ranges.ts';
import { countSeries } from './catalogue.ts';
import { chunkSpans, decodeChunk, encodeChunk, scatterChunk } from './chunks.ts';
import type { Operation, Reader } from './database.ts';
import { between, epochBytes, keyOf, startingWith } from './keys.ts';
import { rangesOf } from './ledger.ts';
import { decodeRanges, encodeRanges } from './ledger-row.ts';
import type { Move } from './refile.ts';
import { thinnedBeforeHour } from './retention.ts';
import { Rows } from './rows.ts';
import { hourOf, hourOfRollup, minuteOf } from './time.ts';
import { coverMinute, decodeCovered, decodeWindow, encodeCovered, encodeWindow, minutesOf } from './values.ts';

/** Series whose chunks are read at once. */
const SERIES_PER_STEP = 256;

/** When a window ended, and how long it was. */
type Span = readonly [timeMs: number, lengthMs: number];

/** What the moves of one hour do to the keys. Call it while nothing else writes. */
export async function moveWindows(
  reader: Reader,
  agent: number,
  hour: number,
  windows: readonly Move[],
  rollups: readonly Move[],
): Promise<Operation[]> {
  if (windows.length + rollups.length === 0) return [];
  const operations: Operation[] = [];
  /** Hours that lost or gained something. */
  const hours = new Set<number>();
  const gone: Span[] = [];
  const come: Span[] = [];
  const inChunks: Move[] = [];
  for (const move of windows) {
    const { epoch, seq, timeMs, toMs } = move;
    const keyAt = (ms: number): Buffer => keyOf('window', agent, minuteOf(ms), epochBytes(epoch), { u48: seq });
    const value = await reader.get(keyAt(timeMs));
    if (value === undefined) {
      inChunks.push(move);
      continue;
    }
    const window = decodeWindow(value);
    gone.push([timeMs, window.lengthMs]);
    come.push([toMs, window.lengthMs]);
    operations.push({ type: 'del', key: keyAt(timeMs) });
    operations.push({ type: 'put', key: keyAt(toMs), value: encodeWindow(toMs, window) });
    hours.add(hour).add(hourOf(toMs));
  }
  if (inChunks.length > 0) {
    operations.push(...(await moveRows(reader, agent, hour, inChunks, gone, come)));
    operations.push(...(await moveProofs(reader, agent, hour, inChunks)));
    for (const { toMs } of inChunks) hours.add(hour).add(hourOf(toMs));
  }
  operations.push(...(await coverageAfter(reader, agent, gone, come)));
  for (const { epoch, seq, timeMs, toMs } of rollups) {
    for (const at of [hourOf(timeMs), hourOf(timeMs) - 1]) {
      const key = keyOf('rollup', agent, Math.max(0, at), epochBytes(epoch), { u48: seq });
      const value = await reader.get(key);
      if (value === undefined) continue;
      const rollup = decodeWindow(value);
      const to = hourOfRollup(toMs, rollup.lengthMs);
      operations.push({ type: 'del', key });
      operations.push({
        type: 'put',
        key: keyOf('rollup', agent, to, epochBytes(epoch), { u48: seq }),
        value: encodeWindow(toMs, rollup),
      });
      hours.add(at).add(to);
      const covered = keyOf('coverage', agent, to);
      const isPut = operations.some((one) => one.type === 'put' && one.key.equals(covered));
      // Says that there is something of this hour, if only hours of it.
      if (!isPut && (await reader.get(covered)) === undefined) {
        operations.push({ type: 'put', key: covered, value: encodeCovered({ low: 0, high: 0 }) });
      }
      break;
    }
  }
  for (const at of hours) {
    operations.push({ type: 'put', key: keyOf('dirty', agent, at), value: Buffer.alloc(0) });
    operations.push({ type: 'put', key: keyOf('rebuild', agent, at), value: Buffer.alloc(0) });
  }
  return operations;
}

/** Takes rows out of an hour's chunks and puts them into those of their hours; tells of each window once. */
async function moveRows(
  reader: Reader,
  agent: number,
  hour: number,
  moves: readonly Move[],
  gone: Span[],
  come: Span[],
): Promise<Operation[]> {
  const to = new Map(moves.map(({ timeMs, toMs }) => [timeMs, toMs]));
  /** A window of a minute and one of ten may end together. */
  const moved = new Map<string, Span>();
  const operations: Operation[] = [];
  const count = await countSeries(reader, agent);
  for (let first = 0; first < count; first += SERIES_PER_STEP) {
    const numbers = Array.from({ length: Math.min(SERIES_PER_STEP, count - first) }, (_, i) => first + i);
    const chunks = await reader.getMany(numbers.map((number) => keyOf('chunk', agent, number, hour)));
    for (const [i, chunk] of chunks.entries()) {
      if (chunk === undefined || !chunkSpans(chunk).timesMs.some((ms) => to.has(ms))) continue;
      const number = numbers[i]!;
      const byHour = new Map<number, Rows>([[hour, new Rows()]]);
      scatterChunk(chunk, (timeMs, lengthMs) => {
        const toMs = to.get(timeMs);
        if (toMs !== undefined) moved.set(`${timeMs}/${lengthMs}`, [timeMs, lengthMs]);
        const at = toMs === undefined ? hour : hourOf(toMs);
        const rows = byHour.get(at) ?? new Rows();
        byHour.set(at, rows);
        return { rows, timeMs: toMs ?? timeMs };
      });
      for (const [at, rows] of byHour) {
        const key = keyOf('chunk', agent, number, at);
        const stored = at === hour ? undefined : await reader.get(key);
        if (stored !== undefined) decodeChunk(stored, rows, true);
        if (rows.length === 0) operations.push({ type: 'del', key });
        else operations.push({ type: 'put', key, value: encodeChunk(rows) });
      }
    }
  }
  for (const [timeMs, lengthMs] of moved.values()) {
    gone.push([timeMs, lengthMs]);
    come.push([to.get(timeMs)!, lengthMs]);
  }
  return operations;
}

/** What says that a window is in the chunks of an hour goes with it. */
async function moveProofs(reader: Reader, agent: number, hour: number, moves: readonly Move[]): Promise<Operation[]> {
  const operations: Operation[] = [];
  for (const [epoch, some] of Map.groupBy(moves, ({ epoch }) => epoch)) {
    const from = keyOf('proof', agent, hour, epochBytes(epoch));
    const stored = await reader.get(from);
    if (stored === undefined) continue;
    const proven = decodeRanges(stored);
    const seqs = some.filter(({ seq }) => contains(proven, seq));
    const away = rangesOf(seqs.filter(({ toMs }) => hourOf(toMs) !== hour).map(({ seq }) => seq));
    const left = subtract(proven, away);
    operations.push(
      left.length === 0 ? { type: 'del', key: from } : { type: 'put', key: from, value: encodeRanges(left) },
    );
    for (const [at, there] of Map.groupBy(seqs, ({ toMs }) => hourOf(toMs))) {
      if (at === hour) continue;
      const key = keyOf('proof', agent, at, epochBytes(epoch));
      const before = await reader.get(key);
      const ranges = unite(before === undefined ? [] : decodeRanges(before), rangesOf(there.map(({ seq }) => seq)));
      operations.push({ type: 'put', key, value: encodeRanges(ranges) });
    }
  }
  return operations;
}

/** The covered minutes of each hour that these windows covered or cover. Of thinned hours none is taken back. */
async function coverageAfter(
  reader: Reader,
  agent: number,
  gone: readonly Span[],
  come: readonly Span[],
): Promise<Operation[]> {
  const hours = new Set<number>();
  for (const [timeMs, lengthMs] of [...gone, ...come]) {
    const [from, to] = minutesOf(timeMs, lengthMs);
    for (let minute = from; minute < to; minute++) hours.add(Math.floor(minute / 60));
  }
  const thinnedHour = await thinnedBeforeHour(reader);
  const spans = new Map<number, Span[]>();
  const spansOf = async (hour: number): Promise<Span[]> => {
    const known = spans.get(hour) ?? (await windowsOf(reader, agent, hour));
    spans.set(hour, known);
    return known;
  };
  const isGone = new Set(gone.map(([timeMs, lengthMs]) => `${timeMs}/${lengthMs}`));
  const operations: Operation[] = [];
  for (const hour of hours) {
    const key = keyOf('coverage', agent, hour);
    const stored = hour < thinnedHour ? await reader.get(key) : undefined;
    const minutes = stored === undefined ? { low: 0, high: 0 } : decodeCovered(stored);
    // A window that ends in the next hour may reach into this one.
    const there = [...(await spansOf(hour)), ...(await spansOf(hour + 1))];
    for (const [timeMs, lengthMs] of [...there.filter((span) => !isGone.has(span.join('/'))), ...come]) {
      const [from, to] = minutesOf(timeMs, lengthMs);
      for (let minute = Math.max(from, hour * 60); minute < Math.min(to, (hour + 1) * 60); minute++) {
        coverMinute(minutes, minute % 60);
      }
    }
    const empty = minutes.low === 0 && minutes.high === 0 && !(await hasRollups(reader, agent, hour));
    operations.push(empty ? { type: 'del', key } : { type: 'put', key, value: encodeCovered(minutes) });
  }
  return operations;
}

/** Ends and lengths of the windows of an hour, each once. */
async function windowsOf(reader: Reader, agent: number, hour: number): Promise<Span[]> {
  const out = new Map<string, Span>();
  const add = (timeMs: number, lengthMs: number): void => void out.set(`${timeMs}/${lengthMs}`, [timeMs, lengthMs]);
  for await (const [, value] of reader.entries(between('window', [agent], hour * 60, (hour + 1) * 60))) {
    const { timeMs, lengthMs } = decodeWindow(value);
    add(timeMs, lengthMs);
  }
  const count = await countSeries(reader, agent);
  for (let first = 0; first < count; first += SERIES_PER_STEP) {
    const numbers = Array.from({ length: Math.min(SERIES_PER_STEP, count - first) }, (_, i) => first + i);
    for (const chunk of await reader.getMany(numbers.map((number) => keyOf('chunk', agent, number, hour)))) {
      if (chunk === undefined) continue;
      const { timesMs, lengthsMs } = chunkSpans(chunk);
      timesMs.forEach((timeMs, i) => {
        add(timeMs, lengthsMs[i]!);
      });
    }
  }
  return [...out.values()];
}

async function hasRollups(reader: Reader, agent: number, hour: number): Promise<boolean> {
  for await (const _ of reader.keys(startingWith('rollup', agent, hour), { limit: 1 })) return true;
  return false;
}
