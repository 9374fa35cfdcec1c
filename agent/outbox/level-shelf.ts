/** A LevelDB database as the shelf of an outbox. What is durable, and when, is described in `level.ts`. */
import { stat } from 'node:fs/promises';
import { Level } from 'level';
import { messageOf, PicketError } from '../../shared/errors.ts';
import { Journal } from './journal.ts';
import { endOfKeys, epochKeys, FORMAT, firstIndexKey, formatKey, tableKeys } from './layout.ts';
import type { Deaths } from './level-deaths.ts';
import type { LevelFiles } from './level-files.ts';
import { type Database, NotOpenedAgain } from './level-handle.ts';
import { LevelLayers } from './level-layers.ts';
import { manifestState } from './level-manifest.ts';
import type { Repair } from './repair.ts';
import type { Op, Shelf, Step } from './shelf.ts';

const encodings = { keyEncoding: 'view', valueEncoding: 'view' } as const;
/** LevelDB holds up to two write buffers in memory, and replays one at the next start. */
const WRITE_BUFFER_BYTES = 256 * 1024;
const SMALLEST_WRITE_BUFFER_BYTES = 64 * 1024;
const CACHE_BYTES = 256 * 1024;
/** Records are some kilobytes each; small blocks would only make the index larger. */
const BLOCK_BYTES = 16 * 1024;
const OPEN_FILES = 64;
/**
 * What the journal holds before it goes to the database: each time costs some files, and until then it is in memory.
 * Batches take whole blocks in the journal, so that it is twice as large; and no more than this share of the limit.
 */
const CHECKPOINT_BYTES = 512 * 1024;
const JOURNAL_SHARE = 1 / 16;
/** Between measurements, so many bytes may be written that were only estimated. */
const MEASURE_EVERY_BYTES = 1024 * 1024;
/**
 * What records may fill of the limit; the rest is for what was written since it was measured and for compaction, which
 * writes new files before it deletes the old. Measured over an outage of 30 days (bench `bound`): at most 2.6 MB above
 * it, and twice what is there in a small database; one that an earlier version left is compacted in larger steps.
 */
const USABLE_SHARE = 0.85;
const SMALLEST_USABLE_SHARE = 0.5;
const COMPACTION_BYTES = 8 * 1024 * 1024;
/** Key, lengths, checksum in log and table. */
const OP_OVERHEAD_BYTES = 40;

export interface LevelShelfOptions {
  readonly limitBytes: number;
  readonly repair: Repair | undefined;
  /** A read found the database damaged. */
  readonly suspect: boolean;
  readonly deaths?: Deaths;
}

/** Migrations by the format that they start from; each leaves the next one. */
const migrations: Readonly<Record<number, (db: Database) => Promise<void>>> = {
  // Format 2 has a journal beside the database; where there is none, nothing is in it.
  1: (db) => db.put(formatKey, new TextEncoder().encode('2'), { sync: true }),
};

/** Opens the database, repairs it or moves it aside where it must; rejects where the disk does not let it. */
export async function openLevelShelf(path: string, files: LevelFiles, options: LevelShelfOptions): Promise<Shelf> {
  await files.prepare();
  const nowMs = process.uptime() * 1000;
  let { suspect } = options;
  for (let tries = 0; ; tries++) {
    // What another process has open is no damage while that writes, and a repair would ruin it: opening says so.
    if ((await exists(path)) && !(await files.isInUse(path))) {
      // Before LevelDB sees them, at every start and before a repair and after it.
      await files.heal(path, suspect);
      if (suspect) {
        const repaired = tries < 2 && (await files.repair(path, options.repair, nowMs));
        if (!repaired) await files.moveAside(path);
        else await files.heal(path);
      } else if (tries === 0) {
        await repairManifest(path, files, options.repair, nowMs);
        await options.deaths?.before(path, files, options.repair, nowMs);
      }
    }
    try {
      return await openOnce(path, files, options);
    } catch (error) {
      if (error instanceof PicketError) throw error;
      if (isFull(error)) await files.releaseReserve();
      if (!isDamage(error) || tries >= 3) throw error;
      suspect = true;
    }
  }
}

/** What this can't put right is opened as it is. */
async function repairManifest(
  path: string,
  files: LevelFiles,
  repair: Repair | undefined,
  nowMs: number,
): Promise<void> {
  const state = await manifestState(path);
  if (state !== 'whole' && (await files.repair(path, repair, nowMs, state === 'torn'))) await files.heal(path);
}

async function openOnce(path: string, files: LevelFiles, { limitBytes, deaths }: LevelShelfOptions): Promise<Shelf> {
  const writeBufferSize = Math.max(SMALLEST_WRITE_BUFFER_BYTES, Math.min(WRITE_BUFFER_BYTES, limitBytes / 64));
  const fresh = !(await exists(path));
  // On Node `level` is classic-level; its own types leave out what only that one does (compaction, snapshots).
  const db = new Level<Uint8Array, Uint8Array>(path, {
    ...encodings,
    writeBufferSize,
    cacheSize: CACHE_BYTES,
    blockSize: BLOCK_BYTES,
    maxOpenFiles: OPEN_FILES,
    // Summaries are packed already; and a table's index can be put right (level-tables.ts).
    compression: false,
  }) as unknown as Database;
  let layers: LevelLayers | null = null;
  try {
    await db.open();
    await checkFormat(db);
    if (fresh) await files.syncDirectories(path);
    // Rows are read now rather than later: damage in them shows while it can still be repaired.
    for (const [gte, lt] of [epochKeys, tableKeys]) {
      for await (const row of db.iterator({ gte, lt })) void row;
    }
    const journalBytes = Math.floor(Math.min(2 * CHECKPOINT_BYTES, limitBytes * JOURNAL_SHARE));
    layers = new LevelLayers(db, await openJournal(files, journalBytes), journalBytes / 2);
    await layers.recover();
    const shelf = new LevelShelf(path, layers, files, limitBytes, deaths);
    await files.refillReserve();
    await shelf.measure();
    files.opened();
    deaths?.opened();
    return shelf;
  } catch (error) {
    await (layers ?? db).close().catch(() => undefined);
    throw error;
  }
}

/** Null where the disk is too full to begin one; the next opening tries again. */
async function openJournal(files: LevelFiles, sizeBytes: number): Promise<Journal | null> {
  try {
    return await Journal.open(files.journal, sizeBytes);
  } catch (error) {
    if (isFull(error)) return null;
    throw error;
  }
}

async function checkFormat(db: Database): Promise<void> {
  const stored = await db.get(formatKey);
  if (stored === undefined) {
    await db.put(formatKey, new TextEncoder().encode(String(FORMAT)), { sync: true });
    return;
  }
  let format = Number(new TextDecoder().decode(stored));
  if (format > FORMAT) {
    const problem = `outbox: the database at ${db.location} has format ${format}, this version knows ${FORMAT}`;
    throw new PicketError('store.newer_format', problem, { format, known: FORMAT });
  }
  for (; format < FORMAT; format++) await migrations[format]?.(db);
}

class LevelShelf implements Shelf {
  readonly usableShare: number;
  readonly #path: string;
  readonly #layers: LevelLayers;
  readonly #files: LevelFiles;
  readonly #deaths: Deaths | undefined;
  #measuredBytes = 0;
  #writtenBytes = 0;
  #measuring = false;

  constructor(path: string, layers: LevelLayers, files: LevelFiles, limitBytes: number, deaths: Deaths | undefined) {
    this.#path = path;
    const free = 1 - COMPACTION_BYTES / limitBytes;
    this.usableShare = Math.max(SMALLEST_USABLE_SHARE, Math.min(USABLE_SHARE, free));
    this.#layers = layers;
    this.#files = files;
    this.#deaths = deaths;
  }

  async write(ops: readonly Op[]): Promise<void> {
    await this.#releasing(() => this.#layers.write(ops));
    for (const op of ops) {
      this.#writtenBytes += OP_OVERHEAD_BYTES + op.key.length + (op.type === 'put' ? op.value.length : 0);
    }
    if (this.#writtenBytes > MEASURE_EVERY_BYTES && !this.#measuring) void this.measure().catch(() => undefined);
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#layers.get(key);
  }

  scan(from: Uint8Array, to: Uint8Array, visit: (key: Uint8Array, value: Uint8Array) => Step): Promise<void> {
    return this.#layers.scan(from, to, visit);
  }

  keys(from: Uint8Array, to: Uint8Array, max: number): Promise<readonly Uint8Array[]> {
    return this.#layers.keys(from, to, max);
  }

  sizeBytes(): number {
    return this.#measuredBytes + this.#writtenBytes;
  }

  async measure(): Promise<number> {
    this.#measuring = true;
    const writtenBefore = this.#writtenBytes;
    try {
      await this.#files.keepLogSmall(this.#path);
      this.#measuredBytes = await this.#files.measure();
      this.#writtenBytes -= writtenBefore;
    } finally {
      this.#measuring = false;
    }
    return this.sizeBytes();
  }

  compact(from: Uint8Array, to: Uint8Array): Promise<void> {
    return this.#releasing(async () => {
      await this.#layers.compact(from, to);
      // Rows are rewritten all the time: their old versions lie at the other end of the keys.
      await this.#layers.compact(firstIndexKey, endOfKeys);
    });
  }

  spare(): Promise<boolean> {
    return this.#files.spare();
  }

  isDamage(error: unknown): boolean {
    return !isTrouble(error) && !(error instanceof NotOpenedAgain);
  }

  async close(): Promise<void> {
    try {
      await this.#layers.close();
    } finally {
      await this.#deaths?.closed();
    }
  }

  /** On a full disk the reserve is given up, for the next try. */
  async #releasing(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (isFull(error)) await this.#files.releaseReserve().catch(() => undefined);
      throw error;
    }
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

/** Messages of an error and its causes: LevelDB's own is in a cause. */
function wholeMessage(error: unknown): string {
  const parts: string[] = [];
  for (let at = error, depth = 0; at !== undefined && depth < 4; depth++) {
    parts.push(messageOf(at), String((at as { code?: unknown }).code ?? ''));
    at = (at as { cause?: unknown }).cause;
  }
  return parts.join(' ');
}

function isFull(error: unknown): boolean {
  return /no space left|ENOSPC|EDQUOT|quota exceeded/i.test(wholeMessage(error));
}

/** Of the disk or the process, which pass: full, read-only, not answering, held by another, too many files open. */
function isTrouble(error: unknown): boolean {
  if (isFull(error)) return true;
  return /LEVEL_LOCKED|EACCES|permission denied|read-only|EROFS|input\/output error|EIO|too many open files|E[MN]FILE|cannot allocate|ENOMEM/i.test(
    wholeMessage(error),
  );
}

/** Damage of the database itself. */
function isDamage(error: unknown): boolean {
  if (isTrouble(error)) return false;
  return /corruption|LEVEL_CORRUPTION|invalid argument|not found|does not exist|missing files|no such file/i.test(
    wholeMessage(error),
  );
}
