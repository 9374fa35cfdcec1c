import { describe, expect, it } from 'vitest';
import { emptyVerdict } from './detector.ts';
import { saturated, saturatedDefaults } from './saturated.ts';

const at = { monotonicMs: 0, utcMs: 0 };
const quality = new Uint8Array(1);
const x = new Float64Array(1);

class Stream {
  readonly state = saturated.start(saturatedDefaults);
  readonly verdict = emptyVerdict();

  step(share: number): boolean {
    x[0] = share;
    saturated.score(saturatedDefaults, this.state, x, quality, at, this.verdict);
    saturated.learn(saturatedDefaults, this.state, x, quality, at);
    return this.verdict.finding;
  }

  /** Points until the first finding while `share` lasts; 0: none in `points`. */
  until(points: number, share = 1): number {
    let first = 0;
    for (let i = 1; i <= points; i++) if (this.step(share) && first === 0) first = i;
    return first;
  }
}

/** Five minutes of a machine on which something uses all for `burst` of every 30 points. */
function busy(burst: number): Stream {
  const stream = new Stream();
  for (let i = 0; i < 300; i++) expect(stream.step(i % 30 < burst ? 1 : 0.4)).toBe(false);
  return stream;
}

describe('saturated', () => {
  it('says nothing before it has seen enough, and then says so', () => {
    const stream = new Stream();
    for (let i = 0; i < saturatedDefaults.minPoints; i++) {
      stream.step(0.2);
      expect(stream.verdict.ready).toBe(false);
    }
    stream.step(0.2);
    expect(stream.verdict.ready).toBe(true);
  });

  it.each([0, 3, 10])('finds all in use within 20 points where bursts lasted %i', (burst) => {
    const first = busy(burst).until(40);
    expect(first).toBe(Math.max(saturatedDefaults.leastPoints, 1.5 * burst));
    expect(first).toBeLessThanOrEqual(20);
  });

  it('waits half again as long as the longest time before', () => {
    const stream = busy(20);
    expect(stream.until(29)).toBe(0);
    expect(stream.until(1)).toBe(1);
  });

  it('finds nothing in what comes again and lasts no longer', () => {
    const stream = busy(0);
    let findings = 0;
    for (let round = 0; round < 50; round++) {
      if (stream.until(60) > 0) findings++;
      stream.until(300, 0.3);
    }
    expect(findings).toBe(1);
  });

  it('leaves a machine in peace that was at its limit from the start', () => {
    const stream = new Stream();
    expect(stream.until(20_000)).toBe(0);
  });

  it('is not deceived by a point that is almost at the limit', () => {
    const stream = busy(0);
    for (let i = 1; i < saturatedDefaults.leastPoints; i++) expect(stream.step(i % 4 === 3 ? 0.93 : 1)).toBe(false);
    expect(stream.step(1)).toBe(true);
  });

  it('takes an hour of it for the habit from then on', () => {
    const stream = busy(0);
    expect(stream.until(3601)).toBeGreaterThan(0);
    expect(stream.until(1000)).toBe(0);
  });

  it('finds nothing in a share that wanders below the limit, nor in a daily square wave it knows', () => {
    const stream = new Stream();
    for (let i = 0; i < 20_000; i++) expect(stream.step(0.5 + 0.46 * Math.sin(i / 900))).toBe(false);
    const square = new Stream();
    let findings = 0;
    for (let i = 0; i < 20 * 1440; i++) if (square.step(i % 1440 < 480 ? 1 : 0.1) && i > 2 * 1440) findings++;
    expect(findings).toBe(0);
  });

  it.each(['NaN', 'bad quality', 'no share'])('neither judges nor learns %s', (what) => {
    const stream = busy(3);
    const before = saturated.state.encode(stream.state);
    quality[0] = what === 'bad quality' ? 2 : 0;
    stream.step(what === 'NaN' ? Number.NaN : what === 'no share' ? 3 : 1);
    expect(stream.verdict).toMatchObject({ ready: false, bits: 0, finding: false });
    quality[0] = 0;
    expect(saturated.state.encode(stream.state)).toEqual(before);
  });
});
