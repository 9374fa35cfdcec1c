/**
 * Missing: a value that was expected and did not come (NaN), or came stale or bad, for several intervals on end. A
 * source that is often silent is given twice the longest silence that it had before.
 *
 * Constraints: 3 numbers a series, no allocation.
 */
import { Quality } from '../series.ts';
import { clearVerdict, type DetectorKind } from './detector.ts';
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

const COUNT = 0;
/** Expected values that did not come, since the last that came. */
const SILENT = 1;
const LONGEST = 2;
const SIZE = 3;

function came(x: Float64Array, quality: Uint8Array): boolean {
  return Number.isFinite(x[0]!) && quality[0] === Quality.good;
}

export const missing: DetectorKind<MissingParams, Float64Array> = {
  name: 'missing',
  major: 1,
  doc: 'A value that was expected and did not come, or came in bad quality.',
  defaults: missingDefaults,
  parseParams: (json) => parseNumbers('missing', json, missingDefaults, { minPoints: [1, 1e9], intervals: [2, 1e6] }),
  state: numbersCodec('a missing detector', 1, SIZE, (s) => s.every((value) => value >= 0)),
  start: () => new Float64Array(SIZE),

  score(params, s, x, quality, _at, out) {
    clearVerdict(out);
    if (s[COUNT]! < params.minPoints) return;
    out.ready = true;
    if (came(x, quality)) return;
    const patience = Math.max(params.intervals, 2 * s[LONGEST]!);
    // Rule of succession: what did not happen in n chances has a probability of about 1/(n + 2) in the next.
    out.bits = Math.min(100, (Math.log2(s[COUNT]! + 2) * (s[SILENT]! + 1)) / patience);
    out.finding = s[SILENT]! + 1 >= patience;
  },

  learn(_params, s, x, quality) {
    if (!came(x, quality)) {
      s[SILENT] = s[SILENT]! + 1;
      return;
    }
    s[COUNT] = s[COUNT]! + 1;
    s[LONGEST] = Math.max(s[LONGEST]! * FADE, s[SILENT]!);
    s[SILENT] = 0;
  },
};
