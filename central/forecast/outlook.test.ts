import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../test/contract/detectors-random.ts';
import { type Outlook, outlookOf } from './outlook.ts';

const HISTORY = 16 * 24;
const AHEAD = 48;
type Shape = (random: () => number) => (hour: number) => number;

/** The sum of twelve uniform numbers is normal enough. */
function normal(random: () => number): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random();
  return sum;
}

function live(shape: Shape, seed: number): Float64Array {
  const at = shape(seededRandom(seed));
  return Float64Array.from({ length: HISTORY + AHEAD }, (_, hour) => at(hour));
}

function ahead(history: Float64Array, options: Partial<{ lowest: number; highest: number }> = {}): Outlook | null {
  return outlookOf({ column: history, season: 24, horizon: AHEAD, lowest: 0, highest: 1, ...options });
}

const known = (life: Float64Array): Float64Array => life.slice(0, HISTORY);
const season = (hour: number): number => 0.1 * Math.sin((2 * Math.PI * hour) / 24);

function errors(outlook: Outlook, life: Float64Array): { mean: number; held: number } {
  let sum = 0;
  let held = 0;
  for (let h = 0; h < AHEAD; h++) {
    const truth = life[HISTORY + h]!;
    sum += Math.abs(truth - outlook.value[h]!);
    if (truth >= outlook.low[h]! && truth <= outlook.high[h]!) held++;
  }
  return { mean: sum / AHEAD, held: held / AHEAD };
}

describe('an outlook', () => {
  const shapes: Record<string, { shape: Shape; error: number }> = {
    'a trend': { shape: (random) => (hour) => 0.3 + 0.0005 * hour + 0.004 * normal(random), error: 0.01 },
    'a season': { shape: (random) => (hour) => 0.5 + season(hour) + 0.02 * normal(random), error: 0.03 },
    'a season on a trend': {
      shape: (random) => (hour) => 0.3 + 0.0004 * hour + season(hour) + 0.01 * normal(random),
      error: 0.02,
    },
  };
  for (const [name, { shape, error }] of Object.entries(shapes)) {
    it(`knows ${name}`, () => {
      const lives = [1, 2].map((seed) => live(shape, seed));
      const held = lives.map((life) => {
        const outlook = ahead(known(life))!;
        const found = errors(outlook, life);
        expect(found.mean).toBeLessThan(error);
        expect(outlook.naive).toBe(false);
        expect(outlook.mase).toBeLessThan(outlook.naiveMase);
        return found.held;
      });
      expect((held[0]! + held[1]!) / 2).toBeGreaterThan(0.75);
    });
  }

  it('of what does not change is what it is, with no width', () => {
    const outlook = ahead(new Float64Array(HISTORY).fill(0.5))!;
    expect(outlook).toMatchObject({ naive: true, mase: 0 });
    expect(Math.min(...outlook.low)).toBeCloseTo(0.5, 9);
    expect(Math.max(...outlook.high)).toBeCloseTo(0.5, 9);
  });

  it('never leaves what is possible', () => {
    const life = live((random) => (hour) => Math.min(1, 0.4 + 0.0017 * hour) + 0.001 * normal(random), 5);
    const outlook = ahead(known(life))!;
    for (const line of [outlook.value, outlook.low, outlook.high]) {
      expect(Math.min(...line)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...line)).toBeLessThanOrEqual(1);
    }
  });

  it('begins after a clean-up', () => {
    const life = live((random) => (hour) => (hour < 160 ? 0.5 : 0.1) + 0.0005 * hour + 0.002 * normal(random), 6);
    const outlook = ahead(known(life))!;
    expect(outlook.shifted).toBe(true);
    expect(Math.abs(outlook.steps - (HISTORY - 160))).toBeLessThanOrEqual(4);
    expect(errors(outlook, life).mean).toBeLessThan(0.01);
  });

  it('takes a daily clean-up for the way of the series', () => {
    const outlook = ahead(known(live((random) => (hour) => 0.4 + 0.01 * (hour % 24) + 0.002 * normal(random), 7)))!;
    expect(outlook.shifted).toBe(false);
    expect(outlook.steps).toBe(HISTORY);
  });

  it('says what was not measured, and is less sure of it', () => {
    const life = live((random) => (hour) => 0.3 + season(hour) + 0.02 * normal(random), 8);
    const whole = ahead(known(life))!;
    const holed = known(life).fill(Number.NaN, 200, 230);
    const outlook = ahead(holed)!;
    expect(outlook.missing).toBe(30);
    expect(errors(outlook, life).mean).toBeLessThan(0.04);
    expect(whole.missing).toBe(0);
  });

  it('begins where the machine fell silent, and after a long silence', () => {
    const life = live((random) => (hour) => 0.3 + season(hour) + 0.02 * normal(random), 9);
    expect(ahead(known(life).fill(Number.NaN, HISTORY - 30))!.behind).toBe(30);
    expect(ahead(known(life).fill(Number.NaN, 100, 200))!.steps).toBe(HISTORY - 200);
  });

  it('says nothing of too little', () => {
    expect(ahead(new Float64Array(0))).toBeNull();
    expect(ahead(new Float64Array(HISTORY).fill(Number.NaN))).toBeNull();
    expect(ahead(live(() => () => 0.5, 1).slice(0, 60))).toBeNull();
  });

  it('is sound for any values', () => {
    for (const value of [1e308, -1e308, 1e-308, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const life = live((random) => () => 0.5 + 0.01 * normal(random), 3);
      life[200] = value;
      const outlook = ahead(known(life), { lowest: 0, highest: 1 });
      for (const line of [outlook?.value, outlook?.low, outlook?.high]) {
        for (const one of line ?? []) expect(one >= 0 && one <= 1).toBe(true);
      }
    }
  });

  it('is the same each time', () => {
    const history = known(live((random) => (hour) => 0.3 + season(hour) + 0.02 * normal(random), 4));
    expect(ahead(history)).toEqual(ahead(history));
  });
});
