/** Turns what the audit found into one batch: losses to name, records to take back, index rows to write again. */
import { decodeEpochStart, decodeRecord } from '../../shared/wire/codec.ts';
import { readFrame } from '../../shared/wire/frame.ts';
import {
  contains,
  countSeqs,
  highest,
  intersect,
  noRanges,
  type SeqRanges,
  subtract,
  unite,
} from '../../shared/wire/ranges.ts';
import type { AuditFindings } from './audit.ts';
import { type Book, type Edit, type EpochEntry, rangesOfSeqs } from './book.ts';
import { unnamedHoles } from './holes.ts';
import { decodeStored, indexKey, noValue, type Place, recordKey } from './layout.ts';
import { checked } from './peek.ts';
import type { Loss } from './plan.ts';
import { walkRecords } from './reclaim.ts';
import type { Shelf } from './shelf.ts';

interface AuditChanges {
  readonly losses: readonly Loss[];
  readonly adjust: (edit: Edit) => void;
  /** Records that were there and that the book did not hold. */
  readonly restoredRecords: number;
  /** Index rows that were not there. */
  readonly indexRows: number;
}

/** Null where nothing was found; to be called when nothing else changes the shelf. */
export async function auditChanges(shelf: Shelf, book: Book, findings: AuditFindings): Promise<AuditChanges | null> {
  const losses: Loss[] = [];
  const changes: ((edit: Edit) => void)[] = [];
  for (const [start, seqs] of findings.missing) {
    const entry = book.byStart(start);
    const gone = entry === undefined ? noRanges : intersect(seqs, entry.held);
    if (entry === undefined || gone.length === 0) continue;
    changes.push((edit) => edit.forget(entry, gone));
    const ranges = intersect(gone, book.pending(entry));
    if (ranges.length === 0) continue;
    losses.push({ epoch: entry.epoch, start, cause: 'corrupt', ranges, fromWallMs: 0, toWallMs: 0 });
  }
  const restored = new Map<number, SeqRanges>();
  for (const [start, seqs] of findings.unknown) {
    const sample = findings.samples.get(start);
    const entry = book.byStart(start) ?? (sample === undefined ? undefined : await rebuilt(shelf, book, sample));
    // What was appended since the audit began is in the book by now, or has gone again.
    const unheld = entry === undefined ? noRanges : subtract(seqs, entry.held);
    const back = unheld.length === 0 ? noRanges : await stillThere(shelf, start, unheld);
    if (entry === undefined || back.length === 0) continue;
    restored.set(start, back);
    changes.push((edit) => edit.restore(entry, back));
  }
  for (const loss of await unknownEnds(shelf, book, findings)) {
    const entry = book.byStart(loss.start)!;
    losses.push(loss);
    changes.push((edit) => {
      // Held for the moment of raising the highest seq; what is forgotten is not held afterwards.
      edit.restore(entry, loss.ranges);
      edit.forget(entry, loss.ranges);
    });
  }
  let indexRows = 0;
  for (const place of findings.unindexed) {
    // What was deleted since the audit began has no row any more, and wants none.
    const held = unite(book.byStart(place.start)?.held ?? noRanges, restored.get(place.start) ?? noRanges);
    if (!contains(held, place.seq) || (await shelf.get(indexKey(place))) !== undefined) continue;
    indexRows++;
    changes.push((edit) => edit.ops.push({ type: 'put', key: indexKey(place), value: noValue }));
  }
  if (changes.length === 0) return null;
  // What is gone may have been GAPs.
  if (losses.length > 0) losses.push(...(await unnamedHoles(shelf, book, findings.missing)));
  return {
    losses,
    adjust: (edit) => {
      for (const change of changes) change(edit);
    },
    restoredRecords: [...restored.values()].reduce((sum, ranges) => sum + countSeqs(ranges), 0),
    indexRows,
  };
}

async function stillThere(shelf: Shelf, start: number, seqs: SeqRanges): Promise<SeqRanges> {
  const there: number[] = [];
  await walkRecords(shelf, start, seqs, ({ seq }) => {
    there.push(seq);
    return true;
  });
  return rangesOfSeqs(there);
}

/**
 * Ends of epochs that the book does not know, because their rows were lost with the records: the epoch after each says
 * in its first record how far its parent went.
 */
async function unknownEnds(shelf: Shelf, book: Book, findings: AuditFindings): Promise<Loss[]> {
  const losses: Loss[] = [];
  for (const child of book.epochs) {
    const place: Place = { start: child.start, seq: 1, recordClass: 'control' };
    const value = await shelf.get(recordKey(place));
    const entry = value === undefined ? null : checked(child, place, value);
    if (entry === null) continue;
    const { parent, parentFinalSeq } = decodeEpochStart(decodeRecord(readFrame(child.epoch, entry.frame).record).body);
    const before = book.epochs.find(({ epoch }) => epoch === parent);
    if (before === undefined) continue;
    const known = Math.max(before.highestSeq, highest(findings.unknown.get(before.start) ?? noRanges));
    if (known >= parentFinalSeq) continue;
    const { epoch, start } = before;
    losses.push({ epoch, start, cause: 'corrupt', ranges: [[known + 1, parentFinalSeq]], fromWallMs: 0, toWallMs: 0 });
  }
  return losses;
}

/** An epoch whose row was lost, from one of its records. */
async function rebuilt(shelf: Shelf, book: Book, sample: Place): Promise<EpochEntry | undefined> {
  const value = await shelf.get(recordKey(sample));
  const stored = value === undefined ? null : decodeStored(value);
  if (value === undefined || stored === null) return undefined;
  const { start } = sample;
  const entry: EpochEntry = { epoch: stored.epoch, start, volatile: false, highestSeq: 0, held: [], settled: [] };
  if (checked(entry, sample, value) === null) return undefined;
  book.insert(entry);
  return entry;
}
