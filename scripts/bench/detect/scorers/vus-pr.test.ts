import { describe, expect, test } from 'vitest';
import { rangesOf, slopedLabels, vusPr } from './vus-pr.ts';

const labels = new Uint8Array(1000).fill(1, 400, 450).fill(1, 700, 720);

describe('VUS-PR', () => {
  test('the labels themselves earn nearly all, their opposite what silence earns', () => {
    expect(vusPr(labels, Float64Array.from(labels), 0)).toBe(1);
    // With buffers the labels miss the slopes, which only a score that begins earlier could earn.
    expect(vusPr(labels, Float64Array.from(labels), 40)).toBeGreaterThan(0.8);
    expect(
      vusPr(
        labels,
        Float64Array.from(labels, (label) => 1 - label),
        0,
      ),
    ).toBeCloseTo(0.07, 10);
  });

  test('a score that says nothing earns the share of the labels', () => {
    expect(vusPr(labels, new Float64Array(1000), 0)).toBeCloseTo(0.07, 10);
  });

  test('an event that is not touched costs as much as its share of events', () => {
    const first = Float64Array.from(labels, (label, row) => (row < 500 ? label : 0));
    // 50 of 70 rows are found of one of two events: recall 25/70 at precision 1; the rest comes with all rows at once.
    const recall = (50 / 70) * (1 / 2);
    expect(vusPr(labels, first, 0)).toBeCloseTo(recall + (1 - recall) * 0.07, 10);
  });

  test('slopes fall off with the square root over half a buffer', () => {
    const sloped = slopedLabels(new Uint8Array(30).fill(1, 10, 15), 8);
    expect([...sloped.slice(5, 11)]).toEqual([0, ...[4, 3, 2, 1].map((d) => Math.sqrt(1 - d / 8)), 1]);
    expect([...sloped.slice(14, 20)]).toEqual([1, ...[1, 2, 3, 4].map((d) => Math.sqrt(1 - d / 8)), 0]);
  });

  test('runs of labels, at the edges too', () => {
    expect(rangesOf([1, 1, 0, 0, 1, 0, 1])).toEqual([
      [0, 1],
      [4, 4],
      [6, 6],
    ]);
    expect(Number.isNaN(vusPr(new Uint8Array(5), new Float64Array(5), 3))).toBe(true);
  });
});
