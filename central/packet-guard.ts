/**
 * Holds the size of every MQTT packet against a limit before its bytes are buffered. The embedded broker would
 * collect a packet of 200 MB before it even looks at the password; here the connection ends at the fixed header
 * (MQTT 3.1.1, section 2.2: a type byte, then the remaining length in one to four bytes).
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

export class PacketGuard {
  limitBytes: number;
  /** Bytes of the current packet that are still to come. */
  #remaining = 0;
  /** -1: a packet's first byte is next; else the number of length bytes read. */
  #lengthBytes = -1;
  #length = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** False where a packet states more than the limit, or a length that MQTT does not allow. */
  accept(chunk: Uint8Array): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#remaining > 0) {
        const taken = Math.min(this.#remaining, chunk.length - at);
        this.#remaining -= taken;
        at += taken;
      } else if (this.#lengthBytes < 0) {
        this.#lengthBytes = 0;
        this.#length = 0;
        at++;
      } else {
        const byte = chunk[at++]!;
        this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes;
        this.#lengthBytes++;
        const more = (byte & 0x80) !== 0;
        if (more && this.#lengthBytes === 4) return false;
        if (!more) {
          if (this.#length > this.limitBytes) return false;
          this.#remaining = this.#length;
          this.#lengthBytes = -1;
        }
      }
    }
    return true;
  }
}

/** A socket whose incoming packets are guarded; calls `refused` once before it ends one. */
export class GuardedConnection extends Duplex {
  readonly guard: PacketGuard;
  readonly remote: string;
  readonly #socket: Socket;

  constructor(socket: Socket, limitBytes: number, refused: (connection: GuardedConnection) => void) {
    super();
    this.guard = new PacketGuard(limitBytes);
    this.remote = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      if (!this.guard.accept(chunk)) {
        refused(this);
        this.destroy();
      } else if (!this.push(chunk)) {
        socket.pause();
      }
    });
    socket.on('end', () => this.push(null));
    socket.on('close', () => this.destroy());
    socket.on('error', (error) => this.destroy(error));
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, encoding, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
