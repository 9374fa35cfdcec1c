/**
 * The contract of a detector. Pure: parameters, state and time come in, a verdict goes out. `score` never learns and
 * `learn` never scores, so that the same state gives the same verdict however often it is asked.
 *
 * A univariate detector takes an array of one. A detector that is warming up says "not ready"; it never says "normal".
 * Neither call allocates.
 */
import type { Instant } from '../clock.ts';
import type { Shape } from '../findings.ts';

/** Written by `score`; reused from call to call. */
export interface Verdict {
  ready: boolean;
  /** Surprise in bits, ≥ 0: -log2 of the probability of something at least as unusual. 0 while not ready. */
  bits: number;
  /** Expected range of the value, NaN where there is none. */
  expectedLow: number;
  expectedHigh: number;
  /** Whether the detector's own tail model calls this a finding. */
  finding: boolean;
  /** What it looks like, where the detector can tell. */
  shape: Shape | null;
  /** How long it has been so already, as far as the detector can tell: 0 for the value that was judged. */
  lastedMs: number;
}

export function emptyVerdict(): Verdict {
  return {
    ready: false,
    bits: 0,
    expectedLow: Number.NaN,
    expectedHigh: Number.NaN,
    finding: false,
    shape: null,
    lastedMs: 0,
  };
}

export function clearVerdict(out: Verdict): void {
  out.ready = false;
  out.bits = 0;
  out.expectedLow = Number.NaN;
  out.expectedHigh = Number.NaN;
  out.finding = false;
  out.shape = null;
  out.lastedMs = 0;
}

/** How a state becomes bytes and comes back, bit for bit. `decode` throws `payload.invalid` on anything else. */
export interface StateCodec<S> {
  readonly version: number;
  encode(state: S): Uint8Array;
  decode(bytes: Uint8Array): S;
}

export interface DetectorKind<P, S> {
  readonly name: string;
  /** Parameters with another major version are not understood. */
  readonly major: number;
  readonly doc: string;
  readonly defaults: P;
  /** Throws `payload.invalid` naming the field; what it returns is safe to run. */
  readonly parseParams: (json: unknown) => P;
  readonly state: StateCodec<S>;
  start(params: P): S;
  score(params: P, state: S, x: Float64Array, quality: Uint8Array, at: Instant, out: Verdict): void;
  learn(params: P, state: S, x: Float64Array, quality: Uint8Array, at: Instant): void;
  /** What its finding says, in words that follow the series' name; asked right after a `score` that found something. */
  describe?(state: S, unit: string): string;
}
