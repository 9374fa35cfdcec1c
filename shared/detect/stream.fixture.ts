/** Streams for the tests of detectors: one value after another, and sensors that are made up. */
import { Quality } from '../series.ts';
import { type DetectorKind, emptyVerdict, type Verdict } from './detector.ts';

const quality = new Uint8Array(1);

/** A detector on a stream of values at even times. */
export class Stream<P, S = Float64Array> {
  readonly kind: DetectorKind<P, S>;
  readonly params: P;
  readonly stepMs: number;
  readonly verdict: Verdict = emptyVerdict();
  state: S;
  nowMs = 0;
  readonly #x: Float64Array;

  constructor(kind: DetectorKind<P, S>, more: Partial<P> = {}, stepMs = 1000, values = 1) {
    this.kind = kind;
    this.params = { ...kind.defaults, ...more };
    this.state = kind.start(this.params);
    this.stepMs = stepMs;
    this.#x = new Float64Array(values);
  }

  step(value: number, second = 0, q: Quality = Quality.good): Verdict {
    this.#x[0] = value;
    if (this.#x.length > 1) this.#x[1] = second;
    quality[0] = q;
    const at = { monotonicMs: this.nowMs, utcMs: this.nowMs };
    this.kind.score(this.params, this.state, this.#x, quality, at, this.verdict);
    this.kind.learn(this.params, this.state, this.#x, quality, at);
    this.nowMs += this.stepMs;
    return this.verdict;
  }

  /** Points until a finding, or -1. */
  until(next: (i: number) => number, points: number): number {
    for (let i = 0; i < points; i++) if (this.step(next(i)).finding) return i + 1;
    return -1;
  }

  /** Episodes of findings in so many points. */
  episodes(next: (i: number) => number, points: number): number {
    let count = 0;
    let before = false;
    for (let i = 0; i < points; i++) {
      const { finding } = this.step(next(i));
      if (finding && !before) count++;
      before = finding;
    }
    return count;
  }
}

/** About normal: the sum of twelve. */
export function normal(random: () => number): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random();
  return sum;
}

/** mulberry32: the same stream on every machine. */
export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Sensors and figures of a healthy plant: what a detector of bad data must be silent on. */
export const healthy: Readonly<Record<string, (seed: number) => (i: number) => number>> = {
  'a temperature with noise': (seed) => {
    const random = seeded(seed);
    return (i) => 60 + 8 * Math.sin(i / 13_751) + 0.2 * normal(random);
  },
  'a temperature in tenths': (seed) => {
    const random = seeded(seed);
    let walk = 0;
    return (i) => {
      walk = 0.9999 * walk + 0.02 * normal(random);
      return Math.round(10 * (21 + 4 * Math.sin(i / 13_751) + walk + 0.05 * normal(random))) / 10;
    };
  },
  'a coarse temperature in whole degrees': (seed) => {
    const random = seeded(seed);
    let walk = 0;
    return (i) => {
      walk = 0.9999 * walk + 0.02 * normal(random);
      return Math.round(40 + 5 * Math.sin(i / 13_751) + walk);
    };
  },
  'a flow that follows the load': (seed) => {
    const random = seeded(seed);
    let load = 0;
    let until = 0;
    return (i) => {
      if (i >= until) {
        load = random() < 0.4 ? 0 : 10 * random();
        until = i + 60 + Math.floor(3000 * random() ** 2);
      }
      return load === 0 ? 0 : load * (1 + 0.05 * normal(random));
    };
  },
  'a power that switches': (seed) => {
    const random = seeded(seed);
    return (i) => ((i + 400 * Math.floor(i / 86_400)) % 1800 < 700 ? 2000 + 15 * normal(random) : 12 + normal(random));
  },
  'bursts at night': (seed) => {
    const random = seeded(seed);
    return (i) => {
      const busy = i % 86_400 < 7200;
      return busy ? 50 + 20 * normal(random) : 5 + normal(random);
    };
  },
  'a tank level': (seed) => {
    const random = seeded(seed);
    let level = 50;
    let flow = 0.001;
    return () => {
      if (random() < 0.0005) flow = 0.01 * (random() - 0.5);
      level += flow;
      if (level > 95 || level < 5) flow = -flow;
      level = Math.min(96, Math.max(4, level));
      return Math.round(100 * level) / 100;
    };
  },
  'a set point': (seed) => {
    const random = seeded(seed);
    let value = 21;
    return () => {
      if (random() < 0.0003) value = 15 + Math.floor(20 * random()) / 2;
      return value;
    };
  },
  'a count of what is under way': (seed) => {
    const random = seeded(seed);
    let count = 20;
    return () => {
      if (random() < 0.3) count = Math.max(0, count + (random() < 0.5 ? 1 : -1) * (random() < 0.01 ? 5 : 1));
      return count;
    };
  },
};
