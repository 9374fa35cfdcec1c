/**
 * What an outbox knows of what it holds: ranges of seqs for each epoch, tables with how often they are named, totals.
 * Small whatever is held: no entry a record. `Edit` collects one atomic batch; the book changes only when the batch is
 * durable (`apply`), so that a failed write leaves it as it was.
 */
import {
  countSeqs,
  highest,
  noRanges,
  type SeqRange,
  type SeqRanges,
  subtract,
  unite,
  upTo,
} from '../../shared/wire/ranges.ts';
import {
  decodeEpochRow,
  decodeTableRow,
  encodeEpochRow,
  encodeStored,
  encodeTableRow,
  epochKey,
  epochKeys,
  indexKey,
  noValue,
  type Other,
  type Place,
  recordKey,
  type Stored,
  type TableRow,
  type Totals,
  tableKey,
  tableKeys,
} from './layout.ts';
import type { Op, Shelf } from './shelf.ts';

export interface EpochEntry {
  readonly epoch: string;
  readonly start: number;
  readonly volatile: boolean;
  highestSeq: number;
  held: SeqRanges;
  /** Belief; may name more than is held. Changes at once, reaches the shelf with the next commit. */
  settled: SeqRanges;
}

/** A record that is to be deleted. */
export interface Victim {
  readonly place: Place;
  readonly sizeBytes: number;
  readonly table: string | null;
  readonly fromWallMs: number;
  readonly toWallMs: number;
}

/** Ascending seqs as ranges. */
export function rangesOfSeqs(seqs: readonly number[]): SeqRanges {
  const out: [number, number][] = [];
  for (const seq of seqs) {
    const last = out.at(-1);
    if (last !== undefined && seq === last[1] + 1) last[1] = seq;
    else if (last === undefined || seq > last[1]) out.push([seq, seq]);
  }
  return out;
}

/** Epochs that the newest one's row names, the newest of them: a crash loop must not make every commit large. */
const OTHERS_NAMED = 32;

export class Book {
  /** Ascending by start. */
  readonly epochs: EpochEntry[] = [];
  readonly tables = new Map<string, TableRow>();
  totals: Totals = { heldBytes: 0, gapRecords: 0, lostRecords: 0 };
  commit = 0;
  /** Rows that could not be read; the audit rebuilds them. */
  damagedRows = 0;

  static async load(shelf: Shelf): Promise<Book> {
    const book = new Book();
    let others: readonly Other[] = [];
    await shelf.scan(...epochKeys, (key, value) => {
      const row = decodeEpochRow(value);
      if (row === null || key.length !== 7) {
        book.damagedRows++;
        return 'on';
      }
      let start = 0;
      for (const byte of key.subarray(1)) start = start * 256 + byte;
      const { epoch, volatile, highestSeq, held, settled } = row;
      book.epochs.push({ epoch, start, volatile, highestSeq, held, settled });
      if (row.commit >= book.commit) {
        book.commit = row.commit;
        book.totals = row.totals;
        others = row.others ?? others;
      }
      return 'on';
    });
    await shelf.scan(...tableKeys, (key, value) => {
      const row = decodeTableRow(value);
      if (row === null || key.length !== 9) book.damagedRows++;
      else book.tables.set(toHash(key), row);
      return 'on';
    });
    for (const [start, epoch, highestSeq] of others) {
      if (book.byStart(start) !== undefined) continue;
      // All of it is taken for held until the audit says what is there.
      book.insert({ epoch, start, volatile: false, highestSeq, held: upTo(highestSeq), settled: noRanges });
    }
    return book;
  }

  get newest(): EpochEntry | undefined {
    return this.epochs.at(-1);
  }

  /** Takes in an epoch whose row was lost. */
  insert(entry: EpochEntry): void {
    this.epochs.push(entry);
    this.epochs.sort((a, b) => a.start - b.start);
  }

  byStart(start: number): EpochEntry | undefined {
    return this.epochs.find((entry) => entry.start === start);
  }

  byEpoch(epoch: string): EpochEntry | undefined {
    return this.epochs.findLast((entry) => entry.epoch === epoch);
  }

  /** What can be sent and is not settled. */
  pending(entry: EpochEntry): SeqRanges {
    return subtract(entry.held, entry.settled);
  }

  countPending(): { records: number; held: number } {
    let records = 0;
    let held = 0;
    for (const entry of this.epochs) {
      records += countSeqs(this.pending(entry));
      held += countSeqs(entry.held);
    }
    return { records, held };
  }

  edit(): Edit {
    return new Edit(this);
  }
}

function toHash(key: Uint8Array): string {
  return Array.from(key.subarray(1), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

interface EpochEdit {
  readonly entry: EpochEntry;
  highestSeq: number;
  readonly added: number[];
  readonly removed: number[];
  forgotten: SeqRanges;
  restored: SeqRanges;
}

/** One atomic batch in the making. */
export class Edit {
  readonly ops: Op[] = [];
  readonly #book: Book;
  readonly #epochs = new Map<number, EpochEdit>();
  readonly #tables = new Map<string, TableRow>();
  #begun: EpochEntry | null = null;
  #heldBytes: number;
  #gapRecords: number;
  #lostRecords: number;

  constructor(book: Book) {
    this.#book = book;
    this.#heldBytes = book.totals.heldBytes;
    this.#gapRecords = book.totals.gapRecords;
    this.#lostRecords = book.totals.lostRecords;
  }

  get empty(): boolean {
    return this.ops.length === 0 && this.#epochs.size === 0 && this.#tables.size === 0;
  }

  /** Adds an epoch after all others. */
  begin(epoch: string, start: number, volatile: boolean): EpochEntry {
    this.#begun = { epoch, start, volatile, highestSeq: 0, held: noRanges, settled: noRanges };
    return this.#begun;
  }

  nextSeq(entry: EpochEntry): number {
    const edit = this.#of(entry);
    edit.highestSeq += 1;
    return edit.highestSeq;
  }

  /** Puts a record whose seq came from `nextSeq`; returns the bytes that it takes. */
  add(entry: EpochEntry, place: Place, stored: Stored): number {
    const value = encodeStored(stored);
    this.ops.push({ type: 'put', key: recordKey(place), value });
    if (place.recordClass !== 'detail') {
      this.ops.push({ type: 'put', key: indexKey(place), value: noValue });
    }
    this.#of(entry).added.push(place.seq);
    this.#heldBytes += value.length;
    if (stored.table === null) return value.length;
    const row = this.table(stored.table);
    if (place.recordClass === 'table') this.setTable(stored.table, { ...row, start: place.start, seq: place.seq });
    else this.setTable(stored.table, { ...row, named: row.named + 1 });
    return value.length;
  }

  remove(entry: EpochEntry, victim: Victim): void {
    const { place, table } = victim;
    this.ops.push({ type: 'del', key: recordKey(place) });
    if (place.recordClass !== 'detail') this.ops.push({ type: 'del', key: indexKey(place) });
    this.#of(entry).removed.push(place.seq);
    this.#heldBytes = Math.max(0, this.#heldBytes - victim.sizeBytes);
    if (table === null) {
      if (place.recordClass === 'table') this.#forgetTable(place);
      return;
    }
    const row = this.table(table);
    if (place.recordClass !== 'table') this.setTable(table, { ...row, named: Math.max(0, row.named - 1) });
    else if (row.start === place.start && row.seq === place.seq) this.setTable(table, { ...row, start: 0, seq: 0 });
  }

  /** A table that was damaged can't be sent: another copy of it is wanted. */
  #forgetTable({ start, seq }: Place): void {
    for (const [hash, row] of this.#book.tables) {
      if (row.start === start && row.seq === seq) this.setTable(hash, { ...row, start: 0, seq: 0 });
    }
  }

  /** Takes back what the audit found on the shelf beside the book. */
  restore(entry: EpochEntry, ranges: SeqRanges): void {
    const edit = this.#of(entry);
    edit.restored = unite(edit.restored, ranges);
    edit.highestSeq = Math.max(edit.highestSeq, highest(ranges));
  }

  /** Holds these no more; they are not on the shelf. */
  forget(entry: EpochEntry, ranges: SeqRanges): void {
    const edit = this.#of(entry);
    edit.forgotten = unite(edit.forgotten, ranges);
  }

  touch(entry: EpochEntry): void {
    this.#of(entry);
  }

  count(gapRecords: number, lostRecords: number): void {
    this.#gapRecords += gapRecords;
    this.#lostRecords += lostRecords;
  }

  table(hash: string): TableRow {
    return this.#tables.get(hash) ?? this.#book.tables.get(hash) ?? { start: 0, seq: 0, named: 0 };
  }

  setTable(hash: string, row: TableRow): void {
    this.#tables.set(hash, row);
  }

  /** Completes the batch with the rows of everything that changed. */
  finish(): void {
    for (const [hash, row] of this.#tables) {
      const key = tableKey(hash);
      if (row.seq === 0 && row.named === 0) this.ops.push({ type: 'del', key });
      else this.ops.push({ type: 'put', key, value: encodeTableRow(row) });
    }
    const newest = this.#begun ?? this.#book.newest;
    // The newest row always goes along: it carries the count of commits.
    if (newest !== undefined) this.#of(newest);
    const others = this.#book.epochs
      .filter((entry) => entry !== newest && this.#heldAfter(entry).length > 0)
      .slice(-OTHERS_NAMED)
      .map(({ start, epoch, highestSeq }): Other => [start, epoch, highestSeq]);
    for (const edit of this.#epochs.values()) {
      const { entry } = edit;
      const held = heldAfter(edit);
      const key = epochKey(entry.start);
      if (held.length === 0 && entry !== newest) {
        this.ops.push({ type: 'del', key });
        continue;
      }
      const { epoch, volatile, settled } = entry;
      const commit = this.#book.commit + 1;
      const row = { epoch, volatile, highestSeq: edit.highestSeq, held, settled, commit, totals: this.#totals() };
      const named = entry === newest && others.length > 0 ? { others } : {};
      this.ops.push({ type: 'put', key, value: encodeEpochRow({ ...row, ...named }) });
    }
  }

  /** The batch is durable: the book says so. */
  apply(): void {
    const book = this.#book;
    if (this.#begun !== null) book.epochs.push(this.#begun);
    for (const edit of this.#epochs.values()) {
      edit.entry.held = heldAfter(edit);
      edit.entry.highestSeq = edit.highestSeq;
    }
    for (let i = book.epochs.length - 2; i >= 0; i--) {
      if (book.epochs[i]!.held.length === 0) book.epochs.splice(i, 1);
    }
    for (const [hash, row] of this.#tables) {
      if (row.seq === 0 && row.named === 0) book.tables.delete(hash);
      else book.tables.set(hash, row);
    }
    book.totals = this.#totals();
    book.commit += 1;
  }

  #heldAfter(entry: EpochEntry): SeqRanges {
    const edit = this.#epochs.get(entry.start);
    return edit === undefined ? entry.held : heldAfter(edit);
  }

  #totals(): Totals {
    return { heldBytes: this.#heldBytes, gapRecords: this.#gapRecords, lostRecords: this.#lostRecords };
  }

  #of(entry: EpochEntry): EpochEdit {
    let edit = this.#epochs.get(entry.start);
    if (edit === undefined) {
      edit = { entry, highestSeq: entry.highestSeq, added: [], removed: [], forgotten: noRanges, restored: noRanges };
      this.#epochs.set(entry.start, edit);
    }
    return edit;
  }
}

function heldAfter(edit: EpochEdit): SeqRanges {
  const ascending = (seqs: number[]): SeqRange[] => [...rangesOfSeqs(seqs.sort((a, b) => a - b))];
  const all = unite(unite(edit.entry.held, edit.restored), ascending(edit.added));
  return subtract(subtract(all, ascending(edit.removed)), edit.forgotten);
}
