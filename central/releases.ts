/** The document that a model key signs: what the content is, for whom, and what it was learned from. */
import { sha256Hex } from '../shared/trust/hash.ts';
import type { Release } from '../shared/trust/messages.ts';
import type { ModelVersion } from './api.ts';
import type { NewModel } from './model-day-one.ts';
import type { AgentId } from './store/store.ts';
import type { TrainedKind, TrainingOptions } from './train/kind.ts';

export function describeRelease(
  agent: AgentId,
  kind: TrainedKind,
  training: TrainingOptions,
  round: NewModel,
  version: number,
  nowMs: number,
): Release {
  const left = round.left.size === 0 ? '' : `; ${round.left.size} left out`;
  const whose = round.atOnce === true ? ' of its cohort' : '';
  return {
    release: 1,
    kind: kind.slot,
    major: kind.major,
    featureVersion: kind.featureVersion,
    windowMs: round.windowMs ?? training.windowMs,
    target: `agent:${agent}`,
    contentSha256: sha256Hex(round.content),
    contentBytes: round.content.length,
    madeMs: nowMs,
    note: `model ${version}: ${round.series} series${whose} from ${iso(round.fromMs)} to ${iso(round.toMs)}${left}`,
  };
}

/** What a version says of the round that it came from. */
export function describeRound(
  round: NewModel,
): Pick<ModelVersion, 'fromMs' | 'toMs' | 'series' | 'contentBytes' | 'evaluation' | 'window'> {
  const { fromMs, toMs, series, content, evaluation, window } = round;
  const about = { fromMs, toMs, series, contentBytes: content.length, evaluation };
  return window === undefined ? about : { ...about, window };
}

function iso(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16);
}
