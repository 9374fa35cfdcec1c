/**
 * What a connection takes of the line, in both directions: the bytes that its TCP sockets carried (TLS records and
 * handshakes with them, as the socket below is asked), and an estimate of what TCP and IP add, which no socket tells.
 *
 * The estimate is on the safe side: each MQTT packet is a segment of its own, each segment has headers of 52 bytes (IPv4
 * 20, TCP 20, timestamps 12) and an acknowledgement of 52 that travels alone. Against the kernel's own count, in a network
 * namespace, it was 2 % too high for messages of 3 kB with their answers, and 10 to 15 % for a connection. Segments that are sent again on a bad
 * line, and tunnels below, are not seen: leave room for them in the budget.
 */

const HEADER_BYTES = 52;
/** Ethernet's 1,500 less the headers. */
const SEGMENT_BYTES = 1448;
/** Segments of a connection beside its MQTT packets: TCP's beginning and end, and the flights of TLS. */
const CONNECTION_SEGMENTS = 7;

interface CountedSocket {
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

export class LineMeter {
  #socket: CountedSocket | null = null;
  #before = 0;
  #packets = 0;
  #segments = 0;

  /** Another connection begins on this TCP socket. */
  attach(socket: CountedSocket): void {
    this.#before += this.#carried();
    this.#socket = socket;
    this.#segments += CONNECTION_SEGMENTS;
  }

  /** An MQTT packet went or came. */
  packet(): void {
    this.#packets++;
  }

  /** Since the beginning. */
  get bytes(): number {
    const carried = this.#before + this.#carried();
    const segments = this.#segments + this.#packets + Math.floor(carried / SEGMENT_BYTES);
    return carried + segments * 2 * HEADER_BYTES;
  }

  #carried(): number {
    return this.#socket === null ? 0 : this.#socket.bytesRead + this.#socket.bytesWritten;
  }
}
