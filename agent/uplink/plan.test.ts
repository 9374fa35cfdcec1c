import { describe, expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS, TEN_MINUTES_MS } from '../../shared/limits.ts';
import { choose, hourKind, ladderOf, needOf, type Plan, Sizes, windowKind } from './plan.ts';

const orders = (plan: Plan): string[] => plan.givenUp.map((text) => text.split(':')[0]!);

describe('the ladder', () => {
  const ladder = ladderOf(undefined);

  test('gives up in the declared order, and says all that it gave up', () => {
    expect(ladder[0]!.givenUp).toEqual([]);
    let before: string[] = [];
    for (const plan of ladder.slice(1)) {
      expect(orders(plan)).toEqual(['detail', 'sketches', 'rate'].slice(0, orders(plan).length));
      expect(orders(plan).length).toBeGreaterThanOrEqual(before.length);
      before = orders(plan);
    }
    expect(before).toEqual(['detail', 'sketches', 'rate']);
  });

  test.each([100, 300, 2000])('each rung of %i series needs less than the one above', (series) => {
    const sizes = new Sizes(() => series);
    const needs = ladder.map((plan) => needOf(plan, sizes, 0));
    // Series left out of minutes spare less than windows of ten minutes with all of them.
    for (let i = 1; i < needs.length; i++) expect(needs[i]!).toBeLessThan(needs[i - 1]!);
  });

  test.each([MINUTE_MS, TEN_MINUTES_MS])('keeps windows of %i ms where the operator set them', (windowMs) => {
    for (const plan of ladderOf(windowMs)) expect(plan.windowMs).toBe(windowMs);
  });
});

test('sizes follow what was measured, and carry it over to what was not made yet', () => {
  const sizes = new Sizes(() => 100);
  const [full, , , ten] = ladderOf(undefined);
  const thought = sizes.of(windowKind(ten!)!);
  for (let i = 0; i < 50; i++) sizes.measured(windowKind(full!)!, 2 * 1400);
  expect(sizes.of(windowKind(full!)!)).toBeCloseTo(2800, -1);
  expect(sizes.of(windowKind(ten!)!) / thought).toBeCloseTo(2, 1);
  expect(sizes.of(hourKind(full!))).toBeGreaterThan(2800);
});

describe('a rung is chosen', () => {
  const ladder = ladderOf(undefined);
  const needs = (plan: Plan): number => ladder.length - ladder.indexOf(plan);
  const pick = (now: number, stoodMs: number, most: number): number =>
    choose(ladder, now, stoodMs, needs, (need) => need <= most);

  test('down to the first that fits, though not within the hour', () => {
    expect(pick(0, 2 * HOUR_MS, 5)).toBe(ladder.length - 5);
    expect(pick(0, HOUR_MS / 2, 5)).toBe(0);
  });

  test('the last where none fits', () => expect(pick(0, 2 * HOUR_MS, 0)).toBe(ladder.length - 1));

  test('up only with room to spare and after half a day', () => {
    const now = ladder.length - 5;
    expect(pick(now, 13 * HOUR_MS, 6)).toBe(now);
    expect(pick(now, 13 * HOUR_MS, 6 * 1.2)).toBe(now - 1);
    expect(pick(now, 11 * HOUR_MS, 100)).toBe(now);
  });
});
