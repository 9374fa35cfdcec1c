/**
 * Sends what the outbox holds, and takes in what the central says of it.
 *
 * Lanes: live is what was made since this connection began, backlog all else, at a rate of its own. Within a lane:
 * control records first (they are small, and what follows needs them), then incidents, tables, rollups, detail.
 *
 * At most a few envelopes wait for an answer at a time. One that is not answered in time is sent again; a record that
 * was not answered three times goes alone, with an envelope without records right behind it. Where that one is answered
 * and the record is not, time after time, the record is set aside (`Outbox.refuse`), so that no poison blocks what lies
 * behind it (`publish/suspects.ts`).
 */
import { messageOf } from '../shared/errors.ts';
import { limits } from '../shared/limits.ts';
import { type Ack, decodeAck, settledBy } from '../shared/wire/envelope.ts';
import { contains, type SeqRanges } from '../shared/wire/ranges.ts';
import { beginning, type Cursor, type Entry, type EpochState, isAfter, type RecordClass } from './outbox/outbox.ts';
import { Allowance } from './publish/allowance.ts';
import { bounded } from './publish/bounded.ts';
import { type Flight, Flights } from './publish/flights.ts';
import { lapsedParents } from './publish/lapsed.ts';
import type { PublishCounts, PublishOptions } from './publish/options.ts';
import { classOrder, ENVELOPE_BYTES, envelopePayload } from './publish/payload.ts';
import { Suspects } from './publish/suspects.ts';

type Lane = 'live' | 'backlog';

/** Envelopes that wait for their answer. The last place is kept for what is live. */
const window: Readonly<Record<Lane, number>> = { live: 4, backlog: 3 };
const ANSWER_TIMEOUT_MS = 10_000;
/** The next envelope waits for the broker's word on this one no longer. */
const PUBACK_WAIT_MS = 1_000;
/** Tables of which it is remembered when they were asked for. */
const TABLES = 256;

export class Publisher {
  readonly #options: PublishOptions;
  #connected = false;
  /** Where live begins: what lay in the outbox when the connection began is backlog. */
  #liveFrom: Cursor = beginning;
  /** How far each lane has come. Replaced as a whole: a look that began before a rewind must not undo it. */
  #sent: Record<Lane, Map<RecordClass, Cursor>> = { live: new Map(), backlog: new Map() };
  /** Envelopes of this process are numbered above this. */
  readonly #before: number;
  #n: number;
  #highestAnswered = 0;
  #incarnation: string | null;
  readonly #flights: Flights;
  readonly #suspects = new Suspects();
  /** Tables that the central asked for; when each was last sent; those that are not held. */
  readonly #wanted = new Set<string>();
  readonly #tableSentMs = new Map<string, number>();
  readonly #missingTables = new Set<string>();
  readonly #allowance: Allowance;
  #pumping = false;
  #again = false;
  #probeWanted = false;
  #rewindTimer: unknown = null;
  /** Acknowledgements are taken in one after the other. */
  #taking: Promise<void> = Promise.resolve();
  #counts = { envelopesSent: 0, bytesSent: 0, acknowledged: 0, retried: 0, refused: 0 };

  constructor(options: PublishOptions) {
    this.#options = options;
    this.#incarnation = options.incarnation;
    const { backlogBytesPerS: rate, clock, timers } = options;
    const bytesPerS = typeof rate === 'function' ? rate : () => (rate > 0 ? rate : Number.POSITIVE_INFINITY);
    this.#flights = new Flights(timers);
    this.#allowance = new Allowance({ bytesPerS, clock, timers, refilled: () => this.wake() });
    // Rises over restarts within a boot, too: an answer to the process before is told from one to this.
    this.#before = Math.floor(clock.monotonicMs() * 1000);
    this.#n = this.#before;
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
    this.#forgetFlight();
    this.wake();
  }

  /** Also before the end: no timer is left over. */
  disconnected(): void {
    this.#connected = false;
    this.#forgetFlight();
    this.#allowance.stop();
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

  /** The outbox shows other records than before (its disk works again): all of it is looked through anew. */
  lookAgain(): void {
    this.#rewind();
    this.wake();
  }

  /** An acknowledgement arrived. Throws `payload.invalid`; nothing is changed then. */
  async acknowledged(payload: Uint8Array): Promise<void> {
    const ack = decodeAck(payload);
    const ours = ack.n > this.#before && ack.n <= this.#n;
    if (ours) this.#options.heard(ack.centralMs, ack.sentMonotonicMs);
    const taken = this.#taking.then(() => (ours ? this.#take(ack) : this.#takeForeign(ack)));
    this.#taking = taken.catch(() => {});
    await taken;
  }

  /** Settles what came by hand, between two acknowledgements; `settle` resolves with what is believed then. */
  async aside(settle: (believed: string | null) => Promise<string | null>): Promise<void> {
    const taken = this.#taking.then(async () => this.#believe(await settle(this.#incarnation)));
    this.#taking = taken.catch(() => {});
    await taken.finally(() => this.lookAgain());
  }

  #believe(incarnation: string | null): void {
    if (incarnation === null || incarnation === this.#incarnation) return;
    this.#incarnation = incarnation;
    this.#options.believe(incarnation);
  }

  /**
   * An answer to the process before, or to another machine with this identity: true of what is stored, but it says
   * nothing of this boot's clock, nor which of two centrals is the newer one.
   */
  async #takeForeign(ack: Ack): Promise<void> {
    if (ack.incarnation === this.#incarnation) await this.#options.outbox.ack(ack.epoch, settledBy(ack));
  }

  async #take(ack: Ack): Promise<void> {
    const { outbox } = this.#options;
    const settled = settledBy(ack);
    const newest = ack.n > this.#highestAnswered;
    if (newest) this.#highestAnswered = ack.n;
    const flight = this.#flights.land(ack.n);
    this.#flights.answered(ack.n);
    if (ack.incarnation !== this.#incarnation) {
      if (!newest) {
        // An old answer of a central that is no more must not replace what its successor said.
        this.lookAgain();
        return;
      }
      await outbox.forgetSettled();
      await outbox.adopt(ack.epoch, settled);
      this.#believe(ack.incarnation);
      this.#rewind();
    } else {
      await outbox.ack(ack.epoch, settled);
    }
    this.#suspects.settled(ack.epoch, settled);
    for (const hash of ack.need) this.#wanted.add(hash);
    if (ack.renewEpoch && ack.epoch === outbox.epoch()) outbox.renewEpoch();
    if (flight !== undefined) this.#settleFlight(flight, ack, settled);
    this.wake();
  }

  #settleFlight(flight: Flight, ack: Ack, settled: SeqRanges): void {
    const open = flight.seqs.filter((seq) => !contains(settled, seq));
    this.#counts.acknowledged += flight.seqs.length - open.length;
    if (open.length === 0) {
      // Others that go alone were stepped over meanwhile.
      if (flight.alone) this.#rewind();
      return;
    }
    if (ack.need.length === 0) {
      // Answered, but not settled: its frame was damaged on the way.
      this.#suspect(flight.epoch, open);
      this.#rewind();
    } else if (ack.need.some((hash) => this.#missingTables.has(hash))) {
      // Nobody has its table any more.
      this.#suspect(flight.epoch, open);
    }
    // Else it goes again after its table (`#sendTables`).
  }

  async #pump(): Promise<void> {
    try {
      await this.#sendTables();
      for (const lane of ['live', 'backlog'] as const) {
        while (this.#connected && this.#flights.count < window[lane]) {
          // What became durable meanwhile may be live, and then goes first.
          if (lane === 'backlog' && (this.#again || !this.#allowance.take())) break;
          const batch = await this.#next(lane);
          if (batch.length === 0) break;
          await this.#sendBatch(lane, batch);
        }
      }
      if (this.#probeWanted && this.#connected) await this.#sendProbe();
    } catch (error) {
      this.#options.log.debug({ problem: messageOf(error) }, 'sending paused');
    }
  }

  /** Sends each table that is wanted, at most once in a timeout, and then what waits for it again. */
  async #sendTables(): Promise<void> {
    const { outbox, clock, log } = this.#options;
    for (const hash of this.#wanted) {
      this.#wanted.delete(hash);
      const sentMs = this.#tableSentMs.get(hash) ?? Number.NEGATIVE_INFINITY;
      const entry = clock.monotonicMs() - sentMs < ANSWER_TIMEOUT_MS ? undefined : await outbox.table(hash);
      if (entry === null && outbox.stats().failing === null && !this.#missingTables.has(hash)) {
        log.warn({ table: hash }, 'the central asks for a table that is not held; what names it will be set aside');
        bounded(this.#missingTables, TABLES).add(hash);
      }
      if (entry === null || entry === undefined) {
        this.#rewindLater();
        continue;
      }
      this.#missingTables.delete(hash);
      bounded(this.#tableSentMs, TABLES).set(hash, clock.monotonicMs());
      await this.#sendBatch('live', [entry]);
      this.#rewind();
    }
  }

  /** Next records of the lane that belong into one envelope: one epoch, bounded in bytes, nothing that is under way. */
  async #next(lane: Lane): Promise<readonly Entry[]> {
    const { outbox } = this.#options;
    const sent = this.#sent[lane];
    for (const recordClass of classOrder) {
      if (this.#options.allows?.(recordClass, lane) === false) continue;
      for (;;) {
        const after = sent.get(recordClass) ?? (lane === 'live' ? this.#liveFrom : beginning);
        const entries = await outbox.peek(recordClass, after, ENVELOPE_BYTES);
        const inLane = lane === 'live' ? entries : entries.filter(({ cursor }) => !isAfter(cursor, this.#liveFrom));
        if (inLane.length === 0) break;
        const batch = this.#oneEnvelope(inLane);
        sent.set(recordClass, (batch.at(-1) ?? inLane.at(-1)!).cursor);
        const fresh = batch.filter((entry) => !this.#flights.holds(entry));
        if (fresh.length > 0) return fresh;
      }
    }
    return [];
  }

  #oneEnvelope(entries: readonly Entry[]): readonly Entry[] {
    const batch: Entry[] = [];
    let sizeBytes = 0;
    for (const entry of entries) {
      if (this.#suspects.goesAlone(entry)) {
        // One at a time: many that are not answered must leave room for the others.
        if (this.#flights.aloneFlies) continue;
        return batch.length === 0 ? [entry] : batch;
      }
      sizeBytes += entry.frame.length + 8;
      const full = batch.length > 0 && (sizeBytes > ENVELOPE_BYTES || batch.length >= limits.recordsPerEnvelope);
      if (full || entry.epoch !== (batch[0] ?? entry).epoch) break;
      batch.push(entry);
    }
    return batch;
  }

  async #sendBatch(lane: Lane, batch: readonly Entry[]): Promise<void> {
    const { outbox } = this.#options;
    const { epoch } = batch[0]!;
    const states = outbox.epochs();
    const state = states.find((known) => known.epoch === epoch);
    // Before the record that names them: once that one is settled, nobody looks at it again. What a failing disk holds
    // is not known.
    const lapsed = outbox.stats().failing === null ? lapsedParents(batch, states) : [];
    for (const parent of lapsed) await this.#send(lane, parent.epoch, parent, []);
    const flight = await this.#send(lane, epoch, state, batch);
    if (!flight.alone) return;
    // Known before it is sent: the answer may come before the broker says that it has it.
    flight.witness = this.#n + 1;
    await this.#sendProbe();
  }

  /** An envelope without records: whoever answers it has dealt with what was sent before. */
  async #sendProbe(): Promise<void> {
    const { outbox } = this.#options;
    this.#probeWanted = false;
    const newest = outbox.epochs().at(-1);
    await this.#send('live', newest?.epoch ?? outbox.epoch(), newest, []);
  }

  /** Resolves when the broker has it or it waits no more. Rejects where it can't be sent now. */
  async #send(lane: Lane, epoch: string, state: EpochState | undefined, batch: readonly Entry[]): Promise<Flight> {
    const { agent, bootId, clock, timers, send } = this.#options;
    const n = ++this.#n;
    const payload = envelopePayload({
      agent,
      epoch,
      n,
      incarnation: this.#incarnation,
      bootId,
      sentMonotonicMs: Math.round(clock.monotonicMs()),
      highestSeq: Math.max(state?.highestSeq ?? 0, batch.at(-1)?.seq ?? 0),
      held: state?.held ?? [],
      frames: batch.map(({ frame }) => frame),
      live: lane === 'live',
    });
    const alone = batch.length === 1 && this.#suspects.goesAlone(batch[0]!);
    const tries = alone ? 0 : Math.max(0, ...batch.map((entry) => this.#suspects.triesOf(entry)));
    const flight = this.#flights.start(n, epoch, batch, alone, ANSWER_TIMEOUT_MS * 2 ** tries, () => this.#late(n));
    this.#counts.envelopesSent++;
    this.#counts.bytesSent += payload.length;
    if (lane === 'backlog') this.#allowance.spend(payload.length);
    // A broker may never say that it has it; what counts is the central's answer.
    const goOn = Promise.withResolvers<null>();
    const timer = timers.after(PUBACK_WAIT_MS, () => goOn.resolve(null));
    const failure = await Promise.race([
      send(payload).then(
        () => null,
        (error: unknown) => ({ error }),
      ),
      flight.over.then(() => null),
      goOn.promise,
    ]);
    timers.cancel(timer);
    if (failure === null) return flight;
    this.#flights.land(n);
    this.#rewind();
    throw failure.error;
  }

  #late(n: number): void {
    const flight = this.#flights.land(n);
    if (flight === undefined || flight.seqs.length === 0) return;
    this.#counts.retried += flight.seqs.length;
    const othersAnswered = flight.alone ? flight.witnessed : this.#highestAnswered > n;
    if (othersAnswered) this.#suspect(flight.epoch, flight.seqs);
    else this.#probeWanted = true;
    this.lookAgain();
  }

  #suspect(epoch: string, seqs: readonly number[]): void {
    const { outbox, log } = this.#options;
    for (const seq of seqs) {
      if (!this.#suspects.add({ epoch, seq }, (of) => outbox.held(of))) continue;
      this.#counts.refused++;
      log.warn({ epoch, seq }, 'the central does not take this record; it is set aside, a gap names it');
      outbox.refuse(epoch, seq).then(
        () => this.wake(),
        (error: unknown) => log.error({ epoch, seq, problem: messageOf(error) }, 'it could not be set aside'),
      );
    }
  }

  #rewind(): void {
    this.#sent = { live: new Map(), backlog: new Map() };
  }

  /** Nothing can be done at once for what was not settled. */
  #rewindLater(): void {
    this.#rewindTimer ??= this.#options.timers.after(ANSWER_TIMEOUT_MS, () => {
      this.#rewindTimer = null;
      this.lookAgain();
    });
  }

  #forgetFlight(): void {
    this.#flights.landAll();
    if (this.#rewindTimer !== null) this.#options.timers.cancel(this.#rewindTimer);
    this.#rewindTimer = null;
    this.#probeWanted = false;
    this.#wanted.clear();
    this.#tableSentMs.clear();
    this.#rewind();
  }
}
