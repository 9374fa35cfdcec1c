/** Windows as records, under a budget of the uplink: which lengths are told when, and that no minute is lost by it. */
import { beforeEach, describe, expect, test } from 'vitest';
import { HOUR_MS, limits, MINUTE_MS, TEN_MINUTES_MS } from '../../shared/limits.ts';
import { Quality } from '../../shared/series.ts';
import { decodeSummary } from '../../shared/wire/codec.ts';
import { decodeColumns } from '../../shared/wire/columns.ts';
import { silentLog } from '../../test/support/timers.ts';
import type { Recorder } from '../recorder.ts';
import { SeriesRegistry } from '../series.ts';
import { Summariser } from '../summarise.ts';
import { ladderOf, type Plan } from '../uplink/plan.ts';
import { UtcEstimate } from '../utc.ts';
import { Windows } from './windows.ts';

const UTC_MS = Date.UTC(2026, 0, 1, 9, 0, 0);
const ladder = ladderOf(undefined);
const planWith = (change: Partial<Plan>): Plan =>
  ladder.find((plan) => Object.entries(change).every(([key, value]) => plan[key as keyof Plan] === value))!;
const minutes = planWith({ windowMs: MINUTE_MS });
const tens = planWith({ windowMs: TEN_MINUTES_MS, told: 'all' });

interface Told {
  readonly kind: string;
  /** Minutes after the beginning. */
  readonly from: number;
  readonly to: number;
  readonly counts: readonly number[];
  readonly leftOut: number;
  readonly sketches: number;
}

let told: Told[];
let nowMs: number;
let plan: Plan;
let detail: boolean;
let windows: Windows;
let summariser: Summariser;
let series: number[];

beforeEach(() => {
  told = [];
  nowMs = 0;
  plan = tens;
  detail = false;
  const clock = { monotonicMs: () => nowMs, wallMs: () => UTC_MS + nowMs };
  const registry = new SeriesRegistry({ limit: 16, log: silentLog });
  summariser = new Summariser(16, true, true);
  series = ['steady', 'waves', 'late'].map((name) =>
    registry.intern({ name, unit: '1', attributes: {}, kind: 'gauge', intervalMs: 1000 }),
  );
  const append = async (kind: string, body: Uint8Array): Promise<null> => {
    if (kind === 'table') return null;
    const summary = decodeSummary(body);
    const columns = decodeColumns(summary.columns, limits.seriesPerTable);
    const to = (summary.endWallMs - UTC_MS) / MINUTE_MS;
    told.push({
      kind: `${kind} ${summary.nominalMs / MINUTE_MS}`,
      from: to - summary.lengthMs / MINUTE_MS,
      to,
      counts: [...columns.count],
      leftOut: summary.leftOut?.[0] ?? 0,
      sketches: columns.sketches.filter((sketch) => sketch !== null).length,
    });
    return null;
  };
  windows = new Windows({
    clock,
    utc: new UtcEstimate(null),
    nominalMs: MINUTE_MS,
    registry,
    summariser,
    recorder: { append } as unknown as Recorder,
    budget: {
      bounded: true,
      get plan() {
        return plan;
      },
      get detail() {
        return detail;
      },
      closed() {},
      made() {},
    },
    makesTens: true,
    usualBits: () => 5,
    closed() {},
    stepped() {},
    freed() {},
    failed: (error) => {
      throw error;
    },
  });
});

/** Lets so many minutes pass, with a sample each ten seconds. */
async function pass(count: number, late: (minute: number) => number = () => 7): Promise<void> {
  const untilMs = nowMs + count * MINUTE_MS;
  while (nowMs < untilMs) {
    const minute = Math.floor(nowMs / MINUTE_MS);
    [1, Math.sin(nowMs / 70_000), late(minute)].forEach((value, i) => {
      summariser.add(series[i]!, value, Quality.good, 1, false);
    });
    nowMs += 10_000;
    windows.tick({ monotonicMs: nowMs, utcMs: UTC_MS + nowMs });
  }
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

const spans = (kind: string): string[] =>
  told.filter((each) => each.kind === kind).map(({ from, to }) => `${from}-${to}`);

describe('lengths', () => {
  test('ten minutes, and the hour', async () => {
    await pass(60);
    expect(spans('summary 10')).toEqual(['0-10', '10-20', '20-30', '30-40', '40-50', '50-60']);
    expect(spans('summary 1')).toEqual([]);
    expect(spans('rollup 60')).toEqual(['0-60']);
    expect(told.at(-1)!.counts).toEqual([360, 360, 360]);
  });

  test('minutes around what happens: from the ten before to the end of the ten in which it is over', async () => {
    await pass(23);
    detail = true;
    await pass(14);
    detail = false;
    await pass(13);
    expect(spans('summary 10')).toEqual(['0-10', '10-20', '40-50']);
    // The ten before had been told; the central takes its minutes instead.
    expect(spans('summary 1')).toEqual(Array.from({ length: 30 }, (_, i) => `${10 + i}-${11 + i}`));
    expect(told.filter(({ kind }) => kind === 'summary 1').every(({ sketches }) => sketches === 3)).toBe(true);
  });

  test('a plan for minutes begins with a ten, so that no minute is in neither', async () => {
    await pass(4);
    plan = minutes;
    await pass(8);
    expect(spans('summary 10')).toEqual(['0-10']);
    expect(spans('summary 1')).toEqual(['10-11', '11-12']);
    plan = tens;
    await pass(18);
    expect(spans('summary 10')).toEqual(['0-10', '20-30']);
    expect(spans('summary 1')).toHaveLength(10);
  });

  test('hours alone tell no windows, but around what happens', async () => {
    plan = planWith({ windowMs: null });
    await pass(35);
    expect(told).toEqual([]);
    detail = true;
    await pass(5);
    detail = false;
    await pass(20);
    expect(spans('summary 10')).toEqual([]);
    expect(spans('summary 1')[0]).toBe('20-21');
    expect(spans('summary 1').at(-1)).toBe('39-40');
    expect(spans('rollup 60')).toEqual(['0-60']);
  });
});

describe('what is told of a window', () => {
  test('series that do not change are left out, said to be, told once an hour, and in the hour', async () => {
    plan = planWith({ windowMs: TEN_MINUTES_MS, told: 'varying' });
    await pass(120);
    const each = told.filter(({ kind }) => kind === 'summary 10');
    expect(each.every(({ counts }) => counts[1] === 60)).toBe(true);
    // The first window tells all: nothing is known of them yet.
    expect(each[0]!.counts).toEqual([60, 60, 60]);
    for (const window of each) {
      for (const i of [0, 2]) expect(window.counts[i] === 0).toBe((window.leftOut & (1 << i)) !== 0);
    }
    const toldSteady = each.slice(6).filter(({ counts }) => counts[0] === 60);
    expect(toldSteady).toHaveLength(1);
    expect(told.filter(({ kind }) => kind === 'rollup 60').map(({ counts }) => counts)).toEqual([
      [360, 360, 360],
      [360, 360, 360],
    ]);
  });

  test('a series that changes between two windows is told in the second', async () => {
    plan = planWith({ windowMs: TEN_MINUTES_MS, told: 'varying' });
    await pass(60, (minute) => (minute < 30 ? 7 : 8));
    const fourth = told.filter(({ kind }) => kind === 'summary 10')[3]!;
    expect(fourth.counts[2]).toBe(60);
  });

  test('what is usual is told once an hour, without sketches', async () => {
    plan = planWith({ told: 'unusual', sendEveryMs: TEN_MINUTES_MS });
    await pass(2 * (HOUR_MS / MINUTE_MS));
    const each = told.filter(({ kind }) => kind === 'summary 10').slice(6);
    expect(each.map(({ counts }) => counts.filter((count) => count > 0).length).reduce((a, b) => a + b)).toBe(3);
    expect(told.every(({ sketches }) => sketches === 0)).toBe(true);
  });
});
