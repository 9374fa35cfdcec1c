import { expect, test } from 'vitest';
import type { EdgeRecord } from '../shared/wire/record.ts';
import { BootOffsets } from './dating.ts';

const bootA = 'a'.repeat(32);
const utcAtBootMs = Date.UTC(2026, 4, 1);

function record(fields: Partial<EdgeRecord>): EdgeRecord {
  const body = new Uint8Array(0);
  return { kind: 'top', bootId: bootA, monotonicMs: 1_000, wallMs: 5, wallTrusted: 'unknown', body, ...fields };
}

test('the least delay of a boot dates all its records, earlier ones too', () => {
  const offsets = new BootOffsets();
  offsets.heard('m1', bootA, 10_000, utcAtBootMs + 10_900);
  offsets.heard('m1', bootA, 20_000, utcAtBootMs + 20_003);
  offsets.heard('m1', bootA, 30_000, utcAtBootMs + 31_000);
  expect(offsets.date('m1', record({}))).toEqual({ timeMs: utcAtBootMs + 1_003, dated: true });
});

test('an offset that grew, because the clock there runs slow, is followed within two hours', () => {
  const offsets = new BootOffsets();
  for (let hour = 0; hour <= 6; hour++) {
    const atMs = hour * 3_700_000;
    offsets.heard('m1', bootA, atMs, utcAtBootMs + atMs + hour * 1_000);
  }
  expect(offsets.offsetMs('m1', bootA)).toBe(utcAtBootMs + 5_000);
});

test('another boot, and the same boot of another agent, are not dated by it', () => {
  const offsets = new BootOffsets();
  offsets.heard('m1', bootA, 10_000, utcAtBootMs + 10_000);
  expect(offsets.date('m1', record({ bootId: 'b'.repeat(32) }))).toEqual({ timeMs: 5, dated: false });
  expect(offsets.date('m2', record({}))).toEqual({ timeMs: 5, dated: false });
});

test('without a live offset trusted wall time holds, any other is a guess', () => {
  const offsets = new BootOffsets();
  expect(offsets.date('m1', record({ wallTrusted: 'yes' }))).toEqual({ timeMs: 5, dated: true });
  expect(offsets.date('m1', record({ wallTrusted: 'no' }))).toEqual({ timeMs: 5, dated: false });
});

test('boots without end do not fill the memory, and the newest stay', () => {
  const offsets = new BootOffsets();
  for (let i = 0; i < 1_000; i++) offsets.heard('m1', i.toString(16).padStart(32, '0'), 0, i);
  expect(offsets.offsetMs('m1', (0).toString(16).padStart(32, '0'))).toBeNull();
  expect(offsets.offsetMs('m1', (999).toString(16).padStart(32, '0'))).toBe(999);
});
