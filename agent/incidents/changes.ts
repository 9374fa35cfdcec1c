/**
 * What changed lately on this machine: states, processes that began, what the agent itself applied. A small ring, from
 * which an incident takes what lies shortly before its first finding.
 *
 * Bounds: `KEPT` changes; texts are cut. Times are monotonic, since the idea of UTC may move.
 */
import { type Change, type ChangeKind, findingLimits } from '../../shared/findings.ts';

const KEPT = 128;
const TEXT_CHARACTERS = 200;
/** The same words within this time are of the same change. */
const SAME_MS = 2_000;
/** Before the first finding by no more than this. */
const BEFORE_MS = 10 * 60_000;
/** Many processes that begin must not crowd out the mount that went. */
const MOST_OF_KIND = 4;
/** After it by no more than this: states are looked at once in some seconds. */
const AFTER_MS = 3_000;

interface Kept {
  readonly monotonicMs: number;
  readonly kind: ChangeKind;
  readonly text: string;
}

export class RecentChanges {
  readonly #kept: Kept[] = [];

  add(kind: ChangeKind, text: string, monotonicMs: number): void {
    const cut = text.length <= TEXT_CHARACTERS ? text : `${text.slice(0, TEXT_CHARACTERS - 1)}…`;
    // A process is seen in several documents, a thing has several series.
    if (this.#kept.some((kept) => kept.text === cut && Math.abs(kept.monotonicMs - monotonicMs) < SAME_MS)) return;
    this.#kept.push({ monotonicMs, kind, text: cut });
    if (this.#kept.length > KEPT) this.#kept.shift();
  }

  /** What lies shortly before a time, the nearest first, in UTC by the offset. */
  before(monotonicMs: number, offsetMs: number): Change[] {
    const ofKind = new Map<ChangeKind, number>();
    return this.#kept
      .filter((kept) => kept.monotonicMs > monotonicMs - BEFORE_MS && kept.monotonicMs <= monotonicMs + AFTER_MS)
      .sort((a, b) => b.monotonicMs - a.monotonicMs)
      .filter(({ kind }) => {
        const before = ofKind.get(kind) ?? 0;
        ofKind.set(kind, before + 1);
        return before < MOST_OF_KIND;
      })
      .slice(0, findingLimits.changes)
      .map(({ kind, text, monotonicMs: atMs }) => ({ atMs: Math.round(atMs + offsetMs), kind, text }));
  }
}
