/**
 * A second model beside the one that runs: it judges the same windows, raises nothing, and what both said is counted.
 * In a shadow the second one is new; in a trial the first one is, and the second is the one that it replaced, or none.
 *
 * Whichever is new is held to bounds that need no central: it may not throw, say NaN, be slow, or be far louder than
 * the other. Without another to be held against, it may not call a quarter of all windows unusual.
 */
import type { Instant } from '../../shared/clock.ts';
import { emptyVerdict } from '../../shared/detect/detector.ts';
import { type SeasonalState, seasonal } from '../../shared/detect/seasonal.ts';
import { messageOf } from '../../shared/errors.ts';
import { Quality, type SeriesId, type SeriesNumber } from '../../shared/series.ts';
import type { BesideReport } from '../../shared/trust/messages.ts';
import type { SeasonalModel } from '../../shared/wire/seasonal-model.ts';
import type { WindowColumns } from '../../shared/wire/summary.ts';

export type BesideMode = 'shadow' | 'trial';
export type Comparison = Omit<BesideReport, 'mainSha256' | 'besideSha256'>;

/** Findings, and windows with one, that the new one may have more, whatever the other has: chance, or one incident. */
const FINDINGS_MORE = 10;
const OUTSIDE_MORE = 60;
/** ... and how many times the other's. */
const TIMES = 10;
/** Windows that are outside for long (another unit) are much only as a share of all. */
const OUTSIDE_SHARE = 0.1;
/** Windows, and the share of them, after which a model without another to be held against is too loud. */
const ALONE_WINDOWS = 200;
const ALONE_SHARE = 0.25;
/** One round over all series takes a few ms; this for several in a row is too slow. */
const SLOW_MS = 250;
const SLOW_ROUNDS = 3;

const outcome = { none: 0, inside: 1, outside: 2 } as const;

export class Beside {
  readonly slot: string;
  readonly windowMs: number;
  readonly mode: BesideMode;
  readonly #model: SeasonalModel | null;
  readonly #clockMs: () => number;
  /** By series number: what the first said of this window, and whether each was outside in the last one. */
  readonly #said: Uint8Array;
  readonly #mainWas: Uint8Array;
  readonly #besideWas: Uint8Array;
  readonly #state: SeasonalState = { windows: 0, lastMs: 0 };
  readonly #x = new Float64Array(1);
  readonly #quality = Uint8Array.of(Quality.good);
  readonly #verdict = emptyVerdict();
  readonly #counts = {
    windows: 0,
    agreed: 0,
    mainFindings: 0,
    besideFindings: 0,
    mainOutside: 0,
    besideOutside: 0,
    mainBits: 0,
    besideBits: 0,
    mainMs: 0,
    besideMs: 0,
  };
  #mainWindows = 0;
  #slowRounds = 0;
  #dropped: string | null = null;

  constructor(options: {
    readonly slot: string;
    readonly windowMs: number;
    readonly mode: BesideMode;
    /** Null: there is no second one, and the first alone is counted. */
    readonly model: SeasonalModel | null;
    readonly limit: number;
    readonly clockMs: () => number;
  }) {
    this.slot = options.slot;
    this.windowMs = options.windowMs;
    this.mode = options.mode;
    this.#model = options.model;
    this.#clockMs = options.clockMs;
    this.#said = new Uint8Array(options.limit);
    this.#mainWas = new Uint8Array(options.limit);
    this.#besideWas = new Uint8Array(options.limit);
  }

  comparison(): Comparison | null {
    if (this.#model === null) return null;
    return { slot: this.slot, ...this.#counts, ...(this.#dropped === null ? {} : { dropped: this.#dropped }) };
  }

  /** The first one judged a window of the series. */
  main(series: SeriesNumber, finding: boolean, bits: number): void {
    this.#mainWindows++;
    this.#said[series] = finding ? outcome.outside : outcome.inside;
    this.#counts.mainBits = Math.max(this.#counts.mainBits, bits);
    if (finding) this.#counts.mainOutside++;
    if (finding && this.#mainWas[series] === 0) this.#counts.mainFindings++;
    this.#mainWas[series] = finding ? 1 : 0;
  }

  forget(series: SeriesNumber): void {
    this.#mainWas[series] = 0;
    this.#besideWas[series] = 0;
  }

  /** The second one's turn. Answers with what is wrong with the new one, or null. */
  round(
    numbers: readonly SeriesNumber[],
    columns: WindowColumns,
    at: Instant,
    id: (series: SeriesNumber) => SeriesId,
    mainMs: number,
  ): string | null {
    const counts = this.#counts;
    counts.mainMs += mainMs;
    const beganMs = this.#clockMs();
    let wrong: string | null = null;
    if (this.#model !== null && this.#dropped === null) {
      try {
        for (let i = 0; i < numbers.length && wrong === null; i++) wrong = this.#judge(numbers[i]!, columns, i, at, id);
      } catch (error) {
        wrong = `it threw: ${messageOf(error)}`;
      }
    }
    const besideMs = Math.max(0, this.#clockMs() - beganMs);
    counts.besideMs += besideMs;
    this.#said.fill(outcome.none);
    // What the old one does wrong in a trial is nobody's fault now: there is just nothing to be held against any more.
    if (wrong !== null) this.#dropped = wrong;
    const shadow = this.mode === 'shadow';
    if (wrong !== null) return shadow ? wrong : null;
    if (shadow && this.#dropped !== null) return null;
    this.#slowRounds = (shadow ? besideMs : mainMs) > SLOW_MS ? this.#slowRounds + 1 : 0;
    if (this.#slowRounds >= SLOW_ROUNDS) wrong = `it is slow: over ${SLOW_MS} ms for each of ${SLOW_ROUNDS} rounds`;
    wrong ??= this.#loudness();
    if (wrong !== null) this.#dropped = wrong;
    return wrong;
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
    if (!verdict.ready) return null;
    if (!Number.isFinite(verdict.bits)) return 'it says NaN';
    const counts = this.#counts;
    const said = this.#said[series];
    if (said !== outcome.none) {
      counts.windows++;
      if ((said === outcome.outside) === verdict.finding) counts.agreed++;
    }
    counts.besideBits = Math.max(counts.besideBits, verdict.bits);
    if (verdict.finding) counts.besideOutside++;
    if (verdict.finding && this.#besideWas[series] === 0) counts.besideFindings++;
    this.#besideWas[series] = verdict.finding ? 1 : 0;
    return null;
  }

  #loudness(): string | null {
    const { mainFindings, besideFindings, mainOutside, besideOutside, windows } = this.#counts;
    const shadow = this.mode === 'shadow';
    if (this.#model === null || this.#dropped !== null) {
      const much = this.#mainWindows >= ALONE_WINDOWS && mainOutside > ALONE_SHARE * this.#mainWindows;
      return much ? `it is too loud: ${mainOutside} of ${this.#mainWindows} windows are unusual to it` : null;
    }
    const [mine, others] = shadow ? [besideFindings, mainFindings] : [mainFindings, besideFindings];
    if (mine > FINDINGS_MORE + TIMES * others) {
      return `it is too loud: ${mine} findings, where the other model has ${others} in the same windows`;
    }
    const [out, othersOut] = shadow ? [besideOutside, mainOutside] : [mainOutside, besideOutside];
    if (out > OUTSIDE_MORE + TIMES * othersOut && out > OUTSIDE_SHARE * windows) {
      return `it is too loud: ${out} windows are unusual to it, ${othersOut} to the other model`;
    }
    return null;
  }
}
