import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  checkedRanges,
  contains,
  contiguousMark,
  countSeqs,
  highest,
  intersect,
  noRanges,
  type SeqRange,
  type SeqRanges,
  subtract,
  unite,
  upTo,
} from './ranges.ts';

const setOf = (ranges: SeqRanges) =>
  new Set(ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i)));

/** The one canonical form: sorted, disjoint, not touching. */
function rangesOf(set: ReadonlySet<number>): SeqRanges {
  const out: [number, number][] = [];
  for (const seq of [...set].sort((a, b) => a - b)) {
    const last = out.at(-1);
    if (last !== undefined && seq === last[1] + 1) last[1] = seq;
    else out.push([seq, seq]);
  }
  return out;
}

const sets = fc.uniqueArray(fc.integer({ min: 1, max: 40 })).map((list) => new Set(list));

test('union, difference and intersection are those of the sets, in canonical form', () => {
  fc.assert(
    fc.property(sets, sets, (a, b) => {
      const [x, y] = [rangesOf(a), rangesOf(b)];
      expect(unite(x, y)).toEqual(rangesOf(new Set([...a, ...b])));
      expect(subtract(x, y)).toEqual(rangesOf(new Set([...a].filter((seq) => !b.has(seq)))));
      expect(intersect(x, y)).toEqual(rangesOf(new Set([...a].filter((seq) => b.has(seq)))));
    }),
  );
});

test('questions about a set are answered as by the set', () => {
  fc.assert(
    fc.property(sets, (a) => {
      const ranges = rangesOf(a);
      expect(countSeqs(ranges)).toBe(a.size);
      expect(highest(ranges)).toBe(Math.max(0, ...a));
      for (let seq = 0; seq <= 41; seq++) expect(contains(ranges, seq)).toBe(a.has(seq));
      let mark = 0;
      while (a.has(mark + 1)) mark++;
      expect(contiguousMark(ranges)).toBe(mark);
    }),
  );
});

test('upTo counts from 1', () => {
  expect(upTo(0)).toEqual(noRanges);
  expect(upTo(3)).toEqual([[1, 3]]);
});

test('the arguments are not changed', () => {
  const a: SeqRanges = Object.freeze([Object.freeze([1, 2] as const)]);
  unite(a, [[3, 4]]);
  subtract(a, [[2, 2]]);
  expect(a).toEqual([[1, 2]]);
});

test('ranges from outside are refused unless sorted, disjoint, positive and safe', () => {
  const bad: SeqRange[][] = [
    [[0, 1]],
    [[2, 1]],
    [
      [1, 5],
      [5, 6],
    ],
    [
      [5, 6],
      [1, 2],
    ],
    [[1, 2 ** 53]],
    [[1.5, 2]],
    [[1, Number.NaN]],
  ];
  for (const pairs of bad) expect(checkedRanges(pairs), JSON.stringify(pairs)).toBeNull();
});

test('ranges from outside that touch are joined, so that the contiguous mark sees them', () => {
  const ranges = checkedRanges([
    [1, 3],
    [4, 5],
    [7, 7],
  ])!;
  expect(setOf(ranges)).toEqual(new Set([1, 2, 3, 4, 5, 7]));
  expect(contiguousMark(ranges)).toBe(5);
});
