/** The distribution that a seasonal model means, beside the band that it draws: for its calibration. */
import { widened } from '../../shared/detect/allowance.ts';
import { localMs } from '../../shared/detect/civil.ts';
import { type SeasonalParams, seasonalLevel, tailSurprise } from '../../shared/detect/seasonal.ts';

/** P(mean ≤ value) for the window that ends then. */
export function seasonalBelow(params: SeasonalParams, value: number, windowEndMs: number): number {
  if (params.nonNegative && value < 0) return 0;
  const level = seasonalLevel(params, windowEndMs);
  const above = value >= level;
  const times = widened(params.allowances, localMs(params.zone, windowEndMs - params.windowMs / 2), above);
  const z = Math.abs(value - level) / (params.scale * times);
  // Surprise is of both sides together: half of it lies on each.
  const beyond = 2 ** -(tailSurprise(above ? params.upper : params.lower, z) + 1);
  return above ? 1 - beyond : beyond;
}
