import { describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import type { AlertsConfig } from './config.ts';
import { type Habit, newHabit, usualGapMs, withGap } from './habit.ts';
import { type Deaf, listenedMs, withDeaf } from './listening.ts';
import { conditionsOf, contactOf, expectationOf } from './silence.ts';

const T0 = Date.UTC(2026, 2, 2);
const config: AlertsConfig['overdue'] = {
  after: 10 * MINUTE_MS,
  gather: 2 * MINUTE_MS,
  severity: 'warning',
  expect: [],
};

/** Calls at these times. */
function learned(calls: readonly number[]): { habit: Habit; lastMs: number } {
  let habit = newHabit(calls[0]!);
  for (let i = 1; i < calls.length; i++) habit = withGap(habit, calls[i]!, calls[i]! - calls[i - 1]!);
  return { habit, lastMs: calls.at(-1)! };
}

/** Each `everyMs` in the time, but for the outages. */
function callsOf(fromMs: number, toMs: number, everyMs: number, outages: readonly [number, number][] = []): number[] {
  const out: number[] = [];
  for (let ms = fromMs; ms <= toMs; ms += everyMs) {
    if (!outages.some(([from, to]) => ms > from && ms < to)) out.push(ms);
  }
  return out;
}

function limitOf({ habit, lastMs }: { habit: Habit; lastMs: number }): number | null {
  return expectationOf({ id: 'a', site: '', lastSeenMs: lastMs, presence: 'offline' }, habit, false, config)
    .overdueAfterMs;
}

describe('what is usual', () => {
  test('a machine that is always connected is overdue after the time that is configured', () => {
    const all = learned(callsOf(T0, T0 + 10 * DAY_MS, MINUTE_MS));
    expect(usualGapMs(all.habit, all.lastMs)).toBeNull();
    expect(limitOf(all)).toBe(config.after);
  });

  test('a site that calls once a day is not overdue before a day and a half, from its first return on', () => {
    for (const days of [1, 2, 5, 60]) {
      const limit = limitOf(learned(callsOf(T0, T0 + days * DAY_MS, DAY_MS)))!;
      expect(limit).toBeGreaterThan(1.3 * DAY_MS);
      expect(limit).toBeLessThan(2 * DAY_MS);
    }
  });

  test('it calls for five minutes a day at about the same hour: the same', () => {
    const calls: number[] = [];
    for (let day = 0; day < 20; day++) {
      const start = T0 + day * DAY_MS + ((day * 37) % 90) * MINUTE_MS;
      calls.push(...callsOf(start, start + 5 * MINUTE_MS, 10_000));
    }
    expect(limitOf(learned(calls))!).toBeGreaterThan(1.3 * DAY_MS);
  });

  test('switched off at night and over the weekend: a weekend is usual', () => {
    const off: [number, number][] = [];
    // T0 is a Monday.
    for (let day = 0; day < 28; day++) {
      const at = T0 + day * DAY_MS;
      if (day % 7 < 5) off.push([at, at + 7 * HOUR_MS], [at + 17 * HOUR_MS, at + DAY_MS]);
      else off.push([at, at + DAY_MS]);
    }
    const limit = limitOf(learned(callsOf(T0 + 7 * HOUR_MS, T0 + 28 * DAY_MS - 7.5 * HOUR_MS, MINUTE_MS, off)))!;
    expect(limit).toBeGreaterThan(14 * HOUR_MS);
  });

  test('a few outages of a machine that is always connected are no habit, however long', () => {
    const outages: [number, number][] = [2, 9, 15].map((day) => [T0 + day * DAY_MS, T0 + day * DAY_MS + 6 * HOUR_MS]);
    expect(limitOf(learned(callsOf(T0, T0 + 20 * DAY_MS, MINUTE_MS, outages)))).toBe(config.after);
  });

  test('windows of ten minutes are no silence', () => {
    expect(limitOf(learned(callsOf(T0, T0 + 5 * DAY_MS, 10 * MINUTE_MS)))!).toBeGreaterThan(15 * MINUTE_MS);
  });

  test('a habit fades when it is given up', () => {
    const calls = [
      ...callsOf(T0, T0 + 10 * DAY_MS, DAY_MS),
      ...callsOf(T0 + 10 * DAY_MS + MINUTE_MS, T0 + 50 * DAY_MS, MINUTE_MS),
    ];
    expect(limitOf(learned(calls))).toBe(config.after);
  });

  test('whatever times come, the habit stays sound and of one size', () => {
    let habit = newHabit(T0);
    for (const [endMs, lengthMs] of [
      [Number.NaN, 1e9],
      [T0 - DAY_MS, DAY_MS],
      [T0 + DAY_MS, Number.POSITIVE_INFINITY],
      [T0 + 2 * DAY_MS, Number.NaN],
      [T0 + 1e15, 1e15],
    ] as const) {
      habit = withGap(habit, endMs, lengthMs);
      expect(habit.counts).toHaveLength(29);
      expect(Number.isFinite(habit.observedMs)).toBe(true);
      expect(habit.sumsMs.every(Number.isFinite)).toBe(true);
    }
  });
});

describe('what is expected', () => {
  const machine = { id: 'a', site: 'north', lastSeenMs: T0, presence: 'offline' as const };
  test('a connection is a sign of life: who is connected and says nothing is overdue later', () => {
    const connected = { ...machine, presence: 'online' as const };
    expect(expectationOf(connected, null, false, config)).toMatchObject({
      overdueAfterMs: 30 * MINUTE_MS,
      why: 'always',
    });
  });

  test('what is configured holds over what is learned, for the first entry that fits', () => {
    const expect_: AlertsConfig['overdue']['expect'] = [
      { agents: ['b'], every: HOUR_MS, overdue: true },
      { agents: ['a'], every: DAY_MS, overdue: true },
      { agents: [], site: 'north', overdue: false },
    ];
    const said = (id: string, byHand = false) =>
      expectationOf({ ...machine, id }, null, byHand, { ...config, expect: expect_ });
    expect(said('a')).toMatchObject({ why: 'configured', usualMs: DAY_MS });
    expect(said('a', true)).toMatchObject({ why: 'configured' });
    expect(said('c')).toMatchObject({ why: 'never', overdueAfterMs: null });
  });

  test('what is brought by hand is never overdue', () => {
    const expectation = expectationOf(machine, null, true, config);
    expect(expectation).toMatchObject({ why: 'by hand', overdueAfterMs: null });
    const about = { ...machine, name: 'A', presence: 'offline' as const };
    expect(contactOf(about, expectation, [], T0 + 900 * DAY_MS)?.overdueMs).toBeNull();
  });
});

describe('a silence counts as far as somebody listened', () => {
  const deaf: Deaf = withDeaf(withDeaf([], T0 + HOUR_MS, T0 + 2 * HOUR_MS), T0 + 5 * HOUR_MS, T0 + 9 * HOUR_MS);
  test.each([
    [T0, T0 + HOUR_MS, HOUR_MS],
    [T0, T0 + 3 * HOUR_MS, 2 * HOUR_MS],
    [T0 + 1.5 * HOUR_MS, T0 + 6 * HOUR_MS, 3 * HOUR_MS],
    [T0 + 6 * HOUR_MS, T0 + 8 * HOUR_MS, 0],
    [T0 + 3 * HOUR_MS, T0, 0],
  ])('%d %d', (from, to, heard) => expect(listenedMs(deaf, from, to)).toBe(heard));
});

describe('one message for what is one trouble', () => {
  const contact = (id: string, site: string, silentMs: number, after = config.after) => {
    const about = { id, name: id.toUpperCase(), site, lastSeenMs: T0 - silentMs, presence: 'offline' as const };
    return contactOf(about, { overdueAfterMs: after, usualMs: null, why: 'always' }, [], T0)!;
  };
  const many = (count: number, site: string, silentMs: number) =>
    Array.from({ length: count }, (_, i) => contact(`${site}${i}`, site, silentMs));
  const bases = (contacts: ReturnType<typeof contact>[], open: readonly string[] = []) =>
    conditionsOf(contacts, config, (base) => open.includes(base), T0).map(({ base }) => base);
  const LONG = 13 * MINUTE_MS;

  test('a machine alone, after others had the time to follow', () => {
    const others = many(4, 'north', 0);
    expect(bases([...others, contact('x', 'north', 11 * MINUTE_MS)])).toEqual([]);
    expect(bases([...others, contact('x', 'north', LONG)])).toEqual(['silent:x']);
  });

  test('a site', () => {
    const site = [...many(4, 'north', LONG), ...many(9, 'south', 0)];
    const [condition, ...rest] = conditionsOf(site, config, () => false, T0);
    expect(rest).toEqual([]);
    expect(condition).toMatchObject({ base: 'site:north', severity: 'critical', series: 4 });
    expect(condition!.title).toMatch(/^no word from 4 of 4 machines of north since 2026-03-01 23:47:00 UTC$/);
    expect(condition!.lines[0]).toBe('NORTH0, NORTH1, NORTH2, NORTH3');
  });

  test('a site of which one is left is not silent as a whole; half of it back ends what was', () => {
    const half = [...many(2, 'north', LONG), contact('y', 'north', 0), contact('z', 'north', 0)];
    expect(bases(half)).toEqual(['silent:north0', 'silent:north1']);
    expect(bases(half, ['site:north'])).toEqual(['site:north']);
    expect(bases([...half, contact('w', 'north', 0)], ['site:north'])).toEqual(['silent:north0', 'silent:north1']);
  });

  test('those that call once a day say nothing yet of the others of their site', () => {
    const daily = Array.from({ length: 5 }, (_, i) => contact(`d${i}`, 'north', HOUR_MS, 1.5 * DAY_MS));
    expect(bases([...daily, ...many(3, 'north', LONG)])).toEqual(['site:north']);
  });

  test('half of the fleet within two minutes is the network, and one message', () => {
    const fleet = [...many(30, 'north', LONG), ...many(30, 'south', LONG), ...many(50, 'west', 0)];
    expect(bases(fleet)).toEqual(['fleet:']);
    expect(conditionsOf(fleet, config, () => false, T0)[0]!.title).toContain('60 of 110 machines');
  });

  test('half of the fleet over days is not', () => {
    const fleet = Array.from({ length: 12 }, (_, i) => contact(`s${i}`, '', i < 6 ? LONG + i * DAY_MS : 0));
    expect(bases(fleet)).toEqual([0, 1, 2, 3, 4, 5].map((i) => `silent:s${i}`));
  });

  test('a machine that was told of stays told of when its site follows', () => {
    expect(bases(many(3, 'north', LONG), ['silent:north1'])).toEqual(['site:north', 'silent:north1']);
  });
});
