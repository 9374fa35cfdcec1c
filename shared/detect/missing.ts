/**
 * Missing: a value that was expected and did not come (NaN), or came stale or bad, for several intervals on end. A
 * source that is often silent is given twice the longest silence that it had before.
 *
 * Constraints: 3 numbers a series, no allocation.
 */
import { Quality } from '../series.ts';
import { clearVerdict, type DetectorKind, type StateCodec } from './detector.ts';
import { numbersCodec } from './number-state.ts';
import { parseNumbers } from './params.ts';

export interface MissingParams {
  /** Values before its habit is known. */
  readonly minPoints: number;
  /** So many expected intervals without a value are a finding. */
  readonly intervals: number;
}

export const missingDefaults: MissingParams = { minPoints: 60, intervals: 10 };

/** Each value that comes lets the longest silence fade: by half in 50,000 of them. */
const FADE = 0.5 ** (1 / 50_000);

/** An object: to so few numbers an array would add more than they are. */
export interface MissingState {
  /** Values that came. */
  count: number;
  /** Expected values that did not come, since the last that came. */
  silent: number;
  /** The longest such silence, fading. */
  longest: number;
}

const numbers = numbersCodec('a missing detector', 1, 3, (s) => s.every((value) => value >= 0));

const missingCodec: StateCodec<MissingState> = {
  version: numbers.version,
  encode: ({ count, silent, longest }) => numbers.encode(Float64Array.of(count, silent, longest)),
  decode(bytes) {
    const [count, silent, longest] = numbers.decode(bytes);
    return { count: count!, silent: silent!, longest: longest! };
  },
};

function came(x: Float64Array, quality: Uint8Array): boolean {
  return Number.isFinite(x[0]!) && quality[0] === Quality.good;
}

export const missing: DetectorKind<MissingParams, MissingState> = {
  name: 'missing',
  major: 1,
  doc: 'A value that was expected and did not come, or came in bad quality.',
  defaults: missingDefaults,
  parseParams: (json) => parseNumbers('missing', json, missingDefaults, { minPoints: [1, 1e9], intervals: [2, 1e6] }),
  state: missingCodec,
  start: () => ({ count: 0, silent: 0, longest: 0 }),

  score(params, state, x, quality, _at, out) {
    clearVerdict(out);
    if (state.count < params.minPoints) return;
    out.ready = true;
    if (came(x, quality)) return;
    const patience = Math.max(params.intervals, 2 * state.longest);
    // Rule of succession: what did not happen in n chances has a probability of about 1/(n + 2) in the next.
    out.bits = Math.min(100, (Math.log2(state.count + 2) * (state.silent + 1)) / patience);
    out.finding = state.silent + 1 >= patience;
  },

  learn(_params, state, x, quality) {
    if (!came(x, quality)) {
      state.silent++;
      return;
    }
    state.count++;
    state.longest = Math.max(state.longest * FADE, state.silent);
    state.silent = 0;
  },
};
