/** An outbox that lost all of its database, or lacks the tables that its records name. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FailoverOutbox } from '../../agent/outbox/failover.ts';
import {
  afterIndexKeys,
  decodeTableRow,
  encodeTableRow,
  epochKey,
  indexKey,
  recordKey,
  tableKey,
} from '../../agent/outbox/layout.ts';
import { openLevelOutbox } from '../../agent/outbox/level.ts';
import { MemoryShelf } from '../../agent/outbox/memory.ts';
import { beginning, type Cursor, type Outbox, type RecordClass, recordClasses } from '../../agent/outbox/outbox.ts';
import type { Op } from '../../agent/outbox/shelf.ts';
import { settled } from '../support/timers.ts';
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
  startsIn,
} from './outbox.harness.ts';

let time: ManualTime;
let options: ReturnType<typeof baseOptions>;

beforeEach(() => {
  time = new ManualTime();
  options = baseOptions(time, countingRandom());
});

const put = (outbox: Outbox, number: number) => outbox.append(record('detail', number), 'detail', { urgent: true });

describe('an outbox that lost its database whole', () => {
  let root: string;
  let directory: string;
  const open = () => openLevelOutbox({ ...options, directory });

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'picket-loss-'));
    directory = join(root, 'outbox');
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const losses: Readonly<Record<string, () => Promise<void>>> = {
    'the directory was deleted': () => rm(directory, { recursive: true }),
    'the directory was emptied': async () => {
      for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true });
    },
    'it does not open, nothing repairs it, and the journal is gone': async () => {
      await writeFile(join(directory, 'format-1', 'CURRENT'), 'nonsense');
      await rm(join(directory, 'journal'));
    },
  };

  it.each(Object.keys(losses))('names the parent and all that was held, where %s', async (how) => {
    const before = await open();
    const { epoch: first } = await put(before, 1);
    await put(before, 2);
    await before.close();
    const again = await open();
    const { epoch: second } = await put(again, 3);
    for (let i = 4; i <= 9; i++) await put(again, i);
    await again.ack(first, [[1, 2]]);
    await again.ack(second, [[2, 4]]);
    await again.close();
    await losses[how]!();

    const outbox = await open();
    await time.until(outbox.audited());
    const last = await put(outbox, 10);
    const entries = await everything(outbox);
    expect(startsIn(entries)).toMatchObject([{ epoch: last.epoch, parent: second, parentFinalSeq: 8, start: 3 }]);
    const gaps = gapsIn(entries);
    expect(gaps.every(({ cause }) => cause === 'corrupt')).toBe(true);
    expect(named(gaps, first)).toEqual([[3, 3]]);
    expect(named(gaps, second)).toEqual([
      [1, 1],
      [5, 8],
    ]);
    await outbox.close();

    // It is said once.
    const after = await open();
    await time.until(after.audited());
    await put(after, 11);
    expect(gapsIn(await everything(after)).length).toBe(gaps.length);
    await after.close();
  });

  it('goes on with what is in the journal where the database alone is lost', async () => {
    const before = await open();
    for (let i = 1; i <= 4; i++) await put(before, i);
    await before.close();
    await rm(join(directory, 'format-1'), { recursive: true });
    const outbox = await open();
    await time.until(outbox.audited());
    const entries = await everything(outbox);
    expect(entries.filter(({ recordClass }) => recordClass === 'detail').map(numberOf)).toEqual([1, 2, 3, 4]);
    expect(gapsIn(entries)).toEqual([]);
    await outbox.close();
  });

  it('knows after a kill what was made up to some 256 records or an hour before', async () => {
    const before = await open();
    const { epoch } = await put(before, 1);
    for (let i = 0; i < 300; i += 50) {
      const appends = Array.from({ length: 50 }, (_, j) => before.append(record('detail', i + j), 'detail'));
      await before.flush();
      await Promise.all(appends);
    }
    const first = await readFile(`${directory}.chain`);
    time.advance(3_600_000);
    const { seq } = await put(before, 1000);
    // These come after the note, and a kill writes none.
    for (let i = 0; i < 5; i++) await put(before, 2000 + i);
    const note = await readFile(`${directory}.chain`);
    expect(note.equals(first)).toBe(false);
    await before.close();
    await rm(directory, { recursive: true });
    await writeFile(`${directory}.chain`, note);
    const outbox = await open();
    await time.until(outbox.audited());
    await outbox.flush();
    expect(named(gapsIn(await everything(outbox)), epoch)).toEqual([[1, seq]]);
    await outbox.close();
  });

  it('goes on where the note alone is damaged', async () => {
    const before = await open();
    const first = await put(before, 1);
    await before.close();
    await writeFile(`${directory}.chain`, 'nonsense');
    const second = await open();
    await time.until(second.audited());
    const { epoch } = await put(second, 2);
    expect(startsIn(await everything(second)).at(-1)).toMatchObject({ epoch, parent: first.epoch, start: 2 });
    await second.close();
    expect((await readdir(root)).sort()).toEqual(['outbox', 'outbox.chain']);
  });
});

const TABLE = 'ab'.repeat(8);
const TABLE_RECORD = record('table', 77, 900);

describe('tables', () => {
  let disk: FlakyDisk;
  beforeEach(() => {
    disk = new FlakyDisk();
  });

  const summary = (outbox: Outbox, number: number) =>
    outbox.append(record('detail', number), 'detail', { urgent: true, table: TABLE });
  const tables = async (outbox: Outbox) => (await everything(outbox)).filter((entry) => entry.recordClass === 'table');

  it('go to memory too where the disk fails, ahead of what names them, and once', async () => {
    const outbox = await FailoverOutbox.over({ ...options, volatileBytes: 100_000 }, (hooks) =>
      disk.open({ ...options, ...hooks }),
    );
    await outbox.append(TABLE_RECORD, 'table', { urgent: true, table: TABLE });
    await summary(outbox, 1);
    disk.opens = 'bad';
    disk.writes = 'lost';
    void summary(outbox, 2).catch(() => {});
    await outbox.flush();
    const { epoch } = await summary(outbox, 3);
    await summary(outbox, 4);
    expect(outbox.epochs().find((state) => state.epoch === epoch)?.volatile).toBe(true);
    const held = await everything(outbox);
    const volatile = held.filter((entry) => entry.epoch === epoch).map(({ recordClass }) => recordClass);
    expect(volatile.filter((recordClass) => recordClass === 'table')).toHaveLength(1);
    expect(volatile.indexOf('table')).toBeLessThan(volatile.indexOf('detail'));
    const sent = await outbox.table(TABLE);
    expect(sent).toMatchObject({ epoch, recordClass: 'table' });
    expect(numberOf(sent!)).toBe(77);
    await outbox.close();
  });

  it('come again where the disk lost them', async () => {
    const outbox = await disk.open(options);
    await outbox.append(TABLE_RECORD, 'table', { urgent: true, table: TABLE });
    await summary(outbox, 1);
    disk.reads = 'bad';
    expect(await outbox.peek('detail', beginning, 1e6)).toEqual([]);
    disk.reads = 'good';
    disk.shelf = new MemoryShelf();
    const { epoch } = await time.until(summary(outbox, 2));
    expect(await outbox.table(TABLE)).toMatchObject({ epoch, recordClass: 'table' });
    await outbox.close();
  });

  it('come again where theirs was damaged', async () => {
    const outbox = await disk.open(options);
    const { seq } = await outbox.append(TABLE_RECORD, 'table', { urgent: true, table: TABLE });
    await summary(outbox, 1);
    const key = recordKey({ start: 1, seq, recordClass: 'table' });
    const value = Uint8Array.from((await disk.shelf.get(key))!);
    value[500]! ^= 4;
    await disk.shelf.write([{ type: 'put', key, value }]);
    expect(await tables(outbox)).toEqual([]);
    const again = await summary(outbox, 2);
    expect((await outbox.table(TABLE))?.seq).toBe(again.seq - 1);
    expect(await tables(outbox)).toHaveLength(1);
    await outbox.close();
  });

  it.each([
    ['too high', { start: 1, seq: 2, named: 99 }],
    ['too low', { start: 1, seq: 2, named: 0 }],
    ['of no table', { start: 0, seq: 0, named: 3 }],
  ])('are counted anew where a count is %s', async (how, row) => {
    const before = await disk.open(options);
    await before.append(TABLE_RECORD, 'table', { urgent: true, table: TABLE });
    const { epoch } = await summary(before, 1);
    await before.close();
    await disk.shelf.write([{ type: 'put', key: tableKey(TABLE), value: encodeTableRow(row) }]);
    // A count that is too low shows where something else was damaged: a row here.
    if (how !== 'too high') await disk.shelf.write([{ type: 'put', key: epochKey(1), value: Uint8Array.of(1) }]);

    const outbox = await disk.open({ ...options, keepAcknowledgedMs: 0 });
    await time.until(outbox.audited());
    expect(decodeTableRow((await disk.shelf.get(tableKey(TABLE)))!)).toEqual({ start: 1, seq: 2, named: 1 });
    await outbox.ack(epoch, [[1, 3]]);
    await outbox.flush();
    await put(outbox, 5);
    expect(await outbox.table(TABLE)).toBeNull();
    // The first record of an epoch stays until another has begun.
    expect(outbox.held(epoch)).toEqual([[1, 1]]);
    await outbox.close();
  });
});

it('tells when an audit found records that were not shown, as a reader may be past them', async () => {
  const disk = new FlakyDisk();
  let told = 0;
  const before = await disk.open(options);
  for (let i = 1; i <= 3; i++) await put(before, i);
  await before.close();
  // The row of their epoch is damaged: until the audit nobody knows of them.
  await disk.shelf.write([{ type: 'put', key: epochKey(1), value: Uint8Array.of(1) }]);
  const outbox = await disk.open({ ...options, onWorking: () => told++ });
  await time.until(outbox.audited());
  expect(told).toBe(1);
  expect((await outbox.peek('detail', beginning, 1e6)).map(numberOf)).toEqual([1, 2, 3]);
  await outbox.close();
});

describe('a reader that goes on from where it was, and looks anew only when told', () => {
  const place = (seq: number, recordClass: RecordClass) => ({ start: 1, seq, recordClass });
  const damages: Readonly<Record<string, readonly Op[]>> = {
    'index rows are gone': [2, 4].map((seq) => ({ type: 'del', key: indexKey(place(seq, 'incident')) })),
    'a record is gone': [{ type: 'del', key: recordKey(place(3, 'detail')) }],
    'a record is not what it was': [{ type: 'put', key: recordKey(place(3, 'detail')), value: new Uint8Array(90) }],
    'the row of the epoch is gone': [{ type: 'del', key: epochKey(1) }],
  };

  it.each(Object.keys(damages))('sees all that is to be sent in the end, where %s', async (what) => {
    const disk = new FlakyDisk();
    const before = await disk.open(options);
    for (let i = 1; i <= 5; i++) {
      const recordClass = i % 2 === 0 ? 'detail' : 'incident';
      await before.append(record(recordClass, i), recordClass, { urgent: true });
    }
    await before.close();
    await disk.shelf.write(damages[what]!);

    const { promise, resolve: letAudit } = Promise.withResolvers<void>();
    disk.keysAfter = promise;
    const cursors = new Map<RecordClass, Cursor>();
    const seen = new Set<string>();
    let anew = true;
    const onWorking = () => {
      anew = true;
    };
    const outbox = await FailoverOutbox.over({ ...options, volatileBytes: 100_000, onWorking }, (hooks) =>
      disk.open({ ...options, ...hooks }),
    );
    const look = async (): Promise<void> => {
      anew = false;
      for (const recordClass of recordClasses) {
        for (const entry of await outbox.peek(recordClass, cursors.get(recordClass) ?? beginning, 1e6)) {
          cursors.set(recordClass, entry.cursor);
          seen.add(`${entry.epoch} ${entry.seq}`);
        }
      }
    };
    // It is faster than the audit, and what it finds bad itself is named only after it.
    await look();
    letAudit();
    await time.until(outbox.audited());
    await outbox.flush();
    while (anew) {
      cursors.clear();
      await look();
      await outbox.flush();
    }
    const all = (await everything(outbox)).map(({ epoch, seq }) => `${epoch} ${seq}`);
    expect([...seen].filter((key) => all.includes(key)).sort()).toEqual(all.sort());
    expect(outbox.stats().pendingRecords).toBe(all.length);
    await outbox.close();
  });
});

it('says and writes nothing where records go while the audit runs', async () => {
  const disk = new FlakyDisk();
  const said: string[] = [];
  const note = (_: object, message: string) => said.push(message);
  const log = { debug: () => {}, info: note, warn: note, error: note };
  const all = { ...options, keepAcknowledgedMs: 0, commitBytes: 1e6, log };
  const before = await disk.open(all);
  const appends = Array.from({ length: 700 }, (_, i) => before.append(record('incident', i), 'incident'));
  await before.flush();
  const { epoch } = (await Promise.all(appends))[0]!;
  await before.close();
  const outbox = await disk.open(all);
  // Between two slices of the audit: some that it saw already, some that it will not see.
  await settled();
  await outbox.ack(epoch, [[2, 650]]);
  await outbox.flush();
  expect(outbox.held(epoch)).toEqual([
    [1, 1],
    [651, 701],
  ]);
  await time.until(outbox.audited());
  await outbox.flush();
  expect(said).toEqual([]);
  const left = await disk.shelf.keys(
    indexKey({ start: 0, seq: 0, recordClass: 'incident' }),
    afterIndexKeys('incident'),
    1000,
  );
  expect(left.length).toBe(51);
  await outbox.close();
});
