/**
 * What a metric costs on the wire for a minute, and what coding and decoding cost, on series like a small server's:
 * half of them constant (sizes, limits, idle counters), the rest CPU shares, rates of counters, levels in pages and
 * temperatures, 60 samples each. The generator is seeded: every run codes the same bytes.
 *
 * `node scripts/bench/wire.ts` prints the figures.
 */
import { limits } from '../../shared/limits.ts';
import { Moments } from '../../shared/math/moments.ts';
import { SketchSet } from '../../shared/math/sketch-set.ts';
import { packPayload } from '../../shared/transport/compress.ts';
import { BlockWriter } from '../../shared/wire/block.ts';
import { decodeColumns, encodeColumns } from '../../shared/wire/columns.ts';
import { emptyColumns, type WindowColumns } from '../../shared/wire/summary.ts';

const SERIES = 264;
const SAMPLES = 60;
const ROUNDS = 300;

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

/** Samples of one series; kinds come in turn, every other one constant. */
function samplesOf(index: number, random: () => number, elapsedMs: Float64Array): Float64Array {
  const out = new Float64Array(SAMPLES);
  const normal = () => random() + random() + random() + random() - 2;
  const size = 10 ** (random() * 4);
  let level = Math.round(random() * 1e6);
  // Constants are mostly counters that stand still, and else sizes and limits.
  const constant = random() < 0.6 ? 0 : level * 1024;
  for (let t = 0; t < SAMPLES; t++) {
    const burst = random() < 0.1 ? 4 : 1;
    // Counters count whole things; their rate is over the time that really passed.
    const rate = (things: number) => Math.fround((Math.max(0, Math.round(things)) * 1000) / elapsedMs[t]!);
    if (index % 2 === 0) out[t] = constant;
    else if (index % 10 === 1) out[t] = Math.fround(rate(5 * burst + 5 * normal()) / 100);
    else if (index % 10 === 3) out[t] = rate(size * burst * (1 + 0.3 * normal()));
    else if (index % 10 === 5) out[t] = random() < 0.8 ? 0 : rate(random() * 160);
    else if (index % 10 === 7) {
      level += Math.round(normal() * 50 * burst);
      out[t] = Math.abs(level) * 4096;
    } else out[t] = Math.round(450 + normal() * (index % 20 === 9 ? 2 : 40)) / 10;
  }
  return out;
}

function minute(series: readonly Float64Array[], withSketches: boolean): WindowColumns {
  const random = generator(7);
  const columns = emptyColumns(series.length);
  const moments = new Moments(series.length);
  const sketches = new SketchSet(series.length);
  series.forEach((samples, i) => {
    for (const value of samples) {
      moments.add(i, value);
      sketches.add(i, value);
    }
    columns.count[i] = moments.count[i]!;
    columns.mean[i] = moments.mean[i]!;
    columns.deviation[i] = moments.deviation(i);
    columns.min[i] = moments.min[i]!;
    columns.max[i] = moments.max[i]!;
    columns.last[i] = moments.last[i]!;
    // The highest of 60 surprises: mostly about log2(60) bits.
    columns.highestScore[i] = i % 2 === 0 ? 0 : 4 + random() * 4;
    columns.anomalyShare[i] = random() < 0.005 ? 1 / SAMPLES : 0;
    if (withSketches) columns.sketches[i] = sketches.take(i);
  });
  return columns;
}

/** Mean time of a call in µs, after a warm-up. */
function timeUs(call: () => void): number {
  for (let i = 0; i < ROUNDS; i++) call();
  const startMs = performance.now();
  for (let i = 0; i < ROUNDS; i++) call();
  return ((performance.now() - startMs) / ROUNDS) * 1000;
}

export async function run(): Promise<Record<string, number>> {
  const random = generator(42);
  const elapsedMs = Float64Array.from({ length: SAMPLES }, () => 1000 + (random() - 0.5) * 4);
  const series = Array.from({ length: SERIES }, (_, i) => samplesOf(i, random, elapsedMs));
  const figures: Record<string, number> = {};
  for (const [name, withSketches] of [
    ['with_sketch', true],
    ['without_sketch', false],
  ] as const) {
    const columns = minute(series, withSketches);
    const bytes = encodeColumns(columns);
    figures[`bytes_per_metric_minute_${name}`] = packPayload(bytes).length / SERIES;
    figures[`raw_bytes_per_metric_minute_${name}`] = bytes.length / SERIES;
    figures[`encode_us_${name}`] = timeUs(() => encodeColumns(columns));
    figures[`decode_us_${name}`] = timeUs(() => decodeColumns(bytes, limits.seriesPerTable));
    figures[`compress_us_${name}`] = timeUs(() => packPayload(bytes));
  }
  const moments = new Moments(SERIES);
  const sketches = new SketchSet(SERIES);
  const addUs = timeUs(() => {
    sketches.reset();
    for (let t = 0; t < SAMPLES; t++) {
      for (let i = 0; i < SERIES; i++) {
        moments.add(i, series[i]![t]!);
        sketches.add(i, series[i]![t]!);
      }
    }
  });
  figures.add_ns_per_sample = (addUs * 1000) / (SERIES * SAMPLES);
  const writer = new BlockWriter(new Uint8Array(SAMPLES * 20));
  let blockBytes = 0;
  for (const samples of series) {
    writer.reset();
    samples.forEach((value, t) => {
      writer.append(t * 1000, value);
    });
    blockBytes += writer.sizeBytes;
  }
  figures.block_bits_per_sample = (blockBytes * 8) / (SERIES * SAMPLES);
  return figures;
}

if (import.meta.main) {
  for (const [name, value] of Object.entries(await run())) console.log(`${name.padEnd(44)} ${value.toFixed(2)}`);
}
