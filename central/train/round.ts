/**
 * One round of training for one agent and one kind: train on the past, hold the challenger against the champion on
 * time that neither has seen, and, if it wins, train again on everything. History is read some series at a time, so that
 * memory does not grow with the number of series; other work gets its turn between series.
 */
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { isWholeWindow } from '../../shared/detect/seasonal.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, TEN_MINUTES_MS } from '../../shared/limits.ts';
import type { SeriesId } from '../../shared/series.ts';
import type { Evaluation, TrainingWindow } from '../api.ts';
import type { Judgement } from '../evaluate/api.ts';
import { decide } from '../evaluate/decide.ts';
import { evaluationOf, judge } from '../evaluate/judge.ts';
import { trainingWindow } from '../late-windows.ts';
import type { AgentId, SeriesColumns, Store, SummaryBlock, TableSeries, TimeRange } from '../store/store.ts';
import { withHours } from './hours.ts';
import type { ModelKind, TrainingOptions } from './kind.ts';
import { type Knowledge, knowsNothing } from './knowledge.ts';
import type { SeriesChange } from './meaning.ts';
import { preprocess } from './preprocess.ts';
import { isTaught, taughtChampion } from './taught.ts';
import { inTens } from './tens.ts';
import type { TrainingBlock } from './trainer.ts';

/** Minutes that a model learns from: four weekends would be better than two; disks hold two. */
const HISTORY_MS = 14 * DAY_MS;
/** Share of a first model's history that is held out. */
const HELD_OUT_SHARE = 0.25;
/** Series that are asked for the beginning of the history. */
const PROBED_SERIES = 8;
/** Series that are read at once, and windows of all of them together: 16 MB of columns. */
const READ_SERIES = 64;
const READ_WINDOWS = 200_000;

export interface Champion<P> {
  readonly version: number;
  /** End of what it learned from. */
  readonly toMs: number;
  readonly outdated: boolean;
  /** Much of the time that it learned from came in after it was trained. */
  readonly incomplete: boolean;
  readonly series: ReadonlyMap<SeriesId, P>;
}

export interface RoundOptions<P> {
  readonly store: Pick<Store, 'latest' | 'query' | 'coverage' | 'coMoments'>;
  readonly agent: AgentId;
  readonly kind: ModelKind<P>;
  readonly training: TrainingOptions;
  readonly champion: Champion<P> | null;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** How far back the history goes; default two weeks. */
  readonly historyMs?: number;
  /** What operators and their plans say of a machine's time; default nothing. */
  readonly knowledge?: (agent: AgentId, range: TimeRange) => Promise<Knowledge>;
  /** Told of series that say something else since some time; all of them, each round. */
  readonly meanings?: (agent: AgentId, changes: readonly SeriesChange[]) => Promise<void>;
}

export interface RoundResult {
  readonly fromMs: number;
  readonly toMs: number;
  readonly series: number;
  /** Of the windows that it is for, where they are not those that it was asked for. */
  readonly windowMs?: number;
  readonly left: ReadonlyMap<SeriesId, string>;
  readonly evaluation: Evaluation;
  /** The same and more, for the report. */
  readonly judgement: Judgement;
  /** Of what it learned from; the held-out time as well where it was accepted. */
  readonly window: TrainingWindow;
  readonly accepted: boolean;
  readonly reason: string;
  /** What is to be released, or what was rejected. */
  readonly content: Uint8Array;
}

/** Null when the agent has no windows to learn from. */
export async function trainRound<P>(given: RoundOptions<P>): Promise<RoundResult | null> {
  const options = await withHours(given);
  const { store, agent, kind, training, champion, signal } = options;
  const latest = await store.latest(agent);
  const toMs = latest.reduce((newest, series) => Math.max(newest, series.timeMs), Number.NEGATIVE_INFINITY);
  if (latest.length === 0 || !Number.isFinite(toMs)) return null;
  const fromMs = await beginning(options, latest, toMs);
  const heldOutFromMs = splitTime(fromMs, toMs, training, champion?.toMs ?? null);
  const knowledge = (await options.knowledge?.(agent, { fromMs, toMs })) ?? knowsNothing;
  const changes = new Map<SeriesId, SeriesChange>();
  const raw = (from: number, to: number, only: ReadonlySet<SeriesId> | null) =>
    readHistory(options, only === null ? latest : latest.filter(({ id }) => only.has(id)), from, to);
  const history = (from: number, to: number) => fitHistory(options, knowledge, changes, raw(from, to, null));
  const whole = await trainingWindow(store, agent, { fromMs, toMs });
  const before = await trainingWindow(store, agent, { fromMs, toMs: heldOutFromMs });

  const trainer = kind.trainer(training);
  const past = await trainer.train(history(fromMs, heldOutFromMs), options.random, signal);
  // Through the bytes, so that what is judged is what an agent would make of it.
  const content = kind.encode(past.series, training);
  const challenger = kind.decode(content);
  const judged = (series: ReadonlyMap<SeriesId, P>, origins: boolean): Promise<Judgement> =>
    judge({
      ...{ kind, training, challenger: series, champion, fromMs, heldOutFromMs, toMs, knowledge, raw, origins, signal },
      seed: agent,
      // What a part of the history says of a series' meaning is nobody's news.
      history: (from, to, only) => fitHistory(options, knowledge, new Map(), raw(from, to, only)),
      random: options.random,
    });
  const decided = (judgement: Judgement, series: ReadonlyMap<SeriesId, P>) =>
    decide(judgement, {
      windowMs: training.windowMs,
      findingsPerDay: training.findingsPerDay,
      challengerSeries: series.size,
      challengerWindows: longest(kind, series),
      champion: champion && {
        version: champion.version,
        series: champion.series.size,
        windows: longest(kind, champion.series),
        outdated: champion.outdated,
        incomplete: champion.incomplete,
        taught: isTaught(champion, knowledge),
      },
    });
  const withWhatWasSaid = async (running: Champion<P>): Promise<RoundResult | null> => {
    const model = await taughtChampion(kind, training, running, history(fromMs, toMs));
    if (model === null) return null;
    const judgement = await judged(model.series, false);
    const { accepted, reason } = decided(judgement, model.series);
    const span = { fromMs, toMs: running.toMs };
    return {
      ...{ ...span, accepted, evaluation: evaluationOf(judgement), judgement },
      reason: `It is model ${running.version} with what operators said since. ${reason}`,
      ...{ window: await trainingWindow(store, agent, span), left: past.left },
      ...{ series: model.series.size, content: model.content },
    };
  };
  const judgement = await judged(challenger, true);
  const verdict = decided(judgement, challenger);
  const common = { fromMs, evaluation: evaluationOf(judgement), judgement, ...verdict };
  if (!verdict.accepted) {
    const taught = champion !== null && isTaught(champion, knowledge) ? await withWhatWasSaid(champion) : null;
    await options.meanings?.(agent, [...changes.values()]);
    if (taught?.accepted) return { ...taught, reason: `${taught.reason} A new one was refused. ${verdict.reason}` };
    const rejected = { toMs: heldOutFromMs, window: before, series: challenger.size, left: past.left, content };
    return { ...common, ...rejected };
  }
  const full = await trainer.train(history(fromMs, toMs), options.random, signal);
  const { series, left } = full;
  await options.meanings?.(agent, [...changes.values()]);
  const accepted = { toMs, window: whole, series: series.size, left, content: kind.encode(series, training) };
  return { ...common, ...accepted };
}

/**
 * Where the held-out time begins: for a first model, or right after a training, at the last quarter; else in the middle
 * of what came after the champion learned. The challenger learns from the earlier half of that, which is what it has to
 * show; neither has seen the later half.
 */
export function splitTime(
  fromMs: number,
  toMs: number,
  { windowMs, holdOut = HELD_OUT_SHARE }: Pick<TrainingOptions, 'windowMs' | 'holdOut'>,
  championToMs: number | null,
): number {
  if (championToMs === null || championToMs > toMs - 2 * windowMs) {
    // Whole windows: of five minutes a quarter is one, and four are left to learn from.
    return toMs - Math.max(1, Math.floor((holdOut * (toMs - fromMs)) / windowMs)) * windowMs;
  }
  return (Math.max(fromMs, championToMs) + toMs) / 2;
}

/** End of the first window less its length, as the first few series have it. */
async function beginning<P>(options: RoundOptions<P>, latest: readonly TableSeries[], toMs: number): Promise<number> {
  const ids = latest.slice(0, PROBED_SERIES).map((series) => series.id);
  const range = { fromMs: toMs - (options.historyMs ?? HISTORY_MS), toMs: toMs + 1 };
  const columns = await options.store.query(options.agent, ids, range, 'minute');
  const firstMs = columns.reduce((first, { timesMs }) => Math.min(first, timesMs[0] ?? first), toMs);
  return Math.max(range.fromMs, firstMs - options.training.windowMs);
}

/** Time in which windows of ten minutes say that an agent makes these; minutes may lie around incidents. */
const USE_MS = 6 * HOUR_MS;

/** Length of the windows that an agent tells now, by the newest of its first few series. */
export async function windowLengthOf(store: Pick<Store, 'latest' | 'query'>, agent: AgentId): Promise<number> {
  const latest = await store.latest(agent);
  const toMs = latest.reduce((newest, { timeMs }) => Math.max(newest, timeMs), 0);
  const ids = latest.slice(0, PROBED_SERIES).map(({ id }) => id);
  const columns = await store.query(agent, ids, { fromMs: toMs - USE_MS, toMs: toMs + 1 }, 'minute');
  let minutes = 0;
  let tens = 0;
  for (const { lengthsMs, timesMs } of columns) {
    for (let i = 0; i < lengthsMs.length; i++) {
      if (timesMs[i]! < toMs - USE_MS) continue;
      if (isWholeWindow(lengthsMs[i]!, TEN_MINUTES_MS)) tens++;
      else if (isWholeWindow(lengthsMs[i]!, MINUTE_MS)) minutes++;
    }
  }
  // An hour of minutes around an incident is no change of the plan.
  return tens * (TEN_MINUTES_MS / MINUTE_MS) >= minutes && tens > 0 ? TEN_MINUTES_MS : MINUTE_MS;
}

function longest<P>(kind: ModelKind<P>, series: ReadonlyMap<SeriesId, P>): number {
  let windows = 0;
  for (const params of series.values()) windows = Math.max(windows, kind.windows(params));
  return windows;
}

/** What of the history a trainer, and the judgement of its model, may see. */
async function* fitHistory<P>(
  { training }: RoundOptions<P>,
  knowledge: Knowledge,
  changes: Map<SeriesId, SeriesChange>,
  history: AsyncIterable<SummaryBlock>,
): AsyncIterable<TrainingBlock> {
  for await (const raw of history) {
    const { block, change } = preprocess(raw, knowledge, training.windowMs);
    const { series, key } = raw;
    if (change !== null && change.atMs >= (changes.get(series)?.atMs ?? 0))
      changes.set(series, { ...change, series, key });
    if (block !== null) yield block;
  }
}

/** Windows that end after `fromMs` and not after `toMs`. */
async function* readHistory<P>(
  options: RoundOptions<P>,
  series: readonly TableSeries[],
  fromMs: number,
  toMs: number,
): AsyncIterable<SummaryBlock> {
  const { agent, store } = options;
  // A recent minute lies on the disk as one blob of all series: read for each alone it would be decoded as often.
  const windows = Math.max(1, (toMs - fromMs) / options.training.windowMs);
  const together = Math.min(READ_SERIES, Math.max(1, Math.floor(READ_WINDOWS / windows)));
  let found = new Map<SeriesId, SeriesColumns>();
  for (const [i, { id, name, unit, attributes }] of series.entries()) {
    options.signal.throwIfAborted();
    if (i % together === 0) {
      const ids = series.slice(i, i + together).map((one) => one.id);
      const answer = await store.query(agent, ids, { fromMs, toMs: toMs + 1 }, 'minute');
      const fitted = options.training.windowMs === TEN_MINUTES_MS ? answer.map(inTens) : answer;
      found = new Map(fitted.map((columns) => [columns.series, columns]));
    }
    const columns = found.get(id);
    await yieldToOthers();
    if (columns === undefined) continue;
    let start = 0;
    let end = columns.timesMs.length;
    while (start < end && columns.timesMs[start]! <= fromMs) start++;
    while (end > start && columns.timesMs[end - 1]! > toMs) end--;
    if (start === end) continue;
    yield {
      agent,
      series: id,
      key: { name, unit, attributes },
      timesMs: columns.timesMs.subarray(start, end),
      lengthsMs: columns.lengthsMs.subarray(start, end),
      count: columns.count.subarray(start, end),
      mean: columns.mean.subarray(start, end),
      deviation: columns.deviation.subarray(start, end),
      min: columns.min.subarray(start, end),
      max: columns.max.subarray(start, end),
      last: columns.last.subarray(start, end),
      anomalyShare: columns.anomalyShare.subarray(start, end),
      highestScore: columns.highestScore.subarray(start, end),
    };
  }
}
