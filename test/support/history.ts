/** Histories of series for tests of training and evaluation: exact, from a seed, in the store's columns. */
import type { SummaryBlock } from '../../central/store/store.ts';
import { MINUTE_MS } from '../../shared/limits.ts';

/** A small generator of uniform numbers (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Standard normal numbers (Box and Muller 1958). */
export function seededNormal(seed: number): () => number {
  const random = seededRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export interface HistoryOptions {
  readonly series?: string;
  readonly fromMs?: number;
  readonly windows: number;
  readonly windowMs?: number;
  /** Standard deviation of the samples within a window. */
  readonly spread?: number;
  readonly anomalyShare?: (endMs: number, i: number) => number;
}

/** One block of windows the means of which are `mean(end of the window, its number)`. */
export function history(options: HistoryOptions, mean: (endMs: number, i: number) => number): SummaryBlock {
  const { windows, windowMs = MINUTE_MS, spread = 0 } = options;
  const column = (read: (i: number) => number) => Float64Array.from({ length: windows }, (_, i) => read(i));
  const timesMs = column((i) => (options.fromMs ?? 0) + (i + 1) * windowMs);
  const means = column((i) => mean(timesMs[i]!, i));
  return {
    agent: 'a1',
    series: options.series ?? '00000000000000aa',
    key: { name: 'test.series', unit: '1', attributes: {} },
    timesMs,
    lengthsMs: column(() => windowMs),
    count: column(() => 60),
    mean: means,
    deviation: column(() => spread),
    min: means.map((value) => value - 2 * spread),
    max: means.map((value) => value + 2 * spread),
    last: means,
    anomalyShare: column((i) => options.anomalyShare?.(timesMs[i]!, i) ?? 0),
    highestScore: column(() => 0),
  };
}

export async function* blocksOf(...blocks: readonly SummaryBlock[]): AsyncIterable<SummaryBlock> {
  yield* blocks;
}
