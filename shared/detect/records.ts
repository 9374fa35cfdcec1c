/**
 * The record gate: is this score the highest of the last 150 points? A state that lasts is told when it begins, not
 * again with every point. Highest scores are kept in blocks of ten points, so that looking costs 15 comparisons and
 * not 150; the span is therefore 140 to 150 points.
 */

export const RECORD_BLOCKS = 15;
export const RECORD_BLOCK_POINTS = 10;
/** Numbers that a gate takes in the scalars (points in the open block, open block) and in the bins. */
export const GATE_SCALARS = 2;

export interface GatePlace {
  readonly at: number;
  readonly firstBin: number;
}

export function isRecord(b: Float32Array, place: GatePlace, score: number): boolean {
  for (let i = place.firstBin; i < place.firstBin + RECORD_BLOCKS; i++) if (b[i]! >= score) return false;
  return true;
}

export function learnRecord(s: Float64Array, b: Float32Array, place: GatePlace, score: number): void {
  const open = s[place.at + 1]!;
  if (score > b[place.firstBin + open]!) b[place.firstBin + open] = score;
  const fill = s[place.at]! + 1;
  s[place.at] = fill;
  if (fill < RECORD_BLOCK_POINTS) return;
  const next = open + 1 === RECORD_BLOCKS ? 0 : open + 1;
  s[place.at] = 0;
  s[place.at + 1] = next;
  b[place.firstBin + next] = 0;
}
