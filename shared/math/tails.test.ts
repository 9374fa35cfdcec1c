import { describe, expect, it } from 'vitest';
import {
  gpdBits,
  gpdShape,
  learnTail,
  startTail,
  TAIL_SIZE,
  type TailPrior,
  tailBits,
  tailQuantile,
  tailShape,
} from './tails.ts';

/** mulberry32 */
function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const prior: TailPrior = { share: 0.03, threshold: 1, meanExcess: 1, shape: 0.1, peaks: 12, memory: 1e9 };

function learned(sample: (random: () => number) => number, n: number): Float64Array {
  const random = seeded(7);
  const tail = new Float64Array(TAIL_SIZE);
  startTail(tail, 0, prior);
  for (let i = 0; i < n; i++) learnTail(tail, 0, prior, sample(random));
  return tail;
}

const exponential = (random: () => number): number => -Math.log(1 - random());
const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const pareto = (random: () => number): number => (1 - random()) ** (-1 / 4);

describe('tails', () => {
  // Quantiles from the distributions' own formulas: exponential -ln p; normal from its table; Pareto p^(-1/4).
  it.each([
    ['exponential', exponential, 1e-4, 9.2103],
    ['exponential', exponential, 1e-6, 13.8155],
    ['normal', normal, 1e-4, 3.719],
    ['normal', normal, 1e-6, 4.7534],
    ['Pareto', pareto, 1e-4, 10],
  ] as const)('finds the quantiles of %s samples', (_name, sample, probability, quantile) => {
    const tail = learned(sample, 200_000);
    expect(tailQuantile(tail, 0, prior, probability) / quantile).toBeGreaterThan(0.8);
    expect(tailQuantile(tail, 0, prior, probability) / quantile).toBeLessThan(1.25);
    const bits = tailBits(tail, 0, prior, quantile);
    expect(Math.abs(bits + Math.log2(probability))).toBeLessThan(probability > 1e-5 ? 2.5 : 4);
  });

  it('settles its threshold where the wanted share of samples exceeds it', () => {
    const tail = learned(exponential, 200_000);
    expect(tail[0]).toBeGreaterThan(-Math.log(0.03) - 0.3);
    expect(tail[0]).toBeLessThan(-Math.log(0.03) + 0.3);
  });

  it('tells heavy tails from light ones', () => {
    expect(tailShape(learned(pareto, 100_000), 0, prior)).toBeGreaterThan(0.1);
    expect(tailShape(learned(normal, 100_000), 0, prior)).toBeLessThan(0.05);
  });

  it('claims nothing up to the threshold, and more the farther out', () => {
    const tail = learned(normal, 20_000);
    expect(tailBits(tail, 0, prior, tail[0]!)).toBe(0);
    let before = 0;
    for (let y = tail[0]! + 0.01; y < 30; y += 0.5) {
      const bits = tailBits(tail, 0, prior, y);
      expect(bits).toBeGreaterThanOrEqual(before);
      before = bits;
    }
  });

  it('is not taught by one absurd value', () => {
    const tail = learned(exponential, 5_000);
    const before = tailQuantile(tail, 0, prior, 1e-5);
    learnTail(tail, 0, prior, 1e300);
    expect(tailQuantile(tail, 0, prior, 1e-5) / before).toBeLessThan(1.5);
    expect(tail.every(Number.isFinite)).toBe(true);
  });

  it('forgets by half what is older than its memory', () => {
    const short: TailPrior = { ...prior, memory: 1000 };
    const tail = new Float64Array(TAIL_SIZE);
    startTail(tail, 0, short);
    const random = seeded(3);
    for (let i = 0; i < 100_000; i++) learnTail(tail, 0, short, exponential(random));
    expect(tail[1]).toBeLessThanOrEqual(2000);
  });

  it('computes the tail of a generalized Pareto distribution', () => {
    // P(X > 2) of the exponential with mean 1 is e^-2; of shape 1/2 and scale 1, (1 + 1)^-2.
    expect(gpdBits(2, 0, 1)).toBeCloseTo(2 * Math.LOG2E, 9);
    expect(gpdBits(2, 0.5, 1)).toBeCloseTo(2, 9);
    expect(gpdBits(9, -0.25, 1)).toBe(64);
    // Moments of the exponential: mean 1, variance 1, shape 0.
    expect(gpdShape(1, 1)).toBe(0);
  });
});
