import { expect, test } from 'vitest';
import { UtcEstimate } from './utc.ts';

const utcAtBootMs = Date.UTC(2026, 0, 5);

test('without the central it is the wall clock, and trust is unknown', () => {
  const utc = new UtcEstimate(null);
  expect(utc.utcMs(5_000, 77)).toBe(77);
  expect(utc.wallTrusted(5_000, 77)).toBe('unknown');
  expect(utc.latestCentralMs).toBeNull();
});

/** What is said of a moment by what is known now. */
function told(utc: UtcEstimate, monotonicMs: number): number {
  utc.renew(monotonicMs, 0);
  return utc.utcMs(monotonicMs, 0);
}

test('the answer with the shortest way counts', () => {
  const utc = new UtcEstimate(null);
  // 4 s there, nothing back: half of the round trip is guessed, so it is 2 s off.
  utc.heard(utcAtBootMs + 14_000, 10_000, 14_000);
  expect(told(utc, 20_000)).toBe(utcAtBootMs + 22_000);
  utc.heard(utcAtBootMs + 30_010, 30_000, 30_020);
  expect(told(utc, 40_000)).toBe(utcAtBootMs + 40_000);
  utc.heard(utcAtBootMs + 53_000, 50_000, 53_000);
  expect(told(utc, 60_000)).toBe(utcAtBootMs + 60_000);
});

test('a best answer that is old gives way, so that drift is followed', () => {
  const utc = new UtcEstimate(null);
  utc.heard(utcAtBootMs, 0, 1);
  utc.heard(utcAtBootMs + 3_700_500, 3_700_000, 3_700_100);
  expect(told(utc, 3_700_050)).toBe(utcAtBootMs + 3_700_500);
});

test('a wall clock is trusted while it agrees within two seconds', () => {
  const utc = new UtcEstimate(null);
  utc.heard(utcAtBootMs + 1_000, 1_000, 1_000);
  expect(utc.wallTrusted(5_000, utcAtBootMs + 6_900)).toBe('yes');
  expect(utc.wallTrusted(5_000, utcAtBootMs + 7_100)).toBe('no');
  expect(utc.wallTrusted(5_000, 0)).toBe('no');
});

test('the latest central time survives a restart and never goes back', () => {
  const utc = new UtcEstimate(utcAtBootMs);
  utc.heard(utcAtBootMs - 86_400_000, 0, 10);
  expect(utc.latestCentralMs).toBe(utcAtBootMs);
  utc.heard(utcAtBootMs + 5, 20, 30);
  expect(utc.latestCentralMs).toBe(utcAtBootMs + 5);
});

test('a round trip that is negative or takes too long says nothing', () => {
  const utc = new UtcEstimate(null);
  utc.heard(utcAtBootMs, 500, 400);
  utc.heard(utcAtBootMs, 0, 10_001);
  expect(utc.offsetMs).toBeNull();
});

test('a wall clock that jumps or runs ten times too fast is not followed between two windows', () => {
  const utc = new UtcEstimate(null);
  expect(utc.utcMs(1_000, 5_000)).toBe(5_000);
  expect(utc.utcMs(2_000, 86_400_000)).toBe(6_000);
  expect(utc.utcMs(3_000, 0)).toBe(7_000);
  expect(utc.renew(60_000, 600_000)).toBe(536_000);
  expect(utc.utcMs(61_000, 1)).toBe(601_000);
});

test('the central is followed from the next window on, and how far that is away is said', () => {
  const utc = new UtcEstimate(null);
  expect(utc.utcMs(1_000, 1_000)).toBe(1_000);
  utc.heard(utcAtBootMs + 2_000, 2_000, 2_000);
  expect(utc.utcMs(3_000, 3_000)).toBe(3_000);
  expect(utc.renew(60_000, 60_000)).toBe(utcAtBootMs);
  expect(utc.utcMs(61_000, 0)).toBe(utcAtBootMs + 61_000);
});

test('a central whose clock was set is followed at once: no delay explains what it says', () => {
  const utc = new UtcEstimate(null);
  utc.heard(utcAtBootMs + 1_000, 1_000, 1_010);
  utc.heard(utcAtBootMs + 2_000 + 40_000, 2_000, 2_060);
  expect(utc.offsetMs).toBe(utcAtBootMs + 40_000 - 30);
  // Only 0.2 s off with a round trip of 0.5 s: that is delay.
  utc.heard(utcAtBootMs + 3_000 + 40_200, 3_000, 3_500);
  expect(utc.offsetMs).toBe(utcAtBootMs + 40_000 - 30);
});
