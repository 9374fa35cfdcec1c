/**
 * Tails of distributions, by peaks over threshold: what exceeds a high threshold follows a generalized Pareto
 * distribution (Pickands 1975; Balkema and de Haan 1974), so that the probability of what was never seen yet can be
 * told from what was.
 *
 * Constraints: streaming, constant memory, no allocation; one tail is six numbers in the caller's array. The fit is
 * by moments (Hosking and Wallis 1987), which exists for shapes below 1/2; shape and scale are drawn towards a prior
 * that is worth `priorPeaks` peaks, so that ten peaks don't claim what only a thousand could.
 *
 * Layout of a tail at `at`: [threshold, samples, peaks, sum of excesses, sum of squared excesses, weight of a sample]
 */

/** Where tails lie: they need no more than single precision. */
export type TailNumbers = Float64Array | Float32Array;

/** Numbers that one tail takes in the caller's array. */
export const TAIL_SIZE = 6;

const THRESHOLD = 0;
const SAMPLES = 1;
const PEAKS = 2;
const SUM = 3;
const SQUARES = 4;
const SPREAD = 5;

const MOST_EXCESSES = 10;
/** Steps of the threshold, in mean excesses: fewer with each sample, never below the least. */
const FIRST_STEPS = 2;
const LEAST_STEP = 0.02;
const STEADY_SAMPLES = FIRST_STEPS / LEAST_STEP - 20;

export interface TailPrior {
  /** Share of the samples that exceeds the threshold, in the long run. */
  readonly share: number;
  /** Where the threshold begins. */
  readonly threshold: number;
  /** Mean excess that is expected before any was seen. */
  readonly meanExcess: number;
  /** Shape that is expected before any peak was seen: 0 exponential, above 0 heavy. */
  readonly shape: number;
  /** How many peaks the prior is worth. */
  readonly peaks: number;
  /** Samples after which the past fades by half. */
  readonly memory: number;
}

const minShape = -0.1;
const maxShape = 0.45;

/** Begins a tail. */
export function startTail(a: TailNumbers, at: number, prior: TailPrior): void {
  a[at + THRESHOLD] = prior.threshold;
  a[at + SAMPLES] = 0;
  a[at + PEAKS] = 0;
  a[at + SUM] = 0;
  a[at + SQUARES] = 0;
  a[at + SPREAD] = prior.meanExcess;
}

const only = new Float64Array(1);

/** Takes in one sample (finite). */
export function learnTail(a: TailNumbers, at: number, prior: TailPrior, y: number): void {
  only[0] = y;
  learnTailFrom(a, at, prior, only, 0);
}

/** The same for the sample at `from[i]`: a number that is handed over would be a box on the heap, for each point. */
export function learnTailFrom(a: TailNumbers, at: number, prior: TailPrior, from: Float64Array, i: number): void {
  const y = from[i]!;
  const threshold = a[at + THRESHOLD]!;
  const samples = a[at + SAMPLES]! + 1;
  if (!(y <= threshold) || samples < STEADY_SAMPLES || samples >= 2 * prior.memory) {
    learnSeldom(a, at, prior, y);
    return;
  }
  // As there; nearly all samples are such, and most series have had as many.
  a[at + SAMPLES] = samples;
  a[at + THRESHOLD] = threshold - a[at + SPREAD]! * LEAST_STEP * prior.share;
}

/** A peak, an early sample, or one after which the past fades. */
function learnSeldom(a: TailNumbers, at: number, prior: TailPrior, y: number): void {
  const threshold = a[at + THRESHOLD]!;
  const samples = a[at + SAMPLES]! + 1;
  a[at + SAMPLES] = samples;
  const above = y > threshold;
  if (above) {
    // A peak beyond ten mean excesses moves the fit no more than one at ten: one absurd value must not teach that
    // absurd values are usual, while many of them raise the mean, and what it admits with it.
    const excess = Math.min(y - threshold, MOST_EXCESSES * a[at + SPREAD]!);
    a[at + PEAKS] = a[at + PEAKS]! + 1;
    a[at + SUM] = a[at + SUM]! + excess;
    a[at + SQUARES] = a[at + SQUARES]! + excess * excess;
    a[at + SPREAD] = meanExcess(a, at, prior);
  }
  // Stochastic quantile (Robbins and Monro 1951): the threshold settles where `share` of the samples exceeds it.
  const step = a[at + SPREAD]! * Math.max(LEAST_STEP, FIRST_STEPS / (20 + samples));
  const moved = threshold + (above ? step * (1 - prior.share) : -step * prior.share);
  a[at + THRESHOLD] = moved;
  if (samples >= 2 * prior.memory) {
    for (let i = SAMPLES; i <= SQUARES; i++) a[at + i] = a[at + i]! / 2;
  }
}

function meanExcess(a: TailNumbers, at: number, prior: TailPrior): number {
  return (a[at + SUM]! + prior.peaks * prior.meanExcess) / (a[at + PEAKS]! + prior.peaks);
}

/** Shape of the fitted tail, within [minShape, maxShape]. */
export function tailShape(a: TailNumbers, at: number, prior: TailPrior): number {
  const peaks = a[at + PEAKS]!;
  if (peaks < 2) return prior.shape;
  const mean = a[at + SUM]! / peaks;
  const variance = a[at + SQUARES]! / peaks - mean * mean;
  if (!(variance > 0) || !(mean > 0)) return prior.shape;
  const fitted = gpdShape(mean, variance);
  return (fitted * peaks + prior.shape * prior.peaks) / (peaks + prior.peaks);
}

/** Surprise of a sample at least as high as y, in bits; 0 up to the threshold. */
export function tailBits(a: TailNumbers, at: number, prior: TailPrior, y: number): number {
  const excess = y - a[at + THRESHOLD]!;
  if (!(excess > 0)) return 0;
  const share = (a[at + PEAKS]! + prior.peaks) / (a[at + SAMPLES]! + prior.peaks / prior.share);
  const base = -Math.log2(Math.min(1, share));
  const shape = tailShape(a, at, prior);
  return base + gpdBits(excess, shape, meanExcess(a, at, prior) * (1 - shape));
}

/** Shape of a generalized Pareto distribution by its moments, within [minShape, maxShape]. */
export function gpdShape(mean: number, variance: number): number {
  return Math.min(maxShape, Math.max(minShape, 0.5 * (1 - (mean * mean) / variance)));
}

/** -log2 P(excess ≥ y) of a generalized Pareto distribution. */
export function gpdBits(y: number, shape: number, scale: number): number {
  if (Math.abs(shape) < 1e-6) return (y / scale) * Math.LOG2E;
  const inside = 1 + (shape * y) / scale;
  // Beyond the end of a short tail the probability is nil; what is claimed stays finite.
  if (inside <= 1e-12) return 64;
  return Math.log2(inside) / shape;
}

/** Value that is exceeded with probability `probability` (below the threshold's share), of a fitted tail. */
export function tailQuantile(a: TailNumbers, at: number, prior: TailPrior, probability: number): number {
  const share = (a[at + PEAKS]! + prior.peaks) / (a[at + SAMPLES]! + prior.peaks / prior.share);
  const shape = tailShape(a, at, prior);
  const scale = meanExcess(a, at, prior) * (1 - shape);
  const ratio = Math.min(1, probability / share);
  const excess = Math.abs(shape) < 1e-6 ? -scale * Math.log(ratio) : (scale * (ratio ** -shape - 1)) / shape;
  return a[at + THRESHOLD]! + excess;
}
