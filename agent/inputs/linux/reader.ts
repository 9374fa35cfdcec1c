/**
 * How the kernel's text files are read at 1 Hz at almost no cost: each file is opened once and read again at position 0
 * into one buffer that all share, and its bytes are parsed where they lie, without strings.
 *
 * Reading is synchronous: /proc and /sys files that are read here are made by the kernel in memory and wait for no disk
 * (those that may wait, such as sensors behind a slow bus, are read in `slow-files.ts`). Because of the one buffer, a
 * file must be parsed before the next one is loaded; nothing keeps a reference into it.
 */
import fs from 'node:fs';
import { PicketError } from '../../../shared/errors.ts';

/** Larger files are cut here; /proc/stat of 512 cores has about 100 KB. */
const maxFileBytes = 1024 * 1024;
/** seq_file hands out about a page at a time: a read shorter than this was the whole file. */
const wholeReadBytes = 2048;
/** A file that is not there is looked for again after 1, 2, 4 … this many reads. */
const maxReadsBetweenTries = 64;

const newline = 10;
const space = 32;
const tab = 9;
const minus = 45;
const dot = 46;
const zero = 48;
const nine = 57;

/** A cursor over the bytes of the file that was loaded last. */
export class Scanner {
  bytes: Buffer = Buffer.allocUnsafe(32 * 1024);
  position = 0;
  end = 0;

  atEnd(): boolean {
    return this.position >= this.end;
  }

  /** To the first byte of the next line. */
  skipLine(): void {
    const { bytes, end } = this;
    let at = this.position;
    // Most lines are short; the native search pays from some sixty bytes on (`intr` of /proc/stat has thousands).
    const near = Math.min(end, at + 64);
    while (at < near && bytes[at] !== newline) at++;
    if (at === near && near < end) {
      const found = bytes.indexOf(newline, near);
      at = found < 0 || found > end ? end : found;
    }
    this.position = at < end ? at + 1 : end;
  }

  skipBlanks(): void {
    const { bytes, end } = this;
    let at = this.position;
    while (at < end && (bytes[at] === space || bytes[at] === tab)) at++;
    this.position = at;
  }

  /** Over `count` fields that blanks part, on this line. */
  skipFields(count: number): void {
    const { bytes, end } = this;
    let at = this.position;
    for (let i = 0; i < count; i++) {
      while (at < end && (bytes[at] === space || bytes[at] === tab)) at++;
      while (at < end && bytes[at]! > space) at++;
    }
    this.position = at;
  }

  /** Bytes up to the next blank or the line's end. */
  fieldLength(): number {
    const { bytes, end } = this;
    let at = this.position;
    while (at < end && bytes[at]! > space) at++;
    return at - this.position;
  }

  /** The decimal number of the next field, or NaN where there is none on this line. Stops behind its last digit. */
  number(): number {
    const { bytes, end } = this;
    let at = this.position;
    while (at < end && (bytes[at] === space || bytes[at] === tab)) at++;
    const negative = bytes[at] === minus && at < end;
    if (negative) at++;
    const first = at;
    let value = 0;
    while (at < end && bytes[at]! >= zero && bytes[at]! <= nine) value = value * 10 + (bytes[at++]! - zero);
    if (at === first) {
      this.position = at;
      return Number.NaN;
    }
    if (at < end && bytes[at] === dot) {
      at++;
      let divisor = 1;
      while (at < end && bytes[at]! >= zero && bytes[at]! <= nine) {
        value = value * 10 + (bytes[at++]! - zero);
        divisor *= 10;
      }
      // One division at the end: 1.36 is then the number that the text 1.36 means.
      value /= divisor;
    }
    this.position = at;
    return negative ? -value : value;
  }

  /** Whether these bytes come next; the cursor stays. */
  startsWith(expected: Uint8Array): boolean {
    const { bytes, position } = this;
    const length = expected.length;
    if (position + length > this.end) return false;
    for (let i = 0; i < length; i++) if (bytes[position + i] !== expected[i]) return false;
    return true;
  }

  /** `length` bytes from the cursor as text; it allocates: not for each sample. */
  text(length: number): string {
    return this.bytes.toString('utf8', this.position, Math.min(this.end, this.position + length));
  }

  /** The whole file as text; it allocates: not for each sample. */
  allText(): string {
    return this.bytes.toString('utf8', 0, this.end);
  }

  /** Reads the file of a descriptor from its start; throws what `fs.readSync` throws. */
  load(descriptor: number): void {
    let length = 0;
    for (;;) {
      const got = fs.readSync(descriptor, this.bytes, length, this.bytes.length - length, length);
      length += got;
      if (length === this.bytes.length && length < maxFileBytes) this.#grow();
      else if (got < wholeReadBytes || length === this.bytes.length) break;
    }
    this.position = 0;
    this.end = length;
  }

  #grow(): void {
    const larger = Buffer.allocUnsafe(Math.min(maxFileBytes, this.bytes.length * 2));
    this.bytes.copy(larger);
    this.bytes = larger;
  }
}

/** The one buffer that all synchronous inputs share. */
export const scanner = new Scanner();

/** A file that stays open. What vanished is closed and looked for again in growing distances. */
export class KeptFile {
  readonly path: string;
  #descriptor = -1;
  #readsToNextTry = 0;
  #distance = 1;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Loads the file into the scanner; false where it is not there (now). Throws `input.permission` where it may not be
   * read and `input.failed` for whatever else the kernel answers.
   */
  load(): boolean {
    if (this.#descriptor >= 0) {
      try {
        scanner.load(this.#descriptor);
        return true;
      } catch (error) {
        // Unplugged, or of a process that ended: the descriptor never answers again.
        this.close();
        if (!isGone(error)) throw readError(this.path, error);
      }
    }
    if (this.#readsToNextTry > 0) {
      this.#readsToNextTry--;
      return false;
    }
    try {
      this.#descriptor = fs.openSync(this.path, 'r');
      scanner.load(this.#descriptor);
      this.#distance = 1;
      return true;
    } catch (error) {
      this.close();
      if (!isGone(error)) throw readError(this.path, error);
      this.#readsToNextTry = this.#distance;
      this.#distance = Math.min(maxReadsBetweenTries, this.#distance * 2);
      return false;
    }
  }

  /** As `load`, for a file without which the input has nothing to say; throws `input.failed` where it is not there. */
  loadRequired(): void {
    this.#readsToNextTry = 0;
    if (!this.load()) throw new PicketError('input.failed', `${this.path} is not there.`, { path: this.path });
  }

  close(): void {
    if (this.#descriptor < 0) return;
    fs.closeSync(this.#descriptor);
    this.#descriptor = -1;
  }
}

/** What a file or device answers that is not there, or not any more. */
export function isGone(error: unknown): boolean {
  const code = errorCode(error);
  // EIO, EINVAL, ENODATA and EOPNOTSUPP are answers of /sys files whose device is off or has no value.
  return (
    code === 'ENOENT' ||
    code === 'ENODEV' ||
    code === 'ENXIO' ||
    code === 'ESRCH' ||
    code === 'ENOTDIR' ||
    code === 'EIO' ||
    code === 'EINVAL' ||
    code === 'ENODATA' ||
    code === 'EAGAIN' ||
    code === 'ENOTSUP' ||
    code === 'EOPNOTSUPP'
  );
}

/** `code` of a system error, or the empty text. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** The system's error as one of ours. */
export function readError(path: string, error: unknown): PicketError {
  const code = errorCode(error);
  if (code === 'EACCES' || code === 'EPERM') {
    return new PicketError('input.permission', `${path} may not be read by this user (${code}).`, { path }, error);
  }
  return new PicketError('input.failed', `${path} cannot be read (${code || String(error)}).`, { path }, error);
}
