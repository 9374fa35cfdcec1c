/**
 * Who is behind an agent's id, as far as its epochs tell, pure. Every durable epoch names its parent on its disk, so
 * that one disk in one machine makes one chain. What makes another is noted when it comes, in the same write:
 *
 * - two children of one parent: two disks with one past. A *clone* if both make new records within five minutes, else
 *   one machine whose disk was *rolled back* to an older image;
 * - a second epoch without a parent: a disk that was *replaced* or wiped;
 * - one key with two contents: a *conflict*.
 *
 * Volatile epochs stand beside the chain of the disk and say nothing here. All is bounded: an agent that makes forks
 * without end is known by its newest.
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

/** @param firstMinuteMs the first minute that the agent ever covered; null while there is none */
export function findings(
  notes: IdentityNotes,
  ledgerOf: (epoch: EpochId) => EpochLedger,
  firstMinuteMs: number | null,
): IdentityFinding[] {
  const about = (epoch: EpochId) => ({ epoch, boot: ledgerOf(epoch).boot, firstMs: ledgerOf(epoch).firstMs });
  const out: IdentityFinding[] = [];
  for (const { parent, branches, sinceMs } of notes.forks) {
    const inOrder = [...branches].sort((a, b) => ledgerOf(a.first).firstMs - ledgerOf(b.first).firstMs);
    const youngest = inOrder.pop()!;
    const isAlive = inOrder.some((older) => aliveBeside(older, youngest, ledgerOf, sinceMs));
    const epochs = [...inOrder, youngest].map(({ first }) => about(first));
    out.push({ kind: isAlive ? 'clone' : 'rolled_back', epochs, parent, sinceMs });
  }
  const roots = [...notes.roots].sort((a, b) => ledgerOf(a.epoch).firstMs - ledgerOf(b.epoch).firstMs);
  const newest = roots.at(-1);
  // The first epoch of a disk has nothing before it, so that whatever the agent covered earlier was on another.
  const hadAnother =
    newest !== undefined &&
    (roots.length > 1 || (firstMinuteMs !== null && firstMinuteMs < ledgerOf(newest.epoch).firstMs - CLONE_MS));
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
  const first = ledgerOf(younger.first);
  // A clock that is wrong says nothing of when it began: then by when the central noticed.
  const beganMs = first.undated > 0 || first.firstMs === 0 ? noticedMs : first.firstMs;
  const olderMs = ledgerOf(older.tip).lastMs;
  const youngerMs = ledgerOf(younger.tip).lastMs;
  if (olderMs > beganMs) return true;
  return olderMs > beganMs - CLONE_MS && youngerMs <= Math.max(beganMs, olderMs) + CLONE_MS;
}
