import { expect, test } from 'vitest';
import { tableHash } from '../shared/trust/hash.ts';
import { encodeSummary } from '../shared/wire/bodies.ts';
import { encodeColumns } from '../shared/wire/columns.ts';
import { frameRecord } from '../shared/wire/frame.ts';
import { encodeRecord } from '../shared/wire/record.ts';
import { emptyColumns } from '../shared/wire/summary.ts';
import { BootOffsets } from './dating.ts';
import { decodeIncoming } from './decode.ts';

const epoch = 'e'.repeat(32);
const bootId = 'b'.repeat(32);
const utcAtBootMs = Date.UTC(2026, 4, 1);

/** A window that ended at 60 s of its boot, told at 61 s by an agent whose wall clock is a day ahead, and who knows. */
function dated(endWallMs: number, receivedMs = utcAtBootMs + 300_000) {
  const body = encodeSummary({
    table: tableHash(new Uint8Array(1)),
    lengthMs: 60_000,
    nominalMs: 60_000,
    endMonotonicMs: 60_000,
    endWallMs,
    first: 0,
    columns: encodeColumns(emptyColumns(1)),
  });
  const wallMs = utcAtBootMs + 86_400_000 + 61_000;
  const record = encodeRecord({ kind: 'summary', bootId, monotonicMs: 61_000, wallMs, wallTrusted: 'no', body });
  const { timeMs, dated } = decodeIncoming('m1', epoch, frameRecord(epoch, 1, record), new BootOffsets(), receivedMs);
  return { timeMs, dated };
}

test('a window that ended by the central’s time dates its boot, though the wall clock is wrong', () => {
  expect(dated(utcAtBootMs + 60_000)).toEqual({ timeMs: utcAtBootMs + 60_000, dated: true });
});

test('a window that ended by the wrong clock, before that was known, dates nothing', () => {
  // Whether it came long after that time or before.
  expect(dated(utcAtBootMs + 86_400_000 + 60_000, utcAtBootMs + 9 * 86_400_000)).toMatchObject({ dated: false });
  expect(dated(utcAtBootMs + 86_400_000 + 60_000)).toMatchObject({ dated: false });
});

test('nor does a time that is later than when it came', () => {
  expect(dated(utcAtBootMs + 3_600_000)).toMatchObject({ dated: false });
});
