/** What acknowledgements that came by hand settle, by the rules of those that come over the connection. */
import { type Ack, settledBy } from '../../shared/wire/envelope.ts';
import type { Outbox } from '../outbox/outbox.ts';

export interface Settled {
  /** What is believed in from now on. */
  readonly incarnation: string | null;
  /** False: an older answer of a central that is no more, or was restored since; nothing was changed. */
  readonly taken: boolean;
}

/**
 * @param believed incarnation that is believed in now
 * @param acks of one incarnation, each with all that is settled of its epoch
 * @param mayReplace whether they answer something newer than all that was answered before (`exports.ts`)
 */
export async function settleByHand(
  outbox: Outbox,
  believed: string | null,
  acks: readonly Ack[],
  mayReplace: boolean,
): Promise<Settled> {
  let incarnation = believed;
  for (const ack of acks) {
    if (ack.incarnation !== incarnation) {
      if (!mayReplace) return { incarnation, taken: false };
      await outbox.forgetSettled();
      incarnation = ack.incarnation;
    }
    await outbox.ack(ack.epoch, settledBy(ack));
    if (ack.renewEpoch && ack.epoch === outbox.epoch()) outbox.renewEpoch();
  }
  return { incarnation, taken: true };
}
