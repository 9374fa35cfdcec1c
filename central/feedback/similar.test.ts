import { describe, expect, test } from 'vitest';
import type { RankedFinding } from '../../shared/findings.ts';
import type { Verdict } from './api.ts';
import { contributionsOf, type Judged, suggest } from './similar.ts';

function finding(
  series: string,
  name: string,
  contribution: number,
  members?: RankedFinding['members'],
): RankedFinding {
  const key = { name, unit: '1', attributes: {} };
  const range = { seen: 1, expectedLow: 0, expectedHigh: 0.5 };
  const rest = { detector: 'surprise', tier: 'full', sinceMs: 0, lastMs: 0, bits: 20, returnPeriodMs: 1 } as const;
  return { series, key, ...rest, ...range, contribution, text: '', ...(members !== undefined && { members }) };
}

const vibration = finding('a1', 'pump.vibration', 0.7);
const heat = finding('a2', 'pump.temperature', 0.3);
const bearing = contributionsOf({ findings: [vibration, heat] });
const disk = contributionsOf({ findings: [finding('b1', 'system.filesystem.utilization', 1)] });

function judged(vector: Judged['vector'], name: string | null, verdict: Verdict = 'real', atMs = 0): Judged {
  return { vector, class: name, verdict, atMs };
}

describe('what an incident is made of', () => {
  test('has length 1, whatever the sizes of its shares', () => {
    const length = (vector: Judged['vector']): number => Object.values(vector).reduce((sum, x) => sum + x * x, 0);
    expect(length(bearing)).toBeCloseTo(1);
    expect(length(contributionsOf({ findings: [finding('c', 'x', 1e-9)] }))).toBeCloseTo(1);
    expect(contributionsOf({ findings: [] })).toEqual({});
    expect(contributionsOf({ findings: [finding('c', 'x', Number.NaN)] })).toEqual({});
  });

  test('a group is what its members are', () => {
    const of = (series: string, name: string, share: number) => {
      const key = { name, unit: '1', attributes: {} };
      return { series, key, share, seen: null, expectedLow: null, expectedHigh: null };
    };
    const members = [of('a1', 'pump.vibration', 0.7), of('a2', 'pump.temperature', 0.3)];
    const group = contributionsOf({ findings: [finding('g', 'group.pump', 1, members)] });
    expect(suggest(group, [judged(bearing, 'pump bearing')])).toMatchObject({ class: 'pump bearing' });
  });
});

describe('what it looks like', () => {
  test('nobody has judged anything: nothing is said', () => {
    expect(suggest(bearing, [])).toBeNull();
  });

  test('three of the four nearest agree', () => {
    const known = [judged(bearing, 'pump bearing'), judged(bearing, 'pump bearing'), judged(bearing, 'pump bearing')];
    const others = [judged(bearing, 'sensor'), judged(disk, 'disk full'), judged(disk, 'disk full')];
    const answer = { verdict: 'real', class: 'pump bearing', agreeing: 3, similar: 4 };
    expect(suggest(bearing, [...others, ...known])).toEqual(answer);
  });

  test('the same of another pump is near, that of this one nearer; what came from elsewhere is unknown', () => {
    const findings = [finding('z1', 'pump.vibration', 0.7), finding('z2', 'pump.temperature', 0.3)];
    const other = contributionsOf({ findings });
    expect(suggest(other, [judged(bearing, 'pump bearing')])).toMatchObject({ class: 'pump bearing', similar: 1 });
    const own = Array.from({ length: 4 }, () => judged(other, 'sensor'));
    const here = Array.from({ length: 4 }, () => judged(bearing, 'pump bearing'));
    expect(suggest(bearing, [...own, ...here])).toMatchObject({ class: 'pump bearing', agreeing: 4 });
    expect(suggest(disk, [judged(bearing, 'pump bearing')])).toMatchObject({ verdict: 'unknown', similar: 0 });
    // A third of it in common is not enough.
    const partly = contributionsOf({ findings: [heat, finding('b1', 'system.filesystem.utilization', 0.7)] });
    expect(suggest(partly, [judged(bearing, 'pump bearing')])).toMatchObject({ verdict: 'unknown', similar: 0 });
  });

  test('neighbours that disagree say unknown, and how many there were', () => {
    const two = [judged(bearing, 'pump bearing'), judged(bearing, 'sensor')];
    expect(suggest(bearing, two)).toEqual({ verdict: 'unknown', class: null, agreeing: 0, similar: 2 });
    const alarms = [judged(bearing, null, 'false_alarm'), judged(bearing, null, 'false_alarm')];
    expect(suggest(bearing, [...two, ...alarms])).toMatchObject({ verdict: 'unknown', similar: 4 });
  });

  test('false alarms and planned work are answers as well', () => {
    const alarm = { verdict: 'false_alarm', class: null, agreeing: 2, similar: 2 };
    const two = [judged(bearing, null, 'false_alarm'), judged(bearing, null, 'false_alarm')];
    expect(suggest(bearing, two)).toEqual(alarm);
    expect(suggest(bearing, [judged(bearing, null, 'planned')])).toMatchObject({ verdict: 'planned' });
  });

  test('of many that are equally near, the newest are asked', () => {
    const old = Array.from({ length: 50 }, () => judged(bearing, 'sensor', 'real', 1));
    const newer = Array.from({ length: 4 }, () => judged(bearing, 'pump bearing', 'real', 2));
    expect(suggest(bearing, [...old, ...newer])).toMatchObject({ class: 'pump bearing', agreeing: 4, similar: 4 });
  });
});
