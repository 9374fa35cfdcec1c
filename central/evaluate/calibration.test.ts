import { describe, expect, it } from 'vitest';
import { MINUTE_MS } from '../../shared/limits.ts';
import { Calibration, misfitOf, PIT_BINS, stepsOf } from './calibration.ts';
import { FalseIncidents } from './false-incidents.ts';
import { originsOf } from './origins.ts';
import { sampleOf } from './sample.ts';

/** P(X ≤ x) of what is uniform from 0 to 1. */
const uniform = (_: number, value: number): number => Math.min(1, Math.max(0, value));

describe('the probability integral transform', () => {
  it('puts each value where the model expected it', () => {
    const calibration = new Calibration(() => 0.5);
    for (const value of [0.015, 0.02, 0.26, 0.985]) calibration.add(value, 0, null, uniform);
    const { shares, distance, windows } = calibration.histogram()!;
    expect(windows).toBe(4);
    expect(shares[0]).toBe(0.5);
    expect(shares[5]).toBe(0.25);
    expect(shares[PIT_BINS - 1]).toBe(0.25);
    // After the sixth of twenty parts 3/4 are there where 6/20 should be; before it 1/2 where 1/20 should be.
    expect(distance).toBeCloseTo(0.45, 12);
    expect(calibration.coverages()).toEqual([
      { level: 0.5, coverage: 0.25 },
      { level: 0.8, coverage: 0.25 },
      { level: 0.9, coverage: 0.25 },
      { level: 0.98, coverage: 1 },
    ]);
  });

  it('is drawn at random within the mass of a step: a die that is right is uniform', () => {
    const die = Float64Array.from([1, 2, 3, 4, 5, 6]);
    const below = (_: number, value: number): number => Math.min(1, Math.max(0, (value - 0.5) / 6));
    let drawn = 0;
    const calibration = new Calibration(() => ((drawn++ % 10) + 0.5) / 10);
    for (const face of die) for (let i = 0; i < 10; i++) calibration.add(face, 0, die, below);
    expect(calibration.histogram()!.distance).toBeLessThan(0.02);
    const naive = new Calibration(() => 0.5);
    for (const face of die) naive.add(face, 0, null, below);
    expect(naive.histogram()!.distance).toBeGreaterThan(0.05);
  });

  it('knows a series of few values from one that moves freely, and says nothing of one that rests', () => {
    expect(stepsOf(Float64Array.from({ length: 100 }, (_, i) => i % 3))).toEqual(Float64Array.from([0, 1, 2]));
    expect(stepsOf(Float64Array.from({ length: 100 }, (_, i) => i))).toBeNull();
    const calibration = new Calibration(() => 0.5);
    calibration.add(0.5, 0, Float64Array.of(0.5), uniform);
    expect(calibration.histogram()).toBeNull();
  });

  it('names what is wrong with a band', () => {
    const shares = (of: (i: number) => number) => ({
      shares: Array.from({ length: PIT_BINS }, (_, i) => of(i)),
      distance: 0,
      windows: 1000,
    });
    expect(misfitOf(shares(() => 0.05))).toBeNull();
    expect(misfitOf(shares((i) => (i === 0 || i === 19 ? 0.5 : 0)))).toBe('is too narrow');
    expect(misfitOf(shares((i) => (i === 9 || i === 10 ? 0.5 : 0)))).toBe('is too wide');
    expect(misfitOf(shares((i) => (i > 15 ? 0.25 : 0)))).toBe('lies too low');
    expect(misfitOf(shares((i) => (i < 4 ? 0.25 : 0)))).toBe('lies too high');
    expect(misfitOf({ ...shares((i) => (i < 4 ? 0.25 : 0)), windows: 99 })).toBeNull();
  });
});

it('findings of any series within ten minutes of each other are one incident', () => {
  const incidents = new FalseIncidents();
  for (const minute of [30, 1, 5, 15, 26, 5]) incidents.add(minute * MINUTE_MS);
  // 1 5 15 | 26 30
  expect(incidents.count(MINUTE_MS)).toBe(2);
  expect(incidents.count(10 * MINUTE_MS)).toBe(1);
});

describe('origins', () => {
  const minutes = (of: readonly number[]) => of.map((minute) => minute * MINUTE_MS);
  const span = (fromMs: number, heldOutFromMs: number, toMs: number) => ({ fromMs, heldOutFromMs, toMs });

  it('lie around the beginning of the held-out time, never in what the champion has seen', () => {
    const [fromMs, heldOutFromMs, toMs] = minutes([0, 600, 900]);
    const times = originsOf(span(fromMs!, heldOutFromMs!, toMs!), MINUTE_MS, 300 * MINUTE_MS);
    expect(times.map(({ trainedToMs, judgedToMs }) => [trainedToMs, judgedToMs])).toEqual([
      minutes([450, 600]),
      minutes([750, 900]),
    ]);
    const later = originsOf(span(fromMs!, heldOutFromMs!, toMs!), MINUTE_MS, 500 * MINUTE_MS);
    expect(later.map(({ trainedToMs }) => trainedToMs)).toEqual(minutes([750]));
  });

  it('are none where too little is left to be judged on', () => {
    const [fromMs, heldOutFromMs, toMs] = minutes([0, 60, 80]);
    expect(originsOf(span(fromMs!, heldOutFromMs!, toMs!), MINUTE_MS, null)).toEqual([]);
  });
});

it('a sample is the same each time, all of a few series and some of many', () => {
  const ids = Array.from({ length: 800 }, (_, i) => String(i));
  expect(sampleOf(ids, 'a')).toEqual(sampleOf([...ids].reverse(), 'a'));
  expect(sampleOf(ids, 'a')).not.toEqual(sampleOf(ids, 'b'));
  expect([sampleOf(ids, 'a').size, sampleOf(ids.slice(0, 80), 'a').size, sampleOf(ids.slice(0, 3), 'a').size]).toEqual([
    48, 8, 3,
  ]);
});
