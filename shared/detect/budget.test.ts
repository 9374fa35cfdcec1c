import { describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS } from '../limits.ts';
import { IncidentBudget } from './budget.ts';

/** Mulberry32: a small generator with a seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const TRIALS = 300 * 86_400;

interface World {
  /** How often a day chance really comes to as many bits or more. */
  readonly rate: (bits: number, day: number) => number;
  /** The bits of something that comes so many times a day or less. */
  readonly bits: (rate: number, day: number) => number;
}

/** Tails that are off by a factor, and fall only by `slope` of what they claim. */
function tails(factor: number | ((day: number) => number), slope: number): World {
  const of = typeof factor === 'number' ? () => factor : factor;
  return {
    rate: (bits, day) => TRIALS * of(day) * 2 ** (-bits * slope),
    bits: (rate, day) => Math.log2((TRIALS * of(day)) / rate) / slope,
  };
}

/** Shown incidents by day. */
function live(budget: IncidentBudget, world: World, days: number, random: () => number): number[] {
  const shown: number[] = [];
  const hours = 24;
  for (let day = 0; day < days; day++) {
    let today = 0;
    for (let hour = 0; hour < hours; hour++) {
      budget.pass(HOUR_MS);
      // As many as come, each judged by the bar of its moment.
      let left = 1 / hours;
      for (;;) {
        const rate = world.rate(budget.bar(), day);
        left -= -Math.log(random()) / rate;
        if (!(left > 0)) break;
        budget.spend(world.bits(rate * random(), day));
        today++;
      }
    }
    shown.push(today);
  }
  return shown;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

function budgetOf(perDay: number, saved: unknown = null): IncidentBudget {
  const budget = new IncidentBudget(perDay, saved);
  budget.setTrials('detect', TRIALS);
  return budget;
}

describe('the budget of incidents', () => {
  it('begins sixteen times rarer than where the tails promise what the budget allows', () => {
    expect(budgetOf(1).bar()).toBeCloseTo(Math.log2(TRIALS) + 4, 9);
    expect(budgetOf(1 / 7).bar()).toBeCloseTo(Math.log2(TRIALS * 7) + 4, 9);
    const shared = budgetOf(1);
    shared.setTrials('groups', TRIALS);
    expect(shared.bar()).toBeCloseTo(Math.log2(TRIALS) + 5, 9);
    shared.pass(5 * DAY_MS);
    expect(shared.promisedBits).toBeCloseTo(Math.log2(TRIALS) + 1, 1);
  });

  const worlds: readonly (readonly [string, World])[] = [
    ['tails that are right', tails(1, 1)],
    ['tails that promise a hundred times too little', tails(100, 1)],
    ['tails that promise a hundred times too much', tails(0.01, 1)],
    ['heavy tails: half as steep as they claim', tails(1, 0.5)],
    ['a rate that drifts a hundredfold within the year', tails((day) => 10 ** Math.sin((2 * Math.PI * day) / 365), 1)],
    ['a rate that jumps thirtyfold in the middle', tails((day) => (day < 180 ? 1 : 30), 0.8)],
  ];
  for (const perDay of [1, 1 / 7, 12]) {
    it.each(worlds)(`spends what it is given, ${perDay.toFixed(2)} a day, in a year with %s`, (_name, world) => {
      for (const seed of [1, 2, 3]) {
        const years = perDay < 1 ? 4 : 1;
        const shown = live(budgetOf(perDay), world, 365 * years, randomFrom(seed));
        const rate = sum(shown) / shown.length;
        // A promise that is too timid by far is gone below only as far as there is evidence.
        expect(rate / perDay).toBeGreaterThan(world === worlds[2]![1] ? 0.2 : 0.5);
        expect(rate / perDay).toBeLessThan(2);
      }
    });
  }

  it('does not flood a new machine, whatever its tails', () => {
    const all: number[] = [];
    for (let seed = 0; seed < 50; seed++) {
      const shown = live(budgetOf(1), tails(100, 0.6), 7, randomFrom(seed));
      // Each is a new record: their number grows with the logarithm of how far the tails are off.
      expect(shown[0]).toBeLessThanOrEqual(30);
      expect(Math.max(...shown.slice(1))).toBeLessThanOrEqual(8);
      all.push(sum(shown.slice(1)) / 6);
    }
    expect(sum(all) / all.length).toBeLessThan(1.5);
  });

  it('is not used up by a day of real trouble, which goes far beyond the bar', () => {
    const budget = budgetOf(1);
    budget.pass(2 * DAY_MS);
    for (let i = 0; i < 8; i++) budget.spend(90 + i);
    expect(budget.bar()).toBeLessThan(budget.promisedBits + 1);
    // What barely passes does raise it.
    for (let i = 0; i < 4; i++) budget.spend(budget.bar() + 0.5);
    expect(budget.bar()).toBeGreaterThan(budget.promisedBits + 1);
  });

  it('spends no saved wealth on one bad day', () => {
    for (let seed = 0; seed < 50; seed++) {
      const budget = budgetOf(1);
      live(budget, tails(1e-9, 1), 60, randomFrom(seed));
      expect(budget.bar()).toBeLessThan(budget.promisedBits - 5);
      const [bad] = live(budget, tails(1, 1), 1, randomFrom(seed + 1000));
      expect(bad).toBeLessThanOrEqual(20);
    }
  });

  it('gives back what a fact confirms, and moves with a peak that grows', () => {
    const budget = budgetOf(1);
    const before = budget.bar();
    const ids = [40, 41, 42].map((bits) => budget.spend(bits));
    expect(budget.bar()).toBeGreaterThan(40);
    budget.grew(ids[0]!, 41.5);
    expect(budget.bar()).toBeGreaterThan(41);
    for (const id of ids) budget.refund(id);
    expect(budget.bar()).toBe(before);
    expect(budget.shownPerDay).toBe(3);
  });

  it('is after a restart what it was before', () => {
    const before = budgetOf(1);
    live(before, tails(10, 0.7), 30, randomFrom(9));
    const after = budgetOf(1, JSON.parse(JSON.stringify(before.save())));
    expect(after.bar()).toBe(before.bar());
    expect(after.shownPerDay).toBe(before.shownPerDay);
    expect(after.save()).toEqual(before.save());
  });

  it('stays sound and bounded whatever it is told', () => {
    const budget = budgetOf(1);
    for (const bits of [0, 128, 1e308, Number.POSITIVE_INFINITY, Number.NaN]) budget.spend(bits);
    for (const ms of [-1, 0, 1e18, Number.NaN]) budget.pass(ms);
    for (let i = 0; i < 10_000; i++) budget.spend(20 + (i % 50));
    expect(Number.isFinite(budget.bar())).toBe(true);
    expect(budget.bar()).toBeGreaterThanOrEqual(12);
    expect(budget.bar()).toBeLessThanOrEqual(120);
    expect(JSON.stringify(budget.save()).length).toBeLessThan(8_000);
  });

  const good = {
    lately: { days: 1, peaks: [] },
    burst: { days: 1, peaks: [] },
    shown: 0,
    shownDays: 1,
    watchedDays: 1,
  };
  it.each([
    ['no object', 7],
    ['peaks without end', { ...good, lately: { days: 1, peaks: Array(65).fill([1, 30, 20, 1]) } }],
    ['a weight below nothing', { ...good, lately: { days: 1, peaks: [[1, 30, 20, -1]] } }],
    ['days that are no number', { ...good, burst: { days: null, peaks: [] } }],
  ])('refuses %s as its state', (_what, saved) => {
    expect(() => new IncidentBudget(1, saved)).toThrow(expect.objectContaining({ code: 'payload.invalid' }));
  });

  it('counts in incidents a day over the last week', () => {
    const budget = budgetOf(1);
    for (let day = 0; day < 60; day++) {
      budget.pass(DAY_MS / 2);
      budget.spend(30);
      budget.pass(DAY_MS / 2);
    }
    expect(budget.shownPerDay).toBeCloseTo(1, 1);
  });
});
