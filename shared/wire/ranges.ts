/**
 * Sets of seqs as sorted, disjoint, inclusive ranges. `[[1, 5], [8, 8]]` is {1,2,3,4,5,8}. Never mutated.
 */
export type SeqRange = readonly [from: number, to: number];
export type SeqRanges = readonly SeqRange[];

export const noRanges: SeqRanges = [];

/** The union of two sets. */
export function unite(a: SeqRanges, b: SeqRanges): SeqRanges {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const all = [...a, ...b].sort((x, y) => x[0] - y[0]);
  const out: [number, number][] = [];
  for (const [from, to] of all) {
    const last = out.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else out.push([from, to]);
  }
  return out;
}

/** What is in `a` and not in `b`. */
export function subtract(a: SeqRanges, b: SeqRanges): SeqRanges {
  const out: SeqRange[] = [];
  let j = 0;
  for (const [start, to] of a) {
    let from = start;
    while (j < b.length && b[j]![1] < from) j++;
    for (let k = j; k < b.length && b[k]![0] <= to && from <= to; k++) {
      const [cutFrom, cutTo] = b[k]!;
      if (cutFrom > from) out.push([from, cutFrom - 1]);
      from = Math.max(from, cutTo + 1);
    }
    if (from <= to) out.push([from, to]);
  }
  return out;
}

/** What is in both. */
export function intersect(a: SeqRanges, b: SeqRanges): SeqRanges {
  return subtract(a, subtract(a, b));
}

export function contains(ranges: SeqRanges, seq: number): boolean {
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const [from, to] = ranges[middle]!;
    if (seq < from) high = middle - 1;
    else if (seq > to) low = middle + 1;
    else return true;
  }
  return false;
}

/** How many seqs the set holds. */
export function countSeqs(ranges: SeqRanges): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from + 1, 0);
}

/** The highest seq, or 0. */
export function highest(ranges: SeqRanges): number {
  return ranges.at(-1)?.[1] ?? 0;
}

/** All of 1…n, or the empty set. */
export function upTo(n: number): SeqRanges {
  return n < 1 ? noRanges : [[1, n]];
}

/** The highest n for which all of 1…n are in the set. */
export function contiguousMark(ranges: SeqRanges): number {
  const first = ranges[0];
  return first !== undefined && first[0] <= 1 ? first[1] : 0;
}

/**
 * Ranges from outside: sorted, disjoint, positive, safe integers; null where they are not. Neighbours that touch are
 * joined, so that equal sets are equal ranges (`contiguousMark` looks at the first one alone).
 */
export function checkedRanges(pairs: readonly SeqRange[]): SeqRanges | null {
  const out: [number, number][] = [];
  let previous = 0;
  for (const [from, to] of pairs) {
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from <= previous || to < from) return null;
    const last = out.at(-1);
    if (last !== undefined && from === previous + 1) last[1] = to;
    else out.push([from, to]);
    previous = to;
  }
  return out;
}
