/**
 * One connection to a Modbus TCP device, one request at a time. Everything that the device says is held against what
 * was asked: unit, function, length. What does not fit ends the connection, since nothing after it can be believed.
 *
 * The framing is modbus-serial's; the four requests that read are made here, because the package's main file would
 * load its native serial port.
 */
import net from 'node:net';
import { PicketError } from '../../../shared/errors.ts';
import { type Block, describe, isBits } from './blocks.ts';
import type { Table } from './settings.ts';

/** The codes of the requests (application protocol 1.1b3, 6.1 to 6.4). */
const functionCodes: Readonly<Record<Table, number>> = { coil: 1, discrete: 2, holding: 3, input: 4 };
const exceptionFlag = 0x80;
/** An answer with its header: 7 bytes and at most 253. */
const maxAnswerBytes = 260;
/** Bytes that modbus-serial's framing puts behind an answer, in the place of a serial line's checksum. */
const checksumBytes = 2;
const requestBytes = 6;
const unitAt = 0;
const functionAt = 1;
const codeAt = 2;
const dataAt = 3;

/** Exceptions of the application protocol (7). */
const exceptionTexts: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal data address',
  3: 'illegal data value',
  4: 'device failure',
  5: 'acknowledged, not done yet',
  6: 'device busy',
  8: 'memory parity error',
  10: 'gateway path unavailable',
  11: 'the device behind the gateway does not answer',
};
/** These are of the device as a whole, not of the address that was asked for. */
const wholeDevice = new Set([5, 6, 10, 11]);

/** The device refused one request, and goes on working. */
export class ModbusException extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exception ${code} (${exceptionTexts[code] ?? 'unknown'})`);
    this.code = code;
  }
}

type TcpPort = import('modbus-serial/ports/tcpport.js').default;

interface Pending {
  readonly block: Block;
  readonly transaction: number;
  readonly resolve: (data: Buffer) => void;
  readonly reject: (error: unknown) => void;
}

export interface Device {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly unitId: number;
}

export class ModbusConnection {
  readonly #device: Device;
  readonly #socket: net.Socket;
  readonly #port: TcpPort;
  #pending: Pending | null = null;
  /** Bytes since the last request; more than one answer's are not taken into memory. */
  #received = 0;
  #ended: PicketError | null = null;

  private constructor(device: Device, socket: net.Socket, Port: new (options: { socket: net.Socket }) => TcpPort) {
    this.#device = device;
    this.#socket = socket;
    // Before the port's own listener: what is too much ends here.
    socket.on('data', (chunk) => {
      this.#received += chunk.length;
      if (this.#pending === null || this.#received > maxAnswerBytes) this.#end('sends what was not asked for');
    });
    socket.on('error', (error) => this.#end(`broke the connection (${codeOf(error)})`));
    socket.on('close', () => this.#end('closed the connection'));
    this.#port = new Port({ socket });
    this.#port.on('data', (answer) => this.#answered(answer));
  }

  /** Connects. Rejects with `input.failed`, at the latest after the deadline. */
  static async open(device: Device, deadlineMs: number): Promise<ModbusConnection> {
    // Late: an agent without Modbus devices does not pay for it.
    const { default: Port } = await import('modbus-serial/ports/tcpport.js');
    const socket = new net.Socket();
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => {
        socket.destroy();
        reject(failed(device, why));
      };
      const timer = setTimeout(() => fail(`could not be connected to within ${deadlineMs} ms`), deadlineMs);
      socket.once('error', (error) => {
        clearTimeout(timer);
        fail(`could not be connected to (${codeOf(error)})`);
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        resolve();
      });
      socket.setNoDelay(true);
      socket.setKeepAlive(true);
      socket.connect({ host: device.host, port: device.port });
    });
    return new ModbusConnection(device, socket, Port);
  }

  /** The data of a block: two bytes a register, or eight bits a byte. Rejects with ModbusException or `input.failed`. */
  request(block: Block): Promise<Buffer> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    if (this.#pending !== null) return Promise.reject(failed(this.#device, 'was asked twice at once'));
    return new Promise((resolve, reject) => {
      this.#pending = { block, transaction: this.#port._transactionIdWrite, resolve, reject };
      this.#received = 0;
      const message = Buffer.alloc(requestBytes + checksumBytes);
      message.writeUInt8(this.#device.unitId, 0);
      message.writeUInt8(functionCodes[block.table], 1);
      message.writeUInt16BE(block.address, 2);
      message.writeUInt16BE(block.count, 4);
      this.#port.write(message);
    });
  }

  /** Ends it at once; a request that waits is rejected with the reason. */
  close(why = 'was let go'): void {
    this.#end(why);
  }

  #answered(answer: Buffer): void {
    const pending = this.#pending;
    if (pending === null) return;
    const { block, transaction } = pending;
    const problem = this.#problemOf(answer, block, transaction);
    if (problem !== null) {
      this.#end(`${problem}, asked for ${describe(block)}`);
      return;
    }
    this.#pending = null;
    if ((answer[functionAt]! & exceptionFlag) === 0) {
      pending.resolve(answer.subarray(dataAt, -checksumBytes));
      return;
    }
    const exception = new ModbusException(answer[codeAt]!);
    const text = `answered ${exception.message}, asked for ${describe(block)}`;
    pending.reject(wholeDevice.has(exception.code) ? failed(this.#device, text) : exception);
  }

  /** What is wrong with an answer, or null. */
  #problemOf(answer: Buffer, block: Block, transaction: number): string | null {
    const code = functionCodes[block.table];
    const length = answer.length - checksumBytes;
    if (this.#port._transactionIdRead !== transaction) return 'answered another request';
    if (length < dataAt) return `gave an answer of ${length} bytes`;
    if (answer[unitAt] !== this.#device.unitId) return `answered as unit ${answer[unitAt]}`;
    if (answer[functionAt] === (code | exceptionFlag)) return null;
    if (answer[functionAt] !== code) return `answered function ${answer[functionAt]} to ${code}`;
    const expected = isBits(block.table) ? Math.ceil(block.count / 8) : block.count * 2;
    if (answer[codeAt] !== expected || length !== dataAt + expected)
      return `answered ${length - dataAt} bytes, said to be ${answer[codeAt]}, where ${expected} were due`;
    return null;
  }

  #end(why: string): void {
    if (this.#ended === null) this.#ended = failed(this.#device, why);
    const pending = this.#pending;
    this.#pending = null;
    this.#socket.destroy();
    pending?.reject(this.#ended);
  }
}

function failed({ name, host, port }: Device, why: string): PicketError {
  return new PicketError('input.failed', `The Modbus device ${name} at ${host}:${port} ${why}.`);
}

/** `ECONNREFUSED`; a name with several addresses has one error for each. */
function codeOf(error: Error): string {
  const { code, errors } = error as { code?: string; errors?: readonly { code?: string }[] };
  return code ?? errors?.[0]?.code ?? error.message.slice(0, 100);
}
