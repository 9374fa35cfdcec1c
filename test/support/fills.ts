/**
 * Generated lives of a stock, a level a minute: how disks, memory and batteries fill, for tests of forecasts. Every
 * shape has its own sizes and noise by lot; the same seed gives the same life.
 */

export interface Fill {
  /** Share of what there is that is taken, asked for minute after minute; the first at or above 1 is the end. */
  (minute: number): number;
  /** From then on the end can be told; before, somebody interferes later. */
  from?: number;
}

const DAY = 1440;

type Random = () => number;
const between = (random: Random, low: number, high: number): number => low + random() * (high - low);
/** Even in the logarithm: rates lie over orders of magnitude. */
const spread = (random: Random, low: number, high: number): number => low * (high / low) ** random();

/** Measured with a little unrest. */
const unrest = (random: Random, size: number): number => size * (random() + random() + random() - 1.5);

/** Those that end full. */
export const filling: Readonly<Record<string, (random: Random) => Fill>> = {
  linear: (random) => {
    const base = between(random, 0.1, 0.7);
    const begin = Math.floor(spread(random, 1, 10_000));
    const minutes = spread(random, 20, 30 * DAY) * (1 - base);
    const noise = random() < 0.5 ? 0 : spread(random, 1e-4, 5e-3);
    return (t) => base + Math.max(0, t - begin) * ((1 - base) / minutes) + unrest(random, noise);
  },
  accelerating: (random) => {
    const base = between(random, 0.1, 0.6);
    const minutes = spread(random, 600, 40 * DAY);
    const power = between(random, 1.3, 2.5);
    return (t) => base + (1 - base) * (t / minutes) ** power + unrest(random, 2e-4);
  },
  slowing: (random) => {
    const base = between(random, 0.1, 0.6);
    const minutes = spread(random, 600, 40 * DAY);
    const power = between(random, 0.6, 0.9);
    return (t) => base + (1 - base) * (t / minutes) ** power + unrest(random, 2e-4);
  },
  'nightly steps': (random) => {
    const base = between(random, 0.3, 0.7);
    const step = between(random, 0.008, 0.05);
    const lasts = between(random, 5, 180);
    const steps = Array.from({ length: 400 }, () => step * between(random, 0.8, 1.2));
    let done = 0;
    let day = 0;
    return (t) => {
      const into = t - (day * DAY + 120);
      if (into >= lasts) {
        done += steps[day]!;
        day++;
      }
      const part = Math.min(1, Math.max(0, (t - (day * DAY + 120)) / lasts));
      return base + done + part * steps[day]!;
    };
  },
  'daily saw-tooth with a leak': (random) => {
    const base = between(random, 0.2, 0.5);
    const tooth = between(random, 0.05, 0.3);
    const leak = between(random, 0.005, 0.03) / DAY;
    return (t) => base + tooth * ((t % DAY) / DAY) + leak * t + unrest(random, 1e-3);
  },
  'saw-tooth by size with a leak': (random) => {
    const base = between(random, 0.2, 0.5);
    const tooth = between(random, 0.03, 0.2);
    const period = spread(random, 40, 2000);
    const leak = between(random, 0.005, 0.03) / DAY;
    let phase = 0;
    return (t) => {
      phase += between(random, 0.5, 1.5) / period;
      return base + tooth * (phase % 1) + leak * t;
    };
  },
  'bursts, then idle': (random) => {
    const gap = spread(random, 60, 1500);
    const size = between(random, 0.003, 0.03);
    let level = between(random, 0.2, 0.6);
    let next = 0;
    let until = 0;
    return (t) => {
      if (t >= next) {
        until = t + between(random, 1, 15);
        next = until - gap * Math.log(1 - random());
      }
      if (t < until) level += (size / 8) * between(random, 0.5, 1.5);
      return level;
    };
  },
  'nightly backup deleted, with a leak': (random) => {
    const base = between(random, 0.2, 0.4);
    const backup = between(random, 0.1, 0.35);
    const lasts = between(random, 10, 240);
    const leak = between(random, 0.004, 0.02) / DAY;
    return (t) => base + leak * t + backup * night(t, lasts);
  },
  'a deletion, then on': (random) => {
    const rate = spread(random, 0.3, 10);
    const minutes = (rate * DAY) / 0.5;
    const freed = between(random, 0.2, 0.4);
    const fill: Fill = (t) => 0.4 + (t * 0.5) / minutes - (t >= minutes * 0.8 ? freed : 0) + unrest(random, 2e-4);
    fill.from = minutes * 0.8;
    return fill;
  },
};

/** Part of a nightly backup that is there: it grows from 2 o'clock on, and is deleted an hour after it is complete. */
function night(t: number, lasts: number): number {
  const into = (t % DAY) - 120;
  if (into < 0 || into > lasts + 60) return 0;
  return Math.min(1, into / lasts);
}

/** Those that never do. */
export const steady: Readonly<Record<string, (random: Random) => Fill>> = {
  idle: (random) => {
    const base = between(random, 0.1, 0.95);
    return () => base;
  },
  noise: (random) => {
    const base = between(random, 0.2, 0.9);
    const noise = spread(random, 1e-3, 0.05);
    return () => base + unrest(random, noise);
  },
  'nightly backup deleted': (random) => {
    const base = between(random, 0.2, 0.5);
    const backup = between(random, 0.1, 0.45);
    const lasts = spread(random, 10, 300);
    const sizes = Array.from({ length: 100 }, () => backup * between(random, 0.92, 1.08));
    return (t) => base + sizes[Math.floor(t / DAY)]! * night(t, lasts) + unrest(random, 2e-4);
  },
  'daily saw-tooth': (random) => {
    const base = between(random, 0.2, 0.6);
    const tooth = between(random, 0.05, 0.35);
    return (t) => base + tooth * ((t % DAY) / DAY) + unrest(random, 1e-3);
  },
  'saw-tooth by size': (random) => {
    const base = between(random, 0.2, 0.6);
    const tooth = between(random, 0.03, 0.35);
    const period = spread(random, 40, 5000);
    let phase = 0;
    return (t) => {
      phase += between(random, 0.5, 1.5) / period;
      return base + tooth * (phase % 1) + (t < 0 ? 1 : 0);
    };
  },
  'weekly saw-tooth': (random) => {
    const base = between(random, 0.2, 0.5);
    const tooth = between(random, 0.1, 0.4);
    return (t) => base + tooth * ((t % (7 * DAY)) / (7 * DAY));
  },
  'memory by day': (random) => {
    const base = between(random, 0.3, 0.5);
    const swing = between(random, 0.05, 0.3);
    let walk = 0;
    return (t) => {
      walk = 0.98 * walk + unrest(random, 0.01);
      return base + swing * Math.max(0, Math.sin((2 * Math.PI * t) / DAY)) + walk;
    };
  },
  'fills to a level and stays': (random) => {
    const base = between(random, 0.2, 0.5);
    const more = between(random, 0.1, 0.4);
    const tau = spread(random, 30, 5 * DAY);
    return (t) => base + more * (1 - Math.exp(-t / tau)) + unrest(random, 2e-4);
  },
};
