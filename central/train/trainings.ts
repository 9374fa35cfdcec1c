/** Who does the work of training: this thread, or others beside it (`thread/pool.ts`). */
import { PicketError } from '../../shared/errors.ts';
import { seeded } from '../../shared/math/random.ts';
import type { AgentId } from '../store/store.ts';
import type { TrainingOptions } from './kind.ts';
import { modelKinds, ownRoundKinds } from './registry.ts';
import { type Champion, type RoundOptions, type RoundResult, trainRound, windowLengthOf } from './round.ts';

/** One round, as it travels to another thread. */
export interface RoundRequest {
  readonly agent: AgentId;
  /** Names the kind of model. */
  readonly slot: string;
  readonly training: TrainingOptions;
  readonly champion: StoredChampion | null;
  readonly seed: number;
}

/** A champion with its content as it is stored: where it is needed it is decoded. */
export interface StoredChampion extends Omit<Champion<unknown>, 'series'> {
  readonly content: Uint8Array;
}

export interface Trainings {
  /** Rounds that may be under way at once. */
  readonly atOnce: number;
  /** Length of the windows that an agent tells now. */
  windowLength(agent: AgentId): Promise<number>;
  /** Null when the agent has no windows to learn from. Throws where it can't be done, and when `signal` aborts. */
  round(request: RoundRequest, signal: AbortSignal): Promise<RoundResult | null>;
  /** What is under way is given up. */
  close(): Promise<void>;
}

/** What a round is given of the central, wherever it runs. */
export type RoundSources = Pick<RoundOptions<unknown>, 'store' | 'knowledge' | 'meanings'>;

export async function runRound(
  sources: RoundSources,
  { agent, slot, training, champion, seed }: RoundRequest,
  signal: AbortSignal,
): Promise<RoundResult | null> {
  const own = ownRoundKinds.find((each) => each.slot === slot);
  if (own !== undefined) {
    const known = champion === null ? null : { ...champion, series: own.decode(champion.content) };
    return own.round({ ...sources, agent, training, champion: known, random: seeded(seed), signal });
  }
  const kind = modelKinds.find((each) => each.slot === slot);
  if (kind === undefined) throw new PicketError('internal', `no kind of model is called ${slot}`);
  const decoded = champion === null ? null : { ...champion, series: kind.decode(champion.content) };
  return trainRound({ ...sources, agent, kind, training, champion: decoded, random: seeded(seed), signal });
}

export function inThisThread(sources: RoundSources): Trainings {
  return {
    atOnce: 1,
    windowLength: (agent) => windowLengthOf(sources.store, agent),
    round: (request, signal) => runRound(sources, request, signal),
    async close() {},
  };
}
