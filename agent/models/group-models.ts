/**
 * Models of groups on window features: scores each closed window of a group with what the central trained, by the code
 * with which the central tried it, beside the group's own full-rate detector. Learns nothing.
 *
 *   apply ── activate(content) ─►┐
 *   windows ── score(columns) ───┴─► Finding objects, tier `window`, with the parts of the series ─► incidents
 *
 * A model is of the series that it names, not of the group that has its name here now. Where less than three quarters of
 * them are here it says nothing; one of whose groups none is here is refused.
 */

import { contributions, expectedOf } from '../../shared/detect/group-measure.ts';
import {
  emptyGroupVerdict,
  type GroupModelParams,
  type GroupModelState,
  type GroupVerdict,
  hasPart,
  MOST_MODEL_GROUPS,
  scoreGroup,
  startGroupModel,
} from '../../shared/detect/group-model.ts';
import { BROAD_FLOOR, TIGHT_FLOOR } from '../../shared/detect/group-state.ts';
import { Habit } from '../../shared/detect/habit.ts';
import { isWholeWindow } from '../../shared/detect/seasonal.ts';
import { messageOf, PicketError } from '../../shared/errors.ts';
import { type Finding, findingLimits, type Member } from '../../shared/findings.ts';
import { DAY_MS } from '../../shared/limits.ts';
import { Quality, type SeriesDefinition, type SeriesId, type SeriesNumber } from '../../shared/series.ts';
import { decodeGroupModel, GROUP_SLOT } from '../../shared/wire/group-model.ts';
import type { WindowColumns } from '../../shared/wire/summary.ts';
import type { ModelStageOptions, ScoredWindow } from '../models.ts';
import { type BesideMode, type Comparison, Tally } from './tally.ts';

/** Return periods are told up to this: a thousand years. */
const LONGEST_RETURN_MS = 1000 * 365 * DAY_MS;
/** Of a group's series so many must be here. */
const LEAST_HERE = 0.75;

export interface GroupModelOptions extends Pick<ModelStageOptions, 'onFinding' | 'onBroken' | 'clockMs'> {
  /** Length of the windows that are made here, before any that are joined. */
  readonly windowMs: number;
  readonly series: {
    definition(series: SeriesNumber): SeriesDefinition | null;
    id(series: SeriesNumber): SeriesId;
    /** -1 where it is not here. */
    numberOf(id: SeriesId): SeriesNumber;
  };
  /** Whether all series that this machine has are here by now. */
  readonly allKnown: () => boolean;
}

/** One group of a model, made ready. */
class ScoredGroup {
  readonly name: string;
  readonly params: GroupModelParams;
  readonly state: GroupModelState;
  readonly x: Float64Array;
  readonly quality: Uint8Array;
  readonly verdict: GroupVerdict = emptyGroupVerdict();
  /** Column of each member in the windows' columns, -1: none. */
  readonly #columns: Int32Array;
  #numbers: readonly SeriesNumber[] | null = null;
  /** When it left the expected, Unix ms; NaN while it is inside. */
  sinceMs = Number.NaN;
  /** The series that it was first told of. */
  first: SeriesId | null = null;

  constructor(name: string, params: GroupModelParams) {
    this.name = name;
    this.params = params;
    this.state = startGroupModel(params);
    this.x = new Float64Array(params.members.length);
    this.quality = new Uint8Array(params.members.length);
    this.#columns = new Int32Array(params.members.length).fill(-1);
  }

  score(numbers: readonly SeriesNumber[], columns: WindowColumns, id: (series: SeriesNumber) => SeriesId): void {
    if (numbers !== this.#numbers) this.#place(numbers, id);
    for (let i = 0; i < this.x.length; i++) {
      const column = this.#columns[i]!;
      const here = column >= 0 && columns.count[column]! > 0 && Number.isFinite(columns.mean[column]!);
      this.x[i] = here ? columns.mean[column]! : Number.NaN;
      this.quality[i] = here ? Quality.good : Quality.bad;
    }
    scoreGroup(this.params, this.state, this.x, this.quality, this.verdict);
  }

  #place(numbers: readonly SeriesNumber[], id: (series: SeriesNumber) => SeriesId): void {
    this.#numbers = numbers;
    this.#columns.fill(-1);
    for (let i = 0; i < numbers.length; i++) {
      const place = this.params.members.indexOf(id(numbers[i]!));
      if (place >= 0) this.#columns[place] = i;
    }
  }
}

interface Beside {
  readonly tally: Tally;
  readonly groups: readonly ScoredGroup[];
}

export class GroupModelStage {
  readonly #options: GroupModelOptions;
  #groups: readonly ScoredGroup[] = [];
  readonly #habit = new Habit(MOST_MODEL_GROUPS);
  #beside: Beside | null = null;
  /** Numbers of groups by name, for what is counted of two models. */
  readonly #numberOf = new Map<string, number>();

  constructor(options: GroupModelOptions) {
    this.#options = options;
  }

  /** Runs this content from the next window on. Throws and leaves what ran before, if it can't be run here. */
  activate(content: Uint8Array): void {
    this.#groups = this.#read(content);
    this.#habit.clear();
    this.#beside = null;
  }

  deactivate(): void {
    this.#groups = [];
    this.#beside = null;
  }

  /** Holds the content (null: nothing) against what runs from the next window on. Throws if it can't. */
  compare(content: Uint8Array | null, mode: BesideMode): void {
    const groups = content === null ? [] : this.#read(content);
    const { clockMs = () => 0 } = this.#options;
    const limit = 2 * MOST_MODEL_GROUPS;
    this.#beside = { groups, tally: new Tally({ slot: GROUP_SLOT, mode, two: content !== null, limit, clockMs }) };
    this.#numberOf.clear();
    for (const { name } of [...this.#groups, ...groups]) {
      if (!this.#numberOf.has(name)) this.#numberOf.set(name, this.#numberOf.size);
    }
  }

  endComparison(): void {
    this.#beside = null;
  }

  comparison(): Comparison | null {
    return this.#beside?.tally.comparison() ?? null;
  }

  /** The idea of UTC moved by as much. */
  moveTimes(byMs: number): void {
    for (const group of this.#groups) group.sinceMs += byMs;
  }

  /** Judges a window: column i is series `numbers[i]`. */
  score(numbers: readonly SeriesNumber[], columns: WindowColumns, window: ScoredWindow): void {
    const { windowMs, clockMs = () => 0, onBroken } = this.#options;
    if (this.#groups.length === 0 || window.nominalMs !== windowMs || !isWholeWindow(window.lengthMs, windowMs)) return;
    const beganMs = clockMs();
    let broken: string | null = null;
    try {
      broken = this.#judge(numbers, columns, window);
    } catch (error) {
      broken = `it threw: ${messageOf(error)}`;
    }
    const beside = this.#beside;
    if (broken === null && beside !== null) {
      const wrong = beside.tally.round(() => this.#judgeBeside(beside, numbers, columns), clockMs() - beganMs);
      if (beside.tally.mode === 'trial') broken = wrong;
    }
    if (broken === null) return;
    this.deactivate();
    onBroken?.(GROUP_SLOT, broken);
  }

  #judge(numbers: readonly SeriesNumber[], columns: WindowColumns, window: ScoredWindow): string | null {
    for (const [i, group] of this.#groups.entries()) {
      group.score(numbers, columns, (number) => this.#options.series.id(number));
      const { ready, bits, finding } = group.verdict;
      if (!Number.isFinite(bits)) return 'it says NaN';
      if (ready) this.#beside?.tally.main(this.#numberOf.get(group.name) ?? 0, finding, bits);
      if (!finding) group.sinceMs = Number.NaN;
      else if (this.#habit.tells(i, bits - group.params.findingBits, window.endMonotonicMs)) this.#tell(group, window);
    }
    return null;
  }

  #judgeBeside({ groups, tally }: Beside, numbers: readonly SeriesNumber[], columns: WindowColumns): string | null {
    let wrong: string | null = null;
    for (const group of groups) {
      group.score(numbers, columns, (number) => this.#options.series.id(number));
      const { ready, bits, finding } = group.verdict;
      if (ready || !Number.isFinite(bits)) wrong ??= tally.beside(this.#numberOf.get(group.name) ?? 0, finding, bits);
    }
    return wrong;
  }

  #tell(group: ScoredGroup, { endMonotonicMs, endUtcMs, lengthMs, nominalMs }: ScoredWindow): void {
    const at = { monotonicMs: endMonotonicMs, utcMs: endUtcMs ?? 0 };
    // Where nobody knows the time a finding has none; it is told when it lasts until somebody does.
    if (endUtcMs === null) return;
    if (Number.isNaN(group.sinceMs)) {
      group.sinceMs = at.utcMs - lengthMs;
      group.first = null;
    }
    const parts = this.#parts(group);
    const first = parts.find(({ series }) => series === group.first) ?? parts[0];
    if (first === undefined) return;
    group.first = first.series;
    const { share: _, ...own } = first;
    const { bits } = group.verdict;
    const finding: Finding = {
      ...own,
      detector: 'group',
      tier: 'window',
      sinceMs: group.sinceMs,
      lastMs: at.utcMs,
      bits,
      returnPeriodMs: Math.min(LONGEST_RETURN_MS, nominalMs * 2 ** bits),
      intervalMs: nominalMs,
      members: parts.slice(0, findingLimits.members),
    };
    this.#options.onFinding(finding, at);
  }

  /** Who takes part in what was scored last, the greatest share first. */
  #parts({ params, state, x, quality, verdict }: ScoredGroup): Member[] {
    const shares = new Float64Array(x.length);
    // Measured anew: the row of another group may have been measured since.
    scoreGroup(params, state, x, quality, verdict);
    contributions(state, verdict.apart ? TIGHT_FLOOR : BROAD_FLOOR, shares);
    const { series } = this.#options;
    const order = Array.from(shares.keys()).sort((a, b) => shares[b]! - shares[a]!);
    return order.flatMap((i): Member[] => {
      const id = params.members[i]!;
      const number = series.numberOf(id);
      const definition = number < 0 ? null : series.definition(number);
      if (definition === null) return [];
      const { name, unit, attributes, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = definition;
      const { low, high } = expectedOf(state, i);
      const ranged = hasPart(state, i) && Number.isFinite(low) && Number.isFinite(high);
      return [
        {
          series: id,
          key: { name, unit, attributes },
          share: shares[i]!,
          seen: Number.isFinite(x[i]!) ? x[i]! : null,
          expectedLow: ranged ? Math.min(max, Math.max(min, low)) : null,
          expectedHigh: ranged ? Math.max(min, Math.min(max, high)) : null,
        },
      ];
    });
  }

  #read(content: Uint8Array): ScoredGroup[] {
    const { windowMs, series, allKnown } = this.#options;
    const model = decodeGroupModel(content);
    if (model.windowMs !== windowMs) {
      throw new PicketError(
        'manifest.unsupported',
        `the model is for windows of ${model.windowMs} ms; this agent makes windows of ${windowMs} ms`,
      );
    }
    const groups = [...model.groups].map(([name, params]) => new ScoredGroup(name, params));
    // At the start nothing is here yet: then it is seen window by window.
    const isHere = ({ params: { members } }: ScoredGroup): boolean =>
      members.filter((id) => series.numberOf(id) >= 0).length >= LEAST_HERE * members.length;
    if (allKnown() && !groups.some(isHere)) {
      throw new PicketError('manifest.unsupported', 'the groups of the model have other series than this machine');
    }
    return groups;
  }
}
