/**
 * Compares what the book says is held with the keys that are there. LevelDB was seen to open after flipped bytes and
 * silently lack records, also in the middle: what is missing becomes a GAP, what is there and not in the book is taken
 * back in. Runs beside everything else, in slices.
 */
import { countSeqs, type SeqRanges, subtract } from '../../shared/wire/ranges.ts';
import type { Book, EpochEntry } from './book.ts';
import {
  afterIndexKeys,
  afterRecordKeys,
  firstRecordKey,
  indexKey,
  type Place,
  parseIndexKey,
  parseRecordKey,
} from './layout.ts';
import { type RecordClass, recordClasses } from './outbox.ts';
import type { Shelf } from './shelf.ts';

const KEYS_PER_SLICE = 512;
/** Index rows that are compared; more are taken on trust. */
const INDEXED_PLACES = 100_000;

export interface AuditFindings {
  /** start counter → seqs that the book held when the audit began, and that are not there */
  readonly missing: ReadonlyMap<number, SeqRanges>;
  /** start counter → seqs that are there and that the book did not hold */
  readonly unknown: ReadonlyMap<number, SeqRanges>;
  /** One record of each epoch that the book did not know. */
  readonly samples: ReadonlyMap<number, Place>;
  /** Records without their index row. */
  readonly unindexed: readonly Place[];
  /** Tables are said to be named by more records than there are. */
  readonly overcounted: boolean;
}

/** @param pause called between slices; false gives the audit up */
export async function audit(shelf: Shelf, book: Book, pause: () => Promise<boolean>): Promise<AuditFindings | null> {
  const heldBefore = new Map<number, SeqRanges>(book.epochs.map((entry: EpochEntry) => [entry.start, entry.held]));
  const found = new Map<number, [number, number][]>();
  const samples = new Map<number, Place>();
  const rare: Place[] = [];
  let named = 0;
  for (const row of book.tables.values()) named += row.named;
  for (let from: Uint8Array = firstRecordKey; ; ) {
    const keys = await shelf.keys(from, afterRecordKeys, KEYS_PER_SLICE);
    for (const key of keys) {
      const place = parseRecordKey(key);
      if (place === null) continue;
      note(found, place);
      if (place.recordClass !== 'control' && place.recordClass !== 'table') named--;
      if (!heldBefore.has(place.start) && !samples.has(place.start)) samples.set(place.start, place);
      if (place.recordClass !== 'detail' && rare.length < INDEXED_PLACES) rare.push(place);
    }
    const last = keys.at(-1);
    if (last === undefined || keys.length < KEYS_PER_SLICE) break;
    from = successor(last);
    if (!(await pause())) return null;
  }
  const missing = new Map<number, SeqRanges>();
  const unknown = new Map<number, SeqRanges>();
  for (const start of new Set([...heldBefore.keys(), ...found.keys()])) {
    const held = heldBefore.get(start) ?? [];
    const there = found.get(start) ?? [];
    put(missing, start, subtract(held, there));
    put(unknown, start, subtract(there, held));
  }
  const indexed = await indexedPlaces(shelf);
  const unindexed = rare.filter((place) => !indexed.has(nameOf(place)));
  return { missing, unknown, samples, unindexed, overcounted: named > 0 };
}

function put(map: Map<number, SeqRanges>, start: number, ranges: SeqRanges): void {
  if (countSeqs(ranges) > 0) map.set(start, ranges);
}

function note(found: Map<number, [number, number][]>, place: Place): void {
  const ranges = found.get(place.start);
  if (ranges === undefined) {
    found.set(place.start, [[place.seq, place.seq]]);
    return;
  }
  const last = ranges.at(-1)!;
  if (place.seq === last[1] + 1) last[1] = place.seq;
  else if (place.seq > last[1]) ranges.push([place.seq, place.seq]);
}

function successor(key: Uint8Array): Uint8Array {
  const out = new Uint8Array(key.length + 1);
  out.set(key);
  return out;
}

function nameOf(place: Place): string {
  return `${place.recordClass}/${place.start}/${place.seq}`;
}

async function indexedPlaces(shelf: Shelf): Promise<ReadonlySet<string>> {
  const out = new Set<string>();
  const last = recordClasses.at(-1) as RecordClass;
  await shelf.scan(indexKey({ start: 0, seq: 0, recordClass: recordClasses[0] }), afterIndexKeys(last), (key) => {
    const place = parseIndexKey(key);
    if (place !== null) out.add(nameOf(place));
    return out.size < INDEXED_PLACES ? 'on' : 'stop';
  });
  return out;
}
