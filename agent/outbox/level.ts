/**
 * The outbox on disk.
 *
 * Design constraints
 *   - A record that was reported durable survives a kill of the process and a power cut: every batch is synced, into the
 *     journal (journal.ts) and from there into the database; a new database is one synced write and an fsync of its
 *     directories before it is used.
 *   - A batch is atomic: records, the deletions that make room for them, the GAP that names what was lost, and all rows.
 *   - After any error of the database its handle is used no more; it is closed and opened again (one failed write on
 *     a full disk was seen to lose later ones in silence).
 *   - Nothing that is read is believed: every record has its epoch, its place and a CRC-32C, every row a CRC-32C.
 *     A bad record becomes a GAP, a bad row is rebuilt from the records, and an audit of all keys at every start finds
 *     what is missing in the middle.
 *   - LevelDB as it is built here reads and compacts damaged blocks (a compaction was seen to abort the process over
 *     one), and takes a damaged MANIFEST for a shorter one: its files are checked before it opens them, and damaged
 *     blocks taken out, after a copy (level-tables.ts, level-manifest.ts).
 *   - A database that does not open is repaired in a child process (repairing was seen to abort), after a copy. If that
 *     does not help, it is moved aside whole and a new one begun. At most `ASIDE_KEPT` copies stay, and only while there
 *     is room. What it had held is named by a GAP as far as the journal and a note beside it know. So is one that ends
 *     process after process (level-deaths.ts).
 *   - What is bounded is the size of the whole directory on disk. Space comes back only by compaction, so that deletions
 *     come in large steps, each followed by one. A reserve file lets deletions through when the disk is full.
 *   - A flash card wears, and a growing log costs it five blocks of the file system's own for each commit: commits go to
 *     a journal of fixed size, and 512 KB of them at once to the database, in tables that LevelDB need not merge
 *     (level-layers.ts). Acknowledgements are written with the next record only.
 *
 * Format 2
 *   directory/format-1/       the LevelDB database (its own files; the name is that of the first format)
 *   directory/journal         batches that the database may lack (journal.ts)
 *   directory/reserve         zeros, given up when the disk is full
 *   directory/opening         a number, while a database is opened and a minute long (level-deaths.ts)
 *   directory/aside-N/        a database that could not be opened, or files from before a repair
 *   directory.chain           CRC-32C, JSON: how far the newest epochs went (chain.ts), should all that be lost
 *
 *   key (integers big-endian, 6 bytes)    value
 *   'd' start seq class                   epoch (16), from and to wall ms (float64), table (8), frame (frame.ts)
 *   'i' class start seq                   empty; for every record that is not detail
 *   'm' "format"                          the format's number in ASCII
 *   'm' "journal"                         generation of the journal that is in the database (4 bytes)
 *   'm' "." name                          CRC-32C, bytes: what `setMeta` keeps
 *   's' start                             CRC-32C, JSON: epoch, highest seq, held and settled ranges, totals, commit
 *   't' hash (8)                          CRC-32C, JSON: place of a table's newest copy, how many records name it
 *
 *   `start` is the epoch's place in the chain of this disk's epochs, from 1; `class` the index in `recordClasses`.
 *   The row of the newest epoch is rewritten with every batch; its `commit` says after an error whether a batch landed.
 *   A newer format is refused (`store.newer_format`). Format 1 had no journal, and is the same otherwise.
 */
import { join } from 'node:path';
import { ChainFile } from './chain.ts';
import { Deaths } from './level-deaths.ts';
import { LevelFiles } from './level-files.ts';
import { openLevelShelf } from './level-shelf.ts';
import type { OutboxOptions, QueueOptions } from './options.ts';
import { QueueOutbox } from './queue.ts';
import type { Repair } from './repair.ts';

/** While the disk fails, this much waits in memory if nothing else takes it over. */
const RING_BYTES = 1024 * 1024;

export interface LevelOptions extends OutboxOptions, Pick<QueueOptions, 'onFailing' | 'onWorking'> {
  /** Made if it does not exist; nothing else may lie in it. */
  readonly directory: string;
  /**
   * Repairs the database in this directory in a child process (`repairInChild`). Without it a damaged one is moved
   * aside.
   */
  readonly repair?: Repair;
}

/**
 * Opens the outbox; with a failing disk it opens as failing and tries again by itself.
 * Throws `store.newer_format` where a newer version wrote it.
 */
export async function openLevelOutbox(options: LevelOptions): Promise<QueueOutbox> {
  const { directory, repair, ...rest } = options;
  const files = new LevelFiles(directory, options.limitBytes, options.log);
  const database = join(directory, 'format-1');
  const deaths = new Deaths(directory, options.timers, options.log);
  return QueueOutbox.open({
    ...rest,
    chain: new ChainFile(`${directory}.chain`),
    openShelf: (suspect) =>
      openLevelShelf(database, files, { limitBytes: options.limitBytes, repair, suspect, deaths }),
    volatile: false,
    lossCause: 'overflow',
    ringBytes: RING_BYTES,
  });
}
