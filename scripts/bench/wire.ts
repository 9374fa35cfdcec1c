/**
 * What a metric costs on the wire for a minute, and what coding and decoding cost, on series like a small server's
 * (`machine-minute.ts`). The generator is seeded: every run codes the same bytes.
 *
 * `node scripts/bench/wire.ts` prints the figures.
 */
import { limits } from '../../shared/limits.ts';
import { Moments } from '../../shared/math/moments.ts';
import { SketchSet } from '../../shared/math/sketch-set.ts';
import { packPayload } from '../../shared/transport/compress.ts';
import { BlockWriter } from '../../shared/wire/block.ts';
import { decodeColumns, encodeColumns } from '../../shared/wire/columns.ts';
import { machineMinute, minuteOf, SAMPLES } from './machine-minute.ts';

const SERIES = 264;
const ROUNDS = 300;

/** Mean time of a call in µs, after a warm-up. */
function timeUs(call: () => void): number {
  for (let i = 0; i < ROUNDS; i++) call();
  const startMs = performance.now();
  for (let i = 0; i < ROUNDS; i++) call();
  return ((performance.now() - startMs) / ROUNDS) * 1000;
}

export async function run(): Promise<Record<string, number>> {
  const series = machineMinute(SERIES, 42);
  const figures: Record<string, number> = {};
  for (const [name, withSketches] of [
    ['with_sketch', true],
    ['without_sketch', false],
  ] as const) {
    const columns = minuteOf(series, withSketches);
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
