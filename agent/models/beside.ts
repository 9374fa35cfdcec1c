/** A second seasonal model beside the one that runs: it judges the same windows, raises nothing, and both are counted. */
import type { Instant } from '../../shared/clock.ts';
import { emptyVerdict } from '../../shared/detect/detector.ts';
import { type SeasonalState, seasonal } from '../../shared/detect/seasonal.ts';
import { Quality, type SeriesId, type SeriesNumber } from '../../shared/series.ts';
import type { SeasonalModel } from '../../shared/wire/seasonal-model.ts';
import type { WindowColumns } from '../../shared/wire/summary.ts';
import { Tally, type TallyOptions } from './tally.ts';

export interface BesideOptions extends Omit<TallyOptions, 'two'> {
  readonly windowMs: number;
  /** Null: there is no second one, and the first alone is counted. */
  readonly model: SeasonalModel | null;
}

export class Beside {
  readonly windowMs: number;
  readonly tally: Tally;
  readonly #model: SeasonalModel | null;
  readonly #state: SeasonalState = { windows: 0, lastMs: 0 };
  readonly #x = new Float64Array(1);
  readonly #quality = Uint8Array.of(Quality.good);
  readonly #verdict = emptyVerdict();

  constructor(options: BesideOptions) {
    this.windowMs = options.windowMs;
    this.tally = new Tally({ ...options, two: options.model !== null });
    this.#model = options.model;
  }

  /** The second one's turn. Answers with what is wrong with the new one, or null. */
  round(
    numbers: readonly SeriesNumber[],
    columns: WindowColumns,
    at: Instant,
    id: (series: SeriesNumber) => SeriesId,
    mainMs: number,
  ): string | null {
    const judge = (): string | null => {
      let wrong: string | null = null;
      for (let i = 0; i < numbers.length && wrong === null; i++) wrong = this.#judge(numbers[i]!, columns, i, at, id);
      return wrong;
    };
    return this.tally.round(judge, mainMs);
  }

  #judge(
    series: SeriesNumber,
    columns: WindowColumns,
    column: number,
    at: Instant,
    id: (series: SeriesNumber) => SeriesId,
  ): string | null {
    const params = columns.count[column] === 0 ? undefined : this.#model!.series.get(id(series));
    if (params === undefined) return null;
    this.#x[0] = columns.mean[column]!;
    const verdict = this.#verdict;
    seasonal.score(params, this.#state, this.#x, this.#quality, at, verdict);
    return verdict.ready ? this.tally.beside(series, verdict.finding, verdict.bits) : null;
  }
}
