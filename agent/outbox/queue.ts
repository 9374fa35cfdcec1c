/**
 * The outbox over a shelf: the whole logic, whatever keeps the bytes (`level.ts`, `memory.ts`).
 *
 *     append → waiting ──(5 s, 64 KB, or urgent)──► one batch: records, deletions, GAPs, rows ──► durable → resolved
 *     ack    → belief in memory, written with the next batch
 *     write or read error → the shelf is closed and opened again (`keeper.ts`); what waits goes on waiting, bounded
 *
 * Reads run beside the writes and see only what is durable.
 */
import { PicketError } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { intersect, noRanges, type SeqRanges, unite } from '../../shared/wire/ranges.ts';
import type { EpochEntry, Victim } from './book.ts';
import { Keeper } from './keeper.ts';
import {
  decodeStored,
  metaKey,
  type Place,
  parseRecordKey,
  recordKey,
  recordKeyFrom,
  sealBytes,
  unsealBytes,
} from './layout.ts';
import type { QueueOptions } from './options.ts';
import type {
  AppendOptions,
  Cursor,
  Entry,
  EpochState,
  Outbox,
  OutboxStats,
  RecordClass,
  RecordKey,
} from './outbox.ts';
import { checked, readPending } from './peek.ts';
import { lossesOf, type Waiting } from './plan.ts';
import { gatherSettled } from './reclaim.ts';
import { makeRoom, type Room, sizeOf } from './room.ts';
import { Ageing, RecentTables, withTables } from './settling.ts';
import type { Op } from './shelf.ts';

/** Deleted bytes that lie about before they are given back, as a share of the limit. */
const GARBAGE_SHARE = 1 / 16;
/** A card may take seconds for a write; what comes meanwhile is more than what waits for one that has failed. */
const RINGS_WHILE_WRITING = 4;
const TABLE_HASH = /^[0-9a-f]{16}$/;
const META_NAME = /^[a-z][a-z0-9._-]{0,63}$/;
const META_BYTES = 64 * 1024;

export class QueueOutbox implements Outbox {
  readonly #options: QueueOptions;
  readonly #keeper: Keeper;
  readonly #recentTables = new RecentTables();
  readonly #ageing: Ageing;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  readonly #meta = new Map<string, { readonly value: Uint8Array; readonly done: (() => void)[] }>();
  #timer: unknown = null;
  #closed = false;

  private constructor(options: QueueOptions) {
    this.#options = options;
    this.#ageing = new Ageing(options.keepAcknowledgedMs);
    this.#keeper = new Keeper(options);
    this.#keeper.onWorking = () => this.#commit();
    this.#keeper.onFailing = () => this.#handOver();
  }

  /** Rejects only where trying again can't help (`store.newer_format`); with a failing disk it opens as failing. */
  static async open(options: QueueOptions): Promise<QueueOutbox> {
    const outbox = new QueueOutbox(options);
    await outbox.#keeper.start();
    return outbox;
  }

  append(record: Uint8Array, recordClass: RecordClass, options: AppendOptions = {}): Promise<RecordKey> {
    const table = options.table ?? null;
    if (this.#closed) return Promise.reject(new PicketError('store.failed', 'outbox: it is closed'));
    if (record.length > limits.recordBytes || record.length === 0) {
      const problem = `outbox: a record of ${record.length} bytes; 1 to ${limits.recordBytes} are possible`;
      return Promise.reject(new PicketError('payload.too_large', problem));
    }
    if (table !== null && !TABLE_HASH.test(table)) {
      return Promise.reject(new PicketError('internal', `outbox: "${table.slice(0, 40)}" is no hash of a table`));
    }
    const { wallMs } = this.#options.wall();
    const { fromWallMs = wallMs, toWallMs = wallMs } = options;
    return new Promise((resolve, reject) => {
      const item = { record, recordClass, table, fromWallMs, toWallMs, resolve, reject };
      this.take(item, options.urgent === true);
    });
  }

  /** Takes over an append that another outbox could not keep; its promise is answered here. */
  take(item: Waiting, urgent: boolean): void {
    const { table, recordClass } = item;
    if (table !== null) this.#recentTables.use(table, recordClass === 'table' ? item.record : undefined);
    this.#waiting.push(item);
    this.#waitingBytes += sizeOf(item);
    this.#boundWaiting();
    if (urgent || this.#waitingBytes >= this.#options.commitBytes) void this.flush();
    else this.#schedule();
  }

  /** The record of a table that was given to another outbox: should a record here name it, it comes here too. */
  know(table: string, record: Uint8Array): void {
    this.#recentTables.use(table, record);
  }

  flush(): Promise<void> {
    if (this.#timer !== null) this.#options.timers.cancel(this.#timer);
    this.#timer = null;
    return this.#keeper.exclusive(() => this.#commit());
  }

  epoch(): string {
    return this.#keeper.epoch;
  }

  position(): Cursor {
    const newest = this.#keeper.book.newest;
    return newest === undefined ? { start: 0, seq: 0 } : { start: newest.start, seq: newest.highestSeq };
  }

  async peek(recordClass: RecordClass, after: Cursor, maxBytes: number): Promise<readonly Entry[]> {
    const { shelf, book } = this.#keeper;
    if (shelf === null) return [];
    try {
      const { entries, bad } = await readPending(shelf, book, recordClass, after, maxBytes);
      if (bad.length > 0) void this.#keeper.exclusive(() => this.#keeper.setAside(bad.map(victimOf), 'corrupt'));
      return entries;
    } catch (error) {
      await this.#keeper.readFailed(shelf, error);
      return [];
    }
  }

  epochs(): readonly EpochState[] {
    return this.#keeper.book.epochs
      .filter(({ held }) => held.length > 0)
      .map(({ epoch, start, highestSeq, held, settled, volatile }) => {
        return { epoch, start, highestSeq, held, settled: intersect(held, settled), volatile };
      });
  }

  held(epoch: string): SeqRanges {
    return this.#keeper.book.byEpoch(epoch)?.held ?? noRanges;
  }

  async ack(epoch: string, ranges: SeqRanges): Promise<void> {
    const entry = this.#keeper.book.byEpoch(epoch);
    if (entry === undefined) return;
    this.#keeper.believe(entry, unite(entry.settled, ranges));
    // Losing this costs a few duplicates, so that it is worth no sync of its own.
    if (this.#options.keepAcknowledgedMs === 0) this.#schedule();
  }

  async adopt(epoch: string, settled: SeqRanges): Promise<void> {
    const entry = this.#keeper.book.byEpoch(epoch);
    if (entry === undefined) return;
    this.#keeper.believe(entry, settled);
    this.#ageing.reset();
    this.#schedule();
  }

  async forgetSettled(): Promise<void> {
    this.#keeper.forgetSettled();
    this.#ageing.reset();
    this.#schedule();
  }

  async table(hash: string): Promise<Entry | null> {
    const { shelf, book } = this.#keeper;
    const row = book.tables.get(hash);
    const entry = row === undefined ? undefined : book.byStart(row.start);
    if (shelf === null || row === undefined || row.seq === 0 || entry === undefined) return null;
    this.#recentTables.use(hash);
    const place: Place = { start: row.start, seq: row.seq, recordClass: 'table' };
    try {
      const value = await shelf.get(recordKey(place));
      const read = value === undefined ? null : checked(entry, place, value);
      if (read !== null) return read;
      const bad: Victim = { ...victimOf({ place, sizeBytes: value?.length ?? 0 }), table: hash };
      void this.#keeper.exclusive(() => this.#keeper.setAside([bad], 'corrupt'));
    } catch (error) {
      await this.#keeper.readFailed(shelf, error);
    }
    return null;
  }

  refuse(epoch: string, seq: number): Promise<void> {
    return this.#keeper.exclusive(async () => {
      const { shelf, book } = this.#keeper;
      const entry = book.byEpoch(epoch);
      if (entry === undefined || shelf === null) return;
      const victims: Victim[] = [];
      await shelf.scan(recordKeyFrom(entry.start, seq), recordKeyFrom(entry.start, seq + 1), (key, value) => {
        const place = parseRecordKey(key);
        const { table = null, fromWallMs = 0, toWallMs = 0 } = decodeStored(value) ?? {};
        if (place !== null) victims.push({ place, sizeBytes: value.length, table, fromWallMs, toWallMs });
        return 'on';
      });
      await this.#keeper.setAside(victims, 'refused');
    });
  }

  /** @param after place in the chain that the new epoch comes after */
  renewEpoch(after = 0): void {
    this.#keeper.renewEpoch(after);
  }

  /** The highest place in the chain that an epoch may have. */
  lastStart(): number {
    return this.#keeper.lastStart();
  }

  /** Place in the chain that the next new epoch gets. */
  nextStart(): number {
    return this.#keeper.nextStart();
  }

  /** False while the shelf could not be opened yet, and where the chain of its epochs stands is not known. */
  get opened(): boolean {
    return this.#keeper.opened;
  }

  get failing(): boolean {
    return this.#keeper.failing !== null;
  }

  async getMeta(key: string): Promise<Uint8Array | null> {
    const name = checkedName(key);
    const open = this.#meta.get(name);
    if (open !== undefined) return open.value;
    const { shelf } = this.#keeper;
    if (shelf === null) return null;
    try {
      const sealed = await shelf.get(metaKey(`.${name}`));
      return sealed === undefined ? null : unsealBytes(sealed);
    } catch (error) {
      await this.#keeper.readFailed(shelf, error);
      return null;
    }
  }

  /** Resolves when durable: with the next commit, at most the commit interval later. */
  setMeta(key: string, value: Uint8Array): Promise<void> {
    const name = checkedName(key);
    if (value.length > META_BYTES) {
      return Promise.reject(new PicketError('payload.too_large', `outbox: ${key} has ${value.length} bytes`));
    }
    return new Promise((resolve) => {
      const before = this.#meta.get(name)?.done ?? [];
      this.#meta.set(name, { value: value.slice(), done: [...before, resolve] });
      this.#schedule();
    });
  }

  stats(): OutboxStats {
    const { book, shelf, failing } = this.#keeper;
    const { records, held } = book.countPending();
    const { heldBytes, gapRecords, lostRecords } = book.totals;
    return {
      pendingRecords: records,
      pendingBytes: held === 0 ? 0 : Math.round((heldBytes * records) / held),
      diskBytes: this.#options.volatile ? 0 : (shelf?.sizeBytes() ?? 0),
      limitBytes: this.#options.limitBytes,
      gapRecords,
      lostRecords,
      failing,
    };
  }

  /** The audit of what was found at the start has ended. */
  audited(): Promise<void> {
    return this.#keeper.audited();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.flush();
    await this.#keeper.close();
    for (const item of this.#waiting.splice(0)) item.reject(this.#failure());
    for (const { done } of this.#meta.values()) for (const resolve of done) resolve();
  }

  /** Writes what waits. Runs alone. */
  async #commit(): Promise<void> {
    const { shelf, book } = this.#keeper;
    if (shelf === null) return;
    await this.#trimExpired();
    // What is appended while room is made waits for the next batch.
    const items = withTables(this.#waiting, book, this.#recentTables);
    const room: Room = {
      shelf,
      book,
      limitBytes: this.#options.limitBytes,
      recentTables: this.#recentTables.hashes,
      remove: (victims, lost) => {
        if (!lost) return this.#keeper.deleteSettled(victims);
        return this.#keeper.delete(victims, lossesOf(book, victims, this.#options.lossCause));
      },
      collectGarbage: () => this.#keeper.collectGarbage(),
    };
    const dropped = await makeRoom(room, items);
    const meta = [...this.#meta];
    if (items.length === 0 && meta.length === 0 && !this.#keeper.hasOwnWork) return;
    const extraOps = meta.map(([key, { value }]): Op => {
      return { type: 'put', key: metaKey(`.${key}`), value: sealBytes(value) };
    });
    const landed = (keys: readonly RecordKey[]): void => {
      for (const [key, open] of meta) {
        if (this.#meta.get(key) === open) this.#meta.delete(key);
        for (const done of open.done) done();
      }
      this.#remove(items);
      items.forEach((item, i) => {
        item.resolve(keys[i]!);
      });
    };
    await this.#keeper.write({ items, dropped, extraOps, landed });
  }

  async #trimExpired(): Promise<void> {
    const { shelf, book } = this.#keeper;
    const { limitBytes, clock } = this.#options;
    if (shelf === null || !this.#ageing.advance(book, clock.monotonicMs())) return;
    const settledOf = (entry: EpochEntry) => intersect(this.#ageing.expired(entry), entry.settled);
    const { victims } = await gatherSettled(shelf, book, settledOf, this.#recentTables.hashes, limitBytes);
    if (victims.length > 0) await this.#keeper.deleteSettled(victims);
    if (this.#keeper.garbageBytes >= limitBytes * GARBAGE_SHARE) await this.#keeper.collectGarbage();
  }

  #schedule(): void {
    if (this.#timer !== null || this.#closed) return;
    this.#timer = this.#options.timers.after(this.#options.commitIntervalMs, () => {
      this.#timer = null;
      void this.flush();
    });
  }

  /** The shelf fails: what was in no batch yet may go elsewhere. */
  #handOver(): void {
    const attempted = new Set(this.#keeper.attempted);
    const free = this.#waiting.filter((item) => !attempted.has(item));
    if (this.#options.onFailing?.(free) === true) this.#remove(free);
  }

  #remove(items: readonly Waiting[]): void {
    const gone = new Set(items);
    this.#waiting = this.#waiting.filter((item) => !gone.has(item));
    this.#waitingBytes = this.#waiting.reduce((sum, item) => sum + sizeOf(item), 0);
  }

  /** While the shelf fails or does not answer, what waits is bounded: the oldest that is in no batch is refused. */
  #boundWaiting(): void {
    const mostBytes = this.#options.ringBytes * (this.#keeper.shelf === null ? 1 : RINGS_WHILE_WRITING);
    if (this.#waitingBytes <= mostBytes) return;
    const attempted = new Set(this.#keeper.attempted);
    for (const item of this.#waiting.filter((other) => !attempted.has(other)).slice(0, -1)) {
      if (this.#waitingBytes <= mostBytes) return;
      this.#remove([item]);
      item.reject(this.#failure());
    }
  }

  #failure(): PicketError {
    const why = this.#closed ? 'it was closed before the record was durable' : 'the disk does not answer';
    const message = this.#keeper.failing?.message ?? why;
    return new PicketError(/ENOSPC|no space/i.test(message) ? 'disk.full' : 'store.failed', `outbox: ${message}`);
  }
}

function victimOf(bad: { readonly place: Place; readonly sizeBytes: number }): Victim {
  return { ...bad, table: null, fromWallMs: 0, toWallMs: 0 };
}

function checkedName(key: string): string {
  if (!META_NAME.test(key)) throw new PicketError('internal', `outbox: "${key.slice(0, 70)}" is no name of a value`);
  return key;
}
