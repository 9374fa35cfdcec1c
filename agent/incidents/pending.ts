/**
 * Findings that belong to no incident (yet), and when they make one: when one lasts, is extreme, or many series take
 * part; at once where its stage speaks only after it has lasted, or of facts.
 *
 * Bounds: `MOST_PENDING` findings; the oldest goes.
 */
import { categoryOf, type Finding } from '../../shared/findings.ts';
import { isBeside, isEcho } from './explain.ts';
import { merge, movedFinding } from './open-incident.ts';

const MOST_PENDING = 256;
/** A series that is looked at as seldom as this tells by one sample what others tell by lasting; until there it is a matter of degree. */
const SLOW_MS = 120_000;
/** So many intervals apart belong together. */
const CLOSE_INTERVALS = 3;

/** Of statistics, those that speak only after it has lasted. */
const toldWhenLasting: ReadonlySet<string> = new Set(['saturated', 'shift', 'drift', 'variance']);

export interface OpeningTiming {
  /** A finding that lasts as long opens an incident. */
  readonly lastingMs: number;
  /** So many series with findings that together span `manySpanMs` open one as well. */
  readonly manySeries: number;
  readonly manySpanMs: number;
  /** Bits above the bar from which on one sample is enough. */
  readonly extremeBits: number;
  /** Findings this close belong together. */
  readonly closeMs: number;
}

export class PendingFindings {
  readonly #timing: OpeningTiming;
  readonly #found = new Map<string, { finding: Finding; heardAtMs: number }>();

  constructor(timing: OpeningTiming) {
    this.#timing = timing;
  }

  add(key: string, finding: Finding, heardAtMs: number): void {
    const known = this.#found.get(key)?.finding;
    this.#found.delete(key);
    if (this.#found.size >= MOST_PENDING) this.#found.delete(this.#found.keys().next().value!);
    this.#found.set(key, { finding: merge(known, finding), heardAtMs });
  }

  delete(key: string): void {
    this.#found.delete(key);
  }

  /** Forgets what was long ago. */
  expire(nowMs: number): void {
    for (const [key, { finding, heardAtMs }] of this.#found) {
      const closeMs = Math.max(this.#timing.closeMs, (finding.intervalMs ?? 0) * CLOSE_INTERVALS);
      if (nowMs - heardAtMs > closeMs) this.#found.delete(key);
    }
  }

  moveTimes(byMs: number): void {
    for (const pending of this.#found.values()) pending.finding = movedFinding(pending.finding, byMs);
  }

  /** Takes out all that is here, if it makes an incident. */
  takeIncident(barBits: number): ReadonlyMap<string, { readonly finding: Finding; readonly heardAtMs: number }> | null {
    if (!this.#isEnough(barBits)) return null;
    const taken = new Map(this.#found);
    this.#found.clear();
    return taken;
  }

  #isEnough(barBits: number): boolean {
    const { lastingMs, manySeries, manySpanMs, extremeBits } = this.#timing;
    let first = Number.POSITIVE_INFINITY;
    let last = Number.NEGATIVE_INFINITY;
    const series = new Set<string>();
    for (const { finding } of this.#found.values()) {
      // An echo waits for what it comes from.
      if (isEcho(finding)) continue;
      const { sinceMs, lastMs, detector, bits, intervalMs = 0 } = finding;
      if (categoryOf(detector) !== 'statistical' || toldWhenLasting.has(detector)) return true;
      // What is told only beside other findings opens nothing by itself.
      if (isBeside(finding, barBits)) continue;
      if (lastMs - sinceMs >= Math.max(lastingMs, intervalMs)) return true;
      if (bits >= barBits + extremeBits * Math.max(0, 1 - intervalMs / SLOW_MS)) return true;
      first = Math.min(first, sinceMs);
      last = Math.max(last, lastMs);
      series.add(finding.series);
    }
    return series.size >= manySeries && last - first >= manySpanMs;
  }
}
