import { describe, expect, it } from 'vitest';
import { groupSeries } from './group.ts';
import type { LatestSeries } from './model.ts';
import { outlooks } from './outlook.ts';

const NOW_MS = 1_800_000_000_000;
const HOUR = 3600;
const DAY = 24 * HOUR;
const data = { 'system.device': '/dev/sda1', 'system.filesystem.mountpoint': '/data', 'system.filesystem.type': 'xfs' };

function series(
  id: string,
  name: string,
  attributes: Record<string, string>,
  last: number,
  timeMs = NOW_MS,
): LatestSeries {
  return {
    id,
    name,
    unit: 's',
    attributes,
    timeMs,
    mean: last,
    min: last,
    max: last,
    last,
    anomalyShare: 0,
    highestScore: 0,
  };
}

function told(
  name: string,
  of: string,
  attributes: Record<string, string>,
  seconds: Record<string, number>,
  timeMs = NOW_MS,
) {
  return Object.entries(seconds).map(([edge, value]) =>
    series(
      `${name} ${edge}`,
      `picket.forecast.${name}`,
      { ...attributes, 'picket.forecast.metric': of, 'picket.forecast.edge': edge },
      value,
      timeMs,
    ),
  );
}

const disk = series('disk', 'system.filesystem.utilization', data, 0.83);
const inodes = series('inodes', 'system.filesystem.inodes.utilization', data, 0.1);
const days = { expected: 3 * DAY, earliest: 2 * DAY, latest: 5 * DAY };

describe('the outlook of a series', () => {
  it('is what the forecast of that very series says', () => {
    const found = outlooks([disk, inodes, ...told('time_to_full', disk.name, data, days)]);
    expect([...found]).toEqual([['disk', { text: 'full in 3 days (2–5 days)', soon: false }]]);
  });

  it('names both units where they differ, and an end that is open', () => {
    const text = (seconds: Record<string, number>): string | undefined =>
      outlooks([disk, ...told('time_to_full', disk.name, data, seconds)]).get('disk')?.text;
    expect(text({ expected: 40 * HOUR, earliest: 30 * HOUR, latest: 3 * DAY })).toBe('full in 40 h (30 h–3 days)');
    expect(text({ expected: 40 * HOUR, earliest: 30 * HOUR })).toBe('full in 40 h (30 h or later)');
    expect(text({ expected: 0, earliest: 0, latest: 0 })).toBe('full');
  });

  it('is of warning within a day, and of what empties as well', () => {
    const battery = series('bat', 'hw.battery.charge', { 'hw.id': 'BAT0' }, 0.4);
    const seconds = { expected: 2.5 * HOUR, earliest: 2.5 * HOUR, latest: 2.5 * HOUR };
    const found = outlooks([battery, ...told('time_to_empty', battery.name, battery.attributes, seconds)]);
    expect(found.get('bat')).toEqual({ text: 'empty in 3 h', soon: true });
  });

  it('is over when no window says it any more', () => {
    const old = told('time_to_full', disk.name, data, days, NOW_MS - 180_000);
    expect(outlooks([disk, ...old]).size).toBe(0);
  });
});

it('the time ahead has a chart in the section of its metric, not among those of the agent', () => {
  const sections = groupSeries([disk, ...told('time_to_full', disk.name, data, days)]);
  expect(sections.map(({ title }) => title)).toEqual(['Filesystems']);
  const chart = sections[0]!.charts.find(({ title }) => title === 'Time to full')!;
  expect(chart.lines.map(({ label }) => label)).toEqual(['expected', 'earliest', 'latest']);
  expect(chart).toMatchObject({ instance: '/data', minor: true });
});
