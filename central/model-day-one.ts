/**
 * Day one: what a machine of some minutes runs until it has learned enough of its own, made of the models of the machines
 * of its cohort (`train/seasonal-merge.ts`). A release like any other, but in force at once: there is nothing yet that
 * it could be held against. The machine's own model replaces it by the usual rounds, when it is the better one.
 */
import { DAY_MS, HOUR_MS } from '../shared/limits.ts';
import type { SeriesId } from '../shared/series.ts';
import type { Evaluation, TrainingWindow } from './api.ts';
import { championOf } from './model-champion.ts';
import type { AgentModels } from './model-placing.ts';
import type { ModelVersions } from './model-versions.ts';
import type { AgentId, Documents, Store } from './store/store.ts';
import type { ModelKind, TrainingOptions } from './train/kind.ts';
import type { RoundResult } from './train/round.ts';
import type { FirstWindows } from './train/trainer.ts';

/** A machine that has learned for as long knows itself better than its cohort does. */
const OWN_MS = DAY_MS;
/** What another machine has to have learned from, to be asked. */
const PEER_MS = DAY_MS;
/** Machines whose models are merged; more say little that these do not. */
const MOST_PEERS = 15;
/** Of the machine's own windows. */
const FIRST_MS = 2 * HOUR_MS;

/** What a version is made of, whether a round found it better or a cohort gave it. */
export interface NewModel extends Omit<RoundResult, 'evaluation' | 'judgement' | 'window'> {
  readonly evaluation: Evaluation | null;
  readonly judgement: RoundResult['judgement'] | null;
  readonly window?: TrainingWindow;
  /** In force without having been beside what runs. */
  readonly atOnce?: true;
}

export interface DayOneFrom {
  readonly store: Pick<Store, 'latest' | 'query'> & { readonly documents: Pick<Documents, 'getBlob'> };
  readonly versions: Pick<ModelVersions, 'get'>;
  readonly stateOf: (agent: AgentId) => AgentModels | undefined;
}

export interface DayOneOf {
  readonly agent: AgentId;
  /** Its name. */
  readonly cohort: string;
  readonly peers: readonly AgentId[];
  readonly kind: ModelKind<unknown>;
  readonly training: TrainingOptions;
}

/** Null where the cohort has nothing to give, or the machine does not need it any more. */
export async function dayOneModel(from: DayOneFrom, about: DayOneOf): Promise<NewModel | null> {
  const { agent, cohort, peers, kind, training } = about;
  if (kind.merge === undefined || (await learned(from, agent, kind.slot)) >= OWN_MS) return null;
  const models: ReadonlyMap<SeriesId, unknown>[] = [];
  for (const peer of peers) {
    if (models.length === MOST_PEERS) break;
    if ((await learned(from, peer, kind.slot)) < PEER_MS) continue;
    const champion = await championOf(from.stateOf(peer), kind.slot, from.versions, from.store.documents);
    if (champion !== null) models.push(kind.decode(champion.content));
  }
  if (models.length === 0) return null;
  const latest = await from.store.latest(agent);
  const toMs = latest.reduce((newest, { timeMs }) => Math.max(newest, timeMs), 0);
  const range = { fromMs: toMs - FIRST_MS, toMs: toMs + 1 };
  const ids = latest.map(({ id }) => id);
  const own = new Map<SeriesId, FirstWindows>();
  let fromMs = toMs;
  for (const { series, timesMs, mean } of await from.store.query(agent, ids, range, 'minute')) {
    if (timesMs.length === 0) continue;
    own.set(series, { timesMs, mean });
    fromMs = Math.min(fromMs, timesMs[0]! - training.windowMs);
  }
  const series = kind.merge(models, own, training);
  if (series.size === 0) return null;
  return {
    fromMs,
    toMs,
    series: series.size,
    left: new Map(ids.filter((id) => !series.has(id)).map((id) => [id, 'its cohort does not know it'])),
    evaluation: null,
    judgement: null,
    accepted: true,
    atOnce: true,
    reason: `Day one: cohort ${cohort}, from ${models.length} machines that are like it.`,
    content: kind.encode(series, training),
  };
}

/** How long what the machine runs, or is to run, learned. */
async function learned({ stateOf, versions }: DayOneFrom, agent: AgentId, slot: string): Promise<number> {
  const state = stateOf(agent);
  for (const number of [state?.desired[slot], state?.running[slot]]) {
    const model = number === undefined ? null : await versions.get(number);
    if (model !== null && model.state !== 'refused' && model.state !== 'reverted') return model.toMs - model.fromMs;
  }
  return 0;
}
