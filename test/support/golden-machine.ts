/** A machine of a golden folder that a test can change under a running agent. */
import { closeSync, cpSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { System } from './system.ts';

const golden = join(import.meta.dirname, '..', 'golden', 'inputs');

export class GoldenMachine {
  readonly root: string;

  /** A copy of the first reading of this folder. */
  constructor(system: System, folder: string) {
    this.root = system.path('machine');
    cpSync(join(golden, folder, 'input', '1'), this.root, { recursive: true });
  }

  /** The agent's YAML that reads this machine. */
  get config(): string {
    return `host: {proc: ${this.root}/proc, sys: ${this.root}/sys, root: ${this.root}}\n`;
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  /**
   * In place and in one write, as the kernel changes its files: descriptors stay, and nobody reads half of it. It must
   * not become shorter.
   */
  write(path: string, text: string): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    const descriptor = openSync(file, 'r+');
    try {
      writeSync(descriptor, text, 0);
    } finally {
      closeSync(descriptor);
    }
  }

  /** A file that was not there. */
  add(path: string, text: string): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    const descriptor = openSync(file, 'w');
    try {
      writeSync(descriptor, text);
    } finally {
      closeSync(descriptor);
    }
  }
}
