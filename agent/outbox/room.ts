/** Makes room before a batch is written, in the declared order; what finds none is dropped on arrival, and named. */
import type { Book, EpochEntry, Victim } from './book.ts';
import type { Waiting } from './plan.ts';
import { gatherPending, gatherSettled } from './reclaim.ts';
import type { Shelf } from './shelf.ts';

/** Space is freed in steps of this share of the limit, so that it is not asked for with every commit. */
const STEP_SHARE = 1 / 16;
/** Key, prefix, frame header, rows: what a record takes beside itself, about. */
const RECORD_OVERHEAD_BYTES = 120;
/** A shelf that frees nothing however much is deleted must not cost everything that is held. */
const STEPS = 24;

export interface Room {
  readonly shelf: Shelf;
  readonly book: Book;
  readonly limitBytes: number;
  readonly recentTables: ReadonlySet<string>;
  /** Deletes in a batch of its own, with a GAP for what is not settled. */
  remove(victims: readonly Victim[], lost: boolean): Promise<void>;
  /** Gives back the space of what was deleted; false when nothing was. */
  collectGarbage(): Promise<boolean>;
}

export function sizeOf(item: Waiting): number {
  return item.record.length + RECORD_OVERHEAD_BYTES;
}

/** @returns the items for which there is no room */
export async function makeRoom(room: Room, items: readonly Waiting[]): Promise<ReadonlySet<Waiting>> {
  const { shelf, book } = room;
  const dropped = new Set<Waiting>();
  const usable = room.limitBytes * shelf.usableShare;
  let arriving = items.reduce((sum, item) => sum + sizeOf(item), 0);
  const missing = (): number => shelf.sizeBytes() + arriving - usable;
  if (missing() <= 0) return dropped;
  await shelf.measure();
  if (missing() > 0 && (await room.collectGarbage())) await shelf.measure();
  while (missing() > 0 && (await shelf.spare())) await shelf.measure();

  let steps = STEPS;
  const release = async (
    gather: (wantedBytes: number) => Promise<{ readonly victims: readonly Victim[] }>,
    lost: boolean,
  ): Promise<void> => {
    while (missing() > 0 && steps-- > 0) {
      const { victims } = await gather(Math.max(missing(), room.limitBytes * STEP_SHARE));
      if (victims.length === 0) return;
      await room.remove(victims, lost);
      await room.collectGarbage();
      await shelf.measure();
    }
  };
  const settledOf = (entry: EpochEntry) => entry.settled;
  await release((bytes) => gatherSettled(shelf, book, settledOf, room.recentTables, bytes), false);
  for (const recordClass of ['detail', 'rollup', 'incident'] as const) {
    await release((bytes) => gatherPending(shelf, book, recordClass, room.recentTables, bytes), true);
    for (const item of items) {
      if (missing() <= 0) return dropped;
      if (item.recordClass !== recordClass) continue;
      dropped.add(item);
      arriving -= sizeOf(item);
    }
  }
  return dropped;
}
