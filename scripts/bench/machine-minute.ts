/**
 * Minutes of series like a small server's: half of them constant (sizes, limits, idle counters), the rest CPU shares,
 * rates of counters, levels in pages and temperatures, 60 samples each. Seeded: the same seed gives the same bytes.
 */
import { Moments } from '../../shared/math/moments.ts';
import { SketchSet } from '../../shared/math/sketch-set.ts';
import { emptyColumns, type WindowColumns } from '../../shared/wire/summary.ts';

export const SAMPLES = 60;

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

/** The window features of one minute. */
export function minuteOf(series: readonly Float64Array[], withSketches: boolean): WindowColumns {
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

/** Samples of so many series over a minute, with a sampling clock that is off by some milliseconds. */
export function machineMinute(series: number, seed: number): readonly Float64Array[] {
  const random = generator(seed);
  const elapsedMs = Float64Array.from({ length: SAMPLES }, () => 1000 + (random() - 0.5) * 4);
  return Array.from({ length: series }, (_, i) => samplesOf(i, random, elapsedMs));
}
