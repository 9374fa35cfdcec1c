/**
 * What is remembered of the chain of epochs beside the database, for the day on which that is lost whole: moved aside
 * because nothing could repair it, or deleted. The next epoch then still names its parent, and a GAP every seq up to
 * the highest that was noted; what was made after the note, the central knows from the envelopes that it had.
 *
 * A note costs some blocks of the card, so that it is written rarely: when an epoch begins, after so many seqs or so
 * much time, when a belief was taken back, and at a clean end. It is never needed while the database is whole.
 */
import { open, readFile, rename } from 'node:fs/promises';
import type { Clock } from '../../shared/clock.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { checkedRanges, type SeqRange, type SeqRanges, subtract, unite, upTo } from '../../shared/wire/ranges.ts';
import type { Book, EpochEntry } from './book.ts';
import { sealBytes, unsealBytes } from './layout.ts';

/** Between two notes, at most so many seqs, and so much time in which something was made. */
const SEQS_PER_NOTE = 256;
const NOTE_INTERVAL_MS = 3_600_000;
/** The newest epochs that are noted: a crash loop must not make the note large. */
const EPOCHS_NOTED = 32;
/** Of an epoch's settled ranges, the lowest; what is left out is named as lost, which the central knows better. */
const RANGES_NOTED = 16;
/** A file that is larger is no note of ours. */
const NOTE_BYTES = 64 * 1024;

/** What a note says of an epoch. */
export interface ChainLink {
  readonly epoch: string;
  readonly start: number;
  readonly highestSeq: number;
  readonly settled: SeqRanges;
}

/** Where notes are kept. */
export interface ChainStore {
  load(): Promise<readonly ChainLink[]>;
  save(links: readonly ChainLink[]): Promise<void>;
}

/** One small file: CRC-32C, then JSON. */
export class ChainFile implements ChainStore {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async load(): Promise<readonly ChainLink[]> {
    const bytes = await readFile(this.#path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (bytes === null) return [];
    const value = bytes.length > NOTE_BYTES ? null : unsealBytes(bytes);
    if (value === null) throw new Error(`${this.#path} is damaged`);
    const note = JSON.parse(new TextDecoder().decode(value)) as { readonly links?: readonly ChainLink[] };
    return (note.links ?? []).filter(isLink);
  }

  /** Whole or not at all. That the new name is lost in a power cut does no harm: the older note stands. */
  async save(links: readonly ChainLink[]): Promise<void> {
    const bytes = sealBytes(new TextEncoder().encode(JSON.stringify({ format: 1, links })));
    const fresh = `${this.#path}.new`;
    const handle = await open(fresh, 'w', 0o600);
    try {
      // All of it: a write on a disk that is nearly full may take a part.
      await handle.writeFile(bytes);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(fresh, this.#path);
  }
}

function isLink(link: ChainLink): boolean {
  if (typeof link !== 'object' || link === null || !Array.isArray(link.settled)) return false;
  if (typeof link.epoch !== 'string' || !/^[0-9a-f]{32}$/.test(link.epoch)) return false;
  const { start, highestSeq } = link;
  if (!Number.isSafeInteger(start) || start < 1 || !Number.isSafeInteger(highestSeq) || highestSeq < 1) return false;
  return checkedRanges(link.settled as readonly SeqRange[]) !== null;
}

export interface ChainOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Without one nothing is noted. */
  readonly chain?: ChainStore;
}

/** Decides when a note is due, and puts what one says into a book that lacks it. */
export class ChainNotes {
  readonly #options: ChainOptions;
  #noted = { start: 0, highestSeq: 0, atMs: 0 };
  #due = false;
  #failing = false;

  constructor(options: ChainOptions) {
    this.#options = options;
  }

  /** What was noted would now name too little. */
  makeDue(): void {
    this.#due = true;
  }

  /** Notes how far the chain goes, where that is due. Never fails: it is for a bad day only. */
  async note(book: Book, atOnce = false): Promise<void> {
    const { chain, clock, log } = this.#options;
    const newest = book.newest;
    if (chain === undefined || newest === undefined) return;
    const { start, highestSeq, atMs } = this.#noted;
    const further = newest.start === start ? newest.highestSeq - highestSeq : SEQS_PER_NOTE;
    const nowMs = clock.monotonicMs();
    const old = further > 0 && (atOnce || nowMs - atMs >= NOTE_INTERVAL_MS);
    if (!this.#due && further < SEQS_PER_NOTE && !old) return;
    this.#due = false;
    this.#noted = { start: newest.start, highestSeq: newest.highestSeq, atMs: nowMs };
    try {
      await chain.save(linksOf(book));
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) log.warn({ error: messageOf(error) }, 'the chain of epochs could not be noted');
      this.#failing = true;
    }
  }

  /** Takes in what the book does not know. All of that is taken for held, until the audit says what is there. */
  async recall(book: Book): Promise<void> {
    const { chain, log } = this.#options;
    const links = await chain?.load().catch((error: unknown) => {
      log.warn({ error: messageOf(error) }, 'the note about the chain of epochs could not be read');
      return [];
    });
    const newestStart = book.newest?.start ?? 0;
    for (const { epoch, start, highestSeq, settled } of links ?? []) {
      const held = subtract(upTo(highestSeq), settled);
      const known = book.byStart(start);
      if (known?.epoch === epoch) raise(known, highestSeq, held);
      // An earlier one that is not in the book was settled and has gone, or this note is of another database.
      else if (start > newestStart) book.insert({ epoch, start, volatile: false, highestSeq, held, settled });
    }
  }
}

function raise(entry: EpochEntry, highestSeq: number, held: SeqRanges): void {
  if (highestSeq <= entry.highestSeq) return;
  entry.held = unite(entry.held, subtract(held, upTo(entry.highestSeq)));
  entry.highestSeq = highestSeq;
}

function linksOf(book: Book): ChainLink[] {
  return book.epochs
    .filter((entry) => !entry.volatile && (entry === book.newest || book.pending(entry).length > 0))
    .slice(-EPOCHS_NOTED)
    .map(({ epoch, start, highestSeq, settled }) => {
      return { epoch, start, highestSeq, settled: settled.slice(0, RANGES_NOTED) };
    });
}
