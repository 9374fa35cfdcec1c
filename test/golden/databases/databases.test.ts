/**
 * Databases as released versions wrote them, opened by today's code, which finds all of it and goes on writing. What
 * today's code writes is held against the same words, so that they are right of it before it is released.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Outbox } from '../../../agent/outbox/outbox.ts';
import { openLevelStore } from '../../../central/store/level.ts';
import { sha256Hex } from '../../../shared/trust/hash.ts';
import { version } from '../../../shared/version.ts';
import { everything, ManualTime, numberOf, record as outboxRecord, startsIn } from '../../contract/outbox.harness.ts';
import {
  always,
  batch,
  DAY,
  epochA,
  epochB,
  HOUR,
  heat,
  load,
  MINUTE,
  summary,
  T0,
} from '../../contract/store.fixture.ts';
import {
  fillOutbox,
  fillStore,
  openOutbox,
  outboxCounts,
  outboxMeta,
  outboxTable,
  storeBlob,
  storeDocument,
} from './content.ts';
import { packDirectory, unpackDirectory } from './packed.ts';

const blobHash = sha256Hex(storeBlob);
const names = readdirSync(import.meta.dirname);
const kept = (prefix: string): string[] => names.filter((name) => name.startsWith(prefix) && name.endsWith('.gz'));

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'picket-golden-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const golden = (name: string) => {
  unpackDirectory(join(import.meta.dirname, name), join(root, 'old'));
  return join(root, 'old');
};

test('this version is among them', () => {
  expect(names).toContain(`agent-${version}.gz`);
  expect(names).toContain(`central-${version}.gz`);
});

describe('an outbox', () => {
  test.each(kept('agent-'))('of %s', async (name) => {
    const time = new ManualTime();
    const outbox = await openOutbox(golden(name), time, 3);
    await foundAgain(outbox);
    await goesOn(outbox);
    await time.until(outbox.close());
  });

  test('of today', async () => {
    const time = new ManualTime();
    const today = join(root, 'today');
    mkdirSync(today);
    const open = await time.until(fillOutbox(today, time));
    packDirectory(today, join(root, 'today.gz'));
    unpackDirectory(join(root, 'today.gz'), join(root, 'again'));
    const outbox = await openOutbox(join(root, 'again'), time, 3);
    await foundAgain(outbox);
    await time.until(outbox.close());
    await time.until(open.close());
  });

  async function foundAgain(outbox: Outbox): Promise<void> {
    const { first, second } = outboxCounts;
    const [old, newer] = outbox.epochs();
    expect(old).toMatchObject({ highestSeq: first + 1, held: [[1, first + 1]], settled: [[2, 10]], volatile: false });
    expect(newer).toMatchObject({ highestSeq: second + 1, held: [[1, second + 1]], settled: [], volatile: false });
    const pending = await everything(outbox);
    // The settled ones are the table, number 0, and the numbers to 8.
    const numbers = pending.filter(({ seq }) => seq > 1).map(numberOf);
    expect(numbers).toEqual(Array.from({ length: first + second - 9 }, (_, i) => i + 9));
    expect(pending.find(({ seq }) => seq === 12)).toMatchObject({ epoch: old!.epoch, recordClass: 'incident' });
    expect(startsIn(pending)).toMatchObject([
      { epoch: old!.epoch, parent: null },
      { epoch: newer!.epoch, parent: old!.epoch, parentFinalSeq: first + 1 },
    ]);
    expect((await outbox.table(outboxTable))?.seq).toBe(2);
    expect([...(await outbox.getMeta(outboxMeta.key))!]).toEqual([...outboxMeta.value]);
  }

  async function goesOn(outbox: Outbox): Promise<void> {
    const before = outbox.epochs();
    const appended = outbox.append(outboxRecord('rollup', 1000), 'rollup');
    await outbox.flush();
    const { epoch } = await appended;
    const start = startsIn(await everything(outbox)).find((one) => one.epoch === epoch);
    expect(start).toMatchObject({ parent: before.at(-1)!.epoch, parentFinalSeq: before.at(-1)!.highestSeq });
    await outbox.ack(before[0]!.epoch, [[1, before[0]!.highestSeq]]);
    expect((await everything(outbox)).map(({ epoch }) => epoch)).not.toContain(before[0]!.epoch);
  }
});

describe('a store', () => {
  test.each(kept('central-'))('of %s', (name) => foundAgain(golden(name)));

  test('of today', async () => {
    const store = await fillStore(join(root, 'today'), blobHash);
    await store.close();
    await foundAgain(join(root, 'today'));
  });

  async function foundAgain(directory: string): Promise<void> {
    const store = await openLevelStore(directory);
    try {
      expect(await store.settled('m1', epochA)).toEqual([[1, 190]]);
      expect(await store.settled('m1', epochB)).toEqual([
        [1, 3],
        [10, 15],
      ]);
      expect(await store.ledgerTotals('m1')).toMatchObject({
        epochs: 2,
        made: 210,
        // The body that was bad is settled, and set aside.
        committed: 198,
        quarantined: 1,
        lost: 5,
        lostByCause: { overflow: 5 },
        pending: 6,
        conflicts: 0,
      });
      expect((await store.verifyLedger('m1')).problems).toEqual([]);

      const [minutes, other] = await store.query('m1', [load.id, heat.id], always, 'minute');
      // The mean of i and i + 2, and then of 1000 + i alone.
      expect(rounded(minutes!.mean)).toEqual([
        ...Array.from({ length: 180 }, (_, i) => i + 1),
        ...six((i) => 1000 + i),
      ]);
      expect([...minutes!.timesMs].slice(-6)).toEqual(six((i) => T0 + 3 * HOUR + (6 + i) * MINUTE));
      expect(rounded(other!.last)).toEqual([...Array.from({ length: 180 }, (_, i) => 0 - i), ...six(() => Number.NaN)]);
      const [hours] = await store.query('m1', [load.id], always, 'hour');
      expect([...hours!.timesMs].slice(0, 3)).toEqual([T0 + HOUR, T0 + 2 * HOUR, T0 + 3 * HOUR]);
      expect([...hours!.count].slice(1, 3)).toEqual([120, 120]);
      // Minutes 60 to 119 have means from 61 to 120.
      expect(hours!.mean[1]).toBeCloseTo(90.5, 3);

      expect(await store.incidents(always)).toMatchObject([{ agent: 'm1', revision: 1, title: 'revision 1' }]);
      expect(await store.events('m1', always, 10)).toMatchObject([{ atMs: T0 + MINUTE, to: 'open' }]);
      expect(await store.document('m1', 'inventory')).toEqual({ timeMs: T0 + MINUTE, json: { os: 'linux' } });
      expect((await store.evidence('m1', epochA, 3)).map((bytes) => [...bytes])).toEqual([[7, 8]]);
      expect(await store.quarantine('m1')).toMatchObject([{ epoch: epochA, seq: 7, reason: 'a bad body' }]);
      const groups = [];
      for await (const hour of store.coMoments('m1', always)) groups.push(hour);
      expect(groups).toMatchObject([{ group: 'cpu', timeMs: T0 + HOUR }]);
      expect([...groups[0]!.coMoments.mean]).toEqual([1, 2]);
      expect(await store.boots('m1')).toEqual([{ id: '0'.repeat(32) }]);
      expect(await store.documents.list('golden')).toEqual([
        { key: 'a', value: storeDocument },
        { key: 'b', value: [1, 2] },
      ]);
      expect([...(await store.documents.getBlob(blobHash))!]).toEqual([...storeBlob]);

      // It goes on: what was pending comes, and the hourly work is done on old and new alike.
      const late = Array.from({ length: 5 }, (_, i) => summary(16 + i, T0 + 3 * HOUR + (12 + i) * MINUTE, [[5], [6]]));
      const held = { epoch: epochB, highestSeq: 20, held: [[16, 20]] as const };
      expect(await store.commit(batch(late, held))).toMatchObject({ stored: 5, duplicates: 0, conflicts: [] });
      await store.maintain(T0 + 2 * DAY, new AbortController().signal);
      const [all] = await store.query('m1', [load.id], always, 'minute');
      expect(rounded(all!.mean).slice(-6)).toEqual([1005, 5, 5, 5, 5, 5]);
      expect(all!.mean.length).toBe(191);
      expect((await store.verifyLedger('m1')).problems).toEqual([]);
    } finally {
      await store.close();
    }
  }

  /** Stored values have steps, far below what their noise is; and there is no minus zero here. */
  const rounded = (values: Float64Array): number[] => Array.from(values, (value) => Math.round(value * 100) / 100 + 0);
  const six = (value: (i: number) => number): number[] => Array.from({ length: 6 }, (_, i) => value(i));
});
