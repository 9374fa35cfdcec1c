import { expect, test } from 'vitest';
import { forecastKey } from '../../shared/forecast.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/limits.ts';
import { seriesId } from '../../shared/trust/hash.ts';
import { ManualTimers } from '../../test/support/timers.ts';
import { fakeDocuments } from '../http/fakes.ts';
import type { LatestSeries, SeriesColumns, Store } from '../store/store.ts';
import { type Knowledge, knowsNothing } from '../train/knowledge.ts';
import type { Outlook, OutlookTask } from './outlook.ts';
import { ForecastService } from './service.ts';

const START_MS = Date.UTC(2026, 5, 1);
const key = (name: string, attributes: Record<string, string> = {}) => ({ name, unit: '1', attributes });
const disk = key('system.filesystem.utilization', { 'system.filesystem.mountpoint': '/var' });
const idle = key('system.cpu.utilization', { 'cpu.mode': 'idle' });

function latestOf(one: LatestSeries | ReturnType<typeof key>, last: number, timeMs: number): LatestSeries {
  const { name, unit, attributes } = one;
  const rest = { mean: last, min: last, max: last, last, anomalyShare: 0, highestScore: 0 };
  return { id: seriesId({ name, unit, attributes }), name, unit, attributes, timeMs, ...rest };
}

function hoursBefore(series: string, toMs: number, value: number): SeriesColumns {
  const length = 24 * 30;
  const times = Float64Array.from({ length }, (_, i) => toMs - (length - 1 - i) * HOUR_MS);
  const values = new Float64Array(length).fill(value);
  const same = { count: values, deviation: values, min: values, max: values, last: values };
  const more = { lengthsMs: values, anomalyShare: values, highestScore: values };
  return { series, timesMs: times, mean: values, ...same, ...more };
}

/** It rises by a hundredth a step, and the interval is a tenth on each side. */
function rising(task: OutlookTask): Outlook {
  const last = task.column.findLast(Number.isFinite)!;
  const value = Array.from({ length: task.horizon }, (_, h) => Math.min(1, last + 0.01 * (h + 1)));
  const moved = (by: number): number[] => value.map((_, h) => Math.min(1, last + 0.01 * (h + 1) + by));
  const quality = { model: 'm', naive: false, mase: 1, naiveMase: 1, coverage90: 1, origins: 8, shifted: false };
  return { ...quality, steps: task.column.length, missing: 0, behind: 0, value, low: moved(-0.1), high: moved(0.1) };
}

class World {
  nowMs = START_MS + 30 * MINUTE_MS;
  readonly documents = fakeDocuments();
  readonly timers = new ManualTimers();
  readonly tasks: OutlookTask[] = [];
  readonly warned: string[] = [];
  agents = ['pump'];
  latest: (now: number) => LatestSeries[] = (now) => [latestOf(disk, 0.5, now), latestOf(idle, 0.7, now)];
  knowledge: Knowledge = knowsNothing;
  outlook = (task: OutlookTask): Outlook | null => rising(task);
  ended = 0;
  service = this.#open();

  #open(): ForecastService {
    const silent = (): void => undefined;
    return new ForecastService({
      store: {
        documents: this.documents,
        document: async () => null,
        latest: async () => this.latest(this.nowMs),
        query: async (_agent: string, [series]: readonly string[], { toMs }: { toMs: number }) => [
          hoursBefore(series!, toMs, series === seriesId(idle) ? 0.7 : 0.5),
        ],
      } as unknown as Store,
      agents: () => this.agents,
      knowledge: async () => this.knowledge,
      outlook: async (task) => {
        this.tasks.push(task);
        return this.outlook(task);
      },
      idle: () => void this.ended++,
      nowMs: () => this.nowMs,
      timers: this.timers,
      log: { debug: silent, info: silent, warn: (_, text) => void this.warned.push(text), error: silent },
    });
  }

  async restart(): Promise<void> {
    await this.service.close();
    this.service = this.#open();
    await this.service.start();
  }
}

test('a disk that fills and a CPU whose peaks rise are told with their times', async () => {
  const world = new World();
  await world.service.work();
  const { madeMs, forecasts } = await world.service.ofAgent('pump');
  expect(madeMs).toBe(world.nowMs);
  expect(forecasts.map(({ thing, reaches }) => [thing, reaches])).toEqual([
    ['File system /var', 'full'],
    ['CPU', 'peak'],
  ]);
  const [of, cpu] = forecasts;
  // From 0.5 it takes 50 hours to the end, and 40 and 60 to those of the interval.
  expect(of!.reached).toMatchObject({ by: 'hours' });
  const inHours = (ms: number | null): number => Math.round((ms! - START_MS) / HOUR_MS);
  expect([of!.reached!.expectedMs, of!.reached!.earliestMs, of!.reached!.latestMs].map(inHours)).toEqual([50, 40, 60]);
  // It is busy where it is not idle; 0.3 comes to 0.9.
  expect(cpu!.current).toBeCloseTo(0.3, 9);
  expect(inHours(cpu!.reached!.expectedMs)).toBe(60);
  expect(world.service.soonest(10).map(({ thing }) => thing)).toEqual(['File system /var', 'CPU']);
  expect(world.service.soonest(1)).toHaveLength(1);
  expect(world.ended).toBeGreaterThan(0);
});

test('what is known stays known through a restart, and a machine that left is not told of', async () => {
  const world = new World();
  await world.service.work();
  const before = await world.service.ofAgent('pump');
  await world.restart();
  expect(await world.service.ofAgent('pump')).toEqual(before);
  world.agents = [];
  expect(world.service.soonest(10)).toEqual([]);
  expect(await world.service.ofAgent('nobody')).toEqual({ madeMs: null, forecasts: [] });
});

test('what ends soon is looked at each hour, all else once a day', async () => {
  const world = new World();
  world.latest = (now) => [latestOf(disk, 0.5, now)];
  const made = async (): Promise<number> => {
    world.tasks.length = 0;
    await world.service.work();
    return world.tasks.length / 2;
  };
  expect(await made()).toBe(1);
  expect(await made()).toBe(0);
  let hourly = 0;
  for (let hour = 0; hour < 24; hour++) {
    world.nowMs += HOUR_MS;
    hourly += await made();
  }
  expect(hourly).toBe(24);
  world.outlook = (task) => ({ ...rising(task), value: [0.5], low: [0.5], high: [0.5] });
  world.nowMs += DAY_MS;
  expect(await made()).toBe(1);
  let daily = 0;
  for (let hour = 0; hour < 48; hour++) {
    world.nowMs += HOUR_MS;
    daily += await made();
  }
  expect(daily).toBe(2);
});

test('a failed forecast costs itself alone', async () => {
  const world = new World();
  let first = true;
  world.outlook = (task) => {
    if (first) {
      first = false;
      throw new Error('no');
    }
    return rising(task);
  };
  await world.service.work();
  expect((await world.service.ofAgent('pump')).forecasts.map(({ thing }) => thing)).toEqual(['CPU']);
  expect(world.warned).toHaveLength(1);
});

test("the machine's own forecast stands beside, with what the two do not agree on", async () => {
  const world = new World();
  const own = (edge: 'expected' | 'earliest' | 'latest', hours: number, now: number): LatestSeries =>
    latestOf(
      { ...forecastKey(disk, 'full', edge), attributes: { ...forecastKey(disk, 'full', edge).attributes } },
      hours * 3600,
      now,
    );
  world.latest = (now) => [
    latestOf(disk, 0.5, now),
    own('expected', 5, now),
    own('earliest', 4, now),
    own('latest', 6, now),
  ];
  await world.service.work();
  const [told] = (await world.service.ofAgent('pump')).forecasts;
  expect(told!.agent).toEqual({
    expectedMs: world.nowMs + 5 * HOUR_MS,
    earliestMs: world.nowMs + 4 * HOUR_MS,
    latestMs: world.nowMs + 6 * HOUR_MS,
  });
  expect(told!.disagreement).toMatch(/sooner/);
});

test('planned work is no part of what is learned from, and what is now is told all the same', async () => {
  const world = new World();
  world.latest = (now) => [latestOf(disk, 0.5, now)];
  const toMs = START_MS - 3 * HOUR_MS;
  world.knowledge = { ...knowsNothing, planned: [{ fromMs: toMs - 2 * HOUR_MS, toMs }] };
  await world.service.work();
  const [hours] = world.tasks;
  const missing = [...hours!.column.keys()].filter((i) => Number.isNaN(hours!.column[i]!));
  expect(missing.map((i) => hours!.column.length - i)).toEqual([5, 4]);
  expect((await world.service.ofAgent('pump')).forecasts[0]!.current).toBe(0.5);
});
