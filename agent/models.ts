/**
 * Window tier: scores each closed window's features with the models that the central trained, by the code with which
 * the central tried them. Learns nothing; without a model, or for a series that the model does not know, it says
 * "not ready".
 *
 *   apply ── activate(content) ─►┐
 *   windows ── score(columns) ───┴─► bits, expected range (arrays by series number, reused) → status, pages
 *                                └─► Finding objects, tier `window`, while a series is outside → incidents
 *
 * At most one other model beside each: `models/beside.ts`.
 */
import type { Instant } from '../shared/clock.ts';
import { TOGETHER_BITS, widened } from '../shared/detect/allowance.ts';
import { localMs } from '../shared/detect/civil.ts';
import { emptyVerdict } from '../shared/detect/detector.ts';
import { group } from '../shared/detect/group.ts';
import { Habit } from '../shared/detect/habit.ts';
import {
  isWholeWindow,
  residualAt,
  type SeasonalState,
  seasonal,
  seasonalFeatureVersion,
  seasonalLevel,
} from '../shared/detect/seasonal.ts';
import { surprise } from '../shared/detect/surprise.ts';
import { messageOf, PicketError } from '../shared/errors.ts';
import type { Finding } from '../shared/findings.ts';
import { DAY_MS, MINUTE_MS } from '../shared/limits.ts';
import { Quality, type SeriesDefinition, type SeriesId, type SeriesNumber } from '../shared/series.ts';
import type { Supported } from '../shared/trust/verify.ts';
import { decodeSeasonalModel, type SeasonalModel, seasonalSlots } from '../shared/wire/seasonal-model.ts';
import type { WindowColumns } from '../shared/wire/summary.ts';
import { Beside } from './models/beside.ts';
import type { BesideMode, Comparison } from './models/tally.ts';

/** What this agent can run, for `Reported.supports`. */
export const supportedModels: readonly Supported[] = seasonalSlots.map(({ slot }) => ({
  kind: slot,
  major: seasonal.major,
  featureVersion: seasonalFeatureVersion,
}));

/** Return periods are told up to this: a thousand years, far beyond what is ever said. */
const LONGEST_RETURN_MS = 1000 * 365 * DAY_MS;

export interface ModelStageOptions {
  /** Most series at once, and so the size of every array by series number. */
  readonly limit: number;
  /**
   * Length of the windows that are told now. A model for windows of another length is held until these are told (again);
   * where there is none for what is told, that for minutes goes on, as long as minutes are made.
   */
  readonly windowMs: () => number;
  readonly series: {
    definition(series: SeriesNumber): SeriesDefinition | null;
    id(series: SeriesNumber): SeriesId;
  };
  /** Takes each finding, with the end of its window; must not throw. */
  readonly onFinding: (finding: Finding, at: Instant) => void;
  /** The model of the slot throws, says NaN, or is out of bounds in its trial. It is not asked again. */
  readonly onBroken?: (slot: string, reason: string) => void;
  /** What a model costs is measured with it; not said: not measured. */
  readonly clockMs?: () => number;
}

/** What is known of a window that ended. */
export interface ScoredWindow {
  readonly nominalMs: number;
  readonly lengthMs: number;
  readonly endMonotonicMs: number;
  /** Null where nobody knows the time: seasons cannot be told then. */
  readonly endUtcMs: number | null;
}

export class ModelStage {
  /** Of the last window, by series number: surprise in bits (0 while not ready) and expected range (NaN for none). */
  readonly bits: Float64Array;
  readonly expectedLow: Float64Array;
  readonly expectedHigh: Float64Array;

  readonly #options: ModelStageOptions;
  /** When a series left the expected, Unix ms; NaN while it is inside. */
  readonly #since: Float64Array;
  readonly #habit: Habit;
  readonly #state: SeasonalState = { windows: 0, lastMs: 0 };
  readonly #x = new Float64Array(1);
  readonly #quality = Uint8Array.of(Quality.good);
  readonly #verdict = emptyVerdict();
  readonly #at = { monotonicMs: 0, utcMs: 0 };
  /** By the length of the windows that they are for. */
  readonly #models = new Map<number, SeasonalModel>();
  readonly #beside = new Map<number, Beside>();

  constructor(options: ModelStageOptions) {
    this.#options = options;
    this.bits = new Float64Array(options.limit);
    this.expectedLow = new Float64Array(options.limit).fill(Number.NaN);
    this.expectedHigh = new Float64Array(options.limit).fill(Number.NaN);
    this.#since = new Float64Array(options.limit).fill(Number.NaN);
    this.#habit = new Habit(options.limit);
  }

  /** Series that the running model knows; 0 without one. */
  get series(): number {
    return this.#models.get(this.#lengthInUse())?.series.size ?? 0;
  }

  /** Runs this content from the next window on. Throws and leaves what ran before, if it can't be run here. */
  activate(slot: string, content: Uint8Array): void {
    const model = modelFor(slot, content);
    this.#models.set(model.windowMs, model);
    this.#beside.delete(model.windowMs);
    this.#since.fill(Number.NaN);
    this.#habit.clear();
  }

  deactivate(slot: string): void {
    for (const known of seasonalSlots) {
      if (known.slot !== slot) continue;
      this.#models.delete(known.windowMs);
      this.#beside.delete(known.windowMs);
    }
  }

  /** Holds the content (null: nothing) against what runs in the slot from the next window on. Throws if it can't. */
  compare(slot: string, content: Uint8Array | null, mode: BesideMode): void {
    const windowMs = windowOf(slot);
    const model = content === null ? null : modelFor(slot, content);
    const { limit, clockMs = () => 0 } = this.#options;
    this.#beside.set(windowMs, new Beside({ slot, windowMs, mode, model, limit, clockMs }));
  }

  /** Nothing runs beside the model of the slot any more. */
  endComparison(slot: string): void {
    this.#beside.delete(windowOf(slot));
  }

  /** What was found, of each slot in which two models run. */
  comparisons(): Comparison[] {
    return [...this.#beside.values()].map((beside) => beside.tally.comparison()).filter((each) => each !== null);
  }

  /** The idea of UTC moved by as much. */
  moveTimes(byMs: number): void {
    for (let number = 0; number < this.#since.length; number++) this.#since[number]! += byMs;
  }

  /** The number belongs to another series from now on. */
  forget(series: SeriesNumber): void {
    this.#clear(series);
    this.#habit.forget(series);
    for (const beside of this.#beside.values()) beside.tally.forget(series);
  }

  /** Whether operators said that as much is usual at this time of the day (`allowance.ts`). */
  isUsual(finding: Finding): boolean {
    return finding.detector === group.name ? this.#isUsualTogether(finding) : this.#isUsualAlone(finding);
  }

  /** Of a group: by the series that has the greatest part in it. */
  #isUsualTogether({ series, members = [], bits, lastMs }: Finding): boolean {
    const params = this.#models.get(this.#lengthInUse())?.series.get(members[0]?.series ?? series);
    if (params?.together === undefined) return false;
    const times = widened(params.together, localMs(params.zone, lastMs), true);
    return times > 1 && bits <= times * TOGETHER_BITS;
  }

  /** Of one series: it lies within the band that was widened for it, or within its own expected range widened as much. */
  #isUsualAlone({ series, detector, seen, expectedLow, expectedHigh, lastMs }: Finding): boolean {
    if (detector !== surprise.name || seen === null) return false;
    const params = this.#models.get(this.#lengthInUse())?.series.get(series);
    if (params?.allowances === undefined) return false;
    const level = seasonalLevel(params, lastMs);
    const times = widened(params.allowances, localMs(params.zone, lastMs), seen >= level);
    if (times <= 1) return false;
    const tail = seen >= level ? params.upper : params.lower;
    if (Math.abs(seen - level) <= times * params.scale * residualAt(tail, params.bandBits)) return true;
    if (expectedLow === null || expectedHigh === null) return false;
    const half = (expectedHigh - expectedLow) / 2;
    return Math.abs(seen - (expectedLow + half)) <= times * half;
  }

  /** Judges a window, where windows of its length are what is judged now: column i is series `numbers[i]`. */
  score(numbers: readonly SeriesNumber[], columns: WindowColumns, window: ScoredWindow): void {
    const { nominalMs } = window;
    if (nominalMs !== this.#lengthInUse()) return;
    const whole = isWholeWindow(window.lengthMs, nominalMs);
    const model = window.endUtcMs === null || !whole ? undefined : this.#models.get(nominalMs);
    this.#at.monotonicMs = window.endMonotonicMs;
    this.#at.utcMs = window.endUtcMs ?? 0;
    const beside = model === undefined ? undefined : this.#beside.get(nominalMs);
    const { clockMs } = this.#options;
    const beganMs = clockMs?.() ?? 0;
    let broken: string | null = null;
    try {
      broken = this.#judge(numbers, columns, window, model, beside);
    } catch (error) {
      broken = `it threw: ${messageOf(error)}`;
    }
    if (broken === null && beside !== undefined) {
      const { series } = this.#options;
      const mainMs = (clockMs?.() ?? 0) - beganMs;
      const wrong = beside.round(numbers, columns, this.#at, (number) => series.id(number), mainMs);
      if (beside.tally.mode === 'trial') broken = wrong;
    }
    if (broken === null || model === undefined) return;
    this.#models.delete(nominalMs);
    this.#beside.delete(nominalMs);
    for (const number of numbers) this.#clear(number);
    const slot = seasonalSlots.find((each) => each.windowMs === nominalMs)!.slot;
    this.#options.onBroken?.(slot, broken);
  }

  /** Answers with what is wrong with the model, or null. */
  #judge(
    numbers: readonly SeriesNumber[],
    columns: WindowColumns,
    window: ScoredWindow,
    model: SeasonalModel | undefined,
    beside: Beside | undefined,
  ): string | null {
    for (let i = 0; i < numbers.length; i++) {
      const number = numbers[i]!;
      const params = model?.series.get(this.#options.series.id(number));
      const derived = params !== undefined && this.#options.series.definition(number)?.derived === true;
      if (params === undefined || derived || columns.count[i] === 0) {
        this.#clear(number);
        continue;
      }
      this.#x[0] = columns.mean[i]!;
      const verdict = this.#verdict;
      seasonal.score(params, this.#state, this.#x, this.#quality, this.#at, verdict);
      if (!Number.isFinite(verdict.bits)) return 'it says NaN';
      if (verdict.ready) beside?.tally.main(number, verdict.finding, verdict.bits);
      this.bits[number] = verdict.bits;
      this.expectedLow[number] = verdict.expectedLow;
      this.expectedHigh[number] = verdict.expectedHigh;
      if (!verdict.finding) this.#since[number] = Number.NaN;
      else if (this.#habit.tells(number, verdict.bits - params.findingBits, window.endMonotonicMs)) {
        this.#tell(number, window);
      }
    }
    return null;
  }

  #clear(number: SeriesNumber): void {
    this.bits[number] = 0;
    this.expectedLow[number] = Number.NaN;
    this.expectedHigh[number] = Number.NaN;
    this.#since[number] = Number.NaN;
  }

  /** One at a time: two that look at the same values would have twice the findings that are allowed. */
  #lengthInUse(): number {
    const toldMs = this.#options.windowMs();
    return !this.#models.has(toldMs) && this.#models.has(MINUTE_MS) ? MINUTE_MS : toldMs;
  }

  #tell(number: SeriesNumber, { lengthMs, nominalMs }: ScoredWindow): void {
    const { series, onFinding } = this.#options;
    const definition = series.definition(number);
    if (definition === null) return;
    const at: Instant = { ...this.#at };
    if (Number.isNaN(this.#since[number]!)) this.#since[number] = at.utcMs - lengthMs;
    const { bits, expectedLow, expectedHigh } = this.#verdict;
    const { name, unit, attributes } = definition;
    onFinding(
      {
        series: series.id(number),
        key: { name, unit, attributes },
        detector: seasonal.name,
        tier: 'window',
        sinceMs: this.#since[number]!,
        lastMs: at.utcMs,
        seen: this.#x[0]!,
        expectedLow,
        expectedHigh,
        bits,
        returnPeriodMs: Math.min(LONGEST_RETURN_MS, nominalMs * 2 ** bits),
        intervalMs: nominalMs,
      },
      at,
    );
  }
}

function windowOf(slot: string): number {
  const windowMs = seasonalSlots.find((each) => each.slot === slot)?.windowMs;
  if (windowMs === undefined) throw new PicketError('manifest.unsupported', `nothing runs in the slot ${slot} here`);
  return windowMs;
}

function modelFor(slot: string, content: Uint8Array): SeasonalModel {
  const model = decodeSeasonalModel(content);
  const windowMs = windowOf(slot);
  if (model.windowMs === windowMs) return model;
  throw new PicketError(
    'manifest.unsupported',
    `the model is for windows of ${model.windowMs} ms; the slot ${slot} is for ${windowMs} ms`,
  );
}
