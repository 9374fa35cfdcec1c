import { describe, expect, it } from 'vitest';
import type { Instant } from '../shared/clock.ts';
import type { Finding } from '../shared/findings.ts';
import { TIME_TO_EMPTY, TIME_TO_FULL } from '../shared/forecast.ts';
import { MINUTE_MS } from '../shared/limits.ts';
import { formatSeries, type SeriesDefinition } from '../shared/series.ts';
import { emptyColumns } from '../shared/wire/summary.ts';
import { type ForecastOptions, ForecastStage } from './forecast.ts';
import { describeFinding, wordsFor } from './incidents/explain.ts';
import type { Log } from './inputs/input.ts';
import { SeriesRegistry } from './series.ts';

const START_MS = Date.UTC(2026, 10, 26, 8);
const DAY_MS = 86_400_000;
const GIB = 2 ** 30;
const horizons = {
  disk: 7 * DAY_MS,
  memory: DAY_MS,
  battery: 3_600_000,
  certificate: 14 * DAY_MS,
  wear: 90 * DAY_MS,
  other: DAY_MS,
};

const mounted = { 'system.device': '/dev/sda1', 'system.filesystem.mountpoint': '/', 'system.filesystem.type': 'ext4' };
const disk: SeriesDefinition = {
  name: 'system.filesystem.utilization',
  unit: '1',
  attributes: mounted,
  kind: 'gauge',
  min: 0,
  max: 1,
  fullAt: 1,
};
const size: SeriesDefinition = { name: 'system.filesystem.limit', unit: 'By', attributes: mounted, kind: 'gauge' };
const battery: SeriesDefinition = {
  name: 'hw.battery.charge',
  unit: '1',
  attributes: { 'hw.id': 'BAT0', 'hw.name': 'BAT0' },
  kind: 'gauge',
  emptyAt: 0,
};
const certificate: SeriesDefinition = {
  name: 'tlscheck.time_left',
  unit: 's',
  attributes: { 'tlscheck.target': 'www.example:443', 'tlscheck.x509.cn': 'www.example' },
  kind: 'gauge',
  countdown: true,
  intervalMs: 3_600_000,
};
const load: SeriesDefinition = { name: 'system.disk.io_time', unit: '1', attributes: {}, kind: 'gauge', full: 1 };

/** An agent's windows, told by hand; an agent that starts anew keeps registry and time. */
class Bench {
  readonly warnings: unknown[] = [];
  readonly log: Log = {
    debug: () => undefined,
    info: () => undefined,
    warn: (fields) => void this.warnings.push(fields),
    error: () => undefined,
  };
  readonly registry = new SeriesRegistry({ limit: 64, log: this.log });
  readonly findings: Finding[] = [];
  readonly latest = new Map<number, number>();
  readonly forgotten: number[] = [];
  dated = true;
  minute = 0;
  utcOffsetMs = START_MS;
  monotonicFromMs = 5_000_000;
  stage: ForecastStage;

  constructor(more: Partial<ForecastOptions> = {}) {
    this.stage = this.open(more);
  }

  open(more: Partial<ForecastOptions> = {}): ForecastStage {
    this.stage = new ForecastStage({
      limit: 64,
      windowMs: MINUTE_MS,
      horizons,
      series: this.registry,
      sink: {
        series: (definition) => this.registry.intern(definition),
        putDerived: (series, value) => void this.latest.set(series, value),
        forget: (series) => void this.forgotten.push(series),
      },
      latest: (series) => this.latest.get(series) ?? Number.NaN,
      dated: () => this.dated,
      onFinding: (finding) => void this.findings.push(finding),
      log: this.log,
      ...more,
    });
    return this.stage;
  }

  at(): Instant {
    const sinceMs = this.minute * MINUTE_MS;
    return { monotonicMs: this.monotonicFromMs + sinceMs, utcMs: this.utcOffsetMs + sinceMs };
  }

  /** One window with these values; a series without one had none. */
  window(values: ReadonlyMap<SeriesDefinition, number>, nominalMs = MINUTE_MS): void {
    this.minute++;
    const numbers = [...values.keys()].map((definition) => this.registry.intern(definition));
    const columns = emptyColumns(numbers.length);
    for (const [i, value] of [...values.values()].entries()) {
      if (Number.isNaN(value)) continue;
      columns.count[i] = 6;
      columns.min[i] = columns.max[i] = columns.last[i] = columns.mean[i] = value;
    }
    this.stage.closed(numbers, columns, { nominalMs }, this.at());
  }

  run(definition: SeriesDefinition, minutes: number, value: (minute: number) => number): void {
    for (let i = 0; i < minutes; i++) this.window(new Map([[definition, value(i)]]));
  }

  /** Seconds that a series of the stage says now, by its edge; undefined where there is none. */
  said(name: string, edge: string): number | undefined {
    for (let number = 0; number < this.registry.end; number++) {
      const key = this.registry.definition(number);
      if (key?.name === name && key.attributes['picket.forecast.edge'] === edge) return this.latest.get(number);
    }
    return undefined;
  }
}

/** A log that runs away: 50 MB a second on a disk of 100 GB, from 40 % on. */
const runaway = (minute: number): number => 0.4 + minute * ((50e6 * 60) / 100e9);

describe('a runaway log', () => {
  it('is found in two windows, on a machine that has just begun and on one that was idle for a day', () => {
    for (const idle of [4, 1440]) {
      const bench = new Bench();
      bench.run(disk, idle, () => 0.4);
      expect(bench.findings).toEqual([]);
      // It begins in the middle of a minute.
      bench.run(disk, 2, (i) => runaway(i + 0.5));
      expect(bench.findings).toHaveLength(1);
      const [finding] = bench.findings;
      expect(finding).toMatchObject({
        detector: 'forecast',
        severity: 'critical',
        holds: true,
        wrong: 'File system /',
      });
      const { reaches, etaMs, earliestMs, latestMs } = finding!.forecast!;
      expect(reaches).toBe('full');
      const fullMs = bench.at().utcMs + ((1 - runaway(1.5)) / 0.03) * MINUTE_MS;
      expect(earliestMs).toBeLessThanOrEqual(fullMs);
      expect(latestMs ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(fullMs);
      expect(Math.abs(etaMs - fullMs)).toBeLessThan(8 * MINUTE_MS);
    }
  });

  it('is told as series: expected between earliest and latest, and nothing once it is deleted', () => {
    const bench = new Bench();
    bench.run(disk, 30, () => 0.4);
    expect(bench.said(TIME_TO_FULL, 'expected')).toBeUndefined();
    bench.run(disk, 6, (i) => runaway(i + 1));
    const [expected, earliest, latest] = ['expected', 'earliest', 'latest'].map(
      (edge) => bench.said(TIME_TO_FULL, edge)!,
    );
    const trueSeconds = ((1 - runaway(6)) / 0.03) * 60;
    expect(Math.abs(expected! - trueSeconds)).toBeLessThan(60);
    expect(earliest).toBeLessThanOrEqual(expected!);
    expect(latest).toBeGreaterThanOrEqual(expected!);
    bench.run(disk, 1, () => 0.4);
    expect(bench.said(TIME_TO_FULL, 'expected')).toBeNaN();
    expect(bench.findings.at(-1)).toMatchObject({ ended: true, sinceMs: bench.findings[0]!.sinceMs });
  });

  it('is found as fast where windows have ten minutes', () => {
    const bench = new Bench({ windowMs: 600_000 });
    const number = bench.registry.intern(disk);
    bench.latest.set(number, 0.4);
    bench.window(new Map([[disk, 0.4]]), 600_000);
    for (let minute = 0; minute < 9; minute++) {
      bench.minute++;
      bench.latest.set(number, runaway(Math.max(0, minute - 5.5)));
      for (let second = 0; second < 3; second++) bench.stage.tick(bench.at());
    }
    expect(bench.findings[0]).toMatchObject({ severity: 'critical', forecast: { reaches: 'full' } });
    expect(bench.findings[0]!.lastMs).toBeLessThanOrEqual(START_MS + 10 * MINUTE_MS);
  });

  it('says its pace in bytes where the size is known', () => {
    const bench = new Bench();
    bench.latest.set(bench.registry.intern(size), 100 * GIB);
    bench.run(disk, 30, () => 0.4);
    bench.run(disk, 6, (i) => 0.4 + 0.03 * (i + 1));
    expect(bench.findings.at(-1)!.forecast!.pace).toBe('180 GiB an hour');
    expect(bench.findings.at(-1)!.forecast!.perDay).toBeCloseTo(43.2, 1);
  });

  it('is said in words, in the zone of the site', () => {
    const bench = new Bench();
    bench.latest.set(bench.registry.intern(size), 100 * GIB);
    bench.run(disk, 10, () => 0.4);
    bench.run(disk, 6, (i) => runaway(i + 1));
    const text = describeFinding(bench.findings[0]!, wordsFor('Asia/Kolkata'));
    expect(text).toMatch(
      /^File system \/ 4\d(\.\d)? %: full in 1\d min \(Thu,? 26 Nov 1[34]:\d\d; \d+ min (to \d+ min|or later)\), at 1\d\d GiB an hour$/,
    );
    const undated = { ...bench.findings[0]!, forecast: { ...bench.findings[0]!.forecast!, undated: true as const } };
    expect(describeFinding(undated, wordsFor(null))).toMatch(/full in 1\d min \(\d+ min /);
  });

  it('has no date while nobody vouches for the clock', () => {
    const bench = new Bench();
    bench.dated = false;
    bench.run(disk, 30, () => 0.4);
    bench.run(disk, 6, (i) => runaway(i + 1));
    expect(bench.findings.at(-1)!.forecast!.undated).toBe(true);
  });
});

describe('what is told', () => {
  it('is told anew when it says something else, not with every window', () => {
    const bench = new Bench();
    bench.run(disk, 60, () => 0.4);
    bench.run(disk, 120, (i) => 0.4 + (i + 1) * 0.004);
    const told = bench.findings.length;
    expect(told).toBeGreaterThan(0);
    expect(told).toBeLessThan(12);
    expect(new Set(bench.findings.map(({ sinceMs }) => sinceMs)).size).toBe(1);
  });

  it('ends after a while without a trend, and only then', () => {
    const bench = new Bench();
    bench.run(disk, 60, () => 0.4);
    bench.run(disk, 20, (i) => 0.4 + (i + 1) * 0.02);
    const told = bench.findings.length;
    bench.run(disk, 2, () => 0.8);
    expect(bench.findings.slice(told).some(({ ended }) => ended)).toBe(false);
    bench.run(disk, 120, () => 0.8);
    expect(bench.findings.at(-1)!.ended).toBe(true);
  });

  it('ends when its series goes, whose own series go with it', () => {
    const bench = new Bench();
    bench.run(disk, 30, () => 0.4);
    bench.run(disk, 6, (i) => runaway(i + 1));
    const number = bench.registry.intern(disk);
    bench.registry.forget(number);
    bench.registry.recycle();
    bench.stage.forget(number, bench.at());
    expect(bench.findings.at(-1)).toMatchObject({ ended: true, key: { name: disk.name } });
    expect(bench.forgotten).toHaveLength(3);
  });

  it('is nothing where the horizon is none, but the series is there', () => {
    const bench = new Bench({ horizons: { ...horizons, disk: 0 } });
    bench.run(disk, 30, () => 0.4);
    bench.run(disk, 6, (i) => runaway(i + 1));
    expect(bench.findings).toEqual([]);
    expect(bench.said(TIME_TO_FULL, 'expected')).toBeGreaterThan(0);
  });

  it('is nothing of what is no stock, nor of windows of another length', () => {
    const bench = new Bench();
    bench.run(load, 60, (i) => i / 60);
    for (let i = 0; i < 60; i++) bench.window(new Map([[disk, i / 60]]), 600_000);
    expect(bench.findings).toEqual([]);
    expect(bench.registry.size).toBe(2);
  });
});

describe('a restart', () => {
  const filled = (): Bench => {
    const bench = new Bench();
    bench.run(disk, 60, () => 0.4);
    bench.run(disk, 30, (i) => 0.4 + (i + 1) * 0.01);
    return bench;
  };

  it('goes on with what was learned and told, and the time that it was off counts', () => {
    const bench = filled();
    const { sinceMs } = bench.findings[0]!;
    const bytes = bench.stage.saveState();
    // Another boot: monotonic time begins anew; ten minutes passed, in which it went on.
    bench.minute += 10;
    bench.monotonicFromMs = -bench.minute * MINUTE_MS;
    bench.open().loadState(bytes);
    bench.findings.length = 0;
    bench.run(disk, 3, (i) => 0.8 + (i + 1) * 0.01);
    expect(bench.findings[0]).toMatchObject({ sinceMs, severity: 'critical' });
    expect(bench.said(TIME_TO_FULL, 'expected')! / 60).toBeGreaterThan(14);
    expect(bench.said(TIME_TO_FULL, 'expected')! / 60).toBeLessThan(20);
  });

  it('ends what was told before and is not in sight any more', () => {
    const bench = filled();
    const bytes = bench.stage.saveState();
    bench.open().loadState(bytes);
    bench.findings.length = 0;
    bench.run(disk, 90, () => 0.3);
    expect(bench.findings).toHaveLength(1);
    expect(bench.findings[0]!.ended).toBe(true);
  });

  it('starts afresh from a file that is damaged, and says so once', () => {
    const bench = filled();
    const bytes = bench.stage.saveState();
    bytes[bytes.length - 3]! ^= 1;
    bench.open().loadState(bytes);
    expect(bench.warnings).toHaveLength(1);
    bench.run(disk, 3, () => 0.3);
    expect(bench.warnings).toHaveLength(1);
  });

  it('keeps what it learned of a disk that is pulled out until it is back', () => {
    const bench = filled();
    const number = bench.registry.intern(disk);
    bench.registry.forget(number);
    bench.registry.recycle();
    bench.stage.forget(number, bench.at());
    bench.findings.length = 0;
    // One value alone could say nothing.
    bench.run(disk, 2, (i) => 0.71 + i * 0.01);
    expect(bench.findings.length).toBeGreaterThan(0);
  });
});

describe('other stocks', () => {
  it('a battery empties', () => {
    const bench = new Bench();
    bench.run(battery, 60, () => 1);
    bench.run(battery, 60, (i) => Math.floor(100 - i * 0.8) / 100);
    const left = bench.said(TIME_TO_EMPTY, 'expected')! / 60;
    expect(left).toBeGreaterThan(50);
    expect(left).toBeLessThan(80);
    bench.run(battery, 20, (i) => Math.floor(52 - i * 0.8) / 100);
    expect(bench.findings[0]).toMatchObject({ wrong: 'Battery BAT0', forecast: { reaches: 'empty', bound: 0 } });
    bench.run(battery, 3, (i) => 0.4 + i * 0.05);
    expect(bench.findings.at(-1)!.ended).toBe(true);
  });

  it('a certificate counts down between two looks, and is told two weeks ahead', () => {
    const bench = new Bench();
    const leftAt = (minute: number): number => 14 * 86_400 + 1800 - minute * 60;
    bench.run(certificate, 1, () => leftAt(0));
    bench.run(certificate, 20, () => Number.NaN);
    expect(bench.findings).toEqual([]);
    bench.run(certificate, 20, () => Number.NaN);
    expect(bench.findings).toHaveLength(1);
    const { etaMs } = bench.findings[0]!.forecast!;
    expect(bench.findings[0]).toMatchObject({ severity: 'warning', forecast: { reaches: 'expired', bound: null } });
    expect(etaMs).toBe(START_MS + MINUTE_MS + leftAt(0) * 1000);
    // Renewed.
    bench.run(certificate, 1, () => 90 * 86_400);
    expect(bench.findings.at(-1)!.ended).toBe(true);
  });

  it('a tank is both: it fills and it empties', () => {
    const tank: SeriesDefinition = {
      name: 'tank.level',
      unit: 'L',
      attributes: { device: 'boiler' },
      kind: 'gauge',
      fullAt: 5000,
      emptyAt: 0,
    };
    const bench = new Bench();
    bench.run(tank, 250, (i) => 4000 - i * 10);
    const left = bench.said(TIME_TO_EMPTY, 'expected')! / 60;
    expect(Math.abs(left - 151)).toBeLessThan(3);
    expect(bench.said(TIME_TO_FULL, 'expected')).toBeUndefined();
    expect(bench.findings[0]!.forecast).toMatchObject({ reaches: 'empty', pace: '600 L an hour' });
    expect(formatSeries(bench.findings[0]!.key)).toBe('tank.level{device="boiler"}');
    expect(describeFinding(bench.findings[0]!, wordsFor('UTC'))).toMatch(/^tank\.level \(boiler\) [\d.]+ L: empty in /);
  });
});
