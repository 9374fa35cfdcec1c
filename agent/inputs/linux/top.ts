/** The document `top`: which processes used most. Bounded, and only what is needed to recognise them. */
import fs from 'node:fs';
import { FixedFields, keyValueLines } from './fields.ts';
import { errorCode, isGone, scanner } from './reader.ts';

const ticksPerSecond = 100;
const defaultPageBytes = 4096;
/** `AT_PAGESZ` of getauxval(3). */
const pageSizeKey = 6n;

/** A process at one time, with what it used since the time before. */
export interface Known {
  readonly pid: number;
  readonly name: string;
  readonly startTicks: number;
  readonly ticks: number;
  readonly memoryBytes: number;
  /** Read and written on disks; -1 where this user may not see it. */
  readonly ioBytes: number;
  readonly ticksSince: number;
  readonly ioBytesSince: number;
}

interface TopEntry {
  readonly pid: number;
  readonly name: string;
  /** Share of one core, 0…number of cores. */
  readonly cpu: number;
  readonly memoryBytes: number;
  /** Bytes a second on disks; null where this user may not see it. */
  readonly ioBytesPerSecond: number | null;
  /** How long it had run when the document was made. */
  readonly ageS: number;
}

export interface TopDocument {
  readonly atMs: number;
  readonly spanMs: number;
  readonly byCpu: readonly TopEntry[];
  readonly byMemory: readonly TopEntry[];
  readonly byIo: readonly TopEntry[];
}

/** The `count` largest of each kind; processes that used nothing are in no list. `bootMs` is the time since the boot. */
export function topDocument(
  processes: Iterable<Known>,
  options: { readonly atMs: number; readonly bootMs: number; readonly spanMs: number; readonly count: number },
): TopDocument {
  const all = [...processes];
  const seconds = options.spanMs / 1000;
  const largest = (measure: (process: Known) => number): readonly TopEntry[] =>
    all
      .filter((process) => measure(process) > 0)
      .sort((a, b) => measure(b) - measure(a))
      .slice(0, options.count)
      .map((process) => ({
        pid: process.pid,
        name: process.name,
        cpu: process.ticksSince / ticksPerSecond / seconds,
        memoryBytes: process.memoryBytes,
        ioBytesPerSecond: process.ioBytes < 0 ? null : process.ioBytesSince / seconds,
        ageS: Math.max(0, options.bootMs / 1000 - process.startTicks / ticksPerSecond),
      }));
  return {
    atMs: options.atMs,
    spanMs: options.spanMs,
    byCpu: largest((process) => process.ticksSince),
    byMemory: largest((process) => process.memoryBytes),
    byIo: largest((process) => process.ioBytesSince),
  };
}

const io = new FixedFields(['read_bytes', 'write_bytes'], keyValueLines);

/** Bytes that a process read from and wrote to disks (/proc/PID/io); -1 where this user may not see it. */
export function processIoBytes(procRoot: string, pid: number): number {
  let descriptor = -1;
  try {
    descriptor = fs.openSync(`${procRoot}/${pid}/io`, 'r');
    scanner.load(descriptor);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EACCES' || code === 'EPERM' || isGone(error)) return -1;
    throw error;
  } finally {
    if (descriptor >= 0) fs.closeSync(descriptor);
  }
  io.parse(scanner);
  return io.values[0]! + io.values[1]!;
}

/** The kernel's page size, which ARM kernels choose (4, 16 or 64 KiB), from the vector that it gives every program. */
export function bytesPerPage(procRoot: string): number {
  try {
    const vector = fs.readFileSync(`${procRoot}/self/auxv`);
    for (let at = 0; at + 16 <= vector.length; at += 16) {
      if (vector.readBigUInt64LE(at) === pageSizeKey) return Number(vector.readBigUInt64LE(at + 8));
    }
  } catch {
    // Not there: the usual size.
  }
  return defaultPageBytes;
}
