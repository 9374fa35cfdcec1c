import { describe, expect, it } from 'vitest';
import { MINUTE_MS } from '../../shared/limits.ts';
import { splitTime } from './round.ts';

describe('the held-out time', () => {
  const minute = MINUTE_MS;
  it('of a first model is the last quarter', () => {
    expect(splitTime(0, 100 * minute, { windowMs: minute }, null)).toBe(75 * minute);
    expect(splitTime(0, 4 * minute, { windowMs: minute }, null)).toBe(3 * minute);
    expect(splitTime(0, 5 * minute, { windowMs: minute }, null)).toBe(4 * minute);
  });

  it('is the later half of what the champion has not seen: from the earlier half the challenger learns', () => {
    expect(splitTime(0, 100 * minute, { windowMs: minute }, 80 * minute)).toBe(90 * minute);
    expect(splitTime(0, 8 * minute, { windowMs: minute }, 4 * minute)).toBe(6 * minute);
    expect(splitTime(50 * minute, 100 * minute, { windowMs: minute }, 20 * minute)).toBe(75 * minute);
  });

  it('is the last quarter again where the champion has seen all', () => {
    expect(splitTime(0, 100 * minute, { windowMs: minute }, 99 * minute)).toBe(75 * minute);
    expect(splitTime(0, 100 * minute, { windowMs: minute }, 100 * minute)).toBe(75 * minute);
  });
});
