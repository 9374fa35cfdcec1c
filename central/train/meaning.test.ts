import { describe, expect, test } from 'vitest';
import { seededNormal } from '../../test/support/history.ts';
import { type MeaningColumns, meaningChange, wordsOfChange } from './meaning.ts';

const COUNT = 2_000;
const AT = 1_203;

/** Two days of minutes with a day's course; from `AT` on they are what `since` makes of them. */
function columns(since: (value: number, i: number) => number, before: (value: number, i: number) => number = (x) => x) {
  const normal = seededNormal(3);
  const mean = Array.from({ length: COUNT }, (_, i) => {
    const value = 50 + 12 * Math.sin((i / 1440) * 2 * Math.PI) + 3 * normal();
    return i < AT ? before(value, i) : since(value, i);
  });
  return { timesMs: mean.map((_, i) => i), mean, min: mean.map((value) => value - 1) } satisfies MeaningColumns;
}

describe('a change of meaning', () => {
  test.each([10, 1000, 1e-3, 1024, 1 / 1024, 1024 ** 2, 1e6, 1e9])(
    'by a factor of %s is found to the window',
    (factor) => {
      const found = meaningChange(columns((value) => value * factor))!;
      expect([found.kind, found.atMs]).toEqual(['scale', AT]);
      // By how much a level scatters, 1000 and 1024 are one.
      expect(Math.abs(found.factor! / factor - 1)).toBeLessThan(0.08);
    },
  );

  test('of the sign', () => {
    expect(meaningChange(columns((value) => -value))).toEqual({ kind: 'sign', atMs: AT, factor: -1 });
  });

  test('of a constant, too: a size in bytes that is one in kilobytes', () => {
    const found = meaningChange(
      columns(
        () => 512,
        () => 512 * 1024,
      ),
    );
    expect(found).toMatchObject({ kind: 'scale', atMs: AT, factor: 1 / 1024 });
  });

  test('of the steps of a reading, within a piece of the history', () => {
    const on = (step: number) => (value: number) => Math.round(value / step) * step;
    const found = meaningChange(columns(on(2), on(0.25)))!;
    expect(found).toMatchObject({ kind: 'resolution', factor: 8 });
    expect(Math.abs(found.atMs - AT)).toBeLessThan(240);
    expect(meaningChange(columns(on(0.25), on(0.25)))).toBeNull();
  });

  test('of a counter that became a level', () => {
    const found = meaningChange(
      columns(
        (value) => 20_000 + value,
        (value, i) => 18_000 + i * 2 + value / 100,
      ),
    )!;
    expect(found).toMatchObject({ kind: 'course', factor: null });
    expect(Math.abs(found.atMs - AT)).toBeLessThan(240);
  });

  test('the newest of several', () => {
    const found = meaningChange(columns((value, i) => (i < 1_600 ? value * 10 : value * 1e4)))!;
    expect([found.atMs, Math.abs(found.factor! - 1000) < 80]).toEqual([1_600, true]);
  });
});

describe('no change of meaning', () => {
  test.each([
    ['is the day', (value: number) => value],
    ['is a level that is 7 times as large', (value: number) => value * 7],
    ['is ten times the level with the old scatter', (value: number) => value + 450],
    ['is a spike', (value: number, i: number) => (i < AT + 5 ? value * 1000 : value)],
    [
      'is a while of no more than some minutes at the end',
      (value: number, i: number) => (i < COUNT - 20 ? value : value * 10),
    ],
    ['is silence', (value: number) => value * 0],
    ['is a job that runs for an hour now and then', (value: number, i: number) => (i % 200 < 60 ? value * 10 : value)],
  ])('%s', (_what, since) => {
    expect(meaningChange(columns(since))).toBeNull();
  });

  test('is what bursts or is idle all the time', () => {
    const normal = seededNormal(5);
    const mean = Array.from({ length: COUNT }, () => Math.exp(3 * normal()));
    expect(meaningChange({ timesMs: mean.map((_, i) => i), mean, min: mean })).toBeNull();
  });

  test('is in a history of a few windows, or of none', () => {
    for (const length of [0, 1, 59]) {
      const mean = Array.from({ length }, (_, i) => (i < length / 2 ? 1 : 1000));
      expect(meaningChange({ timesMs: mean, mean, min: mean })).toBeNull();
    }
  });
});

test('in words', () => {
  const of = (kind: 'scale' | 'sign' | 'resolution' | 'course', factor: number | null) =>
    wordsOfChange({ kind, atMs: 0, factor });
  expect(of('scale', 1024)).toBe('values are about 1024 times as large');
  expect(of('scale', 1 / 1024)).toBe('values are about a 1024th of what they were');
  expect(of('sign', -1)).toBe('values have the other sign');
  expect(of('resolution', 8)).toBe('it reads 8 times as coarsely');
});
