/**
 * Epochs of which nothing is held any more, though the first record of their successor still names them: everything of
 * theirs was acknowledged once and gave way. A central that was set back, or emptied, learns from that record that they
 * had so many records, and would wait for them for ever: it is told that none of them is to come.
 */
import { decodeEpochStart } from '../../shared/wire/bodies.ts';
import { readFrame } from '../../shared/wire/frame.ts';
import { decodeRecord } from '../../shared/wire/record.ts';
import type { Entry, EpochState } from '../outbox/outbox.ts';

/** The parents that these records name and that are not among what is held. */
export function lapsedParents(batch: readonly Entry[], held: readonly EpochState[]): EpochState[] {
  return batch.flatMap(({ epoch, seq, recordClass, frame }) => {
    if (recordClass !== 'control' || seq !== 1) return [];
    const { kind, body } = decodeRecord(readFrame(epoch, frame).record);
    if (kind !== 'epoch') return [];
    const { parent, parentFinalSeq, start } = decodeEpochStart(body);
    if (parent === null || held.some((known) => known.epoch === parent)) return [];
    return [{ epoch: parent, start: start - 1, highestSeq: parentFinalSeq, held: [], settled: [], volatile: false }];
  });
}
