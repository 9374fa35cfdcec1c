import { describe, expect, it } from 'vitest';
import { utcZone } from '../../shared/detect/civil.ts';
import { HOUR_MS } from '../../shared/limits.ts';
import { behaviourOf, familyOf, inventoryOf } from './features.ts';

const hours = (count: number, value: (hour: number) => number) => ({
  timesMs: Float64Array.from({ length: count }, (_, i) => (i + 1) * HOUR_MS),
  mean: Float64Array.from({ length: count }, (_, i) => value(i % 24)),
});

describe('features', () => {
  it('takes what it knows of an inventory and passes over what is not as it should be', () => {
    const inventory = {
      resource: { 'host.arch': 'arm64', 'os.type': 'linux', 'os.name': 7, 'device.model.name': ' Raspberry Pi 4 ' },
      processor: { threads: 4 },
      memory: { sizeBytes: 2 ** 32 },
      virtualisation: [],
    };
    expect(inventoryOf(inventory)).toEqual({
      facts: { arch: 'arm64', os: 'linux', device: 'Raspberry Pi 4' },
      sizes: { processors: 2, memory: 32 },
    });
    for (const other of [null, undefined, 7, 'x', [], { resource: null, processor: { threads: Number.NaN } }]) {
      expect(inventoryOf(other)).toEqual({ facts: {}, sizes: {} });
    }
  });

  it('takes the series of many disks or processors for one family, and keeps modes apart', () => {
    const of = (attributes: Record<string, string>) => familyOf({ name: 'cpu', unit: '1', attributes });
    expect(of({ 'cpu.logical_number': '0', 'cpu.mode': 'user' })).toBe(
      of({ 'cpu.logical_number': '7', 'cpu.mode': 'user' }),
    );
    expect(of({ 'cpu.mode': 'user' })).not.toBe(of({ 'cpu.mode': 'system' }));
  });

  it('tells level, spread and the course of the day, whatever a few absurd values are', () => {
    const columns = hours(96, (hour) => (hour < 12 ? 10 : 20));
    columns.mean[5] = 1e12;
    columns.mean[6] = Number.NaN;
    const behaviour = behaviourOf(columns, utcZone)!;
    expect(behaviour.level).toBe(20);
    expect(behaviour.course).toEqual([-10, -10, -10, 0, 0, 0]);
  });

  it('tells neither course nor spread of the first two days, and nothing of nothing', () => {
    const young = hours(40, (hour) => hour);
    expect(behaviourOf(young, utcZone)).toMatchObject({ course: null, spread: null });
    expect(
      behaviourOf(
        hours(3, () => Number.NaN),
        utcZone,
      ),
    ).toBeNull();
  });
});
