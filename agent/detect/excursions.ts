/**
 * Since when, until when and how far each series is outside of what was expected: what turns a detector's verdicts on
 * single samples into findings that last. Typed arrays by series number; a finding is made (and memory taken) only when
 * one begins, every ten seconds while it lasts, and never otherwise.
 *
 * An excursion begins with a finding, or with a value that is nearly as rare, and is measured against the range that was
 * expected then; it ends when the value has been back inside for `BACK_INSIDE_MS`, or when it has lasted for an hour:
 * then it is the new normal. One without a finding is told only while others are: it shows what else is going on.
 */
import type { Verdict } from '../../shared/detect/detector.ts';
import { type Shape, shapes } from '../../shared/findings.ts';

/** Back inside for as long: the excursion is over. */
const BACK_INSIDE_MS = 5_000;
const LONGEST_MS = 3_600_000;
/** An excursion that lasts is told again as often. */
const REPEAT_MS = 10_000;
/** Outside before a finding by no more than this: it is since then that it was strange. */
const LEAD_MS = 120_000;

/** Bits from which on a value is worth telling beside a finding: once in some minutes, for a series at 1 Hz. */
const BESIDE_BITS = 9;

/** Something unusual belongs to findings that come this much later. */
const TIMELY_MS = 60_000;

/** What there is to tell: nothing, a finding, or something unusual beside the findings of others. */
export const step = { nothing: 0, tell: 1, beside: 2 } as const;

export class Excursions {
  /** Times are monotonic; NaN: not outside, no excursion. */
  readonly #outsideSince: Float64Array;
  readonly since: Float64Array;
  readonly last: Float64Array;
  readonly #told: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** The most unusual value, and the most bits. */
  readonly seen: Float64Array;
  readonly bits: Float64Array;
  /** Whether it has a finding of its own. */
  readonly #found: Uint8Array;
  /** Its shape, one more than the index in `shapes`; 0: none was told. */
  readonly #shape: Uint8Array;

  constructor(limit: number) {
    const column = (): Float64Array => new Float64Array(limit);
    this.#outsideSince = column();
    this.since = column();
    this.last = column();
    this.#told = column();
    this.low = column();
    this.high = column();
    this.seen = column();
    this.bits = column();
    this.#found = new Uint8Array(limit);
    this.#shape = new Uint8Array(limit);
  }

  /** What the excursion looks like; a spike that has lasted for as long is a shift. */
  shapeOf(series: number, shiftAfterMs: number): Shape | null {
    const shape = shapes[this.#shape[series]! - 1] ?? null;
    return shape === 'spike' && this.last[series]! - this.since[series]! >= shiftAfterMs ? 'shift' : shape;
  }

  /** Before the first step of a series, and when it is gone. */
  forget(series: number): void {
    this.#outsideSince[series] = Number.NaN;
    this.since[series] = Number.NaN;
  }

  /**
   * Takes in a verdict on a value at a monotonic time; whether there is something to tell.
   * @param goingOn whether there are findings on this machine now
   */
  step(series: number, value: number, verdict: Verdict, nowMs: number, goingOn: boolean): number {
    const active = !Number.isNaN(this.since[series]!);
    const low = active ? this.low[series]! : verdict.expectedLow;
    const high = active ? this.high[series]! : verdict.expectedHigh;
    const outside = value < low || value > high;
    if (!outside) this.#outsideSince[series] = Number.NaN;
    else if (Number.isNaN(this.#outsideSince[series]!)) this.#outsideSince[series] = nowMs;
    if (!active) {
      if (!verdict.finding && (verdict.bits < BESIDE_BITS || !outside)) return step.nothing;
      this.#begin(series, value, verdict, nowMs);
    } else if (outside || verdict.finding) {
      this.last[series] = nowMs;
      if (farther(value, this.seen[series]!, low, high)) this.seen[series] = value;
    }
    const more = verdict.finding && (this.#found[series] === 0 || verdict.bits > this.bits[series]!);
    if (verdict.bits > this.bits[series]!) {
      this.bits[series] = verdict.bits;
      this.#shape[series] = shapes.indexOf(verdict.shape as Shape) + 1;
    }
    if (verdict.finding) this.#found[series] = 1;
    const over = nowMs - this.last[series]! > BACK_INSIDE_MS || nowMs - this.since[series]! > LONGEST_MS;
    if (over) {
      this.since[series] = Number.NaN;
      return step.nothing;
    }
    if (!more && (nowMs - this.#told[series]! < REPEAT_MS || !outside)) return step.nothing;
    if (this.#found[series] === 0 && !(goingOn && this.#isTimely(series, nowMs))) return step.nothing;
    this.#told[series] = nowMs;
    return this.#found[series] === 1 ? step.tell : step.beside;
  }

  /** What began long before the findings has nothing to do with them. */
  #isTimely(series: number, nowMs: number): boolean {
    return this.#told[series]! > Number.NEGATIVE_INFINITY || nowMs - this.since[series]! <= TIMELY_MS;
  }

  #begin(series: number, value: number, verdict: Verdict, nowMs: number): void {
    const lead = nowMs - this.#outsideSince[series]!;
    this.since[series] = lead <= LEAD_MS && lead > 0 ? this.#outsideSince[series]! : nowMs - verdict.lastedMs;
    this.#shape[series] = shapes.indexOf(verdict.shape as Shape) + 1;
    this.last[series] = nowMs;
    this.#told[series] = Number.NEGATIVE_INFINITY;
    this.#found[series] = 0;
    this.low[series] = verdict.expectedLow;
    this.high[series] = verdict.expectedHigh;
    this.seen[series] = value;
    this.bits[series] = verdict.bits;
  }
}

function farther(value: number, than: number, low: number, high: number): boolean {
  return Math.max(low - value, value - high) > Math.max(low - than, than - high);
}
