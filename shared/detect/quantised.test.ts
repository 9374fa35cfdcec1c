import { describe, expect, it } from 'vitest';
import { quantised } from './quantised.ts';
import { healthy, Stream } from './stream.fixture.ts';

const learnt = 20_000;

function to(step: number, next: (i: number) => number): (i: number) => number {
  return (i) => Math.round(next(i) / step) * step;
}

describe('quantised', () => {
  it.each([
    ['a value that had no steps', 'a temperature with noise', 0.25],
    ['tenths that become halves', 'a temperature in tenths', 0.5],
    ['a count that loses its lowest bits', 'a count of what is under way', 4],
  ])('finds %s, and takes it back', (_, name, step) => {
    const stream = new Stream(quantised);
    const usual = healthy[name]!(1);
    // Counts and tenths repeat themselves: noise on top makes each step tell.
    const next = step === 4 ? (i: number) => 100 + (((usual(i) * 37 + i * i) % 97) | 0) : usual;
    const fine = name === 'a temperature in tenths' ? (i: number) => usual(i) + ((i * 7) % 9) / 10 : next;
    expect(stream.until(fine, learnt)).toBe(-1);
    const after = stream.until(
      to(step, (i) => fine(learnt + i)),
      600,
    );
    expect(after).toBeGreaterThan(64);
    expect(quantised.describe!(stream.state, '')).toContain(`comes in steps of ${step}`);
    for (let i = 0; i < 128; i++) stream.step(fine(learnt + 600 + i));
    expect(stream.verdict.finding).toBe(false);
  });

  it('knows steps that are stored in single precision', () => {
    const stream = new Stream(quantised);
    const next = (i: number): number => Math.fround((600 + ((i * i * 7) % 131)) / 10);
    expect(stream.until(next, learnt)).toBe(-1);
    expect(stream.until((i) => Math.fround(Math.round(next(i) / 2) * 2), 600)).toBeGreaterThan(0);
    expect(quantised.describe!(stream.state, '')).toContain('steps of 2, before in steps of 0.1');
  });

  it('finds whole degrees in the place of tenths though they change but now and then, within hours', () => {
    const usual = healthy['a temperature in tenths']!(5);
    const stream = new Stream(quantised);
    expect(stream.until(usual, 86_400)).toBe(-1);
    const after = stream.until(
      to(1, (i) => usual(86_400 + i)),
      20_000,
    );
    expect(after).toBeGreaterThan(0);
  });

  it('does not mind a resolution that gets finer, and takes a coarser one as usual after hours', () => {
    const stream = new Stream(quantised);
    const usual = healthy['a temperature with noise']!(4);
    stream.until(to(0.5, usual), learnt);
    expect(stream.until(usual, learnt)).toBe(-1);
    expect(stream.until(to(0.25, usual), 600)).toBe(-1);
    const long = new Stream(quantised);
    long.until(usual, learnt);
    expect(long.until(to(0.25, usual), 600)).toBeGreaterThan(0);
    for (let i = 0; i < 64 * 300; i++) long.step(to(0.25, usual)(i));
    expect(long.verdict.finding).toBe(false);
  });

  it.each(Object.keys(healthy))('is silent for two days on %s', (name) => {
    const stream = new Stream(quantised);
    expect(stream.episodes(healthy[name]!(11), 2 * 86_400)).toBe(0);
  });
});
