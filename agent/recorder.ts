/** Makes records of bodies: stamps them with boot and times, hands them to the outbox, and wakes the publisher. */
import type { Clock } from '../shared/clock.ts';
import { messageOf } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { encodeRecord, type RecordKind } from '../shared/wire/record.ts';
import type { AppendOptions, Outbox, RecordClass, RecordKey } from './outbox/outbox.ts';
import type { UtcEstimate } from './utc.ts';

export interface RecorderOptions {
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly utc: UtcEstimate;
  readonly bootId: string;
  readonly log: Log;
  /** A record became durable. */
  readonly appended: () => void;
}

export class Recorder {
  readonly #options: RecorderOptions;
  #failures = 0;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Records that no outbox took, not even the one in memory. */
  get failures(): number {
    return this.#failures;
  }

  /** Resolves with the record's key when it is durable, or with null where it could not be kept. */
  async append(
    kind: RecordKind,
    body: Uint8Array,
    recordClass: RecordClass,
    options: AppendOptions = {},
  ): Promise<RecordKey | null> {
    const { outbox, clock, utc, bootId, log, appended } = this.#options;
    const monotonicMs = clock.monotonicMs();
    const wallMs = clock.wallMs();
    const utcMs = Math.round(utc.utcMs(monotonicMs, wallMs));
    try {
      const wallTrusted = utc.wallTrusted(monotonicMs, wallMs);
      const record = encodeRecord({ kind, bootId, monotonicMs, wallMs, wallTrusted, body });
      const key = await outbox.append(record, recordClass, { fromWallMs: utcMs, toWallMs: utcMs, ...options });
      appended();
      return key;
    } catch (error) {
      this.#failures++;
      log.error({ kind, problem: messageOf(error) }, 'a record could not be kept');
      return null;
    }
  }

  /** A JSON document as a record. */
  appendJson(
    kind: RecordKind,
    json: unknown,
    recordClass: RecordClass,
    options: AppendOptions = {},
  ): Promise<RecordKey | null> {
    return this.append(kind, new TextEncoder().encode(JSON.stringify(json)), recordClass, options);
  }
}
