import { describe, expect, test } from 'vitest';
import { alarmsOf, countAlarms, thresholdFor } from './alarms.ts';

function scores(rows: number, ...up: readonly (readonly [number, number])[]): Float64Array {
  const out = new Float64Array(rows);
  for (const [row, score] of up) out[row] = score;
  return out;
}

describe('alarms', () => {
  test('rows that are close are one alarm, rows that are not are two', () => {
    expect(alarmsOf(scores(100, [20, 1], [30, 1], [41, 1]), 0.5)).toEqual([
      [20, 30],
      [41, 41],
    ]);
  });

  test('the threshold is the lowest that keeps to the budget', () => {
    const some = scores(1000, [100, 9], [105, 8], [300, 7], [500, 6], [700, 5]);
    // Three alarms: at 100 to 105, 300 and 500; one more would come with 5.
    expect(thresholdFor(some, 3)).toBe(5);
    expect(alarmsOf(some, 5)).toHaveLength(3);
    expect(thresholdFor(some, 1)).toBe(7);
    expect(alarmsOf(some, 7)).toHaveLength(1);
  });

  test('a row that joins two alarms makes one of them', () => {
    const joined = scores(1000, [100, 9], [114, 9], [107, 8], [300, 7]);
    expect(thresholdFor(joined, 2)).toBe(0);
    expect(thresholdFor(joined, 1)).toBe(9);
  });

  test('an alarm that is always up is no way to keep to the budget', () => {
    expect(thresholdFor(new Float64Array(100).fill(3), 5)).toBe(3);
  });

  test('an event is found in any of its rows; an alarm is false when it is up in no event', () => {
    const some = scores(200, [45, 1], [56, 1], [58, 1], [120, 1], [180, 1]);
    const events = [[40, 50] as const, [57, 57] as const, [175, 185] as const];
    expect(countAlarms(some, 0.5, events)).toEqual({ found: 2, falseAlarms: 2 });
    // 49 joins 45 and what follows the event: no false alarm of its own.
    expect(countAlarms(scores(200, [45, 1], [49, 1], [56, 1]), 0.5, events)).toEqual({ found: 1, falseAlarms: 0 });
  });
});
