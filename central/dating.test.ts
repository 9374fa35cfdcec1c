import { expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../shared/limits.ts';
import type { EdgeRecord } from '../shared/wire/record.ts';
import { type BootRow, emptyRow } from './dating/row.ts';
import { BootOffsets } from './dating.ts';

const bootA = 'a'.repeat(32);
const bootB = 'b'.repeat(32);
const bootC = 'c'.repeat(32);
const epochOf = (boot: string): string => boot[0]!.toUpperCase().repeat(32).toLowerCase();
const utcAtBootMs = Date.UTC(2026, 4, 1);
const LATER = utcAtBootMs + 300 * DAY_MS;

function record(fields: Partial<EdgeRecord>): EdgeRecord {
  const body = new Uint8Array(0);
  return { kind: 'top', bootId: bootA, monotonicMs: 1_000, wallMs: 5, wallTrusted: 'unknown', body, ...fields };
}

/** A record comes, and is dated. */
function taken(offsets: BootOffsets, fields: Partial<EdgeRecord>, receivedMs = LATER) {
  const made = record(fields);
  offsets.noted('m1', made, receivedMs);
  return offsets.date('m1', made);
}

/** A central that starts again: what is left is what was written. */
async function restarted(offsets: BootOffsets): Promise<BootOffsets> {
  const rows = JSON.parse(JSON.stringify(offsets.changed('m1'))) as BootRow[];
  const again = new BootOffsets(async () => rows);
  await again.load('m1');
  return again;
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
  expect(offsets.offsetMs('m1', bootB)).toBeNull();
  expect(offsets.offsetMs('m2', bootA)).toBeNull();
});

test('a central that starts again dates the late backlog of a boot that is over as before', async () => {
  const offsets = new BootOffsets();
  offsets.heard('m1', bootA, 10_000, utcAtBootMs + 10_000);
  const again = await restarted(offsets);
  expect(taken(again, { wallMs: 3 })).toEqual({ timeMs: utcAtBootMs + 1_000, dated: true });
});

test('a wall clock that the agent had compared dates its boot, the time before that too', () => {
  const offsets = new BootOffsets();
  const early = taken(offsets, { monotonicMs: 60_000, wallMs: 60_005 });
  expect(early.dated).toBe(false);
  taken(offsets, { monotonicMs: 90_000, wallMs: utcAtBootMs + 90_000, wallTrusted: 'yes' });
  expect(taken(offsets, { monotonicMs: 60_000, wallMs: 60_005 })).toEqual({
    timeMs: utcAtBootMs + 60_000,
    dated: true,
  });
  expect(offsets.due(LATER)).toMatchObject([{ agent: 'm1', bootId: bootA, dated: true }]);
});

test('a live offset is believed before a wall clock, trusted or not', () => {
  const offsets = new BootOffsets();
  taken(offsets, { monotonicMs: 90_000, wallMs: utcAtBootMs + 91_900, wallTrusted: 'yes' });
  offsets.heard('m1', bootA, 95_000, utcAtBootMs + 95_000);
  expect(taken(offsets, { monotonicMs: 100_000, wallMs: 7, wallTrusted: 'yes' }).timeMs).toBe(utcAtBootMs + 100_000);
});

test('a boot that was never online lies between its neighbours in the chain, not dated', () => {
  const offsets = new BootOffsets();
  const start = (boot: string, n: number): void =>
    offsets.started('m1', boot, epochOf(boot), { parent: null, parentFinalSeq: 0, start: n, volatile: false });
  offsets.heard('m1', bootA, HOUR_MS, utcAtBootMs + HOUR_MS);
  taken(offsets, { monotonicMs: HOUR_MS });
  start(bootA, 1);
  offsets.heard('m1', bootC, 1_000, utcAtBootMs + 10 * HOUR_MS + 1_000);
  taken(offsets, { bootId: bootC });
  start(bootC, 3);
  // 1970 there, for two hours
  offsets.noted('m1', record({ bootId: bootB, monotonicMs: 2 * HOUR_MS }), LATER);
  start(bootB, 2);
  // 10 h less 1 h of A and 2 h of B leave 7 h, half before and half behind
  const expected = { timeMs: utcAtBootMs + HOUR_MS + 3.5 * HOUR_MS + 2 * HOUR_MS, dated: false };
  expect(offsets.date('m1', record({ bootId: bootB, monotonicMs: 2 * HOUR_MS }))).toEqual(expected);
});

test('what was filed by a guess is due when the offset is known, and only then', () => {
  const offsets = new BootOffsets();
  taken(offsets, {});
  expect(offsets.due(LATER)).toEqual([]);
  offsets.heard('m1', bootA, 10_000, utcAtBootMs + 10_000);
  const [due] = offsets.due(LATER);
  expect(due).toMatchObject({ agent: 'm1', bootId: bootA, dated: true });
  offsets.refiled(due!);
  expect(offsets.due(LATER)).toEqual([]);
});

test('an offset that gets better by more than a second makes its records due, a small one does not', () => {
  const offsets = new BootOffsets();
  offsets.heard('m1', bootA, 10_000, utcAtBootMs + 10_000 + 1_900);
  taken(offsets, {});
  offsets.heard('m1', bootA, 11_000, utcAtBootMs + 11_000 + 1_100);
  expect(offsets.due(LATER)).toEqual([]);
  // Together more than a second, though each step was less.
  offsets.heard('m1', bootA, 12_000, utcAtBootMs + 12_000 + 300);
  expect(offsets.due(LATER)).toHaveLength(1);
});

test('what is due stays due over a restart', async () => {
  const offsets = new BootOffsets();
  taken(offsets, {});
  offsets.heard('m1', bootA, 10_000, utcAtBootMs + 10_000);
  expect((await restarted(offsets)).due(LATER)).toHaveLength(1);
});

test('two months online with a drift of 20 ppm: nothing is ever due, and the last minute is dated right', () => {
  const offsets = new BootOffsets();
  for (let atMs = 0; atMs < 60 * DAY_MS; atMs += 10 * MINUTE_MS) {
    const utcMs = utcAtBootMs + atMs * (1 + 20e-6);
    offsets.heard('m1', bootA, atMs, utcMs + 40 + (atMs % 7) * 30);
    const { timeMs } = taken(offsets, { monotonicMs: atMs }, utcMs);
    expect(Math.abs(timeMs - utcMs)).toBeLessThan(500);
  }
  expect(offsets.due(LATER)).toEqual([]);
});

test('boots that are placed move when more of the chain is known, once nothing has come for a while', () => {
  const offsets = new BootOffsets();
  const start = (boot: string, n: number): void =>
    offsets.started('m1', boot, epochOf(boot), { parent: null, parentFinalSeq: 0, start: n, volatile: false });
  offsets.noted('m1', record({ bootId: bootB, monotonicMs: HOUR_MS }), LATER);
  start(bootB, 2);
  const before = offsets.date('m1', record({ bootId: bootB }));
  offsets.heard('m1', bootC, 1_000, utcAtBootMs + 1_000);
  offsets.noted('m1', record({ bootId: bootC }), LATER);
  start(bootC, 3);
  expect(offsets.due(LATER + 1_000)).toEqual([]);
  const [due] = offsets.due(LATER + 60_000);
  expect(due).toMatchObject({ bootId: bootB, dated: false });
  expect(before.timeMs).toBeGreaterThan(utcAtBootMs);
  expect(due!.knots[0]![1]).toBe(utcAtBootMs - HOUR_MS);
});

test('a replaced disk is another chain: its first boot is not between those of the old one', () => {
  const offsets = new BootOffsets();
  for (const [i, boot] of [bootA, bootB].entries()) {
    offsets.heard('m1', boot, 1_000, utcAtBootMs + i * DAY_MS);
    taken(offsets, { bootId: boot });
    offsets.started('m1', boot, epochOf(boot), { parent: null, parentFinalSeq: 0, start: i + 1, volatile: false });
  }
  offsets.noted('m1', record({ bootId: bootC }), LATER);
  offsets.started('m1', bootC, epochOf(bootC), { parent: null, parentFinalSeq: 0, start: 1, volatile: false });
  expect(offsets.date('m1', record({ bootId: bootC })).timeMs).toBeGreaterThan(utcAtBootMs + DAY_MS);
});

test('a central whose clock was an hour ahead and is set right: what was fitted before gives way', () => {
  const offsets = new BootOffsets();
  for (let minute = 0; minute < 30; minute++)
    offsets.heard('m1', bootA, minute * MINUTE_MS, utcAtBootMs + minute * MINUTE_MS);
  const at = (minute: number): number => utcAtBootMs + HOUR_MS + minute * MINUTE_MS;
  for (let minute = 30; minute < 45; minute++) offsets.heard('m1', bootA, minute * MINUTE_MS, at(minute));
  expect(offsets.offsetMs('m1', bootA)).toBe(utcAtBootMs + HOUR_MS);
});

test('boots without end do not fill the memory, and the newest stay', () => {
  const offsets = new BootOffsets();
  const name = (i: number): string => i.toString(16).padStart(32, '0');
  for (let i = 0; i < 6_000; i++) offsets.heard('m1', name(i), 0, i);
  expect(offsets.offsetMs('m1', name(0))).toBeNull();
  expect(offsets.offsetMs('m1', name(5_999))).toBe(5_999);
  expect(offsets.changed('m1').length).toBeLessThanOrEqual(4_096);
});

test('nor do they after a start, from what is stored', async () => {
  const name = (i: number): string => i.toString(16).padStart(32, '0');
  const rows = Array.from({ length: 6_000 }, (_, i): BootRow => ({ ...emptyRow(name(i), 0, i), live: [[0, i]] }));
  const offsets = new BootOffsets(async () => rows);
  await offsets.load('m1');
  const known = rows.filter(({ id }) => offsets.offsetMs('m1', id) !== null);
  expect(known.map(({ id }) => id)).toEqual(rows.slice(-4_096).map(({ id }) => id));
});
