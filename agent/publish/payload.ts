/** An envelope as it goes out: never larger than brokers take. */
import { limits } from '../../shared/limits.ts';
import { packPayload } from '../../shared/transport/compress.ts';
import { type Envelope, encodeEnvelope } from '../../shared/wire/envelope.ts';
import { type SeqRanges, subtract } from '../../shared/wire/ranges.ts';
import type { RecordClass } from '../outbox/outbox.ts';

/** The order in which classes travel. */
export const classOrder: readonly RecordClass[] = ['control', 'incident', 'table', 'rollup', 'detail'];

/** Frames of one envelope before compression; leaves room for the envelope's own fields. */
export const ENVELOPE_BYTES = limits.payloadBytes - 8 * 1024;
/** Ranges that fit beside as many bytes of frames that don't compress. */
const FEW_RANGES = 256;

/** The payload of an envelope, with as many of the held ranges as there is room for. */
export function envelopePayload(envelope: Envelope): Uint8Array {
  const payload = packed(envelope, limits.rangesPerMessage);
  // A broker ends the connection over a message that is too large.
  return payload.length <= limits.payloadBytes ? payload : packed(envelope, FEW_RANGES);
}

function packed(envelope: Envelope, mostRanges: number): Uint8Array {
  return packPayload(encodeEnvelope({ ...envelope, held: boundedRanges(envelope.held, mostRanges) }));
}

/**
 * At most so many ranges. What is cut off at the lower end is said to be held though there are holes in it: the central
 * then counts these as pending rather than lost, which a later, shorter list corrects.
 */
function boundedRanges(ranges: SeqRanges, most: number): SeqRanges {
  if (ranges.length <= most) return ranges;
  const kept = ranges.slice(-most + 1);
  const rest = subtract(ranges, kept);
  return [[rest[0]![0], rest.at(-1)![1]], ...kept];
}
