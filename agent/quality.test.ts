import { describe, expect, it } from 'vitest';
import { normal, seeded } from '../shared/detect/stream.fixture.ts';
import type { Finding } from '../shared/findings.ts';
import { Quality, type SeriesDefinition } from '../shared/series.ts';
import type { Log } from './inputs/input.ts';
import { QualityStage } from './quality.ts';

const START_MS = Date.UTC(2026, 2, 2, 12);
const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;

function sensor(name: string, unit = 'Cel', more: Partial<SeriesDefinition> = {}): SeriesDefinition {
  return { name, unit, attributes: { device: 'boiler' }, kind: 'gauge', intervalMs: 10_000, ...more };
}

/** A stage with series that bring a value every ten seconds, and a wall clock. */
class World {
  readonly findings: Finding[] = [];
  readonly warnings: string[] = [];
  readonly stage: QualityStage;
  readonly definitions: (SeriesDefinition | null)[];
  readonly latest: number[] = [];
  second = DAY_S;
  wallAheadMs = 0;
  asynchronous = false;
  centralOffsetMs: number | null = null;
  /** How late in a tick the clocks are read, and what passes between one reading and the next. */
  tickTookMs = 0;
  heldUpMs = 0;
  passedMs = 0;

  constructor(definitions: (SeriesDefinition | null)[]) {
    const log: Log = { debug() {}, info() {}, warn: (_, text) => void this.warnings.push(text), error() {} };
    this.definitions = definitions;
    this.stage = new QualityStage({
      limit: 32,
      series: {
        definition: (series) => this.definitions[series] ?? null,
        id: (series) => (series + 1).toString(16).padStart(16, '0'),
      },
      latest: (series) => this.latest[series] ?? Number.NaN,
      clock: {
        monotonicMs: () => {
          const now = this.second * 1000 + this.passedMs;
          this.passedMs += this.heldUpMs;
          return now;
        },
        wallMs: () => START_MS + this.second * 1000 + this.passedMs + this.wallAheadMs,
      },
      centralOffsetMs: () => this.centralOffsetMs,
      log,
      onFinding: (finding) => void this.findings.push(finding),
    });
  }

  at() {
    return { monotonicMs: this.second * 1000, utcMs: START_MS + this.second * 1000 };
  }

  put(series: number, value: number, quality: Quality = Quality.good): void {
    this.latest[series] = value;
    this.stage.take(series, value, quality, this.at());
  }

  /** So many rounds of ten seconds with these values. */
  run(seconds: number, values: (second: number) => readonly number[]): void {
    for (const end = this.second + seconds; this.second < end; this.second += 10) {
      // What a device answers comes after the tick in which it was asked, with that tick's time.
      if (this.asynchronous) this.stage.tick(this.at());
      for (const [series, value] of values(this.second).entries()) if (!Number.isNaN(value)) this.put(series, value);
      this.passedMs = this.tickTookMs;
      if (!this.asynchronous) this.stage.tick(this.at());
    }
  }

  told(detector: string): Finding[] {
    return this.findings.filter((finding) => finding.detector === detector);
  }
}

/** A boiler: supply (two sensors), return, pressure; all follow the same load. */
function boiler(seed: number): (second: number) => [number, number, number, number] {
  const random = seeded(seed);
  let load = 0;
  const tenths = (value: number): number => Math.round(value * 10) / 10;
  return (second) => {
    load = 0.999 * load + 0.02 * normal(random);
    const heat = 60 + 6 * Math.sin(second / 13_750) + 4 * load;
    return [
      tenths(heat + 0.1 * normal(random)),
      tenths(heat + 0.5 + 0.1 * normal(random)),
      tenths(0.6 * heat + 5 * Math.sin(second / 5000) + 0.1 * normal(random)),
      Math.round(100 * (1.2 + 0.01 * heat + 0.005 * normal(random))) / 100,
    ];
  };
}

const plant = (): SeriesDefinition[] => [
  sensor('supply.a'),
  sensor('supply.b'),
  sensor('return'),
  sensor('pressure', 'bar'),
];

describe('QualityStage', () => {
  it('is silent for ten days on each of three devices without a fault', () => {
    for (let seed = 1; seed <= 3; seed++) {
      const world = new World(plant());
      world.run(10 * DAY_S, boiler(seed));
      expect(world.findings).toEqual([]);
    }
  }, 60_000);

  it('tells a sensor that froze while its peers moved, in words, and when it moves again', () => {
    const world = new World(plant());
    const next = boiler(21);
    world.run(2 * DAY_S, next);
    const began = world.at().utcMs;
    world.run(6 * HOUR_S, (second) => {
      const [a, b, , pressure] = next(second);
      return [a, b, 38.2, pressure];
    });
    const [first] = world.told('stuck');
    expect(first).toMatchObject({ seen: 38.2, series: '0000000000000003', tier: 'full' });
    expect(Math.abs(first!.sinceMs - began)).toBeLessThan(20_000);
    expect(first!.wrong).toMatch(/^return \(boiler\) stuck at 38\.2 °C for .* (min|h) while its peers moved$/);
    expect(world.findings.every(({ detector }) => detector === 'stuck')).toBe(true);
    world.run(60, next);
    expect(world.findings.at(-1)).toMatchObject({ detector: 'stuck', ended: true });
    const { length } = world.findings;
    world.run(HOUR_S, next);
    expect(world.findings).toHaveLength(length);
  });

  it('finds by itself which two sensors measure one thing, and tells when they disagree', () => {
    const world = new World(plant());
    const next = boiler(22);
    world.run(2 * DAY_S, next);
    world.run(HOUR_S, (second) => {
      const [a, b, back, pressure] = next(second);
      return [a, b - 6, back, pressure];
    });
    const [first] = world.told('disagree');
    expect(first).toMatchObject({ series: '0000000000000001', members: [{ series: '0000000000000002' }] });
    expect(first!.wrong).toMatch(
      /^two sensors disagree: supply\.a \(boiler\) \d\d(\.\d)? °C and supply\.b \(boiler\) \d\d(\.\d)? °C, usually within 1?\.?\d* °C$/,
    );
    expect(first!.expectedHigh).toBeLessThan(first!.seen!);
    world.run(600, next);
    expect(world.findings.at(-1)).toMatchObject({ detector: 'disagree', ended: true });
  });

  it.each([false, true])('finds all of it whether values come with the tick or after it (%s)', (asynchronous) => {
    const world = new World(plant());
    world.asynchronous = asynchronous;
    const next = boiler(28);
    world.run(2 * DAY_S, next);
    world.run(6 * HOUR_S, (second) => [next(second)[0], next(second)[1] - 7, 38.2, next(second)[3]]);
    expect(world.told('disagree')).not.toEqual([]);
    expect(world.told('stuck')).not.toEqual([]);
    world.run(600, () => []);
    expect(world.told('missing')).not.toEqual([]);
  });

  it('takes the cores of a processor for no two sensors of one thing, and two of a disk for such', () => {
    const core = (parent: string, id: string): SeriesDefinition => ({
      ...sensor('hw.temperature'),
      attributes: { 'hw.parent': parent, 'hw.id': id },
    });
    const next = boiler(27);
    for (const parent of ['coretemp@coretemp.0', 'nvme@nvme0']) {
      const world = new World([core(parent, 'a'), core(parent, 'b')]);
      world.run(2 * DAY_S, (second) => next(second).slice(0, 2));
      world.run(HOUR_S, (second) => [next(second)[0], next(second)[1] + 12]);
      expect(world.told('disagree').length > 0).toBe(parent.startsWith('nvme'));
    }
  });

  it('tells error values and impossible ones that were dropped before, and that they are over', () => {
    const world = new World([sensor('tank'), sensor('humidity', '%'), sensor('level', 'm', { min: 0, max: 4 })]);
    world.run(3 * HOUR_S, (second) => [60 + Math.sin(second / 60), 50, 2]);
    world.run(30, () => [85, Number.NaN, Number.NaN]);
    world.stage.refuse(1, 130, world.at());
    world.stage.refuse(2, -0.4, world.at());
    expect(world.told('range').map(({ wrong }) => wrong)).toEqual([
      'tank (boiler): 85 °C is an error value of the sensor and no measurement, usual is 59–61 °C',
      'humidity (boiler): 130 % cannot be, the most possible is 100 %, usual is 50 %',
      'level (boiler): -0.4 m cannot be, the least possible is 0 m, usual is 2 m',
    ]);
    world.run(200, () => [60, 50, 2]);
    expect(world.told('range').filter(({ ended }) => ended)).toHaveLength(3);
  });

  it('tells a device of which the values come behind their time', () => {
    const world = new World([sensor('tank'), sensor('level', 'm')]);
    world.run(12 * HOUR_S, (second) => [second, second]);
    world.run(HOUR_S, (second) => (second % 30 === 0 ? [second, second] : []));
    expect(world.told('late')[0]!.wrong).toMatch(/^the data of boiler comes every 30 s, usually every 10(\.\d)? s$/);
    expect(new Set(world.told('late').map(({ series }) => series)).size).toBe(1);
  });

  it('tells once that a device fell silent, and that it is back; nights of silence are a habit', () => {
    const world = new World(plant());
    const next = boiler(25);
    world.run(DAY_S, next);
    world.run(600, () => []);
    expect(new Set(world.findings.map(({ detector, series }) => `${detector} ${series}`)).size).toBe(1);
    expect(world.told('missing')[0]!.wrong).toMatch(/^no data from boiler for 1\d\d s$/);
    world.run(60, next);
    expect(world.findings.at(-1)).toMatchObject({ detector: 'missing', ended: true });
    const { length } = world.findings;
    world.run(DAY_S, (second) => (second % 3600 < 1100 ? [] : next(second)));
    expect(world.findings.length - length).toBeLessThan(80);
    const later = world.findings.length;
    world.run(DAY_S, (second) => (second % 3600 < 1100 ? [] : next(second)));
    expect(world.findings).toHaveLength(later);
  });

  it('tells it of a device of which another series stands for it now', () => {
    const world = new World(plant());
    world.run(HOUR_S, boiler(26));
    world.stage.forget(0);
    world.run(HOUR_S, (second) => [Number.NaN, ...boiler(26)(second).slice(1)]);
    world.run(300, () => []);
    expect(world.told('missing')[0]).toMatchObject({ series: '0000000000000002' });
  });

  it('tells a disk that was pulled, and nothing of what comes and goes by nature', () => {
    const disk = (device: string): SeriesDefinition => ({
      ...sensor('system.disk.io', 'By/s'),
      attributes: { device },
      kind: 'counter',
    });
    const world = new World([disk('sda'), disk('sdb'), { ...sensor('process.memory.usage', 'By') }]);
    world.run(40 * DAY_S, () => [1, 2, 3]);
    world.stage.forget(2);
    world.run(300, () => [1, 2]);
    expect(world.findings).toEqual([]);
    world.stage.forget(1);
    world.run(300, () => [1]);
    expect(world.told('missing')[0]!.wrong).toMatch(/^disk throughput \(sdb\) is gone: it had been here for 960 h/);
    world.run(600, () => [1]);
    expect(world.findings.at(-1)).toMatchObject({ detector: 'missing', ended: true });
    // A stick that is put in and pulled out each hour.
    for (let i = 0; i < 3; i++) {
      world.run(5 * HOUR_S, () => [1, 2]);
      world.stage.forget(1);
      world.run(300, () => [1]);
    }
    const before = world.findings.length;
    world.run(2 * HOUR_S, () => [1, 2]);
    world.stage.forget(1);
    world.run(300, () => [1]);
    expect(world.findings.slice(before).filter(({ ended }) => ended !== true)).toEqual([]);
  });

  it('tells a clock that jumps, and not one that is slewed, set after the boot, or set right', () => {
    const world = new World([]);
    world.run(60, () => []);
    world.wallAheadMs = 3200;
    world.run(60, () => []);
    expect(world.told('clock')[0]).toMatchObject({ seen: 3.2, wrong: 'the clock was set forward by 3.2 s' });
    world.run(300, () => []);
    expect(world.findings.at(-1)).toMatchObject({ ended: true });
    const { length } = world.findings;
    for (let i = 0; i < 100; i++) {
      world.wallAheadMs -= 5;
      world.run(10, () => []);
    }
    expect(world.findings).toHaveLength(length);
    const booting = new World([]);
    booting.second = 20;
    booting.run(30, () => []);
    booting.wallAheadMs = 1e9;
    booting.run(300, () => []);
    expect(booting.findings).toEqual([]);
  });

  it('takes a tick that took long, or a program that was held up, for no jump', () => {
    const world = new World([]);
    world.second = 3600;
    for (let i = 0; i < 20; i++) {
      world.tickTookMs = i % 2 === 0 ? 0 : 1500;
      world.run(10, () => []);
    }
    for (let i = 0; i < 20; i++) {
      world.heldUpMs = i % 2 === 0 ? 0 : 1500;
      world.run(10, () => []);
    }
    expect(world.findings).toEqual([]);
  });

  it('tells a clock that is wrong by the central, how far and since when, and that it was set right', () => {
    const world = new World([]);
    world.centralOffsetMs = START_MS;
    world.run(600, () => []);
    for (let i = 0; i < 600; i++) {
      world.wallAheadMs -= 5;
      world.run(10, () => []);
    }
    const told = world.told('clock');
    expect(told[0]!.wrong).toMatch(/^the clock is 2\.\d+ s behind the central's$/);
    expect(told.at(-1)!.seen).toBeLessThan(-2.5);
    world.wallAheadMs = 0;
    world.run(60, () => []);
    expect(world.findings.at(-1)).toMatchObject({ detector: 'clock', ended: true });
    expect(world.findings.filter(({ wrong }) => wrong?.includes('was set'))).toEqual([]);
  });

  it('goes on after a restart with what it had learned, pairs and all', () => {
    const world = new World(plant());
    const next = boiler(23);
    world.run(2 * DAY_S, next);
    const again = new World(plant());
    again.stage.loadState(world.stage.saveState());
    again.second = world.second;
    again.run(600, next);
    again.run(HOUR_S, (second) => {
      const [a, b, , pressure] = next(second);
      return [a, b - 6, -127, pressure];
    });
    expect(new Set(again.findings.map(({ detector }) => detector))).toEqual(new Set(['disagree', 'range']));
    expect(again.warnings).toEqual([]);
  });

  it('reads what it learned wherever it lies in memory, also where a part of it is no copy', () => {
    const world = new World(plant());
    world.run(DAY_S, boiler(23));
    const bytes = world.stage.saveState();
    for (const before of [0, 1, 4, 8]) {
      // Parts of a `Buffer`, as files are read into, share its memory.
      const memory = Buffer.concat([Buffer.alloc(before), bytes, Buffer.alloc(3)]);
      const again = new World(plant());
      again.stage.loadState(memory.subarray(before, before + bytes.length));
      expect(again.warnings).toEqual([]);
      expect(Buffer.compare(again.stage.saveState(), bytes)).toBe(0);
      again.run(20, boiler(23));
      expect(again.warnings).toEqual([]);
    }
  });

  it('refuses what is no state of its own with one warning, and learns anew', () => {
    const world = new World(plant());
    world.run(DAY_S, boiler(24));
    const bytes = world.stage.saveState();
    for (const spoilt of [
      bytes.subarray(1),
      Uint8Array.of(1, 2, 3),
      bytes.map((byte, i) => (i > 40 ? byte ^ 1 : byte)),
    ]) {
      const again = new World(plant());
      again.stage.loadState(spoilt);
      expect(again.warnings).toHaveLength(1);
      again.run(600, boiler(24));
      expect(again.findings).toEqual([]);
    }
  });

  it('takes no notice of numbers that are none of its own, and of series that nobody knows', () => {
    const world = new World([null]);
    for (const series of [-1, 0, 32, 1e9]) {
      world.stage.take(series, 1, Quality.good, world.at());
      world.stage.refuse(series, 1, world.at());
      world.stage.forget(series);
    }
    world.stage.tick(world.at());
    expect(world.findings).toEqual([]);
  });
});
