/** One line of /proc/PID/stat (proc(5)), read where it lies. */
import fs from 'node:fs';
import { isGone, scanner } from './reader.ts';

const openParenthesis = 40;
const closeParenthesis = 41;
/** A name is at most 15 bytes, of kernel threads 63. */
const maxNameBytes = 64;
/** Fields of proc(5) behind the state (field 3) that are passed over to reach the wanted ones. */
const beforeUtime = 10;
const beforeThreads = 4;
const beforeStart = 1;
const beforeResident = 1;

/** What was read last; reused from process to process. */
export class ProcessStat {
  /** Byte of the state's letter. */
  state = 0;
  /** User and system time, ticks. */
  ticks = 0;
  threads = 0;
  /** Ticks from the boot to its start; with the pid, what tells processes apart. */
  startTicks = 0;
  residentPages = 0;
  #nameStart = 0;
  #nameEnd = 0;

  /** Reads a process; false where it ended, or is hidden from this user. */
  read(procRoot: string, pid: number): boolean {
    let descriptor = -1;
    try {
      descriptor = fs.openSync(`${procRoot}/${pid}/stat`, 'r');
      scanner.load(descriptor);
    } catch (error) {
      if (isGone(error) || (error as NodeJS.ErrnoException).code === 'EACCES') return false;
      throw error;
    } finally {
      if (descriptor >= 0) fs.closeSync(descriptor);
    }
    return this.#parse();
  }

  /** The process' name, until the next file is read. It allocates. */
  name(): string {
    return scanner.bytes.toString('utf8', this.#nameStart, this.#nameEnd);
  }

  #parse(): boolean {
    const { bytes, end } = scanner;
    const open = bytes.indexOf(openParenthesis);
    // A name may have parentheses in it: the last one on the line ends it.
    const close = bytes.lastIndexOf(closeParenthesis, end - 1);
    if (open < 0 || close < open || close >= end) return false;
    this.#nameStart = open + 1;
    this.#nameEnd = Math.min(close, open + 1 + maxNameBytes);
    scanner.position = close + 1;
    scanner.skipBlanks();
    this.state = bytes[scanner.position] ?? 0;
    scanner.position++;
    scanner.skipFields(beforeUtime);
    const user = scanner.number();
    this.ticks = user + scanner.number();
    scanner.skipFields(beforeThreads);
    this.threads = scanner.number();
    scanner.skipFields(beforeStart);
    this.startTicks = scanner.number();
    scanner.skipFields(beforeResident);
    this.residentPages = scanner.number();
    return !Number.isNaN(this.residentPages);
  }
}
