import { expect, test } from 'vitest';
import { seeded } from '../random.ts';
import { BASE_ROWS, basesOf } from './bases.ts';
import { faults } from './faults.ts';

test('bases are the same in every run, and hold numbers', () => {
  const once = [...basesOf('/nowhere')];
  const again = [...basesOf('/nowhere')];
  expect(once.map(({ sort }) => sort)).toContain('mostly zero');
  for (const [b, { values }] of once.entries()) {
    expect(values).toHaveLength(BASE_ROWS);
    expect(values.every(Number.isFinite)).toBe(true);
    expect(again[b]!.values).toEqual(values);
  }
});

test('a fault changes rows of its own and no others', () => {
  const from = 12_000;
  const base = [...basesOf('/nowhere')].find(({ sort }) => sort === 'daily')!;
  for (const fault of faults) {
    expect(fault.fits(base), fault.kind).toBe(true);
    const values = base.values.slice();
    fault.put(values, from, 10, base, seeded(1));
    const changed = [...values.keys()].filter((row) => !Object.is(values[row], base.values[row]));
    expect(changed.length, fault.kind).toBeGreaterThan(0);
    expect(changed[0], fault.kind).toBeLessThanOrEqual(from + 1);
    expect(changed[0], fault.kind).toBeGreaterThanOrEqual(from);
    expect(changed.at(-1), fault.kind).toBeLessThan(from + fault.rows);
  }
});

test('to be stuck is no fault where rest is the rule', () => {
  const resting = [...basesOf('/nowhere')].find(({ sort }) => sort === 'mostly zero')!;
  expect(faults.find(({ kind }) => kind === 'stuck')!.fits(resting)).toBe(false);
});
