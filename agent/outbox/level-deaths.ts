/**
 * A database that ends the process that works on it (LevelDB aborts over what it did not expect) would end it again at
 * every start. A file lies there from before it is opened until all was quiet for a minute, or it was closed; it says how
 * many processes in a row ended in between. After some of them a child opens, reads and compacts it all first: where
 * that one dies as well, the database is repaired, and moved aside where that does not help.
 *
 * Most of those deaths are no fault of the database's (a power cut, a watchdog): the more there were, the rarer it is
 * looked at, as all of it is written anew then.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Timers } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import type { LevelFiles } from './level-files.ts';
import type { Repair } from './repair.ts';

const QUIET_MS = 60_000;
/** After so many, twice as many, four times as many, and so on. */
const FIRST_CHECK = 3;
const NAME = 'opening';

/** How often in a row a process ended soon after it opened the database of this directory. */
export class Deaths {
  readonly #path: string;
  readonly #timers: Timers;
  readonly #log: Log;
  /** Whether it is noted that this process has opened it. */
  #noted = false;
  #timer: unknown = null;

  constructor(directory: string, timers: Timers, log: Log) {
    this.#path = join(directory, NAME);
    this.#timers = timers;
    this.#log = log;
  }

  /** To be called before each opening. Puts a database right that ends whoever opens it. */
  async before(database: string, files: LevelFiles, repair: Repair | undefined, nowMs: number): Promise<void> {
    if (this.#noted) return;
    const deaths = Number(/^\d{1,6}$/.exec(await readFile(this.#path, 'latin1').catch(() => ''))?.[0] ?? 0);
    // Not synced: what ends the process leaves the kernel alone. Where it can't be written, nothing is noticed.
    await writeFile(this.#path, String(deaths + 1), { mode: 0o600 }).catch(() => undefined);
    this.#noted = true;
    if (!isDue(deaths) || repair === undefined) return;
    await files.heal(database);
    if (await repair(database, 'check')) return;
    this.#log.error({ deaths }, 'the database of the outbox ends each process that works on it; it is put right');
    const repaired = await files.repair(database, repair, nowMs);
    if (repaired) await files.heal(database);
    if (!repaired || !(await repair(database, 'check'))) await files.moveAside(database);
  }

  /** It is open: what happens from now on for a while may still be its doing. */
  opened(): void {
    this.#timer = this.#timers.after(QUIET_MS, () => {
      this.#timer = null;
      void this.#forget();
    });
  }

  /** It was closed. */
  async closed(): Promise<void> {
    if (this.#timer !== null) this.#timers.cancel(this.#timer);
    this.#timer = null;
    await this.#forget();
  }

  async #forget(): Promise<void> {
    this.#noted = false;
    await rm(this.#path, { force: true }).catch(() => undefined);
  }
}

function isDue(deaths: number): boolean {
  return deaths >= FIRST_CHECK && Number.isInteger(Math.log2(deaths / FIRST_CHECK));
}
