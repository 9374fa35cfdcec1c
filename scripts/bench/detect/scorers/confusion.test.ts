import { expect, test } from 'vitest';
import { Confusion } from './confusion.ts';

test('F1 with the false-alarm and the missed-alarm rate', () => {
  const confusion = new Confusion();
  const rows: [boolean, boolean, number][] = [
    [true, true, 6],
    [true, false, 2],
    [false, true, 3],
    [false, false, 9],
  ];
  for (const [labelled, alarm, times] of rows) for (let i = 0; i < times; i++) confusion.add(labelled, alarm);
  expect(confusion.figures()).toEqual({ f1: 12 / 17, far: 25, mar: 25 });
  expect(new Confusion().figures()).toEqual({ f1: 0, far: 0, mar: 0 });
});
