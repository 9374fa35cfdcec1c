import { expect, it } from 'vitest';
import { seeded } from '../detect/random.ts';
import { inject } from './faults.ts';
import { replayOf, type Trace } from './traces.ts';

const DAYS = 10;
const ROWS = DAYS * 1440;

function trace(): Trace {
  const day = (row: number): number => 10 + 5 * Math.sin((2 * Math.PI * row) / 1440) + Math.floor(row / 1440) / 100;
  const labels = new Uint8Array(ROWS);
  labels.fill(1, 3 * 1440, 3 * 1440 + 100);
  return { name: 't', metrics: ['replay.00'], columns: [new Float64Array(ROWS).map((_, row) => day(row))], labels };
}

it('a machine begins where it is told to, keeps the time of the day, and knows where it is unsure', () => {
  const rows = 7 * 1440;
  const replay = replayOf(trace(), 0.5, rows, seeded(1));
  const column = replay.columns[0]!;
  const mean = column.reduce((sum, value) => sum + value, 0) / rows;
  // Highest at six hours, within the minutes that machines are apart.
  const hours = Array.from({ length: 24 }, (_, hour) =>
    column.slice(hour * 60, (hour + 1) * 60).reduce((sum, value) => sum + value / 60, 0),
  );
  expect([5, 6]).toContain(hours.indexOf(Math.max(...hours)));
  expect(mean).toBeGreaterThan(5);
  // It begins with the sixth day: after five days the trace begins anew, and three later is what its authors labelled.
  expect(replay.unsure.length).toBe(1);
  const [seam] = replay.unsure;
  expect(Math.abs(seam!.from - 5 * 1440)).toBeLessThanOrEqual(15);
  const longer = replayOf(trace(), 0.5, 9 * 1440, seeded(1)).unsure;
  expect(longer.length).toBe(2);
  expect(Math.abs(longer[1]!.from - (8 * 1440 - 30))).toBeLessThanOrEqual(15);
});

it('the same seed makes the same machine with the same faults; faults are apart, and not where it is unsure', () => {
  const make = () => {
    const random = seeded(7);
    const replay = replayOf(trace(), 0, ROWS, random);
    return { replay, faults: inject(replay, 1440, random) };
  };
  const { replay, faults } = make();
  expect(make()).toEqual({ replay, faults });
  expect(faults.length).toBeGreaterThan(2);
  for (const [i, fault] of faults.entries()) {
    expect(fault.from).toBeGreaterThanOrEqual(i === 0 ? 1440 : faults[i - 1]!.to);
    for (const { from, to } of replay.unsure) expect(fault.from >= to || fault.to <= from).toBe(true);
  }
});
