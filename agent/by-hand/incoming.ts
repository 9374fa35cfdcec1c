/**
 * Takes in what the central sent back: acknowledgements, pieces of releases and models, the manifest. Each is what
 * MQTT would have brought and goes where that would have gone; whatever the file lacks comes with the next one.
 */
import { messageOf, PicketError } from '../../shared/errors.ts';
import { ChunkAssembler } from '../../shared/trust/chunks.ts';
import type { ExchangeMessage } from '../../shared/trust/exchange.ts';
import { integerOf, objectOf, parseJson, textOf } from '../../shared/trust/strict.ts';
import { type Ack, decodeAck } from '../../shared/wire/envelope.ts';
import { decodeChunk } from '../../shared/wire/live.ts';
import type { ApplyReport, ApplyStore } from '../apply/options.ts';
import type { ApplyStage } from '../apply.ts';
import type { Exports } from './exports.ts';
import { statedVersion } from './pending.ts';

/** Acknowledgements that are taken in at once. */
const ACKS = 64;
/** A manifest names 16 releases, each with its content. */
const BLOBS = 64;
const ABOUT_BYTES = 4096;

/** The first message: what the header of the file says, and the central's incarnation. */
export interface ReplyAbout {
  readonly series: string;
  readonly number: number;
  /** When the central made it, by its clock. */
  readonly madeMs: number;
}

export interface IncomingOptions {
  readonly exports: Exports;
  readonly apply: Pick<ApplyStage, 'desired' | 'lookAgain' | 'idle' | 'status'>;
  readonly store: Pick<ApplyStore, 'putBlob'>;
  /** False: they were not newer than what is believed, and changed nothing. */
  readonly settle: (acks: readonly Ack[], mayReplace: boolean) => Promise<boolean>;
  /** A time of the central's clock, by which expiry is judged; the way that it took is not known. */
  readonly heard: (centralMs: number) => void;
  readonly pendingRecords: () => number;
}

export interface ImportResult {
  /** The acknowledgements were older than what is known, and changed nothing. */
  readonly outdated: boolean;
  readonly pendingBefore: number;
  readonly pendingAfter: number;
  /** Releases and models that came whole. */
  readonly blobs: number;
  readonly manifestVersion: number;
  /** The manifest waits for the agent's start. */
  readonly waiting: boolean;
  readonly applied: ApplyReport['applied'];
  /** Why what the manifest names is not applied, newest first. */
  readonly refusals: readonly string[];
}

/** Throws `payload.invalid` where the first message is not what it must be; what comes after is judged one by one. */
export async function incoming(
  messages: AsyncIterable<ExchangeMessage>,
  options: IncomingOptions,
): Promise<ImportResult> {
  const { exports, apply, pendingRecords } = options;
  const pendingBefore = pendingRecords();
  const refusedBefore = new Set(apply.status().refusals);
  const blobs = new Blobs(options.store);
  const need = new Set<string>();
  let about: ReplyAbout | null = null;
  let outdated = false;
  let acks: Ack[] = [];
  let told = false;

  const settle = async (): Promise<void> => {
    if (acks.length === 0 || about === null) return;
    const taken = await options.settle(acks, exports.mayReplace(about.series, about.number));
    if (taken) for (const ack of acks) for (const hash of ack.need) need.add(hash);
    outdated ||= !taken;
    told = true;
    acks = [];
  };

  for await (const { kind, bytes } of messages) {
    if (about === null) {
      if (kind !== 'about') throw new PicketError('payload.invalid', 'the reply does not begin with what it is');
      about = readAbout(bytes);
      options.heard(about.madeMs);
      continue;
    }
    if (kind === 'ack') {
      acks.push(decodeAck(bytes));
      if (acks.length < ACKS) continue;
    }
    await settle();
    if (kind === 'chunk') await blobs.take(bytes);
    // An old stick is no attack that the central should be told of.
    if (kind === 'desired' && (statedVersion(bytes) ?? Infinity) > apply.status().manifestVersion) apply.desired(bytes);
  }
  await settle();
  if (about !== null && told && !outdated) exports.taken(about.number, [...need]);
  // What waited for these blobs over the connection finds them on the disk now.
  if (blobs.count > 0) apply.lookAgain();
  await apply.idle();
  const { manifestVersion, applied, refusals } = apply.status();
  return {
    outdated,
    pendingBefore,
    pendingAfter: pendingRecords(),
    blobs: blobs.count,
    manifestVersion,
    waiting: false,
    applied,
    refusals: refusals.filter((each) => !refusedBefore.has(each)).map(({ code, message }) => `${code}: ${message}`),
  };
}

function readAbout(bytes: Uint8Array): ReplyAbout {
  const json = objectOf(parseJson(bytes, ABOUT_BYTES, 'reply'), 'reply');
  return {
    series: textOf(json.series, 'reply.series', 32, /^[0-9a-f]{32}$/),
    number: integerOf(json.number, 'reply.number'),
    madeMs: integerOf(json.madeMs, 'reply.madeMs'),
  };
}

/** Puts blobs together from their pieces, one after another, and keeps those that are what their name says. */
class Blobs {
  readonly #store: IncomingOptions['store'];
  #assembler: ChunkAssembler | null = null;
  count = 0;

  constructor(store: IncomingOptions['store']) {
    this.#store = store;
  }

  async take(bytes: Uint8Array): Promise<void> {
    if (this.count >= BLOBS) return;
    const chunk = decodeChunk(bytes);
    if (this.#assembler?.hash !== chunk.hash) this.#assembler = new ChunkAssembler(chunk.hash, chunk.sizeBytes);
    this.#assembler.accept(chunk);
    if (!this.#assembler.complete) return;
    try {
      await this.#store.putBlob(chunk.hash, this.#assembler.finish());
      this.count++;
    } catch (error) {
      if (!(error instanceof PicketError) || error.code !== 'blob.mismatch') throw error;
      throw new PicketError('blob.mismatch', `the reply is not whole: ${messageOf(error)}`, {}, error);
    } finally {
      this.#assembler = null;
    }
  }
}
