/**
 * Faults put into held-out windows, and whether each model finds them: a finding where the untouched window is none.
 * Sizes are in scales of the model that runs (of the challenger where none does), so that both get the same.
 */
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import type { ModelKind } from '../train/kind.ts';
import { medianOf } from '../train/robust.ts';
import type { Caught, FaultKind, InjectedFaults, Recall } from './api.ts';
import { type Course, runOver } from './course.ts';
import { putDrift, putElsewhere, putShift, putStuck, putVariance } from './faults.ts';
import { seeded, seedOf } from './seeded.ts';
import type { CourseTally } from './tally.ts';

export const sizes = [2, 3, 5, 8] as const;
/** How long each lasts; where less was held out, half of that. */
const lastsMs: Readonly<Record<FaultKind, number>> = {
  spike: MINUTE_MS,
  shift: HOUR_MS,
  drift: 4 * HOUR_MS,
  stuck: 2 * HOUR_MS,
  variance: HOUR_MS,
  season: DAY_MS / 2,
};
const kinds = Object.keys(lastsMs) as FaultKind[];
/** What lasts fewer windows is only a spike. */
const LEAST_ROWS = 6;
/** Windows that a detector with a memory is shown first. */
const WARM_ROWS = 30;
/** Cases of a kind and size that are aimed at, and the most in one series. */
const CASES = 64;
const MOST_PLACES = 8;
/** A season is worth breaking where values half a day apart differ by so many scales. */
const LEAST_SEASON = 2;

export interface Contender<P> {
  readonly params: P;
  readonly tally: CourseTally;
}

interface Cell {
  readonly kind: FaultKind;
  readonly size: number | null;
  cases: number;
  readonly challenger: number[];
  readonly champion: number[];
}

/** What only one of the two found: of all series, and of the one at hand. */
interface Difference {
  lost: number;
  gained: number;
  ofSeries: number;
  squares: number;
}

/** The part of a course in which a fault was put, with what a detector is shown before. */
interface Faulted extends Pick<Course, 'endsMs' | 'values'> {
  /** Row of the course that is row 0 here. */
  readonly start: number;
  /** Rows of the fault, of the course. */
  readonly from: number;
  readonly to: number;
}

export class Injections<P> {
  readonly #kind: ModelKind<P>;
  readonly #windowMs: number;
  readonly #seed: string;
  readonly #places: number;
  readonly #cells = new Map<string, Cell>();
  readonly #differences = new Map<FaultKind | null, Difference>();
  #compared = false;

  constructor(kind: ModelKind<P>, windowMs: number, seed: string, courses: number) {
    this.#kind = kind;
    this.#windowMs = windowMs;
    this.#seed = seed;
    this.#places = Math.min(MOST_PLACES, Math.max(1, Math.round(CASES / Math.max(1, courses))));
  }

  add(course: Course, challenger: Contender<P>, champion: Contender<P> | null): void {
    if (champion !== null) this.#compared = true;
    const random = seeded(seedOf(`${this.#seed} ${course.id}`));
    const yardstick = (champion ?? challenger).params;
    for (let place = 0; place < this.#places; place++) {
      const member = Math.floor(random() * course.values.length);
      const scale = this.#kind.scale(yardstick, member);
      for (const kind of kinds) {
        for (const size of kind === 'stuck' || kind === 'season' ? [null] : sizes) {
          const faulted = this.#put(course, member, kind, (size ?? 0) * scale, scale, random);
          if (faulted === null) continue;
          const cell = this.#cell(kind, size);
          cell.cases++;
          const ours = this.#delay(faulted, challenger);
          if (ours !== null) cell.challenger.push(ours);
          if (champion === null) continue;
          const theirs = this.#delay(faulted, champion);
          if (theirs !== null) cell.champion.push(theirs);
          if ((ours === null) !== (theirs === null)) this.#differ(kind, ours === null);
        }
      }
    }
    for (const one of this.#differences.values()) {
      one.squares += one.ofSeries ** 2;
      one.ofSeries = 0;
    }
  }

  cells(): InjectedFaults[] {
    const cells = kinds.flatMap((kind) =>
      [null, ...sizes].map((size) => this.#cells.get(nameOf(kind, size))).filter((cell) => cell !== undefined),
    );
    return cells.map((cell) => ({ kind: cell.kind, size: cell.size, ...this.#sum([cell]) }));
  }

  /** Of all, and of each kind. */
  recall(): Recall[] {
    const cells = [...this.#cells.values()];
    if (cells.length === 0) return [];
    const found = kinds.filter((kind) => cells.some((cell) => cell.kind === kind));
    return [null, ...found].map((kind) => {
      const of = cells.filter((cell) => kind === null || cell.kind === kind);
      const { lost = 0, gained = 0, squares = 0 } = this.#differences.get(kind) ?? {};
      return { kind, ...this.#sum(of), lost, gained, deviation: Math.sqrt(squares) };
    });
  }

  #sum(cells: readonly Cell[]): Pick<Recall, 'cases' | 'challenger' | 'champion'> {
    return {
      cases: cells.reduce((sum, { cases }) => sum + cases, 0),
      challenger: caughtOf(cells.flatMap(({ challenger }) => challenger)),
      champion: this.#compared ? caughtOf(cells.flatMap(({ champion }) => champion)) : null,
    };
  }

  #differ(kind: FaultKind, isLost: boolean): void {
    for (const each of [kind, null]) {
      const one = this.#differences.get(each) ?? { lost: 0, gained: 0, ofSeries: 0, squares: 0 };
      this.#differences.set(each, one);
      if (isLost) one.lost++;
      else one.gained++;
      one.ofSeries += isLost ? 1 : -1;
    }
  }

  #cell(kind: FaultKind, size: number | null): Cell {
    const name = nameOf(kind, size);
    const known = this.#cells.get(name);
    if (known !== undefined) return known;
    const cell: Cell = { kind, size, cases: 0, challenger: [], champion: [] };
    this.#cells.set(name, cell);
    return cell;
  }

  /** Null where it means nothing there, or has no room. */
  #put(
    course: Course,
    member: number,
    kind: FaultKind,
    size: number,
    scale: number,
    random: () => number,
  ): Faulted | null {
    const column = course.values[member]!;
    const { length } = column;
    const rows = rowsOf(kind, this.#windowMs, length);
    if (rows === null || ((kind === 'stuck' || kind === 'variance') && rests(column))) return null;
    const from = Math.floor(random() * (length - rows + 1));
    const up = random() < 0.5 || !mayFall(column, from, rows, size);
    const by = up ? size : -size;
    const start = Math.max(0, from - WARM_ROWS);
    const to = from + rows;
    const changed = column.slice(start, to);
    if (kind === 'spike' || kind === 'shift') putShift(changed, from - start, rows, by);
    else if (kind === 'drift') putDrift(changed, from - start, rows, by);
    else if (kind === 'variance') putVariance(changed, from - start, rows, size, random);
    else if (kind === 'stuck') putStuck(changed, from - start, rows);
    else {
      const source = halfADayAway(course.endsMs, from, rows, this.#windowMs);
      if (source === null) return null;
      putElsewhere(changed, from - start, rows, column, source);
      let difference = 0;
      for (let i = 0; i < rows; i++) difference += Math.abs(column[source + i]! - column[from + i]!);
      if (difference / rows < LEAST_SEASON * scale) return null;
    }
    const values = course.values.map((one, i) => (i === member ? changed : one.subarray(start, to)));
    return { endsMs: course.endsMs.subarray(start, to), values, start, from, to };
  }

  /** Time from the fault's beginning to the end of the window that is found for it; null: never. */
  #delay(faulted: Faulted, { params, tally }: Contender<P>): number | null {
    const { start, from, endsMs } = faulted;
    const beganMs = endsMs[from - start]! - this.#windowMs;
    let delay: number | null = null;
    runOver(this.#kind, params, faulted, (row, { ready, finding }) => {
      if (delay !== null || !ready || !finding || row + start < from || tally.found[row + start] === 1) return;
      delay = endsMs[row]! - beganMs;
    });
    return delay;
  }
}

function nameOf(kind: FaultKind, size: number | null): string {
  return `${kind} ${size}`;
}

function rowsOf(kind: FaultKind, windowMs: number, length: number): number | null {
  if (kind === 'spike') return length >= 1 ? 1 : null;
  const rows = Math.max(LEAST_ROWS, Math.round(lastsMs[kind] / windowMs));
  const fitting = kind === 'season' ? rows : Math.min(rows, Math.floor(length / 2));
  return fitting < LEAST_ROWS || fitting > length ? null : fitting;
}

/** At one value for most of the time: to be stuck there is no fault. */
function rests(column: Float64Array): boolean {
  let same = 0;
  for (let i = 1; i < column.length; i++) if (column[i] === column[i - 1]) same++;
  return 2 * same > column.length;
}

/** What is never below zero does not fall below it in a fault. */
function mayFall(column: Float64Array, from: number, rows: number, size: number): boolean {
  let lowest = Number.POSITIVE_INFINITY;
  for (let i = from; i < from + rows; i++) lowest = Math.min(lowest, column[i]!);
  return lowest - size >= 0 || column.some((value) => value < 0);
}

/** The row half a day after, or else before, where rows are as many; null where there is a gap, or no such time. */
function halfADayAway(endsMs: Float64Array, from: number, rows: number, windowMs: number): number | null {
  const half = Math.round(DAY_MS / 2 / windowMs);
  for (const source of [from + half, from - half]) {
    if (source < 0 || source + rows > endsMs.length) continue;
    const apart = (i: number): number => Math.abs(endsMs[source + i]! - endsMs[from + i]!);
    if (Math.abs(apart(0) - DAY_MS / 2) <= windowMs && Math.abs(apart(rows - 1) - DAY_MS / 2) <= windowMs)
      return source;
  }
  return null;
}

export function caughtOf(delaysMs: readonly number[]): Caught {
  return { found: delaysMs.length, delayMs: delaysMs.length === 0 ? null : medianOf(delaysMs) };
}
