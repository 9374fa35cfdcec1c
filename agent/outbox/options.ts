/** What every outbox is given. Randomness, clock and timers come from outside: the simulation owns them. */
import type { Clock, Timers } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import type { WallTrust } from '../../shared/wire/record.ts';
import type { ChainStore } from './chain.ts';
import type { Cause, Waiting } from './plan.ts';
import type { OpenShelf } from './shelf.ts';

/** What the wiring gives to any kind of outbox. */
export interface OutboxOptions {
  /** Everything together, on disk or in memory; what is beyond it is thinned. */
  readonly limitBytes: number;
  /** How long acknowledged records are kept for a central that may be restored, space permitting; 0: not at all. */
  readonly keepAcknowledgedMs: number;
  /** The longest that a record waits for its commit. */
  readonly commitIntervalMs: number;
  /** As many bytes waiting are committed at once. */
  readonly commitBytes: number;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Cryptographically random bytes, for epochs. */
  readonly random: (bytes: number) => Uint8Array;
  /** 32 hex digits. */
  readonly bootId: string;
  readonly log: Log;
  /** The machine's wall clock and whether it is known to be right. */
  readonly wall: () => { readonly wallMs: number; readonly wallTrusted: WallTrust };
  /** A GAP became durable that nobody appended anything with. */
  readonly onGap?: () => void;
}

/** What an outbox over a shelf needs besides. */
export interface QueueOptions extends OutboxOptions {
  readonly openShelf: OpenShelf;
  /** Beside the shelf, for the day on which that is lost whole; without it the chain then begins anew. */
  readonly chain?: ChainStore;
  /** Made while the disk fails; its epochs name no parent. */
  readonly volatile: boolean;
  /** Cause of what is thinned or dropped for want of room. */
  readonly lossCause: Cause;
  /** Records that may wait in memory while the shelf fails; beyond it the oldest are refused. */
  readonly ringBytes: number;
  /**
   * The shelf failed (again): the caller may take over what waits and was in no batch yet; true says that it did.
   * Without it everything waits.
   */
  readonly onFailing?: (waiting: readonly Waiting[]) => boolean;
  /** The shelf works again, or an audit found records in it: what it holds was not all shown. */
  readonly onWorking?: () => void;
}
