/**
 * Residuals of each half of a history about the profile of the other half (cross-validation in two blocks, Stone 1974).
 * About a profile that was fitted to the very same windows they are too small, and of a level that changes from day to
 * day they know nothing: limits that were taken from them were passed several times as often as they said.
 */
import { seasonalLevel } from '../../shared/detect/seasonal.ts';
import { DAY_MS } from '../../shared/limits.ts';
import { fitProfile, type Profile, type ProfileWindows } from './profile.ts';

/**
 * @param profile of all windows: that of a half has the same bins
 * @returns null where a half is not a day long and so knows nothing of some hours
 */
export function unseenResiduals(windows: ProfileWindows, profile: Profile): Float64Array | null {
  const { endsMs, values, weights } = windows;
  const rows = values.length;
  const half = rows >> 1;
  if (half === 0) return null;
  const spans = [endsMs[half - 1]! - endsMs[0]!, endsMs[rows - 1]! - endsMs[half]!];
  if (Math.min(...spans) < DAY_MS - 2 * windows.windowMs) return null;
  const residuals = new Float64Array(rows);
  const part = (from: number, to: number): ProfileWindows => ({
    ...windows,
    endsMs: endsMs.subarray(from, to),
    values: values.subarray(from, to),
    weights: weights.subarray(from, to),
  });
  const halves = [part(0, half), part(half, rows)] as const;
  for (const [at, rest] of [halves[1], halves[0]].entries()) {
    const shape = { ...rest, ...fitProfile(rest, profile) };
    const from = at === 0 ? 0 : half;
    const to = at === 0 ? half : rows;
    for (let i = from; i < to; i++) residuals[i] = values[i]! - seasonalLevel(shape, endsMs[i]!);
  }
  return residuals;
}
