/** How long is waited after failures: pure. */
import { HOUR_MS } from '../../shared/limits.ts';

const FIRST_MS = 2_000;
const MOST_MS = HOUR_MS;

/**
 * 2 s, 4 s, 8 s … an hour, each times 0.5…1.5, so that many that failed together do not come together.
 * @param asked what the receiver asked for, which is the least
 */
export function pauseMs(failures: number, random: () => number, asked: number | null = null): number {
  const base = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(20, Math.max(0, failures - 1)));
  return Math.max(asked ?? 0, base * (0.5 + random()));
}
