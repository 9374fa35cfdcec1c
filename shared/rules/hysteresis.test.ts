import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HysteresisTable, outcome } from './hysteresis.ts';

const SECOND_MS = 1000;
const timing = { forMs: 3 * SECOND_MS, clearForMs: 2 * SECOND_MS, gapMs: 10 * SECOND_MS };
const LIMIT = 10;
const CLEAR = 8;

/** Feeds values a second apart (NaN: no word) and returns at which second it fired and ended. */
function run(values: readonly number[], times = timing): { fired: number[]; ended: number[] } {
  const table = new HysteresisTable(1);
  table.reset(0);
  const fired: number[] = [];
  const ended: number[] = [];
  for (const [second, value] of values.entries()) {
    if (Number.isNaN(value)) continue;
    const done = table.step(0, value > LIMIT, value <= CLEAR, second * SECOND_MS, times);
    if (done === outcome.fired) fired.push(second);
    if (done === outcome.ended) ended.push(second);
  }
  return { fired, ended };
}

test('fires when it has lasted, and ends when it was well for long enough', () => {
  expect(run([1, 11, 11, 11, 11, 11, 5, 5, 5, 5])).toEqual({ fired: [4], ended: [8] });
});

test('what lasts too short fires nothing', () => {
  expect(run([11, 11, 11, 5, 11, 11, 11, 9, 11, 11])).toEqual({ fired: [], ended: [] });
});

test('between limit and clear nothing changes', () => {
  expect(run([9, 9, 9, 9, 9]).fired).toEqual([]);
  expect(run([11, 11, 11, 11, 9, 10, 9, 10, 9, 10]).ended).toEqual([]);
});

test('what comes back while it ends goes on, and is not told again', () => {
  expect(run([11, 11, 11, 11, 5, 11, 5, 9, 5, 5, 5])).toEqual({ fired: [3], ended: [10] });
});

test('without a "for" it fires and ends at once', () => {
  const atOnce = { ...timing, forMs: 0, clearForMs: 0 };
  expect(run([11, 8, 11, 8], atOnce)).toEqual({ fired: [0, 2], ended: [1, 3] });
});

test('a silence proves nothing: what was timed begins anew', () => {
  const silence = new Array<number>(11).fill(Number.NaN);
  expect(run([11, ...silence, 11, 11, 11, 11]).fired).toEqual([15]);
  expect(run([11, 11, 11, 11, 5, ...silence, 5, 5, 5]).ended).toEqual([18]);
});

test('time that steps back fires and ends nothing early', () => {
  const table = new HysteresisTable(1);
  table.reset(0);
  expect(table.step(0, true, false, 100_000, timing)).toBe(outcome.nothing);
  expect(table.step(0, true, false, 5_000, timing)).toBe(outcome.nothing);
  expect(table.step(0, true, false, 7_000, timing)).toBe(outcome.nothing);
  expect(table.step(0, true, false, 8_000, timing)).toBe(outcome.fired);
});

test('says since when, and when it was well again', () => {
  const table = new HysteresisTable(1);
  table.reset(0);
  for (const second of [10, 11, 12, 13, 14]) table.step(0, true, false, second * SECOND_MS, timing);
  expect(table.sinceMs[0]).toBe(10 * SECOND_MS);
  for (const second of [15, 16, 17]) table.step(0, false, true, second * SECOND_MS, timing);
  expect(table.lastMs[0]).toBe(15 * SECOND_MS);
});

test('never flaps: each firing has a crossing that lasted, each end a calm that lasted, and they take turns', () => {
  const values = fc.array(fc.constantFrom(5, 8, 9, 10, 11, 20, Number.NaN), { maxLength: 200 });
  const spans = fc.integer({ min: 0, max: 5 }).map((seconds) => seconds * SECOND_MS);
  fc.assert(
    fc.property(values, spans, spans, (all, forMs, clearForMs) => {
      const { fired, ended } = run(all, { forMs, clearForMs, gapMs: 1e9 });
      const turns = [...fired.map((at) => ({ at, on: true })), ...ended.map((at) => ({ at, on: false }))].sort(
        (a, b) => a.at - b.at,
      );
      for (const [index, { at, on }] of turns.entries()) {
        expect(on).toBe(index % 2 === 0);
        const lastedMs = on ? forMs : clearForMs;
        const words = all.slice(at - lastedMs / SECOND_MS, at + 1).filter((value) => !Number.isNaN(value));
        expect(words.every((value) => (on ? value > LIMIT : value <= CLEAR))).toBe(true);
        const before = turns[index - 1];
        if (before !== undefined) expect(at - before.at).toBeGreaterThanOrEqual(lastedMs / SECOND_MS);
      }
    }),
    { numRuns: 1000 },
  );
});

test('growing keeps what is there', () => {
  const table = new HysteresisTable(1);
  table.restore(0, 1, 2);
  table.grow(4);
  expect([table.capacity, table.fires(0), table.sinceMs[0], table.lastMs[0]]).toEqual([4, true, 1, 2]);
});
