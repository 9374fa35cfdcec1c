/** When what was settled has been so for long enough, and which tables may soon be named: both bounded. */
import { noRanges, type SeqRanges } from '../../shared/wire/ranges.ts';
import type { Book, EpochEntry } from './book.ts';
import type { Waiting } from './plan.ts';

/** Ages are told apart in this many steps. */
const AGE_STEPS = 16;
/** Tables that were made, named or asked for last; a summary in the making may name one of them next. */
const RECENT_TABLES = 12;

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

/** The most recently used tables, and the records of those that this process made: to be had where the disk has none. */
export class RecentTables {
  readonly hashes = new Set<string>();
  readonly #records = new Map<string, Uint8Array>();

  /** @param record the table's own */
  use(hash: string, record?: Uint8Array): void {
    this.hashes.delete(hash);
    this.hashes.add(hash);
    if (record !== undefined) this.#records.set(hash, record);
    if (this.hashes.size <= RECENT_TABLES) return;
    const oldest = this.hashes.values().next().value!;
    this.hashes.delete(oldest);
    this.#records.delete(oldest);
  }

  record(hash: string): Uint8Array | undefined {
    return this.#records.get(hash);
  }
}

/**
 * What waits, with the tables ahead of it that it names and that are not there: the outbox may be another one than the
 * table went to, or have lost it.
 */
export function withTables(waiting: readonly Waiting[], book: Book, recent: RecentTables): Waiting[] {
  const out: Waiting[] = [];
  const there = new Set<string>();
  for (const item of waiting) {
    const { table, recordClass } = item;
    if (table !== null && recordClass !== 'table' && !there.has(table)) {
      const record = (book.tables.get(table)?.seq ?? 0) === 0 ? recent.record(table) : undefined;
      if (record !== undefined)
        out.push({ ...item, record, recordClass: 'table', resolve: () => {}, reject: () => {} });
    }
    if (table !== null) there.add(table);
    out.push(item);
  }
  return out;
}
