/** A week that nobody asked for: one-minute summaries and hourly rollups of 300 series in an outbox on disk. */
import { randomBytes } from 'node:crypto';
import { openLevelOutbox } from '../../agent/outbox/level.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { tableHash } from '../../shared/trust/hash.ts';
import { encodeSummary, encodeTable } from '../../shared/wire/codec.ts';
import { encodeColumns } from '../../shared/wire/columns.ts';
import { encodeRecord, type RecordKind } from '../../shared/wire/record.ts';
import { machineMinute, minuteOf } from './machine-minute.ts';

/** Different minutes, in turn: what compresses must not be one minute again and again. */
const MINUTES = 60;
/** Appends that wait for one commit together. */
const TOGETHER = 500;

export interface Backlog {
  readonly records: number;
  /** Of records, before framing. */
  readonly payloadBytes: number;
  readonly hours: number;
}

export const silentLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export const realTimers = {
  after: (delayMs: number, callback: () => void) => setTimeout(callback, delayMs),
  cancel: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
};

/** Fills an empty directory; the last window ended at `endMs`, all of an earlier boot with a trusted clock. */
export async function fillBacklog(directory: string, series: number, hours: number, endMs: number): Promise<Backlog> {
  const bootId = randomBytes(16).toString('hex');
  const startMs = endMs - hours * HOUR_MS;
  let nowMs = startMs;
  const outbox = await openLevelOutbox({
    directory,
    limitBytes: 256 * 1024 * 1024,
    keepAcknowledgedMs: 0,
    commitIntervalMs: 1_000,
    commitBytes: 1024 * 1024,
    clock: { monotonicMs: () => nowMs - startMs, wallMs: () => nowMs },
    timers: realTimers,
    random: (bytes) => randomBytes(bytes),
    bootId,
    log: silentLog,
    wall: () => ({ wallMs: nowMs, wallTrusted: 'yes' }),
  });
  const names = Array.from({ length: series }, (_, i) => {
    return { name: `bench.series.${i % 20}`, unit: '1', attributes: { of: String(i) } };
  });
  const tableBody = encodeTable(names);
  const table = tableHash(tableBody);
  const minutes = Array.from({ length: MINUTES }, (_, i) => encodeColumns(minuteOf(machineMinute(series, i), true)));
  let payloadBytes = 0;
  let records = 0;
  const waiting: Promise<unknown>[] = [];
  const append = (kind: RecordKind, body: Uint8Array, recordClass: 'table' | 'rollup' | 'detail'): void => {
    const record = encodeRecord({
      kind,
      bootId,
      monotonicMs: nowMs - startMs,
      wallMs: nowMs,
      wallTrusted: 'yes',
      body,
    });
    payloadBytes += record.length;
    records++;
    waiting.push(outbox.append(record, recordClass, { table }));
  };
  append('table', tableBody, 'table');
  for (let window = 1; window <= hours * 60; window++) {
    nowMs = startMs + window * MINUTE_MS;
    const of = (lengthMs: number) =>
      encodeSummary({
        table,
        lengthMs,
        nominalMs: lengthMs,
        endMonotonicMs: nowMs - startMs,
        endWallMs: nowMs,
        first: 0,
        columns: minutes[window % MINUTES]!,
      });
    append('summary', of(MINUTE_MS), 'detail');
    if (window % 60 === 0) append('rollup', of(HOUR_MS), 'rollup');
    if (waiting.length >= TOGETHER) await Promise.all(waiting.splice(0));
  }
  await outbox.flush();
  await Promise.all(waiting);
  await outbox.close();
  return { records, payloadBytes, hours };
}
