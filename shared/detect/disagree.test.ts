import { describe, expect, it } from 'vitest';
import { disagree } from './disagree.ts';
import { normal, Stream, seeded } from './stream.fixture.ts';

const day = 8640;

/** Rounds of ten seconds of two sensors in one tank, and of one in the room beside it. */
function plant(seed: number): (i: number) => { readonly a: number; readonly b: number; readonly room: number } {
  const random = seeded(seed);
  let walk = 0;
  return (i) => {
    walk = 0.999 * walk + 0.1 * normal(random);
    const tank = 50 + 8 * Math.sin(i / 1375) + walk;
    return {
      a: tank + 0.1 * normal(random),
      b: tank + 0.7 + 0.1 * normal(random),
      room: 21 + 2 * Math.sin(i / 1375) + 0.1 * normal(random),
    };
  };
}

function learned(seed: number, rounds = 2 * day): { stream: Stream<object>; next: ReturnType<typeof plant> } {
  const stream = new Stream(disagree, {}, 10_000, 2);
  const next = plant(seed);
  for (let i = 0; i < rounds; i++) {
    const { a, b } = next(i);
    expect(stream.step(a, b).finding).toBe(false);
  }
  expect(stream.verdict.ready).toBe(true);
  return { stream, next };
}

describe('disagree', () => {
  it.each([
    ['one is off by three degrees at once', () => 3],
    ['one drifts away by a degree an hour', (i: number) => i / 360],
    ['one stands still', (i: number, b: number) => 50 - b + 0 * i],
  ])('finds that %s, and says what the other has it expect', (_, fault) => {
    const { stream, next } = learned(1);
    let after = -1;
    for (let i = 0; i < day && after < 0; i++) {
      const { a, b } = next(2 * day + i);
      if (stream.step(a, b + fault(i, b)).finding) after = i;
    }
    expect(after).toBeGreaterThan(6);
    const { expectedLow, expectedHigh } = stream.verdict;
    expect(expectedHigh - expectedLow).toBeLessThan(3);
    const back = next(3 * day);
    expect(stream.step(back.a, back.b).finding).toBe(false);
  });

  it('finds a step within minutes, and a drift before it is two degrees', () => {
    const step = learned(2);
    const rounds = [...new Array(60).keys()].findIndex((i) => {
      const { a, b } = step.next(2 * day + i);
      return step.stream.step(a, b - 2).finding;
    });
    expect(rounds).toBeGreaterThan(0);
    const drift = learned(3);
    const wrong = [...new Array(720).keys()].find((i) => {
      const { a, b } = drift.next(2 * day + i);
      return drift.stream.step(a + i / 360, b).finding;
    });
    expect(wrong).toBeDefined();
  });

  it('knows no pair in what merely rises over the same day, in copies that never move, or in one event', () => {
    const two = new Stream(disagree, {}, 10_000, 2);
    const next = plant(4);
    for (let i = 0; i < 5 * day; i++) {
      const { a, room } = next(i);
      two.step(a, room);
    }
    expect(two.verdict.ready).toBe(false);
    const still = new Stream(disagree, {}, 10_000, 2);
    for (let i = 0; i < day; i++) still.step(i === 4000 ? 1 : 0, i === 4000 ? 1 : 0);
    expect(still.verdict.ready).toBe(false);
  });

  it('is silent for ten days on each of ten pairs that agree, also where one follows late', () => {
    for (let seed = 10; seed < 20; seed++) {
      const stream = new Stream(disagree, {}, 10_000, 2);
      const next = plant(seed);
      let behind = 50;
      let findings = 0;
      for (let i = 0; i < 10 * day; i++) {
        const { a, b } = next(i);
        behind += 0.02 * (b - behind);
        if (stream.step(a, seed % 2 === 0 ? b : behind).finding) findings++;
      }
      expect(findings).toBe(0);
    }
  });

  it('goes on after it was saved and loaded as if it had not been', () => {
    const { stream, next } = learned(5);
    const bytes = disagree.state.encode(stream.state);
    const other = learned(6, 3000).stream;
    other.state = disagree.state.decode(bytes);
    for (let i = 0; i < 500; i++) {
      const { a, b } = next(2 * day + i);
      const fault = i > 300 ? 4 : 0;
      expect(other.step(a, b + fault)).toEqual(stream.step(a, b + fault));
    }
    expect(disagree.state.encode(other.state)).toEqual(disagree.state.encode(stream.state));
  });
});
