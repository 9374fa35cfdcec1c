/**
 * Whether a model's probabilities are right: the probability integral transform of each value (Dawid 1984), which is
 * uniform where they are. Of a series that takes few values it is drawn at random between those below and those up to the
 * value (Czado, Gneiting and Held 2009): a counter would else seem wrong for being one.
 */
import type { PitHistogram } from './api.ts';

export const PIT_BINS = 20;
/** Shares of the values that the intervals told of are to hold. */
export const levels = [0.5, 0.8, 0.9, 0.98] as const;
/** A series that takes no more different values than this share of its windows takes steps. */
const DISCRETE_SHARE = 0.25;
/** Fewer windows say nothing of the shape. */
const LEAST_WINDOWS = 100;
/** Mean of the transform that is 1/2 where the middle is right. */
const BIASED = 0.15;
/** Share of values in the outer tenth: of a band too narrow, and of one too wide. */
const NARROW = 0.25;
const WIDE = 0.03;

/** P(X ≤ value) of one window. */
export type Below = (row: number, value: number) => number;

/** The different values of a series, rising, where it takes few; null where it moves freely. */
export function stepsOf(values: Float64Array): Float64Array | null {
  const most = DISCRETE_SHARE * values.length;
  const different = new Set<number>();
  for (const value of values) {
    different.add(value);
    if (different.size > most) return null;
  }
  return Float64Array.from(different).sort();
}

export class Calibration {
  readonly #bins = new Float64Array(PIT_BINS);
  readonly #inside = new Float64Array(levels.length);
  readonly #random: () => number;
  #windows = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** @param steps of the series, see `stepsOf`; one that never moved says nothing */
  add(value: number, row: number, steps: Float64Array | null, below: Below): void {
    if (steps?.length === 1) return;
    const here = below(row, value);
    if (!Number.isFinite(here)) return;
    this.#windows++;
    const middle = steps === null ? here : this.#between(value, row, steps, below);
    const bin = Math.min(PIT_BINS - 1, Math.max(0, Math.floor(middle * PIT_BINS)));
    this.#bins[bin]!++;
    for (let i = 0; i < levels.length; i++) {
      const level = levels[i]!;
      if (here >= (1 - level) / 2 && here <= (1 + level) / 2) this.#inside[i]!++;
    }
  }

  /** The mass of a step lies between the middles to its neighbours. */
  #between(value: number, row: number, steps: Float64Array, below: Below): number {
    const at = placeOf(steps, value);
    const last = steps.length - 1;
    const down = (at > 0 ? value - steps[at - 1]! : steps[1]! - value) / 2;
    const up = (at < last ? steps[at + 1]! - value : value - steps[last - 1]!) / 2;
    const low = below(row, value - down);
    return low + this.#random() * (below(row, value + up) - low);
  }

  /** Null where nothing was added. */
  histogram(): PitHistogram | null {
    if (this.#windows === 0) return null;
    const shares = Array.from(this.#bins, (count) => count / this.#windows);
    let sum = 0;
    let distance = 0;
    for (const [i, share] of shares.entries()) {
      sum += share;
      distance = Math.max(distance, Math.abs(sum - (i + 1) / PIT_BINS));
    }
    return { shares, distance, windows: this.#windows };
  }

  coverages(): { level: number; coverage: number }[] {
    if (this.#windows === 0) return [];
    return levels.map((level, i) => ({ level, coverage: this.#inside[i]! / this.#windows }));
  }
}

/** Of a value that is among them. */
function placeOf(steps: Float64Array, value: number): number {
  let low = 0;
  let high = steps.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What is wrong with a band, in words that follow "its band"; null where nothing stands out. */
export function misfitOf(pit: PitHistogram | null): string | null {
  if (pit === null || pit.windows < LEAST_WINDOWS) return null;
  const mean = pit.shares.reduce((sum, share, i) => sum + (share * (i + 0.5)) / PIT_BINS, 0);
  if (mean > 0.5 + BIASED) return 'lies too low';
  if (mean < 0.5 - BIASED) return 'lies too high';
  const outer = pit.shares[0]! + pit.shares[PIT_BINS - 1]!;
  if (outer > NARROW) return 'is too narrow';
  if (outer < WIDE) return 'is too wide';
  return null;
}
