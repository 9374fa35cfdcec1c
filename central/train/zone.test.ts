import { describe, expect, it } from 'vitest';
import { offsetAt } from '../../shared/detect/civil.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { zoneOffsets } from './zone.ts';

describe('offsets of a zone', () => {
  const from = Date.UTC(2026, 0, 1);
  const to = Date.UTC(2027, 0, 1);

  it('change at the minute at which the clocks change', () => {
    // EU summer time 2026: 29 March 01:00 UTC to 25 October 01:00 UTC
    const berlin = zoneOffsets('Europe/Berlin', from, to);
    expect(berlin.fromMs).toEqual([from, Date.UTC(2026, 2, 29, 1), Date.UTC(2026, 9, 25, 1)]);
    expect(berlin.offsetMs).toEqual([HOUR_MS, 2 * HOUR_MS, HOUR_MS]);
    expect(offsetAt(berlin, Date.UTC(2026, 6, 1))).toBe(2 * HOUR_MS);
    expect(offsetAt(berlin, Date.UTC(2020, 6, 1))).toBe(HOUR_MS);
  });

  it('are those of zones with half hours and without summer time', () => {
    expect(zoneOffsets('Asia/Kolkata', from, to).offsetMs).toEqual([330 * MINUTE_MS]);
    expect(zoneOffsets('UTC', from, to).offsetMs).toEqual([0]);
    expect(zoneOffsets('America/St_Johns', from, to).offsetMs).toEqual([-3.5, -2.5, -3.5].map((h) => h * HOUR_MS));
  });
});
