/** Record (edge.proto): what is durable, framed and acknowledged. Its seq lies in the frame. */

import { PicketError } from '../errors.ts';
import { limits } from '../limits.ts';
import { fromHex } from './bytes.ts';
import { boundedOut, decodeChecked, hexField, safeInteger, wholeMs } from './check.ts';
import { picket } from './gen/edge.js';

const proto = picket.edge.v1;

/** In the order of their numbers on the wire; `kindNames[0]` is unspecified. */
const kindNames = [
  'unspecified',
  'table',
  'summary',
  'rollup',
  'co_moments',
  'event',
  'incident',
  'gap',
  'inventory',
  'top',
  'applied',
  'evidence',
  'epoch',
] as const;
export type RecordKind = Exclude<(typeof kindNames)[number], 'unspecified'>;

const trustNames = ['unknown', 'yes', 'no'] as const;
export type WallTrust = (typeof trustNames)[number];

export interface EdgeRecord {
  /** A number is a kind that this version does not know; it is stored as it is and acknowledged. */
  readonly kind: RecordKind | number;
  /** 32 hex digits. */
  readonly bootId: string;
  /** When it was made, since the boot, suspend included. */
  readonly monotonicMs: number;
  /** When it was made, by the machine's idea of Unix time. */
  readonly wallMs: number;
  readonly wallTrusted: WallTrust;
  /** Bytes of the kind's body (`bodies.ts`), or JSON. */
  readonly body: Uint8Array;
}

/** Throws `payload.too_large` over `limits.recordBytes`. */
export function encodeRecord(record: EdgeRecord): Uint8Array {
  const { kind } = record;
  const number = typeof kind === 'number' ? kind : kindNames.indexOf(kind);
  if (number < 1) throw new PicketError('internal', `Record.kind: ${kind} is no kind`);
  const bytes = proto.Record.encode({
    kind: number,
    bootId: fromHex(record.bootId, 16),
    monotonicMs: wholeMs('Record', 'monotonicMs', record.monotonicMs),
    wallMs: wholeMs('Record', 'wallMs', record.wallMs),
    wallTrusted: trustNames.indexOf(record.wallTrusted),
    body: record.body,
  }).finish();
  return boundedOut('Record', bytes, limits.recordBytes);
}

/** Throws `payload.invalid` naming the field. The body is a view into `bytes` and is not looked at. */
export function decodeRecord(bytes: Uint8Array): EdgeRecord {
  const record = decodeChecked(proto.Record, 'Record', bytes, limits.recordBytes);
  const known = kindNames[record.kind];
  return {
    kind: known === undefined || known === 'unspecified' ? record.kind : known,
    bootId: hexField('Record', 'bootId', record.bootId, 16),
    monotonicMs: safeInteger('Record', 'monotonicMs', record.monotonicMs),
    wallMs: safeInteger('Record', 'wallMs', record.wallMs),
    wallTrusted: trustNames[record.wallTrusted] ?? 'unknown',
    body: record.body,
  };
}
