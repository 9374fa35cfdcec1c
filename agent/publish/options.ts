/** What the publisher is given, and what it counts. */
import type { Clock, Timers } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import type { Outbox, RecordClass } from '../outbox/outbox.ts';

export interface PublishOptions {
  readonly agent: string;
  readonly bootId: string;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** Bytes a second of backlog, as sent: a number, 0 for no bound; or what it is now, Infinity for no bound. */
  readonly backlogBytesPerS: number | (() => number);
  /** Whether records of this class may go now; `wake` when it changes. Not said: always. */
  readonly allows?: (recordClass: RecordClass, lane: 'live' | 'backlog') => boolean;
  /** Sends one payload on up/records; rejects when it can't now. */
  readonly send: (payload: Uint8Array) => Promise<void>;
  /** An acknowledgement came, whatever it settles: the central's time, for the estimate of UTC. */
  readonly heard: (centralMs: number, sentMonotonicMs: number) => void;
  /** Incarnation that was believed in before the restart, 32 hex digits. */
  readonly incarnation: string | null;
  /** Called when the belief changes; to be kept with the records. */
  readonly believe: (incarnation: string) => void;
}

export interface PublishCounts {
  readonly envelopesSent: number;
  readonly bytesSent: number;
  readonly acknowledged: number;
  readonly retried: number;
  readonly refused: number;
}
