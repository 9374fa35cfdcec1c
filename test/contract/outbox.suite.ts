/** What every outbox must do, run on each of them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { beginning, type Outbox } from '../../agent/outbox/outbox.ts';
import { readFrame } from '../../shared/wire/frame.ts';
import { unite } from '../../shared/wire/ranges.ts';
import { everything, gapsIn, named, numberOf, type OutboxHarness, record, seqsOf, startsIn } from './outbox.harness.ts';

const tableHash = 'ab'.repeat(8);

export function outboxSuite(name: string, make: () => Promise<OutboxHarness>): void {
  describe(`outbox contract: ${name}`, { timeout: 30_000 }, () => {
    let harness: OutboxHarness;
    let outbox: Outbox;

    beforeEach(async () => {
      harness = await make();
      outbox = await harness.open();
    });
    afterEach(async () => {
      await outbox.close();
      await harness.dispose();
    });

    /** Appends urgently, so that it is durable when this resolves. */
    const put = (number: number, recordClass: 'detail' | 'rollup' | 'incident' = 'detail', sizeBytes = 40) =>
      outbox.append(record(recordClass, number, sizeBytes), recordClass, { urgent: true });

    it('counts seqs from 1 without holes, the first being its own EPOCH record', async () => {
      const epoch = outbox.epoch();
      expect(await put(10)).toEqual({ epoch, seq: 2 });
      expect(await put(11)).toEqual({ epoch, seq: 3 });
      const entries = await everything(outbox);
      expect(entries.map(({ seq }) => seq)).toEqual([1, 2, 3]);
      expect(startsIn(entries)).toEqual([
        { epoch: outbox.epoch(), parent: null, parentFinalSeq: 0, start: 1, volatile: false },
      ]);
      expect(outbox.held(outbox.epoch())).toEqual([[1, 3]]);
    });

    it('frames what it was given, byte for byte', async () => {
      const bytes = record('detail', 5, 3000);
      await outbox.append(bytes, 'detail', { urgent: true });
      const [entry] = await outbox.peek('detail', beginning, 1);
      expect(Buffer.from(readFrame(entry!.epoch, entry!.frame).record)).toEqual(Buffer.from(bytes));
    });

    it('says each record its own key, where another epoch begins while it is written', async () => {
      await put(10);
      const keys = [11, 12, 13].map((number) => {
        const appended = put(number);
        outbox.renewEpoch();
        return appended;
      });
      const places = new Map((await Promise.all(keys)).map(({ epoch, seq }, i) => [`${epoch}/${seq}`, 11 + i]));
      expect(places.size).toBe(3);
      const found = (await everything(outbox)).filter(({ recordClass }) => recordClass === 'detail').slice(1);
      expect(found.map((entry) => [places.get(`${entry.epoch}/${entry.seq}`), numberOf(entry)])).toEqual([
        [11, 11],
        [12, 12],
        [13, 13],
      ]);
    });

    it('shows nothing before it is durable, and commits after the interval', async () => {
      let seq = 0;
      const appended = outbox.append(record('detail', 1), 'detail').then((key) => {
        seq = key.seq;
      });
      expect(await everything(outbox)).toEqual([]);
      harness.time.advance(4999);
      expect(await everything(outbox)).toEqual([]);
      harness.time.advance(1);
      await appended;
      expect(seq).toBe(2);
      expect((await everything(outbox)).map(({ seq: shown }) => shown)).toEqual([1, 2]);
    });

    it('commits at once when enough bytes wait', async () => {
      const appends = Array.from({ length: 8 }, (_, i) => outbox.append(record('detail', i, 9000), 'detail'));
      expect((await Promise.all(appends)).map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    });

    it('shows each class apart, in order, after a cursor, and no more bytes than asked for but at least one', async () => {
      await put(1);
      await put(2, 'incident');
      await put(3);
      await put(4, 'rollup');
      await put(5, 'incident');
      const numbers = async (recordClass: 'detail' | 'incident' | 'rollup', after = beginning, maxBytes = 1e6) =>
        (await outbox.peek(recordClass, after, maxBytes)).map(numberOf);
      expect(await numbers('detail')).toEqual([1, 3]);
      expect(await numbers('incident')).toEqual([2, 5]);
      expect(await numbers('rollup')).toEqual([4]);
      expect(await numbers('detail', beginning, 1)).toEqual([1]);
      const [first] = await outbox.peek('incident', beginning, 1);
      expect(await numbers('incident', first!.cursor)).toEqual([5]);
    });

    it('has a position after which everything is newer', async () => {
      await put(1);
      const position = outbox.position();
      expect(await outbox.peek('detail', position, 1e6)).toEqual([]);
      await put(2);
      expect((await outbox.peek('detail', position, 1e6)).map(numberOf)).toEqual([2]);
    });

    it('shows what is acknowledged no more, but holds it', async () => {
      for (let i = 1; i <= 4; i++) await put(i);
      await outbox.ack(outbox.epoch(), [
        [1, 2],
        [4, 4],
      ]);
      expect((await everything(outbox)).map(({ seq }) => seq)).toEqual([3, 5]);
      expect(outbox.held(outbox.epoch())).toEqual([[1, 5]]);
      expect(outbox.epochs()[0]!.settled).toEqual([
        [1, 2],
        [4, 4],
      ]);
    });

    it('replaces its belief when it adopts another, and forgets it when told to', async () => {
      for (let i = 1; i <= 4; i++) await put(i);
      await outbox.ack(outbox.epoch(), [[1, 5]]);
      expect(await everything(outbox)).toEqual([]);
      await outbox.adopt(outbox.epoch(), [[1, 3]]);
      expect((await everything(outbox)).map(({ seq }) => seq)).toEqual([4, 5]);
      await outbox.forgetSettled();
      expect((await everything(outbox)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    });

    it('ignores acknowledgements of what it never made', async () => {
      await put(1);
      await outbox.ack('00'.repeat(16), [[1, 9]]);
      await outbox.ack(outbox.epoch(), [[1, 99]]);
      expect((await put(2)).seq).toBe(3);
      expect((await everything(outbox)).map(({ seq }) => seq)).toEqual([3]);
    });

    it('sets a refused record aside with a gap', async () => {
      for (let i = 1; i <= 3; i++) await put(i);
      await outbox.refuse(outbox.epoch(), 3);
      const entries = await everything(outbox);
      expect(entries.map(({ seq }) => seq)).toEqual([1, 2, 4, 5]);
      expect(gapsIn(entries)).toMatchObject([{ epoch: outbox.epoch(), ranges: [[3, 3]], cause: 'refused' }]);
      expect(outbox.stats()).toMatchObject({ lostRecords: 1, gapRecords: 1 });
    });

    it('finds a table by its hash', async () => {
      expect(await outbox.table(tableHash)).toBeNull();
      await outbox.append(record('table', 77), 'table', { urgent: true, table: tableHash });
      expect(numberOf((await outbox.table(tableHash))!)).toBe(77);
    });

    it('begins a new epoch when told to, which names its parent', async () => {
      const first = outbox.epoch();
      await put(1);
      outbox.renewEpoch();
      expect((await put(2)).seq).toBe(2);
      const second = outbox.epoch();
      expect(second).not.toBe(first);
      expect(startsIn(await everything(outbox))).toEqual([
        { epoch: first, parent: null, parentFinalSeq: 0, start: 1, volatile: false },
        { epoch: second, parent: first, parentFinalSeq: 2, start: 2, volatile: false },
      ]);
      expect(outbox.epochs().map(({ epoch, start, highestSeq }) => [epoch, start, highestSeq])).toEqual([
        [first, 1, 2],
        [second, 2, 2],
      ]);
    });

    it('refuses a record that is too large, and goes on', async () => {
      await expect(outbox.append(new Uint8Array(48 * 1024 + 1), 'detail')).rejects.toMatchObject({
        code: 'payload.too_large',
      });
      expect((await put(1)).seq).toBe(2);
    });

    it('keeps small values', async () => {
      expect(await outbox.getMeta('incarnation')).toBeNull();
      const stored = outbox.setMeta('incarnation', Uint8Array.of(1, 2, 3));
      expect(Array.from((await outbox.getMeta('incarnation'))!)).toEqual([1, 2, 3]);
      await outbox.flush();
      await stored;
      expect(Array.from((await outbox.getMeta('incarnation'))!)).toEqual([1, 2, 3]);
    });

    describe('after a kill', () => {
      it('has everything that was durable, in a new epoch that names its parent', async () => {
        for (let i = 1; i <= 3; i++) await put(i);
        await outbox.ack(outbox.epoch(), [[1, 2]]);
        const kept = outbox.setMeta('floor', Uint8Array.of(9));
        await put(4);
        await kept;
        const first = outbox.epoch();
        void outbox.append(record('detail', 5), 'detail').catch(() => {});
        await harness.crash(outbox);
        outbox = await harness.open();
        expect((await everything(outbox)).map(({ seq }) => seq)).toEqual([3, 4, 5]);
        expect((await put(6)).seq).toBe(2);
        expect(startsIn(await everything(outbox))).toMatchObject([{ parent: first, parentFinalSeq: 5, start: 2 }]);
        expect(Array.from((await outbox.getMeta('floor'))!)).toEqual([9]);
      });

      it('makes no epoch of a start without a record', async () => {
        await put(1);
        for (let i = 0; i < 3; i++) {
          await harness.crash(outbox);
          outbox = await harness.open();
        }
        await put(2);
        expect(outbox.epochs().map(({ start }) => start)).toEqual([1, 2]);
      });
    });

    describe('with a bound', () => {
      let sizeBytes: number;

      beforeEach(async () => {
        await outbox.close();
        sizeBytes = harness.boundRecordBytes;
        outbox = await harness.open({ limitBytes: harness.boundBytes });
      });

      it('lets detail go first and names it in a gap: what is held and what is lost is all that was made', async () => {
        await put(-1, 'incident', 2000);
        await put(-2, 'rollup', 2000);
        for (let i = 0; i < 150; i++) await put(i, 'detail', sizeBytes);
        const entries = await everything(outbox);
        const epoch = outbox.epoch();
        const made = outbox.position().seq;
        const gaps = gapsIn(entries);
        expect(gaps.length).toBeGreaterThan(0);
        expect(gaps.every(({ cause, fromWallMs, toWallMs }) => cause === 'overflow' && fromWallMs <= toWallMs)).toBe(
          true,
        );
        expect(unite(seqsOf(entries, epoch), named(gaps, epoch))).toEqual([[1, made]]);
        expect(entries.filter(({ recordClass }) => recordClass !== 'control').map(numberOf)).toEqual(
          expect.arrayContaining([-1, -2, 149]),
        );
        expect(outbox.stats().lostRecords).toBe(named(gaps, epoch).reduce((sum, [from, to]) => sum + to - from + 1, 0));
      });

      it('merges gaps that lie beside each other', async () => {
        for (let i = 0; i < 200; i++) await put(i, 'detail', sizeBytes);
        expect(gapsIn(await everything(outbox)).length).toBe(1);
      });

      it('lets acknowledged records go first, without a trace', async () => {
        for (let i = 0; i < 150; i++) {
          const { epoch, seq } = await put(i, 'detail', sizeBytes);
          await outbox.ack(epoch, [[1, seq]]);
        }
        expect(outbox.stats()).toMatchObject({ lostRecords: 0, gapRecords: 0 });
        expect((await put(150)).seq).toBe(152);
        expect(outbox.held(outbox.epoch()).at(-1)![1]).toBe(152);
      });

      it('keeps a table while a record names it', async () => {
        await outbox.append(record('table', 1, sizeBytes), 'table', { urgent: true, table: tableHash });
        await outbox.append(record('rollup', 2), 'rollup', { urgent: true, table: tableHash });
        await outbox.ack(outbox.epoch(), [[2, 2]]);
        for (let i = 0; i < 8; i++) {
          const table = `${i}`.repeat(16);
          await outbox.append(record('table', 10 + i, sizeBytes), 'table', { urgent: true, table });
        }
        for (let i = 0; i < 150; i++) await put(i, 'detail', sizeBytes);
        expect(numberOf((await outbox.table(tableHash))!)).toBe(1);
        expect(await outbox.table('0'.repeat(16))).toBeNull();
      });

      it('drops detail on arrival rather than incidents that are there', async () => {
        let incidents = 0;
        while (outbox.stats().lostRecords === 0) await put(incidents++, 'incident', sizeBytes);
        const before = (await outbox.peek('incident', beginning, 1e6)).length;
        for (let i = 0; i < 30; i++) await put(1000 + i, 'detail', sizeBytes);
        // On a disk the room itself moves a little with each compaction.
        expect((await outbox.peek('incident', beginning, 1e6)).length).toBeGreaterThanOrEqual(Math.floor(0.9 * before));
        const entries = await everything(outbox);
        const epoch = outbox.epoch();
        expect(unite(seqsOf(entries, epoch), named(gapsIn(entries), epoch))).toEqual([[1, outbox.position().seq]]);
      });

      it('trims what has been acknowledged for long enough', async () => {
        for (let i = 0; i < 10; i++) await put(i, 'detail', sizeBytes);
        await outbox.ack(outbox.epoch(), [[1, 11]]);
        // Its age counts in sixteenths of the time that it is kept.
        harness.time.advance(300_000);
        await put(10);
        harness.time.advance(3_000_000);
        await put(11);
        expect(outbox.held(outbox.epoch())).toEqual([[1, 13]]);
        harness.time.advance(700_000);
        await put(12);
        expect(outbox.held(outbox.epoch())).toEqual([
          [1, 1],
          [12, 14],
        ]);
        expect(outbox.stats().lostRecords).toBe(0);
      });
    });
  });
}
