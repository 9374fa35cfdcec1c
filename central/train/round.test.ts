import { describe, expect, it } from 'vitest';
import { MINUTE_MS } from '../../shared/limits.ts';
import { splitTime } from './round.ts';

describe('the held-out time', () => {
  const minute = MINUTE_MS;
  it('of a first model is the last quarter', () => {
    expect(splitTime(0, 100 * minute, minute, null)).toBe(75 * minute);
    expect(splitTime(0, 4 * minute, minute, null)).toBe(3 * minute);
  });

  it('is what the champion has not seen, up to half of all', () => {
    expect(splitTime(0, 100 * minute, minute, 80 * minute)).toBe(80 * minute);
    expect(splitTime(0, 100 * minute, minute, 20 * minute)).toBe(50 * minute);
  });

  it('is the last quarter again where the champion has seen all', () => {
    expect(splitTime(0, 100 * minute, minute, 100 * minute)).toBe(75 * minute);
  });
});
