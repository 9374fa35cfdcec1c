/**
 * What every decoder of a protobuf message does before it believes anything: walk the bytes once without taking
 * memory, count what repeats, then decode, then hold every field against its bounds. Whatever the bytes are, nothing
 * but `payload.invalid` (or `payload.too_large`) comes out, naming message and field.
 */
import protobuf from 'protobufjs/minimal.js';
import { messageOf, PicketError } from '../errors.ts';
import { limits } from '../limits.ts';
import { toHex } from './bytes.ts';
import { checkedRanges, type SeqRange, type SeqRanges } from './ranges.ts';

/** Fields of one message, repeated and unknown ones; protobuf itself sets no bound. */
const FIELDS_PER_MESSAGE = 65_536;

/** Throws `payload.invalid`. */
export function invalid(message: string, field: string, problem: string): never {
  throw new PicketError('payload.invalid', `${message}.${field}: ${problem}`, { message, field });
}

/** How often a field may repeat: field number → name and bound. */
export type RepeatBounds = Readonly<Record<number, readonly [name: string, max: number]>>;

/** The static code's decoder of one message. */
interface Decoder<T> {
  decode(reader: protobuf.Reader): T;
}

/** Decodes after the walk. @param maxBytes of the message; more throws `payload.too_large` */
export function decodeChecked<T>(
  type: Decoder<T>,
  message: string,
  bytes: Uint8Array,
  maxBytes: number,
  repeats: RepeatBounds = {},
): T {
  if (bytes.length > maxBytes) {
    throw new PicketError('payload.too_large', `${message}: ${bytes.length} bytes, over ${maxBytes}`, { message });
  }
  walk(message, bytes, repeats);
  const reader = protobuf.Reader.create(bytes);
  // A newer sender's fields are skipped here; a record is stored with its bytes as they came.
  reader.discardUnknown = true;
  try {
    return type.decode(reader);
  } catch (error) {
    throw new PicketError('payload.invalid', `${message}: ${messageOf(error)}`, { message }, error);
  }
}

/** Steps over every field, counting. */
function walk(message: string, bytes: Uint8Array, repeats: RepeatBounds): void {
  const counts = new Map<number, number>();
  let fields = 0;
  let at = 0;
  const length = (): number => {
    let value = 0;
    for (let scale = 1, i = 0; i < 10; i++, scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) break;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    return invalid(message, `byte ${at}`, 'a number does not end');
  };
  const skip = (size: number): void => {
    at += size;
  };
  while (at < bytes.length) {
    const tag = length();
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (wireType === 0) length();
    else if (wireType === 1) at += 8;
    else if (wireType === 2) skip(length());
    else if (wireType === 5) at += 4;
    else invalid(message, `field ${number}`, `wire type ${wireType} is not used`);
    if (at > bytes.length) invalid(message, `field ${number}`, 'runs over the end');
    if (++fields > FIELDS_PER_MESSAGE) invalid(message, `field ${number}`, `more than ${FIELDS_PER_MESSAGE} fields`);
    const bound = repeats[number];
    if (bound === undefined) continue;
    const count = (counts.get(number) ?? 0) + 1;
    if (count > bound[1]) invalid(message, bound[0], `more than ${bound[1]}`);
    counts.set(number, count);
  }
}

/** A 64-bit integer as protobufjs gives it. */
type Int64 = number | { readonly low: number; readonly high: number; readonly unsigned: boolean };

/** A 64-bit integer that a JavaScript number holds exactly. */
export function safeInteger(message: string, field: string, value: Int64): number {
  const number =
    typeof value === 'number' ? value : (value.unsigned ? value.high >>> 0 : value.high) * 2 ** 32 + (value.low >>> 0);
  if (!Number.isSafeInteger(number)) invalid(message, field, 'is beyond 2^53');
  return number;
}

/** A safe integer of at least 1. */
export function positive(message: string, field: string, value: Int64): number {
  const number = safeInteger(message, field, value);
  if (number < 1) invalid(message, field, `is ${number}, not at least 1`);
  return number;
}

/** Hex of a field of exactly this many bytes. */
export function hexField(message: string, field: string, bytes: Uint8Array, sizeBytes: number): string {
  if (bytes.length !== sizeBytes) invalid(message, field, `is ${bytes.length} bytes long, not ${sizeBytes}`);
  return toHex(bytes);
}

/** The same, or null where the field is empty. */
export function optionalHex(message: string, field: string, bytes: Uint8Array, sizeBytes: number): string | null {
  return bytes.length === 0 ? null : hexField(message, field, bytes, sizeBytes);
}

/** A text of at most this many bytes of UTF-8. */
export function text(message: string, field: string, value: string, maxBytes: number): string {
  if (value.length > maxBytes || protobuf.util.utf8.length(value) > maxBytes) {
    invalid(message, field, `is longer than ${maxBytes} bytes`);
  }
  return value;
}

/** Ranges of seqs: sorted, disjoint, positive. */
export function rangesField(
  message: string,
  field: string,
  list: readonly { readonly from?: Int64 | null; readonly to?: Int64 | null }[],
): SeqRanges {
  const pairs: SeqRange[] = list.map((range) => [
    safeInteger(message, field, range.from ?? 0),
    safeInteger(message, field, range.to ?? 0),
  ]);
  return checkedRanges(pairs) ?? invalid(message, field, 'is not sorted, disjoint and positive');
}

/** Ranges on the way out, as protobufjs takes them. Throws `payload.too_large` over `limits.rangesPerMessage`. */
export function rangesOut(message: string, field: string, ranges: SeqRanges): { from: number; to: number }[] {
  if (ranges.length > limits.rangesPerMessage) {
    throw new PicketError('payload.too_large', `${message}.${field}: ${ranges.length} ranges`, { message, field });
  }
  return ranges.map(([from, to]) => ({ from, to }));
}

/** A time on the way out: clocks give fractions, the wire takes whole milliseconds. Throws `internal` on NaN. */
export function wholeMs(message: string, field: string, value: number): number {
  const whole = Math.round(value);
  if (!Number.isSafeInteger(whole)) throw new PicketError('internal', `${message}.${field}: ${value} is no time`);
  return whole;
}

/** Holds a message on the way out against its bound. */
export function boundedOut(message: string, bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes.length <= maxBytes) return bytes;
  throw new PicketError('payload.too_large', `${message}: ${bytes.length} bytes, over ${maxBytes}`, { message });
}
