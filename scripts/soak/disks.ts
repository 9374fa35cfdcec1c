/** Disks that a scenario may break: images on loop devices, small tmpfs, and what fills one. Root is needed. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { SoakContext } from './scenario.ts';

const UNMOUNT_TRIES = 50;
const UNMOUNT_PAUSE_MS = 100;

/** Runs a program of the system; says what it said where it fails. */
export function sh(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Makes an ext4 file system in a new file of so many megabytes. */
export function makeImage(path: string, sizeMB: number): void {
  writeFileSync(path, '');
  truncateSync(path, sizeMB * 1024 * 1024);
  // Without lazy work that would go on in the background after the mount.
  sh('mkfs.ext4', '-q', '-F', '-m', '0', '-E', 'lazy_itable_init=0,lazy_journal_init=0', path);
}

/** What is mounted here; unmounted with the scenario at the latest. */
export class Mounted {
  readonly path: string;
  #is = true;

  private constructor(context: SoakContext, path: string) {
    this.path = path;
    context.defer(() => {
      if (this.#is) sh('umount', '--lazy', path);
    });
  }

  static image(context: SoakContext, file: string, name: string): Mounted {
    const path = context.system.path(name);
    sh('mount', '-o', 'loop', file, path);
    return new Mounted(context, path);
  }

  static tmpfs(context: SoakContext, name: string, size: string): Mounted {
    const path = context.system.path(name);
    sh('mount', '-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', path);
    return new Mounted(context, path);
  }

  /** Waits for who still closes files there: a killed process ends with its last write. */
  async unmount(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        sh('umount', this.path);
        break;
      } catch (error) {
        if (tries >= UNMOUNT_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, UNMOUNT_PAUSE_MS));
      }
    }
    this.#is = false;
  }

  /** Makes it read-only for ever, as ext4 does to itself after an error of its device. */
  abort(): void {
    sh('mount', '-o', 'remount,abort', this.path);
  }
}

/** Takes all that is left of a disk, whenever it is asked, until it gives it back. */
export class Filler {
  readonly #path: string;
  #file: number | null = null;

  constructor(disk: string) {
    this.#path = join(disk, 'filler');
  }

  fill(): void {
    this.#file ??= openSync(this.#path, 'w');
    for (const size of [1024 * 1024, 4096, 1]) while (this.#write(this.#file, Buffer.alloc(size)));
  }

  giveBack(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
    rmSync(this.#path, { force: true });
  }

  #write(file: number, bytes: Uint8Array): boolean {
    try {
      return writeSync(file, bytes) === bytes.length;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
      throw error;
    }
  }
}
