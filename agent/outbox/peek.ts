/** Reads what is to be sent. Every record is checked (place, epoch, CRC); a bad one is reported and stepped over. */
import { readFrame } from '../../shared/wire/frame.ts';
import { contains, type SeqRanges, subtract, upTo } from '../../shared/wire/ranges.ts';
import type { Book, EpochEntry } from './book.ts';
import { decodeStored, type Place, recordKey } from './layout.ts';
import type { Cursor, Entry, RecordClass } from './outbox.ts';
import { walkIndex, walkRecords } from './reclaim.ts';
import type { Shelf } from './shelf.ts';

/** A record that can't be sent, and the bytes that it takes. */
export interface Bad {
  readonly place: Place;
  readonly sizeBytes: number;
}

/** Entries of one call. */
const ENTRIES_PER_PEEK = 1024;

class Reading {
  readonly entries: Entry[] = [];
  readonly bad: Bad[] = [];
  #left: number;

  constructor(maxBytes: number) {
    this.#left = maxBytes;
  }

  /** False when there is no room for more. */
  take(entry: EpochEntry, place: Place, value: Uint8Array | undefined): boolean {
    const read = value === undefined ? null : checked(entry, place, value);
    if (read === null) {
      this.bad.push({ place, sizeBytes: value?.length ?? 0 });
      return this.bad.length < ENTRIES_PER_PEEK;
    }
    if (this.entries.length > 0 && read.frame.length > this.#left) return false;
    this.entries.push(read);
    this.#left -= read.frame.length;
    return this.#left > 0 && this.entries.length < ENTRIES_PER_PEEK;
  }
}

/** The entry, or null where place, epoch or CRC don't fit. */
export function checked(entry: EpochEntry, place: Place, value: Uint8Array): Entry | null {
  const stored = decodeStored(value);
  if (stored === null || stored.epoch !== entry.epoch) return null;
  try {
    if (readFrame(entry.epoch, stored.frame).seq !== place.seq) return null;
  } catch {
    return null;
  }
  const { start, seq, recordClass } = place;
  return { epoch: entry.epoch, cursor: { start, seq }, seq, recordClass, frame: stored.frame };
}

/** Unsettled records of a class after a cursor, oldest first, at most `maxBytes` of frames but at least one. */
export async function readPending(
  shelf: Shelf,
  book: Book,
  recordClass: RecordClass,
  after: Cursor,
  maxBytes: number,
): Promise<Reading> {
  const reading = new Reading(maxBytes);
  if (recordClass === 'detail') {
    for (const entry of book.epochs) {
      let more = true;
      await walkRecords(shelf, entry.start, pendingAfter(book, entry, after), (place, value) => {
        if (place.recordClass === 'detail') more = reading.take(entry, place, value);
        return more;
      });
      if (!more) break;
    }
    return reading;
  }
  const places: [EpochEntry, Place][] = [];
  const pending = new Map<number, SeqRanges>();
  await walkIndex(shelf, recordClass, { start: after.start, seq: after.seq + 1 }, (place) => {
    const entry = book.byStart(place.start);
    if (entry === undefined) return true;
    let ranges = pending.get(place.start);
    if (ranges === undefined) {
      ranges = pendingAfter(book, entry, after);
      pending.set(place.start, ranges);
    }
    if (contains(ranges, place.seq)) places.push([entry, place]);
    return places.length < ENTRIES_PER_PEEK;
  });
  for (const [entry, place] of places) {
    if (!reading.take(entry, place, await shelf.get(recordKey(place)))) break;
  }
  return reading;
}

function pendingAfter(book: Book, entry: EpochEntry, after: Cursor): SeqRanges {
  if (entry.start < after.start) return [];
  const pending = book.pending(entry);
  return entry.start === after.start ? subtract(pending, upTo(after.seq)) : pending;
}
