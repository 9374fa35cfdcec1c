import { describe, expect, it } from 'vitest';
import { type DetectorKind, emptyVerdict, type Verdict } from './detector.ts';
import { missing, missingDefaults } from './missing.ts';
import { stuck, stuckDefaults } from './stuck.ts';

const quality = new Uint8Array(1);
const x = new Float64Array(1);

class Stream<P, S> {
  readonly kind: DetectorKind<P, S>;
  readonly params: P;
  readonly state: S;
  readonly verdict: Verdict = emptyVerdict();
  stepMs = 1000;
  #nowMs = 0;

  constructor(kind: DetectorKind<P, S>, params: P) {
    this.kind = kind;
    this.params = params;
    this.state = kind.start(params);
  }

  step(value: number): Verdict {
    x[0] = value;
    const at = { monotonicMs: this.#nowMs, utcMs: 0 };
    this.#nowMs += this.stepMs;
    this.kind.score(this.params, this.state, x, quality, at, this.verdict);
    this.kind.learn(this.params, this.state, x, quality, at);
    return this.verdict;
  }

  /** How many points until a finding, or -1. */
  until(value: number, points: number): number {
    for (let i = 1; i <= points; i++) if (this.step(value).finding) return i;
    return -1;
  }
}

const sensor = (i: number): number => 20 + Math.sin(i / 50) + ((i * 7919) % 13) / 10;

describe('stuck', () => {
  it('finds a sensor that freezes, after minutes rather than seconds', () => {
    const stream = new Stream(stuck, stuckDefaults);
    for (let i = 0; i < 2000; i++) expect(stream.step(sensor(i)).finding).toBe(false);
    const after = stream.until(20.55, 600);
    expect(after).toBeGreaterThanOrEqual(stuckDefaults.minRunMs / 1000);
    expect(after).toBeLessThan(400);
  });

  it('finds one that is read each ten seconds after minutes, too, and never after less than two', () => {
    const slow = new Stream(stuck, stuckDefaults);
    slow.stepMs = 10_000;
    for (let i = 0; i < 2000; i++) expect(slow.step(sensor(i)).finding).toBe(false);
    const after = slow.until(20.55, 600);
    expect(after).toBeGreaterThanOrEqual(stuckDefaults.minRunPoints);
    expect(after).toBeLessThan(60);
    const fast = new Stream(stuck, stuckDefaults);
    fast.stepMs = 100;
    for (let i = 0; i < 20_000; i++) fast.step(sensor(i));
    expect(fast.until(20.55, 1190)).toBe(-1);
  });

  it('says nothing of what is constant by nature, of what is steady by definition, or of what it does not know', () => {
    const constant = new Stream(stuck, stuckDefaults);
    expect(constant.until(42, 20_000)).toBe(-1);
    expect(constant.verdict.ready).toBe(false);
    const steady = new Stream(stuck, { ...stuckDefaults, steady: 1 });
    for (let i = 0; i < 2000; i++) steady.step(sensor(i));
    expect(steady.until(20.55, 2000)).toBe(-1);
    const young = new Stream(stuck, stuckDefaults);
    for (let i = 0; i < 300; i++) young.step(sensor(i));
    expect(young.until(20.55, 500)).toBe(-1);
  });

  it('knows rest from being stuck: a rate that goes to zero, a value at the highest that it ever had', () => {
    for (const rest of [0, 30]) {
      const stream = new Stream(stuck, stuckDefaults);
      for (let i = 0; i < 2000; i++) stream.step(i % 40 === 0 ? rest : sensor(i));
      expect(stream.until(rest, 3000)).toBe(-1);
    }
  });

  it('bears with a series that often repeats itself for long', () => {
    const stream = new Stream(stuck, stuckDefaults);
    for (let i = 0; i < 400_000; i++) stream.step(20 + (Math.floor(i / (100 + (i % 3))) % 9));
    expect(stream.until(24, 150)).toBe(-1);
  });
});

describe('missing', () => {
  it('finds silence after the expected intervals, and takes it back with the first value', () => {
    const stream = new Stream(missing, missingDefaults);
    for (let i = 0; i < 100; i++) stream.step(1);
    expect(stream.until(Number.NaN, 50)).toBe(missingDefaults.intervals);
    expect(stream.step(1).finding).toBe(false);
  });

  it('waits longer for a source that is often silent', () => {
    const stream = new Stream(missing, missingDefaults);
    for (let i = 0; i < 2000; i++) stream.step(i % 100 < 15 ? Number.NaN : 1);
    expect(stream.until(Number.NaN, 100)).toBe(30);
  });

  it('says nothing of a series that it does not know yet', () => {
    const stream = new Stream(missing, missingDefaults);
    for (let i = 0; i < 10; i++) stream.step(1);
    expect(stream.until(Number.NaN, 100)).toBe(-1);
    expect(stream.verdict.ready).toBe(false);
  });
});
