import { expect, test } from 'vitest';
import { endText, formatEnd, isSoon } from './ends.ts';

// A Monday.
const NOW_MS = Date.UTC(2026, 5, 1, 10);
const hour = 3_600_000;
const by = 'hours' as const;
const thursday = NOW_MS + 76 * hour;

test('an end within days has a weekday and an hour, one further away a date', () => {
  expect(formatEnd(thursday, 'UTC', NOW_MS)).toBe('Thursday 14:00');
  expect(formatEnd(thursday, 'Europe/Paris', NOW_MS)).toBe('Thursday 16:00');
  expect(formatEnd(NOW_MS + 20 * 24 * hour, 'UTC', NOW_MS)).toBe('21 Jun');
});

test('the interval is told by its longer side, an open one in words', () => {
  const reached = { expectedMs: thursday, earliestMs: thursday - 3 * hour, latestMs: thursday + 5 * hour, by };
  expect(endText(reached, 'full', 'UTC', NOW_MS)).toBe('full on Thursday 14:00 ± 5 h');
  expect(endText({ ...reached, latestMs: null }, 'peak', 'UTC', NOW_MS)).toBe(
    'over 90 % at its peak on Thursday 14:00, 3 h sooner or much later',
  );
  expect(endText({ ...reached, expectedMs: null }, 'empty', 'UTC', NOW_MS)).toBe(
    'empty at the earliest on Thursday 11:00',
  );
  expect(endText({ ...reached, expectedMs: NOW_MS - 1 }, 'full', 'UTC', NOW_MS)).toBe('full now');
});

test('what ends within a week is soon', () => {
  const at = (days: number) => ({ expectedMs: NOW_MS + days * 24 * hour, earliestMs: NOW_MS, latestMs: null, by });
  expect(isSoon(at(6), NOW_MS)).toBe(true);
  expect(isSoon(at(8), NOW_MS)).toBe(false);
});
