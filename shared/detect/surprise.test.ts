import { describe, expect, it } from 'vitest';
import { emptyVerdict, type Verdict } from './detector.ts';
import { surprise, surpriseDefaults } from './surprise.ts';

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

const START_MS = Date.UTC(2026, 2, 2);
const at = { monotonicMs: 0, utcMs: START_MS };
const quality = new Uint8Array(1);
const x = new Float64Array(1);

class Stream {
  readonly state = surprise.start(surpriseDefaults);
  readonly verdict: Verdict = emptyVerdict();
  readonly params;

  constructor(barBits = 24) {
    this.params = { ...surpriseDefaults, barBits };
    at.monotonicMs = 0;
    at.utcMs = START_MS;
  }

  /** A value so much time after the one before. */
  after(ms: number, value: number): Verdict {
    at.monotonicMs += ms;
    at.utcMs += ms;
    return this.step(value);
  }

  step(value: number): Verdict {
    x[0] = value;
    surprise.score(this.params, this.state, x, quality, at, this.verdict);
    surprise.learn(this.params, this.state, x, quality, at);
    return this.verdict;
  }
}

/** CPU of a quiet machine, in steps of 1/200 as the kernel's ticks on two cores have it. */
function quietCpu(random: () => number): number {
  const flash = random() < 0.03 ? 0.3 * random() : 0;
  return Math.round(200 * (0.01 + 0.01 * random() + flash)) / 200;
}

describe('surprise', () => {
  it('says nothing before it has seen enough, and then says so', () => {
    const stream = new Stream();
    for (let i = 0; i < surpriseDefaults.minPoints; i++) expect(stream.step(i % 7).ready).toBe(false);
    expect(stream.step(3).ready).toBe(true);
  });

  it.each([180, 240, 300])('finds a loaded CPU within ten seconds after %i seconds', (warmUp) => {
    const random = seeded(warmUp);
    const stream = new Stream();
    for (let i = 0; i < warmUp; i++) expect(stream.step(quietCpu(random)).finding).toBe(false);
    const found = Array.from({ length: 10 }, () => {
      const { finding, expectedHigh } = stream.step(0.97 + 0.02 * random());
      expect(expectedHigh).toBeLessThan(0.6);
      return finding;
    });
    expect(found).toContain(true);
  });

  it('keeps its promise: b bits come less often than about once in 2^b points', () => {
    let points = 0;
    const above = { 8: 0, 12: 0, 16: 0 };
    for (let series = 0; series < 12; series++) {
      const random = seeded(100 + series);
      const stream = new Stream();
      for (let i = 0; i < 20_000; i++) {
        const noise = random() + random() + random() + random();
        const value =
          series % 3 === 0 ? noise : series % 3 === 1 ? quietCpu(random) : Math.floor(-20 * Math.log(random()));
        const { bits } = stream.step(value);
        points++;
        for (const limit of [8, 12, 16] as const) if (bits >= limit) above[limit]++;
      }
    }
    for (const limit of [8, 12, 16] as const) expect(above[limit] / points).toBeLessThan(3 * 2 ** -limit);
  });

  it('tells a state that lasts when it begins, not again and again', () => {
    const random = seeded(4);
    const stream = new Stream(16);
    for (let i = 0; i < 2000; i++) stream.step(10 + random());
    let findings = 0;
    for (let i = 0; i < 1000; i++) if (stream.step(30 + random()).finding) findings++;
    expect(findings).toBeGreaterThan(0);
    expect(findings).toBeLessThan(8);
  });

  it('gets used to what comes again and again', () => {
    const random = seeded(5);
    const stream = new Stream();
    const bits: number[] = [];
    for (let i = 0; i < 20_000; i++) {
      const burst = i % 500 === 499;
      stream.step(burst ? 40 + random() : 10 + random());
      if (burst && i > 400) bits.push(stream.verdict.bits);
    }
    expect(Math.max(...bits.slice(-10))).toBeLessThan(Math.max(...bits.slice(0, 3)) / 2);
  });

  it('expects what was usual before the trouble, while the trouble lasts', () => {
    const random = seeded(6);
    const stream = new Stream();
    for (let i = 0; i < 300; i++) stream.step(100 + 10 * random());
    for (let i = 0; i < 20; i++) stream.step(500);
    expect(stream.verdict.expectedLow).toBeGreaterThan(90);
    expect(stream.verdict.expectedHigh).toBeLessThan(120);
  });

  it('does not expect below zero what was never below zero', () => {
    const random = seeded(8);
    const stream = new Stream();
    for (let i = 0; i < 500; i++) stream.step(random() < 0.9 ? 0 : 100 * random());
    expect(stream.verdict.expectedLow).toBe(0);
  });

  it('finds that a counter runs that has rested for a quarter of an hour', () => {
    const random = seeded(16);
    const lasting = new Stream(22);
    for (let i = 0; i < 900; i++) lasting.after(1000, 0);
    const told: (string | null)[] = [];
    for (let i = 0; i < 40; i++) {
      const { finding, shape, expectedHigh } = lasting.after(1000, Math.floor(50 + 10 * random()));
      expect(expectedHigh).toBeLessThan(2);
      if (finding) told.push(shape);
    }
    expect(told).toContain('shift');
  });

  it('makes no more of a constant that has another value for long than of its change', () => {
    const stream = new Stream(0);
    for (let i = 0; i < 5000; i++) stream.after(1000, 0);
    const change = stream.after(1000, 1).bits;
    for (let i = 0; i < 40; i++) expect(stream.after(1000, 1).bits).toBeLessThan(change);
  });

  it('makes little of the first change of a constant that it has known for minutes', () => {
    const stream = new Stream();
    for (let i = 0; i < 300; i++) stream.step(5);
    expect(stream.step(6).finding).toBe(false);
  });

  it.each(['NaN', 'bad quality'])('neither judges nor learns %s', (what) => {
    const random = seeded(9);
    const stream = new Stream();
    for (let i = 0; i < 300; i++) stream.step(random());
    const before = surprise.state.encode(stream.state);
    quality[0] = what === 'NaN' ? 0 : 2;
    expect(stream.step(what === 'NaN' ? Number.NaN : 99)).toMatchObject({ ready: false, bits: 0 });
    quality[0] = 0;
    expect(surprise.state.encode(stream.state)).toEqual(before);
  });

  it('tells a spike from a shift', () => {
    const random = seeded(11);
    const spike = new Stream(12);
    for (let i = 0; i < 2000; i++) spike.after(1000, 10 + random());
    expect(spike.after(1000, 40)).toMatchObject({ finding: true, shape: 'spike' });
    const shift = new Stream(12);
    for (let i = 0; i < 2000; i++) shift.after(1000, 10 + random());
    const told: (string | null)[] = [];
    for (let i = 0; i < 20; i++) if (shift.after(1000, 40 + random()).finding) told.push(shift.verdict.shape);
    expect(told).toContain('shift');
  });

  it('finds at three at night what is usual at noon, and says that it is the hour', () => {
    const random = seeded(12);
    const stream = new Stream(9);
    const load = (hour: number): number => (hour >= 8 && hour < 18 ? 80 : 15) + 2 * random();
    const fiveMinutes = 300_000;
    for (let i = 0; i < 4 * 288; i++) stream.after(fiveMinutes, load((i / 12) % 24));
    for (let i = 0; i < 36; i++) stream.after(fiveMinutes, load(i / 12));
    const found = Array.from({ length: 12 }, () => ({ ...stream.after(fiveMinutes, 80 + 2 * random()) }));
    const first = found.find(({ finding }) => finding)!;
    expect(first.shape).toBe('season');
    expect(first.expectedHigh).toBeLessThan(60);
  });

  it('makes less of a burst each hour at the same minute, and more of one at another', () => {
    const random = seeded(13);
    const stream = new Stream(12);
    const hour = (burstAt: number): number => {
      let most = 0;
      for (let i = 0; i < 720; i++)
        most = Math.max(most, stream.after(5000, (i === burstAt ? 60 : 10) + random()).bits);
      return most;
    };
    const first = hour(400);
    expect(first).toBeGreaterThan(12);
    for (let i = 0; i < 4; i++) hour(400);
    const usual = hour(400);
    expect(usual).toBeLessThan(first / 2);
    expect(hour(90)).toBeGreaterThan(usual + 3);
  });

  it('sees by means of minutes a level that has moved by less than the points scatter', () => {
    const random = seeded(14);
    const noise = (): number => random() + random() + random() + random();
    const stream = new Stream(14);
    for (let i = 0; i < 100 * 60; i++) stream.after(1000, 100 + noise());
    const shapes: (string | null)[] = [];
    for (let i = 0; i < 10 * 60; i++)
      if (stream.after(1000, 100.9 + noise()).finding) shapes.push(stream.verdict.shape);
    expect(shapes.some((shape) => shape === 'shift' || shape === 'drift')).toBe(true);
  });

  it.each([
    ['a counter that is mostly zero', (random: () => number) => (random() < 0.01 ? Math.floor(500 * random()) : 0)],
    [
      'a percentage that is often at its bound',
      (random: () => number) => Math.min(1, Math.round(240 * random()) / 200),
    ],
    ['a state of few values', (random: () => number) => (random() < 0.02 ? 2 : 1)],
    ['a constant', () => 7],
  ] as const)('leaves %s in peace', (_name, value) => {
    const random = seeded(15);
    const stream = new Stream(17);
    let findings = 0;
    for (let i = 0; i < 30_000; i++) if (stream.after(1000, value(random)).finding) findings++;
    expect(findings).toBe(0);
  });

  it('refuses what an older version learned', () => {
    const bytes = surprise.state.encode(surprise.start(surpriseDefaults));
    bytes[0] = 1;
    expect(() => surprise.state.decode(bytes)).toThrowError('version 1');
  });

  it('takes the zone of a site, and refuses one that is none', () => {
    const zone = { fromMs: [0, 1e12], offsetMs: [3_600_000, 7_200_000] };
    expect(surprise.parseParams({ zone }).zone).toEqual(zone);
    expect(() => surprise.parseParams({ zone: { fromMs: [5, 5], offsetMs: [0, 0] } })).toThrowError('zone');
  });
});
