/** Agents' minutes for a running ingest, at the rate of a fleet, and how long each waits for its acknowledgement. */

import type { BootRow } from '../../central/dating/row.ts';
import { BootOffsets } from '../../central/dating.ts';
import { Ingest } from '../../central/ingest.ts';
import type { LevelStore } from '../../central/store/level.ts';
import { MINUTE_MS } from '../../shared/limits.ts';
import { seeded } from '../../shared/math/random.ts';
import { packPayload } from '../../shared/transport/compress.ts';
import { encodeEnvelope, encodeRecord, encodeSummary } from '../../shared/wire/codec.ts';
import { encodeColumns } from '../../shared/wire/columns.ts';
import { frameRecord } from '../../shared/wire/frame.ts';
import { silentLog } from './backlog-fill.ts';
import { machineMinute, minuteOf } from './machine-minute.ts';
import { BOOT, END_MS, epochOf, SERIES, TABLE, TELLING, tellingOf } from './training-fill.ts';

/** Minutes that come in turn. */
const MINUTES = 20;

export class FleetLoad {
  readonly #ingest: Ingest;
  readonly #perSecond: number;
  readonly #minutes: readonly Uint8Array[];
  readonly #random = seeded(5);
  readonly #seqs = new Map<number, number>();
  readonly #answered = new Map<string, () => void>();
  #sent = 0;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();
  #waits: number[] = [];

  /** @param perSecond envelopes of a minute each */
  constructor(store: LevelStore, perSecond: number) {
    this.#perSecond = perSecond;
    this.#minutes = Array.from({ length: MINUTES }, (_, i) => encodeColumns(minuteOf(machineMinute(SERIES, i), true)));
    this.#ingest = new Ingest({
      store,
      offsets: new BootOffsets(async (agent) => (await store.boots(agent)) as readonly BootRow[]),
      incarnation: 'c'.repeat(32),
      nowMs: () => this.#nowMs(),
      log: silentLog,
      knows: () => true,
      sendAck: async (agent) => this.#answered.get(agent)?.(),
      committed: () => {},
    });
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    await this.#ingest.drain();
  }

  get failed(): number {
    const { failedCommits, droppedEnvelopes, poison, conflicts } = this.#ingest.counts;
    return failedCommits + droppedEnvelopes + poison + conflicts;
  }

  /** Milliseconds from when each was due to its acknowledgement, since this was asked last; rising. */
  takeWaits(): Float64Array {
    const waits = Float64Array.from(this.#waits).sort();
    this.#waits = [];
    return waits;
  }

  /** Each machine says a minute at each turn. */
  #nowMs(): number {
    return END_MS + 2 * MINUTE_MS + (this.#sent / TELLING) * MINUTE_MS;
  }

  async #run(): Promise<void> {
    let dueMs = performance.now();
    const under = new Set<Promise<void>>();
    while (!this.#stopped) {
      // As they come: independent of one another.
      dueMs += (-Math.log(1 - this.#random()) * 1000) / this.#perSecond;
      const machine = 1 + (this.#sent % TELLING);
      const payload = this.#payload(machine);
      this.#sent++;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      const one = this.#send(tellingOf(machine), payload, dueMs);
      under.add(one);
      void one.finally(() => under.delete(one));
    }
    await Promise.all(under);
  }

  async #send(agent: string, payload: Uint8Array, dueMs: number): Promise<void> {
    this.#answered.set(agent, () => this.#waits.push(performance.now() - dueMs));
    await this.#ingest.receive(agent, payload);
  }

  #payload(machine: number): Uint8Array {
    const seq = (this.#seqs.get(machine) ?? 2) + 1;
    this.#seqs.set(machine, seq);
    const wallMs = Math.floor(this.#nowMs() / MINUTE_MS) * MINUTE_MS;
    const monotonicMs = wallMs - END_MS + 60 * MINUTE_MS;
    const body = encodeSummary({
      table: TABLE,
      lengthMs: MINUTE_MS,
      nominalMs: MINUTE_MS,
      endMonotonicMs: monotonicMs,
      endWallMs: wallMs,
      first: 0,
      columns: this.#minutes[(machine + seq) % MINUTES]!,
    });
    const record = encodeRecord({ kind: 'summary', bootId: BOOT, monotonicMs, wallMs, wallTrusted: 'yes', body });
    const epoch = epochOf(machine);
    return packPayload(
      encodeEnvelope({
        agent: tellingOf(machine),
        epoch,
        n: seq,
        incarnation: null,
        bootId: BOOT,
        sentMonotonicMs: monotonicMs,
        highestSeq: seq,
        held: [[seq, seq]],
        frames: [frameRecord(epoch, seq, record)],
        live: true,
      }),
    );
  }
}
