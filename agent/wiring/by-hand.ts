/** Export and import by hand beside the running agent: the desk over its outbox, its publisher and its apply stage. */
import type { Clock } from '../../shared/clock.ts';
import { PicketError } from '../../shared/errors.ts';
import type { ApplyStore } from '../apply/options.ts';
import { type Desk, openDesk } from '../by-hand/desk.ts';
import type { Exports } from '../by-hand/exports.ts';
import { settleByHand } from '../by-hand/settle.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { UtcEstimate } from '../utc.ts';
import type { Keeper } from './meta.ts';
import type { Uplink } from './uplink.ts';

export interface ByHandOptions {
  readonly uplink: Uplink | null;
  readonly outbox: Outbox;
  readonly exports: Exports;
  readonly store: ApplyStore;
  readonly utc: UtcEstimate;
  readonly keeper: Keeper;
  readonly clock: Clock;
  readonly version: string;
  readonly bootId: string;
}

/** Throws `conflict` where the machine is not enrolled: nobody could open what it exports. */
export function deskOf({ uplink, outbox, exports, store, utc, keeper, clock, version, bootId }: ByHandOptions): Desk {
  if (uplink === null) throw new PicketError('conflict', 'this machine is not enrolled yet; see `picket-agent enrol`.');
  const { publisher, apply } = uplink;
  return openDesk({
    agent: uplink.agent,
    version,
    bootId,
    outbox,
    clock,
    exports,
    apply,
    store,
    believed: () => publisher.incarnation,
    reported: () => uplink.reported(),
    async settle(acks, mayReplace) {
      let taken = false;
      await publisher.aside(async (believed) => {
        const settled = await settleByHand(outbox, believed, acks, mayReplace);
        taken = settled.taken;
        return settled.incarnation;
      });
      return taken;
    },
    heard(centralMs) {
      // Sent at no time that is known: it moves the latest time, and no offset.
      utc.heard(centralMs, Number.NEGATIVE_INFINITY, clock.monotonicMs());
      keeper.centralMs(utc.latestCentralMs);
    },
  });
}
