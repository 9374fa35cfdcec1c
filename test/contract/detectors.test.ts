/**
 * What every registered detector holds, whatever it detects. A kind whose parameters have no useful default brings an
 * example in `examples`.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Instant } from '../../shared/clock.ts';
import { emptyVerdict, type Verdict } from '../../shared/detect/detector.ts';
import { type AnyDetectorKind, detectorKinds } from '../../shared/detect/registry.ts';
import { PicketError } from '../../shared/errors.ts';
import { Quality } from '../../shared/series.ts';
import { seededRandom } from './detectors-random.ts';

const START_MS = Date.UTC(2026, 0, 5);
/** More than any kind takes by default. */
const WIDEST = 16;
const quality = new Uint8Array(WIDEST);
const x = new Float64Array(WIDEST);

function instant(second: number): Instant {
  return { monotonicMs: second * 1000, utcMs: START_MS + second * 1000 };
}

/** Puts a value in front of a detector: multiples of it where it wants several, all good or bad alike. */
function show(value: number, q: Quality): void {
  for (let i = 0; i < WIDEST; i++) x[i] = value * (i + 1);
  quality.fill(q);
}

/** A detector on a stream of values. */
class Stream {
  readonly kind: AnyDetectorKind;
  readonly params: unknown;
  readonly verdict: Verdict = emptyVerdict();
  state: unknown;
  second = 0;

  constructor(kind: AnyDetectorKind) {
    this.kind = kind;
    this.params = kind.defaults;
    this.state = kind.start(this.params);
  }

  step(value: number, q: Quality = Quality.good, at = instant(this.second++)): Verdict {
    this.ask(value, q, at);
    this.kind.learn(this.params, this.state, x, quality, at);
    return this.verdict;
  }

  ask(value: number, q: Quality = Quality.good, at = instant(this.second)): Verdict {
    show(value, q);
    this.kind.score(this.params, this.state, x, quality, at, this.verdict);
    return this.verdict;
  }

  bytes(): Uint8Array {
    return this.kind.state.encode(this.state);
  }
}

function sound(verdict: Verdict): void {
  expect(verdict.bits).toBeGreaterThanOrEqual(0);
  expect(verdict.bits).toBeLessThan(1e6);
  if (!verdict.ready) expect(verdict).toMatchObject({ bits: 0, finding: false });
  if (!Number.isNaN(verdict.expectedLow)) expect(verdict.expectedLow).toBeLessThanOrEqual(verdict.expectedHigh);
}

const hostileValues = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1e308,
  -1e308,
  5e-324,
  -0,
  0,
  1e-300,
  2 ** 53,
  Number.MAX_VALUE,
];

/** Streams of the sorts that a host has: noise, a counter that is mostly zero, integers, percentages, a constant. */
const sorts: Record<string, (random: () => number, i: number) => number> = {
  noise: (random) => 20 + random() + random() + random(),
  'mostly zero': (random) => (random() < 0.01 ? Math.floor(random() * 500) : 0),
  integers: (random) => Math.floor(random() * 6),
  percentage: (random) => Math.min(1, Math.max(0, random() ** 3 * 1.2)),
  constant: () => 7,
  'random walk': (random, i) => Math.sin(i / 900) * 1e9 + random() * 4096,
};

describe.each(Object.entries(detectorKinds))('detector %s', (name, kind) => {
  it('is registered under its own name and takes its own defaults', () => {
    expect(kind.name).toBe(name);
    expect(kind.parseParams(JSON.parse(JSON.stringify(kind.defaults)))).toEqual(kind.defaults);
  });

  it('refuses parameters that are none', () => {
    for (const json of [null, 7, 'x', [], { unheardOf: 1 }]) {
      expect(() => kind.parseParams(json)).toThrowError(PicketError);
    }
    for (const field of Object.keys(kind.defaults as object)) {
      const spoilt = { ...(kind.defaults as object), [field]: 'many' };
      expect(() => kind.parseParams(spoilt)).toThrowError(PicketError);
    }
  });

  it('says that it is not ready before it has seen anything', () => {
    const stream = new Stream(kind);
    const before = stream.ask(1);
    expect(before).toMatchObject({ ready: false, bits: 0, finding: false });
  });

  it.each(Object.keys(sorts))('does not learn while it scores: %s', (sort) => {
    const random = seededRandom(11);
    const stream = new Stream(kind);
    for (let i = 0; i < 1500; i++) stream.step(sorts[sort]!(random, i));
    const before = stream.bytes();
    for (const value of [0, 1, 1e6, 20.5, ...hostileValues]) {
      const first = { ...stream.ask(value) };
      stream.ask(value * 0.5);
      expect(stream.ask(value)).toEqual(first);
      expect(stream.bytes()).toEqual(before);
    }
  });

  it.each(Object.keys(sorts))('survives saving and loading bit for bit: %s', (sort) => {
    const random = seededRandom(23);
    const stream = new Stream(kind);
    for (let i = 0; i < 2000; i++) stream.step(sorts[sort]!(random, i));
    const loaded = new Stream(kind);
    loaded.state = kind.state.decode(stream.bytes());
    loaded.second = stream.second;
    expect(loaded.bytes()).toEqual(stream.bytes());
    for (let i = 0; i < 500; i++) {
      const value = i % 100 === 99 ? 1e5 : sorts[sort]!(random, i);
      expect(loaded.step(value)).toEqual(stream.step(value));
    }
    expect(loaded.bytes()).toEqual(stream.bytes());
  });

  it('stays sound on any stream, with clocks that jump and qualities that change', () => {
    const values = fc.oneof(
      { weight: 4, arbitrary: fc.double({ min: -100, max: 100 }) },
      { weight: 1, arbitrary: fc.constantFrom(...hostileValues) },
      { weight: 1, arbitrary: fc.double() },
    );
    const point = fc.record({
      value: values,
      repeat: fc.integer({ min: 1, max: 80 }),
      q: fc.constantFrom(Quality.good, Quality.good, Quality.good, Quality.stale, Quality.bad),
      second: fc.integer({ min: -1e6, max: 1e6 }),
    });
    fc.assert(
      fc.property(fc.array(point, { maxLength: 40 }), (points) => {
        const stream = new Stream(kind);
        const size = stream.bytes().length;
        for (const { value, repeat, q, second } of points) {
          for (let i = 0; i < repeat; i++) sound(stream.step(value, q, instant(second)));
        }
        expect(stream.bytes().length).toBe(size);
        const again = kind.state.decode(stream.bytes());
        expect(kind.state.encode(again)).toEqual(stream.bytes());
      }),
      { numRuns: 60, seed: 5 },
    );
  });

  it('judges as before after something absurd has passed', () => {
    const random = seededRandom(31);
    const stream = new Stream(kind);
    for (let i = 0; i < 3000; i++) stream.step(sorts.noise!(random, i));
    for (const value of hostileValues) sound(stream.step(value));
    for (let i = 0; i < 20_000; i++) stream.step(sorts.noise!(random, i));
    let findings = 0;
    for (let i = 0; i < 5000; i++) if (stream.step(sorts.noise!(random, i)).finding) findings++;
    expect(findings).toBe(0);
    if (!Number.isNaN(stream.verdict.expectedLow)) {
      expect(stream.verdict.expectedLow).toBeGreaterThan(0);
      expect(stream.verdict.expectedHigh).toBeLessThan(100);
    }
  });

  it('lives through a million equal values in the same memory', () => {
    const stream = new Stream(kind);
    const size = stream.bytes().length;
    for (let i = 0; i < 1e6; i++) {
      show(3.25, Quality.good);
      kind.learn(stream.params, stream.state, x, quality, instant(0));
    }
    sound(stream.ask(3.25));
    expect(stream.verdict.finding).toBe(false);
    sound(stream.step(4));
    expect(stream.bytes().length).toBe(size);
  });

  it('refuses bytes that are no state of its own, and only with its own error', () => {
    const random = seededRandom(41);
    const stream = new Stream(kind);
    for (let i = 0; i < 1000; i++) stream.step(sorts.noise!(random, i));
    const good = stream.bytes();
    for (const bytes of [new Uint8Array(0), good.subarray(1), Uint8Array.from([...good, 0])]) {
      expect(() => kind.state.decode(bytes)).toThrowError(PicketError);
    }
    const wrongVersion = good.slice();
    if (wrongVersion.length > 0) {
      wrongVersion[0] = 250;
      expect(() => kind.state.decode(wrongVersion)).toThrowError(PicketError);
    }
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.uint8Array({ minLength: 1, maxLength: 16 }), (from, noise) => {
        const spoilt = good.slice();
        spoilt.set(noise.subarray(0, spoilt.length - from), from);
        let state: unknown;
        try {
          state = kind.state.decode(spoilt);
        } catch (error) {
          expect(error).toBeInstanceOf(PicketError);
          return;
        }
        // What is accepted must be safe to run, however wrong it is.
        const hostile = new Stream(kind);
        hostile.state = state;
        for (let i = 0; i < 300; i++) sound(hostile.step(sorts.noise!(random, i)));
      }),
      { numRuns: 300, seed: 9 },
    );
  });

  it('refuses, or lives with, any number in any place of its state', () => {
    const random = seededRandom(43);
    const stream = new Stream(kind);
    for (let i = 0; i < 1000; i++) stream.step(sorts.noise!(random, i));
    const good = stream.bytes();
    for (let at = 0; at + 8 <= good.length; at += 4) {
      for (const number of [-1, 0.5, 1e9, -1e300, Number.NaN]) {
        const spoilt = good.slice();
        new DataView(spoilt.buffer).setFloat64(at, number, true);
        let state: unknown;
        try {
          state = kind.state.decode(spoilt);
        } catch (error) {
          expect(error).toBeInstanceOf(PicketError);
          continue;
        }
        const hostile = new Stream(kind);
        hostile.state = state;
        for (let i = 0; i < 60; i++) sound(hostile.step(sorts.noise!(random, i)));
        expect(() => kind.state.decode(hostile.bytes())).not.toThrow();
      }
    }
  }, 30_000);
});
