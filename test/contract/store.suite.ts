/** What every store must do; run on each by `store.test.ts`. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { INCIDENT_NEWS, type IncidentNews } from '../../central/store/incident-news.ts';
import type { Batch, IncomingRecord, Store } from '../../central/store/store.ts';
import { sha256Hex } from '../../shared/trust/hash.ts';
import {
  always,
  batch,
  coMoments,
  DAY,
  epochA,
  epochB,
  epochC,
  event,
  HOUR,
  heat,
  incident,
  load,
  MINUTE,
  momentsOf,
  never,
  rare,
  record,
  summary,
  T0,
  table,
  tableHash,
} from './store.fixture.ts';

export interface StoreHarness {
  open(options?: { minutesMs?: number; beforeWrite?: () => void }): Promise<Store>;
  /** Closes and opens again what is on the disk; the same store where there is none. */
  reopen(store: Store): Promise<Store>;
  dispose(): Promise<void>;
}

export function storeSuite(name: string, makeHarness: () => Promise<StoreHarness>): void {
  // Generous: other tests share the machine, and a store syncs.
  describe(name, { timeout: 60_000 }, () => {
    let harness: StoreHarness;
    let store: Store;

    beforeEach(async () => {
      harness = await makeHarness();
      store = await harness.open();
    });
    afterEach(async () => {
      await store.close();
      await harness.dispose();
    });

    async function column(
      id: string,
      field: 'mean' | 'count' | 'timesMs' | 'last' | 'min' | 'max',
      resolution: 'minute' | 'hour' | 'day' = 'minute',
      range = always,
    ): Promise<number[]> {
      const [columns] = await store.query('m1', [id], range, resolution);
      return [...columns![field]];
    }

    async function ledgerOf(epoch: string) {
      return (await store.ledger('m1')).find((row) => row.epoch === epoch)!;
    }

    describe('commit', () => {
      test('stores what is new and says what is settled', async () => {
        const result = await store.commit(batch([table(1), summary(2, T0 + MINUTE, [[1], [2]])]));
        expect(result).toEqual({ settled: [[1, 2]], stored: 2, duplicates: 0, conflicts: [], needTables: [] });
        expect(await store.settled('m1', epochA)).toEqual([[1, 2]]);
        expect(await column(load.id, 'mean')).toEqual([1]);
        expect(await column(heat.id, 'timesMs')).toEqual([T0 + MINUTE]);
      });

      test('nothing is settled of an agent or an epoch that it never heard of', async () => {
        expect(await store.settled('m1', epochA)).toEqual([]);
        await store.commit(batch([table(1)]));
        expect(await store.settled('m1', epochB)).toEqual([]);
        expect(await store.settled('m2', epochA)).toEqual([]);
        expect(await store.ledger('m2')).toEqual([]);
        expect(await store.latest('m2')).toEqual([]);
      });

      test('takes a duplicate as one, again and within a batch', async () => {
        const records = [table(1), summary(2, T0 + MINUTE, [[1], [2]])];
        await store.commit(batch(records));
        const again = await store.commit(
          batch([...records, summary(3, T0 + 2 * MINUTE, [[3], [4]]), summary(3, T0 + 2 * MINUTE, [[3], [4]])]),
        );
        expect(again).toMatchObject({ settled: [[1, 3]], stored: 1, duplicates: 3, conflicts: [] });
        expect(await column(load.id, 'mean')).toEqual([1, 3]);
        expect((await ledgerOf(epochA)).duplicates).toBe(3);
      });

      test('batches that are handed over at once are all stored, each once', async () => {
        await store.commit(batch([table(1)]));
        const batches = Array.from({ length: 40 }, (_, i) =>
          batch([summary(2 + (i % 20), T0 + (1 + (i % 20)) * MINUTE, [[i % 20], [0]])], { highestSeq: 21 }),
        );
        const results = await Promise.all(batches.map((one) => store.commit(one)));
        expect(results.reduce((sum, { stored }) => sum + stored, 0)).toBe(20);
        expect(results.reduce((sum, { duplicates }) => sum + duplicates, 0)).toBe(20);
        expect(await column(load.id, 'mean')).toEqual(Array.from({ length: 20 }, (_, i) => i));
        expect(await store.settled('m1', epochA)).toEqual([[1, 21]]);
      });

      test('a batch that is handed over just as another was answered is stored too', async () => {
        await store.commit(batch([table(1)]));
        for (let turns = 0; turns < 20; turns++) {
          await store.commit(batch([summary(2 + 2 * turns, T0 + (1 + turns) * MINUTE, [[turns], [0]])]));
          // The next one comes some turns of the microtask queue after the answer.
          for (let turn = 0; turn < turns; turn++) await null;
          await store.commit(batch([summary(3 + 2 * turns, T0 + (1 + turns) * MINUTE, [[], [1]])]));
        }
        expect(await store.settled('m1', epochA)).toEqual([[1, 41]]);
      });

      test('one key with two CRCs: the second is quarantined and the first stays', async () => {
        await store.commit(batch([table(1), summary(2, T0 + MINUTE, [[1], [2]])]));
        const other = { ...summary(2, T0 + MINUTE, [[9], [9]]), crc: 12345, record: Uint8Array.of(9, 9) };
        const result = await store.commit(batch([other]));
        expect(result).toMatchObject({ settled: [[1, 2]], stored: 0, duplicates: 0, conflicts: [2] });
        expect(await column(load.id, 'mean')).toEqual([1]);
        const [kept] = await store.quarantine('m1');
        expect(kept).toMatchObject({ epoch: epochA, seq: 2 });
        expect([...kept!.record]).toEqual([9, 9]);
        expect(await store.commit(batch([other]))).toMatchObject({ conflicts: [2], duplicates: 1 });
        expect(await store.quarantine('m1')).toHaveLength(1);
        expect(await ledgerOf(epochA)).toMatchObject({ made: 2, committed: 2, quarantined: 0, pending: 0 });
      });

      test('contradictions are found among batches that are handed over at once, too', async () => {
        await store.commit(batch([table(1)]));
        const one = summary(2, T0 + MINUTE, [[1], [2]]);
        const results = await Promise.all(
          [one, { ...one, crc: 1 }, { ...one, crc: 1 }, one].map((of) => store.commit(batch([of]))),
        );
        expect(results.map(({ conflicts }) => conflicts)).toEqual([[], [2], [2], []]);
        expect(results.map(({ duplicates }) => duplicates)).toEqual([0, 0, 1, 1]);
        expect(await store.quarantine('m1')).toHaveLength(1);
      });

      test('an agent with more series than any machine has: the table beyond is quarantined, and what names it', async () => {
        const names = (part: number) =>
          Array.from({ length: 4096 }, (_, i) => ({
            name: 's',
            unit: '1',
            attributes: {},
            id: (part * 4096 + i).toString(16).padStart(16, '0'),
          }));
        const hash = (part: number) => part.toString(16).padStart(16, '0');
        for (let part = 0; part < 8; part++) await store.commit(batch([table(part + 1, names(part), hash(part))]));
        const result = await store.commit(
          batch([table(9, names(8), hash(8)), summary(10, T0 + MINUTE, [[1]], { hash: hash(8) })]),
        );
        expect(result).toMatchObject({ settled: [[1, 10]], needTables: [] });
        expect(await store.commit(batch([summary(11, T0 + MINUTE, [[1]], { hash: hash(8) })]))).toMatchObject({
          settled: [[1, 11]],
        });
        expect((await store.quarantine('m1')).map(({ seq }) => seq)).toEqual([9, 10, 11]);
        expect((await store.stats()).series).toBe(8 * 4096);
      });

      test('poison and broken columns are quarantined with their bytes and the reason, and settled', async () => {
        const broken = summary(3, T0 + MINUTE, [[1], [2]]);
        const result = await store.commit(
          batch([
            table(1),
            record(2, T0, { kind: 'poison', reason: 'no such field' }),
            { ...broken, content: { ...broken.content, columns: Uint8Array.of(255, 255) } as typeof broken.content },
            summary(4, T0 + MINUTE, [[1], [2], [3]]),
          ]),
        );
        expect(result).toMatchObject({ settled: [[1, 4]], stored: 4 });
        const kept = await store.quarantine('m1');
        expect(kept.map(({ seq }) => seq)).toEqual([2, 3, 4]);
        expect(kept[0]).toMatchObject({ reason: 'no such field', epoch: epochA });
        expect([...kept[0]!.record]).toEqual([2, 1, 2, 3]);
        expect(kept[2]!.reason).toContain('table of 2');
        expect(await column(load.id, 'mean')).toEqual([]);
        expect(await ledgerOf(epochA)).toMatchObject({ made: 4, committed: 1, quarantined: 3, pending: 0, lost: 0 });
      });

      test('a summary without its table waits and names it; with the table it is stored', async () => {
        const early = summary(2, T0 + MINUTE, [[5], [6]]);
        expect(await store.commit(batch([early]))).toMatchObject({ settled: [], stored: 0, needTables: [tableHash] });
        expect(await ledgerOf(epochA)).toMatchObject({ made: 2, committed: 0, pending: 2, lost: 0 });
        // The table may stand behind the summary that names it.
        expect(await store.commit(batch([early, table(3)]))).toMatchObject({
          settled: [[2, 3]],
          stored: 2,
          needTables: [],
        });
        expect(await column(load.id, 'mean')).toEqual([5]);
      });

      test('parts of a table lie where their first series says', async () => {
        await store.commit(
          batch([
            table(1, [load, heat, rare]),
            summary(2, T0 + MINUTE, [[1]], { first: 0 }),
            summary(3, T0 + MINUTE, [[2], [3]], { first: 1 }),
          ]),
        );
        expect(await column(load.id, 'mean')).toEqual([1]);
        expect(await column(heat.id, 'mean')).toEqual([2]);
        expect(await column(rare.id, 'mean')).toEqual([3]);
      });

      test('kinds that it does not know are stored and settled', async () => {
        expect(await store.commit(batch([record(1, T0, { kind: 'unknown', number: 99 })]))).toMatchObject({
          settled: [[1, 1]],
          stored: 1,
        });
      });

      test("groups' hours come back as they were, by hour, and twice is once", async () => {
        const told = async (fromMs: number, toMs: number) => {
          const out: unknown[] = [];
          for await (const { timeMs, group, coMoments } of store.coMoments('m1', { fromMs, toMs })) {
            out.push([(timeMs - T0) / MINUTE, group, [...coMoments.mean]]);
          }
          return out;
        };
        const records = [
          coMoments(1, T0 + 2 * HOUR, 'b', [3, 4]),
          coMoments(2, T0 + HOUR, 'a', [1, 2]),
          coMoments(3, T0 + HOUR + 30 * MINUTE, 'a', [5, 6], 30 * MINUTE),
        ];
        await store.commit(batch(records));
        expect(await store.commit(batch(records))).toMatchObject({ stored: 0, duplicates: 3 });
        expect(await told(T0, T0 + DAY)).toEqual([
          [60, 'a', [1, 2]],
          [120, 'b', [3, 4]],
          [90, 'a', [5, 6]],
        ]);
        expect(await told(T0 + HOUR, T0 + 2 * HOUR - 1)).toEqual([[90, 'a', [5, 6]]]);
        expect((await store.verifyLedger('m1')).problems).toEqual([]);
        await store.purge('m1');
        expect(await told(T0, T0 + DAY)).toEqual([]);
      });

      test('agents do not mix', async () => {
        await store.commit(batch([table(1), summary(2, T0 + MINUTE, [[1], [2]])]));
        await store.commit(batch([table(1, [heat, load]), summary(2, T0 + MINUTE, [[3], [4]])], { agent: 'm2' }));
        expect(await column(load.id, 'mean')).toEqual([1]);
        const [other] = await store.query('m2', [load.id], always, 'minute');
        expect([...other!.mean]).toEqual([4]);
      });

      test.each([
        ['an epoch that is not one', { epoch: 'xyz' }],
        ['a highest seq that is none', { highestSeq: Number.NaN }],
        [
          'held ranges that overlap',
          {
            held: [
              [1, 5],
              [3, 8],
            ] as const,
          },
        ],
      ])('refuses %s', async (_name, over) => {
        await expect(store.commit(batch([table(1)], over))).rejects.toMatchObject({ code: 'payload.invalid' });
        expect(await store.latest('m1')).toEqual([]);
      });
    });

    describe('ledger', () => {
      test('what an envelope reports as made and held is pending', async () => {
        await store.commit(batch([table(2)], { highestSeq: 10, held: [[1, 10]] }));
        expect(await ledgerOf(epochA)).toMatchObject({ made: 10, committed: 1, pending: 9, lost: 0, quarantined: 0 });
      });

      test('what is neither held nor settled is lost, and late data turns it into committed', async () => {
        await store.commit(batch([table(1)], { highestSeq: 10, held: [[6, 10]] }));
        expect(await ledgerOf(epochA)).toMatchObject({
          made: 10,
          committed: 1,
          pending: 5,
          lost: 4,
          lostByCause: { unnamed: 4 },
        });
        await store.commit(batch([summary(3, T0 + MINUTE, [[1], [2]])], { highestSeq: 10, held: [[6, 10]] }));
        expect(await ledgerOf(epochA)).toMatchObject({ made: 10, committed: 2, pending: 5, lost: 3 });
      });

      test('what came and waits for its table is pending, whatever the envelope says', async () => {
        await store.commit(batch([summary(1, T0 + MINUTE, [[1], [2]])], { held: [] }));
        expect(await ledgerOf(epochA)).toMatchObject({ made: 1, pending: 1, lost: 0 });
      });

      test('a gap names what was lost and why, in another epoch too', async () => {
        const gap = (seq: number, cause: string, ranges: readonly (readonly [number, number])[]): IncomingRecord =>
          record(seq, T0, { kind: 'gap', epoch: epochA, ranges, cause, fromMs: T0, toMs: T0 + HOUR });
        await store.commit(batch([table(1)], { highestSeq: 10 }));
        await store.commit(
          batch([gap(1, 'overflow', [[2, 5]]), gap(2, 'corrupt', [[5, 7]]), gap(3, 'nonsense', [[9, 12]])], {
            epoch: epochB,
          }),
        );
        // Seq 5 is in two gaps: it counts once.
        expect(await ledgerOf(epochA)).toMatchObject({
          made: 12,
          committed: 1,
          pending: 1,
          lost: 10,
          lostByCause: { corrupt: 3, overflow: 3, other: 4 },
        });
        await store.commit(batch([summary(3, T0 + MINUTE, [[1], [2]])], { highestSeq: 10 }));
        expect(await ledgerOf(epochA)).toMatchObject({ made: 12, committed: 2, lost: 9 });
        expect(await ledgerOf(epochB)).toMatchObject({ made: 3, committed: 3, lost: 0 });
      });

      test('a gap gives what nobody named its cause', async () => {
        await store.commit(batch([table(1)], { highestSeq: 4, held: [] }));
        await store.commit(
          batch(
            [record(5, T0, { kind: 'gap', epoch: epochA, ranges: [[2, 3]], cause: 'purged', fromMs: 0, toMs: 1 })],
            { highestSeq: 5, held: [[5, 5]] },
          ),
        );
        expect((await ledgerOf(epochA)).lostByCause).toEqual({ purged: 2, unnamed: 1 });
      });

      test('the chain of epochs: parent, start, and the final seq that a successor states', async () => {
        await store.commit(batch([table(1)], { highestSeq: 1 }));
        await store.commit(
          batch(
            [record(1, T0 + HOUR, { kind: 'epoch', parent: epochA, parentFinalSeq: 4, start: 2, volatile: true })],
            { epoch: epochB },
          ),
        );
        expect(await ledgerOf(epochA)).toMatchObject({ made: 4, committed: 1, pending: 3 });
        expect(await ledgerOf(epochB)).toMatchObject({
          made: 1,
          committed: 1,
          parent: epochA,
          start: 2,
          volatile: true,
        });
        expect((await store.ledger('m1')).map(({ epoch }) => epoch)).toEqual([epochA, epochB]);
      });

      test('times of what was committed', async () => {
        await store.commit(batch([table(1), summary(2, T0 + 5 * MINUTE, [[1], [2]])]));
        expect(await ledgerOf(epochA)).toMatchObject({ firstMs: T0, lastMs: T0 + 5 * MINUTE });
      });
    });

    describe('coverage', () => {
      test('minutes covered, missing within what is settled, and pending', async () => {
        const records = [
          table(1),
          ...[1, 2, 3, 6].map((minute, i) => summary(2 + i, T0 + minute * MINUTE, [[1], [2]])),
        ];
        await store.commit(batch(records, { receivedMs: T0 + 8 * MINUTE }));
        // Minutes 4 and 5 have no seq that could hold them; 7 and 8 may be on their way.
        expect(await store.coverage('m1', { fromMs: T0, toMs: T0 + DAY })).toMatchObject([
          { dayMs: T0, covered: 4, pending: 2, missing: 2 },
        ]);
      });

      test('a seq that is made and not here may hold the minutes between its neighbours', async () => {
        const records = [
          table(1),
          ...[1, 2].map((minute) => summary(1 + minute, T0 + minute * MINUTE, [[1], [2]])),
          summary(6, T0 + 5 * MINUTE, [[1], [2]]),
        ];
        await store.commit(batch(records, { receivedMs: T0 + 5 * MINUTE }));
        expect(await store.coverage('m1', { fromMs: T0, toMs: T0 + DAY })).toMatchObject([
          { dayMs: T0, covered: 3, pending: 2, missing: 0 },
        ]);
        await store.commit(
          batch(
            [
              record(7, T0 + 5 * MINUTE, {
                kind: 'gap',
                epoch: epochA,
                ranges: [[4, 5]],
                cause: 'overflow',
                fromMs: 0,
                toMs: 1,
              }),
            ],
            { receivedMs: T0 + 5 * MINUTE },
          ),
        );
        expect(await store.coverage('m1', { fromMs: T0, toMs: T0 + DAY })).toMatchObject([
          { dayMs: T0, covered: 3, pending: 0, missing: 2 },
        ]);
      });

      test('ten-minute windows cover ten minutes; days apart', async () => {
        const end = T0 + DAY + 5 * MINUTE;
        await store.commit(
          batch([table(1), summary(2, end, [[1], [2]], { lengthMs: 10 * MINUTE })], { receivedMs: end }),
        );
        expect(await store.coverage('m1', { fromMs: T0, toMs: T0 + 2 * DAY })).toMatchObject([
          { dayMs: T0, covered: 5, pending: 0, missing: 0 },
          { dayMs: T0 + DAY, covered: 5, pending: 0, missing: 0 },
        ]);
      });
    });

    describe('history', () => {
      /** 150 minutes of two series with known samples. */
      const minutes = Array.from({ length: 150 }, (_, i) => ({
        endMs: T0 + (i + 1) * MINUTE,
        load: Array.from({ length: 20 }, (_, k) => ((i * 37 + k * 11) % 100) / 10),
        heat: Array.from({ length: 5 + (i % 3) }, () => 20 + (i % 7)),
      }));
      const history = (): IncomingRecord[] => [
        table(1),
        ...minutes.map(({ endMs, ...of }, i) => summary(2 + i, endMs, [of.load, of.heat])),
      ];

      for (const rewritten of [false, true]) {
        describe(rewritten ? 'rewritten' : 'as it came', () => {
          beforeEach(async () => {
            await store.commit(batch(history()));
            // Two hours are closed, the third is open.
            if (rewritten) await store.maintain(T0 + 150 * MINUTE, never);
          });

          test('minutes come back in order within the codec’s error', async () => {
            const [columns] = await store.query('m1', [load.id], always, 'minute');
            expect([...columns!.timesMs]).toEqual(minutes.map(({ endMs }) => endMs));
            expect(new Set(columns!.lengthsMs)).toEqual(new Set([MINUTE]));
            minutes.forEach((minute, i) => {
              const { mean, deviation } = momentsOf(minute.load);
              const range = Math.max(...minute.load) - Math.min(...minute.load);
              expect(columns!.count[i]).toBe(20);
              expect(columns!.min[i]).toBe(Math.min(...minute.load));
              expect(columns!.max[i]).toBe(Math.max(...minute.load));
              expect(Math.abs(columns!.mean[i]! - mean)).toBeLessThanOrEqual(range / 65_535);
              expect(Math.abs(columns!.deviation[i]! - deviation)).toBeLessThanOrEqual(range / 65_535);
              expect(Math.abs(columns!.last[i]! - minute.load.at(-1)!)).toBeLessThanOrEqual(range / 65_535);
            });
          });

          test('a range holds the windows that end in it, its end included', async () => {
            const range = { fromMs: T0 + 10 * MINUTE, toMs: T0 + 130 * MINUTE };
            expect(await column(load.id, 'timesMs', 'minute', range)).toEqual(
              minutes.slice(10, 130).map(({ endMs }) => endMs),
            );
            expect(await column(load.id, 'timesMs', 'minute', { fromMs: T0 + MINUTE, toMs: T0 + MINUTE })).toEqual([]);
          });

          test('hours and days merge exactly', async () => {
            // Constant minutes have exact moments, so that the hour's are those of all samples.
            const samples = (from: number, to: number) => minutes.slice(from, to).flatMap((minute) => minute.heat);
            const [hours] = await store.query('m1', [heat.id], always, 'hour');
            expect([...hours!.timesMs]).toEqual([T0 + HOUR, T0 + 2 * HOUR, T0 + 3 * HOUR]);
            for (const [i, [from, to]] of (
              [
                [0, 60],
                [60, 120],
                [120, 150],
              ] as const
            ).entries()) {
              const all = samples(from, to);
              expect(hours!.count[i]).toBe(all.length);
              expect(hours!.mean[i]).toBeCloseTo(momentsOf(all).mean, 9);
              expect(hours!.deviation[i]).toBeCloseTo(momentsOf(all).deviation, 9);
              expect(hours!.min[i]).toBe(Math.min(...all));
              expect(hours!.max[i]).toBe(Math.max(...all));
              expect(hours!.last[i]).toBe(all.at(-1));
              expect(hours!.lengthsMs[i]).toBe((to - from) * MINUTE);
            }
            const [days] = await store.query('m1', [heat.id], always, 'day');
            expect([...days!.timesMs]).toEqual([T0 + DAY]);
            expect(days!.count[0]).toBe(samples(0, 150).length);
            expect(days!.mean[0]).toBeCloseTo(momentsOf(samples(0, 150)).mean, 9);
            expect(days!.deviation[0]).toBeCloseTo(momentsOf(samples(0, 150)).deviation, 9);
          });

          test('the latest window of each series', async () => {
            const latest = await store.latest('m1');
            expect(latest.map(({ id }) => id)).toEqual([load.id, heat.id]);
            expect(latest[1]).toMatchObject({
              name: 'heat',
              timeMs: T0 + 150 * MINUTE,
              mean: 20 + (149 % 7),
              last: 20 + (149 % 7),
            });
            store = await harness.reopen(store);
            expect(await store.latest('m1')).toEqual(latest);
          });

          test('late data goes to its place, and the hour and the day are made anew', async () => {
            const end = T0 + 30.5 * MINUTE;
            await store.commit(batch([summary(152, end, [[1000], []], { lengthMs: 1000 })]));
            if (rewritten) await store.maintain(T0 + 2 * DAY, never);
            expect(await column(load.id, 'timesMs')).toContain(end);
            expect((await column(load.id, 'count')).length).toBe(151);
            expect(await column(load.id, 'count', 'hour')).toEqual([1201, 1200, 600]);
            expect(await column(load.id, 'max', 'hour')).toEqual([1000, 9.9, 9.9]);
            expect(await column(load.id, 'max', 'day')).toEqual([1000]);
            expect(await column(load.id, 'count', 'day')).toEqual([3001]);
            const heats = minutes.slice(0, 60).reduce((sum, minute) => sum + minute.heat.length, 0);
            expect((await column(heat.id, 'count', 'hour'))[0]).toBe(heats);
          });

          test('survives a restart', async () => {
            const before = await Promise.all(
              ['minute', 'hour', 'day'].map((at) => store.query('m1', [load.id, heat.id], always, at as 'minute')),
            );
            const ledger = await store.ledger('m1');
            store = await harness.reopen(store);
            const after = await Promise.all(
              ['minute', 'hour', 'day'].map((at) => store.query('m1', [load.id, heat.id], always, at as 'minute')),
            );
            expect(after).toEqual(before);
            expect(await store.ledger('m1')).toEqual(ledger);
            expect(await store.commit(batch(history()))).toMatchObject({ stored: 0, duplicates: 151 });
          });

          test('blocks for training hold the same', async () => {
            for (const resolution of ['minute', 'hour', 'day'] as const) {
              const blocks = [];
              for await (const block of store.summaries({ ...always, resolution })) blocks.push(block);
              expect(blocks.map(({ key }) => key.name)).toEqual(['load', 'heat']);
              const columns = await store.query('m1', [load.id, heat.id], always, resolution);
              blocks.forEach(({ agent, key, ...rest }, i) => {
                expect(agent).toBe('m1');
                expect(rest).toEqual(columns[i]);
              });
            }
            const some = [];
            for await (const block of store.summaries({
              ...always,
              resolution: 'minute',
              agents: ['m1', 'm9'],
              series: [heat.id],
            }))
              some.push(block.series);
            expect(some).toEqual([heat.id]);
          });
        });
      }

      test('windows of several epochs lie beside each other; those that end together are one row', async () => {
        await store.commit(
          batch([
            table(1),
            summary(2, T0 + MINUTE, [[1, 1], []]),
            summary(3, T0 + 1.5 * MINUTE, [[2], []], { lengthMs: MINUTE / 2 }),
          ]),
        );
        await store.commit(
          batch(
            [summary(1, T0 + 2 * MINUTE, [[4], []], { lengthMs: MINUTE / 2 }), summary(2, T0 + MINUTE, [[7], []])],
            { epoch: epochB },
          ),
        );
        const expected = { times: [T0 + MINUTE, T0 + 1.5 * MINUTE, T0 + 2 * MINUTE], means: [3, 2, 4] };
        for (const maintained of [false, true]) {
          if (maintained) await store.maintain(T0 + DAY, never);
          expect(await column(load.id, 'timesMs')).toEqual(expected.times);
          expect(await column(load.id, 'mean')).toEqual(expected.means);
          expect(await column(load.id, 'count')).toEqual([3, 1, 1]);
        }
      });

      test('a series that had no samples is a row without values', async () => {
        await store.commit(batch([table(1), summary(2, T0 + MINUTE, [[1], []])]));
        const [columns] = await store.query('m1', [heat.id], always, 'minute');
        expect([...columns!.count]).toEqual([0]);
        expect(columns!.mean[0]).toBeNaN();
        expect((await store.latest('m1'))[1]!.timeMs).toBe(0);
      });

      test('scores and shares of findings', async () => {
        await store.commit(
          batch([
            table(1),
            summary(2, T0 + MINUTE, [[1, 1, 1, 1], [1]], { scores: [4, 0], shares: [0.5, 0] }),
            summary(3, T0 + 2 * MINUTE, [[1, 1, 1, 1], [1]], { scores: [12, 0], shares: [0, 0] }),
          ]),
        );
        const [hour] = await store.query('m1', [load.id], always, 'hour');
        expect(hour!.highestScore[0]).toBe(12);
        expect(hour!.anomalyShare[0]).toBe(0.25);
      });

      test('an hour is the agent’s rollups or its minutes, whichever count more; never their sum', async () => {
        // A restart after 50 minutes makes two parts of the hour.
        const rollup = (seq: number, values: number[], from: number, to: number) =>
          summary(seq, T0 + to * MINUTE, [values, [1]], { kind: 'rollup', lengthMs: (to - from) * MINUTE });
        await store.commit(batch([table(1), summary(2, T0 + MINUTE, [[5, 5], [1]])]));
        await store.commit(batch([rollup(3, [6, 6, 6], 0, 50)]));
        for (const maintained of [false, true]) {
          if (maintained) await store.maintain(T0 + 2 * DAY, never);
          expect(await column(load.id, 'count', 'hour')).toEqual([3]);
          expect(await column(load.id, 'mean', 'hour')).toEqual([6]);
          expect(await column(load.id, 'mean', 'day')).toEqual([6]);
        }
        // Another part of the rollup, then more minutes than both parts.
        await store.commit(batch([rollup(4, [9], 50, 60)]));
        expect(await column(load.id, 'count', 'hour')).toEqual([4]);
        await store.commit(batch([summary(5, T0 + 2 * MINUTE, [[5, 5, 5], [1]])]));
        await store.maintain(T0 + 2 * DAY, never);
        expect(await column(load.id, 'count', 'hour')).toEqual([5]);
        expect(await column(load.id, 'mean', 'hour')).toEqual([5]);
        expect(await column(load.id, 'timesMs', 'minute')).toHaveLength(2);
      });

      test('a day is whole wherever in it the range begins', async () => {
        const records = [table(1), summary(2, T0 + HOUR, [[1], [1]]), summary(3, T0 + 20 * HOUR, [[3], [1]])];
        await store.commit(batch(records));
        const range = { fromMs: T0 + 12 * HOUR, toMs: T0 + DAY };
        for (const maintained of [false, true]) {
          if (maintained) await store.maintain(T0 + 2 * DAY, never);
          expect(await column(load.id, 'mean', 'day', range)).toEqual([2]);
          expect(await column(load.id, 'mean', 'hour', range)).toEqual([3]);
        }
      });

      test('a backlog’s rollups fill hours before their minutes are there', async () => {
        await store.commit(
          batch([
            table(1),
            ...[0, 1, 2].map((hour) => summary(2 + hour, T0 + (hour + 1) * HOUR, [[hour], [0]], { kind: 'rollup' })),
          ]),
        );
        await store.maintain(T0 + 2 * DAY, never);
        expect(await column(load.id, 'mean', 'hour')).toEqual([0, 1, 2]);
        expect(await column(load.id, 'mean', 'minute')).toEqual([]);
      });

      test('minutes end by age and hours stay', async () => {
        await store.close();
        store = await harness.open({ minutesMs: 2 * DAY });
        await store.commit(batch(history()));
        await store.maintain(T0 + 4 * HOUR, never);
        const hours = await store.query('m1', [load.id, heat.id], always, 'hour');
        await store.maintain(T0 + 4 * DAY, never);
        expect(await column(load.id, 'timesMs')).toEqual([]);
        expect(await store.query('m1', [load.id, heat.id], always, 'hour')).toEqual(hours);
        // What comes late for such an hour counts less than what it was rolled up from.
        await store.commit(batch([summary(152, T0 + MINUTE, [[77], [1]])]));
        await store.maintain(T0 + 4 * DAY, never);
        expect(await store.query('m1', [load.id, heat.id], always, 'hour')).toEqual(hours);
        // Only the ranges are known now: a duplicate is still one.
        expect(await store.commit(batch(history()))).toMatchObject({ stored: 0, duplicates: 151, conflicts: [] });
      });
    });

    describe('what is found', () => {
      test('the highest revision of an incident holds, in whatever order they come', async () => {
        // Its machine's clock had been set back.
        const closed = incident(3, { state: 'closed', closedMs: T0 + 40 * MINUTE, updatedMs: T0 });
        await store.commit(
          batch([
            record(3, T0, { kind: 'incident', incident: closed }),
            record(4, T0, { kind: 'incident', incident: incident(1) }),
          ]),
        );
        await store.commit(batch([record(5, T0, { kind: 'incident', incident: incident(2) })]));
        expect(await store.incidents(always)).toEqual([{ ...closed, agent: 'm1' }]);
        expect(await store.incidents({ ...always, state: 'open' })).toEqual([]);
      });

      test('each revision that holds is news until somebody has dealt with it', async () => {
        const of = (revision: number, state: 'open' | 'closed' = 'open') =>
          incident(revision, { state, closedMs: state === 'closed' ? T0 + MINUTE : null });
        const first = record(3, T0, { kind: 'incident', incident: of(1) });
        await store.commit(batch([first, record(4, T0, { kind: 'incident', incident: of(3, 'closed') })]));
        // Known, and passed by a later one: nothing new.
        await store.commit(batch([first, record(5, T0, { kind: 'incident', incident: of(2) })]));
        const news = await store.documents.list<IncidentNews>(INCIDENT_NEWS);
        expect(news.map(({ value: { agent, seq, revision, state } }) => ({ agent, seq, revision, state }))).toEqual([
          { agent: 'm1', seq: 3, revision: 1, state: 'open' },
          { agent: 'm1', seq: 3, revision: 3, state: 'closed' },
        ]);
        await store.documents.putAll(news.map(({ key }) => ({ namespace: INCIDENT_NEWS, key, value: null })));
        await store.commit(batch([first]));
        expect(await store.documents.list(INCIDENT_NEWS)).toEqual([]);
      });

      test('incidents by time, agent and state, newest first', async () => {
        const at = (seq: number, openedMs: number, closedMs: number | null) =>
          record(seq, T0, {
            kind: 'incident',
            incident: incident(1, { seq, openedMs, closedMs, state: closedMs === null ? 'open' : 'closed' }),
          });
        await store.commit(batch([at(1, T0, T0 + MINUTE), at(2, T0 + 2 * HOUR, null)]));
        await store.commit(batch([at(1, T0 + HOUR, T0 + 3 * HOUR)], { agent: 'm2' }));
        const keys = async (query: Parameters<Store['incidents']>[0]) =>
          (await store.incidents(query)).map(({ agent, seq }) => `${agent}/${seq}`);
        expect(await keys(always)).toEqual(['m1/2', 'm2/1', 'm1/1']);
        expect(await keys({ ...always, agent: 'm1' })).toEqual(['m1/2', 'm1/1']);
        expect(await keys({ ...always, state: 'open' })).toEqual(['m1/2']);
        expect(await keys({ ...always, limit: 2 })).toEqual(['m1/2', 'm2/1']);
        // Open in the range, though not opened in it.
        expect(await keys({ fromMs: T0 + 2.5 * HOUR, toMs: T0 + 2.6 * HOUR })).toEqual(['m1/2', 'm2/1']);
        expect(await keys({ ...always, agent: 'm9' })).toEqual([]);
      });

      test('events in order of their own time, the latest of them', async () => {
        await store.commit(
          batch([record(1, T0, { kind: 'events', events: [event(T0 + 2000, 'b'), event(T0 + 1000, 'a')] })]),
        );
        await store.commit(
          batch([record(2, T0, { kind: 'events', events: [event(T0 + 1500, 'x'), event(T0 + 9000, 'y')] })]),
        );
        const states = async (toMs: number, limit: number) =>
          (await store.events('m1', { fromMs: T0, toMs }, limit)).map(({ to }) => to);
        expect(await states(T0 + 5000, 10)).toEqual(['a', 'x', 'b']);
        expect(await states(T0 + 9000, 2)).toEqual(['b', 'y']);
      });

      test('the latest document of each name, and evidence by incident', async () => {
        const document = (seq: number, timeMs: number, json: unknown) =>
          record(seq, timeMs, { kind: 'document', name: 'inventory', json });
        await store.commit(batch([document(1, T0 + 5, { v: 2 }), document(2, T0 + 1, { v: 1 })]));
        expect(await store.document('m1', 'inventory')).toEqual({ timeMs: T0 + 5, json: { v: 2 } });
        expect(await store.document('m1', 'top')).toBeNull();
        const part = (seq: number, byte: number) =>
          record(seq, T0, { kind: 'evidence', incidentEpoch: epochA, incidentSeq: 3, body: Uint8Array.of(byte) });
        await store.commit(batch([part(4, 2), part(3, 1)]));
        expect((await store.evidence('m1', epochA, 3)).map((body) => [...body])).toEqual([[1], [2]]);
        expect(await store.evidence('m1', epochA, 4)).toEqual([]);
      });
    });

    describe('purge', () => {
      test('takes all of one agent and nothing of others', async () => {
        for (const agent of ['m1', 'm2']) {
          await store.commit(
            batch(
              [
                table(1),
                summary(2, T0 + MINUTE, [[1], [2]]),
                record(3, T0, { kind: 'incident', incident: incident(1) }),
              ],
              { agent },
            ),
          );
        }
        await store.latest('m1');
        await store.maintain(T0 + DAY, never);
        await store.purge('m1');
        expect(await store.ledger('m1')).toEqual([]);
        expect(await store.latest('m1')).toEqual([]);
        expect(await column(load.id, 'mean')).toEqual([]);
        expect((await store.incidents(always)).map(({ agent }) => agent)).toEqual(['m2']);
        expect((await store.latest('m2')).map(({ mean }) => mean)).toEqual([1, 2]);
        // It may come back, and begins anew.
        expect(await store.commit(batch([summary(2, T0 + MINUTE, [[1], [2]])]))).toMatchObject({
          stored: 0,
          needTables: [tableHash],
        });
        expect((await store.stats()).agents).toBe(2);
      });
    });

    describe('documents', () => {
      test('come back, are listed in order, and go', async () => {
        const { documents } = store;
        await documents.putAll([
          { namespace: 'n', key: 'b', value: 2 },
          { namespace: 'n', key: 'a', value: { x: [1] } },
          { namespace: 'n', key: 'c', value: 3 },
          { namespace: 'n2', key: 'a', value: 'other' },
        ]);
        expect(await documents.get('n', 'a')).toEqual({ x: [1] });
        expect(await documents.get('n', 'z')).toBeNull();
        const keys = async (range?: { after?: string; limit?: number; reverse?: boolean }) =>
          (await documents.list('n', range)).map(({ key }) => key);
        expect(await keys()).toEqual(['a', 'b', 'c']);
        expect(await keys({ after: 'a' })).toEqual(['b', 'c']);
        expect(await keys({ after: 'c', reverse: true, limit: 1 })).toEqual(['b']);
        expect(await keys({ reverse: true })).toEqual(['c', 'b', 'a']);
        await documents.put('n', 'b', null);
        expect(await keys()).toEqual(['a', 'c']);
        store = await harness.reopen(store);
        expect(await store.documents.get('n', 'a')).toEqual({ x: [1] });
      });

      test('blobs are kept under their hash alone', async () => {
        const bytes = Uint8Array.of(1, 2, 3);
        const hash = sha256Hex(bytes);
        await store.documents.putBlob(hash, bytes);
        expect([...(await store.documents.getBlob(hash))!]).toEqual([1, 2, 3]);
        await expect(store.documents.putBlob('0'.repeat(64), bytes)).rejects.toMatchObject({ code: 'blob.mismatch' });
        await store.documents.deleteBlob(hash);
        expect(await store.documents.getBlob(hash)).toBeNull();
        expect(await store.documents.getBlob('../..')).toBeNull();
      });

      test('a name with a zero byte is refused', async () => {
        await expect(store.documents.put('n', 'a\0b', 1)).rejects.toMatchObject({ code: 'usage.invalid' });
      });
    });

    describe('failures', () => {
      test('a write that fails is told, nothing of it is believed, and the next one works', async () => {
        let failing = false;
        await store.close();
        store = await harness.open({
          beforeWrite: () => {
            if (failing) throw new Error('IO error: No space left on device');
          },
        });
        await store.commit(batch([table(1), summary(2, T0 + MINUTE, [[1], [2]])]));
        failing = true;
        const late = batch([
          table(3, [rare], '8899aabbccddeeff'),
          summary(4, T0 + 2 * MINUTE, [[5]], { hash: '8899aabbccddeeff' }),
        ]);
        await expect(store.commit(late)).rejects.toThrow();
        expect(await store.settled('m1', epochA)).toEqual([[1, 2]]);
        expect(await column(load.id, 'mean')).toEqual([1]);
        failing = false;
        expect(await store.commit(late)).toMatchObject({ stored: 2, settled: [[1, 4]] });
        expect(await column(rare.id, 'mean')).toEqual([5]);
        expect((await store.latest('m1')).map(({ name }) => name)).toEqual(['load', 'heat', 'rare']);
      });
    });

    test('any order and any repetition of batches gives the same content and the same ledger', async () => {
      const batches = someBatches();
      const reference = await contentAfter(await harness.open(), batches);
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.nat({ max: batches.length - 1 }), { maxLength: 8 }),
          fc.shuffledSubarray(
            batches.map((_, i) => i),
            { minLength: batches.length },
          ),
          fc.nat({ max: batches.length }),
          async (repeated, order, maintainAt) => {
            const all = [...order, ...repeated].map((i) => batches[i]!);
            expect(await contentAfter(await harness.open(), all, maintainAt)).toEqual(reference);
          },
        ),
        { numRuns: 15 },
      );
    });
  });
}

/** Batches of three epochs with everything in them; each brings the table that it needs. */
function someBatches(): Batch[] {
  const out: Batch[] = [];
  for (let i = 0; i < 4; i++) {
    const first = 1 + i * 4;
    const minute = T0 + (20 * i + 1) * MINUTE;
    out.push(
      batch(
        [
          table(first),
          summary(first + 1, minute, [[i, i + 1, i + 5], [20]], { scores: [i, 0] }),
          summary(first + 2, minute, [[i * 2], [20, 21]], { lengthMs: 30_000 }),
          record(first + 3, minute, { kind: 'incident', incident: incident(i + 1, { title: `${i}` }) }),
        ],
        { highestSeq: 20, held: [[1, 18]] },
      ),
    );
  }
  const start = record(1, T0 + HOUR, { kind: 'epoch', parent: epochA, parentFinalSeq: 20, start: 2, volatile: false });
  out.push(batch([start, { ...table(2), timeMs: T0 + HOUR }], { epoch: epochB, highestSeq: 5 }));
  out.push(
    batch(
      [
        table(2),
        summary(3, T0 + MINUTE, [[8], [8]]),
        record(4, T0 + HOUR, {
          kind: 'gap',
          epoch: epochA,
          ranges: [[17, 18]],
          cause: 'overflow',
          fromMs: T0,
          toMs: T0,
        }),
        record(5, T0 + HOUR, { kind: 'poison', reason: 'poison' }),
      ].map((one) => (one.seq === 2 ? { ...one, timeMs: T0 + HOUR } : one)),
      { epoch: epochB, highestSeq: 5 },
    ),
  );
  out.push(
    batch([table(1), summary(2, T0 + HOUR, [[1, 2, 3, 4, 5, 6, 7], [1]], { kind: 'rollup' })], { epoch: epochC }),
  );
  out.push(batch([record(3, T0, { kind: 'events', events: [event(T0 + 5, 'on')] })], { epoch: epochC }));
  return out;
}

async function contentAfter(store: Store, batches: readonly Batch[], maintainAt = -1): Promise<unknown> {
  for (const [i, one] of batches.entries()) {
    if (i === maintainAt) await store.maintain(T0 + 3 * HOUR, never);
    await store.commit(one);
  }
  const ids = [load.id, heat.id];
  const content = {
    minutes: await store.query('m1', ids, always, 'minute'),
    hours: await store.query('m1', ids, always, 'hour'),
    days: await store.query('m1', ids, always, 'day'),
    ledger: (await store.ledger('m1')).map(({ duplicates, ...row }) => row),
    incidents: await store.incidents(always),
    events: await store.events('m1', always, 100),
    quarantine: (await store.quarantine('m1')).map(({ seq, reason }) => ({ seq, reason })),
    coverage: await store.coverage('m1', always),
  };
  await store.close();
  return content;
}
