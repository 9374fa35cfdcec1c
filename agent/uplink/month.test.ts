import { expect, test } from 'vitest';
import { DAY_MS } from '../../shared/limits.ts';
import { MONTH_MS, Month, SLOT_MS } from './month.ts';

const START = 1_000 * DAY_MS;

test('what is older than 30 days counts no more, and nothing earlier is forgotten', () => {
  const month = new Month(START);
  month.spend(100, START);
  expect(month.used(START + MONTH_MS - 1)).toBe(100);
  expect(month.used(START + MONTH_MS + SLOT_MS)).toBe(0);
});

test('time that goes back forgets nothing', () => {
  const month = new Month(START);
  month.spend(100, START);
  month.spend(10, START - 20 * DAY_MS);
  expect(month.used(START)).toBe(110);
});

test('a need fits where 30 days of it do, however it was used before', () => {
  const month = new Month(START);
  const perS = 1_000_000 / (MONTH_MS / 1000);
  expect(month.spare(1_000_000, perS * 0.99, START)).toBeGreaterThan(0);
  expect(month.spare(1_000_000, perS * 1.01, START)).toBeLessThan(0);
  // Ten days at twice the need leave what the rest of the month needs the less of.
  for (let at = 0; at < 10 * DAY_MS; at += SLOT_MS) month.spend((2 * perS * SLOT_MS) / 1000, START + at);
  const nowMs = START + 10 * DAY_MS;
  expect(month.spare(1_000_000, perS * 0.45, nowMs)).toBeGreaterThan(0);
  expect(month.spare(1_000_000, perS * 0.55, nowMs)).toBeLessThan(0);
});

test('what may go beside a need is what the tightest of the coming days leaves', () => {
  const month = new Month(START);
  expect(month.spare(1_000_000, 0, START)).toBe(1_000_000);
  month.spend(400_000, START);
  expect(month.spare(1_000_000, 0, START + DAY_MS)).toBe(600_000);
});

test('it is the same after it was written and read', () => {
  const month = new Month(START);
  month.spend(12_345, START);
  month.spend(678, START + 3 * DAY_MS);
  const read = Month.decode(month.encode());
  expect(read.used(START + 3 * DAY_MS)).toBe(13_023);
  expect(read.used(START + MONTH_MS + SLOT_MS)).toBe(678);
  expect(() => Month.decode(Uint8Array.of(9))).toThrow(/layout/);
});
