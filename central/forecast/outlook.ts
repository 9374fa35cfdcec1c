/** From a column of even steps to what it will be: prepared, backtested, forecast with an interval that holds 90 %. */
import { backtest } from './backtest.ts';
import { candidates, naiveSeasonal } from './models.ts';
import { prepare } from './prepared.ts';

export interface OutlookTask {
  /** One value a step, NaN where none is known; the last step is the newest. */
  readonly column: Float64Array;
  /** Steps of a season; 1: none. */
  readonly season: number;
  /** Steps ahead that are wanted. */
  readonly horizon: number;
  /** What is possible at all. */
  readonly lowest: number;
  readonly highest: number;
}

export interface Outlook {
  /** As people write it. */
  readonly model: string;
  /** Nothing but the values of the last season, as no other model comes near. */
  readonly naive: boolean;
  /** Errors on time that the model had not seen, in parts of those of last season's values within the history. */
  readonly mase: number;
  readonly naiveMase: number;
  readonly coverage90: number;
  readonly origins: number;
  /** Steps of the history that it is from, and those of them that were not measured. */
  readonly steps: number;
  readonly missing: number;
  /** What was before was at another level, and is left out. */
  readonly shifted: boolean;
  /** Steps from the last one that was measured to the end of the column. */
  readonly behind: number;
  /** From the step after the last one that was measured. */
  readonly value: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** Seasons that a history must have. */
const LEAST_SEASONS = 4;
const LEAST_STEPS = 21;
/** Squares of it can be summed. */
const MOST_ABSOLUTE = 1e100;
/** Part of the history that a backtest looks ahead, and most seasons of it. */
const REACH_SHARE = 1 / 7;
const MOST_REACH_SEASONS = 3;
/** A forecast goes no further than so many times its history. */
const FURTHEST_HISTORIES = 1;

/** Null where the history is too short. */
export function outlookOf({ column: given, season, horizon, lowest, highest }: OutlookTask): Outlook | null {
  // What is impossible was not measured.
  const floor = Math.max(lowest, -MOST_ABSOLUTE);
  const ceiling = Math.min(highest, MOST_ABSOLUTE);
  const column = given.map((value) => (value >= floor && value <= ceiling ? value : Number.NaN));
  const least = Math.max(LEAST_STEPS, LEAST_SEASONS * season);
  const prepared = prepare(column, season, least);
  if (prepared === null) return null;
  const { values, measured } = prepared;
  const reach = Math.max(
    Math.min(season, 4),
    Math.min(Math.floor(values.length * REACH_SHARE), MOST_REACH_SEASONS * Math.max(season, 7), horizon),
  );
  const naive = naiveSeasonal(season);
  const verdict = backtest(prepared, naive, candidates(season), { season, reach, least: Math.ceil(least / 2) + 1 });
  if (verdict === null) return null;
  const steps = Math.min(horizon, Math.floor(FURTHEST_HISTORIES * values.length));
  const chosen = verdict.model.fit(values, steps);
  const ahead = chosen ?? naive.fit(values, steps);
  if (ahead === null) return null;
  const missing = measured.length - measured.reduce((sum, each) => sum + each, 0);
  const widening = 1 / Math.sqrt(1 - missing / measured.length);
  const within = (value: number): number => Math.min(highest, Math.max(lowest, value));
  const value: number[] = [];
  const low: number[] = [];
  const high: number[] = [];
  for (let h = 0; h < steps; h++) {
    const half = verdict.scaleAt(h) * widening * Math.max(ahead.deviation[h]!, verdict.leastDeviation);
    value.push(within(ahead.mean[h]!));
    low.push(within(ahead.mean[h]! - half));
    high.push(within(ahead.mean[h]! + half));
  }
  return {
    model: chosen === null ? naive.name : verdict.model.name,
    naive: verdict.naive || chosen === null,
    mase: verdict.mase,
    naiveMase: verdict.naiveMase,
    coverage90: verdict.coverage90,
    origins: verdict.origins,
    steps: values.length,
    missing,
    shifted: prepared.shifted,
    behind: column.length - prepared.from - values.length,
    value,
    low,
    high,
  };
}
