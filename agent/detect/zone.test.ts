import { describe, expect, it } from 'vitest';
import { offsetAt } from '../../shared/detect/civil.ts';
import { siteZone } from './zone.ts';

const HOUR_MS = 3_600_000;

describe('siteZone', () => {
  it('changes to summer time and back when the law says so', () => {
    const { offsets } = siteZone('Europe/Berlin', Date.UTC(2026, 5, 1));
    expect(offsetAt(offsets, Date.UTC(2026, 2, 29, 0, 59))).toBe(HOUR_MS);
    expect(offsetAt(offsets, Date.UTC(2026, 2, 29, 1, 0))).toBe(2 * HOUR_MS);
    expect(offsetAt(offsets, Date.UTC(2026, 9, 25, 0, 59))).toBe(2 * HOUR_MS);
    expect(offsetAt(offsets, Date.UTC(2026, 9, 25, 1, 0))).toBe(HOUR_MS);
    expect(offsetAt(offsets, Date.UTC(2028, 6, 1))).toBe(2 * HOUR_MS);
  });

  it('knows zones off the hour, and changes by less than one', () => {
    const { offsets } = siteZone('Asia/Kathmandu', Date.UTC(2026, 0, 1));
    expect(offsets.offsetMs).toEqual([5.75 * HOUR_MS]);
    const lordHowe = siteZone('Australia/Lord_Howe', Date.UTC(2026, 6, 1)).offsets;
    expect(offsetAt(lordHowe, Date.UTC(2026, 6, 1))).toBe(10.5 * HOUR_MS);
    expect(offsetAt(lordHowe, Date.UTC(2026, 11, 1))).toBe(11 * HOUR_MS);
  });

  it('takes a zone that nobody knows for UTC, and this machine for itself', () => {
    expect(siteZone('Nowhere/Land', Date.UTC(2026, 0, 1)).offsets.offsetMs).toEqual([0]);
    const now = Date.UTC(2026, 4, 4, 12);
    expect(offsetAt(siteZone(null, now).offsets, now)).toBe(-new Date(now).getTimezoneOffset() * 60_000);
  });

  it('holds for the moment that it was made for, even the first of all', () => {
    const { fromMs, untilMs, offsets } = siteZone('Europe/Berlin', 0);
    expect(fromMs).toBeLessThan(0);
    expect(untilMs).toBeGreaterThan(0);
    expect(offsetAt(offsets, 0)).toBe(HOUR_MS);
  });
});
