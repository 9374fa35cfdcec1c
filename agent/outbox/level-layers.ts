/**
 * The journal and the LevelDB database as one ordered map: a batch is durable in the journal, and readers find it in
 * the overlay; now and then (`checkpoint`) all of it goes to the database.
 *
 * A checkpoint writes so that LevelDB has nothing to merge: records, deletions of records, and rows each become tables
 * of their own. The keys of new records lie above those of all others, so that LevelDB puts their table at its lowest
 * level at once and moves it no more; the tables of rows are small. The database's own log is not synced for this: a
 * table is, and the log of what is in one is deleted before the kernel has written it.
 */
import { compareBytes } from '../../shared/series.ts';
import type { Journal } from './journal.ts';
import { afterRecordKeys, endOfKeys, firstRecordKey, journalKey } from './layout.ts';
import { type Database, LevelHandle } from './level-handle.ts';
import { type Change, lowerBound, Overlay } from './overlay.ts';
import type { Op, Step } from './shelf.ts';

const ENTRIES_PER_READ = 16;
/** Above all keys: a compaction of nothing, which writes what is in memory into a table. */
const nothing = [endOfKeys, Uint8Array.of(endOfKeys[0]!, 0)] as const;

export class LevelLayers {
  readonly #db: Database;
  readonly #handle: LevelHandle;
  /** Null where the disk has no room for one: each batch is then synced into the database. */
  readonly #journal: Journal | null;
  readonly #checkpointBytes: number;
  readonly #overlay = new Overlay();

  constructor(db: Database, journal: Journal | null, checkpointBytes: number, renewAfterBytes?: number) {
    this.#db = db;
    this.#handle = new LevelHandle(db, renewAfterBytes);
    this.#journal = journal;
    this.#checkpointBytes = checkpointBytes;
  }

  /** Takes in what the journal has and the database lacks. To be called first. */
  recover(): Promise<void> {
    return this.#handle.use(() => this.#recover());
  }

  write(ops: readonly Op[]): Promise<void> {
    return this.#handle.use(() => this.#write(ops));
  }

  async #recover(): Promise<void> {
    if (this.#journal === null) return;
    const row = await this.#db.get(journalKey);
    const generation = row?.length === 4 ? new DataView(row.buffer, row.byteOffset, 4).getUint32(0) : 0;
    for (const batch of await this.#journal.recover(generation)) this.#overlay.apply(batch);
    if (this.#overlay.bytes >= this.#checkpointBytes || this.#journal.oversized) await this.#checkpoint();
    if (this.#journal.oversized) await this.#journal.shrink();
  }

  async #write(ops: readonly Op[]): Promise<void> {
    const journal = this.#journal;
    if (journal !== null && !journal.fits(ops)) await this.#checkpoint();
    if (journal === null || !journal.fits(ops)) return await this.#db.batch([...ops], { sync: true });
    await journal.append(ops);
    this.#overlay.apply(ops);
    if (this.#overlay.bytes >= this.#checkpointBytes) await this.#checkpoint();
  }

  /** All that the journal has is in the database afterwards, and the journal begins anew. */
  async #checkpoint(): Promise<void> {
    const journal = this.#journal;
    const { changes } = this.#overlay;
    if (journal === null || changes.length === 0) return;
    const firstRecord = lowerBound(changes, firstRecordKey);
    const afterRecords = lowerBound(changes, afterRecordKeys);
    const records = changes.slice(firstRecord, afterRecords);
    const rows = [...changes.slice(0, firstRecord), ...changes.slice(afterRecords)].map(toOp);
    const generation = new Uint8Array(4);
    new DataView(generation.buffer).setUint32(0, journal.generation);
    // The rows of the checkpoint before this one.
    await this.#intoTable();
    const deletions = records.filter(({ value }) => value === null);
    for (const cluster of clustersOf(deletions)) await this.#table(cluster);
    await this.#table(records.filter(({ value }) => value !== null));
    // Fails if anything before it failed: a background error of LevelDB's shows with the next write only.
    await this.#db.batch([...rows, { type: 'put', key: journalKey, value: generation }], { sync: true });
    journal.begin(journal.generation + 1);
    this.#overlay.clear();
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const change = this.#overlay.find(key);
    if (change !== undefined) return change.value ?? undefined;
    return this.#handle.use(async (db) => {
      const value = await db.get(key, { fillCache: false });
      if (value !== undefined) this.#handle.read(value.length);
      return value;
    });
  }

  scan(from: Uint8Array, to: Uint8Array, visit: (key: Uint8Array, value: Uint8Array) => Step): Promise<void> {
    return this.#handle.use((db) => this.#scan(db, from, to, visit));
  }

  async #scan(
    db: Database,
    from: Uint8Array,
    to: Uint8Array,
    visit: (key: Uint8Array, value: Uint8Array) => Step,
  ): Promise<void> {
    // Both at once: what leaves the overlay later is in no snapshot of the database that is older.
    const changes = this.#overlay.between(from, to);
    const iterator = db.iterator({ gte: from, lt: to });
    let at = 0;
    /** Visits changes up to a key; the key to go on at, or how it ended. */
    const visitChanges = (before: Uint8Array | null): Step => {
      while (at < changes.length && (before === null || compareBytes(changes[at]!.key, before) < 0)) {
        const { key, value } = changes[at++]!;
        const step = value === null ? 'on' : visit(key, value);
        if (step === 'on') continue;
        if (step !== 'stop') at = Math.max(at, lowerBound(changes, step));
        return step;
      }
      return 'on';
    };
    const visitEntry = (key: Uint8Array, value: Uint8Array): Step => {
      const step = visitChanges(key);
      if (step !== 'on') return step;
      const change = changes[at];
      if (change === undefined || compareBytes(change.key, key) !== 0) return visit(key, value);
      at++;
      return change.value === null ? 'on' : visit(key, change.value);
    };
    try {
      for (;;) {
        const entries = await iterator.nextv(ENTRIES_PER_READ);
        if (entries.length === 0) {
          while (visitChanges(null) instanceof Uint8Array);
          return;
        }
        this.#handle.read(entries.reduce((sum, [key, value]) => sum + key.length + value.length, 0));
        for (const [key, value] of entries) {
          const step = visitEntry(key, value);
          if (step === 'stop') return;
          if (step === 'on') continue;
          at = Math.max(at, lowerBound(changes, step));
          iterator.seek(step);
          break;
        }
      }
    } finally {
      await iterator.close();
    }
  }

  keys(from: Uint8Array, to: Uint8Array, max: number): Promise<readonly Uint8Array[]> {
    return this.#handle.use((db) => this.#keys(db, from, to, max));
  }

  async #keys(db: Database, from: Uint8Array, to: Uint8Array, max: number): Promise<readonly Uint8Array[]> {
    const changes = this.#overlay.between(from, to);
    const gone = changes.reduce((sum, { value }) => sum + (value === null ? 1 : 0), 0);
    const iterator = db.keys({ gte: from, lt: to, limit: max + gone });
    let stored: readonly Uint8Array[];
    try {
      stored = await iterator.all();
    } finally {
      await iterator.close();
    }
    // Keys lie beside their values: who walks over them has read all.
    if (stored.length > 0) this.#handle.read(await db.approximateSize(stored[0]!, stored.at(-1)!));
    const out: Uint8Array[] = [];
    let at = 0;
    for (let i = 0; out.length < max && (i < stored.length || at < changes.length); ) {
      const key = stored[i];
      const change = changes[at];
      const order = key === undefined ? 1 : change === undefined ? -1 : compareBytes(key, change.key);
      if (order <= 0) i++;
      if (order >= 0) at++;
      if (order < 0) out.push(key!);
      else if (change!.value !== null) out.push(change!.key);
    }
    return out;
  }

  /** Gives back the space of what was deleted in this range. */
  compact(from: Uint8Array, to: Uint8Array): Promise<void> {
    return this.#handle.use(async (db) => {
      await this.#checkpoint();
      await this.#intoTable();
      await db.compactRange(from, to);
    });
  }

  async close(): Promise<void> {
    try {
      await this.#handle.close();
    } finally {
      await this.#journal?.close();
    }
  }

  async #table(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return;
    await this.#db.batch(changes.map(toOp));
    await this.#intoTable();
  }

  #intoTable(): Promise<void> {
    return this.#db.compactRange(nothing[0], nothing[1]);
  }
}

function toOp({ key, value }: Change): Op {
  return value === null ? { type: 'del', key } : { type: 'put', key, value };
}

/**
 * Deletions at both sides of their widest gap: where the oldest records and a GAP of late go at once, no table is to span
 * all that lies between them.
 */
function clustersOf(changes: readonly Change[]): (readonly Change[])[] {
  let widest = 0;
  let cut = 0;
  for (let i = 1; i < changes.length; i++) {
    const distance = numberOf(changes[i]!.key) - numberOf(changes[i - 1]!.key);
    if (distance > widest) [widest, cut] = [distance, i];
  }
  return cut === 0 ? [changes] : [changes.slice(0, cut), changes.slice(cut)];
}

/** A record's place as one number, for distances only. */
function numberOf(key: Uint8Array): number {
  let number = 0;
  for (const byte of key.subarray(1, 13)) number = number * 256 + byte;
  return number;
}
