/** What a budget of the uplink leaves for those who look on, and for models. */
import { expect, test } from 'vitest';
import { limits, MINUTE_MS } from '../../shared/limits.ts';
import { unpackPayload } from '../../shared/transport/compress.ts';
import { decodeLive, type Live } from '../../shared/wire/live.ts';
import { ManualTimers, settled, silentLog } from '../../test/support/timers.ts';
import { LiveStage } from '../live.ts';
import { UplinkBudget } from '../uplink/budget.ts';
import { affordableModels, backlogRate, liveShare, mayConnect } from './metered.ts';

const DAY_MS = 24 * 60 * MINUTE_MS;

function parts(bytesPerMonth: number) {
  const timers = new ManualTimers();
  const clock = { monotonicMs: () => timers.nowMs, wallMs: () => timers.nowMs };
  const options = { windowMs: undefined, series: () => 300, saved: null, monotonicMs: 0, utcMs: 0, keep() {} };
  const budget = new UplinkBudget({ ...options, bytesPerMonth });
  const pass = (ms: number): void => {
    timers.advance(ms);
    budget.tick(timers.nowMs, timers.nowMs, false);
  };
  return { timers, clock, budget, pass };
}

test('a watch comes less often, ends with words when its part is used, and may begin again', () => {
  const { timers, clock, budget, pass } = parts(3e6);
  const sent: Live[] = [];
  const live = new LiveStage({
    log: silentLog,
    numberOf: () => 0,
    latest: () => 42,
    held: () => ({ timesMs: new Float64Array(0), values: new Float64Array(0) }),
    send: async (payload) => {
      sent.push(decodeLive(unpackPayload(payload, limits.inflatedBytes)));
    },
    raw: 'demand',
    share: liveShare(budget, clock),
  });
  const now = () => ({ monotonicMs: timers.nowMs, utcMs: timers.nowMs });
  const ids = Array.from({ length: 100 }, (_, i) => (i + 1).toString(16).padStart(16, '0'));
  live.watch('one', ids, MINUTE_MS, now());
  for (let second = 0; second < 60; second++) {
    live.tick(now());
    pass(1_000);
  }
  expect(sent.length).toBe(12);
  for (let second = 0; second < 3_600; second++) {
    if (second % 60 === 0) live.watch('one', ids, MINUTE_MS, now());
    live.tick(now());
    pass(1_000);
  }
  expect(sent.at(-1)!.error).toMatch(/part of the uplink budget that is for live values is used up/);
  expect(live.watching).toBe(false);
  pass(5 * DAY_MS);
  live.watch('two', ids, MINUTE_MS, now());
  expect(live.watching).toBe(true);
});

test('connections that end at once are made again at once, and then ever less often', () => {
  const { clock, budget, pass } = parts(30e6);
  const may = mayConnect(budget, clock);
  let atOnce = 0;
  while (may()) atOnce++;
  expect(atOnce).toBeGreaterThanOrEqual(15);
  let inADay = 0;
  for (let minute = 0; minute < 1440; minute++) {
    pass(MINUTE_MS);
    if (may()) inADay++;
  }
  expect(inADay).toBeGreaterThanOrEqual(5);
  // A connection is taken for 12 kB: at most 15 % of the budget in a month.
  expect(inADay * 30 * 12_288).toBeLessThan(30e6 * 0.16);
});

test('a model is fetched when all of it has room, and not after its manifest was replaced', async () => {
  const { timers, clock, budget, pass } = parts(3e6);
  const affordable = affordableModels(budget, clock, timers);
  const abort = new AbortController();
  let fetched = 0;
  const fetch = async (): Promise<void> => {
    await affordable(40_000, abort.signal);
    fetched++;
  };
  await fetch();
  const waiting = fetch();
  for (let hour = 0; hour < 24; hour++) {
    pass(60 * MINUTE_MS);
    await settled();
  }
  expect(fetched).toBe(1);
  for (let hour = 0; hour < 24 * 9; hour++) {
    pass(60 * MINUTE_MS);
    await settled();
  }
  await waiting;
  expect(fetched).toBe(2);
  budget.models.spend(1e6, timers.nowMs);
  const ended = fetch();
  abort.abort(new Error('another manifest'));
  await expect(ended).rejects.toThrow('another manifest');
});

test('the backlog has what the operator allows, and no more than the budget does', () => {
  expect(backlogRate(null, 64_000)).toBe(64_000);
  const { budget } = parts(30e6);
  const rate = backlogRate(budget, 64_000) as () => number;
  expect(rate()).toBeLessThan(2_000);
  expect(rate()).toBeGreaterThan(5);
  const wide = backlogRate(parts(1e12).budget, 64_000) as () => number;
  expect(wide()).toBe(64_000);
});
