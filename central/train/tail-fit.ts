/**
 * Fits one side of a series' residuals by peaks over threshold (Pickands 1975), with the moments of Hosking and Wallis
 * (1987), drawn towards a prior that is worth a few peaks: four windows do not claim what only thousands could.
 */
import type { SeasonalTail } from '../../shared/detect/seasonal.ts';
import { gpdShape } from '../../shared/math/tails.ts';
import { quantileOf } from './robust.ts';

/** Share of the windows beyond the threshold, on each side. */
const TAIL_SHARE = 0.05;
/** A normal distribution has this threshold at that share, and about this mean excess. */
const PRIOR_THRESHOLD = 1.645;
const PRIOR_EXCESS = 0.4;
/** Heavier than exponential until peaks say otherwise. */
const PRIOR_SHAPE = 0.2;
const PRIOR_PEAKS = 10;
/** Windows that the prior's threshold is worth. */
const PRIOR_WINDOWS = 30;
const LONGEST_SHAPE = 0.45;
/**
 * Peaks that a day of history is worth at most: windows that follow each other are alike, and an afternoon beyond the
 * threshold is one piece of evidence, not hundreds.
 */
const PEAKS_A_DAY = 5;

/**
 * @param z residuals in units of the scale, sorted rising, turned so that this side is positive
 * @param days of history that they come from
 */
export function fitTail(z: Float64Array, days: number): SeasonalTail {
  const windows = z.length;
  const seen = Math.max(0, quantileOf(z, 1 - TAIL_SHARE));
  const threshold = Math.max(seen, (PRIOR_THRESHOLD * PRIOR_WINDOWS) / (windows + PRIOR_WINDOWS));
  let peaks = 0;
  let sum = 0;
  let squares = 0;
  for (let i = windows - 1; i >= 0 && z[i]! > threshold; i--) {
    const excess = z[i]! - threshold;
    peaks++;
    sum += excess;
    squares += excess * excess;
  }
  const worth = Math.min(peaks, PEAKS_A_DAY * days);
  const weight = worth + PRIOR_PEAKS;
  const mean = (worth * (peaks > 0 ? sum / peaks : 0) + PRIOR_PEAKS * PRIOR_EXCESS) / weight;
  let shape = PRIOR_SHAPE;
  if (peaks >= 2) {
    const own = sum / peaks;
    const variance = squares / peaks - own * own;
    // Never a shape below 0: it would say that nothing lies beyond some value, which no history can know.
    if (variance > 0) shape = (Math.max(0, gpdShape(own, variance)) * worth + PRIOR_SHAPE * PRIOR_PEAKS) / weight;
  }
  shape = Math.min(LONGEST_SHAPE, shape);
  return {
    threshold: Math.min(threshold, 1e5),
    share: Math.min(0.5, (peaks + 0.5) / (windows + 1)),
    scale: Math.min(1e5, Math.max(1e-3, mean * (1 - shape))),
    shape,
  };
}
