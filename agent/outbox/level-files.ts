/** The files around the database: what they take, the reserve for a full disk, what was moved aside. */
import { copyFile, cp, mkdir, open, readdir, readFile, rename, rm, stat, statfs, truncate } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { healTables } from './level-tables.ts';
import type { Repair } from './repair.ts';

/** Databases that could not be opened, and copies from before a repair, that are kept for a person to look at. */
const ASIDE_KEPT = 2;
/** Beside twice the write buffer, what LevelDB wants for a compaction. */
const RESERVE_BYTES = 4 * 1024 * 1024;
/** The reserve is no more than this share of the limit. */
const RESERVE_SHARE = 1 / 8;
const BLOCK_BYTES = 64 * 1024;
/** Unit of a file's `blocks` (stat(2)). */
const STAT_BLOCK_BYTES = 512;
/** Of what LevelDB writes for people. */
const LOG_BYTES = 256 * 1024;

export class LevelFiles {
  readonly directory: string;
  readonly #log: Log;
  readonly #reserveBytes: number;
  #repairedAtMs: number | null = null;
  /** The tables were checked, and the database was not open since. */
  #healed = false;

  constructor(directory: string, limitBytes: number, log: Log) {
    this.directory = directory;
    this.#log = log;
    this.#reserveBytes = Math.floor(Math.min(RESERVE_BYTES + 2 * 1024 * 1024, limitBytes * RESERVE_SHARE));
  }

  /** Where the journal is. */
  get journal(): string {
    return join(this.directory, 'journal');
  }

  /** Bytes that everything here takes on disk. */
  measure(): Promise<number> {
    return bytesUnder(this.directory);
  }

  /**
   * LevelDB writes down for people what it does, and begins anew at a start only. It goes on at the place where it was,
   * so that what was there becomes a hole.
   */
  async keepLogSmall(database: string): Promise<void> {
    const path = join(database, 'LOG');
    const found = await stat(path).catch(() => null);
    if (found !== null && found.blocks * STAT_BLOCK_BYTES > LOG_BYTES) await truncate(path, 0).catch(() => undefined);
  }

  async prepare(): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
  }

  /** Makes names durable: a new directory is lost in a power cut unless its parent is synced. */
  async syncDirectories(database: string): Promise<void> {
    for (const path of [database, this.directory, dirname(this.directory)]) {
      const handle = await open(path, 'r');
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    }
  }

  /** Gives up the reserve, so that deletions and compactions pass on a full disk. */
  async releaseReserve(): Promise<void> {
    await rm(join(this.directory, 'reserve'), { force: true });
  }

  /** Takes the reserve, where there is plenty of room. Written, as a sparse file reserves nothing. */
  async refillReserve(): Promise<void> {
    const path = join(this.directory, 'reserve');
    try {
      const size = await stat(path).then(
        (found) => found.size,
        () => 0,
      );
      if (size === this.#reserveBytes) return;
      // The limit may have been another one.
      if (size > 0) await this.releaseReserve();
      const { bavail, bsize } = await statfs(this.directory);
      if (bavail * bsize < 4 * this.#reserveBytes) return;
      const handle = await open(path, 'w', 0o600);
      try {
        const block = new Uint8Array(BLOCK_BYTES);
        for (let left = this.#reserveBytes; left > 0; left -= BLOCK_BYTES) {
          await handle.write(block.subarray(0, Math.min(left, BLOCK_BYTES)));
        }
        await handle.sync();
      } finally {
        await handle.close();
      }
    } catch (error) {
      this.#log.warn({ error: messageOf(error) }, 'no reserve could be kept for a full disk');
      await this.releaseReserve().catch(() => undefined);
    }
  }

  /**
   * A repair is tried once; a database that is found damaged again soon after is moved aside.
   * @param torn there is no need of a copy
   */
  async repair(database: string, repair: Repair | undefined, nowMs: number, torn = false): Promise<boolean> {
    if (repair === undefined) return false;
    if (torn) {
      this.#log.info({}, 'the list of the tables of the outbox ends early, as after a power cut; it is made anew');
      return repair(database);
    }
    if (this.#repairedAtMs !== null && nowMs - this.#repairedAtMs < 10 * 60_000) return false;
    this.#repairedAtMs = nowMs;
    this.#log.warn({}, 'the database of the outbox is damaged; it is repaired, after a copy');
    await this.#makeRoomAside();
    await cp(database, await this.#asidePath(), { recursive: true }).catch((error: unknown) => {
      this.#log.warn({ error: messageOf(error) }, 'no copy could be kept of the damaged database');
    });
    return repair(database);
  }

  /** Another process has it open, and may be writing into its files: opening it then says so. */
  isInUse(database: string): Promise<boolean> {
    return isLocked(join(database, 'LOCK'));
  }

  /**
   * Takes damaged blocks and tables out of the database, after a copy of their files. Not where it is in use, and not
   * again while it does not open (on a full disk that is tried every few seconds).
   */
  async heal(database: string, again = true): Promise<void> {
    if ((this.#healed && !again) || (await this.isInUse(database))) return;
    let aside: string | null = null;
    const { blocks, files } = await healTables(database, async (path) => {
      if (await this.isInUse(database)) throw new Error(`another process has opened ${database} meanwhile`);
      if (aside === null) {
        await this.#makeRoomAside();
        aside = await this.#asidePath();
        await mkdir(aside, { mode: 0o700 });
      }
      await copyFile(path, join(aside, basename(path))).catch((error: unknown) => {
        this.#log.warn({ error: messageOf(error) }, 'no copy could be kept of a damaged table of the outbox');
      });
    });
    this.#healed = true;
    if (aside === null) return;
    this.#log.error(
      { blocks, files, aside },
      'tables of the outbox were damaged; it goes on without the damaged parts',
    );
  }

  /** The database is open: what it writes from now on is to be checked next time. */
  opened(): void {
    this.#healed = false;
  }

  async moveAside(database: string): Promise<void> {
    await this.#makeRoomAside();
    const aside = await this.#asidePath();
    await rename(database, aside);
    this.#log.error(
      { aside },
      'the database of the outbox could not be opened; it was moved aside and a new one begun',
    );
  }

  /** Gives up the oldest copy that lies aside; false when there is none. */
  async spare(): Promise<boolean> {
    const [oldest] = await this.#asides();
    if (oldest === undefined) return false;
    await rm(join(this.directory, oldest), { recursive: true, force: true });
    this.#log.warn({ aside: oldest }, 'a damaged database that was kept aside gave way to records');
    return true;
  }

  async #makeRoomAside(): Promise<void> {
    const asides = await this.#asides();
    for (const name of asides.slice(0, Math.max(0, asides.length - ASIDE_KEPT + 1))) {
      await rm(join(this.directory, name), { recursive: true, force: true });
    }
  }

  async #asidePath(): Promise<string> {
    const last = (await this.#asides()).at(-1);
    return join(this.directory, `aside-${last === undefined ? 1 : numberOf(last) + 1}`);
  }

  /** Oldest first. */
  async #asides(): Promise<string[]> {
    const names = await readdir(this.directory).catch(() => []);
    return names.filter((name) => /^aside-\d{1,9}$/.test(name)).sort((a, b) => numberOf(a) - numberOf(b));
  }
}

/** Whether a process holds a lock on this file, by the kernel's list (proc(5)). */
async function isLocked(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (found === null) return false;
  const major = (found.dev >>> 8) & 0xfff;
  const minor = (found.dev & 0xff) | ((found.dev >>> 12) & 0xfff00);
  const hex = (number: number): string => number.toString(16).padStart(2, '0');
  // Where it lies on no device (btrfs, overlay) the list has another number than the file.
  const place = `${major === 0 ? '' : ` ${hex(major)}:${hex(minor)}`}:${found.ino} `;
  const locks = await readFile('/proc/locks', 'latin1').catch(() => '');
  return locks.includes(place);
}

function numberOf(name: string): number {
  return Number(name.slice('aside-'.length));
}

async function bytesUnder(path: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) sum += await bytesUnder(child);
    // Files go while this counts: compaction runs beside it. What is preallocated counts as taken.
    else {
      const found = await stat(child).catch(() => null);
      if (found === null) continue;
      const onDisk = found.blocks * STAT_BLOCK_BYTES;
      sum += entry.name === 'LOG' ? onDisk : Math.max(found.size, onDisk);
    }
  }
  return sum;
}
