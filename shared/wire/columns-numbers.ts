/**
 * How a series' minimum and maximum are coded, exactly: as integers, perhaps scaled (`columns.ts` has the layout), or
 * as floats. A coding fits a value only where decoding gives the very same value back.
 */
import type { ByteReader, ByteWriter } from './bytes.ts';

export const FLOAT32 = 5;
const FLOAT64 = 6;
export const CODINGS = 7;

/** Value of an integer under codings 0…4: as it is, in 1024s, in tenths, hundredths, thousandths. */
export function scaled(coding: number, integer: number): number {
  switch (coding) {
    case 0:
      return integer;
    case 1:
      return integer * 1024;
    case 2:
      return integer / 10;
    case 3:
      return integer / 100;
    default:
      return integer / 1000;
  }
}

/** The integer under codings 0…4 whose value is nearest. */
export function unscaled(coding: number, value: number): number {
  switch (coding) {
    case 0:
      return Math.round(value);
    case 1:
      return Math.round(value / 1024);
    case 2:
      return Math.round(value * 10);
    case 3:
      return Math.round(value * 100);
    default:
      return Math.round(value * 1000);
  }
}

/** The coding that takes the fewest bytes for both; FLOAT64 fits always. */
export function chooseCoding(min: number, max: number): number {
  let best = FLOAT64;
  // A minimum of zero is left out, and so is the maximum of a constant.
  let bestBytes = min === max || min === 0 ? 8 : 16;
  if (Math.fround(min) === min && Math.fround(max) === max) {
    best = FLOAT32;
    bestBytes /= 2;
  }
  for (let coding = 4; coding >= 0; coding--) {
    const low = unscaled(coding, min);
    const high = unscaled(coding, max);
    if (scaled(coding, low) !== min || scaled(coding, high) !== max) continue;
    const magnitude = Math.abs(low) * 2;
    if (!Number.isSafeInteger(magnitude) || !Number.isSafeInteger(high - low)) continue;
    let bytes = 0;
    if (min === max || min !== 0) bytes += varintBytes(magnitude);
    if (min !== max) bytes += varintBytes(high - low);
    if (bytes <= bestBytes) {
      best = coding;
      bestBytes = bytes;
    }
  }
  return best;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/** All first bytes, then all second ones, …, the highest first: exponents beside exponents compress. */
export function writePlanes(out: ByteWriter, numbers: readonly number[], sizeBytes: 4 | 8): void {
  const view = new DataView(new ArrayBuffer(numbers.length * sizeBytes));
  for (let i = 0; i < numbers.length; i++) {
    if (sizeBytes === 4) view.setFloat32(i * 4, numbers[i]!);
    else view.setFloat64(i * 8, numbers[i]!);
  }
  for (let plane = 0; plane < sizeBytes; plane++) {
    for (let i = 0; i < numbers.length; i++) out.byte(view.getUint8(i * sizeBytes + plane));
  }
}

/** The numbers one after the other, big-endian. */
export function readPlanes(input: ByteReader, count: number, sizeBytes: 4 | 8): DataView {
  const planes = input.raw(count * sizeBytes);
  const view = new DataView(new ArrayBuffer(planes.length));
  for (let plane = 0; plane < sizeBytes; plane++) {
    for (let i = 0; i < count; i++) view.setUint8(i * sizeBytes + plane, planes[plane * count + i]!);
  }
  return view;
}
