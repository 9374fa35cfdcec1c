/**
 * One round of training for the groups of one machine: as `round.ts` does it for series. The older hours are learned
 * from, the newest are held out; a challenger that wins is made again of all.
 */
import type { GroupModelParams } from '../../../shared/detect/group-model.ts';
import { HOUR_MS } from '../../../shared/limits.ts';
import { decodeGroupModel, encodeGroupModel } from '../../../shared/wire/group-model.ts';
import { decide } from '../../evaluate/decide.ts';
import { evaluationOf } from '../../evaluate/judge.ts';
import { trainingWindow } from '../../late-windows.ts';
import { knowsNothing } from '../knowledge.ts';
import { type RoundOptions, type RoundResult, splitTime } from '../round.ts';
import { type FitSource, fitGroups } from './fit.ts';
import { GROUP_HISTORY_MS, keptHours, readGroups } from './hours.ts';
import { judgeGroups, sameGroup } from './judge.ts';

export type GroupRoundOptions = Omit<RoundOptions<GroupModelParams>, 'kind'>;

/** Null where no group has enough to learn from. */
export async function groupRound(options: GroupRoundOptions): Promise<RoundResult | null> {
  const { store, agent, training, champion, signal } = options;
  const newestMs = (await store.latest(agent)).reduce((newest, { timeMs }) => Math.max(newest, timeMs), 0);
  const groups = await readGroups(store, agent, { fromMs: newestMs - GROUP_HISTORY_MS, toMs: newestMs });
  const times = [...groups.values()].flatMap(({ hours }) => [hours[0]!.timeMs - HOUR_MS, hours.at(-1)!.timeMs]);
  if (times.length === 0) return null;
  const [fromMs, toMs] = [Math.min(...times), Math.max(...times)];
  const windowMs = [...groups.values()][0]!.like.windowMs;
  const heldOutFromMs = splitTime(fromMs, toMs, { ...training, windowMs: HOUR_MS }, champion?.toMs ?? null);
  const knowledge = (await options.knowledge?.(agent, { fromMs, toMs })) ?? knowsNothing;
  const source: FitSource = { store, agent, findingsPerDay: training.findingsPerDay, signal };

  const past = await fitGroups(source, groups, knowledge, { fromMs, toMs: heldOutFromMs });
  if (past.groups.size === 0) return null;
  // Through the bytes, so that what is judged is what an agent would make of it.
  const content = encodeGroupModel({ windowMs, groups: past.groups });
  const challenger = decodeGroupModel(content).groups;
  const heldOut = { fromMs: heldOutFromMs, toMs };
  const hours = new Map([...groups].map(([name, group]) => [name, keptHours(agent, group, knowledge, heldOut).trust]));
  const before = champion?.series ?? null;
  const judgement = await judgeGroups(source, { challenger, champion: before, windowMs, hours }, heldOut, {
    championVersion: champion?.version ?? null,
    findingsPerDay: training.findingsPerDay,
  });
  const compared = [...challenger].some(([name, params]) => sameGroup(params, before?.get(name)));
  const verdict = decide(judgement, {
    windowMs,
    findingsPerDay: training.findingsPerDay,
    challengerSeries: seriesOf(challenger),
    challengerWindows: rowsOf(challenger),
    champion: champion && {
      version: champion.version,
      series: seriesOf(champion.series),
      windows: rowsOf(champion.series),
      // Of other series now: what it was about is not there any more.
      outdated: champion.outdated || !compared,
      incomplete: champion.incomplete,
      taught: knowledge.saidMs > champion.toMs,
    },
  });
  const common = { fromMs, evaluation: evaluationOf(judgement), judgement, windowMs, ...verdict };
  if (!verdict.accepted) {
    const window = await trainingWindow(store, agent, { fromMs, toMs: heldOutFromMs });
    return { ...common, toMs: heldOutFromMs, window, series: seriesOf(challenger), left: past.left, content };
  }
  const full = await fitGroups(source, groups, knowledge, { fromMs, toMs });
  const window = await trainingWindow(store, agent, { fromMs, toMs });
  const whole = encodeGroupModel({ windowMs, groups: full.groups });
  return { ...common, toMs, window, series: seriesOf(full.groups), left: full.left, content: whole };
}

function seriesOf(groups: ReadonlyMap<string, GroupModelParams>): number {
  return [...groups.values()].reduce((sum, { members }) => sum + members.length, 0);
}

function rowsOf(groups: ReadonlyMap<string, GroupModelParams>): number {
  return [...groups.values()].reduce((most, { reference }) => Math.max(most, reference.rows), 0);
}
