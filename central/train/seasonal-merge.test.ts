import { describe, expect, it } from 'vitest';
import { utcZone } from '../../shared/detect/civil.ts';
import { emptyVerdict } from '../../shared/detect/detector.ts';
import { type SeasonalParams, seasonal, seasonalLevel } from '../../shared/detect/seasonal.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { mergeSeasonal } from './seasonal-merge.ts';

const MONDAY = Date.UTC(2026, 0, 5);
const options = { windowMs: MINUTE_MS, zone: utcZone, findingsPerDay: 1 };
const id = 'aaaaaaaaaaaaaaaa';
const tail = { threshold: 1.645, share: 0.05, scale: 0.4, shape: 0.1 };

/** A week's model of a machine whose values rise by `hill` between 12 and 24 o'clock. */
function peer(level: number, { hill = 0, scale = 1, upper = tail } = {}): ReadonlyMap<string, SeasonalParams> {
  const levels = Array.from({ length: 24 }, (_, hour) => (hour < 12 ? level : level + hill));
  const params = { ...options, binsPerDay: 24, dayKinds: 1, levels, windows: 10_000, scale, upper, lower: tail };
  return new Map([[id, { ...params, nonNegative: true, capBits: 19, bandBits: 5.64, findingBits: 16 }]]);
}

/** An hour of minutes that begins at an hour of Monday. */
function hour(level: number, at = 0, wobble = 0.5) {
  const timesMs = Float64Array.from({ length: 60 }, (_, i) => MONDAY + at * HOUR_MS + (i + 1) * MINUTE_MS);
  return new Map([[id, { timesMs, mean: timesMs.map((_, i) => level + wobble * Math.sin(i)) }]]);
}

const merged = (...args: Parameters<typeof mergeSeasonal>) => mergeSeasonal(...args).get(id);

function bitsOf(params: SeasonalParams, value: number, utcMs: number): number {
  const out = emptyVerdict();
  seasonal.score(
    params,
    { windows: 0, lastMs: 0 },
    Float64Array.of(value),
    Uint8Array.of(0),
    { monotonicMs: 0, utcMs },
    out,
  );
  return out.bits;
}

describe('the model of a first day', () => {
  it('has the course of the day of the others, of which the machine has not seen any yet', () => {
    const model = merged(
      [10, 10.2, 9.8].map((level) => peer(level, { hill: 20 })),
      hour(10, 3),
      options,
    )!;
    expect(seasonalLevel(model, MONDAY + 6 * HOUR_MS)).toBeCloseTo(10, 0);
    expect(seasonalLevel(model, MONDAY + 18 * HOUR_MS)).toBeCloseTo(30, 0);
    expect(bitsOf(model, 30, MONDAY + 18 * HOUR_MS)).toBeLessThan(3);
    expect(bitsOf(model, 30, MONDAY + 6 * HOUR_MS)).toBeGreaterThan(12);
  });

  it('is about the level of the machine where the others differ in it, with a course in proportion', () => {
    const peers = [100, 300, 600].map((level) => peer(level, { hill: level, scale: level / 50 }));
    const model = merged(peers, hour(200, 3, 1), options)!;
    expect(seasonalLevel(model, MONDAY + 6 * HOUR_MS) / 200).toBeCloseTo(1, 1);
    expect(seasonalLevel(model, MONDAY + 18 * HOUR_MS) / 400).toBeCloseTo(1, 1);
  });

  it('tells the season from the level, at whatever time of the day the machine began', () => {
    const peers = [10, 10.2, 9.8].map((level) => peer(level, { hill: 20 }));
    const model = merged(peers, hour(30, 18), options)!;
    expect(seasonalLevel(model, MONDAY + DAY_MS + 6 * HOUR_MS)).toBeCloseTo(10, 0);
  });

  it('is never sharper than the others are, and not misled by one that is otherwise', () => {
    const model = merged([peer(10), peer(10.1), peer(9.9), peer(5000, { scale: 0.001 })], hour(10, 3, 0.1), options)!;
    expect(model.scale).toBeGreaterThanOrEqual(1);
    expect(seasonalLevel(model, MONDAY)).toBeCloseTo(10, 0);
    const heavy = { ...tail, scale: 3, shape: 0.4 };
    expect(
      merged([peer(10), peer(10, { upper: heavy }), peer(10, { upper: heavy })], hour(10), options)?.upper,
    ).toEqual(heavy);
  });

  it('says nothing where the machine is not like the others, where these are too few, and of what it lacks', () => {
    const three = [peer(10), peer(10.1), peer(9.9)];
    expect(merged(three, hour(80), options)).toBeUndefined();
    expect(merged([peer(10)], hour(10), options)).toBeUndefined();
    const short = new Map([[id, { timesMs: [MONDAY], mean: [10] }]]);
    expect(merged(three, short, options)).toBeUndefined();
    expect(merged(three, new Map(), options)).toBeUndefined();
  });

  it('has the budget of findings that the machine has, and gives way to what learned from twice its own windows', () => {
    const model = merged([peer(10), peer(10)], hour(10), options)!;
    expect(model.findingBits).toBeCloseTo(Math.log2(1440), 5);
    expect(model.windows).toBe(60);
  });
});
