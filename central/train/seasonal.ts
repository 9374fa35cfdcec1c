/**
 * Trains the seasonal model of each series from window features alone: profile, residual scale, tails.
 *
 * With little history it is honest rather than sharp: the spread within the windows widens the scale, the tails keep
 * to their prior, and nothing may be called much rarer than the history is long.
 */
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { ZoneOffsets } from '../../shared/detect/civil.ts';
import {
  isWholeWindow,
  type SeasonalParams,
  seasonalFeatureVersion,
  seasonalLevel,
} from '../../shared/detect/seasonal.ts';
import { PicketError } from '../../shared/errors.ts';
import { DAY_MS } from '../../shared/limits.ts';
import type { SeriesId } from '../../shared/series.ts';
import { taught } from './allowances.ts';
import { fitProfile } from './profile.ts';
import { MAD_TO_DEVIATION, medianDistance, medianOf, sorted } from './robust.ts';
import { fitTail } from './tail-fit.ts';
import type { Fit, Trainer, TrainingBlock } from './trainer.ts';
import { unseenResiduals } from './unseen.ts';

/** Fewer windows say nothing about a series. */
export const MIN_WINDOWS = 3;
/** Share of the windows that lies in the expected band. */
export const BAND_COVERAGE = 0.98;
/**
 * Bits that a tail may claim beyond the length of its history, once it has seen values vary: from a day of minutes
 * "once in 64 days" and no more, and for each doubling of days 1.7 times as much, as days are what a tail is known from (see
 * `PEAKS_A_DAY`). Of servers (SMD) 10 bits made some hundred findings a day from the first few hours. With less than this
 * a machine of some hundred series would have no findings of its window model at all, whatever comes: its budget asks of
 * each one log2(1,440 × series / 0.05) bits, 23 for 300 series, which two weeks can say.
 */
const EXTRAPOLATION_BITS = 6;
const EXTRAPOLATION_BITS_PER_DOUBLING = 0.75;
const MOST_EXTRAPOLATION_BITS = 9;
/** Windows after which the spread within windows weighs half. */
const WIDENING_WINDOWS = 30;
/** A scale below this share of the level is noise of the wire's coding. */
const SMALLEST_RELATIVE_SCALE = 1e-3;
const SMALLEST_SCALE = 1e-6;
/** Windows most samples of which were findings are left out, unless they are more than this share of all. */
const OUTLIER_SHARE = 0.1;
/** Where fewer windows than this are beyond doubt, those in doubt count as well. */
const SURE_SHARE = 0.8;

export interface SeasonalTraining {
  readonly windowMs: number;
  readonly zone: ZoneOffsets;
  /** Findings a machine-day that the model may make. */
  readonly findingsPerDay: number;
  /** Windows that each row stands for; default 1. */
  readonly windowsEach?: number;
  /** Fewest windows of a series; default 3. */
  readonly minimumWindows?: number;
}

export type SeasonalColumns = Omit<TrainingBlock, 'agent' | 'key' | 'series' | 'last' | 'highestScore'>;

/** The windows of one series that are fit to learn from. */
interface Windows {
  readonly endsMs: Float64Array;
  readonly means: Float64Array;
  readonly weights: Float64Array;
  /** 1: an operator said that what was found here is usual. */
  readonly usual: Uint8Array;
  /** 1: of an incident that nobody judged. */
  readonly doubtful: Uint8Array;
  /** Typical spread of the samples within a window and over all of them. */
  readonly spread: number;
  readonly nonNegative: boolean;
}

/** Blocks of one series must follow each other; they are taken together, one series in memory at a time. */
export function seasonalTrainer(options: SeasonalTraining): Trainer<SeasonalParams> {
  return {
    kind: 'seasonal',
    featureVersion: seasonalFeatureVersion,
    async train(history, _random, signal): Promise<Fit<SeasonalParams>> {
      const fitted = new Map<SeriesId, SeasonalParams>();
      const left = new Map<SeriesId, string>();
      for await (const [series, columns] of bySeries(history)) {
        signal.throwIfAborted();
        if (fitted.has(series) || left.has(series)) {
          throw new PicketError('internal', `blocks of series ${series} do not follow each other`);
        }
        const result = fitSeasonal(columns, options);
        if (typeof result === 'string') left.set(series, result);
        else fitted.set(series, result);
        await yieldToOthers();
      }
      const perDay = (DAY_MS / options.windowMs) * Math.max(1, fitted.size);
      const findingBits = Math.max(1, Math.log2(perDay / options.findingsPerDay));
      return { series: new Map([...fitted].map(([id, params]) => [id, { ...params, findingBits }])), left };
    },
  };
}

async function* bySeries(history: AsyncIterable<TrainingBlock>): AsyncIterable<readonly [SeriesId, SeasonalColumns[]]> {
  let series: SeriesId | null = null;
  let blocks: SeasonalColumns[] = [];
  for await (const block of history) {
    if (block.series !== series) {
      if (series !== null) yield [series, blocks];
      series = block.series;
      blocks = [];
    }
    blocks.push(block);
  }
  if (series !== null) yield [series, blocks];
}

/** Parameters of one series, or why it has none. */
export function fitSeasonal(
  blocks: readonly SeasonalColumns[],
  options: Omit<SeasonalTraining, 'findingsPerDay'>,
): SeasonalParams | string {
  const windows = select(blocks, options.windowMs);
  const { means, endsMs, weights } = windows;
  const least = options.minimumWindows ?? MIN_WINDOWS;
  if (means.length < least) return `only ${means.length} windows; ${least} are needed`;
  const course = steadyCourse(means);
  if (course !== null) return course;
  const all = { endsMs, values: means, weights, windowMs: options.windowMs, zone: options.zone };
  const profile = fitProfile(all);
  const shape = { ...options, ...profile };
  const seen = means.map((mean, i) => mean - seasonalLevel(shape, endsMs[i]!));
  const residuals = typical(unseenResiduals(all, profile) ?? seen, windows, least);
  const centre = medianOf(profile.levels);
  const floor = Math.max(SMALLEST_SCALE, SMALLEST_RELATIVE_SCALE * Math.abs(centre));
  const varied = residuals.reduce((count, residual) => count + (Math.abs(residual) > floor ? 1 : 0), 0);
  const widening = WIDENING_WINDOWS / (means.length + WIDENING_WINDOWS);
  const scale = Math.max(floor, scaleOf(residuals) + widening * windows.spread);
  const z = sorted(residuals.map((residual) => residual / scale));
  const days = (endsMs.at(-1)! - endsMs[0]! + options.windowMs) / DAY_MS;
  const longer = EXTRAPOLATION_BITS_PER_DOUBLING * Math.log2(Math.max(1, days));
  const beyond = Math.min(MOST_EXTRAPOLATION_BITS, EXTRAPOLATION_BITS + longer);
  const params: SeasonalParams = {
    ...simplified(shape, scale),
    windows: means.length,
    scale,
    upper: fitTail(z, days),
    lower: fitTail(Float64Array.from(z, (value) => -value).reverse(), days),
    nonNegative: windows.nonNegative,
    capBits: Math.log2(means.length * (options.windowsEach ?? 1) + 1) + (beyond * varied) / (varied + 10),
    bandBits: -Math.log2(1 - BAND_COVERAGE),
    findingBits: 60,
  };
  return taught(params, {
    ...{ endsMs, residuals: seen, usual: windows.usual },
    elsewhere: blocks.flatMap((block) => block.elsewhere ?? []),
    together: blocks.flatMap((block) => block.together ?? []),
  });
}

/** A model that learned before, with what operators said since. */
export function taughtSeasonal(params: SeasonalParams, block: SeasonalColumns): SeasonalParams {
  const { timesMs: endsMs, mean, usual = new Uint8Array(mean.length), elsewhere, together } = block;
  const residuals = mean.map((value, i) => value - seasonalLevel(params, endsMs[i]!));
  return taught(params, { endsMs, residuals, usual, elsewhere, together });
}

function select(blocks: readonly SeasonalColumns[], windowMs: number): Windows {
  let whole = 0;
  let wild = 0;
  for (const block of blocks) {
    for (let i = 0; i < block.timesMs.length; i++) {
      if (!isFit(block, i, windowMs)) continue;
      whole++;
      if (isWild(block, i)) wild++;
    }
  }
  const tame = wild <= OUTLIER_SHARE * whole;
  const rows = tame ? whole - wild : whole;
  const endsMs = new Float64Array(rows);
  const means = new Float64Array(rows);
  const weights = new Float64Array(rows);
  const deviations = new Float64Array(rows);
  const usual = new Uint8Array(rows);
  const doubtful = new Uint8Array(rows);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let row = 0;
  for (const block of blocks) {
    for (let i = 0; i < block.timesMs.length; i++) {
      if (!isFit(block, i, windowMs) || (tame && isWild(block, i))) continue;
      endsMs[row] = block.timesMs[i]!;
      means[row] = block.mean[i]!;
      weights[row] = weightOf(block, i);
      deviations[row] = block.deviation[i]!;
      usual[row] = block.usual?.[i] ?? 0;
      doubtful[row] = (block.trust?.[i] ?? 1) < 1 ? 1 : 0;
      low = Math.min(low, block.min[i]!);
      high = Math.max(high, block.max[i]!);
      row++;
    }
  }
  const deviation = medianOf(deviations);
  const range = high > low ? (high - low) / 6 : 0;
  return {
    ...{ endsMs, means, weights, usual, doubtful },
    spread: Math.max(Number.isFinite(deviation) ? deviation : 0, Number.isFinite(range) ? range : 0),
    nonNegative: low >= 0,
  };
}

function isFit(block: SeasonalColumns, i: number, windowMs: number): boolean {
  return isWholeWindow(block.lengthsMs[i]!, windowMs) && block.count[i]! > 0 && Number.isFinite(block.mean[i]!);
}

/** Most of its samples were findings, and nobody said that these are usual. */
function isWild(block: SeasonalColumns, i: number): boolean {
  return block.anomalyShare[i]! > 0.5 && block.usual?.[i] !== 1;
}

function weightOf(block: SeasonalColumns, i: number): number {
  if (block.usual?.[i] === 1) return 1;
  return (1 - Math.min(0.9, block.anomalyShare[i]! || 0)) * (block.trust?.[i] ?? 1);
}

/**
 * Residuals that say how large deviations usually are. What operators called usual is allowed at its own time, and makes
 * no other time less sharp; what nobody judged makes no tail heavier, unless there is so much of it that it is the rule.
 */
function typical(residuals: Float64Array, { usual, doubtful }: Windows, least: number): Float64Array {
  let judged = 0;
  let sure = 0;
  for (let i = 0; i < usual.length; i++) {
    if (usual[i] === 1) continue;
    judged++;
    if (doubtful[i] === 0) sure++;
  }
  if (sure === residuals.length || judged < least) return residuals;
  const alsoDoubtful = sure < Math.max(least, SURE_SHARE * judged);
  return residuals.filter((_, i) => usual[i] === 0 && (alsoDoubtful || doubtful[i] === 0));
}

/** What only rises or falls (an uptime, a filling disk) wants a forecast, not a season; null for all others. */
function steadyCourse(means: Float64Array): string | null {
  const steps = means.subarray(1).map((mean, i) => mean - means[i]!);
  const up = steps.filter((step) => step > 0).length;
  const down = steps.filter((step) => step < 0).length;
  const oneWay = Math.max(up, down) >= 0.95 * steps.length;
  if (!oneWay) return null;
  const typical = medianOf(steps);
  const even = medianDistance(steps, typical) <= 0.01 * Math.abs(typical);
  if (means.length < 12 && !even) return null;
  return up > down ? 'it only rises: no season to learn' : 'it only falls: no season to learn';
}

/**
 * Robust deviation of the residuals. Never below what lies between windows half the history apart: what wanders has
 * small residuals about yesterday and large ones about tomorrow.
 */
function scaleOf(residuals: Float64Array): number {
  const centre = medianOf(residuals);
  const half = residuals.length >> 1;
  const apart = residuals.subarray(half).map((residual, i) => residual - residuals[i]!);
  const mean = residuals.reduce((sum, residual) => sum + Math.abs(residual - centre), 0) / residuals.length;
  return Math.max(
    MAD_TO_DEVIATION * medianDistance(residuals, centre),
    (MAD_TO_DEVIATION / Math.SQRT2) * medianDistance(apart, 0),
    // Where more than half of the windows are equal both medians are 0; bursts still have a size.
    0.25 * mean,
  );
}

/** One level where the profile's hills are small beside the scatter. */
function simplified<T extends { readonly levels: readonly number[] }>(profile: T, scale: number): T {
  const level = medianOf(profile.levels);
  if (profile.levels.some((value) => Math.abs(value - level) > 0.25 * scale)) return profile;
  return { ...profile, binsPerDay: 1, dayKinds: 1, levels: [level] };
}
