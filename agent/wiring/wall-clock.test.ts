/** Windows as they are wired, over wall clocks that do what they should not. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DAY_MS, MINUTE_MS } from '../../shared/limits.ts';
import type { Log } from '../../shared/log.ts';
import { Quality } from '../../shared/series.ts';
import { decodeSummary } from '../../shared/wire/bodies.ts';
import { decodeColumns } from '../../shared/wire/columns.ts';
import type { Recorder } from '../recorder.ts';
import { SeriesRegistry } from '../series.ts';
import { Summariser } from '../summarise.ts';
import { UtcEstimate } from '../utc.ts';
import { Windows } from './windows.ts';

const silent = (): void => undefined;
const log: Log = { debug: silent, info: silent, warn: silent, error: silent };
const utcAtBootMs = Date.UTC(2026, 2, 28);
const START_MS = 5_000;

interface Made {
  readonly startMs: number;
  readonly endMs: number;
  readonly endWallMs: number;
  readonly samples: number;
}

interface Tick {
  /** Real time since the tick before. */
  readonly ms: number;
  /** How fast the wall clock goes, and by how much it is set. */
  readonly rate?: number;
  readonly jumpMs?: number;
  readonly acknowledged?: boolean;
}

interface Run {
  readonly made: readonly Made[];
  readonly ticks: number;
  readonly lastMs: number;
}

/** Runs an agent's windows over these ticks; one sample a tick. */
async function windowsOver(ticks: Iterable<Tick>, wallMs: number): Promise<Run> {
  let monotonicMs = START_MS;
  let wall = wallMs;
  const clock = { monotonicMs: () => monotonicMs, wallMs: () => Math.round(wall) };
  const utc = new UtcEstimate(null);
  const registry = new SeriesRegistry({ limit: 4, log });
  const summariser = new Summariser(4);
  const made: Made[] = [];
  const recorder = {
    append: async (kind: string, body: Uint8Array) => {
      if (kind !== 'summary') return null;
      const { endMonotonicMs, lengthMs, endWallMs, columns } = decodeSummary(body);
      const samples = decodeColumns(columns, 4).count[0]!;
      made.push({ startMs: endMonotonicMs - lengthMs, endMs: endMonotonicMs, endWallMs, samples });
      return null;
    },
  } as unknown as Recorder;
  const number = registry.intern({ name: 'a', unit: '1', attributes: {}, kind: 'gauge', intervalMs: 1_000 });
  const windows = new Windows({
    clock,
    utc,
    nominalMs: MINUTE_MS,
    registry,
    summariser,
    recorder,
    budget: null,
    makesTens: false,
    usualBits: () => 0,
    closed: silent,
    freed: silent,
    stepped: silent,
    failed: (error) => {
      throw error;
    },
  });
  let count = 0;
  for (const { ms, rate = 1, jumpMs = 0, acknowledged = false } of ticks) {
    monotonicMs += ms;
    wall = Math.max(0, wall + ms * rate + jumpMs);
    if (acknowledged) utc.heard(utcAtBootMs + monotonicMs - 20, monotonicMs - 40, monotonicMs);
    windows.tick({ monotonicMs, utcMs: utc.utcMs(monotonicMs, clock.wallMs()) });
    summariser.add(number, count++, Quality.good, 0, false);
  }
  await windows.finish();
  return { made, ticks: count, lastMs: monotonicMs };
}

/** Window after window, each sample in one of them. */
function expectWhole({ made, ticks, lastMs }: Run): void {
  let endMs = START_MS;
  for (const window of made) {
    expect(Math.abs(window.startMs - endMs)).toBeLessThanOrEqual(1);
    expect(window.endMs).toBeGreaterThan(window.startMs);
    expect(window.endMs - window.startMs).toBeLessThanOrEqual(MINUTE_MS + 1_001);
    endMs = window.endMs;
  }
  expect(lastMs - endMs).toBeLessThan(MINUTE_MS + 1_001);
  // The last samples lie in what has just begun, less than a second.
  const samples = made.reduce((sum, window) => sum + window.samples, 0);
  expect(ticks - samples).toBeLessThanOrEqual(2);
}

function* secondsOf(seconds: number, at: (second: number) => Omit<Tick, 'ms'>): Generator<Tick> {
  for (let second = 0; second < seconds; second++) yield { ms: 1_000, ...at(second) };
}

const dayJumps = (s: number): number => (s % 700 !== 0 ? 0 : s % 1400 === 0 ? DAY_MS : -DAY_MS);

test.each<[string, number, (second: number) => Omit<Tick, 'ms'>]>([
  ['in 1970', 0, () => ({})],
  ['that jumps by a day, both ways', utcAtBootMs, (s) => ({ jumpMs: dayJumps(s) })],
  ['ten times too fast', utcAtBootMs, () => ({ rate: 10 })],
  ['that stands still', utcAtBootMs, () => ({ rate: 0 })],
  ['slewed by 500 ppm', utcAtBootMs, (s) => ({ rate: s % 2000 < 1000 ? 1.0005 : 0.9995 })],
  ['with a leap second', Date.UTC(2026, 5, 30, 23, 50), (s) => ({ jumpMs: s === 600 ? -1_000 : 0 })],
])('a wall clock %s leaves every window whole', async (_name, wallMs, at) => {
  const all = await windowsOver(secondsOf(7_200, at), wallMs);
  expectWhole(all);
  expect(all.made.length).toBeGreaterThan(115);
});

test.each([
  ['in 1970', 0, 1],
  ['ten times too fast', utcAtBootMs, 10],
])(
  'with a wall clock %s, windows end on the full minutes of the central, once it was heard',
  async (_name, wallMs, rate) => {
    const all = await windowsOver(
      secondsOf(1_800, (s) => ({ rate, acknowledged: s > 0 && s % 30 === 0, jumpMs: s === 900 ? DAY_MS : 0 })),
      wallMs,
    );
    expectWhole(all);
    for (const { endMs, endWallMs } of all.made.slice(0, -1)) {
      expect(Math.abs(endWallMs - (utcAtBootMs + endMs))).toBeLessThanOrEqual(1);
    }
    for (const { endWallMs } of all.made.slice(2, -1)) expect(endWallMs % MINUTE_MS).toBe(0);
  },
);

test('whatever a wall clock does, windows follow each other, and each sample is in one', async () => {
  const rarely = <T>(weight: number, usual: T, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T> =>
    fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary });
  const tick = fc.record({
    ms: fc.integer({ min: 900, max: 1_100 }),
    rate: rarely<number>(8, 1, fc.double({ noNaN: true, min: -2, max: 12 })),
    jumpMs: rarely<number>(20, 0, fc.integer({ min: -DAY_MS, max: DAY_MS })),
    acknowledged: rarely<boolean>(40, false, fc.constant(true)),
  });
  const ticks = fc.array(tick, { minLength: 100, maxLength: 600 });
  await fc.assert(
    fc.asyncProperty(ticks, fc.integer({ min: 0, max: 2e12 }), async (some, wallMs) =>
      expectWhole(await windowsOver(some, wallMs)),
    ),
    { numRuns: 60 },
  );
});

test('six days of a slow wall clock that is set each day, and a central that is heard now and then', async () => {
  const seconds = 6 * 86_400;
  function* ticks(): Generator<Tick> {
    for (let s = 0; s < seconds; s += 5) {
      const jumpMs = s % 86_400 === 0 ? (s % 172_800 === 0 ? 3_600_000 : -3_600_000) : 0;
      yield { ms: 5_000, rate: 1 - 40e-6, jumpMs, acknowledged: s % 7_000 === 0 };
    }
  }
  const all = await windowsOver(ticks(), utcAtBootMs);
  expectWhole(all);
  expect(Math.abs(all.made.length - seconds / 60)).toBeLessThan(5);
  for (const { endMs, endWallMs } of all.made.slice(2)) {
    expect(Math.abs(endWallMs - (utcAtBootMs + endMs))).toBeLessThanOrEqual(1);
  }
}, 60_000);
