/**
 * Asks a service on the message bus one thing: connects, says who it is, asks, reads the answer, hangs up. No process is
 * started, and nothing stays open between.
 */
import { connect, type Socket } from 'node:net';
import { messageOf, PicketError } from '../../../../shared/errors.ts';
import {
  type Answer,
  type Call,
  decodeMessage,
  encodeCall,
  METHOD_ERROR,
  METHOD_RETURN,
  messageLength,
} from './wire.ts';

/** A line of the greeting. */
const LINE_BYTES = 1024;
/** What the bus says of its own accord before the answer comes. */
const OTHER_MESSAGES = 100;

const hello: Call = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
  member: 'Hello',
  lists: [],
};

/**
 * The answer to a call. Throws `input.failed`, `input.permission`.
 * @param socketPath of the bus; or of a service that speaks without one
 */
export async function askBus(socketPath: string, call: Call, signal: AbortSignal): Promise<Answer> {
  const socket = connect(socketPath);
  const end = (): void => void socket.destroy();
  signal.addEventListener('abort', end, { once: true });
  try {
    const received = new Received(socket);
    // Who we are the bus asks the kernel: our own number may be another one outside of a container.
    socket.write('\0AUTH EXTERNAL\r\nDATA\r\n');
    let greeting = await received.line();
    if (greeting.startsWith('DATA')) greeting = await received.line();
    if (!greeting.startsWith('OK ')) {
      throw new PicketError('input.permission', `The message bus does not let this user in: ${greeting.slice(0, 100)}`);
    }
    socket.write('BEGIN\r\n');
    socket.write(encodeCall(1, hello));
    await received.answerTo(1);
    socket.write(encodeCall(2, call));
    return await received.answerTo(2);
  } catch (error) {
    if (error instanceof PicketError) throw error;
    throw new PicketError('input.failed', `${socketPath} does not answer: ${messageOf(error)}`, {}, error);
  } finally {
    signal.removeEventListener('abort', end);
    socket.destroy();
  }
}

class Received {
  readonly #chunks: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#chunks = socket[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    for (;;) {
      const end = this.#held.indexOf('\r\n');
      if (end >= 0) {
        const line = this.#held.toString('latin1', 0, end);
        this.#held = this.#held.subarray(end + 2);
        return line;
      }
      if (this.#held.length > LINE_BYTES) throw new PicketError('input.failed', 'The message bus greets without end.');
      await this.#more();
    }
  }

  async answerTo(serial: number): Promise<Answer> {
    for (let others = 0; others < OTHER_MESSAGES; others++) {
      const message = await this.#message();
      if (message.replySerial !== serial) continue;
      if (message.type === METHOD_RETURN) return message;
      if (message.type === METHOD_ERROR) {
        throw new PicketError('input.failed', `The message bus answers ${message.errorName.slice(0, 200)}.`);
      }
    }
    throw new PicketError('input.failed', 'The message bus says much, and does not answer.');
  }

  async #message(): Promise<Answer> {
    for (;;) {
      const length = messageLength(this.#held);
      if (length > 0 && this.#held.length >= length) {
        const message = this.#held.subarray(0, length);
        this.#held = this.#held.subarray(length);
        return decodeMessage(message);
      }
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#chunks.next();
    if (done) throw new PicketError('input.failed', 'The message bus hung up.');
    this.#held = this.#held.length === 0 ? value : Buffer.concat([this.#held, value]);
  }
}
