import { describe, expect, it } from 'vitest';
import type { SeriesDefinition } from '../series.ts';
import { physicalBounds } from './physical.ts';
import { range } from './range.ts';
import { healthy, Stream, seeded } from './stream.fixture.ts';

const boiler = (random: () => number): number => Math.round(10 * (60 + 3 * random())) / 10;

describe('range', () => {
  it('finds a value beyond its bounds, at once after enough good ones, and one that never was within after ten', () => {
    const random = seeded(1);
    const stream = new Stream(range, { min: -20, max: 90 });
    expect(stream.until(() => boiler(random), 2000)).toBe(-1);
    expect(stream.step(91)).toMatchObject({ finding: true, expectedLow: 60, expectedHigh: 63 });
    expect(stream.step(boiler(random)).finding).toBe(false);
    const broken = new Stream(range, { min: -20, max: 90 });
    expect(broken.until(() => 200, 20)).toBe(10);
  });

  it.each([
    ['a DS18B20 that was not asked', 85, 1],
    ['a DS18B20 that does not answer', -127, 1],
    ['a register with all bits set, in tenths', 6553.5, 0],
    ['the highest signed number of a register', 32_767, 0],
    ['the lowest, in hundredths, in single precision', Math.fround(-327.68), 0],
    ['nines of a logger', -9999, 0],
  ])('finds %s against the habit of the series', (_, value, celsius) => {
    const random = seeded(2);
    const stream = new Stream(range, { celsius });
    expect(stream.until(() => boiler(random), 2000)).toBe(-1);
    expect(stream.step(value).finding).toBe(true);
    expect(stream.step(value).finding).toBe(true);
    expect(stream.step(boiler(random)).finding).toBe(false);
  });

  it('lets a boiler have 85 degrees, a counter any number, and a jump be a jump', () => {
    const hot = new Stream(range, { celsius: 1 });
    expect(hot.until((i) => Math.round(10 * (84 + Math.sin(i / 30) * 2)) / 10, 3000)).toBe(-1);
    expect(hot.until(() => 85, 100)).toBe(-1);
    // One that heats up by ten degrees at once, as it always does, may stop there.
    const steep = new Stream(range, { celsius: 1 });
    expect(steep.until((i) => [55, 65, 75, 64][i % 4]!, 3000)).toBe(-1);
    expect(steep.step(75).finding || steep.step(85).finding).toBe(false);
    const register = new Stream(range);
    expect(register.until((i) => (i * 7919) % 65_536, 200_000)).toBe(-1);
    const jumps = new Stream(range, { celsius: 1 });
    const random = seeded(3);
    expect(jumps.until(() => boiler(random), 2000)).toBe(-1);
    for (const value of [850, -126.9, 3276.6, 6000, 90]) expect(jumps.step(value).finding).toBe(false);
  });

  it('takes what is often bad for a habit', () => {
    const random = seeded(4);
    const stream = new Stream(range, { min: 0, max: 90 });
    for (let i = 0; i < 20_000; i++) stream.step(random() < 0.01 ? -1 : boiler(random));
    expect(stream.until(() => (random() < 0.01 ? -1 : boiler(random)), 5000)).toBe(-1);
    expect(stream.until(() => -1, 20)).toBe(10);
  });

  it.each(Object.keys(healthy))('is silent for two days on %s', (name) => {
    const stream = new Stream(range, { celsius: 1 });
    expect(stream.episodes(healthy[name]!(11), 2 * 86_400)).toBe(0);
  });
});

describe('physicalBounds', () => {
  const of = (name: string, unit: string, more: Partial<SeriesDefinition> = {}) =>
    physicalBounds({ name, unit, attributes: {}, kind: 'gauge', ...more });

  it('knows what cannot be from unit and name, and lets what is stated go before', () => {
    expect(of('boiler.temperature', 'Cel').min).toBe(-273.15);
    expect(of('room.humidity', '%').max).toBeGreaterThanOrEqual(100);
    expect(of('room.humidity', '%').max).toBeLessThan(101);
    expect(of('relative_humidity', '%').min).toBe(0);
    expect(of('disk.utilization', '1')).toEqual({ min: 0, max: 1.05 });
    expect(of('fan.utilization', '1', { max: 1.5 }).max).toBe(1.5);
    expect(of('process.cpu.utilization', '1').max).toBe(Number.POSITIVE_INFINITY);
    expect(of('queue', '{item}').min).toBe(0);
    expect(of('boiler.temperature', 'Cel', { min: -50, max: 150 })).toEqual({ min: -50, max: 150 });
    for (const [name, unit] of [
      ['boiler.pressure', 'bar'],
      ['valve', '1'],
      ['temperature.difference', 'K'],
      ['gain', '%'],
    ]) {
      expect(of(name!, unit!)).toEqual({ min: Number.NEGATIVE_INFINITY, max: Number.POSITIVE_INFINITY });
    }
  });
});
