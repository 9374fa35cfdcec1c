/**
 * The agent's estimate of UTC, as an offset from monotonic time. The wall clock is never relied on alone: it may be 1970, a
 * day off, or jump. An acknowledgement carries the central's time and the monotonic time at which the envelope that
 * it answers was sent; the answer with the shortest way gives the best estimate (minimum-delay filter, as in NTP,
 * RFC 5905, section 10).
 */

/** A better round trip than the best is always taken; one that is older than this gives way to any. */
const SAMPLE_LIFETIME_MS = 3_600_000;
/** Round trips over this say too little. */
const LONGEST_ROUND_TRIP_MS = 10_000;

export class UtcEstimate {
  #offsetMs: number | null = null;
  #roundTripMs = Number.POSITIVE_INFINITY;
  #takenMs = 0;
  #latestCentralMs: number | null;

  /** @param latestCentralMs the latest central time ever heard, from the disk; null for none */
  constructor(latestCentralMs: number | null) {
    this.#latestCentralMs = latestCentralMs;
  }

  /** An acknowledgement came at `nowMs` for what was sent at `sentMs` (both monotonic). */
  heard(centralMs: number, sentMs: number, nowMs: number): void {
    if (centralMs > (this.#latestCentralMs ?? 0)) this.#latestCentralMs = centralMs;
    const roundTripMs = nowMs - sentMs;
    if (roundTripMs < 0 || roundTripMs > LONGEST_ROUND_TRIP_MS) return;
    const stale = nowMs - this.#takenMs > SAMPLE_LIFETIME_MS;
    if (!stale && roundTripMs > this.#roundTripMs) return;
    this.#roundTripMs = roundTripMs;
    this.#takenMs = nowMs;
    this.#offsetMs = centralMs - (sentMs + roundTripMs / 2);
  }

  /** UTC minus monotonic time, or null while the central was not heard. */
  get offsetMs(): number | null {
    return this.#offsetMs;
  }

  /** By this expiry is judged; null says that the version floor alone decides. */
  get latestCentralMs(): number | null {
    return this.#latestCentralMs;
  }

  /** Best estimate of UTC at a monotonic time: the central's, else the wall clock's. */
  utcMs(monotonicMs: number, wallMs: number): number {
    return this.#offsetMs === null ? wallMs : monotonicMs + this.#offsetMs;
  }

  /** Whether the wall clock agrees with the central's time within two seconds. */
  wallTrusted(monotonicMs: number, wallMs: number): 'yes' | 'no' | 'unknown' {
    if (this.#offsetMs === null) return 'unknown';
    return Math.abs(wallMs - (monotonicMs + this.#offsetMs)) <= 2_000 ? 'yes' : 'no';
  }
}
