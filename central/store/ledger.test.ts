import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkedRanges, contains, type SeqRanges, upTo } from '../../shared/wire/ranges.ts';
import {
  type EpochLedger,
  emptyLedger,
  ledgerRow,
  noteFinal,
  noteGap,
  noteReport,
  noteSettled,
  pendingOf,
  rangesOf,
  UNNAMED_CAUSE,
} from './ledger.ts';

const HIGHEST = 30;
const epoch = 'a'.repeat(32);

/** One thing that may be said of an epoch; on its own it makes no difference when it is said. */
type Note =
  | { readonly kind: 'committed' | 'quarantined'; readonly seqs: readonly number[] }
  | { readonly kind: 'gap'; readonly seqs: readonly number[]; readonly cause: string }
  | { readonly kind: 'report'; readonly highest: number; readonly held: readonly number[] }
  | { readonly kind: 'final'; readonly seq: number };

const seqs = fc.array(fc.integer({ min: 1, max: HIGHEST }), { maxLength: 10 });
const note: fc.Arbitrary<Note> = fc.oneof(
  fc.record({ kind: fc.constantFrom('committed' as const, 'quarantined' as const), seqs }),
  fc.record({ kind: fc.constant('gap' as const), seqs, cause: fc.constantFrom('overflow', 'corrupt', 'invented') }),
  fc.record({ kind: fc.constant('report' as const), highest: fc.integer({ min: 0, max: HIGHEST }), held: seqs }),
  fc.record({ kind: fc.constant('final' as const), seq: fc.integer({ min: 0, max: HIGHEST }) }),
);

function apply(ledger: EpochLedger, one: Note): EpochLedger {
  switch (one.kind) {
    case 'committed':
    case 'quarantined':
      return noteSettled(ledger, {
        committed: one.kind === 'committed' ? rangesOf(one.seqs) : [],
        quarantined: one.kind === 'quarantined' ? rangesOf(one.seqs) : [],
        duplicates: 0,
        conflicts: 0,
        undated: 0,
        stoppedMs: 0,
        span: null,
      });
    case 'gap':
      return noteGap(ledger, rangesOf(one.seqs), one.cause);
    case 'report':
      return noteReport(ledger, one.highest, rangesOf(one.held), 0);
    case 'final':
      return noteFinal(ledger, one.seq);
  }
}

/** The same by the definition, a seq at a time. */
function byDefinition(notes: readonly Note[]) {
  const reported = (one: Note): number => {
    if (one.kind === 'report') return one.highest;
    return one.kind === 'final' ? one.seq : Math.max(0, ...one.seqs);
  };
  const made = Math.max(0, ...notes.map(reported));
  const final = Math.max(0, ...notes.map((one) => (one.kind === 'final' ? one.seq : 0)));
  const count = { made, committed: 0, quarantined: 0, lost: 0, pending: 0 };
  for (let seq = 1; seq <= made; seq++) {
    const says = (kind: Note['kind']) =>
      notes.some((one) => one.kind === kind && 'seqs' in one && one.seqs.includes(seq));
    const unheld = notes.some((one) => one.kind === 'report' && seq <= one.highest && !one.held.includes(seq));
    if (says('committed')) count.committed++;
    else if (says('quarantined')) count.quarantined++;
    else if (says('gap') || unheld || (final > 0 && seq > final)) count.lost++;
    else count.pending++;
  }
  return count;
}

describe('ledger of an epoch', () => {
  test('the state of a seq is the highest that anything says of it, and the states sum to what was made', () => {
    fc.assert(
      fc.property(fc.array(note, { maxLength: 12 }), (notes) => {
        const row = ledgerRow(notes.reduce(apply, emptyLedger(epoch)));
        const { made, committed, quarantined, lost, pending } = row;
        expect({ made, committed, quarantined, lost, pending }).toEqual(byDefinition(notes));
        expect(committed + quarantined + lost + pending).toBe(made);
        expect(Object.values(row.lostByCause).reduce((sum, count) => sum + count, 0)).toBe(lost);
      }),
    );
  });

  test('order and repetition make no difference', () => {
    fc.assert(
      fc.property(fc.array(note, { maxLength: 8 }), fc.infiniteStream(fc.nat()), (notes, random) => {
        const shuffled = [...notes, ...notes.slice(0, 3)].map((one) => ({ one, at: random.next().value! }));
        const other = shuffled.sort((a, b) => a.at - b.at).map(({ one }) => one);
        expect(ledgerRow(other.reduce(apply, emptyLedger(epoch)))).toEqual(
          ledgerRow(notes.reduce(apply, emptyLedger(epoch))),
        );
      }),
    );
  });

  test('pending seqs are those that the row counts', () => {
    fc.assert(
      fc.property(fc.array(note, { maxLength: 12 }), (notes) => {
        const ledger = notes.reduce(apply, emptyLedger(epoch));
        const pending = pendingOf(ledger);
        const count = pending.reduce((sum, [from, to]) => sum + to - from + 1, 0);
        expect(count).toBe(ledgerRow(ledger).pending);
      }),
    );
  });

  test('a settled epoch is one range', () => {
    let ledger = emptyLedger(epoch);
    for (const seq of [5, 1, 3, 2, 4]) {
      ledger = noteSettled(ledger, {
        committed: [[seq, seq]],
        quarantined: [],
        duplicates: 0,
        conflicts: 0,
        undated: 0,
        stoppedMs: 0,
        span: null,
      });
      ledger = noteReport(ledger, 5, upTo(5), 0);
    }
    expect(ledger.committed).toEqual([[1, 5]]);
    expect(ledger.unheld).toEqual([]);
    expect(ledger.lost).toEqual({});
  });

  test('what no gap names is lost without a cause, and a cause of a later version is “other”', () => {
    const reported = noteReport(emptyLedger(epoch), 6, [[5, 6]], 0);
    const row = ledgerRow(noteGap(noteGap(reported, [[1, 2]], 'overflow'), [[3, 3]], 'meteor'));
    expect(row.lostByCause).toEqual({ overflow: 2, other: 1, [UNNAMED_CAUSE]: 1 });
  });
});

test('seqs in any order become ranges', () => {
  fc.assert(
    fc.property(seqs, (list) => {
      const ranges: SeqRanges = rangesOf(list);
      expect(checkedRanges(ranges)).not.toBeNull();
      for (let seq = 1; seq <= HIGHEST; seq++) expect(contains(ranges, seq)).toBe(list.includes(seq));
    }),
  );
});
