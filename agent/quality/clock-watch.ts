/**
 * The wall clock held against CLOCK_BOOTTIME: what a synchroniser slews is slow, so a difference that changes at once is
 * a clock that was set, by hand, by a service that stepped it, or by hardware that is worn. And held against the
 * central's time, where that is known: a clock that is wrong for minutes.
 *
 * A step in the first minutes after the boot is how a machine without a battery gets its time, and one that makes a
 * wrong clock right is the end of a trouble; neither is one.
 */
import type { Instant } from '../../shared/clock.ts';
import type { Severity } from '../../shared/findings.ts';
import type { SeriesKey } from '../../shared/series.ts';
import { seriesId } from '../../shared/trust/hash.ts';
import type { Teller } from './teller.ts';
import { jumpWords, wrongClockWords } from './words.ts';

/** chronyd slews by up to 83 ms a second, all others by half of one. */
const STEP_MS = 100;
/** Between looks that are far apart (a machine asleep, a busy one) it may slew for as long, and no more. */
const MOST_SECONDS = 10;
/** After the boot a clock is set. */
const BOOT_MS = 15 * 60_000;
/** Told for as long after it happened. */
const TOLD_MS = 120_000;
/** From here on the clock is wrong; as `wallTrusted` has it. */
const WRONG_MS = 2_000;
/** The central's time says more exactly than this what it is. */
const RIGHT_MS = 1_000;
const WRONG_FOR_MS = 5 * 60_000;

const key: SeriesKey = { name: 'system.clock.offset', unit: 's', attributes: {} };

export interface ClockReading {
  /** Both clocks, read together: a tick that took long has an instant that lies well before its end. */
  readonly wallMs: number;
  readonly monotonicMs: number;
  /** UTC minus monotonic time by the central; null while it was not heard. */
  readonly centralOffsetMs: number | null;
}

export class ClockWatch {
  readonly #teller: Teller;
  readonly #series = seriesId(key);
  #offsetMs = Number.NaN;
  #lookedMs = 0;
  #jump: { readonly byMs: number; readonly atMs: number } | null = null;
  #wrongSinceMs = Number.NaN;

  constructor(teller: Teller) {
    this.#teller = teller;
  }

  /** Once a tick. */
  look({ wallMs, monotonicMs: now, centralOffsetMs }: ClockReading, at: Instant): void {
    const offsetMs = wallMs - now;
    const byMs = offsetMs - this.#offsetMs;
    const seconds = Math.min(MOST_SECONDS, Math.max(1, (now - this.#lookedMs) / 1000));
    const wrongBeforeMs = centralOffsetMs === null ? Number.NaN : this.#offsetMs - centralOffsetMs;
    const wrongMs = centralOffsetMs === null ? Number.NaN : offsetMs - centralOffsetMs;
    this.#offsetMs = offsetMs;
    this.#lookedMs = now;
    const righted = Math.abs(wrongBeforeMs) >= RIGHT_MS && Math.abs(wrongMs) < RIGHT_MS;
    if (Math.abs(byMs) >= STEP_MS * seconds && now > BOOT_MS && !righted) this.#jump = { byMs, atMs: now };
    this.#tellJump(at);
    this.#tellWrong(wrongMs, at);
  }

  #tellJump(at: Instant): void {
    const jump = this.#jump;
    if (jump === null) return;
    if (at.monotonicMs - jump.atMs >= TOLD_MS) {
      this.#jump = null;
      this.#teller.end('clock/jump', at);
      return;
    }
    this.#tell('clock/jump', 'info', jump.byMs, jump.atMs, jumpWords(jump.byMs), at);
  }

  #tellWrong(wrongMs: number, at: Instant): void {
    if (!(Math.abs(wrongMs) > WRONG_MS)) {
      this.#wrongSinceMs = Number.NaN;
      this.#teller.end('clock/wrong', at);
      return;
    }
    if (Number.isNaN(this.#wrongSinceMs)) this.#wrongSinceMs = at.monotonicMs;
    if (at.monotonicMs - this.#wrongSinceMs < WRONG_FOR_MS) return;
    this.#tell('clock/wrong', 'warning', wrongMs, this.#wrongSinceMs, wrongClockWords(wrongMs), at);
  }

  #tell(id: string, severity: Severity, byMs: number, sinceMs: number, wrong: string, at: Instant): void {
    this.#teller.say(id, at, () => ({
      detector: 'clock',
      series: this.#series,
      key,
      seen: byMs / 1000,
      expectedLow: 0,
      expectedHigh: 0,
      bits: 0,
      intervalMs: 1000,
      sinceMs,
      severity,
      wrong,
      advice: 'see what sets the clock: `timedatectl`, `chronyc tracking`; a battery of the clock may be empty',
    }));
  }
}
