/** What only the store on its disk can show: damage that a recount finds, rows that are counted, an older format. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLevelStore } from '../../central/store/level.ts';
import type { LedgerCheck } from '../../central/store/store.ts';
import {
  batch,
  DAY,
  epochA,
  epochB,
  event,
  HOUR,
  MINUTE,
  never,
  record,
  summary,
  T0,
  table,
  tableHash,
} from './store.fixture.ts';

type Raw = ClassicLevel<Buffer, Buffer>;

describe('the ledger on its disk', { timeout: 60_000 }, () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'picket-recount-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  async function raw<T>(work: (level: Raw) => Promise<T>): Promise<T> {
    const level: Raw = new ClassicLevel(directory, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
    try {
      return await work(level);
    } finally {
      await level.close();
    }
  }

  function keysOf(space: string): Promise<Buffer[]> {
    return raw(async (level) => (await level.keys().all()).filter((key) => key.toString('latin1', 0, 1) === space));
  }

  async function written(maintained: boolean): Promise<void> {
    const store = await openLevelStore(directory);
    const windows = Array.from({ length: 90 }, (_, i) => summary(2 + i, T0 + (i + 1) * MINUTE, [[1], [2]]));
    await store.commit(
      batch(
        [
          table(1),
          ...windows,
          record(92, T0 + HOUR, { kind: 'events', events: [event(T0 + HOUR, 'on')] }),
          record(93, T0 + HOUR, { kind: 'poison', reason: 'broken' }),
        ],
        { highestSeq: 100, held: [[1, 96]] },
      ),
    );
    await store.commit(
      batch(
        [
          record(1, T0, {
            kind: 'gap',
            epoch: epochA,
            ranges: [[97, 98]],
            cause: 'overflow',
            fromMs: T0,
            toMs: T0 + 1,
          }),
        ],
        { epoch: epochB },
      ),
    );
    if (maintained) await store.maintain(T0 + 3 * HOUR, never);
    await store.close();
  }

  async function recount(): Promise<LedgerCheck> {
    const store = await openLevelStore(directory);
    const check = await store.verifyLedger('m1');
    await store.close();
    return check;
  }

  const nextSeqs = (key: Buffer): number => key.readUIntBE(key.length - 6, 6);

  test.each([
    [
      'a window that came and is gone',
      false,
      'w',
      (key: Buffer) => nextSeqs(key) === 5,
      /its data \(window\) are not there: seq 5$/,
    ],
    [
      'what says which windows are in an hour’s chunks',
      true,
      'p',
      () => true,
      /its data \(window\) are not there: seqs 2 to 61$/,
    ],
    [
      'a run of keys',
      false,
      'q',
      (key: Buffer) => nextSeqs(key) === 1,
      /the ledger says committed, and no record is stored: seqs 1 to 92$/,
    ],
    ['an event', false, 'v', () => true, /its data \(event\) are not there: seq 92$/],
    ['a quarantined record', false, 'z', () => true, /its data \(quarantine\) are not there: seq 93$/],
    [
      'a gap record',
      false,
      'm',
      () => true,
      /lost \(overflow\) in the ledger, and no gap record names it: seqs 97 to 98$/,
    ],
    [
      'a row of the ledger',
      false,
      'e',
      (key: Buffer) => key.toString('hex', 5) === epochA,
      /the ledger has no such epoch/,
    ],
  ] as const)('a recount finds the loss of %s', async (_name, maintained, space, isOne, expected) => {
    await written(maintained);
    expect(await recount()).toMatchObject({ epochs: 2, problems: [] });
    const victims = (await keysOf(space)).filter(isOne).slice(0, 1);
    expect(victims).toHaveLength(1);
    await raw((level) => level.batch(victims.map((key) => ({ type: 'del', key }))));
    const { problems } = await recount();
    expect(
      problems.some((problem) => expected.test(problem)),
      problems.join('\n'),
    ).toBe(true);
    if (space !== 'e') expect(problems[0]).toContain(`epoch `);
  });

  test('a settled epoch that made little is one row of some bytes, whatever its loop made', async () => {
    const starts = 600;
    const id = (i: number): string => (i + 1).toString(16).padStart(32, '0');
    let store = await openLevelStore(directory);
    const commits = Array.from({ length: starts }, (_, i) => {
      const parent = i === 0 ? null : id(i - 1);
      return store.commit(
        batch(
          [
            record(1, T0 + i * 1000, {
              kind: 'epoch',
              parent,
              parentFinalSeq: i === 0 ? 0 : 2,
              start: i + 1,
              volatile: false,
            }),
            record(2, T0 + i * 1000, { kind: 'document', name: 'top', json: {} }),
          ].map((one) => ({ ...one, boot: '1'.repeat(32), monotonicMs: i * 1000 })),
          { epoch: id(i) },
        ),
      );
    });
    await Promise.all(commits);
    await store.maintain(T0 + DAY, never);
    await store.close();
    expect(await keysOf('e')).toHaveLength(starts);
    // Of the last one, which has no successor, the keys are beside its row.
    expect(await keysOf('q')).toHaveLength(1);
    expect(await keysOf('l')).toHaveLength(0);
    // Nor is there anything by which to file them anew.
    expect(await keysOf('F')).toHaveLength(1);
    const bytes = await raw(async (level) => {
      const rows = (await level.iterator().all()).filter(([key]) => key[0] === 'e'.charCodeAt(0));
      return rows.map(([key, value]) => key.length + value.length);
    });
    expect(Math.max(...bytes)).toBeLessThanOrEqual(150);
    expect(await recount()).toMatchObject({ epochs: starts, records: 2 * starts, problems: [] });
    // Old ones are ranges alone.
    store = await openLevelStore(directory, { retention: { minutesMs: 2 * DAY } });
    await store.maintain(T0 + 10 * DAY, never);
    await store.close();
    expect(await recount()).toMatchObject({ epochs: starts, records: 0, thinned: 2 * starts, problems: [] });
  });

  test('an epoch in memory costs a row at its end, too', async () => {
    const store = await openLevelStore(directory);
    const begun = (volatile: boolean) =>
      record(1, T0, { kind: 'epoch', parent: null, parentFinalSeq: 0, start: 1, volatile });
    const document = (seq: number) => record(seq, T0, { kind: 'document', name: 'top', json: {} });
    await store.commit(batch([begun(true), document(2)], { highestSeq: 5, receivedMs: T0 }));
    await store.commit(batch([begun(false), document(2)], { epoch: epochB, receivedMs: T0 + 2 * HOUR }));
    await store.maintain(T0 + 2 * HOUR, never);
    expect(await store.verifyLedger('m1')).toMatchObject({ records: 4, problems: [] });
    await store.close();
    expect(await keysOf('q')).toHaveLength(1);
    expect(await keysOf('V')).toHaveLength(0);
  });

  test('late data of an epoch that is folded already go into its row, too', async () => {
    const store = await openLevelStore(directory);
    const child = { kind: 'epoch', parent: epochA, parentFinalSeq: 6, start: 2, volatile: false } as const;
    await store.commit(batch([table(1), summary(2, T0 + MINUTE, [[1], [2]])], { highestSeq: 6, held: [] }));
    await store.commit(batch([record(1, T0 + HOUR, child)], { epoch: epochB }));
    await store.maintain(T0 + HOUR, never);
    for (const seq of [5, 3]) {
      await store.commit(batch([summary(seq, T0 + seq * MINUTE, [[1], [2]])], { highestSeq: 6, held: [] }));
      expect(await store.verifyLedger('m1')).toMatchObject({ problems: [] });
      await store.maintain(T0 + HOUR, never);
      expect(await store.verifyLedger('m1')).toMatchObject({ problems: [] });
    }
    expect((await store.ledger('m1'))[0]).toMatchObject({ made: 6, committed: 4, lost: 2, settled: true });
    const again = [table(1), summary(3, T0, [[1], [2]]), { ...summary(5, T0, [[9], [9]]), crc: 8 }];
    expect(await store.commit(batch(again, { highestSeq: 6, held: [] }))).toMatchObject({
      stored: 0,
      duplicates: 2,
      conflicts: [5],
    });
    await store.close();
    expect(await keysOf('q')).toHaveLength(1);
  });

  test('the keys of a long epoch are put together, and are all still known', async () => {
    let store = await openLevelStore(directory);
    await store.commit(batch([table(1)]));
    for (let i = 0; i < 200; i++) await store.commit(batch([summary(2 + i, T0 + (i + 1) * MINUTE, [[1], [2]])]));
    const child = { kind: 'epoch', parent: epochA, parentFinalSeq: 201, start: 2, volatile: false } as const;
    await store.commit(batch([record(1, T0 + DAY, child)], { epoch: epochB }));
    const before = await store.ledger('m1');
    await store.maintain(T0 + HOUR, never);
    expect(await store.ledger('m1')).toEqual(before);
    expect(await store.verifyLedger('m1')).toMatchObject({ records: 202, problems: [] });
    const other = { ...summary(77, T0, [[3], [4]]), crc: 4 };
    expect(await store.commit(batch([other, summary(78, T0, [[1], [2]])]))).toMatchObject({
      conflicts: [77],
      duplicates: 1,
    });
    await store.close();
    expect((await keysOf('q')).length).toBeLessThanOrEqual(3);
    store = await openLevelStore(directory);
    expect(await store.verifyLedger('m1')).toMatchObject({ records: 202, problems: [] });
    await store.close();
  });

  test('tables that nothing names are pruned, and the one that is named stays', async () => {
    const store = await openLevelStore(directory);
    const hash = (i: number): string => i.toString(16).padStart(16, '0');
    const tables = Array.from({ length: 20 }, (_, i) => table(10 + i, undefined, hash(i)));
    await store.commit(batch([table(1), summary(2, T0 + MINUTE, [[1], [2]]), ...tables]));
    await store.commit(batch([summary(40, T0 + DAY, [[1], [2]], { hash: hash(7) })]));
    await store.maintain(T0 + 2 * HOUR, never);
    const early = summary(41, T0 + 3 * HOUR, [[5], [6]]);
    expect(await store.commit(batch([early]))).toMatchObject({ needTables: [tableHash], stored: 0 });
    const named = summary(42, T0 + DAY + MINUTE, [[5], [6]], { hash: hash(7) });
    expect(await store.commit(batch([named]))).toMatchObject({ needTables: [], stored: 1 });
    await store.close();
    expect((await keysOf('t')).map((key) => key.toString('hex', 5))).toEqual([hash(7)]);
  });

  test('what tables are named by is looked through once a day, not with each hour', async () => {
    const store = await openLevelStore(directory);
    const hash = (i: number): string => i.toString(16).padStart(16, '0');
    const tables = (from: number) => Array.from({ length: 20 }, (_, i) => table(from + i, undefined, hash(from + i)));
    await store.commit(batch([table(1), summary(2, T0 + MINUTE, [[1], [2]]), ...tables(10)]));
    await store.maintain(T0 + HOUR, never);
    await store.commit(batch(tables(40)));
    await store.maintain(T0 + 2 * HOUR, never);
    expect(await store.table('m1', hash(45))).not.toBeNull();
    await store.maintain(T0 + 25 * HOUR, never);
    expect(await store.table('m1', hash(45))).toBeNull();
    await store.close();
  });

  test('a store of format 1 goes on: its rows are read, what it had settled is known by its ranges', async () => {
    await written(true);
    const rowBefore = await raw(async (level) => {
      const row = {
        epoch: epochA,
        parent: null,
        start: 1,
        volatile: false,
        made: 100,
        committed: [[1, 92]],
        quarantined: [[93, 93]],
        lost: { overflow: [[97, 98]] },
        unheld: [[99, 100]],
        duplicates: 3,
        firstMs: T0,
        lastMs: T0 + 90 * MINUTE,
      };
      for (const space of ['q', 'p', 'm', 'f', 'l']) {
        for (const key of await level.keys().all()) if (key.toString('latin1', 0, 1) === space) await level.del(key);
      }
      const [key] = (await level.keys().all()).filter((one) => one[0] === 0x65 && one.toString('hex', 5) === epochA);
      await level.put(key!, Buffer.from(JSON.stringify(row)));
      const [other] = (await level.keys().all()).filter((one) => one[0] === 0x65 && one.toString('hex', 5) === epochB);
      await level.del(other!);
      await level.put(Buffer.from('meta/format'), Buffer.from('1'));
      return row;
    });
    const store = await openLevelStore(directory);
    const [row] = await store.ledger('m1');
    expect(row).toMatchObject({
      made: rowBefore.made,
      committed: 92,
      quarantined: 1,
      lost: 4,
      pending: 3,
      duplicates: 3,
    });
    expect(await store.verifyLedger('m1')).toMatchObject({ thinned: 95, problems: [] });
    await store.commit(
      batch([summary(94, T0 + 2 * HOUR, [[1], [2]]), summary(5, T0 + 4 * MINUTE, [[1], [2]])], {
        highestSeq: 100,
        held: [[94, 96]],
      }),
    );
    expect(await store.verifyLedger('m1')).toMatchObject({ records: 1, problems: [] });
    expect((await store.ledger('m1'))[0]).toMatchObject({ committed: 93, pending: 2, duplicates: 4 });
    await store.close();
  });
});
