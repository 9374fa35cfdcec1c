import { describe, expect, it } from 'vitest';
import { MINUTE_MS } from '../limits.ts';
import {
  daySlotOf,
  enterMinute,
  hourSlotOf,
  isNewMinute,
  learnUsual,
  USUAL_PAIRS,
  USUAL_SCALARS,
  usualBits,
  usualBitsNow,
} from './usual-hours.ts';

const START_MS = Date.UTC(2026, 2, 2);

const place = { at: 0, firstPair: 0 };

class Habit {
  readonly arrays = { scalars: new Float64Array(USUAL_SCALARS), levels: new Int16Array(USUAL_PAIRS) };
  #minute = 0;

  /** The most surprising sample of each minute from now on. */
  minutes(count: number, bits: (minuteOfHour: number) => number): void {
    for (let i = 0; i < count; i++, this.#minute++) {
      const now = START_MS + this.#minute * MINUTE_MS;
      expect(isNewMinute(this.arrays.scalars, place, now)).toBe(true);
      enterMinute(this.arrays, place, now, now);
      learnUsual(this.arrays, place, bits(this.#minute % 60));
      expect(isNewMinute(this.arrays.scalars, place, now + MINUTE_MS - 1)).toBe(false);
    }
  }

  at(minuteOfHour: number): number {
    return usualBits(this.arrays, place, minuteOfHour, 95);
  }
}

describe('surprises that come at their hour', () => {
  it('count for little after some hours, there and nowhere else', () => {
    const habit = new Habit();
    habit.minutes(4 * 60, (minute) => (minute === 17 ? 24 : 3));
    expect(habit.at(17)).toBeGreaterThan(20);
    expect(habit.at(18)).toBe(0);
    habit.minutes(18, () => 3);
    expect(usualBitsNow(habit.arrays.scalars, place)).toBeGreaterThan(20);
  });

  it('are forgotten when they come no more', () => {
    const habit = new Habit();
    habit.minutes(4 * 60, (minute) => (minute === 17 ? 24 : 3));
    habit.minutes(5 * 60, () => 3);
    expect(habit.at(17)).toBeLessThan(1);
  });

  it('are no habit when every minute has them: that is a long trouble', () => {
    const habit = new Habit();
    habit.minutes(4 * 60, () => 24);
    expect(habit.at(17)).toBeLessThan(1);
    expect(usualBits(habit.arrays, place, 17, 3)).toBeLessThan(7);
  });

  it('finds its slots before 1970 and at the ends of a day', () => {
    expect(hourSlotOf(-1)).toBe(59);
    expect(daySlotOf(-1)).toBe(95);
    expect(daySlotOf(0)).toBe(0);
    expect(hourSlotOf(61 * MINUTE_MS)).toBe(1);
  });
});
