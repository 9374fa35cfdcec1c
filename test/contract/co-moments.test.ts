/**
 * What the central knows of a group's covariance is what the agent's window features say, to rounding: whatever the
 * hours, the parts that restarts make of them, and the order in which they come in.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GroupMoments } from '../../agent/groups/moments.ts';
import { addSet, emptyLike } from '../../central/train/group/merged.ts';
import { triangle } from '../../shared/math/comoments.ts';
import { decodeCoMoments, encodeCoMoments, type GroupCoMoments } from '../../shared/wire/co-moments.ts';
import { emptyColumns } from '../../shared/wire/summary.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 2, 2);
const SIZE = 4;
const members = Array.from({ length: SIZE }, (_, i) => i.toString(16).padStart(16, '0'));
const SCALES = [1, 1e6, 1e-3, 7];
const LEVELS = [0, 1e9, 5, -3];

/** Windows of a machine, and after which of them it was stopped and begun again. */
const histories = fc.record({
  rows: fc.array(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: SIZE, maxLength: SIZE }), {
    minLength: 2,
    maxLength: 300,
  }),
  stops: fc.array(fc.nat(300), { maxLength: 5 }),
  skips: fc.array(fc.nat(300), { maxLength: 3 }),
  seed: fc.nat(),
});

function recorded(
  rows: readonly (readonly number[])[],
  stops: readonly number[],
  skips: readonly number[],
): Uint8Array[] {
  const bodies: Uint8Array[] = [];
  const numbers = Int32Array.from({ length: SIZE }, (_, i) => i + 1);
  const make = () =>
    new GroupMoments({
      limit: 10,
      windowMs: MINUTE,
      groups: () => [{ name: '', members, numbers }],
      utcOf: (monotonicMs) => START + monotonicMs,
      onSet: (set) => bodies.push(encodeCoMoments(set)),
    });
  let moments = make();
  const inColumns = [0, ...numbers];
  rows.forEach((row, minute) => {
    if (skips.includes(minute)) return;
    const columns = emptyColumns(SIZE + 1);
    row.forEach((value, i) => {
      columns.count[i + 1] = Number.isFinite(value) ? 60 : 0;
      columns.mean[i + 1] = value;
    });
    const endMonotonicMs = (minute + 1) * MINUTE;
    moments.closed(inColumns, columns, {
      nominalMs: MINUTE,
      lengthMs: MINUTE,
      endMonotonicMs,
      endUtcMs: START + endMonotonicMs,
    });
    if (!stops.includes(minute)) return;
    moments.finish();
    moments = make();
  });
  moments.finish();
  return bodies;
}

function shuffled<T>(list: readonly T[], seed: number): T[] {
  let state = seed >>> 0;
  return list
    .map((item) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return { item, at: state };
    })
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function merged(bodies: readonly Uint8Array[]): GroupCoMoments {
  const sets = bodies.map(decodeCoMoments);
  const to = emptyLike(sets[0]!);
  for (const set of sets) expect(addSet(to, set)).toBe(true);
  return to;
}

test('the covariance at the central is that of the window features, to rounding', () => {
  fc.assert(
    fc.property(histories, ({ rows: drawn, stops, skips, seed }) => {
      const rows = drawn.map((row) => row.map((value, i) => LEVELS[i]! + SCALES[i]! * value));
      const kept = rows.filter((_, minute) => !skips.includes(minute));
      if (kept.length === 0) return;
      const { coMoments } = merged(shuffled(recorded(rows, stops, skips), seed));
      expect(coMoments.count).toBe(kept.length);
      const mean = SCALES.map((_, i) => kept.reduce((sum, row) => sum + row[i]!, 0) / kept.length);
      for (let i = 0; i < SIZE; i++) {
        expect(Math.abs(coMoments.mean[i]! - mean[i]!)).toBeLessThanOrEqual(1e-9 * (Math.abs(LEVELS[i]!) + SCALES[i]!));
        for (let j = 0; j <= i; j++) {
          const covariance =
            kept.reduce((sum, row) => sum + (row[i]! - mean[i]!) * (row[j]! - mean[j]!), 0) / kept.length;
          const found = coMoments.products[triangle(i) + j]! / coMoments.count;
          expect(Math.abs(found - covariance)).toBeLessThanOrEqual(1e-9 * SCALES[i]! * SCALES[j]!);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('an hour is a record; what was cut by a stop is two', () => {
  const rows = Array.from({ length: 150 }, (_, i) => [i, 0, 0, 0]);
  const ends = (bodies: readonly Uint8Array[]) =>
    bodies.map((body) => (decodeCoMoments(body).endWallMs - START) / MINUTE);
  expect(ends(recorded(rows, [], []))).toEqual([60, 120, 150]);
  expect(ends(recorded(rows, [89], []))).toEqual([60, 90, 120, 150]);
});

test('a hole adds nothing to what a series did, and is counted', () => {
  const hole = Number.NaN;
  const rows = [
    [hole, 1, hole, 5],
    [3, 1, hole, 6],
    [5, 1, hole, hole],
    [hole, 1, hole, 7],
  ];
  const set = decodeCoMoments(recorded(rows, [], [])[0]!);
  expect([...set.seen]).toEqual([2, 4, 0, 3]);
  expect(set.coMoments.count).toBe(4);
  // Filled with 3 before the first value, with the mean so far (11 / 3) after it.
  const filled = [3, 3, 5, 11 / 3];
  const mean = filled.reduce((sum, value) => sum + value, 0) / 4;
  expect(set.coMoments.mean[0]).toBeCloseTo(mean, 12);
  expect(set.coMoments.products[0]).toBeCloseTo(
    filled.reduce((sum, value) => sum + (value - mean) ** 2, 0),
    12,
  );
  expect(set.coMoments.products[triangle(2) + 2]).toBe(0);
});

test('an hour without a word of a series says nothing of its level', () => {
  const hole = Number.NaN;
  const hour = (value: number) => Array.from({ length: 60 }, (_, i) => [value, i, 0, 0]);
  for (const values of [
    [hole, 50, hole],
    [50, hole, hole],
  ]) {
    const { coMoments, seen } = merged(recorded(values.flatMap(hour), [], []));
    expect(coMoments.mean[0]).toBe(50);
    expect(coMoments.products[0]).toBe(0);
    expect(seen[0]).toBe(60);
  }
});

test('other members are another set', () => {
  const [body] = recorded([[1, 2, 3, 4]], [], []);
  const set = decodeCoMoments(body!);
  const to = emptyLike({ ...set, members: members.slice(1) });
  expect(addSet(to, set)).toBe(false);
  expect(to.coMoments.count).toBe(0);
});
