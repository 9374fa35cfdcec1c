/** What the central answered to the files of one agent, gathered for the reply. */
import { PicketError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { type Ack, decodeAck, encodeAck, settledBy, settledFields } from '../../shared/wire/envelope.ts';
import { type SeqRanges, unite } from '../../shared/wire/ranges.ts';

/** Ranges in one acknowledgement of a reply; an epoch with more of them gets several. */
const RANGES = 1024;

interface EpochAnswer {
  settled: SeqRanges;
  readonly need: Set<string>;
  renewEpoch: boolean;
}

export class Answers {
  #incarnation: string | null = null;
  readonly #epochs = new Map<string, EpochAnswer>();

  /** Throws `conflict` where the central was started anew meanwhile: what it said before no longer holds together. */
  take(payload: Uint8Array): Ack {
    const ack = decodeAck(payload);
    this.#incarnation ??= ack.incarnation;
    if (ack.incarnation !== this.#incarnation) {
      throw new PicketError(
        'conflict',
        'the central was started anew while it took the file in; import the file once more for its reply.',
      );
    }
    const known = this.#epochs.get(ack.epoch) ?? { settled: [], need: new Set(), renewEpoch: false };
    known.settled = unite(known.settled, settledBy(ack));
    for (const hash of ack.need) known.need.add(hash);
    known.renewEpoch ||= ack.renewEpoch;
    this.#epochs.set(ack.epoch, known);
    return ack;
  }

  /** Messages of down/ack that say all of it. */
  *messages(centralMs: number): Generator<Uint8Array> {
    for (const [epoch, { settled, need, renewEpoch }] of this.#epochs) {
      for (let at = 0; at === 0 || at < settled.length; at += RANGES) {
        yield encodeAck({
          incarnation: this.#incarnation!,
          epoch,
          // They answer no envelope of a connection.
          n: 0,
          sentMonotonicMs: 0,
          centralMs,
          ...settledFields(settled.slice(at, at + RANGES)),
          full: settled.length <= RANGES,
          need: [...need].slice(0, limits.needsPerAck),
          renewEpoch,
        });
      }
    }
  }
}
