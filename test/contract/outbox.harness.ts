/** What the outbox suites stand on: a clock and timers that the test moves, records, and a look at gaps. */

import type { OutboxOptions } from '../../agent/outbox/options.ts';
import {
  beginning,
  type Cursor,
  type Entry,
  type Outbox,
  type RecordClass,
  recordClasses,
} from '../../agent/outbox/outbox.ts';
import type { Clock, Timers } from '../../shared/clock.ts';
import { decodeEpochStart, decodeGap, type EpochStart, type Gap } from '../../shared/wire/bodies.ts';
import { readFrame } from '../../shared/wire/frame.ts';
import { type SeqRanges, unite } from '../../shared/wire/ranges.ts';
import { decodeRecord, encodeRecord, type RecordKind } from '../../shared/wire/record.ts';

export const BOOT_ID = 'b0'.repeat(16);

/** A clock and timers under the test's hand. */
export class ManualTime implements Clock, Timers {
  nowMs = 1000;
  #timers: { readonly dueMs: number; readonly callback: () => void }[] = [];

  monotonicMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.nowMs;
  }

  after(delayMs: number, callback: () => void): unknown {
    const timer = { dueMs: this.nowMs + delayMs, callback };
    this.#timers.push(timer);
    return timer;
  }

  cancel(timer: unknown): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
  }

  /** Moves on and calls what is due, in order. */
  advance(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const next = this.#timers.filter((timer) => timer.dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined) break;
      this.cancel(next);
      this.nowMs = Math.max(this.nowMs, next.dueMs);
      next.callback();
    }
    this.nowMs = untilMs;
  }

  /** Moves on in steps until a promise is settled; for work that pauses by these timers. */
  async until<T>(promise: Promise<T>, stepMs = 50): Promise<T> {
    let done = false;
    const settled = () => {
      done = true;
    };
    promise.then(settled, settled);
    while (!done) {
      await new Promise((resolve) => setImmediate(resolve));
      this.advance(stepMs);
    }
    return promise;
  }

  /** Forgets all timers: their process was killed. */
  kill(): void {
    this.#timers = [];
  }
}

/** Bytes that differ from call to call and from test to test the same way. */
export function countingRandom(): (bytes: number) => Uint8Array {
  let n = 0;
  return (bytes) => {
    n++;
    return Uint8Array.from({ length: bytes }, (_, i) =>
      i === 0 ? 0xe0 : i > bytes - 3 ? (n >> (8 * (bytes - 1 - i))) & 255 : 7,
    );
  };
}

export const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export function baseOptions(time: ManualTime, random: (bytes: number) => Uint8Array): OutboxOptions {
  return {
    limitBytes: 64 * 1024 * 1024,
    keepAcknowledgedMs: 3_600_000,
    commitIntervalMs: 5000,
    commitBytes: 64 * 1024,
    clock: time,
    timers: time,
    random,
    bootId: BOOT_ID,
    log: silent,
    wall: () => ({ wallMs: time.wallMs(), wallTrusted: 'yes' }),
  };
}

/** One kind of outbox as the suite drives it. */
export interface OutboxHarness {
  readonly time: ManualTime;
  /** A small limit for this kind, of which 100 records of `boundRecordBytes` are more than it holds. */
  readonly boundBytes: number;
  readonly boundRecordBytes: number;
  /** Opens it on what was left before. */
  open(overrides?: Partial<OutboxOptions>): Promise<Outbox>;
  /** Ends it as a kill of the process would: what is durable stays. */
  crash(outbox: Outbox): Promise<void>;
  dispose(): Promise<void>;
}

const kinds: Record<RecordClass, RecordKind> = {
  control: 'gap',
  table: 'table',
  incident: 'incident',
  rollup: 'rollup',
  detail: 'summary',
};

/** A record whose body says a number, padded. */
export function record(recordClass: RecordClass, number: number, sizeBytes = 40): Uint8Array {
  const body = new Uint8Array(Math.max(8, sizeBytes));
  new DataView(body.buffer).setFloat64(0, number);
  // Bytes that a compressor makes nothing of.
  for (let i = 8, x = number + 1; i < body.length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    body[i] = x >>> 24;
  }
  const kind = kinds[recordClass];
  return encodeRecord({ kind, bootId: BOOT_ID, monotonicMs: 1, wallMs: 2, wallTrusted: 'yes', body });
}

export function numberOf(entry: Entry): number {
  const { body } = decodeRecord(readFrame(entry.epoch, entry.frame).record);
  return new DataView(body.buffer, body.byteOffset, body.byteLength).getFloat64(0);
}

/** Everything that can still be sent, by class. */
export async function everything(outbox: Outbox, from: Cursor = beginning): Promise<Entry[]> {
  const out: Entry[] = [];
  for (const recordClass of recordClasses) {
    let after = from;
    for (;;) {
      const entries = await outbox.peek(recordClass, after, 256 * 1024);
      out.push(...entries);
      const last = entries.at(-1);
      if (last === undefined) break;
      after = last.cursor;
    }
  }
  return out.sort((a, b) => a.cursor.start - b.cursor.start || a.seq - b.seq);
}

export function gapsIn(entries: readonly Entry[]): Gap[] {
  return entries.flatMap((entry) => {
    const { kind, body } = decodeRecord(readFrame(entry.epoch, entry.frame).record);
    return kind === 'gap' ? [decodeGap(body)] : [];
  });
}

export function startsIn(entries: readonly Entry[]): (EpochStart & { readonly epoch: string })[] {
  return entries.flatMap((entry) => {
    const { kind, body } = decodeRecord(readFrame(entry.epoch, entry.frame).record);
    return kind === 'epoch' ? [{ ...decodeEpochStart(body), epoch: entry.epoch }] : [];
  });
}

/** What gaps name of an epoch. */
export function named(gaps: readonly Gap[], epoch: string): SeqRanges {
  return gaps.filter((gap) => gap.epoch === epoch).reduce<SeqRanges>((all, gap) => unite(all, gap.ranges), []);
}

export function seqsOf(entries: readonly Entry[], epoch: string): SeqRanges {
  return entries
    .filter((entry) => entry.epoch === epoch)
    .reduce<SeqRanges>((all, { seq }) => unite(all, [[seq, seq]]), []);
}
