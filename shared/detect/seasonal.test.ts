import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS } from '../limits.ts';
import { utcZone } from './civil.ts';
import { emptyVerdict, type Verdict } from './detector.ts';
import { type SeasonalParams, seasonal, seasonalLevel } from './seasonal.ts';

const tail = { threshold: 1.645, share: 0.05, scale: 0.5, shape: 0.1 };
const flat: SeasonalParams = {
  ...seasonal.defaults,
  windows: 1000,
  levels: [10],
  scale: 2,
  upper: tail,
  lower: { ...tail, scale: 1 },
};
const good = Uint8Array.of(0);
const at = (utcMs: number) => ({ monotonicMs: 0, utcMs });

function judge(params: SeasonalParams, value: number, utcMs = 0, quality = good): Verdict {
  const out = emptyVerdict();
  seasonal.score(params, seasonal.start(params), Float64Array.of(value), quality, at(utcMs), out);
  return out;
}

/** A table of levels that says in which bin one is. */
function numbered(binsPerDay: number, dayKinds: number): SeasonalParams {
  const levels = Array.from({ length: binsPerDay * dayKinds }, (_, i) => i);
  return { ...flat, binsPerDay, dayKinds, levels };
}

describe('the level', () => {
  // 1970-01-01 was a Thursday; 03 and 04 a weekend.
  const windowEnd = (day: number, hour: number) => (day - 1) * DAY_MS + hour * HOUR_MS + 30_000;

  it('is that of the bin at the middle of the bin, and halfway between two at their border', () => {
    const params = numbered(24, 1);
    expect(seasonalLevel(params, windowEnd(1, 5.5))).toBeCloseTo(5, 9);
    expect(seasonalLevel(params, windowEnd(1, 6))).toBeCloseTo(5.5, 9);
    // midnight lies between the last and the first bin
    expect(seasonalLevel(params, windowEnd(1, 0))).toBeCloseTo(11.5, 9);
  });

  it('has weekends apart', () => {
    const params = numbered(24, 2);
    expect(seasonalLevel(params, windowEnd(2, 5.5))).toBeCloseTo(5, 9);
    expect(seasonalLevel(params, windowEnd(3, 5.5))).toBeCloseTo(24 + 5, 9);
    expect(seasonalLevel(params, windowEnd(4, 5.5))).toBeCloseTo(24 + 5, 9);
    expect(seasonalLevel(params, windowEnd(5, 5.5))).toBeCloseTo(5, 9);
  });

  it('follows the clock on the wall through a change to summer time', () => {
    const change = windowEnd(10, 1);
    const zone = { fromMs: [0, change], offsetMs: [HOUR_MS, 2 * HOUR_MS] };
    const params = { ...numbered(24, 1), zone };
    expect(seasonalLevel(params, windowEnd(9, 11.5))).toBeCloseTo(12, 9);
    expect(seasonalLevel(params, windowEnd(11, 10.5))).toBeCloseTo(12, 9);
  });

  it('takes the middle of the window, not its end', () => {
    const params = { ...numbered(24, 1), windowMs: HOUR_MS };
    expect(seasonalLevel(params, 6 * HOUR_MS)).toBeCloseTo(5, 9);
  });
});

describe('the surprise', () => {
  it('is 0 at the level and what the tail says beyond it', () => {
    expect(judge(flat, 10).bits).toBe(0);
    // at the threshold 5 % lie beyond on this side and as much on the other: one in ten
    expect(judge(flat, 10 + 2 * 1.645).bits).toBeCloseTo(Math.log2(10), 9);
    expect(judge(flat, 10 - 2 * 1.645).bits).toBeCloseTo(Math.log2(10), 9);
    // by the generalized Pareto distribution: 0.05 × (1 + 0.1 × 4 / 0.5)^(-1 / 0.1), twice
    expect(judge(flat, 10 + 2 * (1.645 + 4)).bits).toBeCloseTo(-Math.log2(2 * 0.05 * 1.8 ** -10), 9);
    expect(judge(flat, 10 - 2 * (1.645 + 4)).bits).toBeCloseTo(-Math.log2(2 * 0.05 * 1.4 ** -10), 9);
  });

  it('rises with the distance, and is the band’s at the band’s ends', () => {
    const band = judge(flat, 10);
    expect(judge(flat, band.expectedHigh).bits).toBeCloseTo(flat.bandBits, 9);
    expect(judge(flat, band.expectedLow).bits).toBeCloseTo(flat.bandBits, 9);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 50 }), fc.double({ min: 0, max: 50 }), (a, b) => {
        expect(judge(flat, 10 + Math.max(a, b)).bits).toBeGreaterThanOrEqual(judge(flat, 10 + Math.min(a, b)).bits);
      }),
    );
  });

  it('never exceeds what the history can show', () => {
    expect(judge({ ...flat, capBits: 7 }, 1e9).bits).toBe(7);
  });

  it('makes a finding from the budget’s bits on', () => {
    const params = { ...flat, findingBits: 6 };
    const edge = judge({ ...flat, bandBits: 6 }, 10).expectedHigh;
    expect(judge(params, edge - 0.01).finding).toBe(false);
    expect(judge(params, edge + 0.01).finding).toBe(true);
  });
});

describe('what is not known', () => {
  it('is not ready rather than normal: no value, a bad value, no model', () => {
    expect(judge(flat, Number.NaN).ready).toBe(false);
    expect(judge(flat, Number.POSITIVE_INFINITY).ready).toBe(false);
    expect(judge(flat, 10, 0, Uint8Array.of(2)).ready).toBe(false);
    expect(judge(seasonal.defaults, 10).ready).toBe(false);
  });

  it('does not put a band below zero where nothing was ever below zero', () => {
    const params = { ...flat, levels: [1] };
    expect(judge(params, 1).expectedLow).toBeLessThan(0);
    expect(judge({ ...params, nonNegative: true }, 1).expectedLow).toBe(0);
  });
});

describe('parameters from outside', () => {
  const json = () => JSON.parse(JSON.stringify(flat)) as Record<string, unknown>;

  it('come back as they were', () => {
    expect(seasonal.parseParams(json())).toEqual(flat);
    expect(seasonal.parseParams(numbered(96, 2)).levels).toHaveLength(192);
  });

  const broken: [string, Record<string, unknown>][] = [
    ['levels', { levels: [Number.NaN] }],
    ['levels', { levels: [1, 2] }],
    ['levels', { levels: Array.from({ length: 1e5 }, () => 1) }],
    ['scale', { scale: 0 }],
    ['scale', { scale: -1 }],
    ['binsPerDay', { binsPerDay: 7, levels: [1, 2, 3, 4, 5, 6, 7] }],
    ['upper.scale', { upper: { ...tail, scale: 0 } }],
    ['upper.share', { upper: { ...tail, share: 0.9 } }],
    ['lower.shape', { lower: { ...tail, shape: 5 } }],
    ['zone', { zone: { fromMs: [], offsetMs: [] } }],
    ['zone', { zone: { ...utcZone, fromMs: [5, 4], offsetMs: [0, 0] } }],
    ['findingBits', { findingBits: null }],
  ];
  it.each(broken)('with bad %s are refused by name', (field, change) => {
    expect(() => seasonal.parseParams({ ...json(), ...change })).toThrow(
      expect.objectContaining({ code: 'payload.invalid', message: expect.stringContaining(field) }),
    );
  });
});
