/**
 * A stream of bytes cut into pieces, each behind its length (u32, little-endian): how the file that is carried by hand
 * is laid out (`shared/trust/exchange.ts`), and how the running agent and its command line speak with each other.
 */
import { PicketError } from '../errors.ts';

export const PIECE_HEAD_BYTES = 4;

/** A piece as it travels. */
export function encodePiece(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(PIECE_HEAD_BYTES + bytes.length);
  new DataView(out.buffer).setUint32(0, bytes.length, true);
  out.set(bytes, PIECE_HEAD_BYTES);
  return out;
}

/** Takes in bytes as they come and gives them out by the piece; holds little more than one. */
export class PieceReader {
  readonly #maxBytes: number;
  #bytes = new Uint8Array(0);

  /** @param maxBytes a piece that says to be longer is refused before memory is taken for it */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that are part of no whole piece yet. */
  get left(): number {
    return this.#bytes.length;
  }

  push(bytes: Uint8Array): void {
    const joined = new Uint8Array(this.#bytes.length + bytes.length);
    joined.set(this.#bytes);
    joined.set(bytes, this.#bytes.length);
    this.#bytes = joined;
  }

  /** The next whole piece, or null until more comes. Throws `payload.invalid` where none can begin. */
  next(): Uint8Array | null {
    if (this.#bytes.length < PIECE_HEAD_BYTES) return null;
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, PIECE_HEAD_BYTES);
    const sizeBytes = view.getUint32(0, true);
    if (sizeBytes === 0 || sizeBytes > this.#maxBytes) {
      throw new PicketError('payload.invalid', `a piece of ${sizeBytes} bytes; 1 to ${this.#maxBytes} are possible`);
    }
    if (this.#bytes.length < PIECE_HEAD_BYTES + sizeBytes) return null;
    const piece = this.#bytes.slice(PIECE_HEAD_BYTES, PIECE_HEAD_BYTES + sizeBytes);
    this.#bytes = this.#bytes.subarray(PIECE_HEAD_BYTES + sizeBytes);
    return piece;
  }
}
