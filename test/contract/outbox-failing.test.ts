/** What an outbox does while its disk fails, and when that is over. */
import { beforeEach, describe, expect, it } from 'vitest';
import { FailoverOutbox } from '../../agent/outbox/failover.ts';
import { MemoryShelf } from '../../agent/outbox/memory.ts';
import { beginning, type Outbox } from '../../agent/outbox/outbox.ts';
import { FlakyDisk } from './outbox.flaky.ts';
import {
  baseOptions,
  countingRandom,
  everything,
  gapsIn,
  ManualTime,
  named,
  numberOf,
  record,
  seqsOf,
  startsIn,
} from './outbox.harness.ts';
import { outboxSuite } from './outbox.suite.ts';

let time: ManualTime;
let disk: FlakyDisk;
let options: ReturnType<typeof baseOptions>;

beforeEach(() => {
  time = new ManualTime();
  disk = new FlakyDisk();
  options = baseOptions(time, countingRandom());
});

const put = (outbox: Outbox, number: number) => outbox.append(record('detail', number), 'detail', { urgent: true });
const numbers = async (outbox: Outbox, after = beginning) =>
  (await everything(outbox, after)).filter(({ recordClass }) => recordClass === 'detail').map(numberOf);

describe('an outbox whose disk fails', () => {
  it.each(['lost', 'landed'] as const)(
    'keeps a batch whose write failed and was %s, once, with one key',
    async (how) => {
      const outbox = await disk.open(options);
      await put(outbox, 1);
      disk.writes = how;
      const second = put(outbox, 2);
      await outbox.flush();
      expect(outbox.stats().failing?.message).toContain('No space left');
      const third = put(outbox, 3);
      expect(await everything(outbox)).toEqual([]);
      disk.writes = 'good';
      const keys = await time.until(Promise.all([second, third]));
      expect(keys.map(({ seq }) => seq)).toEqual([3, 4]);
      expect(outbox.stats().failing).toBeNull();
      expect(await numbers(outbox)).toEqual([1, 2, 3]);
      expect(disk.misused).toBe(0);
      await outbox.close();
    },
  );

  it('tries again until the disk opens, within 10 s of its working', async () => {
    disk.opens = 'bad';
    const outbox = await disk.open(options);
    const first = put(outbox, 1);
    for (let i = 0; i < 60; i++) {
      time.advance(1000);
      await outbox.flush();
    }
    disk.opens = 'good';
    const workedAtMs = time.nowMs;
    expect((await time.until(first)).seq).toBe(2);
    expect(time.nowMs - workedAtMs).toBeLessThan(10_000);
    await outbox.close();
  });

  it('bounds what waits, refusing the oldest', async () => {
    disk.opens = 'bad';
    const outbox = await disk.open({ ...options, ringBytes: 10_000 });
    const appends = Array.from({ length: 20 }, (_, i) => outbox.append(record('detail', i, 1000), 'detail'));
    const settled = Promise.allSettled(appends);
    await outbox.flush();
    disk.opens = 'good';
    const results = await time.until(settled);
    expect(results.slice(0, 11).every(({ status }) => status === 'rejected')).toBe(true);
    expect(results[0]).toMatchObject({ reason: { code: 'disk.full' } });
    expect(await numbers(outbox)).toEqual(results.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : [])));
    await outbox.close();
  });

  it('does not take a disk that does not answer for a damaged one', async () => {
    const outbox = await disk.open(options);
    await put(outbox, 1);
    await time.until(outbox.audited());
    disk.reads = 'none';
    expect(await outbox.peek('detail', beginning, 1e6)).toEqual([]);
    disk.reads = 'good';
    await time.until(put(outbox, 2));
    expect(disk.suspects).toEqual([false, false]);
    expect(await numbers(outbox)).toEqual([1, 2]);
    await outbox.close();
  });

  it('takes a damaged disk for suspect, and names all that is lost when it comes back empty', async () => {
    const outbox = await disk.open(options);
    for (let i = 1; i <= 5; i++) await put(outbox, i);
    await outbox.ack(outbox.epoch(), [[1, 2]]);
    const lost = outbox.epoch();
    disk.reads = 'bad';
    expect(await outbox.peek('detail', beginning, 1e6)).toEqual([]);
    disk.reads = 'good';
    disk.shelf = new MemoryShelf();
    expect((await time.until(put(outbox, 6))).seq).toBe(2);
    expect(disk.suspects).toEqual([false, true]);
    const entries = await everything(outbox);
    expect(named(gapsIn(entries), lost)).toEqual([[3, 6]]);
    expect(startsIn(entries)).toMatchObject([{ parent: lost, parentFinalSeq: 6, start: 2 }]);
    await outbox.close();
  });
});

describe('an outbox with another in memory', () => {
  const open = () =>
    FailoverOutbox.over({ ...options, volatileBytes: 100_000 }, (hooks) => disk.open({ ...options, ...hooks }));

  it('gives no place twice, though epochs begin with batches of which nobody knows whether they landed', async () => {
    const outbox = await open();
    await put(outbox, 1);
    disk.writes = 'lost';
    void put(outbox, 2);
    await outbox.flush();
    await put(outbox, 3);
    // Opened again, what waited begins an epoch behind that in memory; it is there, but nobody is told.
    disk.writes = 'landed';
    const batches = disk.batches;
    while (disk.batches === batches) await time.until(outbox.flush(), 500);
    await put(outbox, 4);
    disk.writes = 'good';
    while (outbox.stats().failing !== null) await time.until(outbox.flush(), 500);
    await put(outbox, 5);
    const starts = outbox.epochs().map(({ start }) => start);
    expect(starts.length).toBeGreaterThan(3);
    expect(new Set(starts).size).toBe(starts.length);
    // In the order in which it was made durable: a reader that has passed a place never misses what comes later.
    expect(await numbers(outbox)).toEqual([1, 3, 2, 4, 5]);
    expect((await everything(outbox)).length).toBe(outbox.stats().pendingRecords);
    await outbox.close();
  });

  it('shows what is made while the disk fails from a volatile epoch, and goes on behind it', async () => {
    const outbox = await open();
    await put(outbox, 1);
    const onDisk = outbox.epoch();
    disk.writes = 'lost';
    disk.opens = 'bad';
    const torn = put(outbox, 2);
    await outbox.flush();
    expect((await put(outbox, 3)).seq).toBe(2);
    const volatile = outbox.epoch();
    expect(volatile).not.toBe(onDisk);
    expect(await numbers(outbox)).toEqual([3]);
    expect(startsIn(await everything(outbox))).toMatchObject([{ epoch: volatile, parent: null, volatile: true }]);
    const seen = outbox.position();

    disk.writes = 'good';
    disk.opens = 'good';
    await time.until(torn);
    await put(outbox, 4);
    expect(await numbers(outbox)).toEqual([1, 3, 2, 4]);
    // Nothing that came later hides before a place that was sent already.
    expect(await numbers(outbox, seen)).toEqual([2, 4]);
    const starts = startsIn(await everything(outbox));
    expect(starts.map(({ start }) => start)).toEqual([...starts.map(({ start }) => start)].sort((a, b) => a - b));
    expect(starts.at(-1)).toMatchObject({ parent: onDisk, parentFinalSeq: 2, volatile: false });
    await outbox.close();
  });

  it('does so from the start when the disk does not open', async () => {
    disk.opens = 'bad';
    const outbox = await open();
    expect((await put(outbox, 1)).seq).toBe(2);
    disk.opens = 'good';
    for (let i = 0; i < 50 && outbox.stats().failing !== null; i++) {
      time.advance(500);
      await outbox.flush();
    }
    await put(outbox, 2);
    expect(await numbers(outbox)).toEqual([1, 2]);
    expect(outbox.epochs().map(({ volatile }) => volatile)).toEqual([true, false]);
    await outbox.close();
  });

  it('names what memory could not keep', async () => {
    const outbox = await open();
    disk.opens = 'bad';
    disk.writes = 'lost';
    void put(outbox, 0).catch(() => undefined);
    await outbox.flush();
    for (let i = 1; i <= 100; i++) await outbox.append(record('detail', i, 3000), 'detail', { urgent: true });
    const entries = await everything(outbox);
    const epoch = outbox.epoch();
    const gaps = gapsIn(entries);
    expect(named(gaps, epoch).length).toBeGreaterThan(0);
    const made = outbox.position().seq;
    const all = [...seqsOf(entries, epoch), ...named(gaps, epoch)].sort((a, b) => a[0] - b[0]);
    expect(all.reduce((next, [from, to]) => (from === next ? to + 1 : Number.NaN), 1)).toBe(made + 1);
    await outbox.close();
  });
});

outboxSuite('disk with memory behind it', async () => {
  const suiteTime = new ManualTime();
  const suiteDisk = new FlakyDisk();
  const base = baseOptions(suiteTime, countingRandom());
  return {
    time: suiteTime,
    boundBytes: 200_000,
    boundRecordBytes: 3000,
    open: (overrides) => {
      const all = { ...base, ...overrides, volatileBytes: 100_000 };
      return FailoverOutbox.over(all, (hooks) => suiteDisk.open({ ...all, ...hooks }));
    },
    crash: async () => suiteTime.kill(),
    dispose: async () => {},
  };
});
