/**
 * What a store lives through in its time, one thing after the other: records under wrong times, the hourly rewriting,
 * filing anew, the end of an epoch in memory, a backup, deletion by age. After each the recount finds the ledger right.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BackupFile } from '../../central/backup/read.ts';
import { restoreBackup } from '../../central/backup/restore.ts';
import { writeBackup } from '../../central/backup/write.ts';
import { type LevelStore, openLevelStore } from '../../central/store/level.ts';
import type { IncomingRecord } from '../../central/store/store.ts';
import {
  batch,
  DAY,
  epochA,
  epochB,
  epochC,
  event,
  HOUR,
  incident,
  MINUTE,
  never,
  record,
  summary,
  T0,
  table,
} from './store.fixture.ts';

const boot = 'd'.repeat(32);
const PASSPHRASE = 'a passphrase of the tests';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'picket-life-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Made in the boot, and filed two days too early. */
function wrong(records: readonly IncomingRecord[]): IncomingRecord[] {
  return records.map((one) => ({
    ...one,
    boot,
    monotonicMs: one.timeMs - T0,
    timeMs: one.timeMs - 2 * DAY,
    dated: false,
  }));
}

const begun = (start: number, parent: string | null, finalSeq: number, volatile = false): IncomingRecord =>
  record(1, T0, { kind: 'epoch', parent, parentFinalSeq: finalSeq, start, volatile });

async function restored(
  store: LevelStore,
  data: string,
  open: (directory: string) => Promise<LevelStore>,
): Promise<LevelStore> {
  const { format, pairs, close } = await store.everything();
  async function* entries() {
    yield { kind: 'file', name: 'keys/keys.json', value: Buffer.from('{}') } as const;
    for await (const [key, value] of pairs) yield { kind: 'pair', key, value } as const;
  }
  const header = { version: '0.1.0', madeMs: T0, storeFormat: format, agents: 1 };
  const parts: Buffer[] = [];
  for await (const part of writeBackup(header, PASSPHRASE, entries(), { N: 2, r: 8, p: 1 })) parts.push(part);
  await close();
  await store.close();
  await writeFile(join(folder, 'backup'), Buffer.concat(parts));
  const backup = await BackupFile.open(join(folder, 'backup'), async () => PASSPHRASE);
  await restoreBackup(backup, data, () => T0);
  await backup.close();
  return open(join(data, 'store'));
}

test('after everything that a store does the recount finds its ledger right', async () => {
  const disk = { writes: 0, failAt: Number.POSITIVE_INFINITY };
  const open = (directory: string) =>
    openLevelStore(directory, {
      retention: { minutesMs: 14 * DAY, hoursMs: 40 * DAY },
      beforeWrite: () => {
        if (++disk.writes >= disk.failAt) throw new Error('killed');
      },
    });
  let store = await open(join(folder, 'store'));
  let made = 0;
  const right = async (step: string): Promise<void> => {
    expect((await store.verifyLedger('m1')).problems, step).toEqual([]);
    const totals = await store.ledgerTotals('m1');
    expect(totals.committed + totals.quarantined + totals.lost + totals.pending, step).toBe(totals.made);
    expect(totals.made, step).toBeGreaterThanOrEqual(made);
    made = totals.made;
  };
  /** The same work is ended before each of its writes in turn, and then done. */
  const whole = async (step: string, work: () => Promise<unknown>): Promise<void> => {
    for (let after = 1; ; after++) {
      disk.failAt = disk.writes + after;
      const done = await work().then(
        () => true,
        () => false,
      );
      disk.failAt = Number.POSITIVE_INFINITY;
      await right(done ? step : `${step}, ended before write ${after}`);
      if (done) return;
    }
  };
  const maintain = (atMs: number) => () => store.maintain(atMs, never);
  // A start in memory, whose process ends; and one on the disk that runs for months.
  await store.commit(
    batch([begun(1, null, 0, true), record(2, T0, { kind: 'document', name: 'top', json: {} })], {
      epoch: epochB,
      highestSeq: 9,
      receivedMs: T0,
    }),
  );
  const day = [
    begun(2, null, 0),
    table(2),
    ...Array.from({ length: 200 }, (_, i) => summary(3 + i, T0 + (i + 1) * MINUTE, [[i], [2]])),
    summary(203, T0 + HOUR, [[1], [2]], { kind: 'rollup' }),
    record(204, T0 + HOUR, { kind: 'events', events: [event(T0 + HOUR, 'on')] }),
    record(205, T0 + HOUR, { kind: 'incident', incident: incident(1, { seq: 205 }) }),
    record(206, T0 + HOUR, { kind: 'unknown', number: 99 }),
    record(207, T0 + HOUR, { kind: 'evidence', incidentEpoch: epochA, incidentSeq: 205, body: Uint8Array.of(1) }),
    record(208, T0 + HOUR, { kind: 'poison', reason: 'broken' }),
    // By an agent that took it to be 1970.
    record(209, T0 + HOUR, { kind: 'gap', epoch: epochA, ranges: [[210, 220]], cause: 'overflow', fromMs: 5, toMs: 9 }),
  ];
  await store.commit(
    batch(wrong(day), {
      highestSeq: 230,
      held: [
        [1, 209],
        [221, 230],
      ],
      receivedMs: T0 + 4 * HOUR,
    }),
  );
  await right('records of every kind');
  await whole('the hourly rewriting, and the end of the epoch in memory', maintain(T0 + 5 * HOUR));
  expect(await store.ledgerTotals('m1')).toMatchObject({ lostByCause: { volatile: 7, overflow: 11 }, pending: 10 });
  await store.commit(
    batch(wrong([summary(221, T0 + 210 * MINUTE, [[1], [2]])]), { highestSeq: 230, held: [[221, 230]] }),
  );
  await right('late data');
  const refiling = { utcMs: (ms: number) => T0 + ms, dated: true };
  await whole('filing anew', () => store.refile('m1', boot, refiling, never));
  const [covered] = await store.coverage('m1', { fromMs: T0, toMs: T0 + DAY });
  expect(covered).toMatchObject({ covered: 201 });
  await whole('the rewriting of what was filed anew', maintain(T0 + 6 * HOUR));
  store = await restored(store, join(folder, 'data'), open);
  await right('a backup, restored');
  // The process on the disk goes on; a gap that it named early is of an epoch that lives.
  const later = (seq: number, atDay: number) => summary(seq, T0 + atDay * DAY, [[1], [2]]);
  const goOn = async (seq: number, atDay: number): Promise<void> => {
    await store.commit(batch([later(seq, atDay)], { highestSeq: seq, receivedMs: T0 + atDay * DAY }));
    await whole(`day ${atDay}`, maintain(T0 + atDay * DAY + HOUR));
  };
  await goOn(231, 13);
  await goOn(232, 20);
  await goOn(233, 45);
  await goOn(234, 90);
  await store.commit(batch([begun(3, epochA, 234)], { epoch: epochC, receivedMs: T0 + 91 * DAY }));
  await whole('a successor, by which it is settled', maintain(T0 + 91 * DAY));
  await whole('all by age', maintain(T0 + 200 * DAY));
  // What comes late after all that is still taken, and known.
  expect(await store.commit(batch([summary(210, T0 + HOUR, [[1], [2]])]))).toMatchObject({ stored: 1 });
  expect(await store.commit(batch([summary(210, T0 + HOUR, [[1], [2]])]))).toMatchObject({ duplicates: 1 });
  await whole('late data of what was thinned', maintain(T0 + 201 * DAY));
  await store.close();
}, 60_000);

test('what may be gone by age is never less than it was: a late hour brings nothing back', async () => {
  const directory = join(folder, 'store');
  let store = await openLevelStore(directory, { retention: { minutesMs: DAY } });
  const windows = Array.from({ length: 4 * 24 }, (_, i) => summary(2 + i, T0 + (i + 1) * HOUR, [[i], [1]]));
  await store.commit(batch([table(1), ...windows], { receivedMs: T0 + 4 * DAY }));
  await store.maintain(T0 + 4 * DAY + HOUR, never);
  await store.close();
  // Too large, and stopped right after it has said what it is going to delete.
  const stop = new AbortController();
  let writes = 0;
  const beforeWrite = (): void => {
    if (++writes === 4) stop.abort();
  };
  store = await openLevelStore(directory, { retention: { minutesMs: 30 * DAY, maxBytes: 1 }, beforeWrite });
  await store.commit(batch([summary(200, T0 + 30 * MINUTE, [[1], [2]])], { receivedMs: T0 + 4 * DAY }));
  await store.maintain(T0 + 4 * DAY + HOUR, stop.signal);
  await store.close();
  const level = new ClassicLevel(directory);
  const hour = Number(await level.get('meta/thinned'));
  await level.close();
  expect(stop.signal.aborted).toBe(true);
  expect(hour).toBeGreaterThanOrEqual(T0 / HOUR + 3 * 24);
});
