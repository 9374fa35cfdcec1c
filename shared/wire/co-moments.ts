/**
 * Body of a CO_MOMENTS record: what an hour of a group's window features adds to a covariance. In doubles, so that the
 * central's sum over any hours is that of the rows themselves, to rounding. A member that never moved has no products,
 * and takes none: of 64 series 16.6 KB where all of them move, 5 KB where half do.
 */
import { MOST_GROUP_SERIES } from '../detect/group-reference.ts';
import { DAY_MS, limits } from '../limits.ts';
import { type CoMoments, startCoMoments, triangle } from '../math/comoments.ts';
import type { SeriesId } from '../series.ts';
import { fromHex, toHex } from './bytes.ts';
import { boundedOut, decodeChecked, invalid, positive, safeInteger, text, wholeMs } from './check.ts';
import { picket } from './gen/edge.js';

const proto = picket.edge.v1;
const MESSAGE = 'CoMoments';
const ID_BYTES = 8;
const DOUBLE_BYTES = 8;
/** Within this, products of two stay finite however many there are; as in a group's own state. */
const LARGEST = 1e140;
/** Smaller squares have lost their digits: what moves no more than that does not move. */
const LEAST_SQUARE = 1e-250;
/** Windows of a second for a day. */
const MOST_ROWS = 86_400;
/** Products that contradict their squares by more than rounding are none. */
const ROUNDING = 1e-6;

export interface GroupCoMoments {
  /** Name of the group; empty for the machine's own series. */
  readonly group: string;
  /** Its series, rising. */
  readonly members: readonly SeriesId[];
  /** Length of the windows, and which of their features were taken in: 1 = means. */
  readonly windowMs: number;
  readonly featureVersion: number;
  /** Windows in which each member had a value; in the others it was filled. */
  readonly seen: Float64Array;
  readonly coMoments: CoMoments;
  readonly lengthMs: number;
  readonly endMonotonicMs: number;
  /** Best estimate of UTC at the end of the last window. */
  readonly endWallMs: number;
}

export function encodeCoMoments(set: GroupCoMoments): Uint8Array {
  const { members, coMoments } = set;
  const { count, mean, products } = coMoments;
  const varying = members.map((_, i) => products[triangle(i) + i]! > LEAST_SQUARE);
  const bits = new Uint8Array((members.length + 7) >> 3);
  const told: number[] = [];
  for (let i = 0; i < members.length; i++) {
    if (!varying[i]) continue;
    bits[i >> 3]! |= 1 << (i & 7);
    for (let j = 0; j <= i; j++) if (varying[j]) told.push(products[triangle(i) + j]!);
  }
  const ids = new Uint8Array(members.length * ID_BYTES);
  members.forEach((id, i) => {
    ids.set(fromHex(id, ID_BYTES), i * ID_BYTES);
  });
  const bytes = proto.CoMoments.encode({
    group: set.group,
    members: ids,
    windowMs: set.windowMs,
    featureVersion: set.featureVersion,
    rows: count,
    seen: Array.from(set.seen),
    varying: bits,
    mean: doublesOut(mean),
    products: doublesOut(told),
    lengthMs: wholeMs(MESSAGE, 'lengthMs', set.lengthMs),
    endMonotonicMs: wholeMs(MESSAGE, 'endMonotonicMs', set.endMonotonicMs),
    endWallMs: wholeMs(MESSAGE, 'endWallMs', set.endWallMs),
  }).finish();
  return boundedOut(MESSAGE, bytes, limits.recordBytes);
}

/** From bytes that nobody vouches for; throws `payload.invalid` naming the field. */
export function decodeCoMoments(bytes: Uint8Array): GroupCoMoments {
  // `seen` comes packed, or one by one from who does not know better.
  const found = decodeChecked(proto.CoMoments, MESSAGE, bytes, limits.recordBytes, { 6: ['seen', MOST_GROUP_SERIES] });
  const members = membersIn(found.members);
  const size = members.length;
  const rows = bounded('rows', found.rows, 1, MOST_ROWS);
  if (found.seen.length !== size) invalid(MESSAGE, 'seen', `is of ${found.seen.length} series, not ${size}`);
  const coMoments = startCoMoments(size);
  coMoments.count = rows;
  coMoments.mean.set(doublesIn('mean', found.mean, size));
  productsIn(coMoments, found.varying, found.products);
  return {
    group: text(MESSAGE, 'group', found.group, limits.seriesTextBytes),
    members,
    windowMs: bounded('windowMs', found.windowMs, 1000, DAY_MS),
    featureVersion: bounded('featureVersion', found.featureVersion, 1, 1000),
    seen: Float64Array.from(found.seen, (seen) => bounded('seen', seen, 0, rows)),
    coMoments,
    lengthMs: positive(MESSAGE, 'lengthMs', found.lengthMs),
    endMonotonicMs: safeInteger(MESSAGE, 'endMonotonicMs', found.endMonotonicMs),
    endWallMs: safeInteger(MESSAGE, 'endWallMs', found.endWallMs),
  };
}

function membersIn(bytes: Uint8Array): SeriesId[] {
  const size = bytes.length / ID_BYTES;
  if (!Number.isInteger(size) || size < 1 || size > MOST_GROUP_SERIES) {
    invalid(MESSAGE, 'members', `takes ${bytes.length} bytes, which is not 8 for each of 1 to ${MOST_GROUP_SERIES}`);
  }
  const members = Array.from({ length: size }, (_, i) => toHex(bytes.subarray(i * ID_BYTES, (i + 1) * ID_BYTES)));
  if (members.some((id, i) => i > 0 && id <= members[i - 1]!)) invalid(MESSAGE, 'members', 'does not rise');
  return members;
}

function productsIn({ mean, products }: CoMoments, bits: Uint8Array, bytes: Uint8Array): void {
  const size = mean.length;
  if (bits.length !== (size + 7) >> 3) invalid(MESSAGE, 'varying', `takes ${bits.length} bytes for ${size} series`);
  const varying: number[] = [];
  for (let i = 0; i < bits.length * 8; i++) {
    if ((bits[i >> 3]! & (1 << (i & 7))) === 0) continue;
    if (i >= size) invalid(MESSAGE, 'varying', `names series ${i} of ${size}`);
    varying.push(i);
  }
  const told = doublesIn('products', bytes, triangle(varying.length));
  let at = 0;
  for (const i of varying) {
    for (const j of varying) {
      if (j > i) break;
      products[triangle(i) + j] = told[at++]!;
    }
  }
  for (const i of varying) {
    const square = products[triangle(i) + i]!;
    if (!(square > 0)) invalid(MESSAGE, 'products', `the square of series ${i} is ${square}`);
    for (const j of varying) {
      if (j >= i) break;
      const most = Math.sqrt(square) * Math.sqrt(products[triangle(j) + j]!);
      if (!(Math.abs(products[triangle(i) + j]!) <= most * (1 + ROUNDING))) {
        invalid(MESSAGE, 'products', `series ${j} and ${i} have more in common than each has`);
      }
    }
  }
}

function doublesOut(values: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array(values.length * DOUBLE_BYTES);
  const view = new DataView(out.buffer);
  for (let i = 0; i < values.length; i++) view.setFloat64(i * DOUBLE_BYTES, values[i]!, true);
  return out;
}

function doublesIn(field: string, bytes: Uint8Array, count: number): Float64Array {
  if (bytes.length !== count * DOUBLE_BYTES)
    invalid(MESSAGE, field, `takes ${bytes.length} bytes for ${count} numbers`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const most = field === 'mean' ? LARGEST : LARGEST ** 2;
  return Float64Array.from({ length: count }, (_, i) => {
    const value = view.getFloat64(i * DOUBLE_BYTES, true);
    return Math.abs(value) <= most ? value : invalid(MESSAGE, field, `has ${value}`);
  });
}

function bounded(field: string, value: number, low: number, high: number): number {
  if (value < low || value > high) invalid(MESSAGE, field, `is ${value}, not from ${low} to ${high}`);
  return value;
}

/** Whether two sets are of the same series in the same windows, so that they may be added. */
export function sameSeries(
  a: Pick<GroupCoMoments, 'members' | 'windowMs' | 'featureVersion'>,
  b: Pick<GroupCoMoments, 'members' | 'windowMs' | 'featureVersion'>,
): boolean {
  return (
    a.windowMs === b.windowMs &&
    a.featureVersion === b.featureVersion &&
    a.members.length === b.members.length &&
    a.members.every((id, i) => id === b.members[i])
  );
}
