import { expect, test } from 'vitest';
import { UtcEstimate } from './utc.ts';

const utcAtBootMs = Date.UTC(2026, 0, 5);

test('without the central it is the wall clock, and trust is unknown', () => {
  const utc = new UtcEstimate(null);
  expect(utc.utcMs(5_000, 77)).toBe(77);
  expect(utc.wallTrusted(5_000, 77)).toBe('unknown');
  expect(utc.latestCentralMs).toBeNull();
});

test('the answer with the shortest way counts', () => {
  const utc = new UtcEstimate(null);
  // 4 s there, nothing back: half of the round trip is guessed, so it is 2 s off.
  utc.heard(utcAtBootMs + 14_000, 10_000, 14_000);
  expect(utc.utcMs(20_000, 0)).toBe(utcAtBootMs + 22_000);
  utc.heard(utcAtBootMs + 30_010, 30_000, 30_020);
  expect(utc.utcMs(40_000, 0)).toBe(utcAtBootMs + 40_000);
  utc.heard(utcAtBootMs + 53_000, 50_000, 53_000);
  expect(utc.utcMs(60_000, 0)).toBe(utcAtBootMs + 60_000);
});

test('a best answer that is old gives way, so that drift is followed', () => {
  const utc = new UtcEstimate(null);
  utc.heard(utcAtBootMs, 0, 1);
  utc.heard(utcAtBootMs + 3_700_500, 3_700_000, 3_700_100);
  expect(utc.utcMs(3_700_050, 0)).toBe(utcAtBootMs + 3_700_500);
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
