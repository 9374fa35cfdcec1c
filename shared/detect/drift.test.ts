import { describe, expect, it } from 'vitest';
import { emptyVerdict } from './detector.ts';
import { drift, driftDefaults } from './drift.ts';
import { seeded } from './stream.fixture.ts';

const at = { monotonicMs: 0, utcMs: 0 };
const quality = new Uint8Array(1);
const x = new Float64Array(1);

class Stream {
  readonly state = drift.start(driftDefaults);
  readonly verdict = emptyVerdict();
  /** Findings that began. */
  told = 0;

  step(value: number): boolean {
    x[0] = value;
    const before = this.verdict.finding;
    drift.score(driftDefaults, this.state, x, quality, at, this.verdict);
    drift.learn(driftDefaults, this.state, x, quality, at);
    if (this.verdict.finding && !before) this.told++;
    return this.verdict.finding;
  }

  take(points: number, value: (i: number) => number): void {
    for (let i = 0; i < points; i++) this.step(value(i));
  }

  /** Points until it is told; null: not in so many. */
  until(points: number, value: (i: number) => number): number | null {
    for (let i = 0; i < points; i++) if (this.step(value(i))) return i + 1;
    return null;
  }
}

describe('drift', () => {
  it('tells what climbs step by step, and that it has ended', () => {
    const random = seeded(3);
    const stream = new Stream();
    stream.take(200, () => 100 + random());
    expect(stream.told).toBe(0);
    const found = stream.until(100, (i) => 102 + 0.1 * i);
    // Of steps that all go one way each has log2(0.9 / 0.5) bits; noise may have made the first ones.
    const steps = Math.ceil(driftDefaults.barBits / Math.log2(1.8));
    expect(found).toBeLessThanOrEqual(steps + 1);
    expect(found).toBeGreaterThan(steps - 5);
    expect(stream.verdict).toMatchObject({ shape: 'drift', ready: true });
    expect(stream.verdict.expectedLow).toBeGreaterThanOrEqual(100);
    expect(stream.verdict.expectedHigh).toBeLessThanOrEqual(101);
    expect(stream.step(100.5)).toBe(false);
    stream.take(50, () => 100 + random());
    expect(stream.told).toBe(1);
  });

  it('tells what falls as well', () => {
    const random = seeded(4);
    const stream = new Stream();
    stream.take(200, () => random());
    expect(stream.until(100, (i) => -1 - 0.1 * i)).not.toBeNull();
  });

  it.each([
    ['a clock', 1.7e9, 1],
    ['a counter', 1e15, 1e3],
    ['a free space', -4e12, 1e6],
    ['a small current', 4e-3, 1e-6],
  ])('sees the same far from zero, where single precision would see no step: %s', (_, base, unit) => {
    const found = [base, 0].map((from) => {
      const random = seeded(3);
      const stream = new Stream();
      stream.take(2_000, () => from + unit * random());
      const points = stream.until(200, (i) => from + unit * (2 + 0.05 * i));
      expect((stream.verdict.expectedLow - from) / unit).toBeGreaterThan(-0.1);
      expect((stream.verdict.expectedHigh - from) / unit).toBeLessThan(1.1);
      return points;
    });
    expect(found[0]).not.toBeNull();
    expect(found[0]).toBe(found[1]);
  });

  it('forgets a range in which it is no more, in some million points', () => {
    const random = seeded(12);
    const stream = new Stream();
    stream.step(0);
    const level = (): number => 1000 + random();
    stream.take(5_000, level);
    // As yet all between nothing and the level is usual, and half of that beyond it.
    expect(stream.until(60, (i) => 1001 + 5 * i)).toBeNull();
    stream.take(3_000_000, level);
    expect(stream.until(60, (i) => 1001 + 5 * i)).not.toBeNull();
  });

  it('counts no farther than its precision goes', () => {
    const random = seeded(13);
    const stream = new Stream();
    stream.take(9_000_000, () => random());
    const largest = stream.state.reduce((most, number) => Math.max(most, number), 0);
    expect(largest).toBeLessThan(2 ** 23);
    expect(stream.until(100, (i) => 2 + 0.1 * i)).not.toBeNull();
  });

  it('finds by coarse means what is lost in the noise from point to point', () => {
    const random = seeded(5);
    const stream = new Stream();
    stream.take(40_000, () => random());
    // By a five-thousandth of what it moves by all the time.
    const found = stream.until(20_000, (i) => random() + 0.0002 * i);
    expect(found).toBeGreaterThan(16 * 29);
    expect(found).toBeLessThan(16 * 16 * 45);
  });

  it('takes neither a walk, nor a day, nor what is smoothed for one', () => {
    const random = seeded(6);
    let walk = 0;
    let smooth = 0;
    const streams: [string, (i: number) => number][] = [
      ['walk', () => (walk += random() - 0.5)],
      ['noise', () => random()],
      ['day', (i) => Math.sin((i / 86_400) * 2 * Math.PI) + 0.01 * random()],
      ['smoothed', () => (smooth += 0.02 * ((random() < 0.01 ? 30 : random()) - smooth))],
    ];
    for (const [name, value] of streams) {
      const stream = new Stream();
      stream.take(400_000, value);
      expect([name, stream.told]).toEqual([name, 0]);
    }
  });

  it('leaves what always climbs alone: a clock, a saw-tooth', () => {
    const random = seeded(7);
    const clock = new Stream();
    clock.take(5_000, (i) => i);
    expect(clock.told).toBe(0);
    const saw = new Stream();
    let level = 0;
    saw.take(200_000, () => {
      level = random() < 0.001 ? 0 : level + random();
      return level;
    });
    expect(saw.told).toBe(0);
  });

  it('wants a history some times as long as the drift', () => {
    const random = seeded(8);
    const young = new Stream();
    young.take(driftDefaults.minPoints - 20, () => random());
    expect(young.until(1_000, (i) => 2 + 0.1 * i)).toBeNull();
  });

  it('wants more than what was usual: a climb as long as those before is none', () => {
    const random = seeded(9);
    const stream = new Stream();
    const climbs = (size: number) => (i: number) => (i % 400 < 40 ? size * (i % 400) : random());
    stream.take(40_000, climbs(1));
    expect(stream.told).toBe(0);
    // It leaves what was seen before, but in as many steps as always.
    stream.take(400, climbs(3));
    expect(stream.told).toBe(0);
    expect(stream.until(200, (i) => 1 + 3 * i)).toBeGreaterThan(40 * 1.5);
  });

  it('sees again soon after one value that was absurd', () => {
    const random = seeded(10);
    const stream = new Stream();
    stream.take(2_000, () => random());
    stream.step(1e300);
    stream.take(2_000, () => random());
    expect(stream.until(400, (i) => 2 + 0.1 * i)).toBeLessThan(200);
  });
});
