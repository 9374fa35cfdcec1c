import { describe, expect, it } from 'vitest';
import type { Finding } from '../shared/findings.ts';
import { Quality, type SeriesDefinition } from '../shared/series.ts';
import type { SeriesNames } from './detect/options.ts';
import { decodeStates, encodeStates, type SavedDetector } from './detect/saved-state.ts';
import { DetectStage } from './detect.ts';
import type { Log } from './inputs/input.ts';

const START_MS = Date.UTC(2026, 2, 2, 12);

/** mulberry32 */
function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function names(definitions: readonly (SeriesDefinition | null)[], firstId = 1): SeriesNames {
  return {
    definition: (series) => definitions[series] ?? null,
    id: (series) => (series + firstId).toString(16).padStart(16, '0'),
  };
}

function gauge(name: string, more: Partial<SeriesDefinition> = {}): SeriesDefinition {
  return { name, unit: '1', attributes: {}, kind: 'gauge', ...more };
}

class Bench {
  readonly findings: Finding[] = [];
  readonly warnings: string[] = [];
  readonly stage: DetectStage;
  second = 0;

  constructor(series: SeriesNames, settleMs = 0, limit = 16) {
    const log: Log = { debug() {}, info() {}, warn: (_, text) => void this.warnings.push(text), error() {} };
    this.stage = new DetectStage({ limit, series, log, onFinding: (f) => void this.findings.push(f), settleMs });
  }

  at() {
    return { monotonicMs: this.second * 1000, utcMs: START_MS + this.second * 1000 };
  }

  /** One second of one series. */
  step(series: number, value: number, quality: Quality = Quality.good): void {
    this.stage.score(series, value, quality, this.at());
    this.second++;
  }
}

const cpu = (random: () => number): number => Math.round(200 * (0.01 + 0.01 * random())) / 200;

describe('DetectStage', () => {
  it('finds a loaded CPU within ten seconds of load, and says what, since when and how much', () => {
    const random = seeded(1);
    const bench = new Bench(names([gauge('system.cpu.utilization', { attributes: { 'cpu.mode': 'user' }, max: 1 })]));
    for (let i = 0; i < 240; i++) bench.step(0, cpu(random));
    expect(bench.findings).toEqual([]);
    const began = bench.at().utcMs;
    for (let i = 0; i < 10; i++) bench.step(0, 0.98 + 0.01 * random());
    const [finding] = bench.findings;
    expect(finding).toMatchObject({ detector: 'surprise', tier: 'full', sinceMs: began, series: '0000000000000001' });
    expect(finding!.key).toEqual({ name: 'system.cpu.utilization', unit: '1', attributes: { 'cpu.mode': 'user' } });
    expect(finding!.seen).toBeGreaterThan(0.97);
    expect(finding!.expectedLow).toBeGreaterThanOrEqual(0);
    expect(finding!.expectedHigh).toBeLessThan(0.1);
    expect(finding!.bits).toBeGreaterThanOrEqual(bench.stage.barBits);
    expect(finding!.returnPeriodMs).toBeGreaterThan(86_400_000);
  });

  it('tells an excursion again while it lasts, and no more when it is over', () => {
    const random = seeded(2);
    const bench = new Bench(names([gauge('a')]));
    for (let i = 0; i < 400; i++) bench.step(0, cpu(random));
    for (let i = 0; i < 60; i++) bench.step(0, 0.98 + 0.01 * random());
    const during = bench.findings.length;
    expect(during).toBeGreaterThanOrEqual(4);
    expect(during).toBeLessThan(15);
    const last = bench.findings.at(-1)!;
    expect(last.lastMs - last.sinceMs).toBeGreaterThan(40_000);
    for (let i = 0; i < 120; i++) bench.step(0, cpu(random));
    expect(bench.findings.length).toBeLessThanOrEqual(during + 1);
  });

  it('expects no more than all of a utilisation', () => {
    const random = seeded(12);
    const bench = new Bench(names([gauge('system.cpu.utilization', { max: 1.5 })]));
    for (let i = 0; i < 400; i++) bench.step(0, 1 - 0.1 * random());
    for (let i = 0; i < 10; i++) bench.step(0, 0.01 * random());
    expect(bench.findings[0]!.expectedHigh).toBe(1);
  });

  it('finds that nothing is left of a resource on a machine that is often busy, and tells what else is unusual', () => {
    const random = seeded(21);
    const mode = (name: string): SeriesDefinition => ({
      ...gauge('system.cpu.utilization', { max: 1.5, attributes: { 'cpu.mode': name } }),
      ...(name === 'idle' ? { full: 0 } : {}),
    });
    const bench = new Bench(names([mode('idle'), mode('user')]));
    const both = (used: number): void => {
      bench.stage.score(0, 1 - used, Quality.good, bench.at());
      bench.stage.score(1, used * 0.9, Quality.good, bench.at());
      bench.second++;
    };
    // Bursts of three seconds, four times a minute, that use nearly all.
    for (let i = 0; i < 300; i++) both(i % 15 < 3 ? 0.6 + 0.4 * random() : 0.2 * random());
    expect(bench.findings).toEqual([]);
    const began = bench.at().utcMs;
    for (let i = 0; i < 20; i++) both(1);
    const saturated = bench.findings.find(({ detector }) => detector === 'saturated');
    expect(saturated).toMatchObject({ seen: 0, sinceMs: began });
    expect(saturated!.expectedLow).toBeLessThanOrEqual(0.2);
  });

  it('finds a leak whose steps are as small as what comes and goes, once it passes the bar of the budget', () => {
    const random = seeded(23);
    const bench = new Bench(names([gauge('system.memory.usage', { unit: 'By' })]));
    let comesAndGoes = 0;
    const used = (): number => {
      comesAndGoes = 0.9 * comesAndGoes + 40e6 * (random() - 0.5);
      return 1e9 + comesAndGoes;
    };
    for (let i = 0; i < 1800; i++) bench.step(0, used());
    expect(bench.findings).toEqual([]);
    for (let i = 0; i < 120; i++) bench.step(0, used() + 15e6 * i);
    const leak = bench.findings.find(({ detector }) => detector === 'drift')!;
    expect(leak.shape).toBe('drift');
    expect(leak.bits).toBeGreaterThanOrEqual(bench.stage.barBits);
    expect(leak.seen).toBeGreaterThan(leak.expectedHigh!);
  });

  it('begins anew with what was replaced: its excursion is over, and another level is no finding', () => {
    const [kept, replaced] = [new Bench(names([gauge('memory')])), new Bench(names([gauge('memory')]))];
    const random = seeded(24);
    for (const bench of [kept, replaced]) {
      for (let i = 0; i < 400; i++) bench.step(0, 100 + random());
      for (let i = 0; i < 20; i++) bench.step(0, 500 + random());
      expect(bench.findings.length).toBeGreaterThan(0);
      bench.findings.length = 0;
      if (bench === replaced) bench.stage.beginAnew(0, bench.at());
      for (let i = 0; i < 300; i++) bench.step(0, 200 + random());
    }
    expect(kept.findings.length).toBeGreaterThan(0);
    expect(replaced.findings).toEqual([]);
    for (let i = 0; i < 20; i++) replaced.step(0, 500 + random());
    expect(replaced.findings.length).toBeGreaterThan(0);
  });

  it('takes up nothing that was learned of what was replaced before its first value', () => {
    const before = new Bench(names([gauge('memory')]));
    for (let i = 0; i < 400; i++) before.step(0, 100 + Math.sin(i));
    const saved = before.stage.saveState();
    const [same, replaced] = [new Bench(names([gauge('memory')])), new Bench(names([gauge('memory')]))];
    for (const bench of [same, replaced]) {
      bench.stage.loadState(saved);
      if (bench === replaced) bench.stage.beginAnew(0, bench.at());
      bench.step(0, 100);
    }
    expect([same.stage.ready, replaced.stage.ready]).toEqual([true, false]);
  });

  it('judges nothing that is worked out from other series or from the clock', () => {
    const bench = new Bench(names([gauge('uptime', { derived: true })]));
    for (let i = 0; i < 400; i++) bench.step(0, i);
    for (let i = 0; i < 40; i++) bench.step(0, i + 1e9);
    expect(bench.stage.ready).toBe(false);
    expect(bench.findings).toEqual([]);
  });

  it('tells what is merely unusual only while something is found', () => {
    const alone = new Bench(names([gauge('share', { full: 1 }), gauge('walk')]));
    const together = new Bench(names([gauge('share', { full: 1 }), gauge('walk')]));
    for (const bench of [alone, together]) {
      const random = seeded(22);
      for (let i = 0; i < 340; i++) {
        const full = bench === together && i >= 300;
        const noise = random() + random() + random();
        bench.stage.score(0, full ? 1 : 0.98 * random(), Quality.good, bench.at());
        bench.stage.score(1, noise + (i >= 305 ? 2.2 : 0), Quality.good, bench.at());
        bench.second++;
      }
    }
    const ofWalk = (bench: Bench) => bench.findings.filter(({ key }) => key.name === 'walk');
    expect(ofWalk(alone).length).toBe(0);
    expect(ofWalk(together).length).toBeGreaterThan(0);
    expect(ofWalk(together)[0]!.bits).toBeLessThan(together.stage.barBits);
  });

  it('asks more bits the more samples a day share the budget', () => {
    const few = new Bench(names([gauge('a')]));
    few.step(0, 1);
    // 86,400 samples a day, one finding a day.
    expect(few.stage.barBits).toBeCloseTo(Math.log2(86_400), 9);
    const many = new Bench(names([gauge('a'), gauge('b'), gauge('c', { intervalMs: 10_000 })]));
    for (const series of [0, 1, 2]) many.stage.score(series, 1, Quality.good, many.at());
    expect(many.stage.barBits).toBeCloseTo(Math.log2(2 * 86_400 + 8640), 9);
    many.stage.forget(1);
    expect(many.stage.barBits).toBeCloseTo(Math.log2(86_400 + 8640), 9);
  });

  it('leaves the first seconds of the agent unlearned', () => {
    const bench = new Bench(names([gauge('a')]), 30_000);
    for (let i = 0; i < 30; i++) bench.step(0, 1);
    const random = seeded(3);
    for (let i = 0; i < 240; i++) bench.step(0, cpu(random));
    expect(bench.stage.expectedHigh).toBeLessThan(0.1);
  });

  it('finds what does not come any more, and says since when', () => {
    const bench = new Bench(names([gauge('a')]));
    const random = seeded(4);
    for (let i = 0; i < 200; i++) bench.step(0, random());
    const lastValue = bench.at().utcMs - 1000;
    for (let i = 0; i < 25; i++) {
      bench.stage.missingTick(0, bench.at());
      bench.second++;
    }
    expect(bench.findings.length).toBe(1);
    expect(bench.findings[0]).toMatchObject({ detector: 'missing', seen: null, sinceMs: lastValue });
  });

  it('finds what is stuck, but not what is steady by definition', () => {
    const bench = new Bench(names([gauge('moves'), gauge('limit', { steady: true })]));
    const random = seeded(5);
    for (let i = 0; i < 2000; i++) {
      const value = 20 + random();
      for (const series of [0, 1]) bench.stage.score(series, value, Quality.good, bench.at());
      bench.second++;
    }
    const froze = bench.at().utcMs;
    for (let i = 0; i < 600; i++) {
      for (const series of [0, 1]) bench.stage.score(series, 20.5, Quality.good, bench.at());
      bench.second++;
    }
    const stuck = bench.findings.filter(({ detector }) => detector === 'stuck');
    expect(stuck.length).toBeGreaterThan(0);
    expect(stuck.every(({ key }) => key.name === 'moves')).toBe(true);
    expect(stuck[0]).toMatchObject({ seen: 20.5, sinceMs: froze });
  });

  it('goes on after a restart where it was, though numbers have changed', () => {
    const random = seeded(6);
    const first = new Bench(names([gauge('a'), gauge('b')]));
    for (let i = 0; i < 300; i++) {
      first.stage.score(0, cpu(random), Quality.good, first.at());
      first.stage.score(1, 50 + random(), Quality.good, first.at());
      first.second++;
    }
    const swapped: SeriesNames = {
      definition: (series) => [gauge('b'), gauge('a')][series] ?? null,
      id: (series) => ['0000000000000002', '0000000000000001'][series]!,
    };
    const second = new Bench(swapped);
    second.stage.loadState(first.stage.saveState());
    expect(second.warnings).toEqual([]);
    for (const value of [0.015, 0.3, 0.99]) {
      first.stage.score(0, value, Quality.good, first.at());
      second.stage.score(1, value, Quality.good, second.at());
      expect(second.stage.ready).toBe(true);
      expect([second.stage.bits, second.stage.expectedLow]).toEqual([first.stage.bits, first.stage.expectedLow]);
    }
  });

  it('keeps what a series had learned while it is away', () => {
    const random = seeded(7);
    const bench = new Bench(names([gauge('a')]));
    for (let i = 0; i < 300; i++) bench.step(0, random());
    bench.stage.forget(0);
    bench.step(0, random());
    expect(bench.stage.ready).toBe(true);
  });

  it.each<[string, (one: SavedDetector) => SavedDetector]>([
    ['is of another version', (one) => ({ ...one, major: one.major - 1 })],
    ['is of a length of before', (one) => ({ ...one, state: new Uint8Array(520).fill(1, 0, 1) })],
    ['is of a detector that is no more', (one) => ({ ...one, name: 'hunch' })],
  ])('drops what %s alone, with one warning, and goes on with what all others have learned', (_, spoil) => {
    const random = seeded(9);
    const bench = new Bench(names([gauge('a'), gauge('b')]));
    for (let i = 0; i < 600; i++) bench.step(i % 2, random());
    const saved = decodeStates(bench.stage.saveState(), 16);
    const spoilt = new Map(
      [...saved].map(([id, all]) => [id, all.map((one) => (one.name === 'drift' ? spoil(one) : one))]),
    );
    const fresh = new Bench(names([gauge('a'), gauge('b')]));
    fresh.stage.loadState(encodeStates(spoilt));
    expect(fresh.warnings.length).toBe(1);
    const others = new Map([...saved].map(([id, all]) => [id, all.filter(({ name }) => name !== 'drift')]));
    expect(fresh.stage.saveState()).toEqual(encodeStates(others));
    fresh.second = bench.second;
    for (const series of [0, 1]) {
      fresh.step(series, 0.5);
      expect(fresh.stage.ready).toBe(true);
    }
    // And all are kept again.
    const kept = [...decodeStates(fresh.stage.saveState(), 16).values()].map((all) => all.map(({ name }) => name));
    expect(kept).toEqual([...saved.values()].map((all) => all.map(({ name }) => name)));
  });

  it('starts afresh, with one warning, from a file that is damaged anywhere', () => {
    const random = seeded(8);
    const bench = new Bench(names([gauge('a')]));
    for (let i = 0; i < 300; i++) bench.step(0, random());
    const good = bench.stage.saveState();
    for (let at = 0; at < good.length; at += 97) {
      const damaged = good.slice();
      damaged[at] = damaged[at]! ^ 0x40;
      const fresh = new Bench(names([gauge('a')]));
      fresh.stage.loadState(damaged);
      expect(fresh.warnings.length).toBe(1);
      fresh.step(0, 1);
      expect(fresh.stage.ready).toBe(false);
    }
    for (const cut of [new Uint8Array(0), good.subarray(0, 20), good.subarray(0, good.length - 1)]) {
      const fresh = new Bench(names([gauge('a')]));
      fresh.stage.loadState(cut);
      expect(fresh.warnings.length).toBe(1);
    }
  });

  it('ignores numbers that are no series', () => {
    const bench = new Bench(names([null]));
    for (const series of [-1, 0, 16, 1e9]) bench.step(series, 1);
    expect(bench.stage).toMatchObject({ ready: false, bits: 0, finding: false });
    expect(bench.findings).toEqual([]);
  });
});
