import { describe, expect, it } from 'vitest';
import { someMachine } from './fixtures.ts';
import { clusters } from './linkage.ts';
import { CUT } from './placing.ts';
import { spaceOf } from './space.ts';

const busy = { cpu: 0.8, memory: 0.7, disk: 5e6, network: 2e6 };
const calm = { cpu: 0.02, memory: 0.15, disk: 1e4, network: 2e6 };
const like = (levels: typeof busy, factor: number) =>
  Object.fromEntries(Object.entries(levels).map(([family, level]) => [family, level * factor]));

describe('distance of machines', () => {
  it('is small between equals of another size, and large between those that behave otherwise', () => {
    const { distance } = spaceOf([busy, like(busy, 1.3), calm, like(calm, 0.8)].map((levels) => someMachine(levels)));
    expect(distance(0, 1)).toBeLessThan(0.5 * CUT);
    expect(distance(2, 3)).toBeLessThan(0.5 * CUT);
    expect(distance(0, 2)).toBeGreaterThan(CUT);
    expect(distance(0, 2)).toBe(distance(2, 0));
    expect(distance(1, 1)).toBe(0);
  });

  it('keeps apart machines of another kind that happen to behave alike', () => {
    const { distance } = spaceOf([
      someMachine(busy),
      someMachine(busy, { arch: 'arm64', device: 'Raspberry Pi 4', processors: 16 }),
      someMachine(busy, { processors: 8 }),
    ]);
    expect(distance(0, 1)).toBeGreaterThan(CUT);
    expect(distance(0, 2)).toBeLessThan(CUT);
  });

  it('keeps apart machines that watch other things', () => {
    const pump = { pressure: 4, flow: 12, temperature: 60 };
    const { distance } = spaceOf([someMachine({ cpu: 0.1, ...pump }), someMachine({ cpu: 0.1, humidity: 40 })]);
    expect(distance(0, 1)).toBeGreaterThan(CUT);
  });

  it('takes a fleet of equals for one cohort, whatever little they differ in', () => {
    const fleet = Array.from({ length: 30 }, (_, i) => someMachine(like(busy, 1 + 0.01 * i)));
    expect(clusters(30, spaceOf(fleet).distance, CUT)).toHaveLength(1);
  });

  it('compares a machine without data, or without an inventory, by what is known of it', () => {
    const empty = { facts: {}, sizes: {}, families: [], behaviour: new Map() };
    const { distance } = spaceOf([someMachine(busy), empty]);
    expect(distance(0, 1)).toBe(0);
  });
});
