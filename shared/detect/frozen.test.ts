import { describe, expect, it } from 'vitest';
import { frozen } from './frozen.ts';
import { normal, Stream, seeded } from './stream.fixture.ts';

const day = 8640;

/** Rounds of ten seconds: a sensor in tenths, and where its peers are in deviations; they follow one machine's load. */
function machine(seed: number): (i: number) => { readonly value: number; readonly peers: number } {
  const random = seeded(seed);
  let load = 0;
  return (i) => {
    if (random() < 0.002) load = 4 * random() - 2;
    const peers = 0.7 * Math.sin(i / 1375) + load * 0.5 + 0.1 * normal(random);
    return { value: Math.round(10 * (50 + 6 * peers + 0.05 * normal(random))) / 10, peers };
  };
}

function learned(seed: number): { stream: Stream<object>; next: ReturnType<typeof machine> } {
  const stream = new Stream(frozen, {}, 10_000, 2);
  const next = machine(seed);
  for (let i = 0; i < day; i++) {
    const { value, peers } = next(i);
    expect(stream.step(value, peers).finding).toBe(false);
  }
  expect(stream.verdict.ready).toBe(true);
  return { stream, next };
}

describe('frozen', () => {
  it('finds a sensor that stands still while its peers move, and takes it back when it moves', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { stream, next } = learned(seed);
      let after = -1;
      const stands = 50.3;
      for (let i = 0; i < day && after < 0; i++) if (stream.step(stands, next(day + i).peers).finding) after = i;
      expect(after).toBeGreaterThan(10);
      const { value, peers } = next(2 * day);
      expect(stream.step(value, peers).finding).toBe(false);
    }
  });

  it('says nothing while the peers stand still as well, or of a value that rests at its lowest', () => {
    const { stream } = learned(6);
    for (let i = 0; i < day; i++) expect(stream.step(50.3, 0.2).finding).toBe(false);
    const resting = new Stream(frozen, {}, 10_000, 2);
    const next = machine(7);
    for (let i = 0; i < day; i++) resting.step(i % 50 < 5 ? 0 : next(i).value, next(i).peers);
    for (let i = 0; i < day; i++) expect(resting.step(0, next(i).peers).finding).toBe(false);
  });

  it('says nothing of what is constant by nature', () => {
    const stream = new Stream(frozen, {}, 10_000, 2);
    const next = machine(8);
    for (let i = 0; i < 2 * day; i++) expect(stream.step(Math.floor(i / 5000), next(i).peers).finding).toBe(false);
    expect(stream.verdict.ready).toBe(false);
  });

  it('is silent for ten days on each of ten sensors, coarse ones and a tank that cares little for the others', () => {
    for (let seed = 10; seed < 20; seed++) {
      const stream = new Stream(frozen, {}, 10_000, 2);
      const next = machine(seed);
      const random = seeded(seed + 100);
      let level = 40;
      let findings = 0;
      for (let i = 0; i < 10 * day; i++) {
        const { value, peers } = next(i);
        level += 0.01 * normal(random) + (level < 20 ? 0.01 : 0) - (level > 60 ? 0.01 : 0);
        const own = [
          value,
          Math.round(value),
          Math.round(value / 2) * 2,
          Math.round(level * 10) / 10,
          Math.round(level),
        ];
        if (stream.step(own[seed % 5]!, peers).finding) findings++;
      }
      expect(findings).toBe(0);
    }
  });
});
