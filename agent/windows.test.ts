import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../shared/limits.ts';
import { type ClosedWindows, WindowClock } from './windows.ts';

/** Ticks about each second; the estimate may drift, jump, appear and go, and the process may stand still. */
const step = fc.record({
  ms: fc.oneof(
    { weight: 30, arbitrary: fc.integer({ min: 900, max: 1200 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 400_000 }) },
  ),
  estimate: fc.oneof(
    { weight: 30, arbitrary: fc.constant('same' as const) },
    { weight: 3, arbitrary: fc.double({ noNaN: true, min: -5, max: 5 }) },
    { weight: 1, arbitrary: fc.integer({ min: -86_400_000, max: 86_400_000 }) },
    { weight: 1, arbitrary: fc.constant(null) },
  ),
});
const startOffset = fc.option(fc.double({ noNaN: true, min: 0, max: 1.8e12 }));

interface Run {
  readonly nowMs: number;
  /** In force while the window that ended was open. */
  readonly offsetMs: number | null;
  readonly closed: ClosedWindows;
}

function run(
  startMs: number,
  first: number | null,
  steps: readonly { ms: number; estimate: number | null | 'same' }[],
) {
  const clock = new WindowClock(startMs, first);
  const runs: Run[] = [];
  let nowMs = startMs;
  let offsetMs = first;
  let latched = first;
  for (const { ms, estimate } of steps) {
    nowMs += ms;
    if (estimate === null) offsetMs = null;
    else if (estimate !== 'same') offsetMs = (offsetMs ?? 1.7e12) + estimate;
    const closed = clock.advance(nowMs, offsetMs);
    if (closed !== null) {
      runs.push({ nowMs, offsetMs: latched, closed });
      latched = offsetMs;
    }
    expect(clock.endsMs).toBeGreaterThan(nowMs);
  }
  return runs;
}

const histories = fc.tuple(
  fc.double({ noNaN: true, min: 0, max: 1e9 }),
  startOffset,
  fc.array(step, { maxLength: 400 }),
);

test('a window ends on a full minute of the estimate that it began with, or after a minute without one', () => {
  fc.assert(
    fc.property(histories, ([startMs, first, steps]) => {
      for (const { offsetMs, closed, nowMs } of run(startMs, first, steps)) {
        const { window } = closed;
        expect(window.nominalMs).toBe(MINUTE_MS);
        expect(window.endMonotonicMs).toBeLessThanOrEqual(nowMs);
        expect(window.lengthMs).toBeGreaterThanOrEqual(999);
        expect(window.lengthMs).toBeLessThanOrEqual(MINUTE_MS + 1001);
        if (offsetMs === null) {
          expect(window.endUtcMs).toBeNull();
          expect(window.lengthMs).toBeCloseTo(MINUTE_MS, 3);
        } else {
          expect(window.endUtcMs! % MINUTE_MS).toBe(0);
          expect(Math.abs(window.endUtcMs! - (window.endMonotonicMs + offsetMs))).toBeLessThanOrEqual(0.5);
        }
      }
    }),
  );
});

/** Whether a window from `fromMs` on would be over by `nowMs`. */
function wouldBeOver(fromMs: number, nowMs: number, offsetMs: number | null): boolean {
  if (offsetMs === null) return nowMs - fromMs >= MINUTE_MS;
  let utcMs = Math.floor(fromMs + offsetMs + 1000);
  while (utcMs % MINUTE_MS !== 0) utcMs++;
  return utcMs - offsetMs <= nowMs + 1;
}

test('windows never overlap, and leave a hole only where the next would have come and gone without a tick', () => {
  fc.assert(
    fc.property(histories, ([startMs, first, steps]) => {
      let before: Run | null = null;
      for (const one of run(startMs, first, steps)) {
        const windowStartMs = one.closed.window.endMonotonicMs - one.closed.window.lengthMs;
        const endMs = before?.closed.window.endMonotonicMs ?? startMs;
        if (before !== null && windowStartMs > endMs + 1e-3) {
          expect(windowStartMs).toBeCloseTo(before.nowMs, 3);
          expect(wouldBeOver(endMs, before.nowMs, one.offsetMs)).toBe(true);
        } else expect(windowStartMs).toBeCloseTo(endMs, 3);
        before = one;
      }
    }),
  );
});

test('an hour ends with a window, and hours follow each other as windows do', () => {
  fc.assert(
    fc.property(histories, ([startMs, first, steps]) => {
      let hourStartMs = startMs;
      let hourStarts = true;
      for (const { closed } of run(startMs, first, steps)) {
        // an hour begins where its first window does
        if (hourStarts) hourStartMs = closed.window.endMonotonicMs - closed.window.lengthMs;
        hourStarts = closed.hour !== null;
        if (closed.hour === null) continue;
        expect(closed.hour.nominalMs).toBe(HOUR_MS);
        expect(closed.hour.endMonotonicMs).toBe(closed.window.endMonotonicMs);
        expect(closed.hour.endUtcMs).toBe(closed.window.endUtcMs);
        expect(closed.hour.endMonotonicMs - closed.hour.lengthMs).toBeCloseTo(hourStartMs, 3);
      }
    }),
  );
});

/** Ticks each second; the offset as a function of monotonic time. */
function ended(seconds: number, offsetAt: (ms: number) => number | null, startMs = 0) {
  const clock = new WindowClock(startMs, offsetAt(startMs));
  const out: ClosedWindows[] = [];
  for (let ms = startMs + 1000; ms <= startMs + seconds * 1000; ms += 1000) {
    const closed = clock.advance(ms, offsetAt(ms));
    if (closed !== null) out.push(closed);
  }
  return out;
}

test('a steady clock: the first window is short, all others are full minutes, and an hour is sixty of them', () => {
  const windows = ended(2 * 3600, () => 1_700_000_025_000);
  // 1,700,000,025 s is 45 s after a full minute: 1,700,000,025 = 60 · 28,333,333 + 45
  expect(windows.slice(0, 3).map(({ window }) => window.lengthMs)).toEqual([15_000, 60_000, 60_000]);
  const hours = windows.filter(({ hour }) => hour !== null);
  expect(hours.map(({ hour }) => hour!.endUtcMs! % HOUR_MS)).toEqual([0, 0]);
  expect(hours[1]!.hour!.lengthMs).toBe(HOUR_MS);
  expect(windows.indexOf(hours[1]!) - windows.indexOf(hours[0]!)).toBe(60);
});

test('without an estimate windows are 60 s and hours sixty of them', () => {
  const windows = ended(3600, () => null, 500);
  expect(windows.map(({ window }) => window.lengthMs)).toEqual(Array.from({ length: 60 }, () => 60_000));
  expect(windows.map(({ hour }) => hour?.lengthMs ?? 0).filter((ms) => ms > 0)).toEqual([HOUR_MS]);
});

test('an estimate that drifts by milliseconds still ends the hour on the hour, once', () => {
  for (const driftPerMs of [1e-6, -1e-6, 5e-5, -5e-5]) {
    const windows = ended(3 * 3600, (ms) => 1_700_000_000_000 + ms * driftPerMs);
    const hours = windows.flatMap(({ hour }) => (hour === null ? [] : [hour.endUtcMs! % HOUR_MS]));
    expect(hours, `drift ${driftPerMs}`).toEqual([0, 0, 0].slice(0, hours.length));
    expect(hours.length).toBe(3);
  }
});

test('where the estimate steps, the window keeps its end, the hour ends, and the next begins by the new estimate', () => {
  const windows = ended(600, (ms) => (ms < 200_000 ? 1_700_000_000_000 : 1_700_000_000_000 + 1_234_000));
  const lengths = windows.map(({ window }) => window.lengthMs);
  // 1,700,000,000 s is 20 s after a full minute: ends at 40, 100, 160, 220 s by the old estimate; then 1,234 s later,
  // 14 s after the next full minute, hence 26 s more
  expect(lengths.slice(0, 6)).toEqual([40_000, 60_000, 60_000, 60_000, 26_000, 60_000]);
  expect(windows.findIndex(({ hour }) => hour !== null)).toBe(3);
});

test('a clean stop ends the open window and hour now, unless they have only just begun', () => {
  const clock = new WindowClock(0, 1_700_000_000_000);
  expect(clock.finish(500)).toBeNull();
  expect(clock.finish(12_345)!.window).toEqual({
    nominalMs: MINUTE_MS,
    lengthMs: 12_345,
    endMonotonicMs: 12_345,
    endUtcMs: 1_700_000_012_345,
  });
  expect(clock.finish(12_345)!.hour!.lengthMs).toBe(12_345);
});

test('windows may be ten minutes', () => {
  const clock = new WindowClock(0, 1_700_000_000_000, 10 * MINUTE_MS);
  const closed = clock.advance(1_000_000, 1_700_000_000_000);
  expect([closed!.window.nominalMs, closed!.window.endUtcMs! % 600_000]).toEqual([600_000, 0]);
});

test('sixty days at a tick a second, drift and steps of the estimate: every second is in one window, once', () => {
  const driftPerMs = 35e-6;
  const clock = new WindowClock(0, null);
  let endMs = 0;
  let windows = 0;
  for (let second = 1; second <= 60 * 86_400; second++) {
    const nowMs = second * 1000;
    const steppedMs = Math.floor(second / 100_000) * 7_777;
    const offsetMs = second < 300 ? null : 1_700_000_000_000 + nowMs * driftPerMs + steppedMs;
    const window = clock.advance(nowMs, offsetMs)?.window;
    if (window === undefined) continue;
    windows++;
    expect(window.endMonotonicMs - window.lengthMs).toBeCloseTo(endMs, 3);
    endMs = window.endMonotonicMs;
  }
  expect(60 * 86_400_000 - endMs).toBeLessThan(MINUTE_MS + 1001);
  // Each of the 51 steps, and the first estimate, cuts one window short.
  expect(windows - 60 * 1440).toBeGreaterThanOrEqual(0);
  expect(windows - 60 * 1440).toBeLessThan(60);
}, 60_000);
