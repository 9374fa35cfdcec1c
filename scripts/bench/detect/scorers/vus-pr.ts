/**
 * Volume under the surface of range-precision and range-recall (Paparrizos et al. 2022, "Volume Under the Surface",
 * VLDB 15(11)), as its authors' code has it: labels get slopes of half a buffer on either side of each event; recall is
 * what is found of the sloped labels times the share of events that are touched; the area is averaged over buffers from
 * 0 to `mostBuffer` rows.
 */

/** Thresholds are the scores at as many equal steps of rank. */
const THRESHOLDS = 250;

/** An event's first and last row. */
export type Range = readonly [number, number];

/** Runs of rows that are not 0. */
export function rangesOf(labels: ArrayLike<number>): Range[] {
  const ranges: Range[] = [];
  let first = -1;
  for (let i = 0; i <= labels.length; i++) {
    const on = i < labels.length && labels[i]! > 0;
    if (on && first < 0) first = i;
    if (!on && first >= 0) {
      ranges.push([first, i - 1]);
      first = -1;
    }
  }
  return ranges;
}

/** The volume for one series of labels and scores; NaN where nothing is labelled. */
export function vusPr(labels: Uint8Array, scores: Float64Array, mostBuffer: number): number {
  if (rangesOf(labels).length === 0) return Number.NaN;
  const order = new Uint32Array(scores.length).map((_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
  const cuts = cutsOf(order, scores);
  let sum = 0;
  for (let buffer = 0; buffer <= mostBuffer; buffer++) sum += areaPr(labels, order, cuts, buffer);
  return sum / (mostBuffer + 1);
}

/** How many of the rows in order of their scores each threshold takes: all that are equal, or none. */
function cutsOf(order: Uint32Array, scores: Float64Array): Uint32Array {
  const cuts = new Uint32Array(THRESHOLDS);
  for (let t = 0; t < THRESHOLDS; t++) {
    let cut = Math.floor((t * (order.length - 1)) / (THRESHOLDS - 1));
    const threshold = scores[order[cut]!]!;
    while (cut < order.length && scores[order[cut]!]! >= threshold) cut++;
    cuts[t] = cut;
  }
  return cuts;
}

function areaPr(labels: Uint8Array, order: Uint32Array, cuts: Uint32Array, buffer: number): number {
  const sloped = slopedLabels(labels, buffer);
  const events = rangesOf(sloped);
  const eventOf = new Int32Array(labels.length).fill(-1);
  for (const [e, [first, last]] of events.entries()) eventOf.fill(e, first, last + 1);
  const touched = new Uint8Array(events.length);
  const plain = labels.reduce((sum, label) => sum + (label > 0 ? 1 : 0), 0);
  let slopesFound = 0;
  let touchedCount = 0;
  let found = 0;
  let taken = 0;
  let area = 0;
  let recallBefore = 0;
  for (const cut of cuts) {
    for (; taken < cut; taken++) {
      const row = order[taken]!;
      found += sloped[row]!;
      if (labels[row] === 0) slopesFound += sloped[row]!;
      const event = eventOf[row]!;
      if (event < 0 || touched[event] === 1) continue;
      touched[event] = 1;
      touchedCount++;
    }
    // Slopes that are not found are no loss, those that are found count half.
    const positives = plain + slopesFound / 2;
    const recall = Math.min(1, found / positives) * (touchedCount / events.length);
    area += (recall - recallBefore) * (found / taken);
    recallBefore = recall;
  }
  return area;
}

/** 1 within events, and slopes of half a buffer on either side that fall off with the square root. */
export function slopedLabels(labels: Uint8Array, buffer: number): Float64Array {
  const sloped = Float64Array.from(labels, (label) => (label > 0 ? 1 : 0));
  const half = Math.floor(buffer / 2);
  for (const [first, last] of rangesOf(labels)) {
    for (let d = 1; d <= half; d++) {
      const slope = Math.sqrt(1 - d / buffer);
      if (last + d < sloped.length) sloped[last + d] = Math.min(1, sloped[last + d]! + slope);
      if (first - d >= 0) sloped[first - d] = Math.min(1, sloped[first - d]! + slope);
    }
  }
  return sloped;
}
