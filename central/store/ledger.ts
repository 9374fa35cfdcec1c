/**
 * The ledger of one epoch, pure: what was made, and of that what is committed, quarantined, lost and pending.
 *
 * A seq's state is the highest of committed > quarantined > lost > pending, so that late data turns lost into
 * committed and the four always sum to the highest seq reported. Every update is a union or a maximum: the order and
 * the number of times in which batches arrive make no difference to what the ledger says (duplicates are counted apart).
 */
import { HOUR_MS } from '../../shared/limits.ts';
import { countSeqs, highest, noRanges, type SeqRanges, subtract, unite, upTo } from '../../shared/wire/ranges.ts';
import type { EpochId, LedgerRow, LedgerTotals } from './store.ts';

/** Causes of a gap record (edge.proto, `Gap`); what an agent of a later version says beside them is `other`. */
const gapCauses = ['overflow', 'corrupt', 'disk_full', 'purged', 'refused', 'volatile', 'expired'] as const;

export function gapCauseOf(cause: string): (typeof gapCauses)[number] | 'other' {
  return gapCauses.find((known) => known === cause) ?? 'other';
}

/** Lost, and no gap names it: reported as made, neither held nor settled. */
export const UNNAMED_CAUSE = 'unnamed';

/** Lost with files of the agent's disk, as its later epochs show. */
const GONE_CAUSE = 'corrupt';

/** Lost with the memory of a process, by the central's own judgement: no gap record names it. */
export const VOLATILE_CAUSE = 'volatile' as const;
/** An epoch in memory that is not heard of for so long, while its agent is, has no process any more. */
const VOLATILE_SILENT_MS = HOUR_MS;

export interface EpochLedger {
  readonly epoch: EpochId;
  readonly parent: EpochId | null;
  readonly start: number;
  readonly volatile: boolean;
  /** Highest seq that anybody reported. */
  readonly made: number;
  readonly committed: SeqRanges;
  readonly quarantined: SeqRanges;
  /** By the cause that gaps name. */
  readonly lost: Readonly<Record<string, SeqRanges>>;
  /** Reported as made and not held by the sender any more; settled ones are left out. */
  readonly unheld: SeqRanges;
  readonly duplicates: number;
  /** Records that contradicted a stored one and were set aside beside it; no seqs of their own. */
  readonly conflicts: number;
  /** Committed records whose time is a guess. */
  readonly undated: number;
  /** Times of the committed records; 0 while there are none. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** When the central last heard of it; 0 where that does not matter any more. */
  readonly heardMs: number;
  /** Boot in which it began; null while its first record is not here. */
  readonly boot: string | null;
  /** What a successor stated as its last seq, or its silence (`endsOfVolatile`); 0 while none did. */
  readonly finalSeq: number;
  /** When its agent said that it stops; 0 where it did not. */
  readonly stoppedMs: number;
  /** The first durable successor that was heard of: a second one is another disk (identity.ts). */
  readonly child: EpochId | null;
  /** Seqs whose single keys, or the gap records that named them, are gone by age: known by their ranges alone. */
  readonly thinned: SeqRanges;
  /** The keys of a small settled epoch, folded into its row (`values.ts`, Run). */
  readonly folded: Uint8Array | null;
}

export function emptyLedger(epoch: EpochId): EpochLedger {
  return {
    epoch,
    parent: null,
    start: 0,
    volatile: false,
    made: 0,
    committed: noRanges,
    quarantined: noRanges,
    lost: {},
    unheld: noRanges,
    duplicates: 0,
    conflicts: 0,
    undated: 0,
    firstMs: 0,
    lastMs: 0,
    heardMs: 0,
    boot: null,
    finalSeq: 0,
    stoppedMs: 0,
    child: null,
    thinned: noRanges,
    folded: null,
  };
}

/** All seqs that the central answers for: committed or quarantined. */
export function settledOf(ledger: EpochLedger): SeqRanges {
  return unite(ledger.committed, ledger.quarantined);
}

/** Single seqs, in any order, as ranges. */
export function rangesOf(seqs: Iterable<number>): SeqRanges {
  const out: [number, number][] = [];
  for (const seq of [...seqs].sort((a, b) => a - b)) {
    const last = out.at(-1);
    if (last !== undefined && seq <= last[1] + 1) last[1] = seq;
    else out.push([seq, seq]);
  }
  return out;
}

/** What one batch settled. */
export interface Settlement {
  readonly committed: SeqRanges;
  readonly quarantined: SeqRanges;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly undated: number;
  /** When the agent said that it stops; 0 where it did not. */
  readonly stoppedMs: number;
  /** Times of what was committed; null where nothing was. */
  readonly span: { readonly firstMs: number; readonly lastMs: number } | null;
}

export function noteSettled(ledger: EpochLedger, settlement: Settlement): EpochLedger {
  const { span } = settlement;
  const first = ledger.committed.length === 0;
  const committed = unite(ledger.committed, settlement.committed);
  const quarantined = unite(ledger.quarantined, settlement.quarantined);
  return {
    ...ledger,
    made: Math.max(ledger.made, highest(committed), highest(quarantined)),
    committed,
    quarantined,
    unheld: subtract(ledger.unheld, unite(committed, quarantined)),
    duplicates: ledger.duplicates + settlement.duplicates,
    conflicts: ledger.conflicts + settlement.conflicts,
    undated: ledger.undated + settlement.undated,
    stoppedMs: Math.max(ledger.stoppedMs, settlement.stoppedMs),
    firstMs: span === null ? ledger.firstMs : first ? span.firstMs : Math.min(ledger.firstMs, span.firstMs),
    lastMs: span === null ? ledger.lastMs : Math.max(ledger.lastMs, span.lastMs),
  };
}

/**
 * What an envelope says beside its records.
 * @param present seqs that the sender can still send, and those that came in the envelope itself
 */
export function noteReport(
  ledger: EpochLedger,
  highestSeq: number,
  present: SeqRanges,
  receivedMs: number,
): EpochLedger {
  const gone = subtract(subtract(upTo(highestSeq), present), settledOf(ledger));
  return {
    ...ledger,
    made: Math.max(ledger.made, highestSeq),
    unheld: unite(ledger.unheld, gone),
    heardMs: Math.max(ledger.heardMs, receivedMs),
  };
}

/** A gap record names seqs of this epoch as lost. */
export function noteGap(ledger: EpochLedger, ranges: SeqRanges, cause: string): EpochLedger {
  const name = gapCauseOf(cause);
  const lost = { ...ledger.lost, [name]: unite(ledger.lost[name] ?? noRanges, ranges) };
  return { ...ledger, made: Math.max(ledger.made, highest(ranges)), lost };
}

/** A successor states how many seqs this epoch had. */
export function noteFinal(ledger: EpochLedger, finalSeq: number): EpochLedger {
  if (finalSeq <= ledger.finalSeq) return ledger;
  return { ...ledger, finalSeq, made: Math.max(ledger.made, finalSeq) };
}

/** The epoch's own first record. */
export function noteStart(
  ledger: EpochLedger,
  at: {
    readonly parent: EpochId | null;
    readonly start: number;
    readonly volatile: boolean;
  },
  boot: string | null,
): EpochLedger {
  return { ...ledger, parent: at.parent, start: at.start, volatile: at.volatile, boot };
}

/**
 * The volatile epochs of an agent that are at their end: they lie in the memory of a process, no successor ever states
 * their last seq, and when the process is gone nobody can say so. So one that was not heard of for an hour, though its
 * agent was, ends: what is pending is lost with the cause `volatile`. Should it speak again after all, it goes on.
 * @param ledgers all that the agent has
 */
export function endsOfVolatile(ledgers: readonly EpochLedger[]): { before: EpochLedger; after: EpochLedger }[] {
  const heardMs = ledgers.reduce((latest, ledger) => Math.max(latest, ledger.heardMs), 0);
  return ledgers
    .filter((ledger) => isOpenVolatile(ledger) && heardMs - ledger.heardMs >= VOLATILE_SILENT_MS)
    .map((before) => {
      const named = noteGap(before, pendingOf(before), VOLATILE_CAUSE);
      return { before, after: { ...named, finalSeq: named.made } };
    });
}

/** Whether its end is still to come. */
export function isOpenVolatile(ledger: EpochLedger): boolean {
  return ledger.volatile && !isSettled(ledger);
}

/** What is lost with the memory of a process. */
export function lostWithMemory(ledger: EpochLedger): SeqRanges {
  return ledger.volatile ? subtract(ledger.lost[VOLATILE_CAUSE] ?? noRanges, settledOf(ledger)) : noRanges;
}

/** Nothing of it can change any more but by late data: its end is stated, and no seq of it is pending. */
export function isSettled(ledger: EpochLedger): boolean {
  return ledger.finalSeq > 0 && pendingOf(ledger).length === 0;
}

/** What is neither settled nor lost. */
export function pendingOf(ledger: EpochLedger): SeqRanges {
  let open = subtract(upTo(ledger.made), settledOf(ledger));
  for (const ranges of Object.values(ledger.lost)) open = subtract(open, ranges);
  return subtract(subtract(open, ledger.unheld), beyondFinal(ledger));
}

/**
 * What was reported beyond the last seq that a successor knows of: gone from that disk, whose files were damaged, or
 * which was set back. Nobody will send it; where somebody does (a clone), it is committed late. The end of a volatile
 * epoch is this central's own judgement, and no successor's word.
 */
function beyondFinal({ finalSeq, made, volatile }: EpochLedger): SeqRanges {
  return !volatile && finalSeq > 0 && made > finalSeq ? [[finalSeq + 1, made]] : [];
}

/** A seq that two gaps name with different causes counts for the one that is first by name. */
export function ledgerRow(ledger: EpochLedger): LedgerRow {
  let open = subtract(upTo(ledger.made), settledOf(ledger));
  let lost = 0;
  const lostByCause: Record<string, number> = {};
  const named = Object.entries(ledger.lost).sort(([a], [b]) => (a < b ? -1 : 1));
  const others = [[GONE_CAUSE, beyondFinal(ledger)] as const, [UNNAMED_CAUSE, ledger.unheld] as const];
  for (const [cause, ranges] of [...named, ...others]) {
    const left = subtract(open, ranges);
    const count = countSeqs(open) - countSeqs(left);
    if (count > 0) lostByCause[cause] = (lostByCause[cause] ?? 0) + count;
    lost += count;
    open = left;
  }
  return {
    epoch: ledger.epoch,
    parent: ledger.parent,
    start: ledger.start,
    volatile: ledger.volatile,
    made: ledger.made,
    committed: countSeqs(ledger.committed),
    quarantined: countSeqs(subtract(ledger.quarantined, ledger.committed)),
    pending: countSeqs(open),
    lost,
    lostByCause,
    duplicates: ledger.duplicates,
    conflicts: ledger.conflicts,
    settled: ledger.finalSeq > 0 && open.length === 0,
    boot: ledger.boot,
    firstMs: ledger.firstMs,
    lastMs: ledger.lastMs,
  };
}

export const noTotals: LedgerTotals = {
  epochs: 0,
  made: 0,
  committed: 0,
  quarantined: 0,
  pending: 0,
  lost: 0,
  lostByCause: {},
  duplicates: 0,
  conflicts: 0,
};

/** Adds a row to the totals of its agent, or takes it out of them (`sign` -1). */
export function addToTotals(totals: LedgerTotals, row: LedgerRow, sign: 1 | -1): LedgerTotals {
  const lostByCause: Record<string, number> = { ...totals.lostByCause };
  for (const [cause, count] of Object.entries(row.lostByCause)) {
    const left = (lostByCause[cause] ?? 0) + sign * count;
    if (left === 0) delete lostByCause[cause];
    else lostByCause[cause] = left;
  }
  return {
    epochs: totals.epochs + sign,
    made: totals.made + sign * row.made,
    committed: totals.committed + sign * row.committed,
    quarantined: totals.quarantined + sign * row.quarantined,
    pending: totals.pending + sign * row.pending,
    lost: totals.lost + sign * row.lost,
    lostByCause,
    duplicates: totals.duplicates + sign * row.duplicates,
    conflicts: totals.conflicts + sign * row.conflicts,
  };
}

/** Order of an agent's rows: by its starts, then by time, then by id. */
export function compareLedgers(a: EpochLedger, b: EpochLedger): number {
  return a.start - b.start || a.firstMs - b.firstMs || (a.epoch < b.epoch ? -1 : a.epoch > b.epoch ? 1 : 0);
}
