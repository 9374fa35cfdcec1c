/** When what was settled has been so for long enough, and which tables may soon be named again: both bounded. */
import { noRanges, type SeqRanges } from '../../shared/wire/ranges.ts';
import type { Book, EpochEntry } from './book.ts';

/** Ages are told apart in this many steps. */
const AGE_STEPS = 16;
/** Tables that were made, named or asked for last; a summary in the making may name one of them next. */
const RECENT_TABLES = 4;

interface Mark {
  readonly atMs: number;
  /** start counter → what was settled then */
  readonly settled: ReadonlyMap<number, SeqRanges>;
}

/** Remembers what was settled when, by a few snapshots; a start of the process begins anew, so that it keeps longer. */
export class Ageing {
  readonly #keepMs: number;
  #marks: Mark[] = [];
  #expired: Mark | null = null;

  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  /** Looks at the time; true when there may be something new to trim. */
  advance(book: Book, nowMs: number): boolean {
    if (this.#keepMs === 0) return true;
    const last = this.#marks.at(-1);
    if (last !== undefined && nowMs - last.atMs < this.#keepMs / AGE_STEPS) return false;
    this.#marks.push({ atMs: nowMs, settled: new Map(book.epochs.map((entry) => [entry.start, entry.settled])) });
    while (this.#marks.length > 0 && nowMs - this.#marks[0]!.atMs >= this.#keepMs) {
      this.#expired = this.#marks.shift()!;
    }
    return this.#expired !== null;
  }

  /** What of an epoch has been settled for long enough. */
  expired(entry: EpochEntry): SeqRanges {
    return this.#keepMs === 0 ? entry.settled : (this.#expired?.settled.get(entry.start) ?? noRanges);
  }

  /** The belief was replaced: nothing is old any more. */
  reset(): void {
    this.#marks = [];
    this.#expired = null;
  }
}

/** The most recently used tables. */
export class RecentTables {
  readonly hashes = new Set<string>();

  use(hash: string): void {
    this.hashes.delete(hash);
    this.hashes.add(hash);
    if (this.hashes.size > RECENT_TABLES) this.hashes.delete(this.hashes.values().next().value!);
  }
}
