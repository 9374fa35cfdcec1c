/**
 * The D-Bus wire format (https://dbus.freedesktop.org/doc/dbus-specification.html, "Marshaling"), as far as asking a
 * service and reading its answer needs it: numbers, texts, and what is made of them. Everything lies on multiples of its
 * own size from the message's start. What comes is not trusted: every length is held against what is there.
 */
import { PicketError } from '../../../../shared/errors.ts';

/** A larger answer is refused; 1,000 failed units have some 300 KB. */
const MOST_BYTES = 1024 * 1024;
/** The fixed part of a header, up to and with the length of its fields. */
const FIXED_BYTES = 16;
const LITTLE_ENDIAN = 0x6c;
const BIG_ENDIAN = 0x42;
const VERSION = 1;
const METHOD_CALL = 1;
export const METHOD_RETURN = 2;
export const METHOD_ERROR = 3;

/** Header fields, by their codes. */
const PATH = 1;
const INTERFACE = 2;
const MEMBER = 3;
const ERROR_NAME = 4;
const REPLY_SERIAL = 5;
const DESTINATION = 6;
const SIGNATURE = 8;

export interface Call {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  /** Arguments: lists of texts (`as`), which is all that we say. */
  readonly lists: readonly (readonly string[])[];
}

export interface Answer {
  readonly type: number;
  readonly replySerial: number;
  readonly signature: string;
  readonly errorName: string;
  readonly body: BusReader;
}

function broken(what: string): never {
  throw new PicketError('input.failed', `The message bus said something that is no message: ${what}.`);
}

class BusWriter {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  align(size: number): void {
    while (this.#bytes.length % size !== 0) this.#bytes.push(0);
  }

  byte(value: number): void {
    this.#bytes.push(value);
  }

  u32(value: number): void {
    this.align(4);
    this.#bytes.push(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, (value >>> 24) & 0xff);
  }

  text(value: string): void {
    const encoded = new TextEncoder().encode(value);
    this.u32(encoded.length);
    this.#bytes.push(...encoded, 0);
  }

  signature(value: string): void {
    const encoded = new TextEncoder().encode(value);
    this.#bytes.push(encoded.length, ...encoded, 0);
  }

  /** An array: its length is known afterwards; the padding before its first element does not count. */
  array(elementSize: number, write: () => void): void {
    this.u32(0);
    const at = this.#bytes.length - 4;
    this.align(elementSize);
    const start = this.#bytes.length;
    write();
    const length = this.#bytes.length - start;
    for (let i = 0; i < 4; i++) this.#bytes[at + i] = (length >>> (8 * i)) & 0xff;
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** The bytes of a call. */
export function encodeCall(serial: number, call: Call): Uint8Array {
  const body = new BusWriter();
  for (const list of call.lists) {
    body.array(4, () => {
      for (const text of list) body.text(text);
    });
  }
  const head = new BusWriter();
  for (const byte of [LITTLE_ENDIAN, METHOD_CALL, 0, VERSION]) head.byte(byte);
  head.u32(body.length);
  head.u32(serial);
  const field = (code: number, signature: string, write: () => void): void => {
    head.align(8);
    head.byte(code);
    head.signature(signature);
    write();
  };
  head.array(8, () => {
    field(PATH, 'o', () => head.text(call.path));
    field(INTERFACE, 's', () => head.text(call.interface));
    field(MEMBER, 's', () => head.text(call.member));
    field(DESTINATION, 's', () => head.text(call.destination));
    if (call.lists.length > 0) field(SIGNATURE, 'g', () => head.signature('as'.repeat(call.lists.length)));
  });
  head.align(8);
  return Buffer.concat([head.bytes(), body.bytes()]);
}

/** Reads along a message; throws `input.failed` past its end. */
export class BusReader {
  readonly #view: DataView;
  readonly #little: boolean;
  at: number;

  /** @param view from the message's start: that is what things are aligned to */
  constructor(view: DataView, at: number, little: boolean) {
    this.#view = view;
    this.#little = little;
    this.at = at;
  }

  align(size: number): void {
    this.at += (size - (this.at % size)) % size;
  }

  byte(): number {
    this.#need(1);
    return this.#view.getUint8(this.at++);
  }

  u32(): number {
    this.align(4);
    this.#need(4);
    this.at += 4;
    return this.#view.getUint32(this.at - 4, this.#little);
  }

  /** A text or an object's path. */
  text(): string {
    return this.#chars(this.u32());
  }

  signature(): string {
    return this.#chars(this.byte());
  }

  /** Where an array of such elements ends; the reader is at its first. */
  arrayEnd(elementSize: number): number {
    const length = this.u32();
    this.align(elementSize);
    this.#need(length);
    return this.at + length;
  }

  #chars(length: number): string {
    this.#need(length + 1);
    const text = Buffer.from(this.#view.buffer, this.#view.byteOffset + this.at, length).toString('utf8');
    this.at += length + 1;
    return text;
  }

  #need(bytes: number): void {
    if (this.at + bytes > this.#view.byteLength) broken('it ends before what it announces');
  }
}

/** Length of the message that begins the bytes, once so much is there to know it; 0: not yet. */
export function messageLength(bytes: Buffer): number {
  if (bytes.length < FIXED_BYTES) return 0;
  const little = endianOf(bytes[0]!);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const headBytes = FIXED_BYTES + view.getUint32(12, little);
  const total = Math.ceil(headBytes / 8) * 8 + view.getUint32(4, little);
  if (total > MOST_BYTES) broken(`it has ${total} bytes, and ${MOST_BYTES} are allowed`);
  return total;
}

/** A whole message. */
export function decodeMessage(bytes: Buffer): Answer {
  const little = endianOf(bytes[0]!);
  // A view of its own bytes alone: alignment counts from the start.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const reader = new BusReader(view, FIXED_BYTES - 4, little);
  const found = { replySerial: 0, signature: '', errorName: '' };
  const end = reader.arrayEnd(8);
  while (reader.at < end) {
    reader.align(8);
    const code = reader.byte();
    const signature = reader.signature();
    if (signature === 'u') {
      const value = reader.u32();
      if (code === REPLY_SERIAL) found.replySerial = value;
    } else if (signature === 'g') {
      const value = reader.signature();
      if (code === SIGNATURE) found.signature = value;
    } else if (signature === 's' || signature === 'o') {
      const value = reader.text();
      if (code === ERROR_NAME) found.errorName = value;
    } else broken(`a field of its header is of the type ${signature.slice(0, 20)}`);
  }
  reader.align(8);
  return { type: bytes[1]!, ...found, body: reader };
}

function endianOf(first: number): boolean {
  if (first === LITTLE_ENDIAN) return true;
  return first === BIG_ENDIAN ? false : broken('it says no byte order');
}
