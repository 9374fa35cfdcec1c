import { describe, expect, it } from 'vitest';
import type { Line, MetricChart } from '../metrics/model.ts';
import { bandLines, ChartData, incidentSpans, shownBand } from './chart-data.ts';

function line(id: string, change: Partial<Line> & { name?: string } = {}): Line {
  const { name = 'some.metric', ...rest } = change;
  const values = { timeMs: 0, mean: 0, min: 0, max: 0, last: 0, anomalyShare: 0, highestScore: 0 };
  return { id, label: id, invert: false, series: { id, name, unit: '1', attributes: {}, ...values }, ...rest };
}

function chart(lines: readonly Line[], stack = false): MetricChart {
  const about = { id: 'c', name: 'some.metric', title: 'Some', instance: '', unit: '1', floating: false, minor: false };
  return { ...about, rank: 0, stack, lines };
}

const MINUTE = 60_000;
const windows = (ends: readonly number[], mean: readonly number[], share: readonly number[] = mean.map(() => 0)) => ({
  windowMs: MINUTE,
  columns: { timesMs: ends.map((end) => end * MINUTE), mean, min: mean, max: mean, anomalyShare: share },
});
const range = { fromMs: 0, toMs: 10 * MINUTE };

describe('what a chart has', () => {
  it('takes in new windows, and replaces those that came before', () => {
    const data = new ChartData(chart([line('a')]));
    data.setHistory('a', windows([1, 2, 3], [1, 2, 3]));
    data.extend('a', windows([3, 4], [30, 40]));
    expect(data.draw(null, range, null).columns[0]).toEqual([1, 2, 30, 40]);
    expect(data.latestWindowMs()).toBe(4 * MINUTE);
  });

  it('ends in what streams in', () => {
    const data = new ChartData(chart([line('a')]));
    data.setHistory('a', windows([1, 2], [1, 2]));
    const live = { timesMs: [2 * MINUTE, 2 * MINUTE + 1000], values: [7, 8] };
    expect(data.draw(null, range, () => live).columns[0]).toEqual([1, 2, 7, 8]);
    expect(data.draw(null, range, null).columns[0]).toEqual([1, 2]);
  });

  it('shows one line alone when it was chosen, no longer on top of others', () => {
    const data = new ChartData(chart([line('a'), line('b')], true));
    data.setHistory('a', windows([1], [1]));
    data.setHistory('b', windows([1], [5]));
    expect(data.draw(null, range, null).columns).toEqual([[1], [6]]);
    expect(data.draw('b', range, null)).toMatchObject({ stack: false, columns: [[5]] });
  });

  it('marks each window in which something was unusual, once', () => {
    const data = new ChartData(chart([line('a'), line('b')]));
    data.setHistory('a', windows([1, 2], [1, 1], [0, 0.5]));
    data.setHistory('b', windows([1, 2], [1, 1], [0, 0.2]));
    expect(data.draw(null, range, null).anomalies).toEqual([[60, 120]]);
  });

  it('is not flattened by a band that is far wider than what was measured', () => {
    const data = new ChartData(chart([line('a')]));
    data.setHistory('a', windows([1, 2], [1, 2]));
    data.setBand('a', { version: 1, timesMs: [MINUTE, 2 * MINUTE], low: [0, 0], high: [1e9, 1e9] });
    const [, top] = data.draw(null, range, null).axis;
    expect(top).toBeGreaterThan(2);
    expect(top).toBeLessThan(10);
  });

  it('has no band where bands would lie on each other', () => {
    expect(bandLines(chart([line('a'), line('b'), line('c')]), null)).toEqual([]);
    expect(bandLines(chart([line('a'), line('b')], true), null)).toEqual([]);
    expect(bandLines(chart([line('a'), line('b')], true), 'b').map(({ id }) => id)).toEqual(['b']);
  });
});

describe('the expected band', () => {
  it('is turned over with its line, and a share stays one', () => {
    const busy = line('idle', { invert: true, name: 'system.cpu.utilization' });
    expect(shownBand(busy, [0.5, null], [2.2, 1])).toEqual({ lows: [0, 0], highs: [0.5, null] });
    expect(shownBand(line('x', { name: 'system.memory.utilization' }), [-1], [3])).toEqual({ lows: [0], highs: [1] });
    expect(shownBand(line('x'), [-1], [3])).toEqual({ lows: [-1], highs: [3] });
  });
});

describe('incidents on a chart', () => {
  it('are its own when one of its series took part, from when that series left what was expected', () => {
    const incident = {
      openedMs: 5_000,
      closedMs: null,
      severity: 'warning' as const,
      findings: [{ series: 'a', sinceMs: 4_000 }],
    };
    expect(incidentSpans(chart([line('a')]), [incident], 9_000)).toEqual([
      { fromS: 4, toS: 9, severity: 'warning', mine: true },
    ]);
    expect(incidentSpans(chart([line('b')]), [incident], 9_000)).toMatchObject([{ fromS: 5, mine: false }]);
  });
});
