/** Runs the audit after each opening of a shelf, beside everything else, and writes what follows from it. */
import type { Timers } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import { countSeqs } from '../../shared/wire/ranges.ts';
import { audit } from './audit.ts';
import type { Book } from './book.ts';
import { auditChanges } from './heal.ts';
import type { PlanInput } from './plan.ts';
import { recountTables } from './recount.ts';
import type { Shelf } from './shelf.ts';

/** Between slices of the audit, so that it takes nothing from what is urgent. */
const AUDIT_PAUSE_MS = 20;
/** After damage the records that name tables are counted anew, once for all that a reader finds bad. */
const RECOUNT_DELAY_MS = 5_000;

/** What it needs of the keeper. */
export interface Audited {
  readonly timers: Timers;
  readonly log: Log;
  /** This shelf is still the one in use. */
  current(shelf: Shelf): boolean;
  book(): Book;
  exclusive(work: () => Promise<void>): Promise<void>;
  write(batch: Partial<Pick<PlanInput, 'losses' | 'adjust'>>): Promise<void>;
  readFailed(shelf: Shelf, error: unknown): Promise<void>;
  /** There are records to show that were not shown before; a reader may be past their places. */
  changed(): void;
}

export class Auditor {
  readonly #audited: Audited;
  #recountDue = false;

  constructor(audited: Audited) {
    this.#audited = audited;
  }

  async run(shelf: Shelf): Promise<void> {
    const { timers, log, exclusive, write } = this.#audited;
    const current = (): boolean => this.#audited.current(shelf);
    const pause = async (): Promise<boolean> => {
      await new Promise<void>((resolve) => timers.after(AUDIT_PAUSE_MS, resolve));
      return current();
    };
    try {
      const findings = await audit(shelf, this.#audited.book(), pause);
      if (findings === null || !current()) return;
      await exclusive(async () => {
        if (!current()) return;
        const book = this.#audited.book();
        const changes = await auditChanges(shelf, book, findings);
        if (changes !== null) {
          const { losses, restoredRecords, indexRows } = changes;
          const lostRecords = losses.reduce((sum, { ranges }) => sum + countSeqs(ranges), 0);
          const found = { lostRecords, restoredRecords, indexRows };
          if (lostRecords > 0) log.warn(found, 'the outbox was damaged; what is missing is named by gaps');
          else log.info(found, 'an audit put the outbox right; nothing is lost');
          await write(changes);
          // Also what a row makes visible again, and the GAPs: nobody appended anything that a reader was told of.
          this.#audited.changed();
        }
        if (changes !== null || findings.overcounted || book.damagedRows > 0) await this.#recount(shelf);
      });
    } catch (error) {
      await this.#audited.readFailed(shelf, error);
    }
  }

  /** A reader found damage: what the counts of the tables say may be wrong. */
  recountSoon(shelf: Shelf): void {
    if (this.#recountDue) return;
    this.#recountDue = true;
    this.#audited.timers.after(RECOUNT_DELAY_MS, () => {
      this.#recountDue = false;
      void this.#audited.exclusive(async () => {
        if (this.#audited.current(shelf)) await this.#recount(shelf);
      });
    });
  }

  async #recount(shelf: Shelf): Promise<void> {
    const adjust = await recountTables(shelf, this.#audited.book());
    if (adjust !== null) await this.#audited.write({ adjust });
  }
}
