/**
 * One group while it runs: its members, what was learned of them, and what is going on.
 *
 * What is going on (an excursion) begins with a finding, since when the group had been unusual without a break; it is
 * told again every ten seconds while it lasts, and is over when the group has been back inside for some rows. It keeps
 * the series that it was first told of, so that it stays one finding.
 */
import type { Instant } from '../../shared/clock.ts';
import { emptyVerdict } from '../../shared/detect/detector.ts';
import {
  type GroupParams,
  group,
  groupContributions,
  groupDefaults,
  groupLevel,
  isGroupOutside,
} from '../../shared/detect/group.ts';
import { expectedOf } from '../../shared/detect/group-measure.ts';
import type { GroupState } from '../../shared/detect/group-state.ts';
import { Quality, type SeriesId, type SeriesNumber } from '../../shared/series.ts';
import type { SavedGroup } from './saved-groups.ts';

/** An excursion that lasts is told again as often, but not more often than there are rows. */
const REPEAT_MS = 10_000;
/** It goes on while bits are above this part of the bar, and is over after as many rows below. */
const GOING_ON = 0.5;
const ROWS_BACK = 10;

/** Whether it is time for the next row. A timer may be early by a little. */
export function isDue(rowAtMs: number, intervalMs: number, nowMs: number): boolean {
  return nowMs - rowAtMs >= intervalMs - Math.min(500, 0.1 * intervalMs);
}

/** A member's part in what was found. */
export interface Part {
  readonly id: SeriesId;
  readonly number: SeriesNumber;
  readonly share: number;
  readonly seen: number;
  readonly low: number;
  readonly high: number;
}

export class WatchedGroup {
  readonly name: string;
  readonly members: readonly SeriesId[];
  /** Series that there were to choose them from. */
  readonly chosenFrom: number;
  /** By place; -1: not here now. */
  readonly numbers: Int32Array;
  readonly intervalMs: number;
  /** Rows since this start. */
  rows = 0;
  /** Of the last row. */
  bits = 0;
  ready = false;
  level = 0;
  /** Of the excursion; NaN: none. Monotonic. */
  sinceMs = Number.NaN;
  lastMs = Number.NaN;
  /** The most bits in it. */
  mostBits = 0;
  /** The series that it was first told of. */
  first: SeriesId | null = null;

  readonly #params: { -readonly [K in keyof GroupParams]: GroupParams[K] };
  readonly #state: GroupState;
  readonly #x: Float64Array;
  readonly #quality: Uint8Array;
  readonly #verdict = emptyVerdict();
  #rowAtMs = Number.NEGATIVE_INFINITY;
  #unusualSinceMs = Number.NaN;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #rowsBack = 0;
  /** A verdict stands for so many: that of each series. */
  readonly #credit: number;

  /** @param state of a group with as many members, or null for a new one */
  constructor(
    name: string,
    members: readonly SeriesId[],
    chosenFrom: number,
    intervalMs: number,
    state: GroupState | null,
  ) {
    this.name = name;
    this.members = members;
    this.chosenFrom = chosenFrom;
    this.intervalMs = intervalMs;
    this.numbers = new Int32Array(members.length).fill(-1);
    this.#params = { ...groupDefaults, series: members.length };
    this.#state = state ?? group.start(this.#params);
    this.#x = new Float64Array(members.length);
    this.#quality = new Uint8Array(members.length);
    this.#credit = Math.log2(members.length);
  }

  /** Takes the latest values as the next row, if it is time; whether there is something to tell. */
  row(latest: (series: SeriesNumber) => number, barBits: number, at: Instant): boolean {
    const nowMs = at.monotonicMs;
    if (!isDue(this.#rowAtMs, this.intervalMs, nowMs)) return false;
    this.#rowAtMs = nowMs;
    this.rows++;
    const x = this.#x;
    for (let i = 0; i < x.length; i++) {
      const value = this.numbers[i]! < 0 ? Number.NaN : latest(this.numbers[i]!);
      x[i] = value;
      this.#quality[i] = Number.isFinite(value) ? Quality.good : Quality.bad;
    }
    const verdict = this.#verdict;
    group.score(this.#params, this.#state, x, this.#quality, at, verdict);
    group.learn(this.#params, this.#state, x, this.#quality, at);
    this.ready = verdict.ready;
    this.bits = verdict.bits === 0 ? 0 : verdict.bits + this.#credit;
    this.level = groupLevel(this.#state);
    return this.#follow(nowMs, barBits);
  }

  /** What takes part now, the greatest share first. */
  parts(): Part[] {
    const shares = new Float64Array(this.members.length);
    groupContributions(this.#state, this.#x, this.#quality, shares);
    const order = Array.from(shares.keys()).sort((a, b) => shares[b]! - shares[a]!);
    return order.map((i) => {
      const { low, high } = expectedOf(this.#state, i);
      return { id: this.members[i]!, number: this.numbers[i]!, share: shares[i]!, seen: this.#x[i]!, low, high };
    });
  }

  saved(): SavedGroup {
    return { name: this.name, members: this.members, state: group.state.encode(this.#state) };
  }

  #follow(nowMs: number, barBits: number): boolean {
    const unusual = this.bits >= GOING_ON * barBits && isGroupOutside(this.#state);
    if (!unusual) this.#unusualSinceMs = Number.NaN;
    else if (Number.isNaN(this.#unusualSinceMs)) this.#unusualSinceMs = nowMs;
    const found = this.bits >= barBits;
    if (Number.isNaN(this.sinceMs)) {
      if (!found) return false;
      this.sinceMs = this.#unusualSinceMs;
      this.mostBits = 0;
      this.first = null;
      this.#toldAtMs = Number.NEGATIVE_INFINITY;
    }
    this.#rowsBack = unusual ? 0 : this.#rowsBack + 1;
    if (this.#rowsBack >= ROWS_BACK) {
      this.sinceMs = Number.NaN;
      this.#rowsBack = 0;
      return false;
    }
    if (!unusual) return false;
    this.lastMs = nowMs;
    const more = found && this.bits > this.mostBits;
    this.mostBits = Math.max(this.mostBits, this.bits);
    if (!more && nowMs - this.#toldAtMs < REPEAT_MS) return false;
    this.#toldAtMs = nowMs;
    return true;
  }
}
