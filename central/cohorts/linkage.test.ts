import { describe, expect, it } from 'vitest';
import { clusters } from './linkage.ts';

const on = (places: readonly number[]) => (a: number, b: number) => Math.abs(places[a]! - places[b]!);

describe('clusters', () => {
  it('joins what is near and leaves alone what is far from all', () => {
    expect(clusters(6, on([0, 10, 0.2, 10.1, 0.4, 50]), 1)).toEqual([[0, 2, 4], [1, 3], [5]]);
  });

  it('cuts at the average, so that a chain of small steps is not one cluster', () => {
    const chain = Array.from({ length: 20 }, (_, i) => i * 0.9);
    for (const own of clusters(20, on(chain), 1)) expect(own.length).toBeLessThanOrEqual(3);
  });

  it('does not depend on the order in which items come', () => {
    const places = [0, 0.3, 5, 5.4, 9, 20, 20.9, 21];
    const order = [5, 2, 7, 0, 3, 6, 1, 4];
    const turned = clusters(8, on(order.map((i) => places[i]!)), 1).map((own) => own.map((i) => order[i]!).sort());
    const plain = clusters(8, on(places), 1);
    expect(turned.sort((a, b) => a[0]! - b[0]!)).toEqual(plain);
  });

  it('knows what to do with none and one', () => {
    expect(clusters(0, on([]), 1)).toEqual([]);
    expect(clusters(1, on([3]), 1)).toEqual([[0]]);
  });
});
