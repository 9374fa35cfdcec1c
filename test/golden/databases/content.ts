/**
 * What the golden databases hold. It is written by `scripts/golden-databases.ts` with the code of a release, and read by
 * `databases.test.ts` with the code of today, so it says in literals what must be found. A release that stores something
 * new adds to it what only databases from then on have.
 */
import { join } from 'node:path';
import { openLevelOutbox } from '../../../agent/outbox/level.ts';
import type { Outbox, RecordClass } from '../../../agent/outbox/outbox.ts';
import { openLevelStore } from '../../../central/store/level.ts';
import type { Store } from '../../../central/store/store.ts';
import { baseOptions, type ManualTime, record as outboxRecord } from '../../contract/outbox.harness.ts';
import {
  batch,
  coMoments,
  DAY,
  epochA,
  epochB,
  event,
  HOUR,
  incident,
  MINUTE,
  record,
  summary,
  T0,
  table,
} from '../../contract/store.fixture.ts';

export const outboxTable = '00112233445566aa';
/** Records of the first start, and of the second; each also has its epoch's first record. */
export const outboxCounts = { first: 60, second: 12 };
export const outboxMeta = { key: 'incarnation', value: Uint8Array.of(1, 2, 3, 250) };
const CLASSES: readonly RecordClass[] = ['detail', 'rollup', 'incident', 'detail'];

/** @param start which one it is: epochs are drawn by it */
export function openOutbox(root: string, time: ManualTime, start: number, limitBytes = 64_000_000): Promise<Outbox> {
  const random = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(start);
  return openLevelOutbox({ ...baseOptions(time, random), limitBytes, directory: join(root, 'outbox') });
}

/**
 * Two starts: the first is closed, the second is left open, as a power cut leaves it, with its last commit in the journal.
 * Record n has the number n as its body. Seqs 2 to 10 of the first epoch are settled.
 */
export async function fillOutbox(root: string, time: ManualTime): Promise<Outbox> {
  const first = await openOutbox(root, time, 1);
  await appendAll(first, 0, outboxCounts.first);
  await first.ack(first.epoch(), [[2, 10]]);
  await first.setMeta(outboxMeta.key, outboxMeta.value);
  await first.close();
  // With less room the journal is shorter than what there is, and what it has goes to the database.
  const second = await openOutbox(root, time, 2, 3_000_000);
  await appendAll(second, outboxCounts.first, outboxCounts.second);
  return second;
}

async function appendAll(outbox: Outbox, from: number, count: number): Promise<void> {
  const appended = Array.from({ length: count }, (_, i) => {
    const number = from + i;
    if (number === 0) return outbox.append(outboxRecord('table', number), 'table', { table: outboxTable });
    const recordClass = CLASSES[number % CLASSES.length]!;
    const names = recordClass === 'detail' ? { table: outboxTable } : {};
    return outbox.append(outboxRecord(recordClass, number, 40 + number), recordClass, names);
  });
  await outbox.flush();
  await Promise.all(appended);
}

export const storeDocument = { name: 'a machine', tags: ['x', 'y'], nested: { n: 0.5 } };
export const storeBlob = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);

/** Three hours of two series, written into chunks and rolled up, then ten minutes as they came; one of each record. */
export async function fillStore(directory: string, blobHash: string): Promise<Store> {
  const store = await openLevelStore(directory);
  await store.commit(
    batch([
      record(1, T0, { kind: 'epoch', parent: null, parentFinalSeq: 0, start: 1, volatile: false }),
      table(2),
      record(3, T0 + 10 * MINUTE, { kind: 'incident', incident: incident(1) }),
      record(4, T0 + MINUTE, { kind: 'events', events: [event(T0 + MINUTE, 'open')] }),
      record(5, T0 + MINUTE, { kind: 'document', name: 'inventory', json: { os: 'linux' } }),
      record(6, T0 + MINUTE, { kind: 'evidence', incidentEpoch: epochA, incidentSeq: 3, body: Uint8Array.of(7, 8) }),
      record(7, T0 + MINUTE, { kind: 'poison', reason: 'a bad body' }),
      record(8, T0 + MINUTE, { kind: 'unknown', number: 99 }),
      coMoments(9, T0 + HOUR, 'cpu', [1, 2]),
      ...Array.from({ length: 180 }, (_, i) => summary(10 + i, T0 + (i + 1) * MINUTE, [[i, i + 2], [-i]])),
      summary(190, T0 + HOUR, [[30, 32], [-30]], { kind: 'rollup' }),
    ]),
  );
  await store.maintain(T0 + DAY, new AbortController().signal);
  // Of the next epoch seqs 5 to 9 are named as lost, and 16 to 20 are still to come.
  await store.commit(
    batch(
      [
        record(1, T0 + 3 * HOUR, { kind: 'epoch', parent: epochA, parentFinalSeq: 190, start: 2, volatile: false }),
        table(2),
        record(3, T0 + 3 * HOUR, {
          kind: 'gap',
          epoch: epochB,
          ranges: [[5, 9]],
          cause: 'overflow',
          fromMs: T0 + 3 * HOUR,
          toMs: T0 + 3 * HOUR + 5 * MINUTE,
        }),
        ...Array.from({ length: 6 }, (_, i) => summary(10 + i, T0 + 3 * HOUR + (6 + i) * MINUTE, [[1000 + i], []])),
      ],
      {
        epoch: epochB,
        highestSeq: 20,
        held: [
          [1, 4],
          [10, 20],
        ],
      },
    ),
  );
  await store.saveBoots('m1', [{ id: '0'.repeat(32) }]);
  await store.documents.putAll([
    { namespace: 'golden', key: 'a', value: storeDocument },
    { namespace: 'golden', key: 'b', value: [1, 2] },
  ]);
  await store.documents.putBlob(blobHash, storeBlob);
  return store;
}
