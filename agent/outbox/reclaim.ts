/**
 * Finds what may go. Acknowledged records first; then, oldest first, detail, rollups, incidents. Control records, the
 * EPOCH of an epoch of which more is held, and tables that a held record names stay.
 */
import { contains, highest, intersect, type SeqRanges } from '../../shared/wire/ranges.ts';
import type { Book, EpochEntry, Victim } from './book.ts';
import {
  afterIndexKeys,
  decodeStored,
  indexKey,
  type Place,
  parseIndexKey,
  parseRecordKey,
  recordKey,
  recordKeyFrom,
} from './layout.ts';
import type { RecordClass } from './outbox.ts';
import type { Shelf } from './shelf.ts';

/** Victims of one step; a batch of deletions stays small. */
const VICTIMS_PER_STEP = 4096;

/** Collects until enough bytes or too many records. */
class Collector {
  readonly victims: Victim[] = [];
  readonly #wantedBytes: number;
  freedBytes = 0;

  constructor(wantedBytes: number) {
    this.#wantedBytes = wantedBytes;
  }

  get full(): boolean {
    return this.freedBytes >= this.#wantedBytes || this.victims.length >= VICTIMS_PER_STEP;
  }

  take(place: Place, value: Uint8Array): void {
    const stored = decodeStored(value);
    this.freedBytes += value.length;
    this.victims.push({
      place,
      sizeBytes: value.length,
      table: stored?.table ?? null,
      fromWallMs: stored?.fromWallMs ?? 0,
      toWallMs: stored?.toWallMs ?? 0,
    });
  }
}

/** Visits the records of an epoch whose seqs are in the ranges, in order; stops when told. */
export async function walkRecords(
  shelf: Shelf,
  start: number,
  ranges: SeqRanges,
  visit: (place: Place, value: Uint8Array) => boolean,
): Promise<void> {
  const first = ranges[0];
  if (first === undefined) return;
  let i = 0;
  await shelf.scan(recordKeyFrom(start, first[0]), recordKeyFrom(start, highest(ranges) + 1), (key, value) => {
    const place = parseRecordKey(key);
    if (place === null) return 'on';
    while (i < ranges.length && ranges[i]![1] < place.seq) i++;
    const range = ranges[i];
    if (range === undefined) return 'stop';
    if (place.seq < range[0]) return recordKeyFrom(start, range[0]);
    return visit(place, value) ? 'on' : 'stop';
  });
}

/** Visits the places of a class other than detail from a cursor on, in order. */
export async function walkIndex(
  shelf: Shelf,
  recordClass: RecordClass,
  from: { readonly start: number; readonly seq: number },
  visit: (place: Place) => boolean,
): Promise<void> {
  await shelf.scan(indexKey({ ...from, recordClass }), afterIndexKeys(recordClass), (key) => {
    const place = parseIndexKey(key);
    return place === null || visit(place) ? 'on' : 'stop';
  });
}

/** A table stays while a record names it, or while it may soon be named. */
function tableStays(book: Book, place: Place, table: string | null, recent: ReadonlySet<string>): boolean {
  if (table === null) return false;
  const row = book.tables.get(table);
  // An older copy of the same table is not the one that is sent.
  if (row === undefined || row.start !== place.start || row.seq !== place.seq) return false;
  return row.named > 0 || recent.has(table);
}

/**
 * Acknowledged records, oldest first.
 * @param settledOf what of an epoch is settled (long enough)
 */
export async function gatherSettled(
  shelf: Shelf,
  book: Book,
  settledOf: (entry: EpochEntry) => SeqRanges,
  recent: ReadonlySet<string>,
  wantedBytes: number,
): Promise<Collector> {
  const collector = new Collector(wantedBytes);
  for (const entry of book.epochs) {
    const ranges = intersect(entry.held, settledOf(entry));
    // All settled and ended: its EPOCH goes with the rest.
    const whole = entry !== book.newest && ranges.length === entry.held.length && String(ranges) === String(entry.held);
    await walkRecords(shelf, entry.start, ranges, (place, value) => {
      if (place.recordClass === 'control' && place.seq === 1 && !whole) return true;
      if (place.recordClass === 'table' && tableStays(book, place, decodeStored(value)?.table ?? null, recent))
        return true;
      collector.take(place, value);
      return !collector.full;
    });
    if (collector.full) break;
  }
  return collector;
}

/** Unacknowledged records of one class, oldest first; with detail go the tables that nothing names any more. */
export async function gatherPending(
  shelf: Shelf,
  book: Book,
  recordClass: 'detail' | 'rollup' | 'incident',
  recent: ReadonlySet<string>,
  wantedBytes: number,
): Promise<Collector> {
  const collector = new Collector(wantedBytes);
  if (recordClass === 'detail') {
    await gatherIndexed(shelf, book, 'table', recent, collector);
    for (const entry of book.epochs) {
      if (collector.full) break;
      await walkRecords(shelf, entry.start, book.pending(entry), (place, value) => {
        if (place.recordClass === 'detail') collector.take(place, value);
        return !collector.full;
      });
    }
  } else {
    await gatherIndexed(shelf, book, recordClass, recent, collector);
  }
  return collector;
}

async function gatherIndexed(
  shelf: Shelf,
  book: Book,
  recordClass: RecordClass,
  recent: ReadonlySet<string>,
  collector: Collector,
): Promise<void> {
  const places: Place[] = [];
  await walkIndex(shelf, recordClass, { start: 0, seq: 0 }, (place) => {
    places.push(place);
    return places.length < VICTIMS_PER_STEP;
  });
  for (const place of places) {
    if (collector.full) return;
    const entry = book.byStart(place.start);
    if (entry === undefined || !isPending(entry, place.seq)) continue;
    const value = await shelf.get(recordKey(place));
    if (value === undefined) continue;
    if (recordClass === 'table' && tableStays(book, place, decodeStored(value)?.table ?? null, recent)) continue;
    collector.take(place, value);
  }
}

function isPending(entry: EpochEntry, seq: number): boolean {
  return contains(entry.held, seq) && !contains(entry.settled, seq);
}
