import { describe, expect, it } from 'vitest';
import { utcZone } from '../../shared/detect/civil.ts';
import { DAY_MS, MINUTE_MS } from '../../shared/limits.ts';
import { fitProfile } from './profile.ts';
import { unseenResiduals } from './unseen.ts';

const WINDOW_MS = 10 * MINUTE_MS;

function residualsOf(days: number, valueAt: (timeMs: number) => number): Float64Array | null {
  const rows = (days * DAY_MS) / WINDOW_MS;
  const endsMs = Float64Array.from({ length: rows }, (_, i) => Date.UTC(2026, 0, 5) + (i + 1) * WINDOW_MS);
  const windows = {
    endsMs,
    values: endsMs.map(valueAt),
    weights: new Float64Array(rows).fill(1),
    windowMs: WINDOW_MS,
    zone: utcZone,
  };
  return unseenResiduals(windows, fitProfile(windows));
}

describe('residuals about the other half', () => {
  it('show a level that changed between the halves, which a profile of all days would halve or hide', () => {
    const middleMs = Date.UTC(2026, 0, 5) + 3 * DAY_MS;
    const residuals = residualsOf(6, (timeMs) => (timeMs <= middleMs ? 10 : 14))!;
    expect(residuals[0]).toBeCloseTo(-4, 6);
    expect(residuals.at(-1)).toBeCloseTo(4, 6);
  });

  it('are none of a season that comes each day', () => {
    const daily = (timeMs: number): number => 10 + 5 * Math.sin((2 * Math.PI * timeMs) / DAY_MS);
    const residuals = residualsOf(6, daily)!;
    expect(Math.max(...residuals.map(Math.abs))).toBeLessThan(0.5);
  });

  it('are none of weekends, though a half has but one', () => {
    const weekly = (timeMs: number): number => (new Date(timeMs - 1).getUTCDay() % 6 === 0 ? 2 : 10);
    const residuals = residualsOf(14, weekly)!;
    expect(Math.max(...residuals.map(Math.abs))).toBeLessThan(0.5);
  });

  it('need a day in each half', () => {
    expect(residualsOf(1.5, () => 1)).toBeNull();
    expect(residualsOf(2, () => 1)).not.toBeNull();
    expect(residualsOf(0, () => 1)).toBeNull();
  });
});
