/**
 * Counts anew which tables are held and how many records name each. Rows about tables are changed with every batch;
 * after damage a count could stay too high, and its table for ever, or too low, and a table go that is still named.
 */
import { contains } from '../../shared/wire/ranges.ts';
import type { Book, Edit } from './book.ts';
import { afterRecordKeys, decodeStored, firstRecordKey, parseRecordKey, type TableRow } from './layout.ts';
import { checked } from './peek.ts';
import type { Shelf } from './shelf.ts';

/** Reads every record that is held. Null where all counts are right; to be called when nothing else changes the shelf. */
export async function recountTables(shelf: Shelf, book: Book): Promise<((edit: Edit) => void) | null> {
  const counted = new Map<string, TableRow>();
  await shelf.scan(firstRecordKey, afterRecordKeys, (key, value) => {
    const place = parseRecordKey(key);
    const entry = place === null ? undefined : book.byStart(place.start);
    if (place === null || entry === undefined || !contains(entry.held, place.seq)) return 'on';
    const table = decodeStored(value)?.table ?? null;
    if (table === null) return 'on';
    const row = counted.get(table) ?? { start: 0, seq: 0, named: 0 };
    if (place.recordClass !== 'table') counted.set(table, { ...row, named: row.named + 1 });
    // In order, so that the newest copy that can be read stays.
    else if (checked(entry, place, value) !== null) counted.set(table, { ...row, start: place.start, seq: place.seq });
    return 'on';
  });
  const wrong = [...new Set([...counted.keys(), ...book.tables.keys()])].filter((hash) => {
    const is = book.tables.get(hash);
    const should = counted.get(hash);
    return is?.start !== should?.start || is?.seq !== should?.seq || is?.named !== should?.named;
  });
  if (wrong.length === 0) return null;
  return (edit) => {
    for (const hash of wrong) edit.setTable(hash, counted.get(hash) ?? { start: 0, seq: 0, named: 0 });
  };
}
