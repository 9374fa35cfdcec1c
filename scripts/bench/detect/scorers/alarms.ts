/**
 * Alarms as a person would count them: rows above a threshold that are close to each other are one alarm. An event is
 * found when an alarm is up in one of its rows; an alarm that is up in no event is false.
 */
import type { Range } from './vus-pr.ts';

/** Rows between alarms that are told as one. */
const CLOSE_ROWS = 10;

/** An alarm that is up for more of the time than this tells nothing, however few alarms that makes. */
const MOST_TIME = 0.1;

/** The lowest threshold at which there are no more alarms than `most` (alarm: score > threshold). */
export function thresholdFor(scores: Float64Array, most: number): number {
  const order = new Uint32Array(scores.length).map((_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
  const up = new Uint8Array(scores.length);
  let alarms = 0;
  for (let i = 0; i < order.length; i++) {
    const row = order[i]!;
    up[row] = 1;
    alarms += 1 - neighbours(up, row);
    const last = i + 1 === order.length || scores[order[i + 1]!]! < scores[row]!;
    // With this row it would be too many: its score must not pass.
    if (last && (alarms > most || i >= MOST_TIME * order.length)) return scores[row]!;
  }
  return Number.NEGATIVE_INFINITY;
}

/** How many alarms a row joins: none, one that is close, or two that it makes into one. */
function neighbours(up: Uint8Array, row: number): number {
  let before = 0;
  let after = 0;
  for (let d = 1; d <= CLOSE_ROWS; d++) {
    if (before === 0 && up[row - d] === 1) before = d;
    if (after === 0 && up[row + d] === 1) after = d;
  }
  if (before > 0 && after > 0) return before + after <= CLOSE_ROWS ? 1 : 2;
  return before + after > 0 ? 1 : 0;
}

/** Rows above the threshold, as alarms. */
export function alarmsOf(scores: Float64Array, threshold: number): Range[] {
  const alarms: [number, number][] = [];
  for (let i = 0; i < scores.length; i++) {
    if (!(scores[i]! > threshold)) continue;
    const last = alarms.at(-1);
    if (last !== undefined && i - last[1] <= CLOSE_ROWS) last[1] = i;
    else alarms.push([i, i]);
  }
  return alarms;
}

/** Events found, and false alarms, at a threshold. */
export function countAlarms(
  scores: Float64Array,
  threshold: number,
  events: readonly Range[],
): { found: number; falseAlarms: number } {
  const up = (first: number, last: number): boolean => {
    for (let i = first; i <= last; i++) if (scores[i]! > threshold) return true;
    return false;
  };
  const within = (from: number, to: number): boolean =>
    events.some(([first, last]) => {
      const start = Math.max(from, first);
      const end = Math.min(to, last);
      return start <= end && up(start, end);
    });
  return {
    found: events.filter(([first, last]) => up(first, last)).length,
    falseAlarms: alarmsOf(scores, threshold).filter(([first, last]) => !within(first, last)).length,
  };
}
