import { describe, expect, it } from 'vitest';
import { seededNormal, seededRandom } from '../../test/support/history.ts';
import { fitTail } from './tail-fit.ts';

describe('one side of the residuals', () => {
  it('of a few windows keeps to the prior of a normal distribution', () => {
    const tail = fitTail(Float64Array.of(-0.5, 0, 0.2, 0.5), 1);
    expect(tail.threshold).toBeGreaterThan(1.4);
    expect(tail.threshold).toBeLessThan(1.65);
    expect(tail).toMatchObject({ share: 0.1, shape: 0.2 });
    expect(tail.scale).toBeCloseTo(0.4 * 0.8, 9);
  });

  it('of many normal windows has the threshold at 5 % and a light tail', () => {
    const normal = seededNormal(5);
    const tail = fitTail(Float64Array.from({ length: 20_000 }, normal).sort(), 1000);
    expect(tail.threshold).toBeCloseTo(1.645, 1);
    expect(tail.share).toBeCloseTo(0.05, 2);
    expect(tail.shape).toBeLessThan(0.05);
    expect(tail.scale).toBeCloseTo(0.41, 1);
  });

  it('of heavy windows is heavy: quantiles that were not fitted are met', () => {
    const random = seededRandom(6);
    // Pareto: P(Z > z) = z^-4, of which the tail beyond any threshold has shape 1/4
    const z = Float64Array.from({ length: 50_000 }, () => (1 - random()) ** (-1 / 4)).sort();
    const { threshold, share, scale, shape } = fitTail(z, 1000);
    expect(shape).toBeGreaterThan(0.12);
    const at = (probability: number) => threshold + (scale * ((probability / share) ** -shape - 1)) / shape;
    expect(at(1e-3) / 1e-3 ** (-1 / 4)).toBeCloseTo(1, 1);
    expect(at(1e-4) / 1e-4 ** (-1 / 4)).toBeGreaterThan(0.8);
  });

  it('of a few days keeps near the prior, however many windows these had', () => {
    // A tail that ends early: of many days the model may say so, of one it may not.
    const even = Float64Array.from({ length: 10_000 }, (_, i) => (2 * i) / 10_000);
    const [one, many] = [fitTail(even, 1), fitTail(even, 1000)];
    expect(many.scale).toBeLessThan(0.1);
    expect(one.scale).toBeGreaterThan(2 * many.scale);
    expect(one.shape).toBeGreaterThan(many.shape);
  });

  it('of windows that are all equal is within the bounds of a model', () => {
    const tail = fitTail(new Float64Array(5000), 3);
    expect(tail.share).toBeGreaterThan(0);
    expect(tail.scale).toBeGreaterThan(0);
  });
});
