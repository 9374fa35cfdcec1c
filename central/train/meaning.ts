/**
 * A series that says something else under the same name since some time: another unit (values a power of ten or of 1024
 * as large), another sign, a counter that became a level, a coarser or finer reading. Found in a machine's history, so
 * that it is reported rather than learned as what the machine does. Pure.
 *
 * Machines do change by a factor, too. So much is asked of a change of meaning: it comes from one window to the next,
 * its factor is one of those that units have, the scatter changed by the same factor, and what was before and what came
 * after have no values in common.
 */
import type { SeriesId, SeriesKey } from '../../shared/series.ts';
import { MAD_TO_DEVIATION, medianDistance, medianOf, quantileOf, sorted } from './robust.ts';

export const changeKinds = ['scale', 'sign', 'resolution', 'course'] as const;

export interface MeaningChange {
  readonly kind: (typeof changeKinds)[number];
  /** End of the first window that means the new. */
  readonly atMs: number;
  /** Values (for `resolution` the steps between them) are so many times as large since; null where none says it. */
  readonly factor: number | null;
}

/** Of a machine's series. */
export interface SeriesChange extends MeaningChange {
  readonly series: SeriesId;
  readonly key: SeriesKey;
}

export interface MeaningColumns {
  readonly timesMs: ArrayLike<number>;
  readonly mean: ArrayLike<number>;
  /** Exact on the wire, so that steps of a reading can be seen. */
  readonly min: ArrayLike<number>;
}

/** Windows on each side that must agree. */
const SIDE = 30;
/** A jump by less is no unit. */
const LEAST_JUMP = 5;
/** How far from its factor the level, and the scatter, may be. */
const LEVEL_TOLERANCE = 0.08;
const SCATTER_TOLERANCE = 2;
/** Jumps that are looked at, the newest; a series that jumps all the time is like that. */
const MOST_JUMPS = 64;
const factors = [1, 2, 3, 4, 6, 9].flatMap((power) => [10 ** power, ...(power <= 4 ? [1024 ** power] : [])]);
/** Windows from which the steps of a reading, or its course, are told; so many pieces on each side must agree. */
const PIECE = 120;
const PIECES = 2;
const LEAST_STEPS = 4;
const ON_STEP = 0.02;

/** The newest change; null: it means one thing throughout. */
export function meaningChange(columns: MeaningColumns): MeaningChange | null {
  return jump(columns) ?? courseChange(columns) ?? resolutionChange(columns);
}

function jump({ timesMs, mean }: MeaningColumns): MeaningChange | null {
  const candidates: number[] = [];
  for (let i = mean.length - SIDE; i >= SIDE && candidates.length < MOST_JUMPS; i--) {
    const before = mean[i - 1]!;
    const ratio = Math.abs(mean[i]! / before);
    if (ratio >= LEAST_JUMP || ratio <= 1 / LEAST_JUMP || mean[i]! * before < 0) candidates.push(i);
  }
  for (const i of candidates) {
    const before = sideOf(mean, i - SIDE, i);
    const after = sideOf(mean, i, i + SIDE);
    if (before.level === 0 || after.level === 0) continue;
    const ratio = after.level / before.level;
    const factor = factorOf(Math.abs(ratio));
    // What costs most comes last: a series about zero changes its sign all the time.
    if (factor === null || !alike(before, after, factor) || ratio < 0 !== (factor === 1) || !apart(mean, i)) continue;
    return ratio < 0 ? { kind: 'sign', atMs: timesMs[i]!, factor: -1 } : { kind: 'scale', atMs: timesMs[i]!, factor };
  }
  return null;
}

interface Side {
  readonly level: number;
  readonly scatter: number;
}

function sideOf(values: ArrayLike<number>, from: number, to: number): Side {
  const part = Array.prototype.slice.call(values, from, to) as number[];
  const level = medianOf(part);
  return { level, scatter: MAD_TO_DEVIATION * medianDistance(part, level) };
}

/** The unit's factor that a ratio is nearest to; 1 where it is none but the sign, null where it is far from all. */
function factorOf(ratio: number): number | null {
  let nearest: number | null = null;
  let least = LEVEL_TOLERANCE;
  for (const factor of [1, ...factors, ...factors.map((one) => 1 / one)]) {
    const off = Math.abs(ratio / factor - 1);
    if (off > least) continue;
    least = off;
    nearest = factor;
  }
  return nearest;
}

/** Whether the scatter changed with the level; a series that does not scatter has none to change. */
function alike(before: Side, after: Side, factor: number): boolean {
  const expected = before.scatter * factor;
  const floor = 1e-3 * Math.abs(after.level);
  if (expected <= floor && after.scatter <= floor) return true;
  return after.scatter <= SCATTER_TOLERANCE * expected + floor && after.scatter >= expected / SCATTER_TOLERANCE - floor;
}

/** Whether nine of ten values before and after lie on different sides, in all that there is of them. */
function apart(values: ArrayLike<number>, at: number): boolean {
  const before = sorted(Array.prototype.slice.call(values, 0, at) as number[]);
  const after = sorted(Array.prototype.slice.call(values, at) as number[]);
  return quantileOf(after, 0.05) > quantileOf(before, 0.95) || quantileOf(after, 0.95) < quantileOf(before, 0.05);
}

/** The last boundary of pieces at which something that is the same in the pieces before is another in those after. */
function boundary<T>(
  columns: MeaningColumns,
  of: (from: number, to: number) => T | null,
  differs: (before: T, after: T) => boolean,
  same: (a: T, b: T) => boolean,
): { readonly atMs: number; readonly before: T; readonly after: T } | null {
  const pieces: (T | null)[] = [];
  for (let from = 0; from + PIECE <= columns.mean.length; from += PIECE) pieces.push(of(from, from + PIECE));
  for (let i = pieces.length - PIECES; i >= PIECES; i--) {
    const before = pieces.slice(i - PIECES, i);
    const after = pieces.slice(i, i + PIECES);
    const [b, a] = [before[0], after[0]];
    if (b === null || b === undefined || a === null || a === undefined || !differs(b, a)) continue;
    if (before.every((one) => one !== null && same(b, one)) && after.every((one) => one !== null && same(a, one))) {
      return { atMs: columns.timesMs[i * PIECE]!, before: b, after: a };
    }
  }
  return null;
}

/** A counter that became a level, or the other way round. */
function courseChange(columns: MeaningColumns): MeaningChange | null {
  const { mean } = columns;
  const of = (from: number, to: number): 'rises' | 'wanders' | null => {
    let up = 0;
    let down = 0;
    for (let i = from + 1; i < to; i++) {
      if (mean[i]! > mean[i - 1]!) up++;
      else if (mean[i]! < mean[i - 1]!) down++;
    }
    // A reset now and then is part of counting.
    if (up >= 0.95 * (PIECE - 1) && down <= 2) return 'rises';
    return down >= 0.25 * (PIECE - 1) && up >= 0.25 * (PIECE - 1) ? 'wanders' : null;
  };
  const found = boundary(
    columns,
    of,
    (a, b) => a !== b,
    (a, b) => a === b,
  );
  return found === null ? null : { kind: 'course', atMs: found.atMs, factor: null };
}

/** A reading that became coarser or finer: the steps that all its values lie on. */
function resolutionChange(columns: MeaningColumns): MeaningChange | null {
  const close = (a: number, b: number): boolean => Math.abs(a / b - 1) < 0.1;
  const differs = (a: number, b: number): boolean => a / b >= LEAST_STEPS || b / a >= LEAST_STEPS;
  const found = boundary(columns, (from, to) => stepOf(columns.min, from, to), differs, close);
  return found === null ? null : { kind: 'resolution', atMs: found.atMs, factor: found.after / found.before };
}

/** The step of which all differences are multiples; null where there is none. */
function stepOf(values: ArrayLike<number>, from: number, to: number): number | null {
  const part = sorted(Array.prototype.slice.call(values, from, to) as number[]);
  let distinct = part.length > 0 ? 1 : 0;
  let step = Number.POSITIVE_INFINITY;
  for (let i = 1; i < part.length; i++) {
    const gap = part[i]! - part[i - 1]!;
    if (gap === 0) continue;
    distinct++;
    step = Math.min(step, gap);
  }
  if (distinct < LEAST_STEPS || (part.at(-1)! - part[0]!) / step >= 1e4) return null;
  // Values of no step at all lie on the smallest of their gaps by chance only.
  for (let i = 1; i < part.length; i++) {
    const place = (part[i]! - part[0]!) / step;
    if (Math.abs(place - Math.round(place)) > ON_STEP) return null;
  }
  return step;
}

/** `values are about 1024 times as large`. */
export function wordsOfChange({ kind, factor }: MeaningChange): string {
  const times = factor === null ? '' : Number(Math.abs(factor < 1 ? 1 / factor : factor).toPrecision(4));
  switch (kind) {
    case 'scale':
      return factor !== null && factor < 1
        ? `values are about a ${times}th of what they were`
        : `values are about ${times} times as large`;
    case 'sign':
      return 'values have the other sign';
    case 'resolution':
      return factor !== null && factor < 1
        ? `it reads ${times} times as finely`
        : `it reads ${times} times as coarsely`;
    default:
      return 'it counts where it was a level, or the other way round';
  }
}
