/**
 * What the central's store costs: a day of minutes of a few machines is committed as it would come (each machine's
 * minute a batch of its own, all machines' minutes at once), rewritten each hour, and read back. Beside it stands the
 * floor in the same run: the same bytes appended to one file and synced as often.
 *
 * `node scripts/bench/store.ts` prints the figures. Bytes of wire are those of compressed payloads, bytes at rest all
 * of the store's files after the last rewriting and a compaction.
 */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLevelStore } from '../../central/store/level.ts';
import type { Batch, IncomingRecord, Store, TableSeries } from '../../central/store/store.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { Moments } from '../../shared/math/moments.ts';
import { SketchSet } from '../../shared/math/sketch-set.ts';
import { packPayload } from '../../shared/transport/compress.ts';
import { seriesId } from '../../shared/trust/hash.ts';
import { encodeColumns } from '../../shared/wire/columns.ts';
import { crc32c } from '../../shared/wire/crc32c.ts';
import { emptyColumns } from '../../shared/wire/summary.ts';

const AGENTS = 4;
const SERIES = 264;
const SAMPLES = 60;
const MINUTES = 24 * 60;
const READS = 24;
/** Envelope, record and frame around the columns, about. */
const ENVELOPE_BYTES = 110;
const T0 = Date.UTC(2026, 0, 5);
const TABLE = '00112233445566aa';
const signal = new AbortController().signal;

/** mulberry32: a small seeded generator, uniform in [0, 1). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Series like a small server's: half of them constant, the rest shares, rates, levels in pages, temperatures. */
function makeSeries(index: number, random: () => number): () => number {
  const normal = (): number => random() + random() + random() + random() - 2;
  const size = 10 ** (random() * 4);
  let level = Math.round(random() * 1e6);
  const constant = random() < 0.6 ? 0 : level * 1024;
  const rate = (things: number): number =>
    Math.fround((Math.max(0, Math.round(things)) * 1000) / (1000 + normal() * 2));
  switch (index % 10) {
    case 1:
      return () => Math.fround(rate(5 + 5 * normal()) / 100);
    case 3:
      return () => rate(size * (random() < 0.1 ? 4 : 1) * (1 + 0.3 * normal()));
    case 5:
      return () => (random() < 0.8 ? 0 : rate(random() * 160));
    case 7:
      return () => {
        level += Math.round(normal() * 50);
        return Math.abs(level) * 4096;
      };
    case 9:
      return () => Math.round(450 + normal() * (index % 20 === 9 ? 2 : 40)) / 10;
    default:
      return () => constant;
  }
}

interface Minute {
  readonly columns: Uint8Array;
  readonly sizeBytes: number;
}

function makeDay(): Minute[] {
  const random = generator(42);
  const series = Array.from({ length: SERIES }, (_, i) => makeSeries(i, random));
  const moments = new Moments(SERIES);
  const sketches = new SketchSet(SERIES);
  return Array.from({ length: MINUTES }, () => {
    moments.reset();
    sketches.reset();
    const columns = emptyColumns(SERIES);
    for (let i = 0; i < SERIES; i++) {
      for (let sample = 0; sample < SAMPLES; sample++) {
        const value = series[i]!();
        moments.add(i, value);
        sketches.add(i, value);
      }
      columns.count[i] = SAMPLES;
      columns.mean[i] = moments.mean[i]!;
      columns.deviation[i] = moments.deviation(i);
      columns.min[i] = moments.min[i]!;
      columns.max[i] = moments.max[i]!;
      columns.last[i] = moments.last[i]!;
      columns.highestScore[i] = i % 2 === 0 ? 0 : 4 + random() * 4;
      columns.anomalyShare[i] = random() < 0.005 ? 1 / SAMPLES : 0;
      columns.sketches[i] = sketches.take(i);
    }
    const bytes = encodeColumns(columns);
    return { columns: bytes, sizeBytes: packPayload(bytes).length + ENVELOPE_BYTES };
  });
}

const keys: TableSeries[] = Array.from({ length: SERIES }, (_, i) => {
  const key = { name: `system.bench.series${i}`, unit: '1', attributes: { number: String(i) } };
  return { ...key, id: seriesId(key) };
});

function batchOf(agent: number, minute: number, day: readonly Minute[]): Batch {
  const timeMs = T0 + (minute + 1) * MINUTE_MS;
  const { columns, sizeBytes } = day[minute]!;
  const records: IncomingRecord[] = [];
  let size = sizeBytes;
  let seq = minute + Math.floor(minute / 60) + 2;
  const add = (content: IncomingRecord['content'], bytes: Uint8Array): void => {
    records.push({ seq: seq++, crc: crc32c(bytes), timeMs, dated: true, record: bytes, content });
  };
  if (minute === 0) {
    seq = 1;
    add({ kind: 'table', hash: TABLE, series: keys }, new Uint8Array(8));
  }
  const window = { table: TABLE, first: 0, columns };
  add({ kind: 'summary', lengthMs: MINUTE_MS, nominalMs: MINUTE_MS, ...window }, columns);
  if (minute % 60 === 59) {
    // The agent's own rollup of the hour: as large as a minute.
    add({ kind: 'rollup', lengthMs: HOUR_MS, nominalMs: HOUR_MS, ...window }, columns);
    size += sizeBytes;
  }
  return {
    agent: `bench-${agent}`,
    epoch: String(agent).padStart(32, '0'),
    bootId: '0'.repeat(32),
    receivedMs: timeMs,
    highestSeq: seq - 1,
    held: [[1, seq - 1]],
    records,
    sizeBytes: size,
  };
}

/** CPU and wall time of a piece of work. */
async function measured(work: () => Promise<void>): Promise<{ cpuUs: number; wallMs: number }> {
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { cpuUs: user + system, wallMs: performance.now() - startMs };
}

async function floor(directory: string, day: readonly Minute[]): Promise<{ cpuUs: number; wallMs: number }> {
  const file = await open(join(directory, 'floor'), 'a');
  const spent = await measured(async () => {
    for (const { columns } of day) {
      for (let agent = 0; agent < AGENTS; agent++) await file.write(columns);
      await file.sync();
    }
  });
  await file.close();
  return spent;
}

/** Median ms of reading series of one agent over the whole day. */
async function readMs(
  store: Store,
  seriesOf: (read: number) => readonly TableSeries[],
  reads: number,
): Promise<number> {
  const times: number[] = [];
  for (let read = 0; read < reads; read++) {
    const ids = seriesOf(read).map(({ id }) => id);
    const startMs = performance.now();
    const columns = await store.query(`bench-${read % AGENTS}`, ids, { fromMs: T0, toMs: T0 + DAY_MS }, 'minute');
    times.push(performance.now() - startMs);
    if (columns.some(({ timesMs }) => timesMs.length !== MINUTES)) throw new Error('bench/store: minutes are missing');
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
}

export async function run(): Promise<Record<string, number>> {
  const directory = await mkdtemp(join(tmpdir(), 'picket-bench-store-'));
  try {
    const day = makeDay();
    const least = await floor(directory, day);
    const store = await openLevelStore(join(directory, 'store'));
    const rows = AGENTS * MINUTES * SERIES;
    const commit = { cpuUs: 0, wallMs: 0 };
    const rewrite = { cpuUs: 0, wallMs: 0 };
    const add = (sum: { cpuUs: number; wallMs: number }, spent: { cpuUs: number; wallMs: number }): void => {
      sum.cpuUs += spent.cpuUs;
      sum.wallMs += spent.wallMs;
    };
    let worstMs = 0;
    for (let hour = 0; hour < MINUTES / 60; hour++) {
      add(
        commit,
        await measured(async () => {
          for (let minute = hour * 60; minute < hour * 60 + 60; minute++) {
            const commits = Array.from({ length: AGENTS }, (_, agent) => store.commit(batchOf(agent, minute, day)));
            await Promise.all(commits);
          }
        }),
      );
      // Before the last rewriting: the day with its newest hour as it came.
      if (hour === MINUTES / 60 - 1) worstMs = await readMs(store, (read) => [keys[(read * 37) % SERIES]!], READS);
      add(rewrite, await measured(() => store.maintain(T0 + (hour + 1) * HOUR_MS + 5 * MINUTE_MS, signal)));
    }
    add(rewrite, await measured(() => store.maintain(T0 + DAY_MS + HOUR_MS, signal)));
    await store.compact();
    const { diskBytes, wireBytes } = await store.stats();
    const oneMetric = await readMs(store, (read) => [keys[(read * 37) % SERIES]!], READS);
    const oneAgent = await readMs(store, () => keys, 5);
    await store.close();
    return {
      rows,
      commit_rows_per_s: rows / (commit.wallMs / 1000),
      rows_per_s_with_rewriting: rows / ((commit.wallMs + rewrite.wallMs) / 1000),
      floor_rows_per_s: rows / (least.wallMs / 1000),
      commit_cpu_us_per_row: commit.cpuUs / rows,
      cpu_us_per_row: (commit.cpuUs + rewrite.cpuUs) / rows,
      floor_cpu_us_per_row: least.cpuUs / rows,
      wire_bytes_per_row: wireBytes / rows,
      rest_bytes_per_row: diskBytes / rows,
      rest_bytes_per_wire_byte: diskBytes / wireBytes,
      one_metric_24h_ms: oneMetric,
      one_metric_24h_newest_hour_as_it_came_ms: worstMs,
      one_agent_24h_ms: oneAgent,
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  for (const [name, value] of Object.entries(await run())) console.log(`${name.padEnd(44)} ${value.toFixed(3)}`);
}
