/** What comes while the outbox waits for its disk: a belief that changes, more records than memory is meant for. */
import { beforeEach, expect, it } from 'vitest';
import { MemoryShelf, openMemoryOutbox } from '../../agent/outbox/memory.ts';
import type { Op, Shelf } from '../../agent/outbox/shelf.ts';
import { FlakyDisk } from './outbox.flaky.ts';
import { baseOptions, countingRandom, everything, gapsIn, ManualTime, numberOf, record } from './outbox.harness.ts';

let time: ManualTime;
let options: ReturnType<typeof baseOptions>;
beforeEach(() => {
  time = new ManualTime();
  options = baseOptions(time, countingRandom());
});

/** Does something while a read, or a write, is under way. */
class BusyShelf extends MemoryShelf {
  whileReading: () => Promise<void> = async () => {};
  whileWriting: () => Promise<void> = async () => {};

  override async scan(...args: Parameters<Shelf['scan']>): Promise<void> {
    await super.scan(...args);
    await this.whileReading();
  }

  override async write(ops: readonly Op[]): Promise<void> {
    await this.whileWriting();
    await super.write(ops);
  }
}

it('deletes nothing that is pending again since it was looked for', async () => {
  const shelf = new BusyShelf();
  const outbox = await openMemoryOutbox({ ...options, keepAcknowledgedMs: 0, shelf });
  const keys = await Promise.all([1, 2, 3].map((n) => outbox.append(record('detail', n), 'detail', { urgent: true })));
  const epoch = outbox.epoch();
  await time.until(outbox.audited());
  // A central that was restored has none of them.
  shelf.whileReading = () => outbox.adopt(epoch, []);
  await outbox.ack(epoch, [[1, keys.at(-1)!.seq]]);
  await outbox.flush();
  shelf.whileReading = async () => {};
  const entries = await everything(outbox);
  expect(entries.filter(({ recordClass }) => recordClass === 'detail').map(numberOf)).toEqual([1, 2, 3]);
  expect(gapsIn(entries)).toEqual([]);
  await outbox.close();
});

it('bounds what waits for a disk that does not answer', async () => {
  const disk = new FlakyDisk();
  const shelf = new BusyShelf();
  disk.shelf = shelf;
  const outbox = await disk.open({ ...options, ringBytes: 20_000 });
  await time.until(outbox.audited());
  let answer = (): void => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const writing = new Promise<void>((resolve) => {
    shelf.whileWriting = () => {
      resolve();
      return answered;
    };
  });
  const append = (n: number) => outbox.append(record('detail', n, 1000), 'detail');
  const first = Array.from({ length: 60 }, (_, n) => append(n));
  await writing;
  const appends = [...first, ...Array.from({ length: 940 }, (_, n) => append(60 + n))];
  const settled = Promise.allSettled(appends);
  answer();
  await outbox.flush();
  const results = await time.until(settled);
  const kept = results.flatMap(({ status }, n) => (status === 'fulfilled' ? [n] : []));
  // What was in the batch that hung, and the newest.
  expect(kept.slice(0, 50)).toEqual(Array.from({ length: 50 }, (_, n) => n));
  expect(kept.length).toBeLessThan(100 + 60);
  expect(kept.at(-1)).toBe(999);
  const entries = await everything(outbox);
  expect(entries.filter(({ recordClass }) => recordClass === 'detail').map(numberOf)).toEqual(kept);
  expect(results.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'store.failed' } });
  await outbox.close();
});
