/**
 * Keeps a shelf and the book about it together: writes batches, and after any error closes the shelf, opens it again
 * with growing pauses, and goes on with what is on it. One thing at a time changes the shelf (`exclusive`).
 */
import { messageOf, PicketError } from '../../shared/errors.ts';
import { toHex } from '../../shared/wire/bytes.ts';
import { contains, countSeqs, intersect, noRanges, type SeqRanges, subtract, upTo } from '../../shared/wire/ranges.ts';
import { Auditor } from './auditor.ts';
import { Book, type EpochEntry, type Victim } from './book.ts';
import { ChainNotes } from './chain.ts';
import { unnamedHoles } from './holes.ts';
import { type Place, recordKeyFrom } from './layout.ts';
import type { QueueOptions } from './options.ts';
import type { RecordKey } from './outbox.ts';
import { type Loss, lossesOf, type NewEpoch, type PlanInput, Planner, type Waiting } from './plan.ts';
import type { Op, Shelf } from './shelf.ts';

const REOPEN_FIRST_MS = 250;
/** A disk that was full and is free again is used within seconds (issue: 10 s). */
const REOPEN_LONGEST_MS = 4_000;

export interface Failing {
  readonly sinceMonotonicMs: number;
  readonly message: string;
}

/** What one write is made of, beside what the keeper adds itself. */
export interface Batch extends Partial<Omit<PlanInput, 'touched' | 'newEpoch' | 'dropCause'>> {
  readonly extraOps?: readonly Op[];
  /** It is durable; keys of the items, in their order. */
  readonly landed?: (keys: readonly RecordKey[]) => void;
}

/** A batch that was handed to the shelf. */
interface Attempt {
  readonly commit: number;
  readonly items: readonly Waiting[];
  readonly landed: () => void;
}

interface Chain {
  readonly epoch: string;
  readonly finalSeq: number;
}

export class Keeper {
  readonly #options: QueueOptions;
  readonly #planner = new Planner();
  readonly #notes: ChainNotes;
  readonly #auditor: Auditor;
  /** Epochs whose belief is newer than their row. */
  readonly #dirty = new Set<number>();
  #shelf: Shelf | null = null;
  #book = new Book();
  /** The epoch that this process writes to; it is on the shelf once it has a record. */
  #epoch: string;
  /** The belief was forgotten while the shelf could not be asked what it was. */
  #forgotten = false;
  /** The end of the chain where the shelf itself does not know it any more. */
  #chain: Chain | null = null;
  /** No epoch begins at or below this place in the chain. */
  #startFloor = 0;
  #lastStart = 0;
  /** To be named with the next batch. */
  #losses: Loss[] = [];
  #garbageBytes = 0;
  #garbageTo: Place | null = null;
  #attempt: Attempt | null = null;
  #failing: Failing | null = null;
  #suspect = false;
  #opened = false;
  #reopenMs = REOPEN_FIRST_MS;
  #reopenTimer: unknown = null;
  #tail: Promise<void> = Promise.resolve();
  #audit: Promise<void> = Promise.resolve();
  #closed = false;
  /** Called while the shelf is held alone: it works again, or fails. */
  onWorking: () => Promise<void> = async () => {};
  onFailing: () => void = () => {};

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#epoch = toHex(options.random(16));
    this.#notes = new ChainNotes(options);
    this.#auditor = new Auditor({
      timers: options.timers,
      log: options.log,
      current: (shelf) => this.#shelf === shelf && !this.#closed,
      book: () => this.#book,
      exclusive: (work) => this.exclusive(work),
      write: (batch) => this.write(batch),
      readFailed: (shelf, error) => this.readFailed(shelf, error),
      changed: () => options.onWorking?.(),
    });
  }

  /** Null while it fails. */
  get shelf(): Shelf | null {
    return this.#shelf;
  }

  get book(): Book {
    return this.#book;
  }

  get epoch(): string {
    return this.#epoch;
  }

  get failing(): Failing | null {
    return this.#failing;
  }

  /** The shelf was open once: where the chain stands is known. */
  get opened(): boolean {
    return this.#opened;
  }

  get garbageBytes(): number {
    return this.#garbageBytes;
  }

  /** There is something that the next commit should write though nothing was appended. */
  get hasOwnWork(): boolean {
    return this.#dirty.size > 0 || this.#losses.length > 0;
  }

  /** Items of a batch of which it is not known whether it is durable. */
  get attempted(): readonly Waiting[] {
    return this.#attempt?.items ?? [];
  }

  /** Rejects only where trying again can't help (`store.newer_format`); with a failing disk it begins as failing. */
  async start(): Promise<void> {
    try {
      await this.#open();
    } catch (error) {
      if (error instanceof PicketError && error.code === 'store.newer_format') throw error;
      await this.exclusive(() => this.#fail(error));
    }
  }

  /** Does this alone; an error of the shelf is dealt with here. */
  exclusive(work: () => Promise<void>): Promise<void> {
    const run = this.#tail.then(async () => {
      try {
        await work();
      } catch (error) {
        await this.#fail(error);
      }
    });
    // Whatever happens to one, the next has its turn.
    this.#tail = run.catch(() => undefined);
    return run;
  }

  /** Changes the belief about an epoch; written with the next batch. */
  believe(entry: EpochEntry, settled: SeqRanges): void {
    const before = entry.settled;
    entry.settled = intersect(settled, [[1, Math.max(1, entry.highestSeq)]]);
    if (subtract(before, entry.settled).length > 0) this.#notes.makeDue();
    this.#dirty.add(entry.start);
  }

  /** All that is held is pending again, also what the shelf will show when it opens. */
  forgetSettled(): void {
    for (const entry of this.#book.epochs) this.believe(entry, noRanges);
    this.#forgotten = this.#shelf === null;
  }

  /** @param after the new epoch comes after this place in the chain too */
  renewEpoch(after = 0): void {
    this.#startFloor = Math.max(this.#startFloor, after);
    // With a place given, whatever may have begun in a batch that failed is not gone on with.
    if (after > 0 || this.#book.newest?.epoch === this.#epoch) this.#epoch = toHex(this.#options.random(16));
  }

  /** The highest place that an epoch may have: also one that began with a batch of which nobody knows whether it landed. */
  lastStart(): number {
    return Math.max(this.#book.newest?.start ?? 0, this.#lastStart);
  }

  /** Place in the chain that the next new epoch gets. */
  nextStart(): number {
    return Math.max(this.#book.newest?.start ?? 0, this.#startFloor) + 1;
  }

  /** Writes one atomic batch. Only inside `exclusive`. */
  async write(batch: Batch): Promise<void> {
    const shelf = this.#shelf;
    if (shelf === null) return;
    const { bootId, clock, lossCause } = this.#options;
    const touched = [...this.#dirty].flatMap((start) => this.#book.byStart(start) ?? []);
    const settledThen = touched.map((entry) => entry.settled);
    const ownLosses = this.#losses;
    // Whoever asks for a new epoch while this is written gets it with the next batch.
    const epoch = this.#epoch;
    const input: PlanInput = {
      items: batch.items ?? [],
      dropped: batch.dropped ?? new Set(),
      dropCause: lossCause,
      deleted: batch.deleted ?? [],
      losses: [...ownLosses, ...(batch.losses ?? [])],
      newEpoch: this.#newEpoch(),
      touched,
      ...(batch.adjust === undefined ? {} : { adjust: batch.adjust }),
    };
    const moment = { bootId, monotonicMs: clock.monotonicMs(), ...this.#options.wall() };
    const { edit, seqs, apply } = this.#planner.plan(this.#book, input, moment);
    edit.ops.push(...(batch.extraOps ?? []));
    if (edit.ops.length === 0) return;
    const landed = (): void => {
      this.#losses = this.#losses.filter((loss) => !ownLosses.includes(loss));
      // A belief that changed during the write goes with the next one.
      touched.forEach((entry, i) => {
        if (entry.settled === settledThen[i]) this.#dirty.delete(entry.start);
      });
      batch.landed?.(seqs.map((seq) => ({ epoch, seq })));
    };
    this.#attempt = { commit: this.#book.commit + 1, items: input.items, landed };
    await shelf.write(edit.ops);
    this.#attempt = null;
    apply();
    landed();
    if (input.losses.length > 0 && input.items.length === 0) this.#options.onGap?.();
    await this.#notes.note(this.#book);
  }

  #newEpoch(): NewEpoch | null {
    const newest = this.#book.newest;
    if (newest?.epoch === this.#epoch) return null;
    const { volatile } = this.#options;
    const start = this.nextStart();
    this.#lastStart = start;
    const chain = newest === undefined ? this.#chain : { epoch: newest.epoch, finalSeq: newest.highestSeq };
    const before = volatile ? null : chain;
    return {
      epoch: this.#epoch,
      start,
      volatile,
      parent: before?.epoch ?? null,
      parentFinalSeq: before?.finalSeq ?? 0,
    };
  }

  /** Deletes, and names what is lost. Only inside `exclusive`. */
  async delete(victims: readonly Victim[], losses: readonly Loss[]): Promise<void> {
    await this.write({ deleted: victims, losses });
    for (const { place, sizeBytes } of victims) {
      this.#garbageBytes += sizeBytes;
      const to = this.#garbageTo;
      const later = to === null || place.start > to.start || (place.start === to.start && place.seq > to.seq);
      if (later) this.#garbageTo = place;
    }
  }

  /** Deletes what is settled, and is so still: the belief may have changed while it was gathered. Only inside `exclusive`. */
  deleteSettled(victims: readonly Victim[]): Promise<void> {
    const isSettled = ({ place }: Victim) => contains(this.#book.byStart(place.start)?.settled ?? noRanges, place.seq);
    return this.delete(victims.filter(isSettled), []);
  }

  /** Damaged or refused records leave, and a GAP says so. Only inside `exclusive`. */
  async setAside(found: readonly Victim[], cause: 'corrupt' | 'refused'): Promise<void> {
    const victims = found.filter(({ place }) => contains(this.#book.byStart(place.start)?.held ?? noRanges, place.seq));
    if (victims.length === 0) return;
    this.#options.log.warn({ records: victims.length, cause }, 'records of the outbox were set aside; gaps name them');
    const losses = lossesOf(this.#book, victims, cause);
    const shelf = this.#shelf;
    if (cause === 'corrupt' && shelf !== null) {
      const gone = new Map(losses.map(({ start, ranges }) => [start, ranges]));
      // It may have been a GAP.
      if (victims.some(({ place }) => place.recordClass === 'control')) {
        losses.push(...(await unnamedHoles(shelf, this.#book, gone)));
      }
      this.#auditor.recountSoon(shelf);
    }
    await this.delete(victims, losses);
  }

  /** Gives back the space of what was deleted; false when nothing was. Only inside `exclusive`. */
  async collectGarbage(): Promise<boolean> {
    const to = this.#garbageTo;
    if (to === null || this.#shelf === null) return false;
    this.#garbageTo = null;
    this.#garbageBytes = 0;
    await this.#shelf.compact(recordKeyFrom(0, 0), recordKeyFrom(to.start, to.seq + 1));
    return true;
  }

  /** A read found this shelf itself damaged or gone. */
  async readFailed(shelf: Shelf, error: unknown): Promise<void> {
    if (this.#shelf !== shelf || this.#closed) return;
    await this.exclusive(async () => {
      if (this.#shelf !== shelf) return;
      this.#suspect = shelf.isDamage?.(error) ?? true;
      throw error;
    });
  }

  audited(): Promise<void> {
    return this.#audit;
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#reopenTimer !== null) this.#options.timers.cancel(this.#reopenTimer);
    await this.exclusive(async () => {
      const shelf = this.#shelf;
      this.#shelf = null;
      await shelf?.close();
      if (shelf !== null) await this.#notes.note(this.#book, true);
    });
  }

  async #open(): Promise<void> {
    const shelf = await this.#options.openShelf(this.#suspect);
    let book: Book;
    try {
      book = await Book.load(shelf);
      if (!this.#opened) await this.#notes.recall(book);
    } catch (error) {
      this.#suspect = shelf.isDamage?.(error) ?? true;
      await shelf.close().catch(() => undefined);
      throw error;
    }
    this.#suspect = false;
    this.#takeOver(book);
    this.#opened = true;
    this.#shelf = shelf;
    this.#audit = this.#auditor.run(shelf);
  }

  /** Goes on with what is on the shelf, and with what was known before it failed. */
  #takeOver(book: Book): void {
    const before = this.#book;
    for (const old of before.epochs) {
      this.#startFloor = Math.max(this.#startFloor, old.start);
      const entry = book.epochs.find(({ epoch, start }) => epoch === old.epoch && start === old.start);
      // Where all of an epoch is gone, so are the GAPs about it.
      const ranges =
        entry === undefined ? subtract(upTo(old.highestSeq), old.settled) : subtract(before.pending(old), entry.held);
      const { epoch, start } = old;
      if (countSeqs(ranges) > 0) {
        this.#losses.push({ epoch, start, cause: 'corrupt', ranges, fromWallMs: 0, toWallMs: 0 });
      }
      if (entry === undefined) continue;
      entry.highestSeq = Math.max(entry.highestSeq, old.highestSeq);
      this.believe(entry, old.settled);
    }
    if (this.#forgotten) {
      for (const entry of book.epochs) if (before.byStart(entry.start) === undefined) this.believe(entry, noRanges);
      this.#forgotten = false;
    }
    const attempt = this.#attempt;
    const newest = before.newest;
    this.#attempt = null;
    this.#book = book;
    if (attempt !== null && book.commit >= attempt.commit) {
      attempt.landed();
    } else if (newest !== undefined && newest.epoch !== book.newest?.epoch) {
      // The shelf was moved aside or lost its newest rows: their seqs must not be given twice.
      this.#chain = { epoch: newest.epoch, finalSeq: newest.highestSeq };
      this.#epoch = toHex(this.#options.random(16));
    }
  }

  /** After any error the handle is used no more: LevelDB was seen to lose later writes in silence. */
  async #fail(error: unknown): Promise<void> {
    const { clock, log, timers } = this.#options;
    const shelf = this.#shelf;
    this.#shelf = null;
    const message = messageOf(error);
    if (this.#failing === null) {
      log.warn({ error: message }, 'the outbox fails; it is opened again until it works');
      this.#failing = { sinceMonotonicMs: clock.monotonicMs(), message };
    }
    await shelf?.close().catch(() => undefined);
    this.onFailing();
    if (this.#closed || this.#reopenTimer !== null) return;
    this.#reopenTimer = timers.after(this.#reopenMs, () => void this.#reopen());
    this.#reopenMs = Math.min(this.#reopenMs * 2, REOPEN_LONGEST_MS);
  }

  #reopen(): Promise<void> {
    this.#reopenTimer = null;
    return this.exclusive(async () => {
      if (this.#closed || this.#shelf !== null) return;
      await this.#open();
      await this.onWorking();
      this.#failing = null;
      this.#reopenMs = REOPEN_FIRST_MS;
      this.#options.log.info({}, 'the outbox works again');
      this.#options.onWorking?.();
    });
  }
}
