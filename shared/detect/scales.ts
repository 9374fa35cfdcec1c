/** Distances in units of scale, and how far one value may move what was learned: shared by all resolutions. */

/** What a tail may claim beyond what was seen, in bits for each point that moved: a constant proves nothing. */
const BITS_PER_MOVE = 0.25;
/** What each of the points that move together counts for, of what it would alone. */
const COMPANY_SHARE = 0.25;
const LARGEST_TAIL_BITS = 120;

const MOST_SCALES = 3;
/** Without it what was constant for long would never learn a scale. */
const RANGE_SHARE = 0.05;

/** |distance| in units of scale; the scale never below what a float of this size resolves. */
export function standardised(distance: number, variance: number, mean: number): number {
  return inDeviations(distance, Math.sqrt(variance), mean);
}

/** As `standardised`, by the deviation: its root is taken once. */
export function inDeviations(distance: number, deviation: number, mean: number): number {
  const scale = Math.max(deviation, Math.abs(mean) * 1e-9, 1e-150);
  return Math.min(1e6, Math.abs(distance) / scale);
}

/**
 * A tail's claim, held to what the points seen so far can carry.
 * @param together how many of the points that make the claim together moved: where few ever did, each of these is rare,
 * though they come in company. A constant that has another value from now on moved once.
 */
export function heldBits(bits: number, count: number, moves: number, together = 0): number {
  if (bits === 0) return 0;
  const before = Math.max(0, moves - together);
  const carried = Math.log2(count + 1) + BITS_PER_MOVE * moves;
  const inCompany = together === 0 ? 0 : COMPANY_SHARE * together * Math.log2((count + 1) / (before + 1));
  return Math.min(bits, carried + inCompany, LARGEST_TAIL_BITS);
}

/**
 * The step of a mean or variance, held to what a few deviations and the range of the values allow (Huber 1964): an
 * excursion must not widen the scale by which it is measured.
 */
export function heldStep(distance: number, variance: number, width: number): number {
  return heldWithin(distance, Math.sqrt(variance), width);
}

/** As `heldStep`, by the deviation. */
export function heldWithin(distance: number, deviation: number, width: number): number {
  const allowed = MOST_SCALES * deviation + RANGE_SHARE * width;
  return Math.min(allowed, Math.max(-allowed, distance));
}
