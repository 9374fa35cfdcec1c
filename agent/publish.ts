/**
 * Sends what the outbox holds, and takes in what the central says of it.
 *
 * Lanes: live is what was made since this connection began, backlog all else, at a rate of its own. Within a lane:
 * control records and tables first (they are small, and what follows needs them), then incidents, rollups, detail.
 *
 * At most a few envelopes wait for an answer at a time. One that is not answered in time is sent again; one that was
 * not answered three times is sent record by record, and a record that is then still not answered while others are is
 * set aside (`Outbox.refuse`), so that no poison blocks what lies behind it.
 */
import type { Clock, Timers } from '../shared/clock.ts';
import { messageOf } from '../shared/errors.ts';
import { limits } from '../shared/limits.ts';
import { packPayload } from '../shared/transport/compress.ts';
import { type Ack, decodeAck, encodeEnvelope, settledBy } from '../shared/wire/envelope.ts';
import { contains, type SeqRanges, subtract } from '../shared/wire/ranges.ts';
import type { Log } from './inputs/input.ts';
import { beginning, type Cursor, type Entry, type Outbox, type RecordClass } from './outbox/outbox.ts';

type Lane = 'live' | 'backlog';

/** The order in which classes travel. */
const classOrder: readonly RecordClass[] = ['control', 'table', 'incident', 'rollup', 'detail'];

const WINDOW_ENVELOPES = 4;
const ANSWER_TIMEOUT_MS = 10_000;
const LONGEST_TIMEOUT_MS = 120_000;
const TRIES_TOGETHER = 3;
const TRIES_ALONE = 3;
/** Frames of one envelope before compression; leaves room for the envelope's own fields. */
const ENVELOPE_BYTES = limits.payloadBytes - 8 * 1024;
const SUSPECTS = 256;

export interface PublishOptions {
  readonly agent: string;
  readonly bootId: string;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** Bytes a second of backlog, before compression; 0 for no bound. */
  readonly backlogBytesPerS: number;
  /** Sends one payload on up/records; rejects when it can't now. */
  readonly send: (payload: Uint8Array) => Promise<void>;
  /** An acknowledgement came, whatever it settles: the central's time, for the estimate of UTC. */
  readonly heard: (centralMs: number, sentMonotonicMs: number) => void;
  /** Incarnation that was believed in before the restart, 32 hex digits. */
  readonly incarnation: string | null;
  /** Called when the belief changes; to be kept with the records. */
  readonly believe: (incarnation: string) => void;
}

interface InFlight {
  readonly lane: Lane;
  readonly epoch: string;
  readonly seqs: readonly number[];
  readonly timer: unknown;
}

export interface PublishCounts {
  readonly envelopesSent: number;
  readonly bytesSent: number;
  readonly acknowledged: number;
  readonly retried: number;
  readonly refused: number;
}

export class Publisher {
  readonly #options: PublishOptions;
  #connected = false;
  /** Where live begins: what lay in the outbox when the connection began is backlog. */
  #liveFrom: Cursor = beginning;
  #sent: Record<Lane, Map<RecordClass, Cursor>> = { live: new Map(), backlog: new Map() };
  #n: number;
  #highestAnswered = 0;
  #incarnation: string | null;
  readonly #inFlight = new Map<number, InFlight>();
  readonly #flyingSeqs = new Set<string>();
  /** Tries of records that were not answered. */
  readonly #suspects = new Map<string, number>();
  /** Tables that the central asked for. */
  readonly #wanted = new Set<string>();
  #pumping = false;
  #again = false;
  #backlogAllowanceBytes = 0;
  #backlogFilledMs = 0;
  #backlogTimer: unknown = null;
  #counts = { envelopesSent: 0, bytesSent: 0, acknowledged: 0, retried: 0, refused: 0 };

  constructor(options: PublishOptions) {
    this.#options = options;
    this.#incarnation = options.incarnation;
    // Rises over restarts within a boot, too; a broker's late message for the process before is then never the newest.
    this.#n = Math.floor(options.clock.monotonicMs() * 1000);
  }

  get counts(): PublishCounts {
    return { ...this.#counts };
  }

  get incarnation(): string | null {
    return this.#incarnation;
  }

  connected(): void {
    this.#connected = true;
    this.#liveFrom = this.#options.outbox.position();
    this.#backlogFilledMs = this.#options.clock.monotonicMs();
    this.#backlogAllowanceBytes = this.#options.backlogBytesPerS;
    this.#forgetFlight();
    this.wake();
  }

  disconnected(): void {
    this.#connected = false;
    this.#forgetFlight();
    if (this.#backlogTimer !== null) this.#options.timers.cancel(this.#backlogTimer);
    this.#backlogTimer = null;
  }

  /** Something may be to send: a record became durable, an answer came. */
  wake(): void {
    if (!this.#connected) return;
    if (this.#pumping) {
      this.#again = true;
      return;
    }
    this.#pumping = true;
    void this.#pump().finally(() => {
      this.#pumping = false;
      if (this.#again) {
        this.#again = false;
        this.wake();
      }
    });
  }

  /** An acknowledgement arrived. Throws `payload.invalid`; nothing is changed then. */
  async acknowledged(payload: Uint8Array): Promise<void> {
    const ack = decodeAck(payload);
    this.#options.heard(ack.centralMs, ack.sentMonotonicMs);
    const settled = settledBy(ack);
    const newest = ack.n > this.#highestAnswered;
    if (newest) this.#highestAnswered = ack.n;
    const flight = this.#land(ack.n);
    if (ack.incarnation !== this.#incarnation) {
      // An old answer of a central that is no more must not replace what its successor said.
      if (!newest) return;
      await this.#options.outbox.forgetSettled();
      await this.#options.outbox.adopt(ack.epoch, settled);
      this.#incarnation = ack.incarnation;
      this.#options.believe(ack.incarnation);
      this.#rewind();
    } else {
      await this.#options.outbox.ack(ack.epoch, settled);
    }
    for (const key of this.#suspects.keys()) if (this.#isSettled(key, ack.epoch, settled)) this.#suspects.delete(key);
    for (const hash of ack.need) this.#wanted.add(hash);
    if (ack.renewEpoch) this.#options.outbox.renewEpoch();
    if (flight !== undefined) this.#settleFlight(flight, ack, settled);
    this.wake();
  }

  #settleFlight(flight: InFlight, ack: Ack, settled: SeqRanges): void {
    const open = flight.seqs.filter((seq) => !contains(settled, seq));
    this.#counts.acknowledged += flight.seqs.length - open.length;
    // Answered, but not settled: its table is wanted, or its frame was damaged on the way. It is sent again, and when
    // that does not help either, alone.
    if (open.length === 0) return;
    if (ack.need.length === 0) for (const seq of open) this.#suspect(`${flight.epoch}/${seq}`);
    this.#rewind();
  }

  #isSettled(key: string, epoch: string, settled: SeqRanges): boolean {
    const [ofEpoch, seq] = key.split('/');
    return ofEpoch === epoch && contains(settled, Number(seq));
  }

  async #pump(): Promise<void> {
    try {
      await this.#sendWanted();
      for (const lane of ['live', 'backlog'] as const) {
        while (this.#connected && this.#inFlight.size < WINDOW_ENVELOPES) {
          if (lane === 'backlog' && !this.#mayBacklog()) break;
          const batch = await this.#next(lane);
          if (batch.length === 0) break;
          await this.#sendBatch(lane, batch);
        }
      }
    } catch (error) {
      this.#options.log.debug({ problem: messageOf(error) }, 'sending paused');
    }
  }

  async #sendWanted(): Promise<void> {
    for (const hash of this.#wanted) {
      this.#wanted.delete(hash);
      const entry = await this.#options.outbox.table(hash);
      if (entry === null) this.#options.log.warn({ table: hash }, 'the central asks for a table that is not held');
      else await this.#sendBatch('live', [entry]);
    }
  }

  /** Next records of the lane that belong into one envelope: one epoch, bounded in bytes, nothing that is under way. */
  async #next(lane: Lane): Promise<readonly Entry[]> {
    const { outbox } = this.#options;
    for (const recordClass of classOrder) {
      for (;;) {
        const after = this.#sent[lane].get(recordClass) ?? (lane === 'live' ? this.#liveFrom : beginning);
        const entries = await outbox.peek(recordClass, after, ENVELOPE_BYTES);
        const inLane = lane === 'live' ? entries : entries.filter(({ cursor }) => !isAfter(cursor, this.#liveFrom));
        if (inLane.length === 0) break;
        const batch = this.#oneEnvelope(inLane);
        const last = batch.at(-1) ?? inLane.at(-1)!;
        this.#sent[lane].set(recordClass, last.cursor);
        const fresh = batch.filter(({ epoch, seq }) => !this.#flyingSeqs.has(`${epoch}/${seq}`));
        if (fresh.length > 0) return fresh;
      }
    }
    return [];
  }

  #oneEnvelope(entries: readonly Entry[]): readonly Entry[] {
    const first = entries[0]!;
    if (this.#triesOf(first) >= TRIES_TOGETHER) return [first];
    let sizeBytes = 0;
    const batch: Entry[] = [];
    for (const entry of entries) {
      sizeBytes += entry.frame.length + 8;
      const full = batch.length > 0 && (sizeBytes > ENVELOPE_BYTES || batch.length >= limits.recordsPerEnvelope);
      if (entry.epoch !== first.epoch || full || this.#triesOf(entry) >= TRIES_TOGETHER) break;
      batch.push(entry);
    }
    return batch;
  }

  async #sendBatch(lane: Lane, batch: readonly Entry[]): Promise<void> {
    const { agent, bootId, outbox, clock } = this.#options;
    const first = batch[0]!;
    const state = outbox.epochs().find(({ epoch }) => epoch === first.epoch);
    const highestSeq = state?.highestSeq ?? batch.at(-1)!.seq;
    const n = ++this.#n;
    const payload = packPayload(
      encodeEnvelope({
        agent,
        epoch: first.epoch,
        n,
        incarnation: this.#incarnation,
        bootId,
        sentMonotonicMs: Math.round(clock.monotonicMs()),
        highestSeq,
        held: boundedRanges(state?.held ?? []),
        frames: batch.map(({ frame }) => frame),
        live: lane === 'live',
      }),
    );
    this.#fly(n, lane, batch);
    this.#counts.envelopesSent++;
    this.#counts.bytesSent += payload.length;
    if (lane === 'backlog') this.#backlogAllowanceBytes -= payload.length;
    try {
      await this.#options.send(payload);
    } catch (error) {
      this.#land(n);
      this.#rewind();
      throw error;
    }
  }

  #fly(n: number, lane: Lane, batch: readonly Entry[]): void {
    const tries = Math.max(...batch.map((entry) => this.#triesOf(entry)));
    const timeoutMs = Math.min(ANSWER_TIMEOUT_MS * 2 ** tries, LONGEST_TIMEOUT_MS);
    const timer = this.#options.timers.after(timeoutMs, () => this.#unanswered(n));
    const epoch = batch[0]!.epoch;
    this.#inFlight.set(n, { lane, epoch, seqs: batch.map(({ seq }) => seq), timer });
    for (const { seq } of batch) this.#flyingSeqs.add(`${epoch}/${seq}`);
  }

  #land(n: number): InFlight | undefined {
    const flight = this.#inFlight.get(n);
    if (flight === undefined) return undefined;
    this.#inFlight.delete(n);
    this.#options.timers.cancel(flight.timer);
    for (const seq of flight.seqs) this.#flyingSeqs.delete(`${flight.epoch}/${seq}`);
    return flight;
  }

  #unanswered(n: number): void {
    const flight = this.#land(n);
    if (flight === undefined) return;
    this.#counts.retried += flight.seqs.length;
    // While nothing at all is answered, the central is away; that is no record's fault.
    const othersAnswered = this.#highestAnswered > n;
    if (othersAnswered) for (const seq of flight.seqs) this.#suspect(`${flight.epoch}/${seq}`);
    this.#rewind();
    this.wake();
  }

  #suspect(key: string): void {
    const tries = (this.#suspects.get(key) ?? 0) + 1;
    if (tries < TRIES_TOGETHER + TRIES_ALONE) {
      if (this.#suspects.size < SUSPECTS || this.#suspects.has(key)) this.#suspects.set(key, tries);
      return;
    }
    this.#suspects.delete(key);
    this.#counts.refused++;
    const [epoch, seq] = key.split('/');
    this.#options.log.warn({ epoch, seq }, 'the central does not take this record; it is set aside, a gap names it');
    void this.#options.outbox.refuse(epoch!, Number(seq));
  }

  #triesOf({ epoch, seq }: Entry): number {
    return this.#suspects.get(`${epoch}/${seq}`) ?? 0;
  }

  #rewind(): void {
    this.#sent = { live: new Map(), backlog: new Map() };
  }

  #forgetFlight(): void {
    for (const n of [...this.#inFlight.keys()]) this.#land(n);
    this.#rewind();
  }

  /** A token bucket of one second. */
  #mayBacklog(): boolean {
    const rate = this.#options.backlogBytesPerS;
    if (rate <= 0) return true;
    const nowMs = this.#options.clock.monotonicMs();
    const filled = this.#backlogAllowanceBytes + (rate * (nowMs - this.#backlogFilledMs)) / 1000;
    this.#backlogAllowanceBytes = Math.min(rate, filled);
    this.#backlogFilledMs = nowMs;
    if (this.#backlogAllowanceBytes > 0) return true;
    if (this.#backlogTimer === null) {
      const waitMs = Math.ceil((-this.#backlogAllowanceBytes / rate) * 1000) + 10;
      this.#backlogTimer = this.#options.timers.after(waitMs, () => {
        this.#backlogTimer = null;
        this.wake();
      });
    }
    return false;
  }
}

function isAfter(a: Cursor, b: Cursor): boolean {
  return a.start > b.start || (a.start === b.start && a.seq > b.seq);
}

/**
 * As many ranges as a message may have. What is cut off at the lower end is said to be held though there are holes in
 * it: the central then counts these as pending rather than lost, which a later, shorter list corrects.
 */
function boundedRanges(ranges: SeqRanges): SeqRanges {
  if (ranges.length <= limits.rangesPerMessage) return ranges;
  const kept = ranges.slice(-limits.rangesPerMessage + 1);
  const rest = subtract(ranges, kept);
  return [[rest[0]![0], rest.at(-1)![1]], ...kept];
}
