/**
 * The outbox that goes on while the disk does not: appends go to the disk's, and while that fails to a bounded one in
 * memory whose epochs are marked volatile. What can't be kept there is named by its gaps, and a volatile record has
 * one key for ever, so that it is never written to the disk under another.
 *
 * Order: a volatile epoch comes after all that was on the disk when it failed, and what the disk takes afterwards comes
 * in an epoch after that. A batch of which it is not known whether it landed waits for the disk.
 */
import type { SeqRanges } from '../../shared/wire/ranges.ts';
import { type LevelOptions, openLevelOutbox } from './level.ts';
import { openMemoryOutbox } from './memory.ts';
import type { OutboxOptions, QueueOptions } from './options.ts';
import type {
  AppendOptions,
  Cursor,
  Entry,
  EpochState,
  Outbox,
  OutboxStats,
  RecordClass,
  RecordKey,
} from './outbox.ts';
import type { Waiting } from './plan.ts';
import type { QueueOutbox } from './queue.ts';

/** Above every place in a chain that a disk ever counts to: where it stands is not known while it does not open. */
const UNKNOWN_CHAIN = 2 ** 31;

export interface FailoverOptions extends Omit<LevelOptions, 'onFailing'> {
  /** Bound of what is kept in memory while the disk fails. */
  readonly volatileBytes: number;
}

export class FailoverOutbox implements Outbox {
  readonly #disk: QueueOutbox;
  readonly #memory: QueueOutbox;

  private constructor(disk: QueueOutbox, memory: QueueOutbox) {
    this.#disk = disk;
    this.#memory = memory;
  }

  /**
   * Opens both; with a failing disk it opens too. Throws `store.newer_format`.
   * `onWorking` is called when there is more to show than before, and nobody appended it: the disk works again, an
   * audit found records, something that is lost was named.
   */
  static open(options: FailoverOptions): Promise<FailoverOutbox> {
    return FailoverOutbox.over(options, (hooks) => openLevelOutbox({ ...options, ...hooks }));
  }

  /** The same over any outbox that tells when it fails. */
  static async over(
    options: OutboxOptions & Pick<FailoverOptions, 'volatileBytes' | 'onWorking'>,
    openDisk: (hooks: Required<Pick<QueueOptions, 'onFailing' | 'onWorking' | 'onGap'>>) => Promise<QueueOutbox>,
  ): Promise<FailoverOutbox> {
    // Nobody is told of a GAP by an append; one in memory may even lie before what the disk has taken since.
    const onGap = (): void => options.onWorking?.();
    const memory = await openMemoryOutbox({ ...options, limitBytes: options.volatileBytes, onGap, volatile: true });
    let disk: QueueOutbox | null = null;
    const switchOver = (): void => {
      const unknown = disk?.opened !== true;
      const last = disk?.lastStart() ?? 0;
      const after = unknown ? Math.max(UNKNOWN_CHAIN, Math.floor(options.wall().wallMs), last) : last;
      if (memory.position().start <= after) memory.renewEpoch(after);
      disk?.renewEpoch(memory.nextStart());
    };
    const onFailing = (waiting: readonly Waiting[]): boolean => {
      switchOver();
      for (const item of waiting) memory.take(item, false);
      return true;
    };
    // What still waits in memory comes before all that the disk takes from now on: it is there before anybody looks.
    const onWorking = (): void => void memory.flush().then(options.onWorking);
    disk = await openDisk({ onFailing, onWorking, onGap });
    if (disk.failing) switchOver();
    return new FailoverOutbox(disk, memory);
  }

  append(record: Uint8Array, recordClass: RecordClass, options: AppendOptions = {}): Promise<RecordKey> {
    // Whichever takes the records that name it can send it ahead of them.
    if (recordClass === 'table' && options.table !== undefined) {
      for (const outbox of [this.#disk, this.#memory]) outbox.know(options.table, record);
    }
    return this.#active.append(record, recordClass, options);
  }

  async flush(): Promise<void> {
    await Promise.all([this.#disk.flush(), this.#memory.flush()]);
  }

  epoch(): string {
    return this.#active.epoch();
  }

  position(): Cursor {
    const disk = this.#disk.position();
    const memory = this.#memory.position();
    return memory.start > disk.start ? memory : disk;
  }

  async peek(recordClass: RecordClass, after: Cursor, maxBytes: number): Promise<readonly Entry[]> {
    const [disk, memory] = await Promise.all([
      this.#disk.peek(recordClass, after, maxBytes),
      this.#memory.peek(recordClass, after, maxBytes),
    ]);
    const [firstOfDisk, firstOfMemory] = [disk[0], memory[0]];
    if (firstOfDisk === undefined) return memory;
    if (firstOfMemory === undefined) return disk;
    // Epochs of the two never share a place, so that the earlier one's run up to the other is in order.
    const diskFirst = firstOfDisk.cursor.start < firstOfMemory.cursor.start;
    const [run, limit] = diskFirst ? [disk, firstOfMemory] : [memory, firstOfDisk];
    return run.filter(({ cursor }) => cursor.start < limit.cursor.start);
  }

  epochs(): readonly EpochState[] {
    return [...this.#disk.epochs(), ...this.#memory.epochs()].sort((a, b) => a.start - b.start);
  }

  held(epoch: string): SeqRanges {
    const held = this.#disk.held(epoch);
    return held.length > 0 ? held : this.#memory.held(epoch);
  }

  async ack(epoch: string, ranges: SeqRanges): Promise<void> {
    await Promise.all([this.#disk.ack(epoch, ranges), this.#memory.ack(epoch, ranges)]);
  }

  async adopt(epoch: string, settled: SeqRanges): Promise<void> {
    await Promise.all([this.#disk.adopt(epoch, settled), this.#memory.adopt(epoch, settled)]);
  }

  async forgetSettled(): Promise<void> {
    await Promise.all([this.#disk.forgetSettled(), this.#memory.forgetSettled()]);
  }

  async table(hash: string): Promise<Entry | null> {
    return (await this.#active.table(hash)) ?? (await this.#disk.table(hash)) ?? this.#memory.table(hash);
  }

  async refuse(epoch: string, seq: number): Promise<void> {
    await Promise.all([this.#disk.refuse(epoch, seq), this.#memory.refuse(epoch, seq)]);
  }

  renewEpoch(): void {
    this.#active.renewEpoch();
  }

  async getMeta(key: string): Promise<Uint8Array | null> {
    return (await this.#disk.getMeta(key)) ?? this.#memory.getMeta(key);
  }

  /** While the disk fails it resolves when the value is in memory, and the disk gets it when it works again. */
  async setMeta(key: string, value: Uint8Array): Promise<void> {
    const stored = this.#disk.setMeta(key, value);
    if (this.#diskWorks) await stored;
    else await this.#memory.setMeta(key, value);
  }

  stats(): OutboxStats {
    const disk = this.#disk.stats();
    const memory = this.#memory.stats();
    return {
      ...disk,
      pendingRecords: disk.pendingRecords + memory.pendingRecords,
      pendingBytes: disk.pendingBytes + memory.pendingBytes,
      gapRecords: disk.gapRecords + memory.gapRecords,
      lostRecords: disk.lostRecords + memory.lostRecords,
    };
  }

  audited(): Promise<void> {
    return this.#disk.audited();
  }

  async close(): Promise<void> {
    await this.#disk.close();
    await this.#memory.close();
  }

  get #diskWorks(): boolean {
    return !this.#disk.failing;
  }

  get #active(): QueueOutbox {
    return this.#diskWorks ? this.#disk : this.#memory;
  }
}
