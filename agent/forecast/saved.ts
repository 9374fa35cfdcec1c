/** What is kept of forecasts over a restart, in the file format of detector states. */
import { PicketError } from '../../shared/errors.ts';
import type { Forecast } from '../../shared/findings.ts';
import type { SavedDetector } from '../detect/saved-state.ts';

/** A told forecast's entry: since when, Unix ms. */
export function toldEntry(reaches: Forecast['reaches'], sinceMs: number): SavedDetector {
  const state = new Uint8Array(8);
  new DataView(state.buffer).setFloat64(0, sinceMs, true);
  return { name: `told.${reaches}`, major: 1, state };
}

/** Since when it is told; NaN where it is not. Throws `payload.invalid` where it is no such entry. */
export function toldSince(saved: readonly SavedDetector[], reaches: Forecast['reaches']): number {
  const entry = saved.find(({ name, major }) => name === `told.${reaches}` && major === 1);
  if (entry === undefined) return Number.NaN;
  const { buffer, byteOffset, length } = entry.state;
  const sinceMs = length === 8 ? new DataView(buffer, byteOffset, length).getFloat64(0, true) : Number.NaN;
  if (!Number.isFinite(sinceMs)) throw new PicketError('payload.invalid', `${entry.name}: no time`);
  return sinceMs;
}
