/** What every store's ledger must do beyond counting: recount, causes of missing time, identity, settled epochs. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { IncomingRecord, Store } from '../../central/store/store.ts';
import {
  always,
  batch,
  DAY,
  epochA,
  epochB,
  epochC,
  event,
  HOUR,
  incident,
  load,
  MINUTE,
  never,
  rare,
  record,
  summary,
  T0,
  table,
  tableHash,
} from './store.fixture.ts';
import type { StoreHarness } from './store.suite.ts';

const epochD = 'd'.repeat(32);
const bootOne = '1'.repeat(32);
const bootTwo = '2'.repeat(32);

function start(
  atMs: number,
  parent: string | null,
  options: { count?: number; finalSeq?: number; boot?: string; volatile?: boolean; dated?: boolean } = {},
): IncomingRecord {
  const { count = 1, finalSeq = 1, boot = bootOne, volatile = false, dated = true } = options;
  const content = {
    kind: 'epoch',
    parent,
    parentFinalSeq: parent === null ? 0 : finalSeq,
    start: count,
    volatile,
  } as const;
  return { ...record(1, atMs, content, Math.floor(atMs / 1000) + count), boot, dated };
}

function stopped(seq: number, atMs: number): IncomingRecord {
  const key = { name: 'picket.agent.state', unit: '', attributes: {} };
  const events = [{ ...event(atMs, 'stopped'), key }];
  return record(seq, atMs, { kind: 'events', events });
}

function gap(seq: number, cause: string, ranges: readonly (readonly [number, number])[], fromMs: number, toMs: number) {
  return record(seq, toMs, { kind: 'gap', epoch: epochA, ranges, cause, fromMs, toMs });
}

const minute = (at: number): number => T0 + at * MINUTE;
const tableAt = (atMs: number): IncomingRecord => ({ ...table(2), timeMs: atMs });
const windows = (seq: number, from: number, to: number): IncomingRecord[] =>
  Array.from({ length: to - from }, (_, i) => summary(seq + i, minute(from + i + 1), [[1], [2]]));

export function storeLedgerSuite(name: string, makeHarness: () => Promise<StoreHarness>): void {
  describe(`${name}, its ledger`, { timeout: 120_000 }, () => {
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

    const check = () => store.verifyLedger('m1');

    /** One record of every kind, in two epochs, with poison, a contradiction and a gap. */
    async function everyKind(): Promise<void> {
      await store.commit(
        batch(
          [
            start(T0, null),
            table(2),
            ...windows(3, 0, 90),
            record(93, minute(90), { kind: 'events', events: [event(minute(90), 'on'), event(minute(90), 'off')] }),
            record(94, minute(90), { kind: 'events', events: [] }),
            record(95, minute(90), { kind: 'incident', incident: incident(1) }),
            record(96, minute(90), { kind: 'document', name: 'top', json: {} }),
            record(97, minute(90), {
              kind: 'evidence',
              incidentEpoch: epochA,
              incidentSeq: 95,
              body: Uint8Array.of(1),
            }),
            record(98, minute(90), { kind: 'unknown', number: 99 }),
            record(99, 0, { kind: 'poison', reason: 'broken' }),
            summary(100, minute(60), [[1], [2]], { kind: 'rollup' }),
          ],
          { highestSeq: 110, held: [[1, 108]] },
        ),
      );
      await store.commit(
        batch([{ ...summary(3, minute(1), [[9], [9]]), crc: 1 }], { highestSeq: 110, held: [[1, 108]] }),
      );
      await store.commit(
        batch(
          [start(minute(95), epochA, { finalSeq: 112 }), gap(2, 'overflow', [[101, 108]], minute(90), minute(92))],
          {
            epoch: epochB,
          },
        ),
      );
    }

    describe('recount', () => {
      test('finds every record again, as it came, rewritten, and after a restart', async () => {
        await everyKind();
        const expected = { epochs: 2, records: 102, problems: [] };
        expect(await check()).toMatchObject(expected);
        await store.maintain(T0 + 3 * HOUR, never);
        expect(await check()).toMatchObject(expected);
        // Late data make an hour of chunks once more.
        await store.commit(batch(windows(101, 70, 72), { highestSeq: 110 }));
        await store.maintain(T0 + 3 * HOUR, never);
        store = await harness.reopen(store);
        expect(await check()).toMatchObject({ ...expected, records: 104 });
        expect((await store.ledger('m1'))[0]).toMatchObject({
          committed: 101,
          lostByCause: { overflow: 6, unnamed: 2 },
        });
      });

      test('what is gone by age is known by its ranges', async () => {
        await store.close();
        store = await harness.open({ minutesMs: 2 * DAY });
        await everyKind();
        await store.maintain(T0 + 3 * HOUR, never);
        const rows = await store.ledger('m1');
        await store.maintain(T0 + 10 * DAY, never);
        expect(await check()).toMatchObject({ epochs: 2, problems: [] });
        expect(await store.ledger('m1')).toEqual(rows);
        // The second time all are duplicates, and nothing is stored twice.
        await everyKind();
        expect(await check()).toMatchObject({ problems: [] });
        expect((await store.ledger('m1')).map(({ made, committed, lost }) => ({ made, committed, lost }))).toEqual(
          rows.map(({ made, committed, lost }) => ({ made, committed, lost })),
        );
      });

      test('an agent that nobody knows has nothing to count', async () => {
        expect(await store.verifyLedger('m9')).toEqual({ epochs: 0, records: 0, thinned: 0, problems: [] });
        expect(await store.ledgerTotals('m9')).toMatchObject({ epochs: 0, made: 0 });
      });
    });

    test('the totals are the sum of the rows, before and after what changes them', async () => {
      const summed = async () => {
        const rows = await store.ledger('m1');
        const of = (field: 'made' | 'committed' | 'quarantined' | 'pending' | 'lost' | 'duplicates' | 'conflicts') =>
          rows.reduce((sum, row) => sum + row[field], 0);
        return {
          epochs: rows.length,
          made: of('made'),
          committed: of('committed'),
          quarantined: of('quarantined'),
          pending: of('pending'),
          lost: of('lost'),
          duplicates: of('duplicates'),
          conflicts: of('conflicts'),
        };
      };
      expect(await store.ledgerTotals('m1')).toMatchObject(await summed());
      await store.commit(batch([table(1)], { highestSeq: 5, held: [[3, 5]] }));
      expect(await store.ledgerTotals('m1')).toMatchObject({ ...(await summed()), lostByCause: { unnamed: 1 } });
      await everyKind();
      expect(await store.ledgerTotals('m1')).toMatchObject(await summed());
      store = await harness.reopen(store);
      expect(await store.ledgerTotals('m1')).toMatchObject({ ...(await summed()), conflicts: 2 });
      await store.purge('m1');
      expect(await store.ledgerTotals('m1')).toMatchObject({ epochs: 0, made: 0 });
    });

    test('a write that fails at any moment leaves a ledger that is right, and the next try completes it', async () => {
      await store.close();
      let writes = 0;
      let failAt = Number.POSITIVE_INFINITY;
      store = await harness.open({
        beforeWrite: () => {
          if (++writes === failAt) throw new Error('IO error: No space left on device');
        },
      });
      const batches = [
        batch([start(T0, null), table(2), ...windows(3, 0, 5)], { highestSeq: 7 }),
        batch([record(8, minute(6), { kind: 'poison', reason: 'x' }), ...windows(9, 6, 8)], {
          highestSeq: 12,
          held: [[8, 11]],
        }),
        batch([start(minute(20), epochA, { finalSeq: 12, count: 2 }), gap(2, 'overflow', [[11, 12]], T0, minute(9))], {
          epoch: epochB,
        }),
      ];
      for (const one of batches) {
        const before = await store.ledger('m1');
        failAt = writes + 1;
        await expect(store.commit(one)).rejects.toThrow();
        expect(await store.ledger('m1')).toEqual(before);
        expect(await check()).toMatchObject({ problems: [] });
        const { stored } = await store.commit(one);
        expect(stored).toBe(one.records.length);
        expect(await check()).toMatchObject({ problems: [] });
      }
      expect(await store.ledgerTotals('m1')).toMatchObject({
        made: 14,
        committed: 11,
        quarantined: 1,
        lost: 2,
        pending: 0,
      });
    });

    describe('missing minutes have a cause', () => {
      async function causes(): Promise<unknown> {
        const days = await store.coverage('m1', { fromMs: T0, toMs: T0 + DAY });
        return days[0]?.missingByCause;
      }
      async function twoStarts(
        second: Parameters<typeof start>[2],
        end: readonly IncomingRecord[] = [],
      ): Promise<void> {
        await store.commit(batch([start(T0, null), table(2), ...windows(3, 0, 5), ...end], { receivedMs: minute(5) }));
        await store.commit(
          batch(
            [
              start(minute(15), epochA, { finalSeq: 7 + end.length, count: 2, ...second }),
              tableAt(minute(15)),
              ...windows(3, 15, 20),
            ],
            {
              epoch: epochB,
              receivedMs: minute(20),
            },
          ),
        );
      }

      test.each([
        ['another boot without a word is a power cut', { boot: bootTwo }, [], { power_cut: 10 }],
        ['the same boot without a word is a crash', {}, [], { crash: 10 }],
        ['an agent that said so was stopped', {}, [stopped(8, minute(5))], { stopped: 10 }],
        [
          'a machine that was shut down in order was stopped',
          { boot: bootTwo },
          [stopped(8, minute(5))],
          { stopped: 10 },
        ],
        ['a start whose time is a guess says nothing of it', { dated: false }, [], { clock: 10 }],
      ] as const)('%s', async (_name, second, end, expected) => {
        await twoStarts(second, end);
        expect(await causes()).toEqual(expected);
      });

      test('a gap record names its time; the rest of the hole keeps its own cause', async () => {
        await twoStarts({ boot: bootTwo, finalSeq: 12 });
        await store.commit(
          batch([{ ...gap(8, 'overflow', [[8, 12]], minute(5), minute(9)), timeMs: minute(20) }], {
            epoch: epochB,
            receivedMs: minute(20),
          }),
        );
        expect(await causes()).toEqual({ overflow: 4, power_cut: 6 });
      });

      test('a gap record without a time lies between the neighbours of its seqs', async () => {
        await store.commit(batch([table(1), ...windows(2, 0, 3), ...windows(8, 6, 8)], { receivedMs: minute(8) }));
        await store.commit(
          batch([{ ...gap(10, 'corrupt', [[5, 7]], 0, 0), timeMs: minute(8) }], { receivedMs: minute(8) }),
        );
        expect(await causes()).toEqual({ corrupt: 3 });
      });

      test('so does one whose agent took it to be 1970', async () => {
        await store.commit(batch([table(1), ...windows(2, 0, 3), ...windows(8, 6, 8)], { receivedMs: minute(8) }));
        const named = gap(10, 'disk_full', [[5, 7]], MINUTE, 3 * MINUTE);
        await store.commit(batch([{ ...named, timeMs: minute(8) }], { receivedMs: minute(8) }));
        expect(await causes()).toEqual({ disk_full: 3 });
      });

      test('a window that never was, between others, is unknown', async () => {
        await store.commit(batch([table(1), ...windows(2, 0, 3), ...windows(5, 5, 8)], { receivedMs: minute(8) }));
        expect(await causes()).toEqual({ unknown: 2 });
      });

      test('a day is told in spans that fill it and sum to its counts', async () => {
        await twoStarts({ boot: bootTwo });
        const [day] = await store.coverage('m1', { fromMs: T0, toMs: T0 + DAY });
        expect(day!.spans).toEqual([
          { fromMs: T0, toMs: minute(5), state: 'covered', cause: null },
          { fromMs: minute(5), toMs: minute(15), state: 'missing', cause: 'power_cut' },
          { fromMs: minute(15), toMs: minute(20), state: 'covered', cause: null },
        ]);
        expect(day).toMatchObject({ covered: 10, missing: 10, pending: 0 });
      });
    });

    describe('identity', () => {
      const kinds = async () => (await store.identity('m1')).map(({ kind }) => kind);
      const live = (epoch: string, from: number, to: number, records: readonly IncomingRecord[]) =>
        store.commit(batch([...records, ...windows(3, from, to)], { epoch, receivedMs: minute(to) }));

      test('one chain of starts is one machine, whatever its disk did', async () => {
        await live(epochA, 0, 5, [start(T0, null), table(2)]);
        await live(epochB, 6, 9, [start(minute(6), epochA, { count: 2, finalSeq: 7 }), tableAt(minute(6))]);
        // While the disk failed: beside the chain, twice.
        for (const [epoch, at] of [
          [epochC, 10],
          [epochD, 12],
        ] as const) {
          await live(epoch, at, at + 1, [
            start(minute(at), at === 10 ? null : epochB, { finalSeq: 5, count: 100 + at, volatile: true }),
            tableAt(minute(at)),
          ]);
        }
        await live('e'.repeat(32), 14, 16, [
          start(minute(14), epochB, { count: 200, finalSeq: 5 }),
          tableAt(minute(14)),
        ]);
        expect(await kinds()).toEqual([]);
      });

      test('two children of one parent that both go on are a clone; their data stay apart', async () => {
        await live(epochA, 0, 5, [start(T0, null), table(2)]);
        const first = await live(epochB, 6, 9, [
          start(minute(6), epochA, { count: 2, finalSeq: 7 }),
          tableAt(minute(6)),
        ]);
        expect(first.identityChanged).toBeUndefined();
        const second = await live(epochC, 8, 10, [
          start(minute(8), epochA, { count: 2, finalSeq: 7, boot: bootTwo }),
          tableAt(minute(8)),
        ]);
        expect(second.identityChanged).toBe(true);
        const [finding] = await store.identity('m1');
        expect(finding).toMatchObject({
          kind: 'clone',
          parent: epochA,
          sinceMs: minute(10),
          epochs: [
            { epoch: epochB, boot: bootOne },
            { epoch: epochC, boot: bootTwo },
          ],
        });
        const rows = await store.ledger('m1');
        expect(rows.map(({ epoch, committed }) => [epoch, committed])).toEqual([
          [epochA, 7],
          [epochB, 5],
          [epochC, 4],
        ]);
        store = await harness.reopen(store);
        expect(await kinds()).toEqual(['clone']);
        // Both were there at once: that the one falls silent later makes them no less two.
        await store.commit(batch(windows(5, 10, 40), { epoch: epochC, receivedMs: minute(40) }));
        expect(await kinds()).toEqual(['clone']);
      });

      test('a clone is found by the newest of each branch, too', async () => {
        await live(epochA, 0, 5, [start(T0, null), table(2)]);
        await live(epochB, 6, 9, [start(minute(6), epochA, { count: 2, finalSeq: 7 }), tableAt(minute(6))]);
        await live(epochC, 400, 402, [start(minute(400), epochB, { count: 3, finalSeq: 5 }), tableAt(minute(400))]);
        await live(epochD, 600, 603, [
          start(minute(600), epochA, { count: 2, finalSeq: 7, boot: bootTwo }),
          tableAt(minute(600)),
        ]);
        expect(await kinds()).toEqual(['rolled_back']);
        // The other one speaks again, from an epoch that came of the first branch.
        await live('e'.repeat(32), 604, 606, [
          start(minute(604), epochC, { count: 4, finalSeq: 4 }),
          tableAt(minute(604)),
        ]);
        expect(await kinds()).toEqual(['clone']);
      });

      test('one branch that ended before the other began is a disk that was rolled back', async () => {
        await live(epochA, 0, 5, [start(T0, null), table(2)]);
        await live(epochB, 6, 9, [start(minute(6), epochA, { count: 2, finalSeq: 7 }), tableAt(minute(6))]);
        await live(epochC, 60, 62, [
          start(minute(60), epochA, { count: 2, finalSeq: 7, boot: bootTwo }),
          tableAt(minute(60)),
        ]);
        expect(await kinds()).toEqual(['rolled_back']);
      });

      test('soon after the other it may be a clone, until it has gone on alone', async () => {
        await live(epochA, 0, 5, [start(T0, null), table(2)]);
        await live(epochB, 6, 9, [start(minute(6), epochA, { count: 2, finalSeq: 7 }), tableAt(minute(6))]);
        await live(epochC, 11, 13, [
          start(minute(11), epochA, { count: 2, finalSeq: 7, boot: bootTwo }),
          tableAt(minute(11)),
        ]);
        expect(await kinds()).toEqual(['clone']);
        await store.commit(batch(windows(6, 13, 18), { epoch: epochC, receivedMs: minute(18) }));
        expect(await kinds()).toEqual(['rolled_back']);
      });

      test('the start of an epoch is its first record, or set aside', async () => {
        const strayed = { ...start(minute(1), epochB, { count: 9 }), seq: 2 };
        await store.commit(batch([start(T0, null), strayed], { receivedMs: minute(2) }));
        expect(await store.ledger('m1')).toMatchObject([{ epoch: epochA, parent: null, committed: 1, quarantined: 1 }]);
        expect((await store.quarantine('m1')).map(({ reason }) => reason)).toEqual([
          'the start of an epoch as its record 2',
        ]);
      });

      test('an epoch without a parent, though there were others, is another disk', async () => {
        await live(epochA, 0, 5, [start(T0, null), table(2)]);
        expect(await kinds()).toEqual([]);
        await live(epochB, 30, 35, [start(minute(30), null, { boot: bootTwo }), tableAt(minute(30))]);
        expect(await store.identity('m1')).toMatchObject([
          { kind: 'replaced', parent: null, epochs: [{ epoch: epochA }, { epoch: epochB }] },
        ]);
      });

      test('so it is when the first disk’s beginning was never heard', async () => {
        await live(epochB, 0, 5, [start(T0, epochA, { count: 9, finalSeq: 40 }), table(2)]);
        await live(epochC, 30, 35, [start(minute(30), null), tableAt(minute(30))]);
        expect(await kinds()).toEqual(['replaced']);
      });

      test('a guessed time is no evidence: neither of another disk, nor of a machine that lives on', async () => {
        const guessed = (records: readonly IncomingRecord[]) => records.map((one) => ({ ...one, dated: false }));
        // A start with a wrong clock lies before the disk's first one, for all that is known of it.
        await live(epochA, 60, 65, [start(minute(60), null), tableAt(minute(60))]);
        await store.commit(
          batch(
            guessed([
              start(minute(10), epochA, { count: 2, finalSeq: 7, boot: bootTwo }),
              tableAt(minute(10)),
              ...windows(3, 10, 12),
            ]),
            { epoch: epochB, receivedMs: minute(66) },
          ),
        );
        expect(await kinds()).toEqual([]);
        // Another one of that parent, when nobody knows until when the one before it lived.
        await live(epochC, 5, 8, [
          start(minute(5), epochA, { count: 2, finalSeq: 7, boot: bootOne }),
          tableAt(minute(5)),
        ]);
        expect(await kinds()).not.toContain('clone');
      });

      test('what was kept in memory before the disk first worked is no other disk', async () => {
        const inMemory = start(T0, null, { count: 2 ** 31, volatile: true });
        await live(epochB, 0, 20, [inMemory, tableAt(T0)]);
        await live(epochA, 30, 35, [start(minute(30), null), tableAt(minute(30))]);
        expect(await kinds()).toEqual([]);
      });

      test('one key with two contents is a conflict, and the first one stays', async () => {
        await store.commit(batch([table(1), ...windows(2, 0, 2)], { receivedMs: minute(2) }));
        const other = { ...summary(2, minute(1), [[9], [9]]), crc: 5 };
        expect(await store.commit(batch([other], { receivedMs: minute(3) }))).toMatchObject({ identityChanged: true });
        expect(await store.identity('m1')).toMatchObject([{ kind: 'conflict', epochs: [{ epoch: epochA }] }]);
        expect(await store.commit(batch([other], { receivedMs: minute(4) }))).not.toHaveProperty('identityChanged');
        expect((await store.ledger('m1'))[0]).toMatchObject({ committed: 3, conflicts: 1 });
      });
    });

    test('a table that was pruned is asked for and taken back under its settled seq', async () => {
      const names = Array.from({ length: 20 }, (_, i) => i.toString(16).padStart(16, '0'));
      await store.commit(
        batch([table(1), ...windows(2, 0, 1), ...names.map((hash, i) => table(10 + i, [load], hash))]),
      );
      await store.maintain(T0 + DAY, never);
      const early = summary(40, minute(2), [[5], [6]]);
      const { needTables } = await store.commit(batch([early]));
      if (needTables.length > 0) {
        expect(needTables).toEqual([tableHash]);
        const again = await store.commit(batch([early, table(1)]));
        expect(again).toMatchObject({ stored: 1, duplicates: 1, needTables: [], conflicts: [] });
      }
      const [columns] = await store.query('m1', [load.id], always, 'minute');
      expect([...columns!.mean]).toEqual([1, 5]);
      expect(await check()).toMatchObject({ problems: [] });
    });

    test('a table whose key is another record’s is known all the same: it is what its hash says', async () => {
      await store.commit(batch([table(1, [rare], '8899aabbccddeeff')]));
      const result = await store.commit(batch([{ ...table(1), crc: 5 }, ...windows(2, 0, 1)]));
      expect(result).toMatchObject({ stored: 1, conflicts: [1], needTables: [] });
      expect(await check()).toMatchObject({ problems: [] });
    });

    test('a table is read by its hash: the series that evidence names, in their order', async () => {
      await store.commit(batch([table(1), table(2, [rare, load], '8899aabbccddeeff')]));
      expect(await store.table('m1', '8899aabbccddeeff')).toEqual([rare, load]);
      store = await harness.reopen(store);
      expect(await store.table('m1', tableHash)).toMatchObject([{ name: 'load' }, { name: 'heat' }]);
      for (const [agent, hash] of [
        ['m2', tableHash],
        ['m1', 'ffffffffffffffff'],
        ['m1', '../..'],
      ] as const) {
        expect(await store.table(agent, hash)).toBeNull();
      }
    });

    test('what a process held in memory ends when the process is silent and its agent is not', async () => {
      const heard = (epoch: string, atMs: number, seqs: readonly number[], made = 10) =>
        store.commit(
          batch(
            seqs.map((seq) =>
              seq === 1
                ? start(atMs, null, { count: 900, volatile: true })
                : record(seq, atMs, { kind: 'document', name: 'top', json: {} }),
            ),
            { epoch, highestSeq: made, receivedMs: atMs },
          ),
        );
      const rowOf = async (epoch: string) => (await store.ledger('m1')).find((row) => row.epoch === epoch);
      const look = async () => {
        await store.maintain(T0 + DAY, never);
        expect(await check()).toMatchObject({ problems: [] });
        const { pending, lost } = await store.ledgerTotals('m1');
        const row = await rowOf(epochB);
        // Of the sums, which were asked for before, too.
        expect({ pending, lost }).toEqual({ pending: row!.pending, lost: row!.lost });
        return row;
      };
      await store.commit(batch([start(T0, null), table(2), ...windows(3, 0, 5)], { receivedMs: minute(5) }));
      await heard(epochB, minute(10), [1, 2, 3, 4]);
      const child = start(minute(14), epochA, { count: 2, finalSeq: 7 });
      const alive = (from: number, to: number, first: readonly IncomingRecord[] = []) =>
        store.commit(batch([...first, ...windows(from - 12, from, to)], { epoch: epochC, receivedMs: minute(to) }));
      await alive(15, 20, [child, tableAt(minute(14))]);
      // Not an hour after it was heard.
      await alive(20, 69);
      expect(await look()).toMatchObject({ pending: 6, lost: 0, settled: false });
      await alive(69, 71);
      expect(await look()).toMatchObject({ pending: 0, lostByCause: { volatile: 6 }, settled: true });
      const [day] = await store.coverage('m1', { fromMs: T0, toMs: minute(71) });
      expect(day).toMatchObject({ pending: 0, missingByCause: { crash: 6, volatile: 4 } });
      // It was not gone after all: what comes is committed, what it says that it holds is pending, and ends again.
      store = await harness.reopen(store);
      await heard(epochB, minute(80), [7, 8], 12);
      expect(await rowOf(epochB)).toMatchObject({ made: 12, committed: 6, pending: 2, lostByCause: { volatile: 4 } });
      await alive(71, 85);
      expect(await look()).toMatchObject({ pending: 2, lostByCause: { volatile: 4 }, settled: false });
      await alive(85, 145);
      expect(await look()).toMatchObject({ made: 12, committed: 6, pending: 0, lostByCause: { volatile: 6 } });
    });

    test('what was set aside loses its bytes by age and by number, and stays counted', async () => {
      await store.commit(
        batch(
          Array.from({ length: 10_050 }, (_, i) => record(i + 1, minute(i % 60), { kind: 'poison', reason: 'broken' })),
          { receivedMs: minute(60) },
        ),
      );
      // Of a record that cannot be read at all it is known when it came.
      await store.commit(batch([record(10_051, 0, { kind: 'poison', reason: 'worse' })], { receivedMs: minute(61) }));
      await store.maintain(T0 + DAY, never);
      const kept = await store.quarantine('m1');
      expect(kept).toHaveLength(10_000);
      expect(kept.find(({ reason }) => reason === 'worse')).toMatchObject({ timeMs: minute(61) });
      const row = { made: 10_051, quarantined: 10_051, lost: 0, pending: 0 };
      expect((await store.ledger('m1'))[0]).toMatchObject(row);
      expect(await check()).toMatchObject({ problems: [] });
      await store.maintain(T0 + 100 * DAY, never);
      expect(await store.quarantine('m1')).toEqual([]);
      expect((await store.ledger('m1'))[0]).toMatchObject(row);
      expect(await check()).toMatchObject({ problems: [] });
      expect(await store.commit(batch([record(7, minute(7), { kind: 'poison', reason: 'broken' })]))).toMatchObject({
        stored: 0,
        duplicates: 1,
      });
    });

    test('a crash loop of 5,000 starts: one row each, and a ledger that still answers', async () => {
      const starts = 5000;
      const id = (i: number): string => (i + 1).toString(16).padStart(32, '0');
      const all = Array.from({ length: starts }, (_, i) =>
        batch(
          [
            start(T0 + i * 10_000, i === 0 ? null : id(i - 1), { count: i + 1, finalSeq: 2 }),
            record(2, T0 + i * 10_000, { kind: 'document', name: 'inventory', json: {} }),
          ],
          { epoch: id(i), receivedMs: T0 + i * 10_000 },
        ),
      );
      for (let from = 0; from < starts; from += 250) {
        await Promise.all(all.slice(from, from + 250).map((one) => store.commit(one)));
      }
      await store.maintain(T0 + DAY, never);
      expect(await store.ledgerTotals('m1')).toMatchObject({
        epochs: starts,
        made: 2 * starts,
        committed: 2 * starts,
        lost: 0,
        pending: 0,
      });
      expect(await check()).toEqual({ epochs: starts, records: 2 * starts, thinned: 0, problems: [] });
      expect(await store.identity('m1')).toEqual([]);
      const rows = await store.ledger('m1');
      expect(rows.filter(({ settled }) => settled)).toHaveLength(starts - 1);
      // Every one is known again: by its seqs, and by what its seqs held.
      expect(await store.commit(all[17]!)).toMatchObject({ stored: 0, duplicates: 2, conflicts: [] });
      const other = { ...all[17]!.records[1]!, crc: 1 };
      expect(await store.commit({ ...all[17]!, records: [other] })).toMatchObject({ stored: 0, conflicts: [2] });
    });
  });
}
