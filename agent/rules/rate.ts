/** The change of a value a second, over a span of time: a few readings that are spread over the span. */

/** Readings that are kept; the rate is over the span to within an eighth of it. */
const KEPT = 9;

export class RateWindow {
  readonly #stepMs: number;
  readonly #overMs: number;
  readonly #timesMs = new Float64Array(KEPT);
  readonly #values = new Float64Array(KEPT);
  #count = 0;
  #head = 0;

  constructor(overMs: number) {
    this.#overMs = overMs;
    this.#stepMs = overMs / (KEPT - 1);
  }

  /** Takes a reading; the rate a second over the span that ends with it, NaN until one has passed. */
  push(value: number, nowMs: number): number {
    const newest = (this.#head + KEPT - 1) % KEPT;
    const sinceMs = this.#count === 0 ? Number.POSITIVE_INFINITY : nowMs - this.#timesMs[newest]!;
    // A clock that stepped back, or a silence longer than the span: what was before says nothing about now.
    if (sinceMs < 0 || sinceMs > this.#overMs) this.#count = 0;
    const oldest = (this.#head + KEPT - this.#count) % KEPT;
    const spanMs = this.#count === 0 ? 0 : nowMs - this.#timesMs[oldest]!;
    const rate = spanMs >= this.#overMs - this.#stepMs ? ((value - this.#values[oldest]!) * 1000) / spanMs : Number.NaN;
    if (this.#count === 0 || sinceMs >= this.#stepMs) {
      this.#timesMs[this.#head] = nowMs;
      this.#values[this.#head] = value;
      this.#head = (this.#head + 1) % KEPT;
      this.#count = Math.min(KEPT, this.#count + 1);
    }
    return rate;
  }
}
