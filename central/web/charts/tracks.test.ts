import { describe, expect, it } from 'vitest';
import { align, axisRange, fullRatePart, joinParts, stacked, windowPart } from './tracks.ts';

describe('tracks', () => {
  it('put a window at its middle, with what was between its values', () => {
    const part = windowPart({ timesMs: [60_000, 120_000], mean: [1, 2], min: [0, 1], max: [3, 4] }, 60_000, false);
    expect(part).toMatchObject({ times: [30, 90], values: [1, 2], lows: [0, 1], highs: [3, 4] });
  });

  it('turn idle into busy, and the ends with it', () => {
    const part = windowPart({ timesMs: [60_000], mean: [0.75], min: [0.5], max: [1] }, 60_000, true);
    expect(part).toMatchObject({ values: [0.25], lows: [0], highs: [0.5] });
  });

  it('leave a hole where windows are missing', () => {
    const part = windowPart({ timesMs: [60_000, 120_000, 600_000], mean: [1, 2, 3] }, 60_000, false);
    const track = joinParts([part]);
    expect(track.values).toEqual([1, 2, null, 3]);
    expect(track.times[2]).toBeGreaterThan(90);
    expect(track.times[2]).toBeLessThan(570);
  });

  it('have windows of a minute and of ten in one line, each at its middle', () => {
    const ends = [600, 1200, 1260, 1320, 1920, 3720];
    const lengths = [600, 600, 60, 60, 600, 600];
    const timesMs = ends.map((s) => s * 1000);
    const lengthsMs = lengths.map((s) => s * 1000);
    const track = joinParts([windowPart({ timesMs, lengthsMs, mean: [1, 2, 3, 4, 5, 6] }, 60_000, false)]);
    expect(track.values).toEqual([1, 2, 3, 4, 5, null, 6]);
    expect(track.times.slice(0, 5)).toEqual([300, 900, 1230, 1290, 1620]);
  });

  it('go on from windows to full-rate values without a hole, and the later part stands', () => {
    const windows = windowPart({ timesMs: [60_000, 120_000, 180_000], mean: [1, 1, 1] }, 60_000, false);
    const full = fullRatePart([130_000, 131_000, 132_000], [5, 6, 7], false);
    const track = joinParts([windows, full]);
    expect(track.times).toEqual([30, 90, 130, 131, 132]);
    expect(track.values).toEqual([1, 1, 5, 6, 7]);
  });

  it('know how often a slow series comes', () => {
    const slow = fullRatePart([0, 30_000, 60_000, 90_000, 300_000], [1, 2, 3, 4, 5], false);
    expect(joinParts([slow]).values).toEqual([1, 2, 3, 4, null, 5]);
  });

  it('drop what comes twice', () => {
    const fill = fullRatePart([1_000, 2_000, 3_000], [1, 2, 3], false);
    const live = fullRatePart([3_000, 4_000], [3, 4], false);
    expect(joinParts([fill, live]).times).toEqual([1, 2, 3, 4]);
  });
});

describe('alignment', () => {
  it('tells no point from a hole', () => {
    const { times, columns } = align([
      { times: [1, 2, 3], values: [1, null, 3] },
      { times: [1, 3], values: [10, 30] },
    ]);
    expect(times).toEqual([1, 2, 3]);
    expect(columns).toEqual([
      [1, null, 3],
      [10, undefined, 30],
    ]);
  });

  it('copies nothing where the times are the same', () => {
    const values = [1, 2];
    expect(align([{ times: [1, 2], values }]).columns[0]).toBe(values);
  });

  it('stacks from the first line up; what is missing counts as nothing', () => {
    expect(
      stacked([
        [1, 2, null, undefined],
        [10, undefined, null, undefined],
      ]),
    ).toEqual([
      [1, 2, null, undefined],
      [11, 2, null, undefined],
    ]);
  });
});

describe('the axis of values', () => {
  it('begins at zero where it may not float', () => {
    expect(axisRange(40, 50, false)[0]).toBe(0);
    expect(axisRange(40, 50, false)[1]).toBeGreaterThan(50);
    expect(axisRange(0, 0, false)).toEqual([0, 1]);
  });

  it('floats around what there is, and never invents negative values', () => {
    const [low, high] = axisRange(40, 50, true);
    expect(low).toBeGreaterThan(30);
    expect(high).toBeGreaterThan(50);
    expect(axisRange(0.1, 50, true)[0]).toBe(0);
    expect(axisRange(5, 5, true)[0]).toBeLessThan(5);
    expect(axisRange(-5, -5, true)[0]).toBeLessThan(-5);
  });

  it('shows something where there is nothing', () => {
    expect(axisRange(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, false)).toEqual([0, 1]);
  });
});
