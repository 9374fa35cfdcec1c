import { expect, test } from 'vitest';
import { HOUR_MS } from '../shared/limits.ts';
import { START_MS, someSeries } from './http/fake-values.ts';
import type { LatestSeries } from './store/store.ts';
import { vitalsOf } from './vitals.ts';

function series(name: string, value: number, attributes: Record<string, string> = {}, timeMs = START_MS): LatestSeries {
  return { ...someSeries, name, attributes, mean: value, last: value, timeMs };
}

test('a machine without series has no vitals', () => {
  expect(vitalsOf([])).toEqual({ cpu: null, memory: null, disk: null, load1: null });
});

test('CPU is what is not idle, of the whole machine and not of its cores', () => {
  const cpu = (mode: string, value: number, more = {}) =>
    series('system.cpu.utilization', value, { 'cpu.mode': mode, ...more });
  const all = [
    cpu('user', 0.25),
    cpu('system', 0.125),
    cpu('idle', 0.5),
    cpu('iowait', 0.125),
    cpu('nice', Number.NaN),
    cpu('user', 1, { 'cpu.logical_number': '0' }),
  ];
  expect(vitalsOf(all).cpu).toBe(0.375);
});

test('the disk is the root, else the fullest; what is gone does not count', () => {
  const disk = (point: string, value: number, timeMs?: number) =>
    series('system.filesystem.utilization', value, { 'system.filesystem.mountpoint': point }, timeMs);
  expect(vitalsOf([disk('/data', 0.9), disk('/', 0.3)]).disk).toBe(0.3);
  expect(vitalsOf([disk('/a', 0.2), disk('/b', 0.9), disk('/c', Number.NaN)]).disk).toBe(0.9);
  expect(vitalsOf([disk('/a', 0.2), disk('/gone', 0.9, START_MS - 2 * HOUR_MS)]).disk).toBe(0.2);
});

test('memory in use and the load of a minute', () => {
  const all = [
    series('system.memory.utilization', 0.5, { 'system.memory.state': 'used' }),
    series('system.memory.utilization', 0.1, { 'system.memory.state': 'free' }),
    series('system.cpu.load_average.1m', 1.5),
  ];
  expect(vitalsOf(all)).toMatchObject({ memory: 0.5, load1: 1.5 });
});
