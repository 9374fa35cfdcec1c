/**
 * Envelope and Ack (edge.proto): one MQTT message of up/records, and the application's answer to it. They decode
 * without the records' bodies: frames stay bytes until `frame.ts` has checked them one by one.
 */

import { PicketError } from '../errors.ts';
import { ID_PATTERN, limits } from '../limits.ts';
import { fromHex } from './bytes.ts';
import {
  boundedOut,
  decodeChecked,
  hexField,
  invalid,
  optionalHex,
  rangesField,
  rangesOut,
  safeInteger,
  wholeMs,
} from './check.ts';
import { picket } from './gen/edge.js';
import { contiguousMark, type SeqRanges, unite, upTo } from './ranges.ts';

const proto = picket.edge.v1;

export interface Envelope {
  readonly agent: string;
  /** 32 hex digits. */
  readonly epoch: string;
  /** Rises with each envelope of the process. */
  readonly n: number;
  /** Of the central that the sender believes in, 32 hex digits; null for none. */
  readonly incarnation: string | null;
  /** Of the sender now, 32 hex digits. */
  readonly bootId: string;
  readonly sentMonotonicMs: number;
  /** Of this epoch, so far. */
  readonly highestSeq: number;
  /** Seqs of this epoch that the sender can still send. */
  readonly held: SeqRanges;
  /** Framed records of this epoch. */
  readonly frames: readonly Uint8Array[];
  /** Made since this connection began. */
  readonly live: boolean;
}

export function encodeEnvelope(envelope: Envelope): Uint8Array {
  if (envelope.frames.length > limits.recordsPerEnvelope) {
    throw new PicketError('payload.too_large', `Envelope.frames: ${envelope.frames.length} records`);
  }
  const bytes = proto.Envelope.encode({
    agent: envelope.agent,
    epoch: fromHex(envelope.epoch, 16),
    n: envelope.n,
    incarnation: envelope.incarnation === null ? new Uint8Array(0) : fromHex(envelope.incarnation, 16),
    bootId: fromHex(envelope.bootId, 16),
    sentMonotonicMs: wholeMs('Envelope', 'sentMonotonicMs', envelope.sentMonotonicMs),
    highestSeq: envelope.highestSeq,
    held: rangesOut('Envelope', 'held', envelope.held),
    frames: [...envelope.frames],
    live: envelope.live,
  }).finish();
  return boundedOut('Envelope', bytes, limits.inflatedBytes);
}

/** Throws `payload.invalid` naming the field. Frames are views into `bytes`, not yet checked. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const envelope = decodeChecked(proto.Envelope, 'Envelope', bytes, limits.inflatedBytes, {
    8: ['held', limits.rangesPerMessage],
    9: ['frames', limits.recordsPerEnvelope],
  });
  if (!ID_PATTERN.test(envelope.agent)) invalid('Envelope', 'agent', 'is no id');
  const held = rangesField('Envelope', 'held', envelope.held);
  const highestSeq = safeInteger('Envelope', 'highestSeq', envelope.highestSeq);
  if ((held.at(-1)?.[1] ?? 0) > highestSeq) invalid('Envelope', 'held', 'is beyond highestSeq');
  for (const frame of envelope.frames) {
    if (frame.length > limits.frameHeaderBytes + limits.recordBytes) {
      invalid('Envelope', 'frames', `a frame is ${frame.length} bytes long`);
    }
  }
  return {
    agent: envelope.agent,
    epoch: hexField('Envelope', 'epoch', envelope.epoch, 16),
    n: safeInteger('Envelope', 'n', envelope.n),
    incarnation: optionalHex('Envelope', 'incarnation', envelope.incarnation, 16),
    bootId: hexField('Envelope', 'bootId', envelope.bootId, 16),
    sentMonotonicMs: safeInteger('Envelope', 'sentMonotonicMs', envelope.sentMonotonicMs),
    highestSeq,
    held,
    frames: envelope.frames,
    live: envelope.live,
  };
}

export interface Ack {
  /** Drawn by the central at its start, 32 hex digits. */
  readonly incarnation: string;
  readonly epoch: string;
  /** Of the envelope that this answers, with its own idea of when it was sent. */
  readonly n: number;
  readonly sentMonotonicMs: number;
  /** The central's time, Unix ms. */
  readonly centralMs: number;
  /** All seqs up to this one are settled. */
  readonly contiguous: number;
  /** Above it: newly settled, or all if `full`. */
  readonly settled: SeqRanges;
  readonly full: boolean;
  /** Hashes of tables that the central lacks, 16 hex digits each. */
  readonly need: readonly string[];
  /** One key came with two contents: begin a new epoch. */
  readonly renewEpoch: boolean;
}

export function encodeAck(ack: Ack): Uint8Array {
  const bytes = proto.Ack.encode({
    incarnation: fromHex(ack.incarnation, 16),
    epoch: fromHex(ack.epoch, 16),
    n: ack.n,
    sentMonotonicMs: wholeMs('Ack', 'sentMonotonicMs', ack.sentMonotonicMs),
    centralMs: wholeMs('Ack', 'centralMs', ack.centralMs),
    contiguous: ack.contiguous,
    settled: rangesOut('Ack', 'settled', ack.settled),
    full: ack.full,
    need: ack.need.slice(0, limits.needsPerAck).map((hash) => fromHex(hash, 8)),
    renewEpoch: ack.renewEpoch,
  }).finish();
  return boundedOut('Ack', bytes, limits.payloadBytes);
}

/** Throws `payload.invalid` naming the field. */
export function decodeAck(bytes: Uint8Array): Ack {
  const ack = decodeChecked(proto.Ack, 'Ack', bytes, limits.payloadBytes, {
    7: ['settled', limits.rangesPerMessage],
    9: ['need', limits.needsPerAck],
  });
  return {
    incarnation: hexField('Ack', 'incarnation', ack.incarnation, 16),
    epoch: hexField('Ack', 'epoch', ack.epoch, 16),
    n: safeInteger('Ack', 'n', ack.n),
    sentMonotonicMs: safeInteger('Ack', 'sentMonotonicMs', ack.sentMonotonicMs),
    centralMs: safeInteger('Ack', 'centralMs', ack.centralMs),
    contiguous: safeInteger('Ack', 'contiguous', ack.contiguous),
    settled: rangesField('Ack', 'settled', ack.settled),
    full: ack.full,
    need: ack.need.map((hash) => hexField('Ack', 'need', hash, 8)),
    renewEpoch: ack.renewEpoch,
  };
}

/** All that an acknowledgement says is settled: the contiguous seqs and the ranges above them. */
export function settledBy(ack: Ack): SeqRanges {
  return unite(upTo(ack.contiguous), ack.settled);
}

/** The two fields of an acknowledgement that say what is settled. */
export function settledFields(settled: SeqRanges): Pick<Ack, 'contiguous' | 'settled'> {
  const contiguous = contiguousMark(settled);
  return { contiguous, settled: settled.filter(([from]) => from > contiguous) };
}
