import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecentRing } from './recent.ts';

const asPairs = ({ timesMs, values }: { timesMs: Float64Array; values: Float64Array }) =>
  Array.from(timesMs, (timeMs, i) => [timeMs, values[i]]);

describe('the ring of recent values', () => {
  it('gives back what was put in, between two times, both included', () => {
    const ring = new RecentRing({ memoryBytes: 1e6, series: 4 });
    for (let i = 0; i < 3000; i++) ring.append(1, i * 1000, Math.sin(i));
    expect(asPairs(ring.range(1, 1_000_000, 1_003_000))).toEqual(
      [1000, 1001, 1002, 1003].map((i) => [i * 1000, Math.sin(i)]),
    );
    expect(asPairs(ring.range(2, 0, 1e9))).toEqual([]);
    expect(asPairs(ring.range(99, 0, 1e9))).toEqual([]);
  });

  it('holds an hour of a steady series in one chunk', () => {
    const ring = new RecentRing({ memoryBytes: 1e6, series: 1 });
    for (let i = 0; i < 3600; i++) ring.append(0, i * 1000, 7);
    expect(ring.sizeBytes).toBeLessThan(700);
    expect(ring.range(0, 0, 1e9).values.length).toBe(3600);
  });

  it('stays within its memory and lets the oldest go first', () => {
    const memoryBytes = 64 * 1024;
    const ring = new RecentRing({ memoryBytes, series: 10 });
    for (let i = 0; i < 5000; i++) for (let s = 0; s < 10; s++) ring.append(s, i * 1000, Math.sin(i * (s + 1)));
    expect(ring.sizeBytes).toBeLessThanOrEqual(memoryBytes);
    expect(ring.dropped).toBe(0);
    for (let s = 0; s < 10; s++) {
      const { timesMs } = ring.range(s, 0, 1e12);
      expect(timesMs.at(-1)).toBe(4_999_000);
      // Without a hole up to the newest, and the same stretch for all, within a chunk.
      expect(timesMs.at(-1)! - timesMs[0]!).toBe((timesMs.length - 1) * 1000);
      expect(timesMs.length).toBeGreaterThan(300);
    }
  });

  it('counts what it has no room for', () => {
    const ring = new RecentRing({ memoryBytes: 1000, series: 10 });
    for (let s = 0; s < 10; s++) ring.append(s, 0, 1);
    expect(ring.dropped).toBe(10 - ring.sizeBytes / (ring.chunkBytes + 160));
  });

  it('holds the end of whatever was put in, exactly', () => {
    const sample = fc.tuple(fc.nat(5), fc.integer({ min: 0, max: 5000 }), fc.double());
    fc.assert(
      fc.property(
        fc.array(sample, { maxLength: 600 }),
        fc.integer({ min: 500, max: 20_000 }),
        (samples, memoryBytes) => {
          const ring = new RecentRing({ memoryBytes, series: 6 });
          const put: [number, number][][] = Array.from({ length: 6 }, () => []);
          let timeMs = 0;
          for (const [series, stepMs, value] of samples) {
            timeMs += stepMs;
            ring.append(series, timeMs, value);
            put[series]!.push([timeMs, value]);
          }
          if (ring.dropped > 0) return;
          for (let s = 0; s < 6; s++) {
            const held = asPairs(ring.range(s, 0, 1e12));
            expect(held).toEqual(put[s]!.slice(put[s]!.length - held.length));
            if (put[s]!.length > 0 && samples.length < 20) expect(held.length).toBeGreaterThan(0);
          }
        },
      ),
    );
  });
});
