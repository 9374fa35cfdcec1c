/**
 * Who is behind an agent's id, as far as its epochs tell, pure. Every durable epoch names its parent on its disk, so
 * that one disk in one machine makes one chain. What makes another is noted when it comes, in the same write:
 *
 * - two children of one parent: two disks with one past. A *clone* if both make new records within five minutes, else
 *   one machine whose disk was *rolled back* to an older image;
 * - a second epoch without a parent: a disk that was *replaced* or wiped;
 * - one key with two contents: a *conflict*.
 *
 * Volatile epochs stand beside the chain of the disk and say nothing here. Nor does a time that is a guess: it is no
 * evidence of anything. All is bounded: an agent that makes forks without end is known by its newest.
 */
import { MINUTE_MS } from '../../shared/limits.ts';
import type { EpochLedger } from './ledger.ts';
import type { EpochId, IdentityFinding } from './store.ts';

/** Both branches alive within this: two machines. */
const CLONE_MS = 5 * MINUTE_MS;
const MOST_FORKS = 8;
const MOST_BRANCHES = 8;
const MOST_ROOTS = 8;

interface Branch {
  /** The child of the common parent. */
  readonly first: EpochId;
  /** The newest epoch that came of it. */
  readonly tip: EpochId;
}

interface Fork {
  readonly parent: EpochId;
  readonly branches: readonly Branch[];
  readonly sinceMs: number;
}

/** What is stored of an agent. */
export interface IdentityNotes {
  readonly newest: { readonly epoch: EpochId; readonly start: number } | null;
  readonly roots: readonly { readonly epoch: EpochId; readonly sinceMs: number }[];
  readonly forks: readonly Fork[];
  readonly conflict: { readonly epoch: EpochId; readonly sinceMs: number } | null;
}

export const noNotes: IdentityNotes = { newest: null, roots: [], forks: [], conflict: null };

interface Start {
  readonly epoch: EpochId;
  readonly parent: EpochId | null;
  readonly start: number;
  readonly receivedMs: number;
}

/**
 * A durable epoch began. The notes are the same object where it is known already.
 * @param sibling the child of the same parent that was heard of first; null where there is none
 */
export function noteEpoch(notes: IdentityNotes, begun: Start, sibling: EpochId | null): IdentityNotes {
  const { epoch, parent, start, receivedMs } = begun;
  let { roots, forks } = notes;
  if (parent === null && !roots.some((root) => root.epoch === epoch)) {
    roots = [...roots, { epoch, sinceMs: receivedMs }].slice(-MOST_ROOTS);
  }
  if (parent !== null) {
    if (forks.some(({ branches }) => branches.some(({ tip }) => tip === parent))) {
      const grown = (branch: Branch): Branch => (branch.tip === parent ? { ...branch, tip: epoch } : branch);
      forks = forks.map((fork) => ({ ...fork, branches: fork.branches.map(grown) }));
    }
    if (sibling !== null && sibling !== epoch) forks = withBranch(forks, notes, begun, parent, sibling);
  }
  const newer = notes.newest === null || start > notes.newest.start;
  return { ...notes, newest: newer ? { epoch, start } : notes.newest, roots, forks };
}

function withBranch(
  forks: readonly Fork[],
  notes: IdentityNotes,
  { epoch, receivedMs }: Start,
  parent: EpochId,
  sibling: EpochId,
): readonly Fork[] {
  const known = forks.find((fork) => fork.parent === parent);
  if (known === undefined) {
    // Until now there was one chain, so that the newest epoch is the tip of the branch that was there.
    const tip = notes.newest?.epoch ?? sibling;
    const branches = [
      { first: sibling, tip },
      { first: epoch, tip: epoch },
    ];
    return [...forks, { parent, branches, sinceMs: receivedMs }].slice(-MOST_FORKS);
  }
  if (known.branches.some(({ first }) => first === epoch)) return forks;
  const branches = [...known.branches, { first: epoch, tip: epoch }].slice(-MOST_BRANCHES);
  return [...forks.filter((fork) => fork !== known), { ...known, branches, sinceMs: receivedMs }];
}

/** One key came with two contents. */
export function noteConflict(notes: IdentityNotes, epoch: EpochId, receivedMs: number): IdentityNotes {
  return notes.conflict?.epoch === epoch ? notes : { ...notes, conflict: { epoch, sinceMs: receivedMs } };
}

/** Whether the notes changed in what speaks of another machine or disk. */
export function isNews(before: IdentityNotes, after: IdentityNotes): boolean {
  return before.forks !== after.forks || before.roots !== after.roots || before.conflict !== after.conflict;
}

/** Epochs whose ledgers `findings` wants. */
export function epochsOf(notes: IdentityNotes): EpochId[] {
  const branches = notes.forks.flatMap((fork) => fork.branches.flatMap(({ first, tip }) => [first, tip]));
  const conflict = notes.conflict === null ? [] : [notes.conflict.epoch];
  return [...new Set([...branches, ...notes.roots.map(({ epoch }) => epoch), ...conflict])];
}

/** When the first record was made on any disk, by those epochs alone whose times are certain; null of none. */
export function firstCertainMs(ledgers: Iterable<EpochLedger>): number | null {
  let first: number | null = null;
  for (const ledger of ledgers) {
    if (isCertain(ledger) && !ledger.volatile && (first === null || ledger.firstMs < first)) first = ledger.firstMs;
  }
  return first;
}

/**
 * The first epoch of a disk has nothing before it, so that whatever the agent covered earlier was on another: from
 * when on that is so; null where nothing can be told.
 */
export function newestRootMs(notes: IdentityNotes, ledgerOf: (epoch: EpochId) => EpochLedger): number | null {
  const newest = inOrder(notes.roots, ({ epoch }) => ledgerOf(epoch)).at(-1);
  return newest !== undefined && isCertain(ledgerOf(newest.epoch)) ? ledgerOf(newest.epoch).firstMs - CLONE_MS : null;
}

/** @param firstMs when the agent ever made its first record, by certain times; null where that is not known */
export function findings(
  notes: IdentityNotes,
  ledgerOf: (epoch: EpochId) => EpochLedger,
  firstMs: number | null,
): IdentityFinding[] {
  const about = (epoch: EpochId) => ({ epoch, boot: ledgerOf(epoch).boot, firstMs: ledgerOf(epoch).firstMs });
  const out: IdentityFinding[] = [];
  for (const { parent, branches, sinceMs } of notes.forks) {
    const older = inOrder(branches, ({ first }) => ledgerOf(first));
    const youngest = older.pop()!;
    const isAlive = older.some((branch) => aliveBeside(branch, youngest, ledgerOf, sinceMs));
    const epochs = [...older, youngest].map(({ first }) => about(first));
    out.push({ kind: isAlive ? 'clone' : 'rolled_back', epochs, parent, sinceMs });
  }
  const roots = inOrder(notes.roots, ({ epoch }) => ledgerOf(epoch));
  const rootMs = newestRootMs(notes, ledgerOf);
  const hadAnother = roots.length > 1 || (firstMs !== null && rootMs !== null && firstMs < rootMs);
  if (hadAnother) {
    out.push({
      kind: 'replaced',
      epochs: roots.map(({ epoch }) => about(epoch)),
      parent: null,
      sinceMs: Math.max(...roots.map(({ sinceMs }) => sinceMs)),
    });
  }
  if (notes.conflict !== null) {
    const { epoch, sinceMs } = notes.conflict;
    out.push({ kind: 'conflict', epochs: [about(epoch)], parent: null, sinceMs });
  }
  return out;
}

/** By when they began; where that is a guess of one, in the order in which they were heard of. */
function inOrder<T>(all: readonly T[], ledgerOf: (one: T) => EpochLedger): T[] {
  if (!all.every((one) => isCertain(ledgerOf(one)))) return [...all];
  return [...all].sort((a, b) => ledgerOf(a).firstMs - ledgerOf(b).firstMs);
}

function isCertain({ firstMs, undated }: EpochLedger): boolean {
  return firstMs > 0 && undated === 0;
}

/**
 * Whether the older branch made something new when the younger one was there: after its start, or so shortly before
 * that it may still be alive. In the latter case it is known better once the younger one has gone on alone.
 */
function aliveBeside(
  older: Branch,
  younger: Branch,
  ledgerOf: (epoch: EpochId) => EpochLedger,
  noticedMs: number,
): boolean {
  const [first, olderTip, youngerTip] = [younger.first, older.tip, younger.tip].map(ledgerOf) as [
    EpochLedger,
    EpochLedger,
    EpochLedger,
  ];
  if (!isCertain(olderTip)) return false;
  const beganMs = isCertain(first) ? first.firstMs : noticedMs;
  if (olderTip.lastMs > beganMs) return true;
  const goneOnMs = isCertain(youngerTip) ? youngerTip.lastMs : beganMs;
  return olderTip.lastMs > beganMs - CLONE_MS && goneOnMs <= Math.max(beganMs, olderTip.lastMs) + CLONE_MS;
}
