/** An outbox with a clock that the bench moves, and what an agent of 300 series gives it, minute by minute. */
import { randomBytes } from 'node:crypto';
import { openLevelOutbox } from '../../agent/outbox/level.ts';
import type { RecordClass, RecordKey } from '../../agent/outbox/outbox.ts';
import type { QueueOutbox } from '../../agent/outbox/queue.ts';
import { encodeRecord, type RecordKind } from '../../shared/wire/record.ts';

export const MINUTE_MS = 60_000;
const COMMIT_INTERVAL_MS = 5_000;
const BOOT_ID = 'b0'.repeat(16);
const START_MS = Date.UTC(2026, 0, 1);
const TABLE = 'ab'.repeat(8);
/** What these take on the wire with 300 series. */
const TABLE_BYTES = 12_000;
const SUMMARY_BYTES = 5_000;
const ROLLUP_BYTES = 6_000;
const EVENT_BYTES = 150;
const INCIDENT_BYTES = 1_500;
const EVIDENCE_BYTES = 20_000;

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** Time that stands still until it is moved. */
class BenchTime {
  nowMs = 0;
  #timers: Timer[] = [];

  monotonicMs = (): number => this.nowMs;
  wallMs = (): number => START_MS + this.nowMs;
  after = (delayMs: number, callback: () => void): unknown => {
    const timer = { dueMs: this.nowMs + delayMs, callback };
    this.#timers.push(timer);
    return timer;
  };
  cancel = (timer: unknown): void => {
    this.#timers = this.#timers.filter((other) => other !== timer);
  };

  advance(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const [next] = this.#timers.filter(({ dueMs }) => dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs);
      if (next === undefined) break;
      this.cancel(next);
      this.nowMs = Math.max(this.nowMs, next.dueMs);
      next.callback();
    }
    this.nowMs = untilMs;
  }
}

export type Made = Record<'detail' | 'rollup' | 'incident', number>;

export class OutboxLife {
  readonly time: BenchTime;
  readonly outbox: QueueOutbox;
  /** Bytes of records that were appended. */
  payloadBytes = 0;
  /** Records that were appended, by class. */
  readonly made: Made = { detail: 0, rollup: 0, incident: 0 };
  #minute = 0;

  private constructor(time: BenchTime, outbox: QueueOutbox) {
    this.time = time;
    this.outbox = outbox;
  }

  static async open(directory: string, limitBytes: number, keepAcknowledgedMs: number): Promise<OutboxLife> {
    const time = new BenchTime();
    const { monotonicMs, wallMs, after, cancel } = time;
    const outbox = await openLevelOutbox({
      directory,
      limitBytes,
      keepAcknowledgedMs,
      commitIntervalMs: COMMIT_INTERVAL_MS,
      commitBytes: 64 * 1024,
      clock: { monotonicMs, wallMs },
      timers: { after, cancel },
      random: (bytes) => randomBytes(bytes),
      bootId: BOOT_ID,
      log: { debug: () => {}, info: () => {}, warn: console.error, error: console.error },
      wall: () => ({ wallMs: wallMs(), wallTrusted: 'yes' }),
    });
    const life = new OutboxLife(time, outbox);
    await life.#put('table', 'table', TABLE_BYTES, true);
    return life;
  }

  /** One minute of a machine; the key of its last record. Now and then an event, once a day an incident. */
  async minute(): Promise<RecordKey> {
    const n = this.#minute++;
    const window = [this.#put('summary', 'detail', SUMMARY_BYTES)];
    if (n % 60 === 59) window.push(this.#put('rollup', 'rollup', ROLLUP_BYTES));
    this.time.advance(COMMIT_INTERVAL_MS);
    let last = (await Promise.all(window)).at(-1)!;
    if (n % 10 === 3) {
      this.time.advance(15_000);
      const event = this.#put('event', 'detail', EVENT_BYTES);
      this.time.advance(COMMIT_INTERVAL_MS);
      last = await event;
    }
    if (n % 1440 === 700) {
      await this.#put('incident', 'incident', INCIDENT_BYTES, true);
      await this.#put('evidence', 'incident', EVIDENCE_BYTES, true);
      last = await this.#put('incident', 'incident', INCIDENT_BYTES, true);
    }
    this.time.advance(MINUTE_MS - (this.time.nowMs % MINUTE_MS));
    return last;
  }

  async #put(kind: RecordKind, recordClass: RecordClass, bytes: number, urgent = false): Promise<RecordKey> {
    // Bytes that no compressor shortens.
    const record = encodeRecord({
      kind,
      bootId: BOOT_ID,
      monotonicMs: this.time.nowMs,
      wallMs: this.time.wallMs(),
      wallTrusted: 'yes',
      body: randomBytes(bytes),
    });
    this.payloadBytes += record.length;
    if (recordClass === 'detail' || recordClass === 'rollup' || recordClass === 'incident') this.made[recordClass]++;
    const options = kind === 'event' || kind === 'incident' ? {} : { table: TABLE };
    return this.outbox.append(record, recordClass, { ...options, urgent });
  }
}
