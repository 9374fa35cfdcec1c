/**
 * Seqs that nothing accounts for: neither held nor settled, and no GAP that is held names them. A whole outbox has
 * none but those whose GAP the central has; after damage, where a GAP itself may be gone, all of them are named again
 * (that a seq is committed or lost already, the central knows better).
 */
import { decodeGap } from '../../shared/wire/bodies.ts';
import { readFrame } from '../../shared/wire/frame.ts';
import { contains, noRanges, type SeqRanges, subtract, unite, upTo } from '../../shared/wire/ranges.ts';
import { decodeRecord } from '../../shared/wire/record.ts';
import type { Book } from './book.ts';
import { type Place, recordKey } from './layout.ts';
import { checked } from './peek.ts';
import type { Loss } from './plan.ts';
import { walkIndex } from './reclaim.ts';
import type { Shelf } from './shelf.ts';

/** GAPs that are read; what further ones name is named once more. */
const GAPS_READ = 10_000;

/** @param gone records that are in the book and will not be held any more */
export async function unnamedHoles(shelf: Shelf, book: Book, gone: ReadonlyMap<number, SeqRanges>): Promise<Loss[]> {
  const named = new Map<string, SeqRanges>();
  const places: Place[] = [];
  await walkIndex(shelf, 'control', { start: 0, seq: 0 }, (place) => {
    places.push(place);
    return places.length < GAPS_READ;
  });
  for (const place of places) {
    const entry = book.byStart(place.start);
    if (entry === undefined || !contains(subtract(entry.held, gone.get(place.start) ?? noRanges), place.seq)) continue;
    const value = await shelf.get(recordKey(place));
    const read = value === undefined ? null : checked(entry, place, value);
    if (read === null) continue;
    const { kind, body } = decodeRecord(readFrame(entry.epoch, read.frame).record);
    if (kind !== 'gap') continue;
    const { epoch, ranges } = decodeGap(body);
    named.set(epoch, unite(named.get(epoch) ?? noRanges, ranges));
  }
  const losses: Loss[] = [];
  for (const { epoch, start, highestSeq, held, settled } of book.epochs) {
    const accounted = unite(unite(held, settled), named.get(epoch) ?? noRanges);
    const ranges = subtract(upTo(highestSeq), accounted);
    if (ranges.length > 0) losses.push({ epoch, start, cause: 'corrupt', ranges, fromWallMs: 0, toWallMs: 0 });
  }
  return losses;
}
