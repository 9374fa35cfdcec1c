/** Live and Chunk (edge.proto): full-rate values and pieces of blobs, both outside the ledger. */

import { PicketError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { SeriesId } from '../series.ts';
import { fromHex, toHex } from './bytes.ts';
import { boundedOut, decodeChecked, hexField, invalid, safeInteger, text, wholeMs } from './check.ts';
import { picket } from './gen/edge.js';

const proto = picket.edge.v1;

/** Before compression. A time of a block becomes an object of some 40 bytes when it is decoded, hence less than others. */
const LIVE_BYTES = 256 * 1024;
const REQUEST_BYTES = 64;
const ERROR_BYTES = 500;
const BLOB_CHUNKS = Math.ceil(limits.blobBytes / limits.chunkBytes);

/** Message of up/live: answers to `watch` (one value a series) and `fetch` (blocks). */
/** How an agent's refusal begins when its own configuration forbids what was asked; after it comes the policy. */
export const RAW_STAYS = 'raw values stay on this machine';

export interface Live {
  /** Id of the command that asked. */
  readonly request: string;
  readonly wallMs: number;
  readonly series: readonly SeriesId[];
  /** As many as `series`; NaN where there is none now. */
  readonly values: readonly number[];
  readonly blocks: readonly LiveBlock[];
  /** Nothing more comes for this request. */
  readonly last: boolean;
  /** Why it could not be answered; empty where it could. */
  readonly error: string;
}

export interface LiveBlock {
  readonly series: SeriesId;
  readonly timesMs: readonly number[];
  readonly values: readonly number[];
}

/** Throws `payload.too_large` over LIVE_BYTES: split an answer, and say `last` in its last part. */
export function encodeLive(live: Live): Uint8Array {
  const bytes = proto.Live.encode({
    request: live.request,
    wallMs: wholeMs('Live', 'wallMs', live.wallMs),
    series: live.series.map(idOut),
    values: [...live.values],
    blocks: live.blocks.map((block) => ({
      series: idOut(block.series),
      wallMs: differences(block.timesMs),
      values: [...block.values],
    })),
    last: live.last,
    error: live.error,
  }).finish();
  return boundedOut('Live', bytes, LIVE_BYTES);
}

export function decodeLive(bytes: Uint8Array): Live {
  const live = decodeChecked(proto.Live, 'Live', bytes, LIVE_BYTES, {
    5: ['blocks', limits.watchedSeries],
  });
  if (live.series.length > limits.watchedSeries) invalid('Live', 'series', `more than ${limits.watchedSeries}`);
  if (live.values.length !== live.series.length) invalid('Live', 'values', 'is not one for each series');
  return {
    request: text('Live', 'request', live.request, REQUEST_BYTES),
    wallMs: safeInteger('Live', 'wallMs', live.wallMs),
    series: live.series.map((id) => idIn('series', id)),
    values: live.values,
    blocks: live.blocks.map(blockIn),
    last: live.last,
    error: text('Live', 'error', live.error, ERROR_BYTES),
  };
}

function blockIn(block: picket.edge.v1.LiveBlock.$Properties): LiveBlock {
  const differencesMs = block.wallMs ?? [];
  const values = block.values ?? [];
  if (values.length !== differencesMs.length) invalid('Live', 'blocks.values', 'is not one for each time');
  let timeMs = 0;
  const timesMs = differencesMs.map((difference) => {
    timeMs += safeInteger('Live', 'blocks.wallMs', difference);
    if (!Number.isSafeInteger(timeMs)) invalid('Live', 'blocks.wallMs', 'is beyond 2^53');
    return timeMs;
  });
  return { series: idIn('blocks.series', block.series ?? 0), timesMs, values };
}

function differences(timesMs: readonly number[]): number[] {
  let before = 0;
  return timesMs.map((time) => {
    const whole = wholeMs('Live', 'blocks.wallMs', time);
    const difference = whole - before;
    before = whole;
    return difference;
  });
}

/** What the generated types call a 64-bit integer. Of the Long's members protobufjs's writer needs these three alone. */
type LongLike = Exclude<picket.edge.v1.LiveBlock['series'], number>;

/** The id's 8 bytes, in their order, are the fixed64's 8 bytes on the wire. */
function idOut(id: SeriesId): LongLike {
  const bytes = fromHex(id, 8);
  const view = new DataView(bytes.buffer);
  const parts: Pick<LongLike, 'low' | 'high' | 'unsigned'> = {
    low: view.getInt32(0, true),
    high: view.getInt32(4, true),
    unsigned: true,
  };
  return parts as LongLike;
}

function idIn(field: string, value: number | { low: number; high: number }): SeriesId {
  // protobufjs gives a Long wherever the `long` package is there, which it depends on; a number would have lost bits.
  if (typeof value === 'number') {
    if (value === 0) return '0000000000000000';
    throw new PicketError('internal', `Live.${field}: 64-bit integers need the package "long"`);
  }
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, value.low, true);
  view.setInt32(4, value.high, true);
  return toHex(bytes);
}

/** Message of down/chunk: a piece of a blob. */
export interface Chunk {
  /** SHA-256 of the whole blob, 64 hex digits. */
  readonly hash: string;
  readonly index: number;
  readonly count: number;
  /** Of the whole blob. */
  readonly sizeBytes: number;
  readonly data: Uint8Array;
}

export function encodeChunk(chunk: Chunk): Uint8Array {
  const bytes = proto.Chunk.encode({
    hash: fromHex(chunk.hash, 32),
    index: chunk.index,
    count: chunk.count,
    sizeBytes: chunk.sizeBytes,
    data: chunk.data,
  }).finish();
  return boundedOut('Chunk', bytes, limits.payloadBytes);
}

export function decodeChunk(bytes: Uint8Array): Chunk {
  const chunk = decodeChecked(proto.Chunk, 'Chunk', bytes, limits.payloadBytes);
  const sizeBytes = safeInteger('Chunk', 'sizeBytes', chunk.sizeBytes);
  if (sizeBytes > limits.blobBytes) invalid('Chunk', 'sizeBytes', `is ${sizeBytes}, over ${limits.blobBytes}`);
  if (chunk.count > BLOB_CHUNKS) invalid('Chunk', 'count', `is ${chunk.count}, over ${BLOB_CHUNKS}`);
  if (chunk.index >= chunk.count) invalid('Chunk', 'index', `is ${chunk.index} of ${chunk.count}`);
  if (chunk.data.length > limits.chunkBytes) invalid('Chunk', 'data', `is ${chunk.data.length} bytes long`);
  return {
    hash: hexField('Chunk', 'hash', chunk.hash, 32),
    index: chunk.index,
    count: chunk.count,
    sizeBytes,
    data: chunk.data,
  };
}
