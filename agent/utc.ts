/**
 * The agent's estimate of UTC, as an offset from monotonic time. The wall clock is never relied on alone: it may be 1970, a
 * day off, or jump. An acknowledgement carries the central's time and the monotonic time at which the envelope that
 * it answers was sent; the answer with the shortest way gives the best estimate (minimum-delay filter, as in NTP,
 * RFC 5905, section 10).
 *
 * What is said of a moment (`utcMs`) goes on evenly with monotonic time: it takes the estimate, or without one the wall
 * clock, only when it is told to, between windows. So a wall clock that jumps, or runs ten times too fast, neither tears
 * what lasts (an incident, a window) nor makes anything of nothing.
 */

/** A better round trip than the best is always taken; one that is older than this gives way to any. */
const SAMPLE_LIFETIME_MS = 3_600_000;
/** Round trips over this say too little. */
const LONGEST_ROUND_TRIP_MS = 10_000;
/** No oscillator drifts by more (RFC 5905). */
const DRIFT = 500e-6;
const ROUNDING_MS = 2;

export class UtcEstimate {
  #offsetMs: number | null = null;
  #roundTripMs = Number.POSITIVE_INFINITY;
  #takenMs = 0;
  #saidOffsetMs: number | null = null;
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
    const offsetMs = centralMs - (sentMs + roundTripMs / 2);
    const ageMs = nowMs - this.#takenMs;
    const stale = ageMs > SAMPLE_LIFETIME_MS;
    if (!stale && roundTripMs > this.#roundTripMs && !this.#contradicts(offsetMs, roundTripMs, ageMs)) return;
    this.#roundTripMs = roundTripMs;
    this.#takenMs = nowMs;
    this.#offsetMs = offsetMs;
  }

  /** UTC minus monotonic time, or null while the central was not heard. */
  get offsetMs(): number | null {
    return this.#offsetMs;
  }

  /** By this expiry is judged; null says that the version floor alone decides. */
  get latestCentralMs(): number | null {
    return this.#latestCentralMs;
  }

  /** Between windows: from now on moments are told by what is known now. @returns by how much they moved */
  renew(monotonicMs: number, wallMs: number): number {
    const beforeMs = this.#saidOffsetMs;
    this.#saidOffsetMs = this.#offsetMs ?? wallMs - monotonicMs;
    return beforeMs === null ? 0 : this.#saidOffsetMs - beforeMs;
  }

  /** What is said of a monotonic time: by the central's time, or the wall clock's, as it was when last renewed. */
  utcMs(monotonicMs: number, wallMs: number): number {
    this.#saidOffsetMs ??= this.#offsetMs ?? wallMs - monotonicMs;
    return monotonicMs + this.#saidOffsetMs;
  }

  /** Whether the wall clock agrees with the central's time within two seconds. */
  wallTrusted(monotonicMs: number, wallMs: number): 'yes' | 'no' | 'unknown' {
    if (this.#offsetMs === null) return 'unknown';
    return Math.abs(wallMs - (monotonicMs + this.#offsetMs)) <= 2_000 ? 'yes' : 'no';
  }

  /** Each answer is off by half of its round trip at most: where two differ by more, the central's clock was set. */
  #contradicts(offsetMs: number, roundTripMs: number, ageMs: number): boolean {
    if (this.#offsetMs === null) return true;
    const mostMs = (roundTripMs + this.#roundTripMs) / 2 + DRIFT * ageMs + ROUNDING_MS;
    return Math.abs(offsetMs - this.#offsetMs) > mostMs;
  }
}
