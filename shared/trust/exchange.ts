/**
 * The file that is carried by hand between an agent and its central, where no network is (design, "By hand").
 *
 * It holds the very messages that would travel over MQTT, and what becomes of them is the same: records are committed
 * and then acknowledged, manifests and releases keep their own signatures and are verified as if the broker had
 * brought them. The file adds what the connection gives otherwise: that only the central and this agent can read it, that
 * nothing in it was altered, left out in the middle or moved, and that each side knows from when it is.
 *
 * Constraints
 *   - Sealed with what both sides share already: the SHA-256 of the agent's password, which is what the central keeps of
 *     it (decision 5). HKDF-SHA256 makes a key of it for this one file: its salt is drawn for the file, its info names
 *     the purpose, the direction and the agent. A key seals one file only, hence a chunk's number can be its nonce.
 *   - Every chunk is whole by itself (AES-256-GCM): a file that was cut off gives all whole chunks before the cut, a
 *     damaged chunk is named and stepped over, and a chunk in another place, of another file or of the other direction
 *     does not open.
 *   - Bounded: a chunk holds one message, at most `limits.payloadBytes`. Neither side ever holds more than a few of them.
 *   - In any order, any number of times: records have their keys, manifests their floor, and `series` and `number` say
 *     which export a reply answers, so that an old one never replaces what a newer one said.
 *
 * Format 1 (integers little-endian)
 *   header   8    "PICKETX\n"
 *            u8   format
 *            u8   direction: 1 from the agent, 2 to the agent
 *            16   series: drawn with the first export of an outbox
 *            u64  number: of the export, or of the latest one that is answered
 *            u64  made at, Unix ms by the clock of who made it (the central's sets the agent's floor of time)
 *            32   salt
 *            u8   length of the agent's id, and the id in ASCII
 *   chunk    u32  length of what follows
 *            …    sealed: u8 kind, message; then the tag of 16 bytes
 *                 nonce: four zero bytes, the chunk's number from 0 (u64, big-endian); associated data: the header
 *
 *   The first chunk is `about` (JSON). It proves that the header is right and that the keys fit: without it nothing is
 *   taken. The last one is `end`, with totals. A kind that is not known was added later and is passed over.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { messageOf, PicketError } from '../errors.ts';
import { ID_PATTERN, limits } from '../limits.ts';
import { fromHex, toHex } from '../wire/bytes.ts';
import { encodePiece, PIECE_HEAD_BYTES, PieceReader } from '../wire/pieces.ts';

const MAGIC = new TextEncoder().encode('PICKETX\n');
const FORMAT = 1;
const SALT_BYTES = 32;
const KEY_BYTES = 32;
const TAG_BYTES = 16;
const NONCE_BYTES = 12;
const FIXED_HEADER_BYTES = MAGIC.length + 2 + 16 + 8 + 8 + SALT_BYTES + 1;
/** A header is never longer. */
export const EXCHANGE_HEADER_BYTES = FIXED_HEADER_BYTES + 64;
/** What a message takes in the file beside its own bytes. */
export const EXCHANGE_OVERHEAD_BYTES = PIECE_HEAD_BYTES + 1 + TAG_BYTES;
const CHUNK_BYTES = 1 + limits.payloadBytes + TAG_BYTES;

export type ExchangeDirection = 'up' | 'down';

export interface ExchangeHeader {
  readonly direction: ExchangeDirection;
  readonly agent: string;
  /** 32 hex digits. */
  readonly series: string;
  readonly number: number;
  readonly madeMs: number;
  /** 64 hex digits, drawn for this file. */
  readonly salt: string;
}

/** Kinds of messages by their numbers; most are channels (`shared/wire/topics.ts`). */
export const exchangeKinds = ['end', 'about', 'records', 'reported', 'ack', 'desired', 'chunk'] as const;
export type ExchangeKind = (typeof exchangeKinds)[number];

export interface ExchangeMessage {
  readonly kind: ExchangeKind;
  readonly bytes: Uint8Array;
}

export type ExchangeEvent =
  | ({ readonly type: 'message' } & ExchangeMessage)
  /** This chunk (by number) was altered; what follows may still open. */
  | { readonly type: 'damaged'; readonly index: number }
  /** From this chunk on nothing can be told apart any more. */
  | { readonly type: 'lost'; readonly index: number }
  /** The file ends before this chunk, without its end mark. */
  | { readonly type: 'cut'; readonly index: number };

/** Throws `internal` where a field is none: it is the program's own. */
export function encodeExchangeHeader(header: ExchangeHeader): Uint8Array {
  const agent = new TextEncoder().encode(header.agent);
  if (!ID_PATTERN.test(header.agent)) throw new PicketError('internal', 'exchange: the agent is no id');
  const out = new Uint8Array(FIXED_HEADER_BYTES + agent.length);
  const view = new DataView(out.buffer);
  out.set(MAGIC);
  view.setUint8(8, FORMAT);
  view.setUint8(9, header.direction === 'up' ? 1 : 2);
  out.set(fromHex(header.series, 16), 10);
  view.setBigUint64(26, BigInt(header.number), true);
  view.setBigUint64(34, BigInt(Math.max(0, Math.round(header.madeMs))), true);
  out.set(fromHex(header.salt, SALT_BYTES), 42);
  view.setUint8(42 + SALT_BYTES, agent.length);
  out.set(agent, FIXED_HEADER_BYTES);
  return out;
}

/**
 * The header at the start of a file, and how long it is; not yet proven (`ExchangeOpener` does that with the first
 * chunk). Throws `payload.invalid`.
 * @param bytes the first `EXCHANGE_HEADER_BYTES` of the file, or all of a shorter one
 */
export function readExchangeHeader(bytes: Uint8Array): { readonly header: ExchangeHeader; readonly sizeBytes: number } {
  if (bytes.length < FIXED_HEADER_BYTES || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    invalid('is no file of Picket’s, or its first bytes are damaged');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const format = view.getUint8(8);
  if (format !== FORMAT) invalid(`has format ${format}; this version knows ${FORMAT}`);
  const direction = view.getUint8(9);
  if (direction !== 1 && direction !== 2) invalid(`has direction ${direction}`);
  const sizeBytes = FIXED_HEADER_BYTES + view.getUint8(42 + SALT_BYTES);
  const agent = String.fromCharCode(...bytes.subarray(FIXED_HEADER_BYTES, Math.min(sizeBytes, EXCHANGE_HEADER_BYTES)));
  if (sizeBytes > bytes.length || !ID_PATTERN.test(agent)) invalid('names no agent');
  const number = Number(view.getBigUint64(26, true));
  const madeMs = Number(view.getBigUint64(34, true));
  if (!Number.isSafeInteger(number) || !Number.isSafeInteger(madeMs)) invalid('has a number beyond 2^53');
  return {
    header: {
      direction: direction === 1 ? 'up' : 'down',
      agent,
      series: toHex(bytes.subarray(10, 26)),
      number,
      madeMs,
      salt: toHex(bytes.subarray(42, 42 + SALT_BYTES)),
    },
    sizeBytes,
  };
}

/** What the central keeps of an agent's password: SHA-256, 64 hex digits. */
export function credentialOf(password: string): string {
  return createHash('sha256').update(password).digest('hex');
}

/** The key of one file. `credential` is 64 hex digits. */
export function exchangeKey(
  credential: string,
  { salt, direction, agent }: Pick<ExchangeHeader, 'salt' | 'direction' | 'agent'>,
): Uint8Array {
  const info = `picket exchange 1 ${direction} ${agent}`;
  return new Uint8Array(
    hkdfSync('sha256', fromHex(credential, 32), fromHex(salt, SALT_BYTES), new TextEncoder().encode(info), KEY_BYTES),
  );
}

/** Seals the messages of one file, in their order. A key and a header are used by one of these, once. */
export class ExchangeSealer {
  readonly header: Uint8Array;
  readonly #key: Uint8Array;
  #count = 0;

  constructor(key: Uint8Array, header: ExchangeHeader) {
    this.#key = key;
    this.header = encodeExchangeHeader(header);
  }

  /** The message as it lies in the file. Throws `payload.too_large`. */
  seal({ kind, bytes }: ExchangeMessage): Uint8Array {
    if (bytes.length > limits.payloadBytes) {
      throw new PicketError('payload.too_large', `exchange: a message of ${bytes.length} bytes`);
    }
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonceOf(this.#count++), { authTagLength: TAG_BYTES });
    cipher.setAAD(this.header);
    const parts = [cipher.update(Uint8Array.of(exchangeKinds.indexOf(kind))), cipher.update(bytes), cipher.final()];
    return encodePiece(Buffer.concat([...parts, cipher.getAuthTag()]));
  }
}

/**
 * Opens a file as its bytes come. After `push` call `next` until it is null. `next` throws `signature.invalid` where
 * the first chunk does not open: nothing of the file can be believed then.
 */
export class ExchangeOpener {
  readonly #key: Uint8Array;
  readonly #header: Uint8Array;
  readonly #pieces = new PieceReader(CHUNK_BYTES);
  #count = 0;
  #lost = false;
  #ended = false;

  /** @param header as it lies in the file */
  constructor(key: Uint8Array, header: Uint8Array) {
    this.#key = key;
    this.#header = header.slice();
  }

  /** Chunks that came, damaged ones counted in. */
  get count(): number {
    return this.#count;
  }

  /** The file came to its end mark; where it has not when there are no more bytes, it was cut off. */
  get ended(): boolean {
    return this.#ended;
  }

  push(bytes: Uint8Array): void {
    // What follows the end mark is not the file's.
    if (!this.#lost && !this.#ended) this.#pieces.push(bytes);
  }

  next(): ExchangeEvent | null {
    for (;;) {
      if (this.#lost || this.#ended) return null;
      let piece: Uint8Array | null;
      try {
        piece = this.#pieces.next();
      } catch (error) {
        if (this.#count === 0) throw notOurs(error);
        this.#lost = true;
        return { type: 'lost', index: this.#count };
      }
      if (piece === null) return null;
      const index = this.#count++;
      const opened = this.#open(index, piece);
      if (opened === null) {
        if (index === 0) throw notOurs();
        return { type: 'damaged', index };
      }
      const kind = exchangeKinds[opened[0]!];
      if (index === 0 && kind !== 'about') throw notOurs();
      if (kind === undefined) continue;
      this.#ended = kind === 'end';
      return { type: 'message', kind, bytes: opened.subarray(1) };
    }
  }

  #open(index: number, piece: Uint8Array): Uint8Array | null {
    const bodyBytes = piece.length - TAG_BYTES;
    if (bodyBytes < 1) return null;
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonceOf(index), { authTagLength: TAG_BYTES });
    decipher.setAAD(this.#header);
    decipher.setAuthTag(piece.subarray(bodyBytes));
    const body = decipher.update(piece.subarray(0, bodyBytes));
    try {
      decipher.final();
    } catch {
      return null;
    }
    return body;
  }
}

/**
 * Reads a whole file as it comes: its messages, and what is wrong with it.
 * Throws `payload.invalid` where it is none, `signature.invalid` where the key does not open it, and what `keyOf` throws.
 * @param keyOf the key of the file with this header, which is not proven yet
 */
export async function* readExchange(
  source: AsyncIterable<Uint8Array>,
  keyOf: (header: ExchangeHeader) => Promise<Uint8Array>,
): AsyncGenerator<ExchangeEvent> {
  let head: Uint8Array = new Uint8Array(0);
  let opener: ExchangeOpener | null = null;
  const begin = async (): Promise<ExchangeOpener> => {
    const { header, sizeBytes } = readExchangeHeader(head.subarray(0, EXCHANGE_HEADER_BYTES));
    const begun = new ExchangeOpener(await keyOf(header), head.subarray(0, sizeBytes));
    begun.push(head.subarray(sizeBytes));
    return begun;
  };
  for await (const bytes of source) {
    if (opener === null) {
      head = Buffer.concat([head, bytes]);
      if (head.length < EXCHANGE_HEADER_BYTES) continue;
      opener = await begin();
    } else opener.push(bytes);
    for (let event = opener.next(); event !== null; event = opener.next()) {
      yield event;
      if (event.type === 'lost') return;
    }
  }
  opener ??= await begin();
  for (let event = opener.next(); event !== null; event = opener.next()) yield event;
  if (!opener.ended) yield { type: 'cut', index: opener.count };
}

/** What is wrong with a file, for people; null for a message. */
export function problemOf(event: ExchangeEvent): string | null {
  switch (event.type) {
    case 'damaged':
      return `chunk ${event.index} is damaged and was left out`;
    case 'lost':
      return `from chunk ${event.index} on it cannot be read`;
    case 'cut':
      return `it was cut off: there are ${event.index} whole chunks and no end`;
    default:
      return null;
  }
}

function nonceOf(index: number): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  new DataView(nonce.buffer).setBigUint64(4, BigInt(index));
  return nonce;
}

function notOurs(cause?: unknown): PicketError {
  const why = 'its beginning was altered, or it was sealed with other credentials (the agent was enrolled anew since)';
  return new PicketError('signature.invalid', `the file cannot be opened: ${why}${detail(cause)}`, {}, cause);
}

function detail(cause: unknown): string {
  return cause === undefined ? '' : ` (${messageOf(cause)})`;
}

function invalid(problem: string): never {
  throw new PicketError('payload.invalid', `the file ${problem}`);
}
