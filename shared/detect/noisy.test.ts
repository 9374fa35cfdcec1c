import { describe, expect, it } from 'vitest';
import { noisy } from './noisy.ts';
import { healthy, normal, Stream, seeded } from './stream.fixture.ts';

const learnt = 30_000;
const temperature = 'a temperature with noise';

describe('noisy', () => {
  it.each([
    ['white noise of five times the usual', (random: () => number) => 1 * normal(random)],
    ['a loose contact that throws the value about', (random: () => number) => (random() < 0.3 ? 8 * random() - 4 : 0)],
    ['hum of a mains frequency', (_random: () => number, i: number) => 3 * Math.sin(2.4 * i)],
  ])('finds %s, within ten minutes, and when it is over', (_, fault) => {
    const stream = new Stream(noisy);
    const usual = healthy[temperature]!(1);
    const random = seeded(7);
    expect(stream.until(usual, learnt)).toBe(-1);
    const after = stream.until((i) => usual(learnt + i) + fault(random, i), 600);
    expect(after).toBeGreaterThan(100);
    expect(noisy.describe!(stream.state, 'Cel')).toMatch(
      /^is noisy about its level: it scatters by \d.* °C, usually by/,
    );
    for (let i = 0; i < 128; i++) stream.step(usual(learnt + 600 + i));
    expect(stream.verdict.finding).toBe(false);
  });

  it('takes a level that moves, a step and a spike for what they are', () => {
    for (const fault of [
      (i: number) => i * 0.05,
      () => 15,
      (i: number) => (i % 300 === 0 ? 40 : 0),
      (i: number) => 10 * Math.sin(i / 20),
      (i: number) => 40 * Math.sin(i / 3),
    ]) {
      const stream = new Stream(noisy);
      const usual = healthy[temperature]!(2);
      stream.until(usual, learnt);
      expect(stream.until((i) => usual(learnt + i) + fault(i), 3000)).toBe(-1);
    }
  });

  it('finds noise that comes again no second time', () => {
    const stream = new Stream(noisy);
    const usual = healthy[temperature]!(3);
    const random = seeded(8);
    stream.until(usual, learnt);
    const fault = (i: number): number => usual(i) + normal(random);
    expect(stream.until(fault, 600)).toBeGreaterThan(0);
    for (let i = 0; i < 3000; i++) stream.step(usual(i));
    expect(stream.until(fault, 600)).toBe(-1);
  });

  it.each(Object.keys(healthy))('is silent for two days on %s', (name) => {
    const stream = new Stream(noisy);
    expect(stream.episodes(healthy[name]!(11), 2 * 86_400)).toBe(0);
  });
});
