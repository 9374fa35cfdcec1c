/**
 * Range: values that cannot be. Beyond the physical bounds; or an error value that a sensor or its gateway puts in the
 * place of a measurement: 85.0 °C (a DS18B20 that was not asked) and −127 °C (one that does not answer), 0xFFFF, 0x8000
 * and 0x7FFF of a register, and the nines of data loggers, when they come against the habit of the series. A boiler may
 * have 85.0 °C; one that was at 60.3 a moment before has not.
 *
 * How rare such a value is follows from how many were good before (rule of succession); a series of which each
 * hundredth value is bad has made it a habit. What is bad for ten values on end is told in any case.
 *
 * Constraints: 7 numbers a series, no allocation; two comparisons for what lies where values lay before.
 */
import { Quality } from '../series.ts';
import { clearVerdict, type DetectorKind } from './detector.ts';
import { numbersCodec } from './number-state.ts';
import { parseNumbers } from './params.ts';

export interface RangeParams {
  /** Physical bounds, both possible. */
  readonly min: number;
  readonly max: number;
  /** 1: degrees Celsius, of which error values are known. */
  readonly celsius: number;
  /** Good values before an error value is one. */
  readonly minPoints: number;
  /** Bad values on end that are told however often it was so. */
  readonly lasting: number;
  /** From how many bits on it is a finding. */
  readonly barBits: number;
}

const FARTHEST = 1e300;

export const rangeDefaults: RangeParams = {
  min: -FARTHEST,
  max: FARTHEST,
  celsius: 0,
  minPoints: 100,
  lasting: 10,
  barBits: 10,
};

/** Registers with all bits set, the highest and the lowest signed number, as scaled by gateways; and loggers' nines. */
const registers: ReadonlySet<number> = new Set([32_767, 32_768, 65_535, 2_147_483_647, 2_147_483_648, 4_294_967_295]);
const nines: ReadonlySet<number> = new Set([999, 9_999, 99_999, 999_999]);
const scales = [1, 0.1, 0.01, 0.001] as const;
/** Of sensors in degrees Celsius. */
const celsiusErrors: ReadonlySet<number> = new Set([85, -127, 127.9375, -55]);
/** A step this many times as wide as any before is none that the value made. */
const WIDER = 4;
const LEAST_CELSIUS_STEP = 5;
const SAME = 1e-6;

const COUNT = 0;
const LOW = 1;
const HIGH = 2;
const LAST = 3;
/** The widest step between two good values. */
const WIDEST = 4;
/** Times that values were bad, and bad values on end. */
const TIMES = 5;
const RUN = 6;
const SIZE = 7;

/** Whether it is a number that stands for "no value" somewhere. */
function isErrorNumber(value: number): boolean {
  const size = Math.abs(value);
  for (const scale of scales) {
    const stored = Math.round(size / scale);
    if (Math.abs(stored * scale - size) > SAME * size) continue;
    if (registers.has(stored) || (scale === 1 && nines.has(stored))) return true;
  }
  return false;
}

/** Whether a value cannot be: 2 beyond its bounds, 1 an error value against its habit, 0 neither. */
function badness(params: RangeParams, s: Float64Array, value: number): 0 | 1 | 2 {
  if (value < params.min || value > params.max) return 2;
  if (s[COUNT]! < params.minPoints) return 0;
  if (params.celsius >= 0.5 && celsiusErrors.has(value)) {
    const step = Math.abs(value - s[LAST]!);
    if (step > Math.max(LEAST_CELSIUS_STEP, WIDER * s[WIDEST]!)) return 1;
  }
  const low = s[LOW]!;
  const high = s[HIGH]!;
  if (value >= low && value <= high) return 0;
  const span = high - low;
  return (value < low - span || value > high + span) && isErrorNumber(value) ? 1 : 0;
}

export const range: DetectorKind<RangeParams, Float64Array> = {
  name: 'range',
  major: 1,
  doc: 'A value that cannot be: beyond its physical bounds, or an error value of a sensor.',
  defaults: rangeDefaults,
  parseParams: (json) =>
    parseNumbers('range', json, rangeDefaults, {
      min: [-FARTHEST, FARTHEST],
      max: [-FARTHEST, FARTHEST],
      celsius: [0, 1],
      minPoints: [1, 1e9],
      lasting: [1, 1e9],
      barBits: [1, 99],
    }),
  state: numbersCodec('a range detector', 1, SIZE, (s) => {
    const counts = [COUNT, WIDEST, TIMES, RUN].every((i) => s[i]! >= 0);
    return counts && s[LOW]! <= s[HIGH]! && s.every((value) => Math.abs(value) <= 2 * FARTHEST);
  }),
  start: () => new Float64Array(SIZE),

  /** Of a value that preprocess refused, the reading is shown. */
  score(params, s, x, quality, _at, out) {
    clearVerdict(out);
    const value = x[0]!;
    if (!Number.isFinite(value) || quality[0] === Quality.stale || s[COUNT]! + s[RUN]! === 0) return;
    out.ready = true;
    if (badness(params, s, value) === 0) return;
    if (s[COUNT]! > 0) {
      out.expectedLow = s[LOW]!;
      out.expectedHigh = s[HIGH]!;
    }
    const times = s[RUN]! > 0 ? s[TIMES]! - 1 : s[TIMES]!;
    out.bits = Math.max(0, Math.log2((s[COUNT]! + 2) / (Math.max(0, times) + 1)));
    out.finding = out.bits >= params.barBits || s[RUN]! + 1 >= params.lasting;
  },

  learn(params, s, x, quality) {
    const value = x[0]!;
    if (!Number.isFinite(value) || quality[0] === Quality.stale) return;
    if (badness(params, s, value) > 0) {
      if (s[RUN] === 0) s[TIMES] = s[TIMES]! + 1;
      s[RUN] = s[RUN]! + 1;
      return;
    }
    if (Math.abs(value) > FARTHEST) return;
    s[RUN] = 0;
    const count = s[COUNT]!;
    s[COUNT] = count + 1;
    if (count === 0 || value < s[LOW]!) s[LOW] = value;
    if (count === 0 || value > s[HIGH]!) s[HIGH] = value;
    if (count > 0) s[WIDEST] = Math.max(s[WIDEST]!, Math.abs(value - s[LAST]!));
    s[LAST] = value;
  },
};
