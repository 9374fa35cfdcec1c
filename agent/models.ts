/**
 * Window tier: scores each closed window's features with the models that the central trained, by the code with which
 * the central tried them. Learns nothing; without a model, or for a series that the model does not know, it says
 * "not ready".
 *
 *   apply ── activate(content) ─►┐
 *   windows ── score(columns) ───┴─► bits, expected range (arrays by series number, reused) → status, pages
 *                                └─► Finding objects, tier `window`, while a series is outside → incidents
 */
import type { Instant } from '../shared/clock.ts';
import { emptyVerdict } from '../shared/detect/detector.ts';
import { isWholeWindow, type SeasonalState, seasonal, seasonalFeatureVersion } from '../shared/detect/seasonal.ts';
import { PicketError } from '../shared/errors.ts';
import type { Finding } from '../shared/findings.ts';
import { DAY_MS } from '../shared/limits.ts';
import { Quality, type SeriesDefinition, type SeriesId, type SeriesNumber } from '../shared/series.ts';
import type { Supported } from '../shared/trust/verify.ts';
import { decodeSeasonalModel, type SeasonalModel } from '../shared/wire/seasonal-model.ts';
import type { WindowColumns } from '../shared/wire/summary.ts';

/** What this agent can run, for `Reported.supports`. */
export const supportedModels: readonly Supported[] = [
  { kind: 'model/seasonal', major: seasonal.major, featureVersion: seasonalFeatureVersion },
];

/** Return periods are told up to this: a thousand years, far beyond what is ever said. */
const LONGEST_RETURN_MS = 1000 * 365 * DAY_MS;

export interface ModelStageOptions {
  /** Most series at once, and so the size of every array by series number. */
  readonly limit: number;
  /** Length of this agent's windows; a model for others is refused. */
  readonly windowMs: number;
  readonly series: {
    definition(series: SeriesNumber): SeriesDefinition | null;
    id(series: SeriesNumber): SeriesId;
  };
  /** Takes each finding, with the end of its window; must not throw. */
  readonly onFinding: (finding: Finding, at: Instant) => void;
}

/** What is known of a window that ended. */
export interface ScoredWindow {
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
  readonly #state: SeasonalState = { windows: 0, lastMs: 0 };
  readonly #x = new Float64Array(1);
  readonly #quality = Uint8Array.of(Quality.good);
  readonly #verdict = emptyVerdict();
  readonly #at = { monotonicMs: 0, utcMs: 0 };
  #model: SeasonalModel | null = null;

  constructor(options: ModelStageOptions) {
    this.#options = options;
    this.bits = new Float64Array(options.limit);
    this.expectedLow = new Float64Array(options.limit).fill(Number.NaN);
    this.expectedHigh = new Float64Array(options.limit).fill(Number.NaN);
    this.#since = new Float64Array(options.limit).fill(Number.NaN);
  }

  /** Series that the running model knows; 0 without one. */
  get series(): number {
    return this.#model?.series.size ?? 0;
  }

  /** Runs this content from the next window on. Throws and leaves what ran before, if it can't be run here. */
  activate(content: Uint8Array): void {
    const model = decodeSeasonalModel(content);
    if (model.windowMs !== this.#options.windowMs) {
      throw new PicketError(
        'manifest.unsupported',
        `the model is for windows of ${model.windowMs} ms; this agent makes them of ${this.#options.windowMs} ms`,
      );
    }
    this.#model = model;
    this.#since.fill(Number.NaN);
  }

  deactivate(): void {
    this.#model = null;
  }

  /** The number belongs to another series from now on. */
  forget(series: SeriesNumber): void {
    this.#clear(series);
  }

  /** Judges a window: column i is series `numbers[i]`. */
  score(numbers: readonly SeriesNumber[], columns: WindowColumns, window: ScoredWindow): void {
    const whole = isWholeWindow(window.lengthMs, this.#options.windowMs);
    const model = window.endUtcMs === null || !whole ? null : this.#model;
    this.#at.monotonicMs = window.endMonotonicMs;
    this.#at.utcMs = window.endUtcMs ?? 0;
    for (let i = 0; i < numbers.length; i++) {
      const number = numbers[i]!;
      const params = model?.series.get(this.#options.series.id(number));
      if (params === undefined || columns.count[i] === 0) {
        this.#clear(number);
        continue;
      }
      this.#x[0] = columns.mean[i]!;
      const verdict = this.#verdict;
      seasonal.score(params, this.#state, this.#x, this.#quality, this.#at, verdict);
      this.bits[number] = verdict.bits;
      this.expectedLow[number] = verdict.expectedLow;
      this.expectedHigh[number] = verdict.expectedHigh;
      if (verdict.finding) this.#tell(number, window.lengthMs);
      else this.#since[number] = Number.NaN;
    }
  }

  #clear(number: SeriesNumber): void {
    this.bits[number] = 0;
    this.expectedLow[number] = Number.NaN;
    this.expectedHigh[number] = Number.NaN;
    this.#since[number] = Number.NaN;
  }

  #tell(number: SeriesNumber, lengthMs: number): void {
    const { series, onFinding, windowMs } = this.#options;
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
        returnPeriodMs: Math.min(LONGEST_RETURN_MS, windowMs * 2 ** bits),
      },
      at,
    );
  }
}
