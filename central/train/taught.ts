/**
 * What operators say reaches a machine though its new model is refused: then the running one is given the times at which
 * more is usual, and is judged as any challenger is. It learns nothing else, so that it has seen no time that it had not.
 */
import type { SeriesId } from '../../shared/series.ts';
import type { ModelKind, TrainingOptions } from './kind.ts';
import type { Knowledge } from './knowledge.ts';
import type { Champion } from './round.ts';
import type { TrainingBlock } from './trainer.ts';

export interface TaughtModel<P> {
  readonly series: ReadonlyMap<SeriesId, P>;
  readonly content: Uint8Array;
}

/** Whether operators have said something since the model learned. */
export function isTaught({ toMs }: Pick<Champion<unknown>, 'toMs'>, { saidMs }: Pick<Knowledge, 'saidMs'>): boolean {
  return saidMs > toMs;
}

/**
 * The running model with what is known now; null where that changes nothing.
 * @param history all that a trainer may see, of the same knowledge
 */
export async function taughtChampion<P>(
  kind: ModelKind<P>,
  training: TrainingOptions,
  champion: Champion<P>,
  history: AsyncIterable<TrainingBlock>,
): Promise<TaughtModel<P> | null> {
  const { taught, encode, decode } = kind;
  if (taught === undefined || champion.outdated) return null;
  const series = new Map(champion.series);
  for await (const block of history) {
    const params = champion.series.get(block.series);
    if (params !== undefined) series.set(block.series, taught(params, block));
  }
  const content = encode(series, training);
  if (Buffer.compare(content, encode(champion.series, training)) === 0) return null;
  return { series: decode(content), content };
}
