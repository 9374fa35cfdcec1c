/**
 * Where exports are made and replies taken in: beside the running agent (`agent/wiring/by-hand.ts`) or, where none
 * runs, by the command line itself (`local.ts`). Both give the same parts.
 */
import type { Clock } from '../../shared/clock.ts';
import type { ExchangeMessage } from '../../shared/trust/exchange.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Exports } from './exports.ts';
import { type ImportResult, type IncomingOptions, incoming } from './incoming.ts';
import { outgoing } from './outgoing.ts';

export interface DeskParts extends Omit<IncomingOptions, 'pendingRecords'> {
  readonly agent: string;
  readonly version: string;
  readonly bootId: string;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly exports: Exports;
  /** Incarnation of the central that is believed in. */
  readonly believed: () => string | null;
  /** Message of up/reported. */
  readonly reported: () => Uint8Array;
}

export interface Desk {
  export(roomBytes: number): AsyncIterable<ExchangeMessage>;
  import(messages: AsyncIterable<ExchangeMessage>): Promise<ImportResult>;
}

export function openDesk(parts: DeskParts): Desk {
  const { agent, version, bootId, outbox, clock, exports } = parts;
  return {
    async *export(roomBytes) {
      // What waits for its commit belongs to it, too.
      await outbox.flush();
      const { series, number } = await exports.begin(clock.monotonicMs());
      yield* outgoing({
        agent,
        version,
        bootId,
        outbox,
        clock,
        incarnation: parts.believed(),
        series,
        number,
        reported: parts.reported(),
        need: exports.need,
        roomBytes,
      });
    },
    import: (messages) => incoming(messages, { ...parts, pendingRecords: () => outbox.stats().pendingRecords }),
  };
}
