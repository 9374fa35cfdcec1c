/**
 * The handle of a LevelDB database that reads much, once.
 *
 * LevelDB maps every table that it reads and keeps the last 64 of them mapped whatever `maxOpenFiles` says
 * (leveldb 1.20, db/db_impl.cc: SanitizeOptions; util/env_posix.cc: NewRandomAccessFile), so that a backlog that is
 * drained lies in the process's memory, where the limits of a service count it. What is read is sent and not read
 * again: after so many bytes the database is closed and opened, which lets go of all that is mapped.
 *
 * Everything that uses the database passes through `use`, never within another `use`. If it can't be opened again, each
 * use fails with `NotOpenedAgain`, and the owner opens the whole shelf anew with all its checks.
 */
import type { ClassicLevel } from 'classic-level';
import { messageOf } from '../../shared/errors.ts';

export type Database = ClassicLevel<Uint8Array, Uint8Array>;

/** Opening costs some ten milliseconds and a few blocks of the disk: seldom enough, and little enough memory. */
const READ_BYTES = 4 * 1024 * 1024;

/** What the kernel maps at once where a page of a file is touched that it has (mm/memory.c: fault_around_bytes). */
const FAULT_AROUND_BYTES = 64 * 1024;

/** No word on the state of the database: what is wrong shows when it is opened with all checks. */
export class NotOpenedAgain extends Error {
  constructor(cause: unknown) {
    super(`the database of the outbox could not be opened again: ${messageOf(cause)}`, { cause });
  }
}

export class LevelHandle {
  readonly #db: Database;
  readonly #renewAfterBytes: number;
  #users = 0;
  #readBytes = 0;
  /** While somebody waits for the last user to end, and until it is open again. */
  #renewing: Promise<void> | null = null;
  #idle: (() => void) | null = null;
  #closed = false;
  #failed: NotOpenedAgain | null = null;

  constructor(db: Database, renewAfterBytes = READ_BYTES) {
    this.#db = db;
    this.#renewAfterBytes = renewAfterBytes;
  }

  /** Runs `work` with the open database, after a renewal that is due. */
  async use<T>(work: (db: Database) => Promise<T>): Promise<T> {
    while (this.#renewing !== null) await this.#renewing;
    if (this.#readBytes >= this.#renewAfterBytes && !this.#closed) {
      this.#renewing = this.#renew();
      await this.#renewing;
    }
    if (this.#failed !== null) throw this.#failed;
    this.#users++;
    try {
      return await work(this.#db);
    } finally {
      this.#users--;
      if (this.#users === 0) this.#idle?.();
    }
  }

  /** Counts what was read of tables at one place: so many bytes, and what the kernel maps around them. */
  read(bytes: number): void {
    this.#readBytes += bytes + FAULT_AROUND_BYTES;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#renewing;
    await this.#db.close();
  }

  /** Never rejects: what can't be opened shows at its next use. */
  async #renew(): Promise<void> {
    try {
      if (this.#users > 0) {
        await new Promise<void>((resolve) => {
          this.#idle = resolve;
        });
        this.#idle = null;
      }
      this.#readBytes = 0;
      if (this.#closed) return;
      await this.#db.close();
      await this.#db.open();
    } catch (error) {
      this.#failed = new NotOpenedAgain(error);
    } finally {
      this.#renewing = null;
    }
  }
}
