/**
 * Records that the central did not answer. One that stayed unanswered three times together with others goes alone, so
 * that it holds nobody up; one that then still does is given up. Only a try after which something that was sent later
 * was answered counts: while nothing is answered, the central is away, and that is no record's fault.
 */
import { contains, type SeqRanges } from '../../shared/wire/ranges.ts';

const TRIES_TOGETHER = 3;
/** A broker that drops a third of all messages makes these of a good record in one of a thousand cases. */
const TRIES_ALONE = 6;
/** What is suspected beyond this is not followed before others of these are settled or given up. */
const SUSPECTS = 256;

export interface RecordKey {
  readonly epoch: string;
  readonly seq: number;
}

export class Suspects {
  readonly #tries = new Map<string, RecordKey & { count: number }>();

  triesOf({ epoch, seq }: RecordKey): number {
    return this.#tries.get(`${epoch}/${seq}`)?.count ?? 0;
  }

  goesAlone(key: RecordKey): boolean {
    return this.triesOf(key) >= TRIES_TOGETHER;
  }

  /** One more try was in vain; true when it was the last one. `heldOf` tells what is still held of an epoch. */
  add({ epoch, seq }: RecordKey, heldOf: (epoch: string) => SeqRanges): boolean {
    const key = `${epoch}/${seq}`;
    const count = this.triesOf({ epoch, seq }) + 1;
    if (count >= TRIES_TOGETHER + TRIES_ALONE) {
      this.#tries.delete(key);
      return true;
    }
    if (this.#tries.size >= SUSPECTS && !this.#tries.has(key)) this.#forgetGone(heldOf);
    if (this.#tries.size < SUSPECTS || this.#tries.has(key)) this.#tries.set(key, { epoch, seq, count });
    return false;
  }

  settled(epoch: string, settled: SeqRanges): void {
    for (const [key, suspect] of this.#tries) {
      if (suspect.epoch === epoch && contains(settled, suspect.seq)) this.#tries.delete(key);
    }
  }

  /** What was thinned meanwhile needs no place. */
  #forgetGone(heldOf: (epoch: string) => SeqRanges): void {
    for (const [key, { epoch, seq }] of this.#tries) if (!contains(heldOf(epoch), seq)) this.#tries.delete(key);
  }
}
