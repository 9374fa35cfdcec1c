/**
 * Where boots lie of which nothing says when they were: between their neighbours in the chain of boots, which cannot
 * overlap. Pure. A boot begins at its monotonic zero and has ended when the next one begins; so a boot of which the
 * last record is at five hours of its time takes at least five hours between its neighbours.
 *
 * - What nobody could read before it was made was made before it was received: that bounds each from above.
 * - The wall clock of such a boot is not trusted, and still is the best hint where it fits between the bounds (a
 *   battery-backed clock is right within minutes for years).
 * - Others share the time that is left over evenly before, between and behind them. Without a boot before them they lie
 *   back to back, as late as they can.
 * - Order and length are kept, whatever the bounds say.
 */
import { type Knots, offsetAt } from './fit.ts';

/** No clock that says an earlier year was ever set: 1970, or when the firmware was built. */
const PLAUSIBLE_MS = Date.UTC(2020, 0, 1);

export interface Placeable {
  readonly id: string;
  /** Known offsets; empty for a boot that is to be placed. */
  readonly knots: Knots;
  /** Highest monotonic time that was seen of it. */
  readonly lastMs: number;
  /** Its offset is this at most: the least of received minus monotonic time of its records. */
  readonly ceilingMs: number;
  /** What its own wall clock says; null for nothing. */
  readonly wallOffsetMs: number | null;
}

/** @param chain in the order in which they ran. @returns the offset of each boot that has no knots */
export function placeBoots(chain: readonly Placeable[]): Map<string, number> {
  const out = new Map<string, number>();
  let floorMs: number | null = null;
  for (let i = 0; i < chain.length; ) {
    const boot = chain[i]!;
    const own = offsetAt(boot.knots, boot.lastMs);
    if (own !== null) {
      floorMs = Math.max(floorMs ?? 0, own + boot.lastMs);
      i++;
      continue;
    }
    let end = i + 1;
    while (end < chain.length && chain[end]!.knots.length === 0) end++;
    const next = chain[end];
    const ceilingMs = next === undefined ? Number.POSITIVE_INFINITY : offsetAt(next.knots, 0)!;
    placeRun(chain.slice(i, end), floorMs, ceilingMs, out);
    i = end;
  }
  return out;
}

/** @param ceilingMs when the boot after them began */
function placeRun(
  run: readonly Placeable[],
  floorMs: number | null,
  ceilingMs: number,
  out: Map<string, number>,
): void {
  // The latest that each can have begun.
  const latest: number[] = [];
  let boundMs = ceilingMs;
  for (let i = run.length - 1; i >= 0; i--) {
    boundMs = Math.min(boundMs - run[i]!.lastMs, run[i]!.ceilingMs);
    latest[i] = boundMs;
  }
  let fromMs = floorMs;
  let first = 0;
  for (let i = 0; i < run.length; i++) {
    const { wallOffsetMs, lastMs } = run[i]!;
    let needed = fromMs ?? Number.NEGATIVE_INFINITY;
    for (let k = first; k < i; k++) needed += run[k]!.lastMs;
    if (wallOffsetMs === null || wallOffsetMs < Math.max(PLAUSIBLE_MS, needed) || wallOffsetMs > latest[i]!) continue;
    spread(run.slice(first, i), latest.slice(first, i), fromMs, wallOffsetMs, out);
    out.set(run[i]!.id, wallOffsetMs);
    fromMs = wallOffsetMs + lastMs;
    first = i + 1;
  }
  const last = run.length - 1;
  if (first <= last) spread(run.slice(first), latest.slice(first), fromMs, latest[last]! + run[last]!.lastMs, out);
}

function spread(
  run: readonly Placeable[],
  latest: readonly number[],
  fromMs: number | null,
  toMs: number,
  out: Map<string, number>,
): void {
  const total = run.reduce((sum, { lastMs }) => sum + lastMs, 0);
  const gapMs = fromMs === null ? 0 : Math.max(0, (toMs - fromMs - total) / (run.length + 1));
  let atMs = Math.max(0, fromMs === null ? toMs - total : fromMs + gapMs);
  const begins = run.map(({ lastMs }) => {
    const begin = atMs;
    atMs += lastMs + gapMs;
    return begin;
  });
  let boundMs = Number.POSITIVE_INFINITY;
  for (let i = run.length - 1; i >= 0; i--) {
    begins[i] = Math.max(0, Math.min(begins[i]!, latest[i]!, boundMs - run[i]!.lastMs));
    boundMs = begins[i]!;
    out.set(run[i]!.id, Math.round(begins[i]!));
  }
}
