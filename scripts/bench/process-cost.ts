/** What a process takes of the machine, as the kernel counts it. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Usage {
  readonly atMs: number;
  /** Of all its threads, by the scheduler's own clock: a tick of 10 ms would be coarse here. */
  readonly cpuMs: number;
  /** What it made the disks write. */
  readonly writtenBytes: number;
}

export interface Memory {
  readonly rssMb: number;
  /** Its own pages that can't be dropped or shared. */
  readonly privateDirtyMb: number;
  /** Without pages of mapped files (LevelDB maps its tables), which are page cache that the kernel takes back at will. */
  readonly anonymousMb: number;
}

export function usageOf(pid: number): Usage {
  let cpuMs = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    cpuMs += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ', 1)[0]) / 1e6;
  }
  const written = /^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'latin1'));
  return { atMs: performance.now(), cpuMs, writtenBytes: Number(written![1]) };
}

export function memoryOf(pid: number): Memory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  const megabytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(rollup)![1]) / 1024;
  const anonymousMb = megabytes('Anonymous');
  return { rssMb: megabytes('Rss'), privateDirtyMb: megabytes('Private_Dirty'), anonymousMb };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
