/** Simulated months: an agent that makes what its budget's plan says, on a line with incidents and reconnections. */
import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { UplinkBudget } from './budget.ts';
import { MONTH_MS } from './month.ts';
import { hourKind, windowKind } from './plan.ts';

const START_MS = Date.UTC(2026, 0, 1);

/** Reproducible. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface World {
  readonly bytesPerMonth: number;
  readonly series: number;
  readonly seed: number;
  readonly days: number;
  /** Real sizes over the expected ones. */
  readonly factor: number;
  readonly incidentsPerDay: number;
  readonly incidentMinutes: number;
  readonly reconnectsPerDay: number;
  readonly restartsPerDay: number;
}

const calm: World = {
  bytesPerMonth: 30e6,
  series: 300,
  seed: 1,
  days: 60,
  factor: 1,
  incidentsPerDay: 0,
  incidentMinutes: 0,
  reconnectsPerDay: 0,
  restartsPerDay: 0,
};

function live(world: World) {
  const { series, factor } = world;
  const random = seeded(world.seed);
  const happens = (perDay: number): boolean => random() < perDay / 1440;
  let kept: Uint8Array | null = null;
  const open = (atMs: number): UplinkBudget =>
    new UplinkBudget({
      bytesPerMonth: world.bytesPerMonth,
      windowMs: undefined,
      series: () => series,
      saved: kept,
      monotonicMs: atMs,
      utcMs: START_MS + atMs,
      keep: (bytes) => {
        kept = bytes;
      },
    });
  let budget = open(0);
  const hourly: number[] = [];
  let hourBytes = 0;
  let total = 0;
  let changes = 0;
  let waiting = 0;
  let detailMinutes = 0;
  let incidentUntilMs = -1;
  const lowest = { rung: 0 };
  // What really goes, whatever the budget thinks of it.
  const go = (sizeBytes: number): void => {
    budget.count(sizeBytes);
    hourBytes += sizeBytes;
    total += sizeBytes;
  };
  for (let minute = 1; minute <= world.days * 1440; minute++) {
    const atMs = minute * MINUTE_MS;
    if (happens(world.restartsPerDay)) budget = open(atMs);
    if (happens(world.incidentsPerDay)) {
      incidentUntilMs = Math.max(incidentUntilMs, atMs + world.incidentMinutes * MINUTE_MS * 2 * random());
      if (budget.allows('incident', 'live')) go(3_000 + 60_000 * random());
    }
    if (happens(world.reconnectsPerDay) && !budget.exhausted && budget.connections.waitMs(12_000, atMs) === 0) {
      budget.connections.spend(12_000, atMs);
      go(6_000 + 6_000 * random());
    }
    if (budget.tick(atMs, START_MS + atMs, atMs < incidentUntilMs)) changes++;
    const { plan } = budget;
    const window = windowKind(plan);
    const closes = window !== null && atMs % window.windowMs === 0;
    if (budget.detail) detailMinutes++;
    if (budget.detail || closes) {
      const kind = budget.detail
        ? ({ of: 'window', windowMs: MINUTE_MS, sketchPercent: 1, told: 'all' } as const)
        : window!;
      const sizeBytes = factor * series * { 0: 5, 1: 12.5, 2: 10.7, 5: 9.1 }[kind.sketchPercent];
      budget.made(kind, sizeBytes);
      waiting += sizeBytes;
    }
    if (atMs % HOUR_MS === 0) {
      const sizeBytes = factor * series * (plan.sketchPercent === 0 ? 7 : 18);
      budget.made(hourKind(plan), sizeBytes);
      waiting += sizeBytes;
    }
    budget.closed(START_MS + atMs);
    if (waiting > 0 && budget.allows('detail', 'live')) {
      const sizeBytes = Math.min(60_000, waiting);
      go(sizeBytes + 1_000);
      waiting -= sizeBytes;
    }
    if (!budget.exhausted && atMs % (budget.keepaliveS * 1000) < MINUTE_MS) go(256);
    if (!budget.exhausted && atMs % budget.reportEveryMs(5 * MINUTE_MS) < MINUTE_MS) go(2_000);
    lowest.rung = Math.max(lowest.rung, plan.givenUp.length);
    if (minute % 60 === 0) {
      hourly.push(hourBytes);
      hourBytes = 0;
    }
  }
  let most = 0;
  let within = 0;
  const monthHours = MONTH_MS / HOUR_MS;
  for (const [hour, bytes] of hourly.entries()) {
    within += bytes - (hour >= monthHours ? hourly[hour - monthHours]! : 0);
    most = Math.max(most, within);
  }
  return { budget, most, total, changes, waiting, detailMinutes, lowest };
}

describe('the budget holds in any 30 days', () => {
  const storms: Partial<World>[] = [
    {},
    { bytesPerMonth: 3e6, factor: 2 },
    { bytesPerMonth: 1e6, series: 2000, factor: 3 },
    { incidentsPerDay: 20, incidentMinutes: 30 },
    { incidentsPerDay: 200, incidentMinutes: 600, bytesPerMonth: 10e6 },
    { reconnectsPerDay: 1000, bytesPerMonth: 10e6 },
    { reconnectsPerDay: 1000, bytesPerMonth: 3e6, incidentsPerDay: 5, incidentMinutes: 20, factor: 1.5 },
    { restartsPerDay: 50, reconnectsPerDay: 50 },
    { restartsPerDay: 5, bytesPerMonth: 3e6, incidentsPerDay: 50, incidentMinutes: 100 },
  ];
  test.each(storms.map((storm, seed) => ({ seed: seed + 1, ...storm })))('%j', (storm) => {
    const world = { ...calm, ...storm };
    const { most } = live(world);
    expect(most).toBeLessThanOrEqual(world.bytesPerMonth);
  });
});

describe('in calm it is used, and the plan stands', () => {
  test.each([
    [30e6, 300],
    [10e6, 300],
    [3e6, 300],
    [100e6, 100],
  ])('%i bytes for %i series', (bytesPerMonth, series) => {
    const { changes, most, waiting } = live({ ...calm, bytesPerMonth, series, days: 90, factor: 1.3 });
    expect(changes).toBeLessThanOrEqual(6);
    expect(most).toBeGreaterThan(bytesPerMonth * 0.15);
    // All that was made has gone, but for the batch that is gathered.
    expect(waiting).toBeLessThan(series * 12 * 20);
  });
});

test('a month without an incident leaves its reserve; one incident has minutes, and half of it at most', () => {
  const quiet = live({ ...calm, days: 40 });
  expect(quiet.most).toBeLessThan(30e6 * 0.82);
  const { detailMinutes } = live({ ...calm, days: 40, incidentsPerDay: 1, incidentMinutes: 20 });
  expect(detailMinutes).toBeGreaterThan(40 * 15);
  const endless = live({ ...calm, days: 40, incidentsPerDay: 100, incidentMinutes: 5_000 });
  expect(endless.most).toBeLessThanOrEqual(30e6);
  expect(endless.budget.detail).toBe(false);
});

test('what was given up is said; without a bound nothing is', () => {
  const { budget } = live({ ...calm, bytesPerMonth: 3e6 });
  expect(budget.warnings()).toEqual([expect.stringMatching(/^uplink: given up .*detail: .*sketches: .*rate: /)]);
  const options = { windowMs: undefined, series: () => 300, saved: null, monotonicMs: 0, utcMs: START_MS, keep() {} };
  const free = new UplinkBudget({ ...options, bytesPerMonth: null });
  free.count(1e12);
  expect(free.tick(DAY_MS, START_MS + DAY_MS, true)).toBe(false);
  expect(free.plan.givenUp).toEqual([]);
  expect(free.warnings()).toEqual([]);
  expect([free.exhausted, free.keepaliveS, free.detail]).toEqual([false, 20, false]);
  expect(free.backlogBytesPerS).toBe(Number.POSITIVE_INFINITY);
});

test('a central that does not answer costs no budget', () => {
  const options = { windowMs: undefined, series: () => 300, saved: null, monotonicMs: 0, utcMs: START_MS, keep() {} };
  const budget = new UplinkBudget({ ...options, bytesPerMonth: 10e6 });
  let sent = 0;
  for (let atMs = 0; atMs < 10 * DAY_MS; atMs += 10_000) {
    budget.tick(atMs, START_MS + atMs, false);
    if (!budget.allows('incident', 'live')) continue;
    budget.sent();
    sent++;
  }
  expect(sent).toBeLessThan(10 * 24 + 30);
  budget.answered();
  expect(budget.allows('incident', 'live')).toBe(true);
});

test('the full-rate values of an incident have room as far as its part goes', () => {
  const options = { windowMs: undefined, series: () => 300, saved: null, monotonicMs: 0, utcMs: START_MS, keep() {} };
  const budget = new UplinkBudget({ ...options, bytesPerMonth: 10e6 });
  const take = (sizeBytes: number): boolean => {
    const taken = budget.takesEvidence(sizeBytes);
    if (taken) budget.count(sizeBytes);
    return taken;
  };
  // A fifth of the budget is for incidents, of which one may take half.
  expect([take(600_000), take(600_000), take(300_000)]).toEqual([true, false, true]);
  budget.tick(1_000, START_MS + 1_000, true);
  expect(take(200_000)).toBe(false);
  expect(budget.warnings().at(-1)).toBe("uplink: no room for 2 records of incidents' full-rate values");
});
