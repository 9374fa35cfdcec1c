/**
 * Co-moments of each group's window features over the hour: what the central makes covariances from. One row a window,
 * the means of its members; at the end of the hour, when the members are others, and at a clean stop the set is recorded
 * and begins anew. Parts of an hour add up exactly.
 *
 * A hole is filled with the member's mean in this hour so far, which adds nothing to its deviations. Before its first
 * value it is filled with that value: a column that never moved has no products, so that its level can be put right
 * afterwards without a trace. A member that had none at all says so (`seen`).
 *
 * Constraints: nothing is allocated in a window but where a set begins or ends; 17 KB for a group of 64 series.
 */
import { isWholeWindow } from '../../shared/detect/seasonal.ts';
import { HOUR_MS } from '../../shared/limits.ts';
import { addCoMoments, type CoMoments, startCoMoments } from '../../shared/math/comoments.ts';
import type { SeriesId, SeriesNumber } from '../../shared/series.ts';
import type { GroupCoMoments } from '../../shared/wire/co-moments.ts';
import type { WindowColumns } from '../../shared/wire/summary.ts';
import type { ClosedWindow } from '../windows.ts';

/** Features that are taken in: 1 = the mean of a window. */
const FEATURE_VERSION = 1;
/** As in a group's state: values are held within this, so that products stay finite. */
const LARGEST = 1e140;

/** A group as it is watched now. */
interface Members {
  readonly name: string;
  /** Another list is another set. */
  readonly members: readonly SeriesId[];
  /** By place; -1: not here now. */
  readonly numbers: Int32Array;
}

export interface GroupMomentsOptions {
  /** Most series at once. */
  readonly limit: number;
  /** Length of the windows that are taken in. */
  readonly windowMs: number;
  readonly groups: () => Iterable<Members>;
  /** Estimate of UTC then. */
  readonly utcOf: (monotonicMs: number) => number;
  /** A set is whole; must not throw. */
  readonly onSet: (set: GroupCoMoments) => void;
}

interface OpenSet {
  readonly members: readonly SeriesId[];
  readonly coMoments: CoMoments;
  readonly seen: Float64Array;
  readonly row: Float64Array;
  readonly hour: number;
  readonly startMs: number;
  endMs: number;
}

export class GroupMoments {
  readonly #options: GroupMomentsOptions;
  readonly #open = new Map<string, OpenSet>();
  /** Column of each series number in the windows' columns. */
  readonly #columnOf: Int32Array;
  #numbers: readonly SeriesNumber[] | null = null;

  constructor(options: GroupMomentsOptions) {
    this.#options = options;
    this.#columnOf = new Int32Array(options.limit).fill(-1);
  }

  /** A window ended: column i is series `numbers[i]`. */
  closed(numbers: readonly SeriesNumber[], columns: WindowColumns, window: ClosedWindow): void {
    const { windowMs, groups, utcOf } = this.#options;
    if (window.nominalMs !== windowMs || !isWholeWindow(window.lengthMs, windowMs)) return;
    this.#place(numbers);
    const endMs = window.endMonotonicMs;
    const hour = Math.floor((utcOf(endMs) - windowMs / 2) / HOUR_MS);
    for (const [name, set] of this.#open) if (set.hour !== hour) this.#end(name, set);
    for (const group of groups()) {
      const known = this.#open.get(group.name);
      if (known !== undefined && known.members !== group.members) this.#end(group.name, known);
      const set = this.#open.get(group.name) ?? this.#begin(group, hour, endMs - window.lengthMs);
      this.#add(set, group.numbers, columns, endMs);
    }
  }

  /** At a clean stop. */
  finish(): void {
    for (const [name, set] of this.#open) this.#end(name, set);
  }

  #place(numbers: readonly SeriesNumber[]): void {
    if (numbers === this.#numbers) return;
    this.#numbers = numbers;
    this.#columnOf.fill(-1);
    for (let i = 0; i < numbers.length; i++) this.#columnOf[numbers[i]!] = i;
  }

  #begin({ name, members }: Members, hour: number, startMs: number): OpenSet {
    const size = members.length;
    const set: OpenSet = {
      members,
      coMoments: startCoMoments(size),
      seen: new Float64Array(size),
      row: new Float64Array(size),
      hour,
      startMs,
      endMs: startMs,
    };
    this.#open.set(name, set);
    return set;
  }

  #add(set: OpenSet, numbers: Int32Array, columns: WindowColumns, endMs: number): void {
    const { coMoments, seen, row } = set;
    let any = false;
    for (let i = 0; i < row.length; i++) {
      const column = numbers[i]! < 0 ? -1 : this.#columnOf[numbers[i]!]!;
      const value = column < 0 || columns.count[column] === 0 ? Number.NaN : columns.mean[column]!;
      if (!Number.isFinite(value)) {
        row[i] = coMoments.mean[i]!;
        continue;
      }
      any = true;
      row[i] = Math.min(LARGEST, Math.max(-LARGEST, value));
      if (seen[i] === 0) coMoments.mean[i] = row[i]!;
      seen[i] = seen[i]! + 1;
    }
    if (!any) return;
    addCoMoments(coMoments, row);
    set.endMs = endMs;
  }

  #end(name: string, set: OpenSet): void {
    this.#open.delete(name);
    if (set.coMoments.count === 0) return;
    const { members, coMoments, seen, startMs, endMs } = set;
    this.#options.onSet({
      group: name,
      members,
      windowMs: this.#options.windowMs,
      featureVersion: FEATURE_VERSION,
      seen,
      coMoments,
      lengthMs: Math.max(1, Math.round(endMs - startMs)),
      endMonotonicMs: Math.round(endMs),
      endWallMs: Math.round(this.#options.utcOf(endMs)),
    });
  }
}
