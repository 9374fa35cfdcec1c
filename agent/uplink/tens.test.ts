import { describe, expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS, TEN_MINUTES_MS } from '../../shared/limits.ts';
import { WindowClock } from '../windows.ts';
import { Tens } from './tens.ts';

const UTC_MS = Date.UTC(2026, 0, 1, 9, 57, 12);

/** Runs the clock of minutes for a time, and gathers the tens that come out. */
function run(minutes: number, offset: (monotonicMs: number) => number | null) {
  const clock = new WindowClock(0, offset(0));
  const tens = new Tens();
  const out: { endUtc: string | null; lengthMs: number; endMonotonicMs: number }[] = [];
  for (let now = 0; now <= minutes * MINUTE_MS; now += 1000) {
    const closed = clock.advance(now, offset(now));
    if (closed === null) continue;
    const { before, after } = tens.add(closed.window, closed.hour !== null);
    for (const ten of [before, after]) {
      if (ten === null) continue;
      expect(ten.nominalMs).toBe(TEN_MINUTES_MS);
      out.push({ ...ten, endUtc: ten.endUtcMs === null ? null : new Date(ten.endUtcMs).toISOString().slice(11, 19) });
    }
  }
  return out;
}

describe('ten minutes', () => {
  test('end at full ones, the first is short', () => {
    const tens = run(30, () => UTC_MS);
    expect(tens.map(({ endUtc, lengthMs }) => [endUtc, lengthMs])).toEqual([
      ['10:00:00', 168_000],
      ['10:10:00', TEN_MINUTES_MS],
      ['10:20:00', TEN_MINUTES_MS],
    ]);
  });

  test('without a time end after ten', () => {
    expect(run(25, () => null).map(({ lengthMs }) => lengthMs)).toEqual([TEN_MINUTES_MS, TEN_MINUTES_MS]);
  });

  test('follow each other without holes, within one idea of time', () => {
    const tens = run(60, (now) => (now < 14 * MINUTE_MS ? UTC_MS : UTC_MS + 3 * HOUR_MS));
    for (let i = 1; i < tens.length; i++) {
      expect(tens[i]!.endMonotonicMs - tens[i]!.lengthMs).toBe(tens[i - 1]!.endMonotonicMs);
    }
    expect(tens.map(({ endUtc }) => endUtc)).toEqual([
      '10:00:00',
      '10:10:00',
      '10:12:00',
      '13:20:00',
      '13:30:00',
      '13:40:00',
      '13:50:00',
    ]);
  });

  test('end where no window was for a time', () => {
    const tens = new Tens();
    const minute = (endMs: number) => ({
      nominalMs: MINUTE_MS,
      lengthMs: MINUTE_MS,
      endMonotonicMs: endMs,
      endUtcMs: UTC_MS + endMs,
    });
    expect(tens.add(minute(60_000), false)).toEqual({ before: null, after: null });
    const { before } = tens.add(minute(60_000 + 4 * HOUR_MS), false);
    expect(before).toMatchObject({ endMonotonicMs: 60_000, lengthMs: MINUTE_MS });
  });
});
