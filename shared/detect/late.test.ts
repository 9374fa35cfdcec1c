import { describe, expect, it } from 'vitest';
import { Quality } from '../series.ts';
import { late } from './late.ts';
import { Stream, seeded } from './stream.fixture.ts';

/** A stream of which the test sets each interval. */
function timed(intervalMs: (i: number) => number): (stream: Stream<object>, i: number) => boolean {
  return (stream, i) => {
    stream.nowMs += intervalMs(i) - stream.stepMs;
    return stream.step(i).finding;
  };
}

function learned(): { stream: Stream<object>; random: () => number } {
  const random = seeded(1);
  const stream = new Stream(late, {}, 10_000);
  const usual = timed(() => 10_000 + 100 * (random() - 0.5));
  for (let i = 0; i < 2000; i++) expect(usual(stream, i)).toBe(false);
  return { stream, random };
}

describe('late', () => {
  it.each([
    ['each third answer gets lost', (_: () => number, i: number) => (i % 2 === 0 ? 10_000 : 20_000)],
    ['an answer takes half as long again', () => 15_000],
    ['a bus that is overloaded', (random: () => number) => 10_000 * Math.ceil(3 * random())],
  ])('finds that %s, within forty values', (_, interval) => {
    const { stream, random } = learned();
    const step = timed((i) => interval(random, i));
    const after = [...new Array(60).keys()].findIndex((i) => step(stream, i));
    expect(after).toBeGreaterThan(15);
    expect(after).toBeLessThan(48);
    expect(late.describe!(stream.state, '')).toMatch(/^comes every [12]\d.* s, usually every 10.* s$/);
    const back = timed(() => 10_000);
    for (let i = 0; i < 32; i++) back(stream, i);
    expect(stream.verdict.finding).toBe(false);
  });

  it('takes an old value that is said again for no value', () => {
    const { stream } = learned();
    let found = false;
    for (let i = 0; i < 120; i++) found ||= stream.step(i, 0, i % 2 === 0 ? Quality.good : Quality.stale).finding;
    expect(found).toBe(true);
  });

  it('is silent on pauses, single losses, slightly other intervals, and what always came unevenly', () => {
    const { stream, random } = learned();
    for (const interval of [
      (i: number) => (i % 3 === 0 ? 3_600_000 : 10_000),
      (i: number) => (i % 20 === 0 ? 20_000 : 10_000),
      () => 11_000,
      () => 5_000,
    ]) {
      const step = timed(interval);
      for (let i = 0; i < 1000; i++) expect(step(stream, i)).toBe(false);
      const usual = timed(() => 10_000);
      for (let i = 0; i < 200; i++) usual(stream, i);
    }
    const uneven = new Stream(late, {}, 10_000);
    const step = timed(() => 2_000 + 30_000 * random() ** 3);
    for (let i = 0; i < 50_000; i++) expect(step(uneven, i)).toBe(false);
  });
});
