/**
 * A disk of a bench's own: ext4 on a loop device, whose sectors the kernel counts, the file system's journal and all.
 * Where the machine lets nobody make one, the directory of `PICKET_BENCH_DIR` or of temporary files, and what the kernel
 * says that this process wrote.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const MB = 1024 * 1024;
const SECTOR_BYTES = 512;
/** Documentation of the kernel, admin-guide/iostats: the seventh figure of a device is its sectors written. */
const SECTORS_WRITTEN = 6;

export interface BenchDisk {
  readonly path: string;
  /** True where the device's own sectors are counted. */
  readonly ofDevice: boolean;
  /** Bytes that were written so far, after all that waits was. */
  writtenBytes(): number;
  dispose(): void;
}

export function openDisk(sizeMb: number): BenchDisk {
  const root = mkdtempSync(join(process.env.PICKET_BENCH_DIR ?? tmpdir(), 'picket-disk-'));
  const path = join(root, 'mounted');
  mkdirSync(path);
  const sh = (program: string, ...args: string[]): string => {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  };
  try {
    const image = join(root, 'image');
    writeFileSync(image, '');
    truncateSync(image, sizeMb * MB);
    sh('mkfs.ext4', '-q', '-F', image);
    sh('mount', '-o', 'loop', image, path);
    const stat = `/sys/block/${basename(sh('findmnt', '-n', '-o', 'SOURCE', path).trim())}/stat`;
    return {
      path,
      ofDevice: true,
      writtenBytes: () => {
        sh('sync', '-f', path);
        return Number(readFileSync(stat, 'utf8').trim().split(/\s+/)[SECTORS_WRITTEN]) * SECTOR_BYTES;
      },
      dispose: () => {
        sh('umount', path);
        rmSync(root, { recursive: true, force: true });
      },
    };
  } catch {
    return {
      path,
      ofDevice: false,
      writtenBytes: () =>
        Number(/^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? Number.NaN),
      dispose: () => rmSync(root, { recursive: true, force: true }),
    };
  }
}
